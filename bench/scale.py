"""How far the bot scales: a model of its limits and billable units, checked against runs of the real code.

The model counts the calls that follow one another, and the computing between them. `measured` runs the function's own
webhook and worker against the stubs, one thread for each execution environment.
"""

import contextlib
import io
import json
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bench import stubs
from bench.figures import bot_variables, table, text
from bench.runtime import BenchError
from bench.stubs import LATENCIES, Stubs
from bot import compose
from bot.aws.client import Aws
from bot.aws.queues import BATCH_MESSAGES, Queues
from bot.aws.secrets import Secrets
from bot.environment import read
from bot.messenger.signature import sign
from bot.pace import AHEAD_SECONDS, TEXTS_PER_SECOND
from bot.recently_answered import RecentlyAnswered
from bot.webhook import Webhook
from components.event_queue import MAX_MESSAGE_BYTES
from components.rest_api import THROTTLE_RATE

Json = dict[str, Any]

ROOT = Path(__file__).parents[1]
RATES = (1, 10, 100, 1_000, 10_000)
USUAL_SECONDS = 0.3
# Computing for each call, of the worker and of the webhook, on one whole processor: docs/benchmarks.md, 2026-11.
CALL_SECONDS, WEBHOOK_SECONDS = 0.0005, 0.001
# "Configure Lambda function memory", AWS Lambda Developer Guide: a whole processor comes with this memory.
MB_PER_PROCESSOR = 1769
# What the bot's own lines about a message take in the log, and about each answer and its echo: measured 2026-11.
MESSAGE_LOG_BYTES, ANSWER_LOG_BYTES = 640, 480
# "Amazon API Gateway quotas", "Lambda quotas", "Amazon SQS message quotas" (high throughput, Frankfurt), "Quotas in
# Amazon DynamoDB" and "Best practices for designing partition keys", all read 2026-11-25. Some are larger elsewhere.
ACCOUNT_REQUESTS, ACCOUNT_EXECUTIONS, QUEUE_CALLS, QUEUE_MESSAGES = 10_000, 1_000, 19_000, 120_000
TABLE_UNITS, ITEM_READS = 40_000, 3_000
DEVIATION = 0.2
"""How far the model may be from what was measured."""


def _defaults() -> dict[str, int]:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    return {name: declared[name]["default"] for name in ("throttleRate", "concurrency", "memoryMb")}


DEFAULTS = _defaults()


class Machine(NamedTuple):
    """What the code runs on and talks to.

    Attributes:
        processors: of one execution environment; more than one is of no use to it.
        graph_seconds: how long the Graph API takes.
    """

    processors: float
    graph_seconds: float = USUAL_SECONDS

    @classmethod
    def of_lambda(cls, memory_mb: int = DEFAULTS["memoryMb"]) -> "Machine":
        """An execution environment with this memory."""
        return cls(min(1.0, memory_mb / MB_PER_PROCESSOR))


# The worker


def worker_calls(people: int, answers: int) -> Counter[str]:
    """What the worker calls for one batch: one event of each person, each with some answers."""
    one_by_one = people * (answers - 1)
    # The first event is settled alone. Others come meanwhile, and are settled together.
    settled_together = min(2, people - 1)
    return Counter(
        {
            # Before each further answer: has a human written?
            "dynamodb:BatchGetItem": 1 + one_by_one,
            "dynamodb:TransactWriteItems": people + settled_together,
            "dynamodb:UpdateItem": one_by_one + 1,
            "graph:send": people * answers,
        }
    )


def batch_seconds(people: int, answers: int, machine: Machine) -> float:
    """How long one batch takes: each person's calls follow one another, and one processor serves all people."""
    # Read, plan, a read and a write before each further answer, settle.
    in_a_row = 1 + 1 + 2 * (answers - 1) + 1 + min(1, people - 1)
    computing = worker_calls(people, answers).total() * CALL_SECONDS / machine.processors
    return answers * machine.graph_seconds + in_a_row * LATENCIES["dynamodb"] + computing


