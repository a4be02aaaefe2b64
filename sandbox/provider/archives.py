"""The code archives of a program: as the zip that the provider uploads, and as a hash to compare."""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi

from sandbox.errors import SandboxError

SAME_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can hold
READABLE = 0o644 << 16
# How Pulumi's engine marks an archive on the wire (pulumi/pulumi, sdk/go/common/resource/sig/sig.go, v3.274.1).
SIGNATURE = "4dabf18193072939515e22adb298388d"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"


class WiredArchive(pulumi.Archive):
    """An archive as Pulumi's engine sends it.

    Attributes:
        wire: with the engine's ``hash`` of the contents, and either ``assets`` or the ``path`` of a folder or a zip.
            What the engine took from its state has the hash only.
    """

    def __init__(self, wire: Mapping[str, Any]) -> None:
        self.wire = wire

    def unpacked(self) -> object:
        """The archive as a program writes it."""
        return _unpacked(self.wire)


def is_wired(value: object) -> bool:
    """Whether a value is an archive on the wire."""
    return isinstance(value, Mapping) and value.get(SIGNATURE) == ARCHIVE


def _unpacked(wire: Mapping[str, Any]) -> Any:
    match wire:
        case {"assets": dict(assets)}:
            return pulumi.AssetArchive({name: _unpacked(part) for name, part in assets.items()})
        case {"text": str(text)}:
            return pulumi.StringAsset(text)
        case {"path": str(path)}:
            return pulumi.FileArchive(path) if is_wired(wire) else pulumi.FileAsset(path)
    raise SandboxError("Pulumi's engine sent code of a kind that the sandbox does not know.")


def zip_bytes(archive: object) -> bytes:
    """The zip of an archive. Equal contents give equal bytes.

    Args:
        archive: a ``pulumi.AssetArchive`` of files, texts and folders, or a ``pulumi.FileArchive``.

    Raises:
        SandboxError: the archive is of another kind.
    """
    if isinstance(archive, WiredArchive):
        archive = archive.unpacked()
    if isinstance(archive, pulumi.FileArchive) and Path(archive.path).is_file():
        return Path(archive.path).read_bytes()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path, data in sorted(_files("", archive)):
            entry = zipfile.ZipInfo(path, SAME_TIME)
            entry.external_attr = READABLE
            entry.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(entry, data)
    return content.getvalue()


def content_hash(archive: object) -> str:
    """A hash that two archives share exactly if they hold the same files."""
    if isinstance(archive, WiredArchive):
        return str(archive.wire["hash"])
    return hashlib.sha256(zip_bytes(archive)).hexdigest()


def _files(path: str, content: object) -> Iterator[tuple[str, bytes]]:
    match content:
        case pulumi.AssetArchive():
            for name, part in content.assets.items():
                yield from _files(f"{path}/{name}" if path else name, part)
        case pulumi.StringAsset():
            yield path, content.text.encode()
        case pulumi.FileAsset():
            yield path, Path(content.path).read_bytes()
        case pulumi.FileArchive() if (folder := Path(content.path)).is_dir():
            for file in folder.rglob("*"):
                if file.is_file():
                    yield "/".join(filter(None, (path, file.relative_to(folder).as_posix()))), file.read_bytes()
        case _:
            raise SandboxError(
                f"The sandbox cannot zip {type(content).__name__} as a function's code: give a folder or a zip file."
            )
