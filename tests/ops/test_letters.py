"""How letters are read, shown and found."""

import hashlib
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.aws.queues import dead_letter, event_bytes, unusable_letters
from ops import view
from ops.dead_letter_queue import DeadLetterQueue
from ops.errors import OpsError
from ops.letters import EventLetter, Letter, UnusableLetter, joined, read
from ops.redrive import Prospect, Redriven
from ops.view import described, print_text, printable, redriven
from tests.ops.place import ANNA, MESSAGE_BYTES, PAGE, Place, item

PART = event_bytes(MESSAGE_BYTES) // 4 * 3


def received(body: str, deduplication: str = "d") -> dict[str, Any]:
    attributes = {"MessageGroupId": "g", "SequenceNumber": "7", "SentTimestamp": "5"}
    return {
        "MessageId": "1f3a9c02-0000",
        "ReceiptHandle": "r",
        "Body": body,
        "Attributes": attributes | {"MessageDeduplicationId": deduplication},
    }


def unusable(content: bytes) -> list[Letter]:
    return [
        read(received(each.body, each.deduplication)) for each in unusable_letters("no event", content, MESSAGE_BYTES)
    ]


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5).map(json.dumps))
@settings(max_examples=50)
def test_any_message_on_the_queue_can_be_read_and_described(body: str) -> None:
    assert described(read(received(body)), PAGE)["event"]


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        '{"base64": "!", "reason": "r", "part": 1, "of": 1}',
        '{"page": "1", "object": "page", "received": 1, "items": []}',
        '{"page": "1", "object": "page", "received": 1, "items": 3}',
    ],
)
def test_a_message_that_the_bot_did_not_write_is_unreadable_and_cannot_be_redriven(body: str) -> None:
    letter = read(received(body))
    assert type(letter) is Letter
    assert described(letter, PAGE)["redrivable"] is False


def test_a_description_holds_nothing_that_a_person_wrote() -> None:
    message = {"object": "page", "page": PAGE, "received": 1, "items": [item(ANNA, "my secret"), item(ANNA, "more")]}
    detail = {"fbtrace_id": "Atrace", "message": "my secret is not a number"}
    one = read(received(dead_letter("defect", detail, message, "g", "x").body))
    assert isinstance(one, EventLetter)
    shown = described(one, PAGE)
    assert (shown["event"], shown["fbtrace_id"], shown["reason"]) == ("2 text", "Atrace", "defect")
    assert "secret" not in json.dumps(shown)
    assert ANNA not in json.dumps(shown)


def test_a_letter_in_full_says_what_the_conversation_raised_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    message = {"object": "page", "page": PAGE, "received": 1, "items": [item(ANNA, "hi")]}
    detail = {"at": "index.mjs:12", "message": "hi is not a number"}
    shown = view.letter(read(received(dead_letter("RangeError", detail, message, "g", "x").body)), PAGE, None, [])

    assert isinstance(shown.json, dict)
    assert shown.json["detail"] == detail
    print_text(shown)
    lines = [line.strip().split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line and line[0] in {"at", "message"}] == [[*each] for each in detail.items()]


@pytest.mark.parametrize(
    ("hours", "of", "warned"),
    [(23, Prospect.STARTS_OVER, False), (25, Prospect.STARTS_OVER, True), (25, Prospect.DONE, False)],
)
def test_a_redrive_after_the_standard_window_says_that_the_window_decides(
    capsys: pytest.CaptureFixture[str], hours: int, of: Prospect, warned: bool
) -> None:
    at = round(time.time() - hours * 3600) * 1000
    message = {"object": "page", "page": PAGE, "received": at, "items": [item(ANNA, "hello")]}
    letter = read(received(dead_letter("defect", {}, message, "g", "x").body))
    assert isinstance(letter, EventLetter)
    print_text(redriven([Redriven(letter, (of,))], [], dry=True))
    assert ("sent only if the messaging window is still open" in capsys.readouterr().out) is warned


def test_the_parts_of_an_unusable_request_are_joined_whatever_lies_between_them() -> None:
    first, second = b"a" * (PART + 5), b"b" * (2 * PART)
    one, two = unusable(first), unusable(second)
    letters = [one[0], two[0], one[1], two[1], read(received("{}"))]
    for letters_of, content in ((one, first), (two, second)):
        letter = letters_of[1]
        assert isinstance(letter, UnusableLetter)
        parts = joined(letter, letters)
        assert parts is not None
        assert hashlib.sha256(b"".join(each.content for each in parts)).digest() == hashlib.sha256(content).digest()
        assert joined(letter, [letter, letters[1]]) is None or letters_of is two


def test_nothing_printed_controls_the_terminal() -> None:
    assert printable("a\x1b[2Jb\x9b\u202ec\nß") == "a\\x1b[2Jb\\x9b\\u202ec\nß"


def test_a_letter_is_found_by_a_unique_beginning_of_its_id(place: Place) -> None:
    place.bury(
        *unusable_letters("no event", b"one", MESSAGE_BYTES), *unusable_letters("no event", b"two", MESSAGE_BYTES)
    )
    with DeadLetterQueue(place.aws, place.stack) as queue:
        one, two = queue.look()
        assert queue.find([two.id[:6], one.id]) == [one, two]
        with pytest.raises(OpsError, match="too short"):
            queue.find([one.id[:3]])
        with pytest.raises(OpsError, match="There is no dead letter zzzz"):
            queue.find(["zzzz"])