def capacity(environments: int, answers: int, machine: Machine) -> float:
    """How many messages a second are answered at most, without the page's rate: full batches everywhere."""
    return environments * BATCH_MESSAGES / batch_seconds(BATCH_MESSAGES, answers, machine)


def people_in_a_batch(rate: float, environments: int, answers: int, machine: Machine) -> int:
    """How many messages come together in a batch: the fewest with which the environments keep up."""
    for people in range(1, BATCH_MESSAGES):
        if environments * people / batch_seconds(people, answers, machine) >= rate:
            return people
    return BATCH_MESSAGES


def crowd_seconds(people: int, answers: int, environments: int, machine: Machine) -> float:
    """How long one of some environments takes for a crowd: batch after batch, within its share of the page's rate."""
    batches, rest = divmod(people, BATCH_MESSAGES)
    working = batches * batch_seconds(BATCH_MESSAGES, answers, machine)
    working += batch_seconds(rest, answers, machine) if rest else 0.0
    return max(working, people * answers * environments / TEXTS_PER_SECOND - AHEAD_SECONDS)


# What it takes


class Limit(NamedTuple):
    """A limit at one rate: what is used of it, what is allowed, and what moves it."""

    name: str
    used: float
    allowed: float
    moves: str


class Units(NamedTuple):
    """Billable units of one message and its answers, with their echoes."""

    rest_requests: float
    invocations: float
    gb_seconds: float
    queue_calls: float
    read_units: float
    write_units: float
    log_bytes: float


def units(people: int, answers: int, machine: Machine, memory_mb: int) -> Units:
    """The units of one message, if so many people's come in a batch.

    Each answer's echo is a request of its own. At most all echoes meet another environment than the one that answered,
    and then pass the queue too.
    """
    requests = passed = 1 + answers
    writes = worker_calls(people, answers)
    # A transaction's write counts twice ("Read/write capacity"): plan and state, and all that are settled together.
    write_units = people * 2 * 2 + writes["dynamodb:UpdateItem"] + 2 * (people - 1) + people * answers
    webhook = LATENCIES["sqs"] + WEBHOOK_SECONDS / machine.processors
    echo = LATENCIES["dynamodb"] + CALL_SECONDS / machine.processors
    seconds = requests * webhook + batch_seconds(people, answers, machine) / people + answers * echo
    return Units(
        rest_requests=requests,
        invocations=requests + passed / people,
        gb_seconds=seconds * memory_mb / 1024,
        # One to send it; receiving and deleting are one call for a batch.
        queue_calls=passed + 2 * passed / people,
        # A person's state, the event, and the page once for all; before each further answer, the state.
        read_units=2 + 1 / people + (answers - 1),
        write_units=write_units / people,
        log_bytes=MESSAGE_LOG_BYTES + answers * ANSWER_LOG_BYTES,
    )


def limits(rate: float, answers: int, machine: Machine, concurrency: int, throttle: int) -> list[Limit]:
    """Every limit that a stack meets when people write so many messages a second."""
    served = min(rate, TEXTS_PER_SECOND / answers)
    people = people_in_a_batch(served, concurrency, answers, machine)
    one = units(people, answers, machine, DEFAULTS["memoryMb"])
    busy = rate * one.rest_requests * (LATENCIES["sqs"] + WEBHOOK_SECONDS / machine.processors)
    busy += served * batch_seconds(people, answers, machine) / people
    return [
        Limit("answers a second, of what Facebook allows a page", rate * answers, TEXTS_PER_SECOND, "another page"),
        Limit(
            "messages a second, of what the consumer answers",
            rate, capacity(concurrency, answers, machine), "`concurrency`, `memoryMb`",
        ),
        Limit("requests a second at the REST API", rate * one.rest_requests, throttle, "`throttleRate`"),
        Limit(
            "requests a second in the account",
            rate * one.rest_requests, ACCOUNT_REQUESTS, "quota *Throttle rate* of API Gateway",
        ),
        Limit("executions at once in the account", busy, ACCOUNT_EXECUTIONS, "quota *Concurrent executions* of Lambda"),
        Limit("calls a second to send to the queue", rate * (1 + answers), QUEUE_CALLS, "quota of SQS; the region"),
        Limit("write units a second of the table", served * one.write_units, TABLE_UNITS, "quota of DynamoDB"),
        Limit("reads a second of the page's record", served / people, ITEM_READS, "none: one item"),
    ]  # fmt: skip


