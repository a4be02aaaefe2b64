from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import bot
from bot.dialogue.testing import Chat
from bot.messenger.events import Event, Image, QuickReplyTapped, parse
from bot.messenger.instagram import adapt
from bot.messenger.messages import (
    Action,
    AskToNotify,
    Buttons,
    Call,
    Card,
    Carousel,
    Coupon,
    Feedback,
    HumanAgent,
    Link,
    LogIn,
    LogOut,
    Media,
    MediaCard,
    Message,
    Notification,
    Play,
    PrivateReply,
    Products,
    QuickReply,
    React,
    Receipt,
    Refused,
    Tap,
    Text,
    Update,
)

HTTPS = "https://example.org/"
TAP = Tap("Go", "GO")
CHOICE = (QuickReply("Yes"),)


@given(st.text("aä😀字 .\n", min_size=1, max_size=1999))
def test_a_text_is_cut_to_a_thousand_bytes_with_the_choices_under_the_last(text: str) -> None:
    if not text.strip():
        return
    pieces = adapt(Text(text, quick_replies=CHOICE))
    assert all(isinstance(piece, Text) and len(piece.text.encode()) <= 1000 for piece in pieces)
    said = "".join(piece.text for piece in pieces if isinstance(piece, Text))
    assert "".join(said.split()) == "".join(text.split())
    assert [bool(piece.quick_replies) for piece in pieces if isinstance(piece, Text)] == [False] * (len(pieces) - 1) + [
        True
    ]


def test_a_text_that_fits_stays_whole() -> None:
    assert adapt(Text("😀" * 250)) == (Text("😀" * 250),)
    assert len(adapt(Text("😀" * 251))) == 2


@pytest.mark.parametrize(
    "message",
    [
        Buttons("Choose", (Link("Site", HTTPS), TAP)),
        Carousel((Card("One", "first", HTTPS, HTTPS, (TAP,)),)),
        Media("image", HTTPS),
        Media("video", attachment_id="7"),
        Products(("1",)),
        Action("typing_on"),
        React("m1", "❤"),
        Update(Text("New")),
        HumanAgent(Text("Hi")),
        PrivateReply(Text("Hi"), "c1"),
    ],
)
def test_what_instagram_offers_stays_as_it_is(message: Message) -> None:
    assert adapt(message) == (message,)


def test_what_instagram_offers_in_another_form_is_mapped() -> None:
    call = Call("Call us", "+49228123")
    assert adapt(Buttons("Questions?", (call,), quick_replies=CHOICE)) == (
        Text("Questions?\nCall us: +49228123", quick_replies=CHOICE),
    )
    assert adapt(Buttons("Questions?", (call, TAP))) == (Text("Call us: +49228123"), Buttons("Questions?", (TAP,)))
    assert adapt(Media("file", HTTPS)) == (Text(HTTPS),)
    assert adapt(MediaCard("image", attachment_id="7")) == (Media("image", attachment_id="7"),)
    assert adapt(Update(Text("x" * 1001))) == (Update(Text("x" * 1000)), Update(Text("x")))


@pytest.mark.parametrize(
    "message",
    [
        Buttons("Choose", (LogIn(HTTPS),)),
        Buttons("Choose", (LogOut(), TAP)),
        Buttons("Choose", (Play("Go"),)),
        Carousel((Card("One", "first", buttons=(Call("Call", "+49123"),)),)),
        Media("file", attachment_id="7"),
        MediaCard("image", attachment_id="7", buttons=(TAP,)),
        MediaCard("image", "https://www.facebook.com/post/1"),
        Receipt("A", "7", "EUR", "Visa", 1),
        Coupon("Free", "FREE"),
        Feedback("T", "S", "B", "q", "ces", HTTPS),
        AskToNotify("News", "NEWS"),
        Notification(Text("New"), "token"),
        Update(AskToNotify("News", "NEWS")),
    ],
)
def test_what_instagram_does_not_offer_is_refused(message: Message) -> None:
    with pytest.raises(Refused, match=r"on Instagram: .+\.$"):
        adapt(message)


def written(text: str) -> Event:
    raw = {"sender": {"id": "9" * 160}, "message": {"mid": "m" * 160, "text": text}}
    return parse(raw, "17841400000000000", platform="instagram")


@pytest.mark.parametrize(
    "act",
    [
        lambda chat: chat.does(written("12345678")),
        lambda chat: chat.does(written("help")),
        lambda chat: chat.does(QuickReplyTapped("WATCH:12345678", platform="instagram")),
        lambda chat: chat.does(
            parse({"message": {"mid": "m", "attachments": [{"type": "story_mention"}]}}, "1", platform="instagram")
        ),
    ],
)
def test_the_same_bot_answers_on_instagram(act: Callable[[Chat], list[str]]) -> None:
    chat = Chat(bot)
    assert act(chat)
    assert chat.last.defect is None


def test_a_bots_message_that_instagram_lacks_is_a_defect_found_when_it_is_planned() -> None:
    chat = Chat(bot)
    assert chat.sends(Image("image"))
    assert chat.does(QuickReplyTapped("WATCH:12345678"))[-1] == "AskToNotify"
    assert chat.does(QuickReplyTapped("WATCH:12345678", platform="instagram")) == [
        "I will tell you when parcel 12345678 gets further within a day."
    ]
