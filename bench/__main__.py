"""This bot beside claudia-bot-builder's and beside the floor, on one emulator, in one run, in turns; then by itself.

Example:
    python -m bench --write docs/benchmarks.md
"""

import concurrent.futures
import datetime
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from bench import calls, cold, loop, split
from bench.command import command
from bench.contest import Caller, Contest, Contestant, contest
from bench.spread import Spread
from sandbox.local import new_person

DELAYS = (0.0, 0.2, 1.0)
WARM_CALLS = {0.0: 60, 0.2: 40, 1.0: 15}
COLD_STARTS = 9
ANSWERS = 30
# So many callers at once, the Graph API answering after so many seconds.
THROUGHPUT = ((1, 0.0), (8, 0.0), (32, 0.0), (32, 0.2), (32, 1.0))
# Until as many functions run as there are callers; then, of each turn, what is not counted and what is.
STARTING_SECONDS, WARM_UP_SECONDS, SECONDS = 6.0, 1.0, 2.0
TURNS = 3
# So many callers at once, so many messages each, and then all answers.
BURST = (32, 6)
ANSWER_TIMEOUT = 30.0

console = Console(stderr=True, highlight=False)

Row = tuple[str, list[str]]


def in_turns(
    match: Contest,
    rounds: int,
    measure: Callable[[Contestant], float],
    delay: float = 0.0,
    among: Sequence[Contestant] = (),
) -> dict[str, Spread]:
    """Measure everybody, or those named, once a round, so that a slow moment of the machine meets all alike.

    The Graph API takes `delay` seconds. Nobody's turn begins before all is done that another's has left.
    """
    contestants = among or match.everybody
    found: dict[str, list[float]] = {each.name: [] for each in contestants}
    for _ in range(rounds):
        for each in contestants:
            with match.turn(each, delay):
                found[each.name].append(measure(each))
    return {name: Spread(values) for name, values in found.items()}


def warm(match: Contest, delay: float) -> dict[str, Spread]:
    """Seconds to the acknowledgement, the Graph API answering after `delay` seconds."""
    callers = {each.name: Caller(each.url) for each in match.everybody}

    def once(contestant: Contestant) -> float:
        return callers[contestant.name].post(*match.request(new_person()))

    in_turns(match, 3, once)
    found = in_turns(match, WARM_CALLS[delay], once, delay)
    for caller in callers.values():
        caller.close()
    return found


def just_started(match: Contest) -> dict[str, Spread]:
    """Seconds to the acknowledgement of a function that has just been started for it."""

    def once(contestant: Contestant) -> float:
        match.sandbox.kill_functions()
        caller = Caller(contestant.url)
        took = caller.post(*match.request(new_person()))
        caller.close()
        return took

    return in_turns(match, COLD_STARTS, once)


def to_answer(match: Contest) -> dict[str, Spread]:
    """Seconds from the webhook's first byte to the answer's arrival at the stand-in, of those who answer."""

    def once(contestant: Contestant) -> float:
        person, caller = new_person(), Caller(contestant.url)
        request = match.request(person)
        seen = len(match.sandbox.requests())
        began = time.time()
        caller.post(*request)
        caller.close()
        while time.time() < began + ANSWER_TIMEOUT:
            for asked in match.sandbox.requests()[seen:]:
                if (asked["body"] or {}).get("recipient", {}).get("id") == person:
                    return float(asked["time"]) - began
            time.sleep(0.002)
        raise RuntimeError(f"{contestant.name} did not answer within {ANSWER_TIMEOUT:.0f} s.")

    return in_turns(match, ANSWERS, once, among=match.answering)


def acknowledged(match: Contest, contestant: Contestant, parallel: int, uncounted: float, seconds: float) -> float:
    """Webhooks acknowledged a second by so many callers at once, after some time that is not counted.

    Raises:
        NotAcknowledged: one was not.
    """
    began = time.perf_counter()
    counted_from, until = began + uncounted, began + uncounted + seconds

    def call_on() -> int:
        caller, done = Caller(contestant.url), 0
        while (now := time.perf_counter()) < until:
            caller.post(*match.request(new_person()))
            done += now >= counted_from
        caller.close()
        return done

    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        done = sum(pool.map(lambda _: call_on(), range(parallel)))
    return done / (time.perf_counter() - counted_from)


def throughput(match: Contest, parallel: int, delay: float) -> dict[str, Spread]:
    """Webhooks acknowledged a second, by so many callers at once, the Graph API answering after `delay` seconds."""
    return in_turns(match, TURNS, lambda each: acknowledged(match, each, parallel, WARM_UP_SECONDS, SECONDS), delay)