def settings_for(rate: float, answers: int, machine: Machine) -> dict[str, int]:
    """The least settings with which one stack takes this rate, as far as it can, and answers what its page may."""
    served = min(rate, TEXTS_PER_SECOND / answers)
    each = capacity(1, answers, machine)
    return {
        "throttleRate": min(max(DEFAULTS["throttleRate"], math.ceil(rate * (1 + answers))), THROTTLE_RATE[-1]),
        "concurrency": max(DEFAULTS["concurrency"], math.ceil(served / each)),
    }


# The real code


class Meter(Aws):
    """The function's client, which also counts the write units that DynamoDB bills."""

    write_units = 0

    def call(self, service: str, operation: str, request: Json, **more: Any) -> Json:
        """Make a call, and count what it writes."""
        answer = super().call(service, operation, request, **more)
        for write in request.get("TransactItems", ()):
            Meter.write_units += 2 * _kilobytes(write.get("Put", {}).get("Item", {}))
        if operation == "UpdateItem":
            Meter.write_units += 1
        return answer


def _kilobytes(item: Json) -> int:
    return max(1, math.ceil(sum(len(name) + len(next(iter(value.values()))) for name, value in item.items()) / 1024))


class Environment:
    """One execution environment's webhook and worker, put together as `bot/handler.py` does.

    Args:
        at: what they call.
        environments: how many there are: each has its share of the page's rate.
    """

    def __init__(self, at: Stubs, environments: int) -> None:
        named = bot_variables(at, environments)
        signer = {"AWS_ACCESS_KEY_ID": stubs.KEY, "AWS_SECRET_ACCESS_KEY": stubs.SECRET}
        endpoints = {f"AWS_ENDPOINT_URL_{name.upper()}": at.urls[name] for name in LATENCIES}
        aws = Meter({"AWS_REGION": stubs.REGION, "AWS_SESSION_TOKEN": stubs.SESSION, **signer, **endpoints})
        environment, recent = read(named), RecentlyAnswered()
        secrets, queues = Secrets(aws, environment.secrets_path), Queues(aws, environment.queue_url, "")
        self._webhook = Webhook(secrets, queues, recent, page_id=stubs.PAGE, message_bytes=MAX_MESSAGE_BYTES)
        self._worker = compose.worker(environment, aws, secrets, queues, recent)

    def accept(self, people: int) -> None:
        """Take one request, in which each of some people writes a message."""
        entry = {"id": stubs.PAGE, "time": round(time.time() * 1000), "messaging": [text() for _ in range(people)]}
        body = json.dumps({"object": "page", "entry": [entry]})
        headers = {"X-Hub-Signature-256": sign(body.encode(), stubs.APP_SECRET)}
        context = {"requestId": "00000000-0000-0000-0000-000000000000"}
        request = {"httpMethod": "POST", "headers": headers, "body": body, "requestContext": context}
        if (answer := self._webhook.handle(request))["statusCode"] != 200:
            raise BenchError(f"A webhook was answered {answer}.")

    def answer(self, messages: Sequence[Json]) -> None:
        """Work on one batch."""
        if (done := self._worker.handle({"Records": messages}, lambda: 60.0)) != {"batchItemFailures": []}:
            raise BenchError(f"The worker did not answer everybody: {done}")


class Measured(NamedTuple):
    """What one run took.

    Attributes:
        seconds: from the first message to the last answer.
        calls: to AWS and Facebook, by name.
        write_units: of DynamoDB.
        log_bytes: that were written to the log.
        sizes: how many messages each batch had.
    """

    seconds: float
    calls: Counter[str]
    write_units: int
    log_bytes: int
    sizes: tuple[int, ...]


