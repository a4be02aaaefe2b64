"""The dead letters about a person are found, and nobody else's."""

import base64
import json
from typing import Any

import pytest

from bot.dead_letters import about, mentions

PAGE, ANNA, BEN = "4711", "1000000000000001", "1000000000000002"

Json = dict[str, Any]


def text(sender: str, said: str = "hello") -> Json:
    return {"sender": {"id": sender}, "recipient": {"id": PAGE}, "message": {"mid": f"m_{sender}", "text": said}}


def letter(item: Json, page: str = PAGE) -> Json:
    return {"reason": "r", "detail": {}, "message": {"object": "page", "page": page, "received": 1, "items": [item]}}


ECHO = {
    "sender": {"id": PAGE},
    "recipient": {"id": ANNA},
    "message": {"mid": "m_e", "text": "hi", "is_echo": True},
}
UNUSABLE = base64.b64encode(json.dumps({"entry": [text(ANNA)]}).encode()).decode()


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (letter(text(ANNA)), (f"m_{ANNA}",)),
        (letter(text(ANNA))["message"], (f"m_{ANNA}",)),
        (letter(ECHO), ("m_e",)),
        (letter(text(BEN, f"is {ANNA} there?")), None),
        (letter(text(ANNA), page="another"), None),
        ({"reason": "r", "part": 1, "of": 1, "base64": UNUSABLE}, ()),
        ({"reason": "r", "part": 1, "of": 1, "base64": base64.b64encode(BEN.encode()).decode()}, None),
        ([ANNA], ()),
        ({"message": {"person": ANNA}}, ()),
        ({"message": 7}, None),
    ],
)
def test_a_letter_is_about_whoever_wrote_it_or_is_written_to_or_may_be_in_what_cannot_be_read(
    body: object, found: tuple[str, ...] | None
) -> None:
    assert about(json.dumps(body), PAGE, ANNA) == found


@pytest.mark.parametrize(
    ("content", "person", "found"),
    [
        (b"12345", "12345", True),
        (b"123456", "12345", False),
        (b'{"user_ref":105}', "user_ref:105", True),
        (b'"{\\"user_ref\\": \\"105\\"}"', "user_ref:105", True),
        (b'{"user_ref": "105-2"}', "user_ref:105", False),
        (b'{"sender": {"id": "105"}}', "user_ref:105", False),
    ],
)
def test_an_id_is_found_only_as_a_whole_word_and_a_reference_only_behind_its_name(
    content: bytes, person: str, found: bool
) -> None:
    assert mentions(content, person) is found
