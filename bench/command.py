"""The command line of each bench."""

import argparse


def command(module: str, description: str, documentation: str | None) -> argparse.ArgumentParser:
    """A parser for the command that a module is.

    Args:
        module: as `python -m` takes it.
        description: what it does.
        documentation: the module's, whose second paragraph is the example that `--help` shows.
    """
    example = (documentation or "").split("\n\n")[1]
    return argparse.ArgumentParser(prog=f"python -m {module}", description=description, epilog=example)
