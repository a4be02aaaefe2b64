"""Where Chromium is, and a copy of the program to be edited: for what looks at the chat page."""

import shutil
from pathlib import Path

from tools.recorder import ROOT

# The first needs less than half of the processor time of the others.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PROGRAM = ("Pulumi.yaml", "Pulumi.local.yaml", "__main__.py", "facebook.py", "settings.py", "components", "bot")
PHONE = {"width": 390, "height": 844}


def copy_program(folder: Path) -> Path:
    """Copy what a stack is deployed from.

    Args:
        folder: where to.

    Returns:
        The folder.
    """
    for name in PROGRAM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder
