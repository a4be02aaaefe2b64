"""What other widely used bot libraries get wrong, each by name."""

import re
from pathlib import Path

import pytest

from bot.conversation import bot
from bot.conversation.parcels import HOUR, DemonstrationParcels, World
from bot.dialogue import Context
from bot.dialogue.testing import Chat
from bot.messenger.client import GraphApi
from bot.messenger.errors import Credentials, Transient, Unreachable, WindowClosed, from_response
from bot.messenger.events import parse
from bot.messenger.messages import Buttons, Media, Refused, Tap, Text
from bot.messenger.signature import verify
from bot.messenger.text import split
from bot.registration import SUBSCRIBED

BOT = Path(__file__).parents[2] / "bot"
WORLD = World(DemonstrationParcels(), "DE")
PICTURE = {"type": "image", "payload": {"url": "https://example.org/a.png"}}


def test_a_sha_1_signature_or_none_is_not_accepted() -> None:
    sha1 = "sha1=5d61605c3feea9799210ddcb71307d4ba264225f"
    assert not verify(b"{}", sha1, ["secret"])
    assert not verify(b"{}", None, ["secret"])


@pytest.mark.parametrize(
    "part",
    [
        {"message": {"mid": "m1", "attachments": [PICTURE]}},
        {"referral": {"ref": "TRACK:12345678", "source": "SHORTLINK"}},
        {"reaction": {"reaction": "love", "emoji": "❤", "action": "react", "mid": "m0"}},
    ],
    ids=["picture", "referral", "reaction"],
)
def test_pictures_referrals_and_reactions_are_not_empty_text(part: dict[str, object]) -> None:
    event = parse({"sender": {"id": "24"}, **part}, "1001")
    assert event.kind != "text"
    answers = Chat(bot, WORLD).does(event)
    assert answers
    assert "did not understand" not in answers[0]


def test_a_text_is_not_cut_at_640_nor_through_an_emoji() -> None:
    family = "👨‍👩‍👧‍👦"
    assert split("x" * 1999) == ["x" * 1999]
    for before in range(1993, 2000):
        assert split("x" * before + family) == ["x" * before, family]


def test_every_message_has_a_messaging_type() -> None:
    for message in (Text("Hi"), Buttons("Hi", (Tap("Go", "GO"),)), Media("image", "https://example.org/a.png")):
        assert message.to_request("24")["messaging_type"] == "RESPONSE"


def test_no_api_version_is_written_in_the_code() -> None:
    for path in set(BOT.rglob("*.py")) - {BOT / "messenger" / "versions.py"}:  # when each one ends
        code = re.sub(r'""".*?"""|#[^\n]*', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"\bv\d+\.\d+\b", code), path


def test_a_page_is_never_subscribed_without_fields() -> None:
    with pytest.raises(Refused):
        GraphApi("https://graph.invalid", "v26.0", "1001", "token", "secret").subscribe_page([])
    assert {"messages", "messaging_postbacks", "message_echoes"} <= set(SUBSCRIBED)


def test_the_messaging_window_is_known() -> None:
    chat = Chat(bot, WORLD)
    message = parse({"sender": {"id": "24"}, "message": {"mid": "m1", "text": "help"}}, "1001")
    assert chat.does(message)
    late = message.replace(timestamp=int((chat.now - 24 * HOUR) * 1000))
    assert bot.answer(late, {}, Context(chat.now, WORLD)).messages == ()


def test_it_is_known_which_error_means_what() -> None:
    def kind(code: int, subcode: int) -> type[Exception]:
        return type(from_response(400, b'{"error": {"code": %d, "error_subcode": %d}}' % (code, subcode)))

    assert kind(2, 0) is Transient
    assert kind(551, 0) is Unreachable
    assert kind(10, 2018278) is WindowClosed
    assert kind(190, 463) is Credentials
