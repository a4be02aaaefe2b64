"""How long a developer waits: for the sandbox, for a saved file, for the program under mocks and, if asked, all checks.

Example:
    python -m bench.loop --checks
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.command import command
from bench.spread import Spread
from sandbox.chat import ChatSandbox
from sandbox.local import PROJECT
from tests.harness import STACKS, run_main

STARTS, SAVES, PROGRAMS = 3, 5, 3
PROGRAM = ("__main__.py", "settings.py", "components", "bot")
LIVE_SECONDS = 30.0
CHECKS_SECONDS = 1800.0

Row = tuple[str, str]


def ready() -> float:
    """Seconds until the whole stack runs, with its chat page; loading the sandbox's own code is not in it."""
    began = time.perf_counter()
    with ChatSandbox():
        return time.perf_counter() - began


def live() -> list[float]:
    """Seconds from the saving of a file of the bot to where the function has it."""
    found = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name in PROGRAM:
            source = PROJECT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)
        for settings in PROJECT.glob("Pulumi*.yaml"):
            shutil.copy(settings, folder)
        file = folder / "bot" / "conversation" / "answers.py"
        with ChatSandbox(folder=folder) as sandbox:
            functions, name = sandbox.client("lambda"), sandbox.outputs["functionName"]

            def code() -> str:
                return str(functions.get_function_configuration(FunctionName=name)["CodeSha256"])

            # The first is not counted: the sandbox may still be looking at the files for the first time.
            for number in range(SAVES + 1):
                before, began = code(), time.perf_counter()
                file.write_text(f"{file.read_text()}\nSAVED = {number}\n")
                while code() == before:
                    if time.perf_counter() - began > LIVE_SECONDS:
                        raise RuntimeError(f"A saved file was not live within {LIVE_SECONDS:.0f} s.")
                    time.sleep(0.02)
                found.append(time.perf_counter() - began)
                sandbox.settle()
    return found[1:]


def program() -> list[float]:
    """Seconds for one stack's program under mocks, the first (which loads everything) not counted."""

    def one(stack: str) -> float:
        began = time.perf_counter()
        run_main(stack)
        return time.perf_counter() - began

    one(STACKS[0])
    return [one(stack) for stack in STACKS for _ in range(PROGRAMS)]


def checks() -> float:
    """Seconds for `make test`.

    Raises:
        CalledProcessError: a check failed.
    """
    began = time.perf_counter()
    subprocess.run(["make", "test"], cwd=PROJECT, check=True, stdout=sys.stderr, timeout=CHECKS_SECONDS)  # noqa: S607  whichever make
    return time.perf_counter() - began


def rows(*, with_checks: bool) -> list[Row]:
    """What was waited for, and how long."""
    measured: list[tuple[str, Callable[[], list[float]]]] = [
        ("the sandbox is ready, its page included", lambda: [ready() for _ in range(STARTS)]),
        ("a saved file of the bot is live", live),
        ("the program under mocks, one stack", program),
    ]
    found = [(what, Spread(measure()).around(2)) for what, measure in measured]
    return [*found, ("`make test`", f"{checks():.0f}")] if with_checks else found


def section(*, with_checks: bool = False) -> str:
    """The figures as a section of a page."""
    lines = "\n".join(f"| {what} | {took} |" for what, took in rows(with_checks=with_checks))
    return f"""## A developer's loop

Seconds: the median, the least and the most. `python -m bench.loop --checks` adds `make test`.

| | s |
|---|---:|
{lines}
"""


def main() -> int:
    """Measure and print."""
    parser = command("bench.loop", "How long a developer waits.", __doc__)
    parser.add_argument("--checks", action="store_true", help="`make test` too, which takes minutes")
    sys.stdout.write(section(with_checks=parser.parse_args().checks))
    return 0


if __name__ == "__main__":
    sys.exit(main())
