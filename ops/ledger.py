"""The ledger as an operator needs it: taking *dead* back, and finding what is kept about a person."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

from bot.aws.ledger import DEAD, EVENT_SECONDS, LET_GO, SETTLED, Key, Record, Stale
from bot.aws.ledger import Ledger as BotLedger
from ops.errors import OpsError

EVENT, USER = "event#", "user#"
"""What ids of `bot.aws.ledger`'s records begin with."""
TRIES = 5


class Fate(Enum):
    """What becomes of an event that is redriven."""

    ANEW = "its answers are worked out anew"
    ON = "goes on where it stopped"
    DONE = "was dealt with already"


def fate(record: Record) -> Fate:
    """What a redrive would do with an event of which the ledger has this record."""
    if record.outcome == SETTLED:
        return Fate.DONE
    if record.answers is None or (record.outcome == DEAD and _untouched(record)):
        return Fate.ANEW
    return Fate.ON


def _untouched(record: Record) -> bool:
    """Whether certainly nothing of the plan was sent."""
    return record.next == 0 and record.since is None and not record.echoed


class Ledger(BotLedger):
    """The bot's ledger, and what only an operator does with it."""

    def record(self, key: Key, page: str) -> Record:
        """What the ledger knows of an event."""
        return self.read(key, page).record

    def revive(self, key: Key, page: str) -> Fate:
        """Let a dead event live: the next run of the worker takes it up again.

        If nothing of its plan was sent, the plan goes too, so that a mended bot plans anew; else the event goes on with
        its plan behind what was sent. An event that is not dead is left alone: a run may just be at it.

        Raises:
            OpsError: others keep changing the record.
        """
        for _ in range(TRIES):
            record = self.record(key, page)
            if record.outcome != DEAD:
                return fate(record)
            try:
                self._revive(key, record)
            except Stale:
                continue
            return fate(record)
        raise OpsError("The ledger's record of an event keeps changing: is someone else redriving? Try again.")

    def _revive(self, key: Key, record: Record) -> None:
        gone = ["outcome", "faults", "attempts"]
        values: dict[str, Any] = {":expires": self._expires(EVENT_SECONDS), ":dead": {"S": DEAD}}
        conditions = ["outcome = :dead"]
        if record.answers is not None:
            values |= {":read_next": {"N": str(record.next)}}
            conditions.append("#next = :read_next")
            if record.since is None:
                conditions.append("attribute_not_exists(since)")
            else:
                values |= {":read_since": {"N": str(record.since)}}
                conditions.append("since = :read_since")
            if _untouched(record):
                conditions.append("attribute_not_exists(echoed)")
                gone += ["answers", "#next"]
        else:
            conditions.append("attribute_not_exists(answers)")
        update = f"SET expires = :expires REMOVE {', '.join(gone)}"
        self._update(key, update, values, " AND ".join(conditions))

    def dropped(self, key: Key) -> None:
        """Let go of a dead event's plan: its letter is gone, so nobody will go on with it."""
        values = {":settled": {"S": SETTLED}, ":dead": {"S": DEAD}}
        try:
            self._update(key, f"SET outcome = :settled {LET_GO}", values, "outcome = :dead")
        except Stale:
            return  # it was never dead, or is not any longer: a run may just be at it

    def events_of(self, user: str) -> Iterator[Key]:
        """The events of which something about a person is kept.

        Args:
            user: the fingerprint of page and person.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "FilterExpression": "#user = :user AND begins_with(id, :event)",
            "ProjectionExpression": "id",
            "ExpressionAttributeNames": {"#user": "user"},
            "ExpressionAttributeValues": {":user": {"S": user}, ":event": {"S": EVENT}},
            "ConsistentRead": True,
        }
        while True:
            answer = self._call("Scan", request)
            for item in answer.get("Items", []):
                yield Key(user, item["id"]["S"].removeprefix(EVENT))
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def has_state(self, user: str) -> bool:
        """Whether a state of this person is kept."""
        return self.read(Key(user, user), user).version > 0

    def forget_state(self, user: str) -> None:
        """Delete a person's state."""
        self._call("DeleteItem", {"TableName": self._table, "Key": {"id": {"S": f"{USER}{user}"}}})
