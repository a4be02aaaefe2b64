"""The proof under load: many people write while everything around the bot fails, and no answer may be missing."""

import argparse
import concurrent.futures
import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from bot.aws.queues import fingerprint
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
BROKEN = ("lost", "doubled", "misordered", "dead")


@dataclass
class Crowd:
    """People who write, and what is known about their messages.

    Args:
        sandbox: where they write.
        seed: of the random choices.

    Attributes:
        written: by person, the ids of their messages, in the order of acceptance.
        requests: how many were acknowledged.
        echoes: by an answer's key, when its echo was sent to the webhook, and the webhook's status.
        kills: when a function's process was killed.
    """

    sandbox: Sandbox
    seed: int
    written: dict[str, list[str]] = field(default_factory=dict)
    requests: int = 0
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
        self.sandbox.deliver(items, SETTLE_SECONDS)
        self.requests += 1
        if random.Random(f"{self.seed}{self.requests}").random() < REDELIVERY:
            self._deliver_in_halves(items)

    def _deliver_in_halves(self, items: Sequence[Item]) -> None:
        half = len(items) // 2
        for part in (items[half:], items[:half]):
            self.sandbox.deliver(list(reversed(part)), SETTLE_SECONDS)


def findings(crowd: Crowd) -> Mapping[str, int]:
    """Look for each event's answers among the requests to the stand-in for the Graph API.

    Returns:
        How many events were `accepted` and `answered`; how many were `lost` or are `dead`; how many answers were
        `misordered`, `doubled`, or `doubled for two failures`: after both their send and their echo failed.
    """
    sandbox = crowd.sandbox
    place = {
        fingerprint(sandbox.page_id, mid): (person, number)
        for person, mids in crowd.written.items()
        for number, mid in enumerate(mids)
    }
    seen: dict[tuple[str, int], float] = {}
    latest: dict[str, tuple[int, int]] = {}
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
    dead = sandbox.client("sqs").get_queue_attributes(
        QueueUrl=sandbox.outputs["deadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]["ApproximateNumberOfMessages"]
    lost = len(place.keys() - {event for event, _ in seen})
    return {
        "accepted": len(place),
        "answered": len(place) - lost,
        "lost": lost,
        "doubled": doubled.count(False),
        "doubled for two failures": doubled.count(True),
        "misordered": misordered,
        "dead": int(dead),
    }


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
                print(f"{crowd.requests * share} of {events} events …", file=sys.stderr, flush=True)

    sandbox.faults([fault | {"seed": seed + number} for number, fault in enumerate(GRAPH_FAULTS)])
    sandbox.aws_faults(AWS_FAULTS)
    with killing(crowd, (15.0, 45.0)), concurrent.futures.ThreadPoolExecutor(POSTERS) as pool:
        list(pool.map(post_on, range(POSTERS)))
    print(f"All events are written; the function was killed {len(crowd.kills)} times.", file=sys.stderr, flush=True)
    sandbox.faults({})
    sandbox.aws_faults({})
    sandbox.settle(SETTLE_SECONDS)
    return crowd


def measured(events: int, users: int, seed: int) -> Mapping[str, int]:
    """Run a storm in a sandbox of its own, and look for the answers; arguments as for `run_storm`."""
    with Sandbox() as sandbox:
        shorten_visibility(sandbox, VISIBILITY_SECONDS)
        return findings(run_storm(sandbox, events, users, seed))


def section(found: Mapping[str, int], events: int, users: int, seed: int) -> str:
    """The proof as a section of a page."""
    rows = "\n".join(f"| {name} | {figure:,} |" for name, figure in found.items())
    return f"""## The proof under load

This is a proof that nothing is lost, not a measure of speed: the emulator handles about a hundred events a second.
{users:,} people write {events:,} events. Meanwhile calls to Facebook and AWS fail, are delayed or lose their answers,
requests are delivered twice and in another order, and the function's process is killed every half minute. Nothing may
be lost, doubled, misordered or dead. An answer is doubled for two failures if both its send and its echo failed:
Facebook then gets it again, because nobody can know that it arrived. To repeat the storm:
`python -m bench load --events {events} --users {users} --seed {seed}`.

| | |
| --- | ---: |
{rows}
"""


def add_options(parser: argparse._ArgumentGroup) -> None:
    """Add a storm's options to a command line."""
    parser.add_argument("--events", type=int, default=EVENTS, help=f"how many events in all (default: {EVENTS})")
    parser.add_argument("--users", type=int, default=USERS, help=f"how many people write them (default: {USERS})")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the random choices")
