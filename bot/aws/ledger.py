"""What was seen, planned and sent, and each user's state: one DynamoDB table with the key `id`.

`event#…` is what is known of an event, `user#…` a user's state, `page#…` until when a page may not send, `refused#…` to
whom Facebook refused a message with one error, `template#…` what Facebook last reported about a template. An event's
record holds what is planned and how far it got. Once all is sent, only the fact remains that this event needs no
answer, and nothing about its user. One write says both that an answer was sent and that the next one is being tried, so
that after a crash it is known whether a send was tried.

Messages that are answered together have one plan, in the record of the first. The write of the plan settles the others.
"""

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bot.aws.client import Aws, AwsError
from bot.aws.compact import compact

DAY_SECONDS = 24 * 60 * 60
# Longer than both queues together can hold an event, 14 days each.
EVENT_SECONDS = 29 * DAY_SECONDS
CALL_SECONDS = 1.0
SETTLED, DEAD = "settled", "dead"
EVENT = "event#"
# Refusals of several people's messages count together if they come within half of this time, and may within all of it.
REFUSAL_SECONDS = 20 * 60
PERSON = 12  # characters of a user's fingerprint: enough to count people, too few to find one
CHANGE_TRIES = 5
# From a record once no more answers are needed: whatever says something about its user.
DELETE_PLAN = "REMOVE answers, together, #next, since, awaited, echoed, faults, attempts, #user"
# Why DynamoDB cancels a transaction if another run went on with a record: "TransactWriteItems" of its API reference.
OVERTAKEN = frozenset({"ConditionalCheckFailed", "TransactionConflict"})

Json = dict[str, Any]

# The change that settles an event, its values, and how to see that it was made before.
SETTLE: tuple[str, Json, str] = (
    f"SET outcome = :settled {DELETE_PLAN}",
    {":settled": {"S": SETTLED}},
    "outcome = :settled",
)


class Stale(Exception):
    """The record has changed since it was read, or is being changed: another run went on with it."""


class Key(NamedTuple):
    """Where an event's record is: the fingerprints of page and user, and of the event."""

    user: str
    event: str


class Template(NamedTuple):
    """A template of a page, in one language."""

    page: str
    name: str
    language: str


class Record(NamedTuple):
    """What the ledger knows of an event.

    Attributes:
        outcome: empty while it is under way, else `settled` or `dead`.
        answers: the planned requests to the Send API; None before they are planned.
        next: which of them is to be sent next.
        since: when sending that one began, in ms since the epoch; None if it certainly has not been sent.
        awaited: until when to wait for its echo, in ms since the epoch; None until a later run looks for it.
        echoed: those whose echo came from the page.
        faults: how often the event itself was at fault.
        attempts: how often a run began to plan its answers, without a recorded end.
        together: the other events that the plan answers: the fingerprint of each, with its item.
    """

    outcome: str = ""
    answers: tuple[Json, ...] | None = None
    next: int = 0
    since: int | None = None
    awaited: int | None = None
    echoed: frozenset[int] = frozenset()
    faults: int = 0
    attempts: int = 0
    together: tuple[tuple[str, Json], ...] = ()

    @property
    def untouched(self) -> bool:
        """Whether certainly nothing of the plan was sent."""
        return self.next == 0 and self.since is None and not self.echoed


class Reading(NamedTuple):
    """One reading of the ledger.

    Attributes:
        record: the event's.
        state: the user's, empty if there is none.
        version: of the state, which a plan must name.
        paused_until: when the page may send again, in ms since the epoch.
    """

    record: Record
    state: Json
    version: int
    paused_until: int


