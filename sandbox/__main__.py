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
    """Raised by Ctrl-C and SIGTERM."""


def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End once; further signals during the cleanup are ignored."""
    ignore_signals()
    raise Stopped


def stop_again(dropped: "UnraisableHookArgs") -> None:
    """End a moment later if a signal came in a finalizer or in the callback of a weak reference.

    Python drops exceptions raised there (https://docs.python.org/3/reference/datamodel.html#object.__del__).
    """
    if dropped.exc_type is not Stopped:
        sys.__unraisablehook__(dropped)
        return
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)


def ignore_signals() -> None:
    """Let nothing interrupt the process from now on."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


def main() -> int:
    """Run the command line.

    Returns:
        The exit code: 0 if it worked, 1 if it did not. An invalid command line exits with 2.
    """
    if sys.version_info < OLDEST_PYTHON:
        print("The sandbox needs Python 3.11 or newer: run `make up PYTHON=python3.12`.", file=sys.stderr)
        return 1
    sys.unraisablehook = stop_again
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        from sandbox import cli
    except ModuleNotFoundError as missing:
        print(f"{missing.name} is not installed: run `make .venv/installed` and use .venv/bin/python.", file=sys.stderr)
        return 1
    except Stopped:
        return 1
    return cli.run(sys.argv[1:], Stopped, ignore_signals)


if __name__ == "__main__":
    sys.exit(main())
