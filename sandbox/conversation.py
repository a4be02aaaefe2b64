"""Finds what keeps the bot's code from being loaded, before it is deployed."""

from pathlib import Path

from sandbox.errors import SandboxError

AUTHORS_FOLDER = Path("bot", "conversation")


def check_conversation(project: Path) -> None:
    """Load the bot's code as the function does.

    Args:
        project: the folder of the Pulumi program.

    Raises:
        SandboxError: it cannot be loaded; with file, line and reason.
    """
    from sandbox.page.reload import bot_zip, check

    own = sorted((project / AUTHORS_FOLDER).rglob("*.py"))
    outcome = check(bot_zip(project), [path.relative_to(project).as_posix() for path in own])
    if not outcome["ok"]:
        place = f"{outcome['file']}:{outcome['line']}: " if outcome["file"] else ""
        raise SandboxError(f"The conversation cannot be loaded. {place}{outcome['message']}")