def burst(match: Contest) -> dict[str, Spread]:
    """Seconds until all of a burst is acknowledged and answered, of those who answer."""
    parallel, each = BURST

    def once(contestant: Contestant) -> float:
        def call(_: int) -> None:
            caller = Caller(contestant.url)
            for _ in range(each):
                caller.post(*match.request(new_person()))
            caller.close()

        began = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
            list(pool.map(call, range(parallel)))
        match.sandbox.settle(300)
        return time.perf_counter() - began

    return in_turns(match, TURNS, once, among=match.answering)


def measured(match: Contest) -> list[Row]:
    """All figures, a row each; columns in the order of `match.everybody`."""
    names = [each.name for each in match.everybody]
    rows: list[Row] = []

    def add(title: str, cells: dict[str, str]) -> None:
        rows.append((title, [cells.get(name, "") for name in names]))
        console.print(f"{title}: " + ", ".join(f"{name} {cells[name]}" for name in names if name in cells))

    for delay in DELAYS:
        found = warm(match, delay)
        add(f"acknowledgement, warm, {graph(delay)} (ms, p50 / p99)", {n: found[n].milliseconds() for n in names})
    answered = to_answer(match)
    add("time to answer (ms, p50 / p99)", {name: spread.milliseconds() for name, spread in answered.items()})
    most = max(parallel for parallel, _ in THROUGHPUT)
    in_turns(match, 1, lambda each: acknowledged(match, each, most, STARTING_SECONDS, 0.1))
    for parallel, delay in THROUGHPUT:
        rates = throughput(match, parallel, delay)
        add(f"acknowledged a second, {parallel} parallel, {graph(delay)}", {n: rates[n].around(0) for n in names})
    bursts = burst(match)
    add(
        f"{math.prod(BURST)} messages at once, all answered (s)",
        {name: each.around(1) for name, each in bursts.items()},
    )
    add("memory at its peak (MiB)", {name: f"{kib / 1024:.0f}" for name, kib in match.memory().items()})
    started = just_started(match)
    add("acknowledgement, cold (ms, p50 / p99)", {name: started[name].milliseconds() for name in names})
    add("deployed (KiB)", {each.name: f"{match.size(each) / 1024:.1f}" for each in match.everybody})
    return rows


def graph(delay: float) -> str:
    """How long the Graph API takes, in words."""
    return f"Graph API takes {delay:g} s" if delay else "Graph API instant"


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
Python {platform.python_version()}, {seconds:.0f} s for the first table. Everybody runs on the same emulated AWS, behind
the same kind of REST API, with the same stand-in for Facebook, and is measured in turns, each begun when all that the
one before has left is done. The *floor* is a function that acknowledges and does nothing. The emulator runs functions
as local processes: compare columns, not these figures with AWS.

{table}

How long Facebook waits for its acknowledgement (ms, median) when the Graph API is instant, takes 0.2 s, and takes 1 s;
from left to right {", ".join(names)}:

```mermaid
xychart-beta
  x-axis ["instant", "0.2 s", "1 s"]
  y-axis "ms"
{charts}
```

What this bot acknowledges, a queue holds: one more call of the one process that is all of the emulated AWS here. While
more callers than processors wait for that process it does not look into the queue, for five seconds at most, since on
AWS the two share nothing. So with many callers the rate is that of acknowledging; the answers come after, a batch at a
time. What the peer acknowledges, it has answered: it waits for Facebook each time.

With an instant Graph API and 32 callers the two are close, and either may be ahead from run to run: the one process of
the emulated AWS sets the pace of this bot, both processors that of the peer. No real Graph API is instant.
"""


def main() -> int:
    """Run, print, and write the page if asked."""
    parser = command("bench", "This bot beside a peer, in one run.", __doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the figures as a page into FILE")
    parser.add_argument("--checks", action="store_true", help="time `make test` too, which takes minutes")
    options = parser.parse_args()
    began = time.monotonic()
    console.print("Installing the peer and deploying everybody …")
    with contest() as match:
        names = [each.name for each in match.everybody]
        text = page(names, measured(match), time.monotonic() - began)
    console.print("Taking the cold start apart, counting calls, timing a developer's loop …")
    parts = [
        cold.section(),
        split.section(),
        calls.section(calls.counted(calls.MESSAGES)),
        loop.section(with_checks=options.checks),
    ]
    text = "\n".join([text, *parts])
    sys.stdout.write(text)
    if options.write:
        options.write.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
