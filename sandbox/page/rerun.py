"""Runs one turn of the conversation again, to see what the author's code raised: ``python rerun.py FOLDER``.

A conversation is pure: the same event and state give the same answer, so nothing is sent or changed by that. Standard
input has the turn as JSON: ``{"item", "page", "state", "now", "variables"}``. It prints one line of JSON:
``{"type", "message", "frames": [{"file", "line", "function", "text"}]}``, or ``null`` if nothing was raised. The last
frame is the author's: the framework's frames behind it are left out. It runs as a file, outside the project, so that
only the folder's code is found.
"""

import json
import linecache
import sys
import traceback
from pathlib import Path
from types import FrameType

AUTHORS = "bot/conversation/"


class AuthorsLine:
    """Where the author's code last returned: what it returned may fail only later.

    Args:
        folder: where the author's files are.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._over = False
        self.last: tuple[str, int, str] | None = None

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Note a return, as `sys.setprofile` reports it, until the author's error handler gets the exception."""
        code = frame.f_code
        if self._over or not code.co_filename.startswith(self._folder):
            return
        if event == "call":
            self._over = any(isinstance(each, BaseException) for each in frame.f_locals.values())
        elif event == "return":
            self.last = code.co_filename, frame.f_lineno, code.co_name


def main() -> None:
    """Run the turn, and print what it raised."""
    folder = str(Path(sys.argv[1]).resolve()) + "/"
    turn = json.load(sys.stdin)
    sys.path.insert(0, folder)
    from bot import conversation, environment
    from bot.dialogue import Context
    from bot.messenger import events

    world = conversation.world(environment.read(turn["variables"]))
    event = events.parse(turn["item"], turn["page"])
    line = AuthorsLine(folder + AUTHORS)
    sys.setprofile(line)
    raised: BaseException | None = None
    try:
        answer = conversation.bot.answer(event, turn["state"], Context(turn["now"], world))
        raised = answer.defect
        for message in answer.messages:
            message.to_request(event.user)
    except Exception as error:  # noqa: BLE001 - whatever the author's code raises
        raised = error
    finally:
        sys.setprofile(None)
    sys.stdout.write(json.dumps(raised and described(raised, folder, line)) + "\n")


def described(error: BaseException, folder: str, line: AuthorsLine) -> dict[str, object]:
    """What was raised, and where, down to the author's line."""
    frames = [
        (each.filename, each.lineno or 0, each.name)
        for each in traceback.extract_tb(error.__traceback__)
        if each.filename.startswith(folder + AUTHORS)
    ] or ([line.last] if line.last else [])
    shown = [
        {
            "file": file.removeprefix(folder),
            "line": number,
            "function": function,
            "text": linecache.getline(file, number).strip(),
        }
        for file, number, function in frames
    ]
    return {"type": type(error).__name__, "message": str(error).replace(folder, ""), "frames": shown}


if __name__ == "__main__":
    main()
