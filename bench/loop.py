"""Measures how long a developer waits: for the sandbox, for a saved file to be live, and for all checks."""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from sandbox.chat import ChatSandbox
from sandbox.local import PROJECT

STARTS, SAVES = 3, 5
LIVE_SECONDS = 30.0
# Between two saves: as for a person, the sandbox has finished with the one before.
PAUSE_SECONDS = 1.0
CHECKS_SECONDS = 1800.0


def ready() -> float:
    """Seconds until the whole stack runs, with the chat page."""
    began = time.perf_counter()
    with ChatSandbox():
        return time.perf_counter() - began


def live() -> list[float]:
    """Seconds from saving a file of the bot until the function has it, several times."""
    found = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "project"
        shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "tests"))
        file, aside = folder / "bot" / "conversation" / "__init__.py", folder / "saved"
        with ChatSandbox(folder=folder) as sandbox:
            functions, name = sandbox.client("lambda"), sandbox.outputs["functionName"]

            def code() -> str:
                return str(functions.get_function_configuration(FunctionName=name)["CodeSha256"])

            # The first save is not counted: the sandbox may still be reading the files for the first time.
            for number in range(SAVES + 1):
                before, began = code(), time.perf_counter()
                aside.write_text(f"{file.read_text()}\nSAVED = {number}\n")
                aside.replace(file)  # at once, so that the sandbox never reads half a file
                while code() == before:
                    if time.perf_counter() - began > LIVE_SECONDS:
                        raise RuntimeError(f"A saved file was not live within {LIVE_SECONDS:.0f} s.")
                    time.sleep(0.02)
                found.append(time.perf_counter() - began)
                time.sleep(PAUSE_SECONDS)
    return found[1:]


def checks() -> float:
    """Seconds for `make test`.

    Raises:
        CalledProcessError: a check failed.
    """
    began = time.perf_counter()
    subprocess.run(["make", "test"], cwd=PROJECT, check=True, stdout=sys.stderr, timeout=CHECKS_SECONDS)
    return time.perf_counter() - began


def spread(values: Sequence[float]) -> str:
    """The median, the least and the most."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def section() -> str:
    """The figures as a section of a page."""
    return f"""## A developer's loop

Seconds: the median, the least and the most.

| | s |
|---|---:|
| the sandbox is ready, with the chat page | {spread([ready() for _ in range(STARTS)])} |
| a saved file of the bot is live | {spread(live())} |
| `make test` | {checks():.0f} |
"""
