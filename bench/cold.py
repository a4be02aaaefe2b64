"""Takes a cold start apart: which modules an acknowledgement loads, and how long each takes."""

import compileall
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sandbox.local import PROJECT

RUNS = 15
SMALLEST_MS = 0.3
# The modules that the handler loads for a webhook.
ACKNOWLEDGEMENT = "import bot.handler, bot.webhook"
TIMED = (
    "import sys, time; sys.path.insert(0, {folder!r}); began = time.{clock}(); {program}; print(time.{clock}() - began)"
)
LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")


class Loaded(NamedTuple):
    """One loaded module.

    Attributes:
        name: its name.
        depth: how many imports it is nested in.
        own: milliseconds for the module alone.
        whole: milliseconds with everything that it loads first.
    """

    name: str
    depth: int
    own: float
    whole: float


def isolated(*options: str) -> str:
    """The output of a fresh interpreter without installed packages that writes no bytecode, as on Lambda."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", *options], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout + done.stderr


def imports(folder: Path) -> list[Loaded]:
    """Everything that one cold start loads. Each module comes after those that it loads."""
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); {ACKNOWLEDGEMENT}"
    return [
        Loaded(name, len(blanks) // 2, int(own) / 1000, int(whole) / 1000)
        for own, whole, blanks, name in LINE.findall(isolated("-X", "importtime", "-c", program))
    ]


def causes(loaded: Iterable[Loaded]) -> Iterator[tuple[str, float]]:
    """How long each of the bot's modules took alone, and each library module that the bot imports.

    A library module counts with everything that it loads, unless that was loaded before.
    """
    ancestors: list[Loaded] = []
    # Read from the end, each module comes before those that it loads.
    for each in reversed(list(loaded)):
        ancestors = [*ancestors[: each.depth], each]
        top = next((at for at, one in enumerate(ancestors) if _is_ours(one.name)), None)
        if _is_ours(each.name):
            yield each.name, each.own
        elif top is not None and _is_ours(ancestors[-2].name):
            yield each.name, each.whole


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == "bot"


def least(folder: Path) -> dict[str, float]:
    """The least milliseconds of each cause over some runs: the time without interruptions by other processes."""
    found: dict[str, list[float]] = {}
    for _ in range(RUNS):
        for name, took in causes(imports(folder)):
            found.setdefault(name, []).append(took)
    return {name: min(each) for name, each in found.items()}


def whole(folder: Path) -> list[float]:
    """Milliseconds from the first import to the last, over some runs, without the cost of measuring each."""
    timed = TIMED.format(folder=str(folder), clock="perf_counter", program=ACKNOWLEDGEMENT)
    return [float(isolated("-c", timed)) * 1000 for _ in range(RUNS)]


def trust() -> float:
    """Milliseconds to read the trusted certificates, once for all connections. The sandbox has no TLS."""
    timed = TIMED.format(folder="", clock="process_time", program="ssl.create_default_context()")
    return statistics.median(float(isolated("-c", f"import ssl; {timed}")) for _ in range(RUNS)) * 1000


def table(source: dict[str, float], compiled: dict[str, float]) -> list[Sequence[str]]:
    """The causes, the largest first, with their running total. The small ones share one line."""
    rows: list[Sequence[str]] = []
    total, small = 0.0, [0.0, 0.0, 0.0]
    for name, took in sorted(source.items(), key=lambda each: -each[1]):
        if took < SMALLEST_MS:
            small = [small[0] + 1, small[1] + took, small[2] + compiled.get(name, 0.0)]
            continue
        total += took
        rows.append((f"`{name}`", f"{took:.1f}", f"{total:.1f}", f"{compiled.get(name, 0.0):.1f}"))
    rows.append((f"{small[0]:.0f} others", f"{small[1]:.1f}", f"{total + small[1]:.1f}", f"{small[2]:.1f}"))
    return rows


def section() -> str:
    """The figures as a section of a page."""
    with tempfile.TemporaryDirectory() as made:
        source, compiled = Path(made, "source"), Path(made, "compiled")
        for folder in (source, compiled):
            shutil.copytree(PROJECT / "bot", folder / "bot", ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(compiled, quiet=1)
        rows = table(least(source), least(compiled))
        took, ready = whole(source), min(whole(compiled))
        median = statistics.median(took)
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""## A cold start taken apart

From the first import until the first request can be answered: {min(took):.0f} ms, the least of {RUNS} fresh
interpreters; {median:.0f} ms at the median, with other processes on the machine. Lambda's folder is read-only, so the
bot's modules are compiled from source at each start. With their bytecode in the zip it would be at least {ready:.0f}
ms, but the zip would then fit only one version of Python. Over TLS, which the sandbox does not use, the trusted
certificates are read once: {trust():.0f} ms.

Each line is one module of the bot, or one of the standard library with everything that it loads first: the least of
{RUNS} runs in ms, with the cost of measuring.

| cause | ms | total | with bytecode |
|---|---:|---:|---:|
{lines}
"""
