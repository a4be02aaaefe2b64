"""The proof under load: many people write while everything around the bot fails, and no answer may be missing."""

import argparse
import concurrent.futures
import json
import os
import random
import signal
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from bot.aws.queues import fingerprint
from sandbox.errors import SandboxError
from sandbox.facebook.webhooks import Item, Posted, text_item
from sandbox.local import Sandbox, new_person

Json = dict[str, Any]

# Faults during the whole storm. With `after` and `dropAfter` the call is carried out and only its answer is lost.
GRAPH_FAULTS: list[Json] = [
    {"dropAfter": True, "probability": 0.01},
    {"dropBefore": True, "probability": 0.01},
    {"error": {"status": 500, "code": 2, "message": "No."}, "probability": 0.02},
    {"error": {"status": 400, "code": 613, "message": "No."}, "probability": 0.01},
    {"delaySeconds": 0.3, "probability": 0.02},
]
AWS_FAULTS: Json = {
    "sqs:*": [
        {"status": 503, "code": "ServiceUnavailable", "probability": 0.02},
        {"status": 503, "code": "ServiceUnavailable", "after": True, "probability": 0.01},
    ],
    "dynamodb:*": [
        {"status": 500, "code": "InternalServerError", "probability": 0.005},
        {"status": 500, "code": "InternalServerError", "after": True, "probability": 0.005},
    ],
}
# A killed function's events come back after the visibility timeout. As deployed that is 180 s, too long for this. The
# emulator handles one batch at a time, so no event can come back while it is being handled.
VISIBILITY_SECONDS = 10
# The emulator handles about a hundred events per second. Posting pauses while more than this wait in the queue.
WAITING = 150
POSTERS = 4
EVENTS_PER_PERSON, PEOPLE_PER_REQUEST = 2, 10
# How often Facebook delivers a request once more.
REDELIVERY = 0.1
SETTLE_SECONDS = 300.0
EVENTS, USERS = 10_000, 500


@dataclass
class Crowd:
    """People who write, and what is known about their messages.

    Args:
        sandbox: where they write.
        seed: of the random choices.

    Attributes:
        written: by person, the ids of their messages, in the order of acceptance.
        acknowledged: the seconds of each acknowledged request.
        begun: by event, when its first request was sent.
        echoes: by an answer's key, when its echo was sent to the webhook, and the webhook's status.
        kills: when a function's process was killed.
    """

    sandbox: Sandbox
    seed: int
    written: dict[str, list[str]] = field(default_factory=dict)
    acknowledged: list[float] = field(default_factory=list)
    begun: dict[str, float] = field(default_factory=dict)
    echoes: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    kills: list[float] = field(default_factory=list)

    def watch(self, posted: Posted) -> None:
        """Note the echoes in a webhook request."""
        if b'"is_echo"' in posted.body:
            for item in json.loads(posted.body)["entry"][0]["messaging"]:
                key = item["message"].get("metadata", "")
                self.echoes.setdefault(key, []).append((posted.began, posted.status))

    def echo_failed(self, key: str, since: float, until: float) -> bool:
        """Whether an answer's echo was refused, or may have been lost with a killed function."""
        refused = [status for _, status in self.echoes.get(key, []) if status != HTTPStatus.OK]
        return bool(refused) or any(since < kill < until for kill in self.kills)

    def write(self, people: Sequence[str], each: int) -> None:
        """Let some people write texts in one request, which is sometimes delivered once more.

        A person must not write in two requests at the same time: the order of acceptance would be unknown.
        """
        items = [text_item(self.sandbox.page_id, person, "status") for _ in range(each) for person in people]
        for item in items:
            self.written.setdefault(item["sender"]["id"], []).append(item["message"]["mid"])
            self.begun[item["message"]["mid"]] = time.time()
        self.acknowledged.append(self.sandbox.deliver(items, SETTLE_SECONDS).seconds)
        if random.Random(f"{self.seed}{len(self.acknowledged)}").random() < REDELIVERY:
            self._deliver_in_halves(items)

    def _deliver_in_halves(self, items: Sequence[Item]) -> None:
        half = len(items) // 2
        for part in (items[half:], items[:half]):
            self.sandbox.deliver(list(reversed(part)), SETTLE_SECONDS)


