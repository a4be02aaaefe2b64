"""The queue's side of the function: a batch of messages, in which each user's events keep their order.

Whatever has to wait goes back to the queue, with all later events of its user. Only an event that is itself at fault,
several times, leaves the order and goes to the dead letters.
"""

import contextlib
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from bot.aws.client import AwsError
from bot.aws.ledger import Key, Ledger, Reading, Record
from bot.aws.queues import Queues, unusable_letters
from bot.log import WAITING_KIND, about, log
from bot.messenger import events
from bot.responder import QUEUE_SECONDS, RETRIABLE, Answered, Responder, RetryLater, Task, where
from bot.settlements import Settlements

Json = dict[str, Any]

# How long an event waits in the queue: a quarter of its age, and less than the hour in which an alarm looks for it.
SHORTEST_WAIT, LONGEST_WAIT, WAIT_SHARE = 2, 1800, 0.25
# SQS makes a dead letter of a message after 1,000 receives. With these waits, 14 days take about 900: at least 14 days
# times (receives / 1,000)**4, so 2 s after the 36th and 30 min after the 196th.
MOST_RECEIVES, RETENTION_SECONDS = 1000, 14 * 24 * 60 * 60
# One read takes 100 records: those of so many events of one user, of the user and of the page.
READ_TOGETHER = 98


class Group(NamedTuple):
    """What a batch holds of one message group.

    Attributes:
        deliveries: the queue's records, in order.
        reading: of the ledger, if it knows nothing yet of the first event; else None.
    """

    deliveries: Sequence[Json]
    reading: Reading | None


class Mapper(Protocol):
    """What is needed of a thread pool."""

    def __call__(self, work: Callable[[Group], list[str]], groups: Iterable[Group], /) -> Iterable[list[str]]:
        """Apply `work` to each group and return the results in the order of the groups."""


