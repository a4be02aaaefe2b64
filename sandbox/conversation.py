"""Finds what keeps the bot's code from being loaded, before it is deployed."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError

PACKAGE, AUTHORS_FOLDER = "bot", "conversation"
CHECK = Path(__file__).parent / "page" / "check.py"
LOAD_SECONDS = 10.0

Json = dict[str, Any]


def check_conversation(project: Path) -> None:
    """Load the bot's code as the function does.

    Args:
        project: the folder of the Pulumi program.

    Raises:
        SandboxError: it cannot be loaded; with file, line and reason.
    """
    own = sorted((project / PACKAGE / AUTHORS_FOLDER).rglob("*.py"))
    with tempfile.TemporaryDirectory(prefix="sandbox-check-") as folder:
        for source in (project / PACKAGE).rglob("*.py"):
            copy = Path(folder, source.relative_to(project))
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        outcome = load(Path(folder), [path.relative_to(project).as_posix() for path in own])
    if not outcome["ok"]:
        place = f"{outcome['file']}:{outcome['line']}: " if outcome["file"] else ""
        raise SandboxError(f"The conversation cannot be loaded. {place}{outcome['message']}")


def load(folder: Path, changed: list[str]) -> Json:
    """Load a copy of the bot's code in a process of its own: what `sandbox.page.check` prints.

    Args:
        folder: holds the package, and nothing else that could be imported.
        changed: the files in it, by their path in the folder, that a mistake is expected in.
    """
    command = [sys.executable, "-I", str(CHECK), str(folder), *changed]
    try:
        run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LOAD_SECONDS, cwd=folder)
        outcome: Json = json.loads(run.stdout.strip().rpartition("\n")[2])
    except subprocess.TimeoutExpired:
        return broken(f"The code was not loaded within {LOAD_SECONDS:.0f} s: something in it does not finish.")
    except ValueError:
        return broken(f"The code ended Python when it was loaded. {run.stderr.strip()[-300:]}".strip())
    return outcome


def broken(message: str) -> Json:
    """The outcome for code whose mistake has no known place."""
    return {"ok": False, "file": "", "line": None, "text": "", "message": message}