@dataclass(frozen=True)
class Findings:
    """The result of a storm.

    Attributes:
        accepted: events that were acknowledged.
        answered: those of them that were answered.
        lost: those that were not.
        doubled: answers that arrived more than once although their echo did not fail.
        doubled_for_two_failures: answers that arrived more than once after both their send and their echo failed.
        misordered: answers that arrived after a later one.
        dead: dead letters.
        acknowledgement: the seconds of each request.
        answer: the seconds from each event's request to its first answer.
    """

    accepted: int
    answered: int
    lost: int
    doubled: int
    doubled_for_two_failures: int
    misordered: int
    dead: int
    acknowledgement: Sequence[float]
    answer: Sequence[float]

    @property
    def broken(self) -> int:
        """How many times a promise was broken."""
        return self.lost + self.doubled + self.misordered + self.dead

    def rows(self) -> Iterator[tuple[str, str]]:
        """Each figure with its name."""
        for name in ("accepted", "answered", "lost", "doubled", "doubled_for_two_failures", "misordered", "dead"):
            yield name.replace("_", " "), f"{getattr(self, name):,}"
        for name in ("acknowledgement", "answer"):
            cuts = statistics.quantiles(getattr(self, name), n=100)
            yield f"{name}, p50 / p99 (s)", f"{cuts[49]:.3f} / {cuts[98]:.3f}"