class Ledger:
    """Reads and writes the table.

    Args:
        aws: the client.
        table: its name.
        state_days: how many days a user's state is kept after the last change.
        now: the clock, in seconds since the epoch.
    """

    def __init__(self, aws: Aws, table: str, state_days: int, now: Callable[[], float] = time.time) -> None:
        self._aws, self._table, self._state_days, self._now = aws, table, state_days, now

    def read(self, key: Key, page: str) -> Reading:
        """The records of an event, its user's state and its page's pause, as last written.

        Raises:
            AwsError: AWS refuses or does not answer; every method here raises it.
        """
        return self.read_all({key: page})[key]

    def read_all(self, pages: Mapping[Key, str]) -> dict[Key, Reading]:
        """The same for several events, at most 30, or 98 of one user, in one call; errors as of `read`.

        Args:
            pages: the page of each event.
        """
        ids = dict.fromkeys(each for key, page in pages.items() for each in (_event(key), _user(key.user), _page(page)))
        found = self._found(ids)
        return {key: self._reading(found, key, page) for key, page in pages.items()}

    def state(self, user: str) -> Json:
        """A user's state, as last written; errors as of `read`."""
        record = _user(user)
        return self._state(self._found([record]).get(record, {}))

    def _found(self, ids: Iterable[str]) -> dict[str, Json]:
        """The records with these ids that there are, in one call."""
        keys = [{"id": {"S": each}} for each in ids]
        answer = self._call("BatchGetItem", {"RequestItems": {self._table: {"Keys": keys, "ConsistentRead": True}}})
        if answer.get("UnprocessedKeys"):
            raise AwsError("BatchGetItem", "ThrottlingException", 400)
        return {item["id"]["S"]: item for item in answer["Responses"].get(self._table, [])}

    def _state(self, user: Json) -> Json:
        """The state in a user's record. DynamoDB deletes what has expired within days, not at once."""
        kept = user and int(user["expires"]["N"]) > self._now()
        state: Json = json.loads(user["state"]["S"]) if kept else {}
        return state

    def _reading(self, found: Mapping[str, Json], key: Key, page: str) -> Reading:
        event, user, pause = (found.get(each, {}) for each in (_event(key), _user(key.user), _page(page)))
        return Reading(
            _record(event),
            self._state(user),
            int(user["version"]["N"]) if user else 0,
            int(pause["until"]["N"]) if pause else 0,
        )

    def plan(
        self,
        key: Key,
        answers: Sequence[Json],
        state: Json | None,
        version: int,
        together: Sequence[tuple[str, Json]] = (),
    ) -> Record:
        """Store planned answers and new state in one transaction, and that the first answer is being sent.

        Args:
            key: the event's.
            answers: requests to the Send API; if there are none, the event is settled.
            state: the user's new state; None if it did not change, an empty one to delete it.
            version: of the state before it.
            together: other events that these answers answer as well, as in `Record`; they are settled.

        Returns:
            The event's record as it is now.

        Raises:
            Stale: another run planned for this event, changed the state, or knows one of the other events.
        """
        since = self._milliseconds()
        item: Json = {"id": {"S": _event(key)}, "expires": self._expires(EVENT_SECONDS)}
        if answers:
            item |= {
                "user": {"S": key.user},
                "answers": {"S": compact(list(answers))},
                "next": _n(0),
                "since": _n(since),
            }
            if together:
                item["together"] = {"S": compact(list(together))}
        else:
            item |= {"outcome": {"S": SETTLED}}
        new = "attribute_not_exists(answers) AND attribute_not_exists(outcome)"
        writes: list[Json] = [{"Put": {"TableName": self._table, "Item": item, "ConditionExpression": new}}]
        if state is not None:
            writes.append(self._state_write(key.user, state, version))
        for other, _ in together:
            item = {"id": {"S": f"{EVENT}{other}"}, "outcome": {"S": SETTLED}, "expires": self._expires(EVENT_SECONDS)}
            writes.append({"Put": {"TableName": self._table, "Item": item, "ConditionExpression": new}})
        self._transact(writes)
        if not answers:
            return Record(outcome=SETTLED)
        return Record(answers=tuple(answers), since=since, together=tuple(together))

    def sending(self, key: Key, record: Record, number: int) -> Record:
        """Record that all answers before `number` were sent, and that this one is being sent now.

        Raises:
            Stale: another run went on with the event.
        """
        since = max(self._milliseconds(), (record.since or 0) + 1)
        values = {":next": _n(number), ":since": _n(since)}
        done = "#next = :next AND since = :since"
        self._advance(key, record, "SET #next = :next, since = :since REMOVE awaited", values, done)
        return record._replace(next=number, since=since, awaited=None)

    def awaiting(self, key: Key, record: Record, until: float) -> None:
        """Record until when, in seconds since the epoch, to wait for the next answer's echo; raises as `sending`."""
        values = {":awaited": _n(round(until * 1000))}
        self._advance(key, record, "SET awaited = :awaited", values, "awaited = :awaited")

    def stopped(self, key: Key, record: Record, number: int) -> Record:
        """Record that all answers before `number` were sent, and this one certainly not; raises as `sending` does."""
        done = "#next = :next AND attribute_not_exists(since)"
        self._advance(key, record, "SET #next = :next REMOVE since, awaited", {":next": _n(number)}, done)
        return record._replace(next=number, since=None, awaited=None)

    def settle(self, key: Key, record: Record) -> None:
        """Record that the event needs no more answers, and delete its plan; raises as `sending` does."""
        self._advance(key, record, *SETTLE)

    def settle_all(self, records: Mapping[Key, Record]) -> None:
        """The same for several events, at most 100, in one write.

        Raises:
            Stale: none of them is settled, as one has changed or is being changed.
        """
        self._transact([{"Update": self._advanced(key, record, *SETTLE)} for key, record in records.items()])

    def bury(self, key: Key) -> None:
        """Record that the event went to the dead letters. Its plan is kept: a redrive goes on with it."""
        values = {":outcome": {"S": DEAD}, ":user": {"S": key.user}, ":expires": self._expires(EVENT_SECONDS)}
        self._update(key, "SET outcome = :outcome, #user = :user, expires = :expires", values)

    def add(self, key: Key, what: str, occasion: str) -> int:
        """Add an occasion to the event's `faults` or `attempts`, and return how many there are now.

        Args:
            key: the event's.
            what: `faults` or `attempts`.
            occasion: its name; the same one counts once, so that a call without an answer can be repeated.

        Raises:
            Stale: another run has settled or buried the event.
        """
        values = {":one": {"SS": [occasion]}, ":expires": self._expires(EVENT_SECONDS)}
        update = f"ADD {what} :one SET expires = :expires"
        answer = self._update(key, update, values, "attribute_not_exists(outcome)", "UPDATED_NEW")
        return len(answer["Attributes"][what]["SS"])

    def take_back(self, key: Key, what: str, occasion: str) -> None:
        """Take an occasion away again, if it was added; arguments as of `add`."""
        with contextlib.suppress(Stale):
            self._update(key, f"DELETE {what} :one", {":one": {"SS": [occasion]}}, f"attribute_exists({what})")

    def echoed(self, key: Key, number: int) -> None:
        """Record that the page's echo of an answer came, if the event is still under way."""
        values = {":number": {"NS": [str(number)]}}
        with contextlib.suppress(Stale):
            self._update(key, "ADD echoed :number", values, "attribute_exists(answers)")

    def pause(self, page: str, seconds: float) -> None:
        """Pause all sends of a page for so many seconds from now."""
        until = {"until": _n(self._milliseconds() + round(seconds * 1000)), "expires": self._expires(DAY_SECONDS)}
        self._call("PutItem", {"TableName": self._table, "Item": {"id": {"S": _page(page)}} | until})

    def refused(self, page: str, number: int, user: str) -> int:
        """Note that Facebook refused a message to a user, and return to how many users it did so within minutes.

        Args:
            page: the page.
            number: Facebook's error, by its subcode or else its code.
            user: the fingerprint of page and user.
        """
        window = int(self._now() // (REFUSAL_SECONDS / 2))
        values = {":user": {"SS": [user[:PERSON]]}, ":expires": self._expires(REFUSAL_SECONDS)}
        counts = []
        for each in (window, window + 1):  # they overlap: whatever comes at about the same time is in one of them
            request: Json = {
                "TableName": self._table,
                "Key": {"id": {"S": f"refused#{page}#{number}#{each}"}},
                "UpdateExpression": "ADD people :user SET expires = :expires",
                "ExpressionAttributeValues": values,
                "ReturnValues": "UPDATED_NEW",
            }
            counts.append(len(self._call("UpdateItem", request)["Attributes"]["people"]["SS"]))
        return max(counts)

    def change_state(self, user: str, change: Callable[[Json], Json]) -> None:
        """Change a user's state outside of any event of theirs; the next plan for them must know of it.

        Args:
            user: the fingerprint of page and user.
            change: makes the new state of the present one; called again if another run has changed it meanwhile.

        Raises:
            Stale: others keep changing it.
        """
        for _ in range(CHANGE_TRIES):
            reading = self.read(Key(user, ""), "")
            if (state := change(reading.state)) == reading.state:
                return
            with contextlib.suppress(Stale):
                self._transact([self._state_write(user, state, reading.version)])
                return
        raise Stale

    def forget(self, key: Key) -> None:
        """Delete what is planned for an event, which will never be answered; only that it was seen stays."""
        values = {":settled": {"S": SETTLED}, ":expires": self._expires(EVENT_SECONDS)}
        self._update(key, f"SET outcome = :settled, expires = :expires {DELETE_PLAN}", values)

    # For operators

    def template_reviewed(self, template: Template, status: str, reported: int) -> None:
        """Note what Facebook reported about a template, unless something newer is known.

        Args:
            template: which one.
            status: such as `APPROVED`.
            reported: when the report came, in ms since the epoch.
        """
        request: Json = {
            "TableName": self._table,
            "Key": {"id": {"S": _template(template)}},
            "UpdateExpression": "SET review = :status, reported = :reported",
            "ConditionExpression": "attribute_not_exists(reported) OR reported <= :reported",
            "ExpressionAttributeValues": {":status": {"S": status}, ":reported": _n(reported)},
        }
        with contextlib.suppress(Stale):
            self._send_update(request)

    def template_status(self, template: Template) -> str:
        """What Facebook last reported about a template; "" if it never did."""
        return "".join(item["review"]["S"] for item in self._found([_template(template)]).values())

    def revive(self, key: Key, page: str) -> Record:
        """Make a dead event live: the next run of the worker takes it up again.

        If nothing of its plan was sent, the plan goes too, so that a repaired bot plans again, for this event and for
        those that the plan answers as well; else the event goes on behind what was sent. An event that is not dead is
        left alone: a run may be at it.

        Returns:
            The event's record as it was.

        Raises:
            Stale: others keep changing the record.
        """
        for _ in range(CHANGE_TRIES):
            record = self.read(key, page).record
            if record.outcome != DEAD:
                return record
            with contextlib.suppress(Stale):
                self._revive(key, record)
                return record
        raise Stale

    def abandon(self, key: Key) -> None:
        """Delete a dead event's plan: its letter is gone, so nobody will go on with it."""
        values = {":settled": {"S": SETTLED}, ":dead": {"S": DEAD}}
        with contextlib.suppress(Stale):  # it was never dead, or is not any longer: a run may be at it
            self._update(key, f"SET outcome = :settled {DELETE_PLAN}", values, "outcome = :dead")

    def events_of(self, user: str) -> Iterator[Key]:
        """The events of which something about a user is kept.

        Args:
            user: the fingerprint of page and user.
        """
        request: Json = {
            "TableName": self._table,
            "FilterExpression": "#user = :user AND begins_with(id, :event)",
            "ProjectionExpression": "id",
            "ExpressionAttributeNames": {"#user": "user"},
            "ExpressionAttributeValues": {":user": {"S": user}, ":event": {"S": EVENT}},
            "ConsistentRead": True,
        }
        for item in self._scan(request):
            yield Key(user, item["id"]["S"].removeprefix(EVENT))

    def states_with(self, part: str) -> Iterator[Json]:
        """Every user's state that has a part of this name."""
        request: Json = {
            "TableName": self._table,
            "FilterExpression": "begins_with(id, :user) AND contains(#state, :part) AND expires > :now",
            "ProjectionExpression": "#state",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":user": {"S": _user("")},
                ":part": {"S": f"{compact(part)}:"},
                ":now": self._expires(0),
            },
        }
        states = (json.loads(item["state"]["S"]) for item in self._scan(request))
        return (state for state in states if part in state)

    def _scan(self, request: Json) -> Iterator[Json]:
        while True:
            answer = self._call("Scan", request)
            yield from answer.get("Items", [])
            if "LastEvaluatedKey" not in answer:
                return
            request = request | {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def has_state(self, user: str) -> bool:
        """Whether a state of this user is kept."""
        return self.read(Key(user, ""), "").version > 0

    def forget_state(self, user: str) -> None:
        """Delete a user's state."""
        self._call("DeleteItem", {"TableName": self._table, "Key": {"id": {"S": _user(user)}}})

    def _revive(self, key: Key, record: Record) -> None:
        gone, others = ["outcome", "faults", "attempts"], []
        values: Json = {":expires": self._expires(EVENT_SECONDS), ":dead": {"S": DEAD}}
        conditions = ["outcome = :dead"]
        if record.answers is None:
            conditions.append("attribute_not_exists(answers)")
        else:
            unchanged, read = _unchanged(record)
            conditions.append(unchanged)
            values |= read
            if record.untouched:
                conditions.append("attribute_not_exists(echoed)")
                gone += ["answers", "#next", "together"]
                others = [Key(key.user, other) for other, _ in record.together]
        update = f"SET expires = :expires REMOVE {', '.join(gone)}"
        writes = [self._updated(key, update, values, " AND ".join(conditions))]
        for other in others:
            settled = {":settled": {"S": SETTLED}}
            writes.append(self._updated(other, "REMOVE outcome", settled, "outcome = :settled"))
        self._transact([{"Update": write} for write in writes])

    def _state_write(self, user: str, state: Json, version: int) -> Json:
        condition: Json = {"TableName": self._table, "ConditionExpression": "attribute_not_exists(id)"}
        if version:
            condition["ConditionExpression"] = "version = :version"
            condition["ExpressionAttributeValues"] = {":version": _n(version)}
        if not state:
            return {"Delete": condition | {"Key": {"id": {"S": _user(user)}}}}
        item = {
            "id": {"S": _user(user)},
            "state": {"S": compact(state)},
            "version": _n(version + 1),
            "expires": self._expires(self._state_days * DAY_SECONDS),
        }
        return {"Put": condition | {"Item": item}}

    def _advance(self, key: Key, record: Record, update: str, values: Json, done: str) -> None:
        """Make the change that `_advanced` describes."""
        self._send_update(self._advanced(key, record, update, values, done))

    def _advanced(self, key: Key, record: Record, update: str, values: Json, done: str) -> Json:
        """A change of a record that is as it was read, or on which this same change was made before.

        The second is for a call that AWS carried out without an answer, and that is then repeated.
        """
        unchanged, read = _unchanged(record)
        return self._updated(key, update, values | read, f"({unchanged}) OR ({done})")

    def _update(self, key: Key, update: str, values: Json, condition: str = "", wanted: str = "NONE") -> Json:
        return self._send_update(self._updated(key, update, values, condition) | {"ReturnValues": wanted})

    def _updated(self, key: Key, update: str, values: Json, condition: str) -> Json:
        request: Json = {
            "TableName": self._table,
            "Key": {"id": {"S": _event(key)}},
            "UpdateExpression": update,
            "ExpressionAttributeValues": values,
        }
        if condition:
            request["ConditionExpression"] = condition
        names = {"#next": "next", "#user": "user"}
        used = {short: name for short, name in names.items() if short in update + condition}
        return request | ({"ExpressionAttributeNames": used} if used else {})

    def _send_update(self, request: Json) -> Json:
        try:
            return self._call("UpdateItem", request)
        except AwsError as error:
            if error.code == "ConditionalCheckFailedException":
                raise Stale from None
            raise

    def _transact(self, writes: Sequence[Json]) -> None:
        try:
            self._call("TransactWriteItems", {"TransactItems": writes, "ClientRequestToken": uuid.uuid4().hex})
        except AwsError as error:
            if OVERTAKEN & set(error.reasons):
                raise Stale from None
            raise

    def _call(self, operation: str, request: Json) -> Json:
        return self._aws.call("dynamodb", operation, request, timeout=CALL_SECONDS)

    def _milliseconds(self) -> int:
        return round(self._now() * 1000)

    def _expires(self, seconds: float) -> Json:
        return _n(round(self._now() + seconds))


def _unchanged(record: Record) -> tuple[str, Json]:
    """The condition that a record got no further than it was read, with its values."""
    if record.since is None:
        return "#next = :read_next AND attribute_not_exists(since)", {":read_next": _n(record.next)}
    read = {":read_next": _n(record.next), ":read_since": _n(record.since)}
    return "#next = :read_next AND since = :read_since", read


def _event(key: Key) -> str:
    return f"{EVENT}{key.event}"


def _user(user: str) -> str:
    return f"user#{user}"


def _page(page: str) -> str:
    return f"page#{page}"


def _template(template: Template) -> str:
    return f"template#{'#'.join(template)}"


def _n(number: int) -> Json:
    return {"N": str(number)}


def _record(item: Json) -> Record:
    def number(name: str) -> int | None:
        return int(item[name]["N"]) if name in item else None

    def occasions(name: str) -> int:
        return len(item[name]["SS"]) if name in item else 0

    return Record(
        outcome=item["outcome"]["S"] if "outcome" in item else "",
        answers=tuple(json.loads(item["answers"]["S"])) if "answers" in item else None,
        next=number("next") or 0,
        since=number("since"),
        awaited=number("awaited"),
        echoed=frozenset(int(each) for each in item["echoed"]["NS"]) if "echoed" in item else frozenset(),
        faults=occasions("faults"),
        attempts=occasions("attempts"),
        together=tuple(map(tuple, json.loads(item["together"]["S"]))) if "together" in item else (),
    )
