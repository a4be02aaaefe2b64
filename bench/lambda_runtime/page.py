"""The figures as a section of a page, and the goals that they are held against."""

import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.lambda_runtime.contestants import FLOOR, OURS, PEER
from bench.lambda_runtime.install import versions
from bench.lambda_runtime.measure import BATCH_SECONDS, Batch, Cold, apart
from bench.lambda_runtime.spread import Spread
from bench.lambda_runtime.stubs import LATENCIES, Call

BEGIN, END = "<!-- begin: python -m bench.lambda_runtime -->", "<!-- end: python -m bench.lambda_runtime -->"
NAMES = (OURS, PEER, FLOOR)
# What the goals allow.
COLD_MS, COLD_SHARE, WARM_MS, FLAT_MS, BATCH_MS = 50.0, 0.25, 2.0, 1.0, 40.0
# The Graph API's latency at which a cold start is compared with the peer's, which waits for it.
USUAL = 0.3
ACKNOWLEDGEMENT_SECONDS = 5
# Imports that take less than this many milliseconds share a line.
SMALLEST_MS = 0.7


class Figures(NamedTuple):
    """All that one run measured; the keys are the Graph API's latency in seconds.

    Attributes:
        cold: cold starts by contestant.
        cold_tls: the same over TLS.
        warm: seconds to the acknowledgement by contestant.
        warm_tls: the same over TLS.
        answers: seconds to where an answer arrives at the Graph API.
        batches: ten people at once.
        calls: what one message calls, by stage.
        memory: MiB at the peak.
        imports: milliseconds of each import of a cold acknowledgement.
        trust: seconds to read the trusted certificates.
        late: by how many seconds the stubs were late.
        seconds: how long the run took.
    """

    cold: Mapping[float, Mapping[str, Sequence[Cold]]]
    cold_tls: Mapping[str, Sequence[Cold]]
    warm: Mapping[float, Mapping[str, Spread]]
    warm_tls: Mapping[str, Spread]
    answers: Mapping[str, Spread]
    batches: Mapping[float, Mapping[str, Sequence[Batch]]]
    calls: Sequence[tuple[str, Mapping[str, int]]]
    memory: Mapping[str, float]
    imports: Mapping[str, float]
    trust: float
    late: Sequence[float]
    seconds: float


class Goal(NamedTuple):
    """One goal: what it asks for, the figure, and the most that it may be, both in one unit."""

    text: str
    figure: float
    most: float
    unit: str

    @property
    def holds(self) -> bool:
        """Whether the figure is small enough."""
        return self.figure <= self.most

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "DOES NOT HOLD"
        return f"{verdict}: {self.text}: {self.figure:.2f}{self.unit}, at most {self.most:.2f}{self.unit}"


def goals(figures: Figures) -> list[Goal]:
    """Each goal with its figure: medians of this run."""
    cold = {name: _cold(each).median * 1000 for name, each in figures.cold[USUAL].items()}
    aws = (LATENCIES["ssm"] + LATENCIES["sqs"]) * 1000
    found = [
        Goal(
            f"cold, above the floor's (at most {COLD_MS:.0f} ms, and the {aws:.0f} ms of SSM and SQS)",
            cold[OURS] - cold[FLOOR],
            COLD_MS + aws,
            " ms",
        ),
        Goal(f"cold, share of the peer's, {graph(USUAL)}", cold[OURS] / cold[PEER], COLD_SHARE, ""),
    ]
    sqs = LATENCIES["sqs"] * 1000
    for delay, spreads in figures.warm.items():
        more = (spreads[OURS].median - spreads[FLOOR].median) * 1000
        found.append(
            Goal(
                f"warm, above the floor's, {graph(delay)} (at most {WARM_MS:.0f} ms, and the {sqs:.0f} ms of SQS)",
                more,
                WARM_MS + sqs,
                " ms",
            )
        )
    medians = [spreads[OURS].median * 1000 for spreads in figures.warm.values()]
    found.append(
        Goal("warm, between the fastest and the slowest Graph API", max(medians) - min(medians), FLAT_MS, " ms")
    )
    for delay, batches in figures.batches.items():
        worked = Spread([each.worker.seconds for each in batches[OURS] if each.worker])
        found.append(
            Goal(
                f"ten people in one batch, above one call of the Graph API, {graph(delay)}",
                (worked.median - delay) * 1000,
                BATCH_MS,
                " ms",
            )
        )
    return found


