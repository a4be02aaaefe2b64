"""A FIFO queue of SQS, as its developer guide describes it, in virtual time.

Source: Amazon SQS Developer Guide, "FIFO queues", "Exactly-once processing", "Visibility timeout", "Dead-letter
queues".
"""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.model.world import World

DEDUPLICATION_SECONDS = 300
RETENTION_SECONDS = 14 * 24 * 3600

Json = dict[str, Any]


@dataclass(slots=True, eq=False)
class Stored:
    """A message on a queue."""

    id: str
    group: str
    body: str
    sent: float
    visible: float = 0.0
    receives: int = 0

    @property
    def receipt(self) -> str:
        return f"{self.id}/{self.receives}"


class Fifo:
    """One queue.

    Args:
        world: the clock.
        visibility: for how long a received message is hidden, in seconds.
        most_receives: after so many receives a message goes to `dead`.
        dead: the dead-letter queue.

    Attributes:
        order: the bodies that were taken, in order.
        stored: what is on the queue now.
        on_change: called when something may have become receivable.
    """

    def __init__(self, world: World, visibility: float, most_receives: int = 0, dead: "Fifo | None" = None) -> None:
        self._world, self._visibility, self._most, self._dead = world, visibility, most_receives, dead
        self.order: list[str] = []
        self.stored: list[Stored] = []
        self.on_change: Callable[[], None] = lambda: None
        self._ids = itertools.count(1)
        self._taken: dict[tuple[str, str], float] = {}

    def send(self, entry: Json) -> Json:
        """Take one entry of a `SendMessageBatch`; one with a de-duplication id of the last five minutes is dropped."""
        group, once = entry["MessageGroupId"], entry["MessageDeduplicationId"]
        assert 1 <= len(group) <= 128, "SQS allows 128 characters"
        assert 1 <= len(once) <= 128, "SQS allows 128 characters"
        now = self._world.now
        if now - self._taken.get((group, once), float("-inf")) >= DEDUPLICATION_SECONDS:
            self._taken[group, once] = now
            self.put(group, entry["MessageBody"])
        return {"Id": entry["Id"], "MessageId": "m"}

    def put(self, group: str, body: str) -> None:
        """Append a message."""
        self.order.append(body)
        self.stored.append(Stored(f"q{next(self._ids)}", group, body, self._world.now))
        self._world.after(0, self.on_change)

    def receive(self, most: int) -> list[Stored]:
        """Up to so many messages, in order in each group, none of a group that has one in flight."""
        now = self._world.now
        for message in [each for each in self.stored if now - each.sent >= RETENTION_SECONDS]:
            self._world.note("", f"{message.id} is older than the queue keeps anything")
            self.stored.remove(message)
        closed = {each.group for each in self.stored if each.visible > now}
        given: list[Stored] = []
        for message in list(self.stored):
            if len(given) == most:
                break
            if message.group in closed:
                continue
            if self._dead is not None and message.receives >= self._most:
                self.stored.remove(message)
                self._dead.put(message.group, message.body)
                continue
            message.receives += 1
            message.visible = now + self._visibility
            given.append(message)
        for _ in given:
            self._world.after(self._visibility, self.on_change)
        return given

    def hide(self, receipt: str, seconds: float) -> bool:
        """Let a message in flight become visible in so many seconds; false for an old receipt."""
        for message in self.stored:
            if message.receipt == receipt and message.visible > self._world.now:
                message.visible = self._world.now + seconds
                self._world.after(seconds, self.on_change)
                return True
        return False

    def delete(self, receipt: str) -> None:
        """Delete a received message; an old receipt does nothing."""
        self.stored = [each for each in self.stored if each.receipt != receipt]
        self._world.after(0, self.on_change)

    @staticmethod
    def record(message: Stored) -> Json:
        """The message as Lambda hands it over in a batch."""
        return {
            "messageId": message.id,
            "receiptHandle": message.receipt,
            "body": message.body,
            "attributes": {
                "MessageGroupId": message.group,
                "ApproximateReceiveCount": str(message.receives),
                "SentTimestamp": str(round(message.sent * 1000)),
            },
        }

    def bodies(self) -> list[Json]:
        """What lies on the queue now."""
        return [json.loads(each.body) for each in self.stored]
