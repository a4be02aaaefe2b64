"""`python -m ops`: what an operator does by hand. See `python -m ops --help`."""

import signal
import sys

OLDEST_PYTHON = (3, 11)


def main() -> int:
    """Run the command line.

    Returns:
        The exit code: 0 if it worked and all is well, 1 if not, 2 if the command line is invalid.
    """
    if sys.version_info < OLDEST_PYTHON:
        sys.stderr.write("This needs Python 3.11 or newer: use .venv/bin/python.\n")
        return 1
    try:
        from ops import cli, interruption
    except ModuleNotFoundError as missing:
        sys.stderr.write(f"{missing.name} is not installed: run `make .venv/installed` and use .venv/bin/python.\n")
        return 1
    except KeyboardInterrupt:
        return 1
    signal.signal(signal.SIGTERM, interruption.interrupt)
    return cli.run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
