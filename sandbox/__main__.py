"""``python -m sandbox``: the local cloud on the command line. See ``python -m sandbox --help``."""

import sys

from sandbox import signals

OLDEST_PYTHON = (3, 11)


def main() -> int:
    """Run the command line.

    Returns:
        The exit code: 0 if it worked, 1 if it did not. An invalid command line exits with 2.
    """
    if sys.version_info < OLDEST_PYTHON:
        print("The sandbox needs Python 3.11 or newer: run `make up PYTHON=python3.12`.", file=sys.stderr)
        return 1
    signals.heed()
    try:
        from sandbox import cli
    except ModuleNotFoundError as missing:
        print(f"{missing.name} is not installed: run `make .venv/installed` and use .venv/bin/python.", file=sys.stderr)
        return 1
    except signals.Stopped:
        return 1
    return cli.run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
