"""Facebook's side of the function: the handshake; verify, split, enqueue, acknowledge.

200 means that the queues have every event of the request. If AWS refuses or delays, the answer is 503, and Facebook
sends the whole request again. Source: "Webhooks" in the Messenger Platform documentation.
"""

import base64
import hmac
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from bot.aws.client import AwsError
from bot.aws.compact import compact
from bot.aws.queues import (
    Message,
    NotQueued,
    Queues,
    dead_letter,
    event_bytes,
    event_messages,
    fingerprint,
    unusable_letters,
)
from bot.aws.secrets import SecretMissing, Secrets, SecretValues
from bot.log import about, log
from bot.messenger import signature
from bot.messenger.identity import Fields, Identity, apart, identify
from bot.recently_answered import RecentlyAnswered

Json = dict[str, Any]

OBJECTS = frozenset({"page", "instagram"})
# Lambda delivers at most 6 MB ("Lambda quotas"); more cannot be a real request.
MAXIMUM_BODY_BYTES = 6 * 1024 * 1024
# Facebook waits 5 seconds for its answer, including the way through the gateway and a cold start.
ANSWER_SECONDS = 4.0
# Receipts say that messages arrived or were seen. Nothing follows from them, so they are only counted.
RECEIPTS = frozenset({"delivery", "read"})
# The dashboard's "Test" sends made-up events of this page. Source: public test data of its payloads, 2025-08-06.
TEST_PAGE = "0"
# The parts of an entry in which each item is looked at, and what only describes entry or item.
# Source: "Webhook Events Reference", 2026-03-27; "Webhooks for Pages", `changes`.
LISTS = ("messaging", "standby", "changes")
HEAD = frozenset({"id", "time", "uid", "field", "value", "sender", "recipient", "timestamp"})


class Split(NamedTuple):
    """One request.

    Attributes:
        messages: for the event queue.
        letters: for the dead-letter queue.
        counts: how many items of each sort it had; `echoes` are those that wait in the queue.
        unhandled: how often something came that this bot does not know, by its field.
        ids: the fingerprints of the events in `messages`, as the worker's log lines name them.
    """

    messages: list[Message]
    letters: list[Message]
    counts: dict[str, int]
    unhandled: Counter[str]
    ids: Sequence[str] = ()


