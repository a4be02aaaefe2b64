"""Finds what keeps the bot's code from being loaded, before it is deployed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from sandbox.configuration import read
from sandbox.conversation_function import conversation_code
from sandbox.errors import SandboxError

AUTHORS_FOLDER = Path("bot", "conversation")
SCRIPTS = Path(__file__).with_name("page")
SECONDS = 10.0

Json = dict[str, Any]


class NotRun(Exception):
    """A script printed no JSON; the text is the end of what it said instead."""


def check_conversation(project: Path, stack: str) -> None:
    """Load the conversation's code as the function does.

    Args:
        project: the folder of the Pulumi program.
        stack: whose settings say where the conversation is.

    Raises:
        SandboxError: it cannot be loaded; with file, line and reason.
    """
    if code := conversation_code(read(project, stack)):
        outcome, folder = code.check(code.folder), f"{os.path.relpath(code.folder, project)}/"
    else:
        own = sorted((project / AUTHORS_FOLDER).rglob("*.py"))
        outcome, folder = check_folder(project, [path.relative_to(project).as_posix() for path in own]), ""
    if not outcome["ok"]:
        place = f"{folder}{outcome['file']}:{outcome['line']}: " if outcome["file"] else ""
        raise SandboxError(f"The conversation cannot be loaded. {place}{outcome['message']}")


def check_folder(folder: Path, changed: list[str]) -> Json:
    """Whether the bot's code in a folder would start: what `sandbox.page.check` prints.

    Args:
        folder: holds the package `bot`.
        changed: the files in it that were changed, by their paths from it.
    """
    try:
        outcome: Json = run_script("check.py", folder, changed, "")
    except subprocess.TimeoutExpired:
        return not_loaded(f"The code was not loaded within {SECONDS:.0f} s: something in it does not finish.")
    except NotRun as error:
        return not_loaded(f"The code ended Python when it was loaded. {error}".strip())
    return outcome


def run_script(script: str, folder: Path, arguments: list[str], given: str) -> Any:
    """What a script beside the chat page prints, with a folder's code and in a process of its own.

    Raises:
        NotRun: it did not print JSON.
        subprocess.TimeoutExpired: it did not end.
    """
    run = subprocess.run(
        [sys.executable, "-I", str(SCRIPTS / script), str(folder), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        cwd=folder,
        input=given,
    )
    try:
        return json.loads(run.stdout.strip().rpartition("\n")[2])
    except ValueError:
        raise NotRun(run.stderr.strip()[-300:]) from None


def not_loaded(message: str) -> Json:
    """The outcome for code that cannot be loaded, without a place."""
    return {"ok": False, "file": "", "line": None, "text": "", "message": message}
