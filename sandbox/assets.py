"""The images that the conversation shows, served on this machine: a sandbox fetches nothing from elsewhere."""

from pathlib import Path

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).resolve().parent.parent / "assets"
PATH = "/_sandbox/assets"
SETTING = "assetsUrl"

ROUTE = Mount(PATH, StaticFiles(directory=FOLDER, check_dir=False))
"""Serves the files of the folder, for the stand-in and for the chat page alike."""


def file(url: str) -> Path | None:
    """The file that a URL of this folder names; None for any other URL."""
    _, found, name = url.partition(f"{PATH}/")
    path = (FOLDER / name).resolve()
    return path if found and path.is_relative_to(FOLDER) and path.is_file() else None
