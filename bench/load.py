"""Many people write to the bot in the sandbox while everything around it fails; then each answer is looked for.

Example:
    python -m bench.load --events 10000 --users 500
"""

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

# What goes wrong all the time. `after` and `dropAfter`: it is done, and only the answer is lost.
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
# A killed function's events come back after the visibility timeout, 180 s as deployed: a run does not wait so long. The
# emulator works on one batch at a time, so that no event can come back while it is being worked on.
VISIBILITY_SECONDS = 10
# The emulator takes about a hundred events a second. What it has not taken waits, and is not what is measured.
WAITING = 150
POSTERS = 4
EVENTS_A_PERSON, PERSONS_A_REQUEST = 2, 10
AGAIN = 0.1
SETTLE_SECONDS = 300.0


@dataclass
class Crowd:
    """People who write, what they wrote, and how long it took to be acknowledged.

    Args:
        sandbox: where.
        seed: of what is drawn.

    Attributes:
        written: by person, the ids of what they wrote, in the order in which it was accepted.
        acknowledged: seconds of each acknowledged request.
        begun: by event, when its first request was sent.
        echoes: by an answer's key, when its echo was sent to the webhook, and the status of the answer.
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
        """Note the echoes in a request of Facebook's."""
        if b'"is_echo"' in posted.body:
            for item in json.loads(posted.body)["entry"][0]["messaging"]:
                key = item["message"].get("metadata", "")
                self.echoes.setdefault(key, []).append((posted.began, posted.status))

    def echo_failed(self, key: str, since: float, until: float) -> bool:
        """Whether an answer's echo failed on its way: refused, or in a function that may have been killed with it."""
        refused = [status for _, status in self.echoes.get(key, []) if status != HTTPStatus.OK]
        return bool(refused) or any(since < kill < until for kill in self.kills)

    def write(self, people: Sequence[str], each: int) -> None:
        """Let some people write so many texts each in one request; now and then Facebook delivers it once more.

        Nobody may write in two requests at the same time: the order of acceptance would be nobody's to tell.
        """
        items = [text_item(self.sandbox.page_id, person, "status") for _ in range(each) for person in people]
        for item in items:
            self.written.setdefault(item["sender"]["id"], []).append(item["message"]["mid"])
            self.begun[item["message"]["mid"]] = time.time()
        self.acknowledged.append(self.sandbox.deliver(items, SETTLE_SECONDS).seconds)
        if random.Random(f"{self.seed}{len(self.acknowledged)}").random() < AGAIN:  # noqa: S311  a draw, no secret
            self._deliver_apart(items)

    def _deliver_apart(self, items: Sequence[Item]) -> None:
        half = len(items) // 2
        for part in (items[half:], items[:half]):
            self.sandbox.deliver(list(reversed(part)), SETTLE_SECONDS)


@dataclass(frozen=True)
class Findings:
    """What came of it.

    Attributes:
        accepted: events that were acknowledged.
        answered: those that were answered.
        lost: those that were not.
        doubled: answers that came more than once, though nothing stood in the way of their echoes.
        doubled_for_two_failures: answers that came more than once, their echoes having failed as well.
        misordered: answers that came before one that should have come earlier.
        dead: dead letters.
        acknowledgement: seconds of each request.
        answer: seconds from the request to each event's first answer.
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

    def lines(self) -> Iterator[str]:
        """The figures, a line each."""
        for name in ("accepted", "answered", "lost", "doubled", "doubled_for_two_failures", "misordered", "dead"):
            yield f"{name.replace('_', ' '):26}{getattr(self, name):8}"
        for name in ("acknowledgement", "answer"):
            cuts = statistics.quantiles(getattr(self, name), n=100)
            yield f"{name:16} p50 {cuts[49]:8.3f} s   p99 {cuts[98]:8.3f} s"


def findings(crowd: Crowd) -> Findings:
    """Look for each event's answers among what the stand-in for the Graph API took."""
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
    """Let the events of a killed function come back after so many seconds."""
    sandbox.client("sqs").set_queue_attributes(
        QueueUrl=sandbox.outputs["queueUrl"], Attributes={"VisibilityTimeout": str(seconds)}
    )


@contextmanager
def killing(crowd: Crowd, pause: tuple[float, float]) -> Iterator[None]:
    """Meanwhile kill a function's process now and then.

    Args:
        crowd: whose sandbox.
        pause: the shortest and the longest time between two of them, in seconds.
    """
    ended, drawn = threading.Event(), random.Random(crowd.seed)  # noqa: S311  draws of a test, which are to repeat

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


def rage(sandbox: Sandbox, events: int, users: int, seed: int) -> Crowd:
    """Let so many people write so many events in all, with faults on all the while, and wait until all is quiet."""
    crowd = Crowd(sandbox, seed)
    if sandbox.facebook:
        sandbox.facebook.observe = crowd.watch
    people = [new_person() for _ in range(users)]
    share = PERSONS_A_REQUEST * EVENTS_A_PERSON
    waiting = threading.Semaphore()

    def post_on(poster: int) -> None:
        own = people[poster::POSTERS]
        for turn in range(-(-events // (share * POSTERS))):
            begin = turn * PERSONS_A_REQUEST % len(own)
            chosen = [own[(begin + number) % len(own)] for number in range(min(PERSONS_A_REQUEST, len(own)))]
            with waiting:
                while sandbox.waiting() > WAITING:
                    time.sleep(0.05)
            crowd.write(chosen, EVENTS_A_PERSON)
            if poster == 0 and turn % 10 == 0:
                print(f"{len(crowd.begun)} of {events} events …", file=sys.stderr, flush=True)

    sandbox.faults([fault | {"seed": seed + number} for number, fault in enumerate(GRAPH_FAULTS)])
    sandbox.aws_faults(AWS_FAULTS)
    with killing(crowd, (15.0, 45.0)), concurrent.futures.ThreadPoolExecutor(POSTERS) as pool:
        list(pool.map(post_on, range(POSTERS)))
    print(f"All is written; the function was killed {len(crowd.kills)} times.", file=sys.stderr, flush=True)
    sandbox.faults({})
    sandbox.aws_faults({})
    sandbox.settle(SETTLE_SECONDS)
    return crowd


def main() -> int:
    """The command line; exit status 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=10_000, help="how many are written (default: 10000)")
    parser.add_argument("--users", type=int, default=500, help="by how many people (default: 500)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of all that is drawn")
    asked = parser.parse_args()
    began = time.monotonic()
    try:
        with Sandbox() as sandbox:
            shorten_visibility(sandbox, VISIBILITY_SECONDS)
            found = findings(rage(sandbox, asked.events, asked.users, asked.seed))
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({"seed": asked.seed, "users": asked.users, "seconds": round(time.monotonic() - began)}))
    print("\n".join(found.lines()))
    return int(bool(found.lost or found.doubled or found.misordered or found.dead))


if __name__ == "__main__":
    sys.exit(main())
