"""Reads dead letters: events with a reason, bytes that never were events, and anything else.

`bot.aws.queues` defines the formats. SQS itself adds one: a message that was received too often without an outcome
arrives as it was on the event queue.
"""

import base64
import binascii
import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.aws.compact import compact
from bot.aws.ledger import Key
from bot.aws.queues import fingerprint
from bot.messenger import events

Json = dict[str, Any]

MOVED_BY_SQS = "received too often without an outcome"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One message of the dead-letter queue.

    Attributes:
        id: SQS's message id.
        receipt: SQS's receipt handle, which deletes or releases the message.
        group: its message group.
        deduplication: its de-duplication id.
        sequence: its place in the queue. It grows across all groups.
        buried: when it arrived in the queue, in ms since the epoch.
        body: as received.
        reason: why it is a dead letter.
        kinds: what it holds, in a word or two, without anything that a person wrote.
    """

    id: str
    receipt: str
    group: str
    deduplication: str
    sequence: int
    buried: int
    body: str
    reason: str = "the bot did not write it"
    kinds: str = "unreadable"

    @property
    def received(self) -> int:
        """When the webhook accepted it, as far as known, in ms since the epoch."""
        return self.buried


@dataclass(frozen=True, kw_only=True)
class EventLetter(Letter):
    """Events that can be redriven.

    Attributes:
        detail: more about the reason, such as where the code failed.
        message: the body for the event queue.
        events: those in the message.
    """

    detail: Json
    message: Json
    events: tuple[events.Event, ...]

    @property
    def page(self) -> str:
        """The page that the events were sent to."""
        return str(self.message["page"])

    @property
    def received(self) -> int:
        """When the webhook accepted the events, in ms since the epoch."""
        return int(self.message["received"])

    @property
    def text(self) -> str:
        """The message as the event queue takes it."""
        return compact(self.message)

    def ledger_keys(self) -> list[Key]:
        """The ledger's keys of the events."""
        return [Key(fingerprint(self.page, each.owner), fingerprint(self.page, each.id)) for each in self.events]


@dataclass(frozen=True, kw_only=True)
class UnusableLetter(Letter):
    """Signed bytes that hold no usable event, or one part of them.

    Attributes:
        part: the part's number, from 1.
        of: the number of parts.
        content: the part's bytes.
    """

    part: int
    of: int
    content: bytes


def read(message: Mapping[str, Any]) -> Letter:
    """Read a message from `ReceiveMessage`, with all system attributes. Never raises."""
    attributes = message["Attributes"]
    facts: Json = {
        "id": message["MessageId"],
        "receipt": message["ReceiptHandle"],
        "group": attributes["MessageGroupId"],
        "deduplication": attributes.get("MessageDeduplicationId", ""),
        "sequence": int(attributes["SequenceNumber"]),
        "buried": int(attributes["SentTimestamp"]),
        "body": message["Body"],
    }
    try:
        body = json.loads(message["Body"])
        if "base64" in body:
            return _unusable(facts, body)
        if "message" in body:
            return _events(facts, str(body["reason"]), dict(body["detail"]), body["message"])
        return _events(facts, MOVED_BY_SQS, {}, body)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return Letter(**facts)


def _unusable(facts: Json, body: Json) -> UnusableLetter:
    content = base64.b64decode(body["base64"], validate=True)
    part, of = int(body["part"]), int(body["of"])
    kinds = f"unusable, {len(content):,} bytes" + (f", part {part} of {of}" if of > 1 else "")
    return UnusableLetter(**facts, reason=str(body["reason"]), kinds=kinds, part=part, of=of, content=content)


def _events(facts: Json, reason: str, detail: Json, message: Json) -> EventLetter:
    page, platform, items = message["page"], message["object"], message["items"]
    int(message["received"])
    if not (isinstance(page, str) and isinstance(platform, str) and isinstance(items, list) and items):
        raise TypeError
    found = tuple(events.parse(item, page, platform=platform) for item in items)
    counted = Counter(each.kind for each in found)
    kinds = ", ".join(f"{number} {kind}" if number > 1 else kind for kind, number in counted.items())
    return EventLetter(**facts, reason=reason, kinds=kinds, detail=detail, message=message, events=found)


def joined(letter: UnusableLetter, letters: Sequence[Letter]) -> list[UnusableLetter] | None:
    """All parts of the request that this letter is a part of, in order; None if `letters` lacks one of them.

    The de-duplication id says which parts belong together: it is made from the hash of the whole request.
    """
    others = [each for each in letters if isinstance(each, UnusableLetter)]
    like = [each for each in others if (each.of, each.reason) == (letter.of, letter.reason)]
    by_part = [
        [letter] if part == letter.part else [each for each in like if each.part == part]
        for part in range(1, letter.of + 1)
    ]
    for parts in itertools.product(*by_part):
        whole = hashlib.sha256(b"".join(each.content for each in parts)).hexdigest()
        if letter.deduplication == fingerprint("unusable", whole, str(letter.part)):
            return list(parts)
    return None
