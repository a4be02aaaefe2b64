"""A certificate authority for loopback, made with openssl for one run."""

import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

# Where a system keeps the authorities that it trusts, as one file: Debian, Amazon Linux, Alpine and macOS.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
AUTHORITY = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign", "subjectKeyIdentifier=hash")
SERVER = ("basicConstraints=critical,CA:FALSE", "subjectAltName=IP:127.0.0.1")


class Certificates(NamedTuple):
    """The files of one authority.

    Attributes:
        authority: its own certificate.
        bundle: the system's authorities, and this one: as many to read as on Lambda.
        shown: the certificate that a server on 127.0.0.1 shows, and its key.
    """

    authority: Path
    bundle: Path
    shown: tuple[str, str]


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and a certificate for 127.0.0.1.

    Args:
        folder: where the files go.
    """
    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    shown, key = folder / "shown.pem", folder / "shown.key"
    _openssl("/CN=Bench authority", authority, authority_key, AUTHORITY)
    by = ["-CA", str(authority), "-CAkey", str(authority_key)]
    _openssl("/CN=127.0.0.1", shown, key, SERVER, *by)
    bundle = folder / "bundle.pem"
    bundle.write_text(authority.read_text() + _system_bundle())
    return Certificates(authority, bundle, (str(shown), str(key)))


def _openssl(subject: str, certificate: Path, key: Path, extensions: Sequence[str], *by: str) -> None:
    # Without the machine's own configuration, whose extensions differ from one system to the next.
    command = ["openssl", "req", "-x509", "-config", "/dev/null", *KEY, *by, "-subj", subject]
    command += ["-keyout", str(key), "-out", str(certificate)]
    command += [part for extension in extensions for part in ("-addext", extension)]
    subprocess.run(command, check=True, capture_output=True, timeout=20)


def _system_bundle() -> str:
    given = ssl.get_default_verify_paths().cafile
    found = next((path for each in (given, *BUNDLES) if each and (path := Path(each)).is_file()), None)
    return found.read_text() if found else ""
