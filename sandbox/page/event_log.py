"""Writes down what it sees between the parts, each event's way step by step: the bot itself needs no change for it.

It stands where the sandbox stands anyway: where webhooks are posted, where the function calls AWS, and where it calls
Facebook. What can hold a secret (parameters of Systems Manager, headers) is never looked into.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from bot.aws.queues import fingerprint
from bot.messenger import events
from sandbox.aws.proxy import Called
from sandbox.facebook.graph import Asked
from sandbox.facebook.webhooks import Posted
from sandbox.page.acts import letter
from sandbox.page.journal import Journal

Json = dict[str, Any]
OK = 200
REST_SECONDS = 0.5


class Witness:
    """Takes what is observed and notes it, under the key of the event that it belongs to.

    Args:
        journal: where it notes.
        page_id: the page.
        outputs: gives the stack's, which an update can change.
    """

    def __init__(self, journal: Journal, page_id: str, outputs: Callable[[], Json]) -> None:
        self._journal, self._page, self._outputs = journal, page_id, outputs
        self._person: dict[str, str] = {}  # event's key → who
        self._latest: dict[str, str] = {}  # who → key of the event that is being dealt with
        self._in_hand: dict[int, str] = {}  # connection → key of the event that the function took last on it
        self._unheard: dict[str, float] = {}  # key of an event that was taken, and nothing has followed yet → when
        self.last_seen = time.monotonic()

    def key(self, item: object) -> str:
        """An item's event as the ledger names it."""
        event = events.parse(item, self._page)
        found = fingerprint(self._page, event.id)
        if event.kind != "echo" and event.user:
            self._person[found] = event.user
        return found

    # Where webhooks are posted

    def posted(self, posted: Posted) -> None:
        """One attempt to deliver a webhook ended."""
        self.last_seen = time.monotonic()
        payload = json.loads(posted.body)
        items = [item for entry in payload["entry"] for item in entry["messaging"]]
        for item in items:
            message = item.get("message") or {}
            content: Json = {
                "status": posted.status,
                "seconds": round(posted.seconds, 4),
                "began": posted.began,
                "signature": posted.signature[:15] + "…",
                "bytes": len(posted.body),
                "together": len(items),
            }
            if message.get("is_echo"):
                key, _, number = str(message.get("metadata", "")).partition(":")
                content |= {"key": key, "number": number, "mid": message.get("mid")}
                self._journal.note("echo", person=item["recipient"]["id"], item=item, **content)
            elif "delivery" in item or "read" in item:
                told = "read" if "read" in item else "delivery"
                self._journal.note("receipt", person=item["sender"]["id"], told=told, item=item, **content)
            else:
                self._journal.note("post", person=item["sender"]["id"], key=self.key(item), **content)

    # Where the function calls Facebook

    def asked(self, asked: Asked) -> None:
        """The stand-in was asked something."""
        self.last_seen = time.monotonic()
        body = asked.body or {}
        if not asked.path.endswith("/messages"):
            return
        person = str((body.get("recipient") or {}).get("id", ""))
        message = body.get("message")
        key, _, number = str((message or {}).get("metadata", "")).partition(":")
        self._journal.note(
            "send",
            at=asked.began + asked.seconds,
            began=asked.began,
            seconds=round(asked.seconds, 4),
            person=person,
            key=key or self._latest.get(person, ""),
            number=number,
            mid=asked.answer.get("message_id", ""),
            status=asked.status,
            lost=asked.lost,
            error=asked.answer.get("error"),
            body=body,
        )

    # Where the function calls AWS

    def called(self, called: Called) -> None:
        """The function called AWS."""
        self.last_seen = time.monotonic()
        match called.name:
            case "sqs:SendMessageBatch":
                self._put(called)
            case "dynamodb:BatchGetItem":
                self._took(called)
            case "dynamodb:TransactWriteItems":
                self._planned(called)
            case "dynamodb:UpdateItem":
                self._recorded(called)
            case "sqs:ChangeMessageVisibilityBatch":
                entries = _json(called.request).get("Entries") or [{}]
                if key := self._in_hand.get(called.connection):
                    detail = {"visibleAgainInSeconds": entries[0].get("VisibilityTimeout")}
                    self._step(called, key, "handed_back", detail)
            case _:
                self._step(called, "", "aws", {})

    def _step(self, called: Called, key: str, name: str, detail: Json) -> None:
        if name == "taken" and called.status == OK and not called.lost:
            self._unheard[key] = called.began
        else:
            self._unheard.pop(key, None)
        failed = {} if called.status == OK else {"error": _json(called.answer) or {"status": called.status}}
        self._journal.note(
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
            detail=detail | failed,
        )

    def at_rest(self) -> None:
        """The queue is empty: of what was taken, and nothing followed, nothing will."""
        now = time.time()
        for key, began in list(self._unheard.items()):
            if now - began > REST_SECONDS:
                del self._unheard[key]
                self._journal.note(
                    "step", key=key, person=self._person.get(key, ""), name="quiet", status=OK, detail={}
                )

    def _put(self, called: Called) -> None:
        request = _json(called.request)
        for entry in request.get("Entries", []):
            body = letter(entry["MessageBody"])
            if request.get("QueueUrl") == self._outputs().get("deadLetterQueueUrl"):
                items = (body.get("message") or {}).get("items") or [None]
                key = self.key(items[0]) if items[0] is not None else ""
                self._step(called, key, "buried", body)
                continue
            for item in body.get("items", []):
                self._step(
                    called,
                    self.key(item),
                    "queued",
                    {
                        "messageGroup": entry["MessageGroupId"],
                        "deduplication": entry["MessageDeduplicationId"],
                        "body": body,
                    },
                )

    def _took(self, called: Called) -> None:
        tables = _json(called.request).get("RequestItems", {})
        ids = [key["id"]["S"] for table in tables.values() for key in table["Keys"]]
        key = next((each.removeprefix("event#") for each in ids if each.startswith("event#")), "")
        found = [item for items in _json(called.answer).get("Responses", {}).values() for item in items]
        self._in_hand[called.connection] = key
        if person := self._person.get(key):
            self._latest[person] = key
        self._step(
            called, key, "taken", {"ledger": {item["id"]["S"].partition("#")[0]: readable(item) for item in found}}
        )

    def _planned(self, called: Called) -> None:
        key = ""
        detail: Json = {}
        for write in _json(called.request).get("TransactItems", []):
            put = write.get("Put") or write.get("Delete") or {}
            item = put.get("Item") or put.get("Key") or {}
            name = item["id"]["S"]
            if name.startswith("event#"):
                key = name.removeprefix("event#")
                detail |= {"answers": readable(item).get("answers", [])}
            elif name.startswith("user#"):
                detail |= {"state": readable(item).get("state", {}), "version": readable(item).get("version")}
        self._step(called, key, "planned", detail)

    def _recorded(self, called: Called) -> None:
        request = _json(called.request)
        name = request.get("Key", {}).get("id", {}).get("S", "")
        if not name.startswith("event#"):
            return
        update, values = request.get("UpdateExpression", ""), request.get("ExpressionAttributeValues", {})
        detail = {"update": update, "values": readable(values)}
        self._step(called, name.removeprefix("event#"), _meaning(update), detail)


def _meaning(update: str) -> str:
    """What a change of an event's record says."""
    for sign, meaning in (
        ("outcome = :settled", "done"),
        ("outcome = :outcome", "dead"),
        ("ADD echoed", "echo_noted"),
        ("ADD faults", "fault_counted"),
        ("ADD attempts", "attempt_counted"),
        ("DELETE ", "attempt_taken_back"),
        ("SET awaited", "awaiting_echo"),
        ("REMOVE since", "send_failed"),
    ):
        if sign in update:
            return meaning
    return "sending"


def readable(item: Json) -> Json:
    """A DynamoDB item as plain JSON; what the bot stores as JSON in it, as that."""
    plain: Json = {}
    for name, typed in item.items():
        ((kind, value),) = typed.items()
        if kind == "N":
            plain[name] = float(value) if "." in value else int(value)
        elif kind == "NS":
            plain[name] = sorted(int(each) for each in value)
        elif kind == "SS":
            plain[name] = sorted(value)
        elif kind == "S" and value[:1] in ("{", "["):
            plain[name] = _any(value)
        else:
            plain[name] = value
    return plain


def _any(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _json(raw: bytes) -> Json:
    try:
        parsed = json.loads(raw)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
