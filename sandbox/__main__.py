"""``python -m sandbox``: the local cloud on the command line. See ``python -m sandbox --help``."""

import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

OLDEST_PYTHON = (3, 11)
AGAIN_SECONDS = 0.01


class Stopped(BaseException):
    """Someone pressed Ctrl-C or sent SIGTERM."""


def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End once: whoever asks again while everything is being put away waits for that."""
    ignore_signals()
    raise Stopped


def stop_again(dropped: "UnraisableHookArgs") -> None:
    """End a moment later if a signal came within a finalizer or the callback of a weak reference.

    Python drops what is raised there (https://docs.python.org/3/reference/datamodel.html#object.__del__).
    """
    if dropped.exc_type is not Stopped:
        sys.__unraisablehook__(dropped)
        return
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)


def ignore_signals() -> None:
    """From now on nothing is interrupted any more."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


def main() -> int:
    """Run the command line.

    Returns:
        The exit code: 0 if it worked, 1 if not, 2 for a wrong command line.
    """
    if sys.version_info < OLDEST_PYTHON:
        print("The sandbox needs Python 3.11 or newer: run `make up PYTHON=python3.12`.", file=sys.stderr)
        return 1
    sys.unraisablehook = stop_again
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        from sandbox import cli  # noqa: PLC0415 - signals first: from here on there may be something to put away
    except ModuleNotFoundError as missing:
        print(f"{missing.name} is not installed: run `make .venv/installed` and use .venv/bin/python.", file=sys.stderr)
        return 1
    except Stopped:
        return 1
    return cli.run(sys.argv[1:], Stopped, ignore_signals)


if __name__ == "__main__":
    sys.exit(main())