class Worker:
    """Works on batches from the event queue.

    Args:
        ledger: what was seen, planned and sent.
        queues: where what has to wait, or is unusable, goes.
        responder: responds to the single event.
        message_bytes: the longest message that the queues take.
        now: the clock, in seconds since the epoch.
        mapper: works on several groups at the same time, as a thread pool's `map` does, or one after the other.
    """

    def __init__(
        self,
        ledger: Ledger,
        queues: Queues,
        responder: Responder,
        *,
        message_bytes: int,
        now: Callable[[], float] = time.time,
        mapper: Mapper = map,
    ) -> None:
        self._ledger, self._queues, self._responder = ledger, queues, responder
        self._message_bytes, self._now, self._mapper = message_bytes, now, mapper

    def handle(self, batch: Json, remaining: Callable[[], float]) -> Json:
        """Work on one batch.

        Args:
            batch: Lambda's event for an SQS event source.
            remaining: how many seconds this run has left.

        Returns:
            The partial batch response: what goes back to the queue.
        """
        groups: dict[str, list[Json]] = {}
        for delivery in batch["Records"]:
            groups.setdefault(delivery["attributes"]["MessageGroupId"], []).append(delivery)
        readings = self._read_ahead([deliveries[0] for deliveries in groups.values()]) if len(groups) > 1 else {}
        settlements = Settlements(self._responder.settle)
        failed = self._mapper(
            lambda group: self._in_order(group, settlements, remaining),
            [Group(deliveries, readings.get(deliveries[0]["messageId"])) for deliveries in groups.values()],
        )
        back = [each for group in failed for each in group]
        for delivery in (each.task.delivery for each in settlements.open):
            if delivery["messageId"] not in back:
                self._hand_back([delivery], "its answers were sent and could not be settled", None)
                back.append(delivery["messageId"])
        return {"batchItemFailures": [{"itemIdentifier": each} for each in back]}

    def _read_ahead(self, deliveries: Sequence[Json]) -> dict[str, Reading]:
        """One reading of the ledger for the first events of several messages, by the message's id.

        Only of events that the ledger does not know yet. For others, the ledger may know more by their turn, such as an
        echo. If this read fails, each group reads for itself.
        """
        keys: dict[str, Key] = {}
        pages: dict[Key, str] = {}
        for delivery in deliveries:
            with contextlib.suppress(Exception):
                first = Task.of(message := _message(delivery), message["items"][0], delivery)
                if not isinstance(first.event, events.Echo):
                    keys[delivery["messageId"]], pages[first.key] = first.key, first.event.page
        try:
            found = self._ledger.read_all(pages) if pages else {}
        except AwsError:
            return {}
        return {identity: found[key] for identity, key in keys.items() if found[key].record == Record()}

    def _in_order(self, group: Group, settlements: Settlements, remaining: Callable[[], float]) -> list[str]:
        """Work on the messages of one group, one after the other; the ids of those that go back to the queue.

        An event is settled before the next one of its group begins, and the last one together with those of others.
        """
        reading = group.reading
        for number in range(len(group.deliveries)):
            rest = group.deliveries[number:]
            try:
                answered = self._deliver(rest, reading, remaining)
                if answered and len(rest) > 1:
                    self._responder.settle([answered])
                elif answered:
                    settlements.add(answered)
            except RETRIABLE as reason:
                self._hand_back(rest, str(reason), reason.seconds if isinstance(reason, RetryLater) else None)
            except Exception as defect:  # noqa: BLE001  one user's failure must not undo other users' work
                log("ERROR", "defect", reason=type(defect).__name__, at=where(defect))
                self._hand_back(rest, "a defect of the worker", None)
            else:
                reading = None
                continue
            return [each["messageId"] for each in rest]
        return []

    def _deliver(
        self, rest: Sequence[Json], reading: Reading | None, remaining: Callable[[], float]
    ) -> Answered | None:
        """Work on the first of some messages of a group: the events of one user in one request of Facebook's.

        Returns:
            The last event, if it is left to be settled.
        """
        delivery = rest[0]
        about(message=delivery["messageId"])
        try:
            message = _message(delivery)
        except (ValueError, KeyError, TypeError, RecursionError):
            letters = unusable_letters("not a message of ours", delivery["body"].encode(), self._message_bytes)
            self._queues.bury(letters, self._queues.deadline(QUEUE_SECONDS))
            log("ERROR", "dead_letter", reason="not a message of ours")
            return None
        tasks: Sequence[Task] = [Task.of(message, item, delivery) for item in message["items"]]
        if reading is None and len(tasks) > 1 and tasks[0].receives > 1 and not isinstance(tasks[0].event, events.Echo):
            tasks, reading = self._without_settled(tasks)
        answered = None
        for number, task in enumerate(tasks, 1):
            if answered:
                self._responder.settle([answered])
            about(**task.ids)
            behind = _behind(tasks[number:], rest[1:])
            answered = self._responder.respond(task, reading, remaining, behind)
            reading = None
        return answered

    def _without_settled(self, tasks: Sequence[Task]) -> tuple[Sequence[Task], Reading | None]:
        """Leave out what the ledger says has ended, of the events of a message that came before.

        All are read at once: if each took a call of its own, slow calls could use up every run before the first event
        that is left.

        Returns:
            The events that are left, and the reading of the first.
        """
        while tasks:
            found = self._ledger.read_all({each.key: each.event.page for each in tasks[:READ_TOGETHER]})
            left = []
            for each in tasks[:READ_TOGETHER]:
                if found[each.key].record.outcome:
                    about(**each.ids)
                    log("INFO", "seen_before")
                else:
                    left.append(each)
            tasks = [*left, *tasks[READ_TOGETHER:]]
            if left:
                return tasks, found[left[0].key]
        return [], None

    def _hand_back(self, deliveries: Sequence[Json], reason: str, seconds: float | None) -> None:
        """Let a message and all later ones of its group wait: `seconds`, or if None a time that grows with its age."""
        age = self._now() - int(deliveries[0]["attributes"]["SentTimestamp"]) / 1000
        if seconds is None:
            seconds = age * WAIT_SHARE
        receives = int(deliveries[0]["attributes"]["ApproximateReceiveCount"])
        least = max(SHORTEST_WAIT, RETENTION_SECONDS * (receives / MOST_RECEIVES) ** 4)
        seconds = min(max(seconds, least), LONGEST_WAIT) * random.uniform(1, 1.2)
        about(message=deliveries[0]["messageId"], ids=[each for delivery in deliveries for each in _ids(delivery)])
        log("WARN", WAITING_KIND, reason=reason, age=round(age), seconds=round(seconds), messages=len(deliveries))
        try:
            self._queues.hide([each["receiptHandle"] for each in deliveries], round(seconds))
        except AwsError as error:
            log("WARN", "not_hidden", reason=str(error))


def _behind(tasks: Iterable[Task], later: Sequence[Json]) -> Iterator[Task]:
    """The events that are left of a message, and then those of later messages, as far as they are ours."""
    yield from tasks
    for each in later:
        try:
            message = _message(each)
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        for item in message["items"]:
            yield Task.of(message, item, each)


def _message(delivery: Json) -> Json:
    """The message that the queue delivers.

    Raises:
        ValueError, KeyError, TypeError, RecursionError: the webhook did not write it.
    """
    message = json.loads(delivery["body"])
    page, platform, items = str(message["page"]), str(message["object"]), list(message["items"])
    # Of a notice, and of what an earlier version of the webhook wrote, no request is known.
    request = str(message.get("request", ""))
    return {"object": platform, "page": page, "received": int(message["received"]), "request": request, "items": items}


def _ids(delivery: Json) -> list[str]:
    """The fingerprints of a message's events; none if it is not a message of ours."""
    try:
        message = _message(delivery)
        return [Task.of(message, item, delivery).key.event for item in message["items"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
