"""What is installed, against the list of known weaknesses: `make audit`. Offline it says so, and fails nothing."""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tests.harness import ROOT

PIP_AUDIT = "pip-audit==2.10.1"
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "policies/requirements.txt")
SECONDS = 300


class Unreachable(Exception):
    """A service that is needed cannot be reached; the text is its last word."""


def installed(folder: Path) -> Path:
    """pip-audit, in an environment of its own: the project needs nothing of it.

    Raises:
        Unreachable: it cannot be got.
    """
    venv.create(folder, with_pip=True)
    command = [str(folder / "bin" / "pip"), "install", "--quiet", "--no-compile", PIP_AUDIT]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    if done.returncode:
        raise Unreachable(last_line(done.stderr))
    return folder / "bin" / "pip-audit"


def last_line(text: str) -> str:
    """The last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")


def check(program: Path) -> int:
    """Run pip-audit over all requirements.

    Returns:
        0 if nothing is known, 1 if something is; what, has been printed.

    Raises:
        Unreachable: the list of weaknesses cannot be reached.
    """
    # Strict: a package that the list does not know at all was not checked, and that is not "no weakness known".
    files = [part for name in REQUIREMENTS for part in ("--requirement", str(ROOT / name))]
    command = [
        str(program),
        *files,
        "--no-deps",
        "--disable-pip",
        "--strict",
        "--progress-spinner",
        "off",
        "--timeout",
        "15",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    sys.stdout.write(done.stdout)
    if done.returncode and "known vulnerabilit" not in done.stderr:
        raise Unreachable(last_line(done.stderr))
    sys.stderr.write(done.stderr)
    return 1 if done.returncode else 0


def main() -> int:
    """Check, or say why not.

    Returns:
        1 if a weakness is known.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            return check(installed(Path(folder)))
        except (Unreachable, subprocess.TimeoutExpired) as reason:
            sys.stderr.write(f"Not checked: the list of known weaknesses cannot be reached ({reason}).\n")
            return 0


if __name__ == "__main__":
    sys.exit(main())