class Webhook:
    """Answers the requests of the REST API.

    Args:
        secrets: verify token and app secrets.
        queues: where events go.
        recent: what this instance has answered.
        page_id: the page that this bot answers for.
        message_bytes: the longest message that the queues take.
        now: a clock in seconds that never goes back.
    """

    def __init__(
        self,
        secrets: Secrets,
        queues: Queues,
        recent: RecentlyAnswered,
        *,
        page_id: str,
        message_bytes: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secrets, self._queues, self._recent, self._now = secrets, queues, recent, now
        self._page_id, self._message_bytes = page_id, message_bytes

    def handle(self, request: Json) -> Json:
        """Answer one request.

        Args:
            request: API Gateway's event for a Lambda proxy integration, payload format 1.0.

        Returns:
            The proxy integration's answer. It shows nothing to anyone but Facebook.
        """
        began = self._now()
        trace = str((request.get("requestContext") or {}).get("requestId") or "")
        about(request=trace)
        try:
            if request.get("httpMethod") == "GET":
                return self._handshake(request.get("queryStringParameters") or {})
            return self._receive(request, trace, began)
        except (AwsError, NotQueued, SecretMissing) as error:
            log("ERROR", "not_accepted", reason=str(error))
            return _answer(503)

    def _handshake(self, query: dict[str, str]) -> Json:
        mode, token, challenge = (query.get(f"hub.{name}") for name in ("mode", "verify_token", "challenge"))
        if mode is None or token is None or challenge is None:
            return _answer(400)
        if mode != "subscribe" or not self._holds_for_any_secret(lambda secrets: _equal(token, secrets.verify_token)):
            log("WARN", "handshake_refused")
            return _answer(403)
        return _answer(200, challenge)

    def _receive(self, request: Json, trace: str, began: float) -> Json:
        headers = {name.lower(): value for name, value in (request.get("headers") or {}).items()}
        signed = headers.get("x-hub-signature-256")
        if signed is None:
            return _answer(400)
        body = _raw(request)
        if body is None or not self._holds_for_any_secret(
            lambda secrets: signature.verify(body, signed, secrets.app_secrets)
        ):
            log("WARN", "signature_refused", bytes=len(body or b""))
            return _answer(403)
        split = split_by_user(body, self._page_id, self._recent, self._message_bytes, trace)
        about(request=trace, ids=split.ids)
        deadline = began + ANSWER_SECONDS
        self._queues.put(split.messages, deadline)
        if split.letters:
            self._queues.bury(split.letters, deadline)
            log("ERROR", "unusable", letters=len(split.letters))
        for field, number in split.unhandled.items():
            log("INFO", "unhandled", field=field, number=number)
        milliseconds = round((self._now() - began) * 1000, 1)
        log("INFO", "accepted", messages=len(split.messages), milliseconds=milliseconds, **split.counts)
        return _answer(200, "EVENT_RECEIVED")

    def _holds_for_any_secret(self, check: Callable[[SecretValues], bool]) -> bool:
        """Whether a check holds for the secrets as last read, or for newer ones: they may have been replaced."""
        return check(self._secrets.get()) or check(self._secrets.renewed())


def split_by_user(body: bytes, page_id: str, recent: RecentlyAnswered, message_bytes: int, trace: str = "") -> Split:
    """Split a signed request by user. Nothing that Facebook signed is dropped, and an unusable part delays nothing.

    Args:
        body: the bytes as received.
        page_id: the page that this bot answers for. Instagram's entries name an account instead, so all are taken.
        recent: what this instance has answered: echoes of that are only counted.
        message_bytes: the longest message that the queues take.
        trace: the request's id, which the log lines about its events have.
    """
    counts = dict.fromkeys(("events", "echoes", "receipts", "standby", "settled", "tests", "changes"), 0)
    unhandled: Counter[str] = Counter()
    try:
        payload = json.loads(body)
        known = payload["object"] in OBJECTS and isinstance(payload["entry"], list)
    except (ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known:
        return Split([], list(unusable_letters("not a webhook of a page", body, message_bytes)), counts, unhandled)

    head = {"object": payload["object"], "page": "", "received": round(time.time() * 1000), "request": trace}
    groups: dict[tuple[str, str, bool], list[tuple[Identity, str]]] = {}
    letters: list[Message] = []
    for entry_id, item, part in _items(payload["entry"]):
        try:
            text = compact(item)
        except (ValueError, RecursionError):
            letters += unusable_letters("holds an event that cannot be written as JSON", body, message_bytes)
            continue
        if not isinstance(item, dict) or len(text) > event_bytes(message_bytes):
            reason = "not an event, or one too large for a queue"
            letters += unusable_letters(reason, text.encode(), message_bytes)
            continue
        event = identify(item, entry_id)
        if not event.field:
            unhandled.update(_names(item))
        sort = _sort(event, part)
        if sort == "events" and event.echo and recent.knows(Fields(item).object("message").text("metadata")):
            sort = "settled"
        if sort == "events" and payload["object"] == "page" and event.page != page_id:
            message = head | {"page": event.page, "items": [item]}
            identity = fingerprint(event.page, event.id)
            letters.append(dead_letter("of another page", {}, message, message_group(event), identity))
            continue
        counts["echoes" if sort == "events" and event.echo else sort] += 1
        if sort == "events":
            groups.setdefault((event.page, event.owner, event.echo), []).append((event, text))
    messages = [
        message
        for (page, _, _), items in groups.items()
        for message in event_messages(
            head | {"page": page},
            message_group(items[0][0]),
            ((event.id, text) for event, text in items),
            message_bytes,
        )
    ]
    ids = [fingerprint(page, event.id) for (page, _, _), items in groups.items() for event, _ in items]
    return Split(messages, letters, counts, unhandled, ids)


def _sort(event: Identity, part: str) -> str:
    """What an item counts as. Only `events` are answered."""
    if part == "changes" and not event.field:
        return "changes"
    if event.page == TEST_PAGE or not (event.field or event.page or event.user):
        return "tests"
    if event.field in RECEIPTS:
        return "receipts"
    return "standby" if part == "standby" and not event.echo else "events"


def message_group(event: Identity) -> str:
    """The message group of an event: its user's, or one of its own for an echo and for an event without a user.

    Otherwise an echo would wait behind the very event that waits for it, or behind another echo that is being retried,
    and people of whom nothing is known would wait for each other.
    """
    lane = ("echo", event.id) if event.echo else ()
    return fingerprint(event.page, event.owner, *lane)


def _items(entries: list[Any]) -> Iterator[tuple[str, Any, str]]:
    """Every item of every entry, with the entry's id and the part of the entry that it comes from.

    Anything in the place of an entry, or of a list of items, becomes an item that is not an event. Whatever else an
    entry holds becomes a change with only a field, and so is counted.
    """
    for entry in entries:
        if not isinstance(entry, dict):
            yield "", [entry], ""
            continue
        entry_id = str(entry.get("id", ""))
        if "field" in entry:  # source: "Instagram Platform Webhook Notification Examples", 2025-11-24
            yield entry_id, {name: entry[name] for name in ("field", "value") if name in entry}, "changes"
        for part, content in entry.items():
            if part in LISTS:
                items = content or []
                for item in items if isinstance(items, list) else [[items]]:
                    for single in apart(item):
                        yield entry_id, single, part
            elif part not in HEAD:
                yield entry_id, {"field": part}, "changes"


def _names(item: Json) -> list[str]:
    """The names under which an unknown item is counted: a change's field, or each key that describes no event."""
    fields = Fields(item)
    names = [fields.text("field")] if "field" in item else [*fields.keys()] or [""]
    shown = [name for name in names if name not in HEAD] or ["none"]
    # A name of Facebook's; what else stands there could be anything, and does not belong in the log.
    return [name if re.fullmatch("[a-z_-]{1,64}", name) else "other" for name in shown]


def _raw(request: Json) -> bytes | None:
    """The body as Facebook signed it; None if it cannot be Facebook's."""
    body = request.get("body") or ""
    try:
        content = base64.b64decode(body, validate=True) if request.get("isBase64Encoded") else body.encode()
    except ValueError:
        return None
    return content if len(content) <= MAXIMUM_BODY_BYTES else None


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _answer(status: int, text: str = "{}") -> Json:
    return {"statusCode": status, "headers": {"content-type": "text/plain"}, "body": text}