def graph(delay: float) -> str:
    """How long the Graph API takes, in words."""
    return f"Graph API {delay:g} s"


def _cold(starts: Iterable[Cold]) -> Spread:
    return Spread([each.seconds for each in starts])


def _rows(figures: Figures) -> Iterable[tuple[str, Mapping[str, str]]]:
    for delay, cold in figures.cold.items():
        yield f"acknowledgement, cold, {graph(delay)}", {name: _cold(each).around() for name, each in cold.items()}
    tls = {name: _cold(each).around() for name, each in figures.cold_tls.items()}
    yield f"acknowledgement, cold, {graph(USUAL)}, TLS", tls
    for delay, warm in figures.warm.items():
        yield f"acknowledgement, warm, {graph(delay)}", {name: each.percentiles() for name, each in warm.items()}
    tls = {name: each.percentiles() for name, each in figures.warm_tls.items()}
    yield f"acknowledgement, warm, {graph(USUAL)}, TLS", tls
    answered = {
        name: Spread([each.answered - each.started for each in starts if each.answered]).around()
        for name, starts in figures.cold[USUAL].items()
        if name != FLOOR
    }
    yield "answer at the Graph API, cold", answered
    yield "answer at the Graph API, warm", {name: each.around() for name, each in figures.answers.items()}
    for delay, batches in figures.batches.items():
        cells = {name: Spread([each.seconds for each in found]).around() for name, found in batches.items()}
        yield f"ten people in one webhook, all answered, {graph(delay)}", cells
    yield "memory at its peak (MiB)", {name: f"{mib:.0f}" for name, mib in figures.memory.items()}


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _batch_table(batches: Sequence[Batch], delay: float) -> str:
    """Where a worker's time goes: for each operation how often, from when, and until when."""
    parts: dict[str, list[tuple[int, float, float]]] = {}
    for batch in batches:
        if batch.worker is None:
            continue
        by_name: dict[str, list[Call]] = {}
        for call in batch.calls:
            by_name.setdefault(call.name, []).append(call)
        for name, calls in by_name.items():
            first, last = min(each.arrived for each in calls), max(each.answered for each in calls)
            parts.setdefault(name, []).append((len(calls), first - batch.worker.began, last - batch.worker.began))
    rows = []
    for name, found in parts.items():
        counts, firsts, lasts = (Spread(each) for each in zip(*found, strict=True))
        rows.append((firsts.median, [f"`{name}`", f"{counts.median:g}", *(_ms(each) for each in (firsts, lasts))]))
    head = (f"ten people, {graph(delay)}", "calls", "first arrives (ms)", "last is answered (ms)")
    whole = Spread([batch.worker.seconds for batch in batches if batch.worker])
    return _table(head, [*(row for _, row in sorted(rows)), ["the worker's answer to Lambda", "", "", _ms(whole)]])


def _ms(spread: Spread) -> str:
    return f"{spread.median * 1000:.1f}"


def _apart_table(figures: Figures) -> str:
    plain, tls = apart(figures.cold[USUAL]), apart(figures.cold_tls)
    rows = [[name, f"{seconds * 1000:.1f}", f"{tls[name] * 1000:.1f}"] for name, seconds in plain.items()]
    rows.append(["**in all**", *(f"**{sum(each.values()) * 1000:.1f}**" for each in (plain, tls))])
    rows.append(["of it, reading the trusted certificates", "", f"{figures.trust * 1000:.1f}"])
    large = {name: took for name, took in figures.imports.items() if took >= SMALLEST_MS}
    small = [took for name, took in figures.imports.items() if name not in large]
    rows += [[f"import `{name}`", f"{took:.1f}", ""] for name, took in sorted(large.items(), key=lambda each: -each[1])]
    rows.append([f"import {len(small)} others", f"{sum(small):.1f}", ""])
    return _table(("part of a cold acknowledgement (ms)", "plain", "TLS"), rows)


