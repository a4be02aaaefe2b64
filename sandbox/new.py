"""Makes a bot of another name: a copy of the project, with a conversation that only says hello."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.platforms import PROJECT

DEFAULT_FOLDER = PROJECT.parent
TEMPLATE = Path(__file__).with_name("template")
NAME = re.compile("[a-z][a-z0-9-]{0,18}[a-z0-9]")
"""The names of AWS resources begin with the project's name, and some may have 64 characters at most."""
NAMED_TEST = re.compile(r"(, )?`(?P<file>tests/[\w/]+\.py)::\w+`")
OLD_NAME, OLD_GROUP = "innolab-fbm", "Innolab_FBM"
KEPT = ("LICENSE",)
SAMPLE = (
    "assets/*.png",
    "bot/conversation/*.py",
    "tests/bot/conversation/test_*.py",
    "tests/bot/test_cookbook.py",
    "tests/bot/test_webhook_examples.py",
    "tests/page/test_*.py",
    "tests/sandbox/test_new_bot.py",
    "tests/system/test_every_path.py",
    "tests/system/test_lex.py",
    "tests/system/test_notify.py",
    "tests/system/test_privacy.py",
    "tests/system/test_restaurant.py",
    "tests/system/test_webhook_examples.py",
    "tools/draw_parcel_steps.py",
)
"""The conversation about parcels, its images, the tests that talk about parcels, and those of a new bot."""


def make_bot(name: str, into: Path) -> Path:
    """Make a bot.

    Args:
        name: its name, and the name of its folder.
        into: the folder that its folder goes into.

    Returns:
        Its folder.

    Raises:
        SandboxError: there is such a folder already.
    """
    folder = into.resolve() / name
    if folder.exists():
        raise SandboxError(f"There is a folder {folder} already: choose another name, or another folder with --into.")
    ignored = [line.strip("/") for line in (PROJECT / ".gitignore").read_text(encoding="utf-8").split()]
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns(".git", *ignored))
    rename(folder, name)
    for sample in SAMPLE:
        for path in folder.glob(sample):
            path.unlink()
    for path in folder.glob("docs/*.md"):
        path.write_text(without_removed_tests(path.read_text(encoding="utf-8"), folder), encoding="utf-8")
    for path in TEMPLATE.rglob("*.txt"):
        shutil.copy(path, folder / path.relative_to(TEMPLATE).with_suffix(""))
    # A name of another length moves line breaks.
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet"], cwd=folder, check=False)
    return folder


def without_removed_tests(document: str, folder: Path) -> str:
    """A document without the names of tests whose files were removed."""
    return NAMED_TEST.sub(lambda found: found[0] if (folder / found["file"]).exists() else "", document)


def rename(folder: Path, name: str) -> None:
    """Give a project another name, wherever its name is."""
    for path in filter(Path.is_file, folder.rglob("*")):
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        renamed = text.replace(OLD_NAME, name).replace(OLD_GROUP, name.replace("-", "_"))
        if renamed != text and path.name not in KEPT:
            path.write_text(renamed, encoding="utf-8")
