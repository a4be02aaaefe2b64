"""The function's code: the files of a folder, which Pulumi zips and compares by content."""

from pathlib import Path

import pulumi

from components.errors import require

CACHES = {"__pycache__", "Thumbs.db"}


def code_archive(folder: Path, package: str) -> pulumi.AssetArchive:
    """The files of a folder as a function's code, without caches and hidden files.

    Args:
        folder: The folder that is deployed.
        package: The folder's name inside the archive, such as `bot`. Empty: its files are at the archive's root.

    Raises:
        InvalidArgs: If the folder does not exist or holds no code.
    """
    require(folder.is_dir(), f"There is no code to deploy: {folder} is not a folder.")
    files = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    assets: dict[str, pulumi.Asset | pulumi.Archive] = {
        (package / name).as_posix(): pulumi.FileAsset(str(path)) for name, path in files.items() if _is_code(name)
    }
    require(bool(assets), f"There is no code to deploy: {folder} holds only caches and hidden files.")
    return pulumi.AssetArchive(assets)


def _is_code(name: Path) -> bool:
    return CACHES.isdisjoint(name.parts) and not any(part.startswith(".") for part in name.parts)
