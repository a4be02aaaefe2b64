"""Notes each event's steps as they are seen between the parts; the bot itself needs no change for it.

It looks on where the sandbox is anyway: where webhooks are posted, where the function calls AWS, and where it calls
Facebook. It never looks into what can hold a secret: parameters of Systems Manager, headers.
"""

import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from bot.aws.queues import fingerprint
from bot.messenger import events
from sandbox.aws.proxy import Called
from sandbox.facebook.request_log import GraphCall
from sandbox.facebook.webhooks import Posted
from sandbox.page.feed import Feed
from sandbox.page.records import dead_letter, ledger_record, parsed

Json = dict[str, Any]
SETTLED_SECONDS = 0.5

# What a change of an event's record means, by a part of its update expression; the first that matches.
MEANINGS = (
    ("outcome = :settled", "done"),
    ("outcome = :outcome", "dead"),
    ("ADD echoed", "echo_noted"),
    ("ADD faults", "fault_counted"),
    ("ADD attempts", "attempt_counted"),
    ("DELETE ", "attempt_taken_back"),
    ("SET awaited", "awaiting_echo"),
    ("REMOVE since", "send_failed"),
    ("", "sending"),
)


class EventLog:
    """Takes what is observed and notes it under the key of its event.

    Args:
        feed: takes the notes.
        page_id: the page.
        outputs: gives the stack's outputs, which an update can change.

    Attributes:
        last_seen: when anything was last observed, on the monotonic clock.
    """

    def __init__(self, feed: Feed, page_id: str, outputs: Callable[[], Json]) -> None:
        self._feed, self._page, self._outputs = feed, page_id, outputs
        self._person: dict[str, str] = {}  # event's key → who
        self._latest: dict[str, str] = {}  # who → key of the event that the function took last
        self._taken: dict[int, str] = {}  # connection → key of the event that the function took last on it
        self._unfollowed: dict[str, float] = {}  # key of a taken event after which nothing came yet → when it was taken
        self.last_seen = time.monotonic()

    def key(self, item: object) -> str:
        """The key that the ledger has for an item's event."""
        event = events.parse(item, self._page)
        found = fingerprint(self._page, event.id)
        if event.kind != "echo" and event.user:
            self._person[found] = event.user
        return found

    # Where webhooks are posted

    def posted(self, posted: Posted) -> None:
        """One attempt to deliver a webhook ended."""
        self.last_seen = time.monotonic()
        items = [item for entry in parsed(posted.body)["entry"] for item in entry["messaging"]]
        for item in items:
            message = item.get("message") or {}
            content: Json = {
                "status": posted.status,
                "seconds": round(posted.seconds, 4),
                "began": posted.began,
                "signature": posted.signature[:15] + "…",
                "bytes": len(posted.body),
                "items": len(items),
            }
            if message.get("is_echo"):
                key, number = _answer_of(message)
                content |= {"key": key, "number": number, "mid": message.get("mid")}
                self._feed.note("echo", person=item["recipient"]["id"], item=item, **content)
            elif receipt := next((name for name in ("read", "delivery") if name in item), None):
                self._feed.note("receipt", person=item["sender"]["id"], receipt=receipt, item=item, **content)
            else:
                self._feed.note("post", person=item["sender"]["id"], key=self.key(item), **content)

    # Where the function calls Facebook

    def called_graph(self, call: GraphCall) -> None:
        """The stand-in for the Graph API was called."""
        self.last_seen = time.monotonic()
        if not call.path.endswith("/messages"):
            return
        body = call.body or {}
        person = str((body.get("recipient") or {}).get("id", ""))
        key, number = _answer_of(body.get("message") or {})
        self._feed.note(
            "send",
            at=call.began + call.seconds,
            began=call.began,
            seconds=round(call.seconds, 4),
            person=person,
            key=key or self._latest.get(person, ""),
            number=number,
            mid=call.answer.get("message_id", ""),
            status=call.status,
            lost=call.lost,
            error=call.answer.get("error"),
            body=body,
        )

    # Where the function calls AWS

    def called_aws(self, called: Called) -> None:
        """The function called AWS."""
        self.last_seen = time.monotonic()
        match called.name:
            case "sqs:SendMessageBatch":
                self._put(called)
            case "dynamodb:BatchGetItem":
                self._took(called)
            case "dynamodb:TransactWriteItems":
                writes = _object(called.request).get("TransactItems", [])
                for update in (write["Update"] for write in writes if "Update" in write):
                    self._recorded(called, update)
                if puts := [write for write in writes if "Update" not in write]:
                    self._planned(called, puts)
            case "dynamodb:UpdateItem":
                self._recorded(called, _object(called.request))
            case "sqs:ChangeMessageVisibilityBatch":
                entries = _object(called.request).get("Entries") or [{}]
                if key := self._taken.get(called.connection):
                    self._step(called, key, "delayed", {"visibleInSeconds": entries[0].get("VisibilityTimeout")})
            case _:
                self._step(called, "", "aws", {})

    def _step(self, called: Called, key: str, name: str, detail: Json) -> None:
        if name == "taken" and called.status == HTTPStatus.OK and not called.lost:
            self._unfollowed[key] = called.began
        else:
            self._unfollowed.pop(key, None)
        if called.status != HTTPStatus.OK:
            detail = detail | {"error": _object(called.answer) or {"status": called.status}}
        self._feed.note(
            "step",
            at=called.began + called.seconds,
            began=called.began,
            seconds=round(called.seconds, 4),
            key=key,
            person=self._person.get(key, ""),
            name=name,
            call=called.name,
            status=called.status,
            lost=called.lost,
            detail=detail,
        )

    def queue_is_empty(self) -> None:
        """The queue is empty: if nothing has followed the taking of an event by now, nothing will."""
        now = time.time()
        for key, began in list(self._unfollowed.items()):
            if now - began > SETTLED_SECONDS:
                del self._unfollowed[key]
                person = self._person.get(key, "")
                self._feed.note("step", key=key, person=person, name="no_answer", status=HTTPStatus.OK, detail={})

    def _put(self, called: Called) -> None:
        request = _object(called.request)
        is_dead_letter = request.get("QueueUrl") == self._outputs().get("deadLetterQueueUrl")
        for entry in request.get("Entries", []):
            body = dead_letter(entry["MessageBody"])
            if is_dead_letter:
                items = (body.get("message") or {}).get("items") or [None]
                self._step(called, self.key(items[0]) if items[0] is not None else "", "dead_lettered", body)
                continue
            detail = {
                "messageGroup": entry["MessageGroupId"],
                "deduplication": entry["MessageDeduplicationId"],
                "body": body,
            }
            for item in body.get("items", []):
                self._step(called, self.key(item), "queued", detail)

    def _took(self, called: Called) -> None:
        tables = _object(called.request).get("RequestItems", {})
        ids = [key["id"]["S"] for table in tables.values() for key in table["Keys"]]
        key = next((each.removeprefix("event#") for each in ids if each.startswith("event#")), "")
        found = [item for items in _object(called.answer).get("Responses", {}).values() for item in items]
        self._taken[called.connection] = key
        if person := self._person.get(key):
            self._latest[person] = key
        ledger = {item["id"]["S"].partition("#")[0]: ledger_record(item) for item in found}
        self._step(called, key, "taken", {"ledger": ledger})

    def _planned(self, called: Called, writes: Sequence[Json]) -> None:
        key = ""
        detail: Json = {}
        for write in writes:
            operation = write.get("Put") or write.get("Delete") or {}
            record = ledger_record(operation.get("Item") or operation.get("Key") or {})
            kind, _, name = str(record["id"]).partition("#")
            if kind == "event":
                key = name
                detail |= {"answers": record.get("answers", [])}
            elif kind == "user":
                detail |= {"state": record.get("state", {}), "version": record.get("version")}
        self._step(called, key, "planned", detail)

    def _recorded(self, called: Called, request: Json) -> None:
        kind, _, key = request.get("Key", {}).get("id", {}).get("S", "").partition("#")
        if kind != "event":
            return
        update = request.get("UpdateExpression", "")
        meaning = next(name for part, name in MEANINGS if part in update)
        values = ledger_record(request.get("ExpressionAttributeValues", {}))
        self._step(called, key, meaning, {"update": update, "values": values})


def _answer_of(message: Json) -> tuple[str, str]:
    """The key of the event that a message answers, and which of its answers it is: both are in its metadata."""
    key, _, number = str(message.get("metadata", "")).partition(":")
    return key, number


def _object(text: bytes) -> Json:
    content = parsed(text)
    return content if isinstance(content, dict) else {}
