import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messenger.instagram import adapt
from bot.messenger.messages import (
    Action,
    AskEmail,
    AskPhone,
    AskToNotify,
    Buttons,
    Call,
    Card,
    Carousel,
    Link,
    LogIn,
    Media,
    MediaCard,
    Message,
    Notification,
    PrivateReply,
    Products,
    QuickReply,
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
def test_a_text_is_split_at_a_thousand_bytes_with_the_quick_replies_under_the_last_piece(text: str) -> None:
    if not text.strip():
        return
    adapted = adapt(Text(text, quick_replies=CHOICE))
    pieces = [piece for piece in adapted if isinstance(piece, Text)]
    assert len(pieces) == len(adapted)
    assert all(len(piece.text.encode()) <= 1000 for piece in pieces)
    assert "".join("".join(piece.text for piece in pieces).split()) == "".join(text.split())
    assert [piece.quick_replies for piece in pieces] == [()] * (len(pieces) - 1) + [CHOICE]


def test_a_text_that_fits_stays_whole() -> None:
    assert adapt(Text("😀" * 250)) == (Text("😀" * 250),)
    assert len(adapt(Text("😀" * 251))) == 2


@pytest.mark.parametrize(
    "message",
    [
        Buttons("Choose", (Link("Site", HTTPS), TAP)),
        Carousel((Card("One", "first", HTTPS, HTTPS, (TAP,)),)),
        Media("image", HTTPS),
        Media("file", "https://example.org/Bill.PDF?v=2"),
        Media("file", attachment_id="7"),
        Products(("1",)),
        Action("typing_on"),
        Update(Text("New")),
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
    asked = Text("Your number?", quick_replies=(AskPhone(), *CHOICE, AskEmail()))
    assert adapt(asked) == (Text("Your number?", quick_replies=CHOICE),)
    assert adapt(MediaCard("image", attachment_id="7")) == (Media("image", attachment_id="7"),)
    assert adapt(Update(Text("x" * 1001))) == (Update(Text("x" * 1000)), Update(Text("x")))


@pytest.mark.parametrize(
    "message",
    [
        Buttons("Choose", (LogIn(HTTPS),)),
        Carousel((Card("One", "first", buttons=(Call("Call", "+49123"),)),)),
        MediaCard("image", attachment_id="7", buttons=(TAP,)),
        MediaCard("image", "https://www.facebook.com/post/1"),
        Receipt("A", "7", "EUR", "Visa", 1),
        AskToNotify("News", "NEWS"),
        Notification(Text("New"), "token"),
        Update(AskToNotify("News", "NEWS")),
    ],
)
def test_what_instagram_does_not_offer_is_refused(message: Message) -> None:
    with pytest.raises(Refused, match=r"on Instagram: .+\.$"):
        adapt(message)
