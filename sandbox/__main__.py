"""``python -m sandbox``: the local cloud on the command line. See ``python -m sandbox --help``."""

import signal
import sys
from types import FrameType
from typing import NoReturn

OLDEST_PYTHON = (3, 11)


class Stopped(BaseException):
    """Someone pressed Ctrl-C or sent SIGTERM."""


def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End once: whoever asks again while everything is being put away waits for that."""
    ignore_signals()
    raise Stopped


def ignore_signals() -> None:
    """From now on nothing is interrupted any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def main() -> int:
    """Run the command line.

    Returns:
        The exit code: 0 if it worked, 1 if not, 2 for a wrong command line.
    """
    if sys.version_info < OLDEST_PYTHON:
        print("The sandbox needs Python 3.11 or newer: run `make up PYTHON=python3.12`.", file=sys.stderr)
        return 1
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
