"""What only an operator does with the bot's ledger: revive dead events, and find what is kept about a person."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

from bot.aws.ledger import DEAD, EVENT_SECONDS, LET_GO, SETTLED, Key, Record, Stale
from bot.aws.ledger import Ledger as BotLedger
from ops.errors import OpsError

EVENT, USER = "event#", "user#"
"""The prefixes of the record ids in `bot.aws.ledger`."""
TRIES = 5


class Outcome(Enum):
    """What a redrive does with an event."""

    STARTS_OVER = "its answers are planned again"
    CONTINUES = "continues where it stopped"
    DONE = "was handled already"


def outcome(record: Record) -> Outcome:
    """What a redrive does with an event that has this record."""
    if record.outcome == SETTLED:
        return Outcome.DONE
    if record.answers is None or (record.outcome == DEAD and _untouched(record)):
        return Outcome.STARTS_OVER
    return Outcome.CONTINUES


def _untouched(record: Record) -> bool:
    """Whether certainly none of the planned answers was sent."""
    return record.next == 0 and record.since is None and not record.echoed


class Ledger(BotLedger):
    """The bot's ledger with an operator's methods."""

    def record(self, key: Key, page: str) -> Record:
        """An event's record."""
        return self.read(key, page).record

    def revive(self, key: Key, page: str) -> Outcome:
        """Revive a dead event: the worker handles it again when it arrives.

        If none of its answers was sent, its plan is deleted, so that the corrected bot plans again. Otherwise it
        continues its plan behind what was sent. An event that is not dead is left alone: the worker may be handling it.

        Raises:
            OpsError: the record keeps changing.
        """
        for _ in range(TRIES):
            record = self.record(key, page)
            if record.outcome != DEAD:
                return outcome(record)
            try:
                self._revive(key, record)
            except Stale:
                continue
            return outcome(record)
        raise OpsError(
            "The ledger's record of an event keeps changing: check whether someone else is redriving, and try again."
        )

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
        """Delete the plan of a dead event whose letter is gone: nobody will continue it."""
        values = {":settled": {"S": SETTLED}, ":dead": {"S": DEAD}}
        try:
            self._update(key, f"SET outcome = :settled {LET_GO}", values, "outcome = :dead")
        except Stale:
            return  # it is not dead: the worker may be handling it

    def events_of(self, user: str) -> Iterator[Key]:
        """The events for which something about a person is kept.

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
        """Whether this person's state is kept."""
        return self.read(Key(user, user), user).version > 0

    def forget_state(self, user: str) -> None:
        """Delete a person's state."""
        self._call("DeleteItem", {"TableName": self._table, "Key": {"id": {"S": f"{USER}{user}"}}})
