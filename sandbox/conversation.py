"""Finds what keeps the bot's code from being loaded, before anything is deployed."""

from pathlib import Path

from components.errors import InvalidArgs
from sandbox.errors import SandboxError
from sandbox.page.reload import PACKAGE, bot_zip, check

AUTHORS_FOLDER = "conversation"


def check_conversation(folder: Path) -> None:
    """Load the bot's code as the function does, in a process of its own.

    Args:
        folder: where the Pulumi program is.

    Raises:
        SandboxError: it cannot be loaded; with file, line and reason.
    """
    own = sorted((folder / PACKAGE / AUTHORS_FOLDER).rglob("*.py"))
    try:
        outcome = check(bot_zip(folder), [path.relative_to(folder).as_posix() for path in own])
    except InvalidArgs as error:
        raise SandboxError(str(error)) from None
    if not outcome["ok"]:
        place = f"{outcome['file']}:{outcome['line']}: " if outcome["file"] else ""
        raise SandboxError(f"The conversation cannot be loaded. {place}{outcome['message']}")
