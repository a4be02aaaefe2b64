"""Checks whether bot code would start: ``python check.py FOLDER CHANGED…``, in a process of its own.

It prints one line of JSON: ``{"ok": true, "profile": {…} or null, "demonstrations": {title: topic},
"templates": [request…]}``, or what is wrong: ``{"ok": false, "file", "line", "text", "message"}``. It runs as a file,
outside the project, so that only the folder's code is found.
"""

import json
import sys
import traceback
from pathlib import Path

MODULES = ("bot.handler", "bot.webhook", "bot.compose", "bot.conversation")


def main() -> None:
    """Compile every changed file, then load what the function loads."""
    folder, changed = sys.argv[1], sys.argv[2:]
    try:
        for name in changed:
            if Path(folder, name).is_file():
                compile(Path(folder, name).read_bytes(), name, "exec")
        sys.path.insert(0, folder)
        for module in MODULES:
            __import__(module)
        outcome = {"ok": True, "profile": profile(), "demonstrations": demonstrations(), "templates": templates()}
    except SyntaxError as error:
        file = (error.filename or "").removeprefix(folder + "/")
        outcome = failure(file, error.lineno, (error.text or "").strip(), f"{type(error).__name__}: {error.msg}")
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the code raises when it is loaded
        file, line, text = place(error, folder, changed)
        outcome = failure(file, line, text, f"{type(error).__name__}: {error}".replace(folder + "/", ""))
    sys.stdout.write(json.dumps(outcome) + "\n")


def failure(file: str, line: int | None, text: str, message: str) -> dict[str, object]:
    """The outcome for code that would not start."""
    return {"ok": False, "file": file, "line": line, "text": text, "message": message}


def place(error: BaseException, folder: str, changed: list[str]) -> tuple[str, int | None, str]:
    """File, line and text of the last frame in a changed file, or else in the folder."""
    frames = [
        (frame.filename.removeprefix(folder + "/"), frame.lineno, frame.line or "")
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(folder)
    ]
    own = [frame for frame in frames if frame[0] in changed]
    return (own or frames or [("", None, "")])[-1]


def profile() -> object:
    """The Messenger profile that the conversation offers, if any."""
    kind = sys.modules["bot.messenger.profile"].Profile if "bot.messenger.profile" in sys.modules else ()
    defined = [each for each in vars(sys.modules["bot.conversation"]).values() if isinstance(each, kind)]
    return defined[0].to_json() if defined else None


def demonstrations() -> object:
    """What the conversation offers to show itself: a title for each, and the topic of the notice that does it."""
    return dict(getattr(sys.modules["bot.conversation"], "DEMONSTRATIONS", {}))


def templates() -> list[object]:
    """The requests that create the conversation's templates of utility messages."""
    found = getattr(sys.modules["bot.conversation"], "TEMPLATES", ())
    return [each.to_request(language) for each in found for language in each.wordings]


if __name__ == "__main__":
    main()