def findings(crowd: Crowd) -> Findings:
    """Look for each event's answers among the requests to the stand-in for the Graph API."""
    sandbox = crowd.sandbox
    place = {
        fingerprint(sandbox.page_id, mid): (person, number)
        for person, mids in crowd.written.items()
        for number, mid in enumerate(mids)
    }
    began = {fingerprint(sandbox.page_id, mid): time for mid, time in crowd.begun.items()}
    seen: dict[tuple[str, int], float] = {}
    latest: dict[str, tuple[int, int]] = {}
    answer: dict[str, float] = {}
    doubled, misordered = [], 0
    for request in sandbox.requests():
        metadata = ((request["body"] or {}).get("message") or {}).get("metadata", "")
        event, _, number = metadata.partition(":")
        if request["status"] != HTTPStatus.OK or event not in place:
            continue
        if (event, int(number)) in seen:
            doubled.append(crowd.echo_failed(metadata, seen[event, int(number)], request["time"]))
            continue
        seen[event, int(number)] = request["time"]
        person, order = place[event]
        misordered += (order, int(number)) < latest.get(person, (-1, -1))
        latest[person] = order, int(number)
        answer.setdefault(event, request["time"] - began[event])
    dead = sandbox.client("sqs").get_queue_attributes(
        QueueUrl=sandbox.outputs["deadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]["ApproximateNumberOfMessages"]
    lost = len(place.keys() - answer.keys())
    return Findings(
        accepted=len(place),
        answered=len(answer),
        lost=lost,
        doubled=doubled.count(False),
        doubled_for_two_failures=doubled.count(True),
        misordered=misordered,
        dead=int(dead),
        acknowledgement=crowd.acknowledged,
        answer=list(answer.values()),
    )


def shorten_visibility(sandbox: Sandbox, seconds: int) -> None:
    """Let the events of a killed function come back after this time."""
    sandbox.client("sqs").set_queue_attributes(
        QueueUrl=sandbox.outputs["queueUrl"], Attributes={"VisibilityTimeout": str(seconds)}
    )


@contextmanager
def killing(crowd: Crowd, pause: tuple[float, float]) -> Iterator[None]:
    """Kill a function's process now and then while the block runs.

    Args:
        crowd: the crowd of the sandbox.
        pause: the shortest and the longest time between two kills, in seconds.
    """
    ended, drawn = threading.Event(), random.Random(crowd.seed)

    def kill_on() -> None:
        while not ended.wait(drawn.uniform(*pause)):
            workers = crowd.sandbox.function_workers()
            if workers:
                victim = drawn.choice(workers)
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                crowd.kills.append(time.time())

    thread = threading.Thread(target=kill_on)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def run_storm(sandbox: Sandbox, events: int, users: int, seed: int) -> Crowd:
    """Let people write events while faults are on, then wait until the queue is empty.

    Args:
        sandbox: where they write.
        events: how many events in all.
        users: how many people.
        seed: of the random choices.
    """
    crowd = Crowd(sandbox, seed)
    if sandbox.facebook:
        sandbox.facebook.observe = crowd.watch
    people = [new_person() for _ in range(users)]
    share = PEOPLE_PER_REQUEST * EVENTS_PER_PERSON
    waiting = threading.Semaphore()

    def post_on(poster: int) -> None:
        own = people[poster::POSTERS]
        for turn in range(-(-events // (share * POSTERS))):
            begin = turn * PEOPLE_PER_REQUEST % len(own)
            chosen = [own[(begin + number) % len(own)] for number in range(min(PEOPLE_PER_REQUEST, len(own)))]
            with waiting:
                while sandbox.waiting() > WAITING:
                    time.sleep(0.05)
            crowd.write(chosen, EVENTS_PER_PERSON)
            if poster == 0 and turn % 10 == 0:
                print(f"{len(crowd.begun)} of {events} events …", file=sys.stderr, flush=True)

    sandbox.faults([fault | {"seed": seed + number} for number, fault in enumerate(GRAPH_FAULTS)])
    sandbox.aws_faults(AWS_FAULTS)
    with killing(crowd, (15.0, 45.0)), concurrent.futures.ThreadPoolExecutor(POSTERS) as pool:
        list(pool.map(post_on, range(POSTERS)))
    print(f"All events are written; the function was killed {len(crowd.kills)} times.", file=sys.stderr, flush=True)
    sandbox.faults({})
    sandbox.aws_faults({})
    sandbox.settle(SETTLE_SECONDS)
    return crowd


def measured(events: int, users: int, seed: int) -> Findings:
    """Run a storm in a sandbox of its own, and look for the answers; arguments as for `run_storm`."""
    with Sandbox() as sandbox:
        shorten_visibility(sandbox, VISIBILITY_SECONDS)
        return findings(run_storm(sandbox, events, users, seed))


def section(events: int = EVENTS, users: int = USERS) -> str:
    """The proof as a section of a page."""
    seed = random.randrange(10**6)
    rows = "\n".join(f"| {name} | {figure} |" for name, figure in measured(events, users, seed).rows())
    return f"""## The proof under load

{users:,} people write {events:,} events. Meanwhile calls to Facebook and AWS fail, are delayed or lose their answers,
requests are delivered twice and in another order, and the function's process is killed every half minute. Nothing may
be lost, doubled, misordered or dead. An answer is doubled for two failures if both its send and its echo failed:
Facebook then gets it again, because nobody can know that it arrived. To repeat the storm:
`python -m bench.load --events {events} --users {users} --seed {seed}`.

| | |
|---|---:|
{rows}
"""


def main() -> int:
    """Run a storm.

    Returns:
        1 if a promise was broken.
    """
    parser = argparse.ArgumentParser(
        prog="python -m bench.load",
        description="Run a storm over the sandbox. Exit code 1 if a promise was broken.",
        epilog="Example: python -m bench.load --events 1000 --users 50",
    )
    parser.add_argument("--events", type=int, default=EVENTS, help=f"how many events in all (default: {EVENTS})")
    parser.add_argument("--users", type=int, default=USERS, help=f"how many people write them (default: {USERS})")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the random choices")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    try:
        found = measured(options.events, options.users, options.seed)
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(f"{name:26}{figure:>16}" for name, figure in found.rows()))
    return int(found.broken > 0)


if __name__ == "__main__":
    sys.exit(main())
