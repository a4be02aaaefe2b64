"""The deployed zip: the same folder gives the same bytes, whenever and by whomever it is deployed.

Pulumi could make the zip itself, of an `AssetArchive`; but then files lose their modes, and a custom runtime's
`bootstrap` could not be started. A zip that is there already it uploads as it is.
"""

import hashlib
import io
import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from components.errors import InvalidArgs, require

LEFT_OUT_FOLDERS = {"__pycache__", ".git", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"}
LEFT_OUT_FILES = {".DS_Store", "Thumbs.db", ".coverage"}
LEFT_OUT_SUFFIXES = {".pyc", ".pyo"}

# The zip format knows no earlier time; a file's own would change the bytes with every checkout.
EPOCH = (1980, 1, 1, 0, 0, 0)


Prepare = Callable[[str, bytes], bytes]
"""What is deployed of a file: its name and content → the content in the zip."""


def as_it_is(_name: str, content: bytes) -> bytes:
    """All of it."""
    return content


def archive_bytes(folder: Path, package: str, prepare: Prepare = as_it_is) -> bytes:
    """The zip of a folder's code, without caches.

    Args:
        folder: What is deployed.
        package: The folder's name inside the zip, such as `bot`. Empty: its content stands at the root.
        prepare: What is deployed of each file.

    Raises:
        InvalidArgs: If the folder does not exist or holds nothing to deploy.
    """
    require(folder.is_dir(), f"There is no code to deploy: {folder} is not a folder.")
    files = [path for path in folder.rglob("*") if path.is_file() and not _is_left_out(path.relative_to(folder))]
    named = sorted((Path(package, path.relative_to(folder)).as_posix(), path) for path in files)
    if not named:
        raise InvalidArgs(f"There is no code to deploy: {folder} holds no files but caches.")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in named:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, wherever it is made: the modes below are read only then
            executable = path.stat().st_mode & stat.S_IXUSR
            # Only "executable or not" is kept (a custom runtime's bootstrap must be): the rest is the umask's doing.
            entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
            archive.writestr(entry, prepare(path.name, path.read_bytes()))
    return out.getvalue()


def write_archive(folder: Path, package: str, build_folder: Path, prepare: Prepare = as_it_is) -> Path:
    """Write the zip into the build folder, under a name made of its content, and return its path.

    Args:
        folder: What is deployed.
        package: The folder's name inside the zip; empty for its root.
        build_folder: Where built files go; made if need be, and ignored by git.
        prepare: What is deployed of each file.

    Raises:
        InvalidArgs: If there is no code in the folder.
    """
    content = archive_bytes(folder, package, prepare)
    build_folder.mkdir(parents=True, exist_ok=True)
    (build_folder / ".gitignore").write_text("*\n", encoding="utf-8")
    target = build_folder / f"{package or folder.name}-{hashlib.sha256(content).hexdigest()[:16]}.zip"
    # Written aside and moved into place: another deployment may be reading the same file.
    with tempfile.NamedTemporaryFile(dir=build_folder, delete=False) as aside:
        aside.write(content)
    Path(aside.name).replace(target)
    return target


def _is_left_out(path: Path) -> bool:
    return (
        not LEFT_OUT_FOLDERS.isdisjoint(path.parts) or path.name in LEFT_OUT_FILES or path.suffix in LEFT_OUT_SUFFIXES
    )
