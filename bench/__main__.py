"""Measures, and writes each kind of figures into its own part of a page.

Example:
    python -m bench lambda --write docs/benchmarks.md
"""

import argparse
import re
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from bench import conversation, figures, load, loop
from bench.runtime import BenchError
from sandbox.errors import SandboxError

# For the figures on the runtime that Lambda uses.
MOST_SECONDS = 180


def put(page: Path, name: str, text: str) -> None:
    """Write a part of a page between its markers, or at the page's end if it is not there yet."""
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    old, marked = page.read_text(), f"{begin}\n\n{text.strip()}\n\n{end}\n"
    pattern = re.compile(f"{re.escape(begin)}.*{re.escape(end)}\n", re.DOTALL)
    page.write_text(pattern.sub(lambda _: marked, old) if pattern.search(old) else f"{old.rstrip()}\n\n{marked}")


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise BenchError(f"Measuring took longer than {MOST_SECONDS} s: do it on a machine with nothing else to do.")


def _lambda(_: argparse.Namespace) -> tuple[str, bool]:
    signal.signal(signal.SIGALRM, _stop)
    signal.alarm(MOST_SECONDS)
    found = figures.measured()
    signal.alarm(0)
    return figures.section(found), all(goal.holds for goal in figures.goals(found))


def _load(options: argparse.Namespace) -> tuple[str, bool]:
    storm = options.events, options.users, options.seed
    found = load.measured(*storm)
    return load.section(found, *storm), not any(found[name] for name in load.BROKEN)


def _loop(_: argparse.Namespace) -> tuple[str, bool]:
    return loop.section(), True


def _conversation(_: argparse.Namespace) -> tuple[str, bool]:
    return conversation.section(conversation.measured()), True


SECTIONS = {"lambda": _lambda, "conversation": _conversation, "loop": _loop, "load": _load}


def main() -> int:
    """Measure what the command line asks for.

    Returns:
        1 if it could not be measured, if a goal is missed, or if a promise was broken.
    """
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure the bot as Lambda runs it, a developer's loop, or that nothing is lost under load.",
        epilog=(__doc__ or "").partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("part", choices=SECTIONS, help="what to measure")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the figures into their part of FILE too")
    load.add_options(parser.add_argument_group("of load"))
    options = parser.parse_args()
    try:
        text, holds = SECTIONS[options.part](options)
    except (BenchError, SandboxError) as error:
        print(error, file=sys.stderr)
        return 1
    print(text)
    if options.write:
        put(options.write, options.part, text)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