def section(figures: Figures) -> str:
    """The figures as a section of a page."""
    table = _table(
        ("ms, unless it says otherwise", f"{OURS} (ours)", f"{PEER} (a peer)", f"{FLOOR} (the limit)"),
        ([title, *(cells.get(name, "") for name in NAMES)] for title, cells in _rows(figures)),
    )
    stages = _table(
        ("what one message calls", "calls"),
        (
            [stage, ", ".join(f"{count} `{name}`" for name, count in sorted(calls.items())) or "none"]
            for stage, calls in figures.calls
        ),
    )
    pinned, late = versions(), Spread(figures.late)
    usual = figures.cold[USUAL][OURS]
    cold, over_tls = _cold(usual).median * 1000, _cold(figures.cold_tls[OURS]).median * 1000
    checked = "\n".join(f"- {each}" for each in goals(figures))
    calls = "/".join(str(len(spreads[OURS].values)) for spreads in figures.warm.values())
    peers = "/".join(str(len(spreads[PEER].values)) for spreads in figures.warm.values())
    ssm, sqs, dynamodb = (f"{LATENCIES[name] * 1000:.0f}" for name in ("ssm", "sqs", "dynamodb"))
    return f"""## On the runtime that Lambda uses

One run of `python -m bench.lambda_runtime`: {os.cpu_count()} processors, Python {platform.python_version()},
{figures.seconds:.0f} s. Each function runs in AWS's own runtime client (`awslambdaric` {pinned["awslambdaric"]},
`aws-lambda-ric` {pinned["aws-lambda-ric"]}) behind a Runtime API of the benchmark. AWS and the Graph API are stubs on
loopback with fixed latencies: SSM {ssm} ms, SQS {sqs} ms, DynamoDB {dynamodb} ms, and the Graph API as each row says.
They check signatures and tokens, and evaluate the ledger's conditions. Their answers were {late.median * 1000:.2f} ms
late at the median and {late.at(0.99) * 1000:.2f} ms at the 99th percentile; the figures include that.

- **{OURS}** is ours.
- **{PEER}** {pinned[PEER]} is a peer: the same question and the same answer, made with it as its documentation
  shows. It calls the Graph API first and acknowledges afterwards.
- The **{FLOOR}** is a function that acknowledges and does nothing else. It is the limit: no bot can be faster.

They take turns. Cold is from the start of the process to the acknowledgement. A cell shows the median, and in brackets
the least and the most ({len(usual)} cold starts each, {len(figures.cold_tls[OURS])} over TLS). A warm
acknowledgement's cell shows the median and the 99th percentile ({calls} calls; the peer's {peers}).

{table}

For an answer, the same process acknowledges and then works on the queue's message, as Lambda may do it or not. Ten
people in one webhook are ten messages in the queue and one batch for the worker. The batches are
{BATCH_SECONDS:g} s apart, because the bot keeps to its share of Facebook's rate limit for a page.

Not measured: what Lambda takes before the process starts (to fetch the code and start the machine), API Gateway, the
poller between SQS and the worker, the network, and a smaller share of a processor (a function with 512 MB gets less
than a third of one).

{stages}

The goals, with the medians of this run:

{checked}

### A cold acknowledgement taken apart

The parts down to the sum are medians, seen from outside by the Runtime API and the stubs. The imports are among them: a
module of the bot alone, or one of the standard library with everything that it loads first. Each is the least of some
runs and includes the cost of measuring it.

{_apart_table(figures)}

SnapStart is left out on purpose. AWS charges for each snapshot that it keeps and for each start from one. Facebook
waits {ACKNOWLEDGEMENT_SECONDS} s for an acknowledgement, and a cold one takes {cold:.0f} ms, or
{over_tls:.0f} ms over TLS: {over_tls / ACKNOWLEDGEMENT_SECONDS / 10:.0f} % of that time.

### A batch of ten people taken apart

The worker's calls, in ms from its invocation (medians):

{_batch_table(figures.batches[USUAL][OURS], USUAL)}
"""


def put_section(page: Path, text: str) -> None:
    """Write a section between its markers, or at the page's end if it has none yet."""
    old, marked = page.read_text() if page.exists() else "", f"{BEGIN}\n{text.rstrip()}\n{END}\n"
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}\n", re.DOTALL)
    page.write_text(
        pattern.sub(lambda _: marked, old) if pattern.search(old) else f"{old.rstrip()}\n\n{marked}".lstrip()
    )