def run(
    at: Stubs, environments: int, post: Callable[[Environment], int], graph_seconds: float, *, running: int = 0
) -> Measured:
    """Let people write, and let some environments answer everybody.

    Args:
        at: the stubs.
        environments: the queue consumer's concurrency: each has its share of the page's rate.
        running: how many of them take batches; 0 for all.
        post: writes messages and returns how many; given an environment that takes only webhooks.
        graph_seconds: how long the Graph API takes.
    """
    at.graph_takes(graph_seconds)
    everyone = [Environment(at, environments) for _ in range((running or environments) + 1)]
    with contextlib.redirect_stdout(io.StringIO()):
        for each in everyone:  # as warm as environments are that have answered before
            each.accept(1)
            each.answer(at.take_messages())
    time.sleep(AHEAD_SECONDS)
    at.take_calls()
    Meter.write_units, sizes, ended = 0, [], threading.Event()

    def poll(environment: Environment) -> None:
        while True:
            last = ended.is_set()
            if messages := at.take_messages():
                sizes.append(len(messages))
                environment.answer(messages)
            elif last:
                return
            else:
                time.sleep(0.005)

    threads = [threading.Thread(target=poll, args=(each,)) for each in everyone[1:]]
    with contextlib.redirect_stdout(io.StringIO()) as log:
        began = time.monotonic()
        for thread in threads:
            thread.start()
        expected = post(everyone[0])
        ended.set()
        for thread in threads:
            thread.join()
    taken = at.take_calls()
    calls = Counter(call.name for call in taken)
    if calls["graph:send"] != expected:
        raise BenchError(f"{expected} people got {calls['graph:send']} answers.")
    seconds = max(call.answered for call in taken) - began
    # A bot need not understand what the bench writes, and then has a line more.
    lines = [line for line in log.getvalue().encode().splitlines(keepends=True) if b'"not_understood"' not in line]
    return Measured(seconds, calls, Meter.write_units, sum(map(len, lines)), tuple(sizes))


def at_once(people: int) -> Callable[[Environment], int]:
    """All of these people write in the same moment."""

    def post(environment: Environment) -> int:
        for begin in range(0, people, BATCH_MESSAGES):
            environment.accept(min(BATCH_MESSAGES, people - begin))
        return people

    return post


def steadily(rate: float, seconds: float) -> Callable[[Environment], int]:
    """So many people write a second, each in a request of its own."""

    def post(environment: Environment) -> int:
        began, number = time.monotonic(), round(rate * seconds)
        for each in range(number):
            time.sleep(max(0.0, began + each / rate - time.monotonic()))
            environment.accept(1)
        return number

    return post


# The model against the real code


class Check(NamedTuple):
    """One figure of the model beside what was measured."""

    what: str
    model: float
    measured: float

    @property
    def deviation(self) -> float:
        """By what share the measured one is larger."""
        return self.measured / self.model - 1


def measured() -> list[Check]:
    """Run the real code at several rates, and put the model's figures beside it.

    Raises:
        BenchError: something did not answer as it should.
    """
    environments, alone = DEFAULTS["concurrency"], Machine(1.0)
    webhook = LATENCIES["sqs"] + WEBHOOK_SECONDS
    checks = []
    with Stubs() as at:
        for people in (1, BATCH_MESSAGES):
            took = run(at, environments, at_once(people), USUAL_SECONDS, running=1).seconds
            title = f"{people} {'person writes' if people == 1 else 'people write'} at once: ms to the last answer"
            checks.append(Check(title, (webhook + batch_seconds(people, 1, alone)) * 1000, took * 1000))
        for rate in (1, 10, 100):
            found = run(at, environments, steadily(rate, 5), USUAL_SECONDS)
            people, number = people_in_a_batch(rate, environments, 1, alone), found.calls["graph:send"]
            calls = 1 + worker_calls(people, 1).total() / people
            wrote = units(people, 1, alone, DEFAULTS["memoryMb"]).write_units - 1  # nobody's echo comes here
            title = f"{rate} messages a second"
            checks.append(Check(f"{title}: calls for each", calls, found.calls.total() / number))
            checks.append(Check(f"{title}: write units for each", wrote, found.write_units / number))
        slow, people = Machine(1.0, 1.0), 300
        drained = run(at, environments, at_once(people), slow.graph_seconds)
        title = "1,000 messages a second and more, Graph API 1 s: answers a second"
        checks.append(Check(title, capacity(environments, 1, slow), people / drained.seconds))
        fast, people = Machine(1.0, 0.05), 200
        share = run(at, environments, at_once(people), fast.graph_seconds, running=1)
        title = f"the same, Graph API 0.05 s, one of {environments} environments: ms for {people} answers"
        checks.append(Check(title, crowd_seconds(people, 1, environments, fast) * 1000, share.seconds * 1000))
    return checks


