"""What an acknowledgement loads, taken apart: one line a cause, of what is really deployed.

Example:
    python -m bench.cold
"""

import compileall
import io
import re
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from components.code import code_archive
from sandbox.local import PROJECT
from sandbox.provider.resources import archive

RUNS = 15
SMALLEST_MS = 0.3
# What the handler loads for a webhook, and no more.
ACKNOWLEDGEMENT = "import bot.handler, bot.webhook"
TIMED = (
    "import sys, time; sys.path.insert(0, {folder!r}); began = time.{clock}(); {program}; print(time.{clock}() - began)"
)
LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")


class Loaded(NamedTuple):
    """One module that was loaded.

    Attributes:
        name: the module's.
        depth: how many imports it was loaded within.
        own: milliseconds for it alone.
        whole: milliseconds with all that it loaded first.
    """

    name: str
    depth: int
    own: float
    whole: float


def isolated(*options: str) -> str:
    """What a fresh interpreter prints that sees no installed package and writes no bytecode, as on Lambda."""
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-I", "-S", "-B", *options], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout + done.stderr


def unpacked(folder: Path) -> None:
    """Put what is deployed into a folder, as Lambda does."""
    content = archive(code_archive(PROJECT / "bot", "bot"))
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        zipped.extractall(folder)


def imports(folder: Path) -> list[Loaded]:
    """All that one cold start loads, each module after those that it loads."""
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); {ACKNOWLEDGEMENT}"
    return [
        Loaded(name, len(blanks) // 2, int(own) / 1000, int(whole) / 1000)
        for own, whole, blanks, name in LINE.findall(isolated("-X", "importtime", "-c", program))
    ]


def causes(loaded: Iterable[Loaded]) -> Iterator[tuple[str, float]]:
    """What of the bot's took how long: each of its modules alone, and each of the library's that one of them asks for.

    A library's module counts with all that it loads, unless something before has loaded that already.
    """
    ancestors: list[Loaded] = []
    # From the last to the first, whatever loads a module comes before it.
    for each in reversed(list(loaded)):
        ancestors = [*ancestors[: each.depth], each]
        top = next((at for at, one in enumerate(ancestors) if _is_ours(one.name)), None)
        if _is_ours(each.name):
            yield each.name, each.own
        elif top is not None and _is_ours(ancestors[-2].name):
            # A module of ours may lie below one of the library's only if the library loaded it: it never does.
            yield each.name, each.whole


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == "bot"


def least(folder: Path) -> dict[str, float]:
    """The least that each cause took in some runs, in milliseconds: what it takes where nobody interrupts it."""
    found: dict[str, list[float]] = {}
    for _ in range(RUNS):
        for name, took in causes(imports(folder)):
            found.setdefault(name, []).append(took)
    return {name: min(each) for name, each in found.items()}


def whole(folder: Path) -> list[float]:
    """Milliseconds from the first import to the last, in some runs, without the cost of measuring each."""
    timed = TIMED.format(folder=str(folder), clock="perf_counter", program=ACKNOWLEDGEMENT)
    return [float(isolated("-c", timed)) * 1000 for _ in range(RUNS)]


def trust() -> float:
    """Milliseconds to read the certificates that are trusted, once for all connections; the sandbox has no TLS."""
    timed = TIMED.format(folder="", clock="process_time", program="ssl.create_default_context()")
    return statistics.median(float(isolated("-c", f"import ssl; {timed}")) for _ in range(RUNS)) * 1000


def table(source: dict[str, float], compiled: dict[str, float]) -> list[Sequence[str]]:
    """The causes, the dearest first, with their running total; the small ones in one line."""
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
            unpacked(folder)
        compileall.compile_dir(compiled, quiet=1)
        rows = table(least(source), least(compiled))
        took, ready = whole(source), min(whole(compiled))
        median = statistics.median(took)
    lines = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"""## A cold start taken apart

From the first import to where the first request can be answered: {min(took):.0f} ms where nobody interrupts it, the
least of {RUNS} fresh interpreters; {median:.0f} ms at the median, among this machine's neighbours. Lambda's folder
cannot be written to, so the bot's own modules are compiled from source at each start. With their bytecode in the zip
it would be {ready:.0f} ms at the least, but the zip would then fit one version of Python alone. Over TLS, which the
sandbox has not, the trusted certificates are read once: {trust():.0f} ms.

A line is a module of the bot alone, or one of the standard library with all that it loads first: the least of {RUNS}
runs, in ms, with the cost of measuring.

| cause | ms | in all | with bytecode |
|---|---:|---:|---:|
{lines}
"""


if __name__ == "__main__":
    sys.stdout.write(section())
