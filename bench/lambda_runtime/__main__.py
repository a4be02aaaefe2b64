"""This bot, a peer's and the floor on AWS's own runtime clients, with stubs for AWS and Facebook, in one run.

Example:
    python -m bench.lambda_runtime --write docs/benchmarks.md
"""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console

from bench.lambda_runtime.certificates import make_certificates
from bench.lambda_runtime.contestants import contest
from bench.lambda_runtime.errors import BenchError
from bench.lambda_runtime.install import Installed, installed
from bench.lambda_runtime.measure import Warm, cold_starts, imports, trust_seconds
from bench.lambda_runtime.page import USUAL, Figures, goals, put_section, section
from bench.lambda_runtime.stubs import Stubs

MOST_SECONDS = 180
# Rounds by the Graph API's latency: the peer waits for it in each.
COLD_ROUNDS = {0.05: 15, 0.3: 15}
WARM_ROUNDS = {0.05: 40, 0.3: 20, 1.0: 8}
BATCH_ROUNDS = {0.05: 15, 0.3: 11, 1.0: 5}
TLS_ROUNDS = 9
ANSWER_ROUNDS = 15
IMPORT_ROUNDS = 7

console = Console(stderr=True, highlight=False, soft_wrap=True)


def measured(found: Installed, folder: Path) -> Figures:
    """Measure everything.

    Args:
        found: where the runtime clients are.
        folder: takes code, logs and certificates.
    """
    began = time.monotonic()
    with Stubs() as stubs:
        all_three = contest(found, stubs.urls, folder / "plain")
        console.print("Cold starts …")
        cold = {}
        for delay, rounds in COLD_ROUNDS.items():
            stubs.graph_takes(delay)
            cold[delay] = cold_starts(all_three, stubs, rounds)
        imported = imports(all_three.ours, stubs, IMPORT_ROUNDS)
        with Warm(all_three, stubs) as running:
            console.print("Warm acknowledgements …")
            warm = {}
            for delay, rounds in WARM_ROUNDS.items():
                stubs.graph_takes(delay)
                warm[delay] = running.acknowledgements(rounds)
            console.print("Batches of ten people …")
            batches = {}
            for delay, rounds in BATCH_ROUNDS.items():
                stubs.graph_takes(delay)
                batches[delay] = running.batches(rounds)
            console.print("Answers, calls and memory …")
            stubs.graph_takes(min(BATCH_ROUNDS))
            answers, calls, memory = running.answers(ANSWER_ROUNDS), running.calls(all_three), running.memory()
        late = stubs.late()
        if letters := stubs.dead_letters():
            raise BenchError(f"The bot put events on the dead-letter queue: {letters[0]['body']}")
    console.print("TLS …")
    certificates = make_certificates(folder)
    with Stubs(certificates.shown) as stubs:
        all_three = contest(found, stubs.urls, folder / "tls", certificates)
        stubs.graph_takes(USUAL)
        cold_tls = cold_starts(all_three, stubs, TLS_ROUNDS)
        with Warm(all_three, stubs) as running:
            warm_tls = running.acknowledgements(TLS_ROUNDS)
    trust = trust_seconds(certificates.bundle, IMPORT_ROUNDS)
    seconds = time.monotonic() - began
    return Figures(cold, cold_tls, warm, warm_tls, answers, batches, calls, memory, imported, trust, late, seconds)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    reason = f"it may take {MOST_SECONDS} s at most" if number == signal.SIGALRM else "by a signal"
    raise BenchError(f"The benchmark was stopped: {reason}.")


def main() -> int:
    """Set up, run, print, and write the section if asked."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.lambda_runtime",
        description="Measure this bot, a peer and the floor as Lambda runs them.",
        epilog=(__doc__ or "").partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the figures into FILE, between their markers")
    options = parser.parse_args()
    try:
        found = installed(console.print)
        signal.signal(signal.SIGALRM, _stop)
        signal.signal(signal.SIGTERM, _stop)
        signal.alarm(MOST_SECONDS)
        with tempfile.TemporaryDirectory() as made:
            figures = measured(found, Path(made))
        signal.alarm(0)
    except BenchError as error:
        console.print(f"{error}", markup=False)
        return 1
    except KeyboardInterrupt:
        return 1
    text = section(figures)
    sys.stdout.write(text)
    if options.write:
        put_section(options.write, text)
    for goal in goals(figures):
        console.print(f"{goal}", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
