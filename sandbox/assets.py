"""The images that the conversation shows, served on this machine: a sandbox fetches nothing from elsewhere."""

from pathlib import Path

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).resolve().parent.parent / "assets"
PATH = "/_sandbox/assets"
SETTING = "assetsUrl"

ROUTE = Mount(PATH, StaticFiles(directory=FOLDER, check_dir=False))
"""Serves the files of the folder, for the stand-in and for the chat page alike."""
