"""This bot beside claudia-bot-builder's and beside the floor, on one emulator, in one run, in turns; then by itself.

Example:
    python -m bench --write docs/benchmarks.md
"""

import argparse
import concurrent.futures
import datetime
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from bench import calls, cold, divide, loop
from bench.contest import Caller, Contest, Contestant, NotAcknowledged, contest
from sandbox.local import new_person

DELAYS = (0.0, 0.2, 1.0)
WARM_CALLS = {0.0: 60, 0.2: 40, 1.0: 15}
COLD_STARTS = 9
ANSWERS = 30
PARALLEL = (1, 8, 32)
# Of each throughput, the time in which functions start, which is not counted, and the time that is.
WARM_UP_SECONDS, SECONDS = 3.0, 4.0
ANSWER_TIMEOUT = 30.0

console = Console(stderr=True, highlight=False)


class Spread(NamedTuple):
    """Some figures of one kind, in their order."""

    values: Sequence[float]

    def at(self, share: float) -> float:
        """The value that so large a share of all does not exceed."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def milliseconds(self) -> str:
        """Median, and the 99th of a hundred, of seconds."""
        return f"{self.median * 1000:.1f} / {self.at(0.99) * 1000:.1f}"


Row = tuple[str, list[str]]


def in_turns(everybody: Iterable[Contestant], rounds: int, measure: Callable[[Contestant], float]) -> dict[str, Spread]:
    """Measure everybody once a round, so that a slow moment of the machine meets all alike."""
    found: dict[str, list[float]] = {each.name: [] for each in everybody}
    for _ in range(rounds):
        for each in everybody:
            found[each.name].append(measure(each))
    return {name: Spread(values) for name, values in found.items()}


def warm(match: Contest, delay: float) -> dict[str, Spread]:
    """Seconds to the acknowledgement, the Graph API answering after `delay` seconds."""
    callers = {each.name: Caller(each.url) for each in match.everybody}

    def once(contestant: Contestant) -> float:
        return callers[contestant.name].post(*match.request(new_person()))

    in_turns(match.everybody, 3, once)
    match.sandbox.faults({"delaySeconds": delay} if delay else {})
    found = in_turns(match.everybody, WARM_CALLS[delay], once)
    match.sandbox.faults({})
    match.sandbox.settle(120)
    for caller in callers.values():
        caller.close()
    return found


def just_started(match: Contest) -> dict[str, Spread]:
    """Seconds to the acknowledgement of a function that has just been started for it."""

    def once(contestant: Contestant) -> float:
        match.sandbox.settle()
        match.kill_functions()
        caller = Caller(contestant.url)
        took = caller.post(*match.request(new_person()))
        caller.close()
        return took

    return in_turns(match.everybody, COLD_STARTS, once)


def to_answer(match: Contest) -> dict[str, Spread]:
    """Seconds from the webhook's first byte to the answer's arrival at the stand-in."""

    def once(contestant: Contestant) -> float:
        person, caller = new_person(), Caller(contestant.url)
        request = match.request(person)
        seen = len(match.sandbox.requests())
        began = time.time()
        caller.post(*request)
        caller.close()
        deadline = began + ANSWER_TIMEOUT
        while time.time() < deadline:
            for asked in match.sandbox.requests()[seen:]:
                if (asked["body"] or {}).get("recipient", {}).get("id") == person:
                    return float(asked["time"]) - began
            time.sleep(0.002)
        raise RuntimeError(f"{contestant.name} did not answer within {ANSWER_TIMEOUT:.0f} s.")

    return in_turns([each for each in match.everybody if each.answers], ANSWERS, once)


def throughput(match: Contest, contestant: Contestant, parallel: int) -> str:
    """Webhooks acknowledged a second by so many callers at once, and how many were refused."""
    began = time.perf_counter()
    counted_from, until = began + WARM_UP_SECONDS, began + WARM_UP_SECONDS + SECONDS

    def call_on() -> tuple[int, int]:
        caller, done, refused = Caller(contestant.url), 0, 0
        while (now := time.perf_counter()) < until:
            try:
                caller.post(*match.request(new_person()))
                done += now >= counted_from
            except NotAcknowledged:
                refused += now >= counted_from
        caller.close()
        return done, refused

    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        counts = list(pool.map(lambda _: call_on(), range(parallel)))
    rate = sum(done for done, _ in counts) / (time.perf_counter() - counted_from)
    refused = sum(refused for _, refused in counts)
    match.sandbox.settle(300)
    return f"{rate:.0f}" + (f" ({refused} refused)" if refused else "")


def measured(match: Contest) -> list[Row]:
    """All figures, a row each; columns in the order of `match.everybody`."""
    names = [each.name for each in match.everybody]
    rows: list[Row] = []

    def add(title: str, cells: dict[str, str]) -> None:
        rows.append((title, [cells.get(name, "") for name in names]))
        console.print(f"{title}: " + ", ".join(f"{name} {cells[name]}" for name in names if name in cells))

    for delay in DELAYS:
        graph = f"Graph API takes {delay:g} s" if delay else "Graph API instant"
        found = warm(match, delay)
        add(f"acknowledgement, warm, {graph} (ms, p50 / p99)", {name: found[name].milliseconds() for name in names})
    answered = to_answer(match)
    add("time to answer (ms, p50 / p99)", {name: spread.milliseconds() for name, spread in answered.items()})
    for parallel in PARALLEL:
        rates = {each.name: throughput(match, each, parallel) for each in match.everybody}
        add(f"acknowledged a second, {parallel} parallel", rates)
    add("memory at its peak (MiB)", {name: f"{kib / 1024:.0f}" for name, kib in match.memory().items()})
    started = just_started(match)
    add("acknowledgement, cold (ms, p50 / p99)", {name: started[name].milliseconds() for name in names})
    add("deployed (KiB)", {each.name: f"{match.size(each) / 1024:.1f}" for each in match.everybody})
    return rows


def page(names: Sequence[str], rows: Sequence[Row], seconds: float) -> str:
    """The figures as a page of the documentation."""
    table = "\n".join(
        [
            f"| | {' | '.join(names)} |",
            f"|---|{'---:|' * len(names)}",
            *[f"| {title} | {' | '.join(cells)} |" for title, cells in rows],
        ]
    )
    waits = [cells for title, cells in rows if "warm" in title]
    charts = "\n".join(
        f'  bar "{name}" [{", ".join(cells[column].split(" / ")[0] for cells in waits)}]'
        for column, name in enumerate(names)
    )
    return f"""# Figures

