"""Notes each event's steps as they are seen between the parts; the bot itself needs no change for it.

It keeps the story of each event: see `sandbox.page.outcomes`. It looks on where the sandbox is anyway: where webhooks
are posted, where the function calls AWS, and where it calls Facebook. It never looks into what can hold a secret:
parameters of Systems Manager, headers.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from bot.aws.queues import fingerprint
from bot.messenger import events
from bot.messenger.human import METADATA, Human
from bot.responder import HUMAN_ANSWERED
from sandbox.aws.proxy import Called
from sandbox.facebook.comments import EDGES
from sandbox.facebook.request_log import GraphCall
from sandbox.facebook.webhooks import Posted
from sandbox.page.feed import Feed
from sandbox.page.outcomes import FACTS, Promise, Story, send_step
from sandbox.page.records import dead_letter, ledger_record, parsed

Json = dict[str, Any]
SETTLED_SECONDS = 0.5
LOG_SECONDS = 1.0  # a line is in the log at the latest so long after it was written

# What a change of an event's record means, by a part of its update expression; the first that matches.
MEANINGS = (
    ("outcome = :settled, expires", "forgotten"),
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

# What the log says of news, which changes nothing.
WAYS = tuple(step for step in FACTS if step.startswith("way_"))

# Changes that say nothing about what becomes of an event.
UNTOLD = frozenset(
    {"aws", "attempt_counted", "attempt_taken_back", "conversed", "dead_lettered", "echo_noted", "send_failed"}
)


class EventLog:
    """Takes what is observed and notes it under the key of its event.

    Args:
        feed: takes the notes.
        page_id: the page.
        outputs: gives the stack's outputs, which an update can change.
        hits: gives the names of the faults that a step shows, of those that are on.

    Attributes:
        last_seen: when anything was last observed, on the monotonic clock.
        stories: each event of somebody on the page, by key.
        items: the webhook item of each event, by key.
    """

    def __init__(
        self, feed: Feed, page_id: str, outputs: Callable[[], Json], hits: Callable[[str, Json], frozenset[str]]
    ) -> None:
        self._feed, self._page, self._outputs, self._hits = feed, page_id, outputs, hits
        self._lock = threading.RLock()
        self.last_seen = time.monotonic()
        self.forget()

    def forget(self) -> None:
        """Forget all events."""
        with self._lock:
            self.stories: dict[str, Story] = {}
            self.items: dict[str, Json] = {}
            self._person: dict[str, str] = {}  # event's key → who
            self._people: dict[str, str] = {}  # key of a person's state → who
            self._comments: dict[str, str] = {}  # comment's id → its event's key
            self._latest: dict[str, str] = {}  # who → key of the event that the function took last
            self._taken: dict[int, str] = {}  # connection → key of the event that the function took last on it
            # Key of a taken event after which nothing came yet → when it was taken.
            self._unfollowed: dict[str, float] = {}
            self._accepted = 0
            self._counted: set[str] = set()
            self._promise = ""

    def know(self, person: str) -> None:
        """From now on, events of this person are shown, wherever they come from."""
        self._people[fingerprint(self._page, person)] = person

    # The stories

    def begin(self, item: Json, person: str, action: str) -> str:
        """Begin the story of a person's event; its key."""
        key = self.key(item)
        with self._lock:
            if key not in self.items and self._story(key, person):
                self.items[key] = item
                if "field" in item:
                    self._comments[item["value"]["comment_id"]] = key
                self._feed.note("item", person=person, key=key, item=item, action=action)
        return key

    def _story(self, key: str, person: str) -> Story | None:
        """The story of an event; None if it is nobody's on the page."""
        if key not in self.stories and key and person in self._people.values():
            self._person[key] = person
            self.stories[key] = Story(key, person, time.time())
            self._counted.add(key)
        return self.stories.get(key)

    def take(self, key: str, step: str, *, until: float = 0.0, ended: float = 0.0, detail: Json | None = None) -> None:
        """Take a step of an event, and note what became of it.

        Args:
            key: the event's.
            step: one of `sandbox.page.outcomes.FACTS`.
            until: when the wait that begins with it ends.
            ended: when the step ended; now if not given.
            detail: what the faults look at.
        """
        with self._lock:
            if (story := self._story(key, self._person.get(key, ""))) is None:
                return
            story.take(step, until)
            story.faults |= self._hits(step, detail or {})
            if step not in ("logged", "human_answered", "code_failed", *WAYS):
                story.ended = max(story.ended, ended or time.time())
            self._feed.note("outcome", **story.described())
            self._count()

    def count_from_now(self) -> None:
        """Begin to count what is kept, with what is not at its end."""
        with self._lock:
            self._counted = {key for key in self._counted if not self.stories[key].outcome.final}
            self._count()

    def promise(self) -> Promise:
        """What was kept since `count_from_now`."""
        with self._lock:
            return Promise.of([self.stories[key] for key in self._counted])

    def _count(self) -> None:
        promise = self.promise()
        if promise.sentence != self._promise:
            self._promise = promise.sentence
            self._feed.note("promise", state=promise.state, sentence=promise.sentence, counted=promise._asdict())

    def line(self, text: str) -> str:
        """Take a line of the function's log; the key of an event in which the author's code failed, if any."""
        fields = _object(text.encode())
        key, kind = str(fields.get("event", "")), fields.get("kind")
        if kind in ("answered", HUMAN_ANSWERED):
            self.take(key, "logged" if kind == "answered" else "human_answered")
        if kind == "news" and (step := f"way_{fields.get('way')}") in FACTS:
            self.take(key, step)
        failed = kind == "defect" or (kind == "fault" and str(fields.get("reason")).endswith("in the conversation"))
        if not failed or key not in self.stories:
            return ""
        self.take(key, "code_failed")
        return key

    def log_was_read(self, began: float) -> None:
        """The log was read: whatever was done some time before has its lines by now."""
        with self._lock:
            for story in list(self.stories.values()):
                if "unlogged" in story.facts and story.ended < began - LOG_SECONDS:
                    self.take(story.key, "logged")

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
        entries = parsed(posted.body)["entry"]
        standby = [item for entry in entries for item in entry.get("standby", [])]
        items = [item for entry in entries for part in ("messaging", "changes") for item in entry.get(part, ())]
        items += standby
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
                # Whose comment it is, only the page knows.
                person = str(item["sender"]["id"]) if "sender" in item else self._person.get(self.key(item), "")
                key = self.begin(item, person, "webhook")
                self._feed.note("post", person=person, key=key, **content)
                acknowledged = posted.status == HTTPStatus.OK
                self.take(key, "posted" if acknowledged else "refused", ended=posted.began + posted.seconds)
                if acknowledged and item in standby:  # it is another app's to answer
                    self.take(key, "silent")
                    self.take(key, "human_answered")

    # Where the function calls Facebook

    def called_graph(self, call: GraphCall, shown: Json) -> None:
        """The stand-in for the Graph API was called.

        Args:
            call: the call.
            shown: what a person sees of the message in it.
        """
        self.last_seen = time.monotonic()
        body, (node, _, edge) = call.body or {}, call.path.rpartition("/")
        if edge in EDGES and call.method == "POST":
            key = self._comments.get(node.rpartition("/")[2], "")
            number = str(self.stories[key].public) if key in self.stories else ""
            body = {"public_reply": body.get("message", "")}
        elif edge == "messages":
            key, number = self.answered(call), _answer_of(body.get("message") or {})[1]
        else:
            return
        person = str((body.get("recipient") or {}).get("id", "")) or self._person.get(key, "")
        self._feed.note(
            "send",
            at=call.began + call.seconds,
            began=call.began,
            seconds=round(call.seconds, 4),
            person=person,
            key=key,
            number=number,
            mid=call.answer.get("message_id", ""),
            status=call.status,
            lost=call.lost,
            error=call.answer.get("error"),
            body=body,
            shown=shown,
        )
        ended, detail = call.began + call.seconds, {"seconds": call.seconds, "status": call.status}
        if call.status == HTTPStatus.OK:
            if number.isdecimal() and (story := self.stories.get(key)):
                self.take(key, story.arrive(int(number), ended), ended=ended, detail=detail)
            if call.lost and "sender_action" not in body:
                self.take(key, "send_unanswered", ended=ended, detail=detail)
        elif call.lost:
            self.take(key, "send_unanswered", ended=ended, detail=detail)
        else:
            step = send_step(call.status, json.dumps(call.answer).encode())
            self.take(key, step, ended=ended, detail=detail)

    def answered(self, call: GraphCall) -> str:
        """The key of the event that a call of the Graph API answers."""
        body = call.body or {}
        message = body.get("message") or {}
        if str(message.get("metadata", "")).startswith(METADATA):  # a human wrote it
            return ""
        person = str((body.get("recipient") or {}).get("id", ""))
        return _answer_of(message)[0] or self._latest.get(person, "")

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
            case "lambda:Invoke":
                event = _object(called.request).get("event") or {}
                about = fingerprint(str(event.get("page")), str(event.get("id")))
                self._step(called, about, "conversed", {"raised": _object(called.answer).get("errorType", "")})
            case "sqs:ChangeMessageVisibilityBatch":
                entries = _object(called.request).get("Entries") or [{}]
                if key := self._taken.get(called.connection):
                    self._step(called, key, "delayed", {"visibleInSeconds": entries[0].get("VisibilityTimeout")})
            case _:
                self._step(called, "", "aws", {})

    def _step(self, called: Called, key: str, name: str, detail: Json) -> None:
        fine = called.status == HTTPStatus.OK and not called.lost
        if name == "taken" and fine and not detail["ledger"].get("event", {}).get("outcome"):
            self._unfollowed[key] = called.began
        else:
            self._unfollowed.pop(key, None)
        if called.status != HTTPStatus.OK:
            detail = detail | {"error": _object(called.answer) or {"status": called.status}}
        ended = called.began + called.seconds
        self._feed.note(
            "step",
            at=ended,
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
        if step := self._meant(key, name, detail, fine=called.status == HTTPStatus.OK):
            waits = {"delayed": ended + (detail.get("visibleInSeconds") or 0)}
            if step == "awaiting_echo":
                waits[step] = detail["values"][":awaited"] / 1000
            seen = {"lost": called.lost, "status": called.status, "call": called.name}
            self.take(key, step, until=waits.get(step, 0.0), ended=ended, detail=seen)

    def _meant(self, key: str, name: str, detail: Json, *, fine: bool) -> str:
        """Which step of the event's story a call is; empty if it says nothing about it."""
        story = self.stories.get(key)
        if story is None or name in UNTOLD:
            return ""
        if not fine:
            return "" if name in ("queued", "delayed") else "ledger_failed"
        match name:
            case "queued" if not story.place:
                self._accepted += 1
                story.place = self._accepted
            case "taken":
                return self._read(story, detail["ledger"])
            case "planned":
                step = story.plan(detail.get("answers") or [])
                if step == "silent" and Human.of(detail.get("state") or {}).has(time.time()):
                    self.take(key, "human_answered")
                return step
        return name

    def queue_is_empty(self) -> None:
        """The queue is empty: if nothing has followed the taking of an event by now, nothing will."""
        now = time.time()
        for key, began in list(self._unfollowed.items()):
            if now - began > SETTLED_SECONDS:
                del self._unfollowed[key]
                person = self._person.get(key, "")
                self._feed.note("step", key=key, person=person, name="no_answer", status=HTTPStatus.OK, detail={})
                self.take(key, "silent", ended=began)

    @staticmethod
    def _read(story: Story, ledger: Json) -> str:
        """Note what the function read of an event and its person; the step that this is."""
        record = ledger.get("event", {})
        story.state = ledger.get("user", {}).get("state", {})
        if record.get("answers"):
            story.plan(record["answers"])
        match record.get("outcome"):
            case "settled":
                return "taken_settled" if story.wanted else "silent"
            case "dead":
                return "dead"
        return "taken"

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
                key = self.key(item)
                if (person := self._person.get(key)) in self._people.values() and not _is_echo(item):
                    self.begin(item, str(person), "webhook")
                self._step(called, key, "queued", detail)

    def _took(self, called: Called) -> None:
        tables = _object(called.request).get("RequestItems", {})
        ids = [key["id"]["S"] for table in tables.values() for key in table["Keys"]]
        found = [item for items in _object(called.answer).get("Responses", {}).values() for item in items]
        records = {item["id"]["S"]: ledger_record(item) for item in found}
        users = [each for each in ids if each.startswith("user#")]
        # The id of each event is followed by that of its person.
        for place, each in enumerate(ids):
            key = each.removeprefix("event#")
            if key in ("", each):  # not an event, or the state of a person to whom a human wrote
                continue
            user = next((other for other in ids[place:] if other.startswith("user#")), users[0] if users else "")
            if person := self._people.get(user.removeprefix("user#")):
                self._story(key, person)  # it may come from outside the page: a notice of `ops`
            self._taken[called.connection] = key
            if person := self._person.get(key):
                self._latest[person] = key
            own = {"event": records.get(each), "user": records.get(user)}
            self._step(called, key, "taken", {"ledger": {name: value for name, value in own.items() if value}})

    def _planned(self, called: Called, writes: Sequence[Json]) -> None:
        key, others = "", []
        detail: Json = {}
        for write in writes:
            operation = write.get("Put") or write.get("Delete") or {}
            record = ledger_record(operation.get("Item") or operation.get("Key") or {})
            kind, _, name = str(record["id"]).partition("#")
            if kind == "event" and key:  # those behind the first are answered with it
                others.append(name)
            elif kind == "event":
                key = name
                detail |= {"answers": record.get("answers", [])}
            elif kind == "user":
                detail |= {"state": record.get("state", {}), "version": record.get("version")}
        self._taken[called.connection] = key
        self._step(called, key, "planned" if key else "aws", detail)
        for other in others:
            self._step(called, other, "joined", {"answeredWith": key})

    def _recorded(self, called: Called, request: Json) -> None:
        kind, _, key = request.get("Key", {}).get("id", {}).get("S", "").partition("#")
        if kind != "event":
            return
        update = request.get("UpdateExpression", "")
        meaning = next(name for part, name in MEANINGS if part in update)
        values = ledger_record(request.get("ExpressionAttributeValues", {}))
        if meaning != "echo_noted":
            self._taken[called.connection] = key
        self._step(called, key, meaning, {"update": update, "values": values})


def _answer_of(message: Json) -> tuple[str, str]:
    """The key of the event that a message answers, and which of its answers it is: both are in its metadata."""
    key, _, number = str(message.get("metadata", "")).partition(":")
    return (key, number) if number.isdecimal() else ("", "")


def _is_echo(item: Json) -> bool:
    return bool((item.get("message") or {}).get("is_echo"))


def _object(text: bytes) -> Json:
    content = parsed(text)
    return content if isinstance(content, dict) else {}
