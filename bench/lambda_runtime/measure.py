"""What is measured: cold and warm acknowledgements, answers, batches of ten people, calls, and memory."""

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from bench.lambda_runtime.contestants import (
    FLOOR,
    OURS,
    PEER,
    Contest,
    Contestant,
    Json,
    echo,
    new_person,
    text,
    webhook,
)
from bench.lambda_runtime.errors import BenchError
from bench.lambda_runtime.runtime_api import Function, Invocation
from bench.lambda_runtime.spread import Spread
from bench.lambda_runtime.stubs import BATCH_MESSAGES, Call, Stubs

# In each round everybody but the peer, which waits for the Graph API, acknowledges so often.
WARM_CALLS = 10
WARM_UP_CALLS = 3
# Batches begin at least so far apart: in this time a function may send ten messages at the rate that `bot.pace` allows.
BATCH_SECONDS = 0.25
IMPORT_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)")
# Makes Python print what each import takes.
PROFILE = {"PYTHONPROFILEIMPORTTIME": "1"}
READ_TRUST = """
import ssl, time
began = time.process_time()
ssl.create_default_context()
print(time.process_time() - began)
"""


class Cold(NamedTuple):
    """One cold start; the times are seconds of the monotonic clock.

    Attributes:
        started: the process was started.
        ready: the function asked for its first event, which was there already.
        acknowledged: its answer was there.
        calls: what it called before that.
        answered: the answer to the person arrived at the Graph API; nothing if there is none.
    """

    started: float
    ready: float
    acknowledged: float
    calls: Sequence[Call]
    answered: float | None

    @property
    def seconds(self) -> float:
        """From the process's start to the acknowledgement."""
        return self.acknowledged - self.started


class Batch(NamedTuple):
    """Ten people in one webhook, and then in one batch of the queue.

    Attributes:
        seconds: from the webhook to the last answer, without what AWS's poller takes.
        worker: the worker's part: its one invocation; nothing if there is no worker.
        calls: the worker's.
    """

    seconds: float
    worker: Invocation | None
    calls: Sequence[Call]


def cold_starts(contest: Contest, stubs: Stubs, rounds: int) -> dict[str, list[Cold]]:
    """Cold starts of everybody, in turns."""
    found: dict[str, list[Cold]] = {name: [] for name in contest.by_name}
    for _ in range(rounds):
        for each in contest:
            found[each.name].append(_cold_start(each, stubs))
    return found


def _cold_start(contestant: Contestant, stubs: Stubs) -> Cold:
    with contestant.start() as function:
        done = acknowledge(function)
        calls = stubs.take_calls()
        later = _work(function, stubs)
        sends = [call.arrived for call in [*calls, *stubs.take_calls()] if call.service == "graph"]
        answered = sends[0] if sends else None
        if contestant.name == OURS and (later is None or answered is None):
            raise BenchError("The bot acknowledged and did not answer.")
        return Cold(function.started, function.ready, done.ended, calls, answered)


def acknowledge(function: Function, *items: Json) -> Invocation:
    """Send a function a webhook: one text of a new person, or these items.

    Raises:
        BenchError: it was not acknowledged.
    """
    done = function.invoke(webhook(*(items or [text(new_person())])))
    if done.answer["statusCode"] != 200:
        raise BenchError(f"A webhook was answered {done.answer}.")
    return done


def _work(function: Function, stubs: Stubs) -> Invocation | None:
    """Pass the queue's messages to the function; nothing if there are none.

    Raises:
        BenchError: it did not get through.
    """
    messages = stubs.take_messages()
    if not messages:
        return None
    done = function.invoke({"Records": messages})
    if done.answer != {"batchItemFailures": []}:
        raise BenchError(f"The worker did not answer everybody: {done.answer}")
    return done