One run of `make bench`: {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} processors,
Python {platform.python_version()}, {seconds:.0f} s in all. Everybody runs on the same emulated AWS, behind the same
kind of REST API, with the same stand-in for Facebook, and is measured in turns. The *floor* is a function that
acknowledges and does nothing. The emulator runs functions as local processes: compare columns, not these figures with
AWS.

{table}

How long Facebook waits for its acknowledgement (ms, median) when the Graph API is instant, takes 0.2 s, and takes 1 s;
from left to right {", ".join(names)}:

```mermaid
xychart-beta
  x-axis ["instant", "0.2 s", "1 s"]
  y-axis "ms"
{charts}
```
"""


def main() -> int:
    """Run, print, and write the page if asked."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="This bot beside a peer, in one run.", epilog=__doc__.split("\n\n")[1]
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the figures as a page into FILE")
    options = parser.parse_args()
    began = time.monotonic()
    console.print("Installing the peer and deploying everybody …")
    with contest() as match:
        names = [each.name for each in match.everybody]
        text = page(names, measured(match), time.monotonic() - began)
    console.print("Taking the cold start apart, counting calls, timing a developer's loop …")
    parts = [cold.section(), divide.section(), calls.section(calls.counted(calls.MESSAGES)), loop.section()]
    text = "\n".join([text, *parts])
    sys.stdout.write(text)
    if options.write:
        options.write.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