def holds(checks: Sequence[Check]) -> bool:
    """Whether the model is close enough to all that was measured."""
    return all(abs(each.deviation) <= DEVIATION for each in checks)


def measured_section(checks: Sequence[Check]) -> str:
    """What was measured as a part of a page."""
    rows = [[each.what, f"{each.model:,.1f}", f"{each.measured:,.1f}", f"{each.deviation:+.0%}"] for each in checks]
    return table(("", "model", "measured", "measured above the model"), rows)


# The page


def model_section(answers: int = 1) -> str:
    """What the model says at each rate, as a part of a page."""
    machine = Machine.of_lambda()
    chosen = {rate: settings_for(rate, answers, machine) for rate in RATES}
    of_rate = {
        rate: limits(rate, answers, machine, chosen[rate]["concurrency"], chosen[rate]["throttleRate"])
        for rate in RATES
    }
    head = ("messages a second", *(f"{rate:,}" for rate in RATES))
    parts = [
        "### Settings, and what they give",
        table(head, _given(answers, machine, chosen)),
        "### How much of each limit is used, with these settings",
        table(
            (*head, "what moves it"),
            [
                [name, *(f"{each.used / each.allowed:.1%}" for each in row), row[0].moves]
                for name, row in ((row[0].name, row) for row in zip(*of_rate.values(), strict=True))
            ],
        ),
        "### Billable units of 1,000 messages",
        table(head, _billed(answers, machine, chosen)),
    ]
    return "\n\n".join(parts)


def _given(answers: int, machine: Machine, chosen: dict[int, dict[str, int]]) -> list[list[str]]:
    rows: dict[str, list[str]] = {}
    for rate, settings in chosen.items():
        served = min(rate, TEXTS_PER_SECOND / answers)
        people = people_in_a_batch(served, settings["concurrency"], answers, machine)
        before = limits(rate, answers, machine, DEFAULTS["concurrency"], DEFAULTS["throttleRate"])
        over = [each.name for each in before if each.used > each.allowed]
        figures = {
            "`throttleRate`, at least": settings["throttleRate"],
            "`concurrency`, at least": settings["concurrency"],
            "messages in a batch": people,
            "ms from acceptance to the answer, if nothing waits": round(batch_seconds(people, answers, machine) * 1000),
            "answered a second": round(served),
            "pages that answer all": math.ceil(rate * answers / TEXTS_PER_SECOND),
            "seconds until 120,000 wait": round(QUEUE_MESSAGES / (rate - served)) if rate > served else "-",
            "limits that the default settings exceed": len(over),
        }
        for name, figure in figures.items():
            rows.setdefault(name, []).append(f"{figure:,}" if isinstance(figure, int) else figure)
    return [[name, *cells] for name, cells in rows.items()]


def _billed(answers: int, machine: Machine, chosen: dict[int, dict[str, int]]) -> list[list[str]]:
    found = []
    for rate, settings in chosen.items():
        served = min(rate, TEXTS_PER_SECOND / answers)
        people = people_in_a_batch(served, settings["concurrency"], answers, machine)
        found.append(units(people, answers, machine, DEFAULTS["memoryMb"]))
    names = (
        "requests to the REST API", "invocations of the function", f"GB-seconds with {DEFAULTS['memoryMb']} MB",
        "calls to SQS", "read units of DynamoDB", "write units of DynamoDB", "bytes in the log, of the bot's own lines",
    )  # fmt: skip
    return [[name, *(f"{each[number] * 1000:,.0f}" for each in found)] for number, name in enumerate(names)]
