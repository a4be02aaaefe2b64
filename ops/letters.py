"""What lies on the dead-letter queue, read: events with a reason, bytes that never were events, and whatever else.

The formats are `bot.aws.queues`'s. One more comes from SQS itself: what the function received too often without an
outcome lies here as it was on the event queue.
"""

import base64
import binascii
import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.aws.ledger import Key
from bot.aws.queues import compact, fingerprint
from bot.messenger import events

Json = dict[str, Any]

MOVED = "received too often without an outcome"
UNREADABLE = "not a letter of the bot's"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One message of the dead-letter queue.

    Attributes:
        id: SQS's own for the message.
        receipt: with which this look at it may delete it or give it back.
        group: its message group.
        deduplication: its de-duplication id.
        sequence: its place in the queue: it grows, also between groups.
        buried: when it came to the queue, in ms since the epoch.
        body: as received.
        reason: why it is here.
    """

    id: str
    receipt: str
    group: str
    deduplication: str
    sequence: int
    buried: int
    body: str
    reason: str = UNREADABLE

    @property
    def kinds(self) -> str:
        """What it holds, in a word or two, and nothing of what somebody wrote."""
        return "unreadable"

    @property
    def fbtrace_id(self) -> str:
        """What Facebook's support asks for, "" if there is none."""
        return ""

    @property
    def page(self) -> str:
        """The page that it is of, "" if that is not known."""
        return ""

    @property
    def received(self) -> int:
        """When the webhook accepted what is in it, in ms since the epoch."""
        return self.buried


@dataclass(frozen=True, kw_only=True)
class EventLetter(Letter):
    """Events that can be redriven.

    Attributes:
        detail: what is known beside the reason.
        message: the message for the event queue.
        events: what is in it.
    """

    detail: Json
    message: Json
    events: tuple[events.Event, ...]

    @property
    def kinds(self) -> str:
        """The kinds of its events."""
        counted = {kind: sum(each.kind == kind for each in self.events) for kind in (each.kind for each in self.events)}
        return ", ".join(f"{number} {kind}" if number > 1 else kind for kind, number in counted.items())

    @property
    def fbtrace_id(self) -> str:
        """What Facebook's support asks for, "" if there is none."""
        return str(self.detail.get("fbtrace_id") or "")

    @property
    def page(self) -> str:
        """The page that its events are of."""
        return str(self.message["page"])

    @property
    def received(self) -> int:
        """When the webhook accepted its events, in ms since the epoch."""
        return int(self.message["received"])

    @property
    def text(self) -> str:
        """The message as the event queue is to get it."""
        return compact(self.message)

    def ledger_keys(self) -> list[Key]:
        """Where the ledger has its events."""
        return [Key(fingerprint(self.page, each.user), fingerprint(self.page, each.id)) for each in self.events]


@dataclass(frozen=True, kw_only=True)
class UnusableLetter(Letter):
    """Bytes that Facebook signed and that are no event, or a part of them.

    Attributes:
        part: which part, from 1.
        of: how many parts there are.
        content: the part's bytes.
    """

    part: int
    of: int
    content: bytes

    @property
    def kinds(self) -> str:
        """That it is unusable, and how long."""
        part = f", part {self.part} of {self.of}" if self.of > 1 else ""
        return f"unusable, {len(self.content):,} bytes{part}"


def read(message: Mapping[str, Any]) -> Letter:
    """A letter as `ReceiveMessage` gave it, with all system attributes. Never raises."""
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
            content = base64.b64decode(body["base64"], validate=True)
            part, of = int(body["part"]), int(body["of"])
            return UnusableLetter(**facts, reason=str(body["reason"]), part=part, of=of, content=content)
        if "message" in body:
            return _events(facts, str(body["reason"]), dict(body["detail"]), body["message"])
        return _events(facts, MOVED, {}, body)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return Letter(**facts)


def _events(facts: Json, reason: str, detail: Json, message: Json) -> EventLetter:
    page, platform, items = message["page"], message["object"], message["items"]
    int(message["received"])
    if not (isinstance(page, str) and isinstance(platform, str) and isinstance(items, list) and items):
        raise TypeError
    found = tuple(events.parse(item, page, platform=platform) for item in items)
    return EventLetter(**facts, reason=reason, detail=detail, message=message, events=found)


def joined(letter: UnusableLetter, letters: Sequence[Letter]) -> list[UnusableLetter] | None:
    """All parts of what this letter is a part of, in order; None if not all of them are among these letters.

    A part does not say which whole it belongs to, but its de-duplication id does: it is made from the whole's hash.
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


def earlier_left_out(chosen: Sequence[Letter], letters: Sequence[Letter]) -> Iterator[tuple[Letter, Letter]]:
    """For each chosen letter, an earlier one of the same person that can be redriven and was not chosen, if any."""
    ids = {each.id for each in chosen}
    for letter in chosen:
        for other in letters:
            before = other.group == letter.group and other.sequence < letter.sequence
            if before and other.id not in ids and isinstance(other, EventLetter):
                yield letter, other
                break