class Warm:
    """Everybody's warm execution environment.

    Args:
        contest: who takes part.
        stubs: what they call.
    """

    def __init__(self, contest: Contest, stubs: Stubs) -> None:
        self._stubs, self._ending = stubs, ExitStack()
        self._functions = {name: self._ending.enter_context(each.start()) for name, each in contest.by_name.items()}
        for _ in range(WARM_UP_CALLS):
            for function in self._functions.values():
                acknowledge(function)
                _work(function, stubs)
        stubs.take_calls()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending.close()

    def acknowledgements(self, rounds: int) -> dict[str, Spread]:
        """Seconds to the acknowledgement, in turns."""
        found: dict[str, list[float]] = {name: [] for name in self._functions}
        for _ in range(rounds):
            for name, function in self._functions.items():
                for _ in range(1 if name == PEER else WARM_CALLS):
                    found[name].append(acknowledge(function).seconds)
                # What was enqueued meanwhile is of no interest here.
                while self._stubs.take_messages():
                    pass
        self._stubs.take_calls()
        return {name: Spread(each) for name, each in found.items()}

    def answers(self, rounds: int) -> dict[str, Spread]:
        """Seconds from the webhook to where the answer arrives at the Graph API, in turns."""
        found: dict[str, list[float]] = {OURS: [], PEER: []}
        for _ in range(rounds):
            for name, times in found.items():
                person = new_person()
                done = acknowledge(self._functions[name], text(person))
                _work(self._functions[name], self._stubs)
                times.append(_sent_to(person, self._stubs.take_calls()) - done.began)
        return {name: Spread(each) for name, each in found.items()}

    def batches(self, rounds: int) -> dict[str, list[Batch]]:
        """Ten people at once, in turns."""
        found: dict[str, list[Batch]] = {OURS: [], PEER: []}
        for _ in range(rounds):
            for name, batches in found.items():
                people = [new_person() for _ in range(BATCH_MESSAGES)]
                done = acknowledge(self._functions[name], *[text(person) for person in people])
                acknowledging = self._stubs.take_calls()
                worker = _work(self._functions[name], self._stubs)
                calls = self._stubs.take_calls()
                for person in people:
                    _sent_to(person, [*acknowledging, *calls])
                batches.append(Batch(done.seconds + (worker.seconds if worker else 0.0), worker, calls))
                # What counts is a batch, not the wait for the function's share of Facebook's rate limit.
                time.sleep(max(0.0, done.began + BATCH_SECONDS - time.monotonic()))
        return found

    def calls(self, contest: Contest) -> list[tuple[str, Mapping[str, int]]]:
        """What one message calls, stage by stage: of this bot, and at last of the peer."""
        ours, person = self._functions[OURS], new_person()
        stages: list[tuple[str, Sequence[Call]]] = []
        acknowledge(ours, text(person))
        stages.append(("acknowledgement", self._stubs.take_calls()))
        _work(ours, self._stubs)
        stages.append(("answer", answering := self._stubs.take_calls()))
        repeated = echo(person, next(call.metadata for call in answering if call.service == "graph"))
        acknowledge(ours, repeated)
        _work(ours, self._stubs)
        stages.append(("its echo, where it meets the environment that answered", self._stubs.take_calls()))
        with contest.ours.start() as another:
            acknowledge(another)
            _work(another, self._stubs)
            self._stubs.take_calls()
            acknowledge(another, repeated)
            _work(another, self._stubs)
        stages.append(("its echo, where it meets another", self._stubs.take_calls()))
        acknowledge(self._functions[PEER])
        stages.append((f"{PEER}: all of it", self._stubs.take_calls()))
        return [(stage, Counter(call.name for call in calls)) for stage, calls in stages]

    def memory(self) -> dict[str, float]:
        """The largest resident memory of each, in MiB."""
        return {name: function.peak_mib for name, function in self._functions.items()}


def _sent_to(person: str, calls: Iterable[Call]) -> float:
    """When the answer to a person arrived at the Graph API."""
    for call in calls:
        if call.recipient == person:
            return call.arrived
    raise BenchError("A person was not answered.")


def apart(cold: Mapping[str, Sequence[Cold]]) -> dict[str, float]:
    """The parts of this bot's cold acknowledgement, in seconds (medians), from what the two sides of it see."""
    floor = Spread([each.ready - each.started for each in cold[FLOOR]]).median
    parts: dict[str, list[float]] = {}
    for each in cold[OURS]:
        at = {call.service: call for call in each.calls}
        if len(each.calls) != len(at) or at.keys() != {"ssm", "sqs"}:
            raise BenchError(f"A cold acknowledgement called {[call.name for call in each.calls]}.")
        steps = {
            "imports before the first event": each.ready - each.started - floor,
            "from the event to the call of SSM": at["ssm"].arrived - each.ready,
            "SSM": at["ssm"].answered - at["ssm"].arrived,
            "from SSM's answer to the call of SQS": at["sqs"].arrived - at["ssm"].answered,
            "SQS": at["sqs"].answered - at["sqs"].arrived,
            "from SQS's answer to the acknowledgement": each.acknowledged - at["sqs"].answered,
        }
        for name, seconds in steps.items():
            parts.setdefault(name, []).append(seconds)
    return {"the interpreter and AWS's runtime client": floor} | {
        name: Spread(each).median for name, each in parts.items()
    }


def imports(ours: Contestant, stubs: Stubs, rounds: int) -> dict[str, float]:
    """What a cold acknowledgement imports, and how many milliseconds each takes: the least of some runs.

    A module of the bot counts alone, and one of the standard library with all that it loads first.
    """
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        with ours.start(**PROFILE) as function:
            acknowledge(function)
            stubs.take_messages()
            stubs.take_calls()
        for name, milliseconds in _causes(ours.log.read_text()):
            found.setdefault(name, []).append(milliseconds)
    return {name: min(each) for name, each in found.items() if len(each) == rounds}


def trust_seconds(bundle: Path, rounds: int) -> float:
    """Seconds at work to read the trusted certificates, as each cold start over TLS does: the least of some runs.

    Args:
        bundle: the file that holds them.
        rounds: how many runs.
    """
    command, environment = [sys.executable, "-I", "-S", "-c", READ_TRUST], {"SSL_CERT_FILE": str(bundle)}
    runs = [subprocess.check_output(command, env=environment) for _ in range(rounds)]
    return min(float(run) for run in runs)


def _causes(log: str) -> Iterator[tuple[str, float]]:
    loaded = [
        (name, len(blanks) // 2, int(own) / 1000, int(whole) / 1000)
        for own, whole, blanks, name in IMPORT_LINE.findall(log)
    ]
    ancestors: list[str] = []
    # From the last to the first, whatever loads a module comes before it.
    for name, depth, own, whole in reversed(loaded):
        ancestors = [*ancestors[:depth], name]
        if _is_ours(name):
            yield name, own
        elif depth and _is_ours(ancestors[-2]):
            yield name, whole


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == "bot"
