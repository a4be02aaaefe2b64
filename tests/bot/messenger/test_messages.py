import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot.messenger.messages import (
    Action,
    Address,
    Adjustment,
    AskToNotify,
    Buttons,
    Call,
    Card,
    Carousel,
    Coupon,
    Feedback,
    GridImage,
    ImageGrid,
    Item,
    Link,
    LogIn,
    Media,
    MediaCard,
    Message,
    Notification,
    PassThread,
    Play,
    PrivateReply,
    Products,
    QuickReply,
    React,
    Receipt,
    Refused,
    TakeThread,
    Tap,
    Text,
    Update,
)

SCHEMA = Path(__file__).parents[3] / "sandbox" / "facebook" / "schemas" / "send-api.json"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))

HTTPS = "https://example.org/"
TAP = Tap("Track", "TRACK")
ADDRESS = Address("Street 1", "Bonn", "53113", "NW", "DE")


def accepted(message: Message) -> dict[str, Any]:
    """The message's request, once the stand-in for the Send API would have taken it."""
    request = json.loads(json.dumps(message.to_request("24")))
    VALIDATOR.validate(request)
    assert isinstance(request, dict)
    return request


# That each message has the form of the Send API is tested in tests/bot/dialogue/test_contract.py: with the documented
# examples, and with every class.


def test_a_message_has_a_type_and_a_recipient() -> None:
    assert accepted(Text("Hello")) == {
        "recipient": {"id": "24"},
        "messaging_type": "RESPONSE",
        "message": {"text": "Hello"},
    }
    assert accepted(Update(Text("New")))["messaging_type"] == "UPDATE"
    notified = accepted(Notification(Text("New"), "token"))
    assert notified["recipient"] == {"notification_messages_token": "token"}
    assert accepted(PrivateReply(Text("Hi"), "c1"))["recipient"] == {"comment_id": "c1"}


def test_somebody_without_an_id_is_addressed_by_the_reference_of_a_plugin() -> None:
    assert Text("Hi").to_request("user_ref:105")["recipient"] == {"user_ref": "105"}
    assert Action("typing_on").to_request("user_ref:105")["recipient"] == {"user_ref": "105"}
    assert accepted(Action("typing_on"))["recipient"] == {"id": "24"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: ImageGrid((GridImage(HTTPS, hero=True),) * 2),
        lambda: ImageGrid((GridImage(HTTPS),) * 2, buttons=(Call("Call", "+49123"),)),
        lambda: GridImage(HTTPS, payload="A"),
        lambda: GridImage(HTTPS, link=HTTPS, payload="A", text="A"),
        lambda: GridImage("image.png"),
        lambda: Text("\u200b"),
        lambda: Text("\ud83d"),
        lambda: Tap("Go", ""),
        lambda: Link("Go", "ftp://example.org"),
        lambda: Link("Go", "https:///a.png"),
        lambda: Link("Go", "https://a b"),
        lambda: Link("Go", "https://[::1"),
        lambda: Link("Go", "https://example.org/\ud83d.png"),
        lambda: Link("Go", HTTPS + "x" * 2000),
        lambda: Link("Go", HTTPS, "huge"),
        lambda: LogIn("http://example.org/"),
        lambda: Call("Go", "0228 123"),
        lambda: Call("Go", "+123"),
        lambda: Call("Go", "+1234567890123456"),
        lambda: QuickReply("Yes", image="picture.png"),
        lambda: Card("Step"),
        lambda: Media("picture", HTTPS),
        lambda: Media("image"),
        lambda: Media("image", HTTPS, "7"),
        lambda: MediaCard("audio", attachment_id="7"),
        lambda: MediaCard("image", HTTPS),
        lambda: Item("", 1),
        lambda: Item("Stamp", float("nan")),
        lambda: Item("Stamp", 1, quantity=0),
        lambda: Item("Stamp", 1, image="x"),
        lambda: Address("S", "", "5", "NW", "DE"),
        lambda: Adjustment("", 1),
        lambda: Adjustment("New", float("inf")),
        lambda: Receipt("", "7", "EUR", "Visa", 1),
        lambda: Receipt("A", "7", "Euro", "Visa", 1),
        lambda: Receipt("A", "7", "EUR", "Visa", -1),
        lambda: Receipt("A", "7", "EUR", "Visa", 1, tax=-1),
        lambda: Receipt("A", "7", "EUR", "Visa", 1, ordered=-1),
        lambda: Receipt("A", "7", "EUR", "Visa", 1, order_url="x"),
        lambda: Products(("",)),
        lambda: Coupon("", "FREE"),
        lambda: Coupon("Free"),
        lambda: Coupon("Free", url="x"),
        lambda: Coupon("Free", "FREE", image="x"),
        lambda: Feedback("T", "", "B", "q", "ces", HTTPS),
        lambda: Feedback("T", "S", "B", "q", "stars", HTTPS),
        lambda: Feedback("T", "S", "B", "q", "ces", "x"),
        lambda: AskToNotify("News", "P", "x"),
        lambda: Action("dance"),
        lambda: React(""),
        lambda: Notification(Text("New"), ""),
        lambda: PrivateReply(Text("Hi"), ""),
        lambda: PassThread("2002", "x" * 1001),
        lambda: TakeThread("x" * 1001),
    ],
)
def test_what_facebook_would_not_take_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(Refused, match=r"^[^:]+.*: .+\.$"):
        make()


# The limits: what makes a thing of that length, and the longest that is allowed.
LENGTHS: dict[str, tuple[Callable[[str], Message], int]] = {
    "text": (Text, 1999),
    "text with buttons": (lambda text: Buttons(text, (TAP,)), 640),
    "button title": (lambda text: Buttons("Choose", (Tap(text, "P"),)), 20),
    "link title": (lambda text: Buttons("Choose", (Link(text, HTTPS),)), 20),
    "call title": (lambda text: Buttons("Choose", (Call(text, "+49123"),)), 20),
    "game title": (lambda text: Buttons("Choose", (Play(text),)), 20),
    "button payload": (lambda text: Buttons("Choose", (Tap("Go", text),)), 1000),
    "game payload": (lambda text: Buttons("Choose", (Play("Go", text or "x"),)), 1000),
    "quick reply title": (lambda text: Text("Well?", quick_replies=(QuickReply(text),)), 20),
    "quick reply payload": (lambda text: Text("Well?", quick_replies=(QuickReply("Yes", text or "x"),)), 1000),
    "card title": (lambda text: Carousel((Card(text, "done"),)), 80),
    "card subtitle": (lambda text: Carousel((Card("Step", text or "x"),)), 80),
    "consent title": (lambda text: AskToNotify(text, "P"), 65),
    "consent payload": (lambda text: AskToNotify("News", text), 1000),
    "grid title": (lambda text: ImageGrid((GridImage(HTTPS),) * 2, text or "x"), 45),
    "grid subtitle": (lambda text: ImageGrid((GridImage(HTTPS),) * 2, "x", text or "x"), 80),
}
COUNTS: dict[str, tuple[Callable[[int], Message], int, int]] = {
    "quick replies": (lambda n: Text("Well?", quick_replies=(QuickReply("Yes"),) * n), 0, 13),
    "buttons": (lambda n: Buttons("Choose", (TAP,) * n), 1, 3),
    "card buttons": (lambda n: Carousel((Card("Step", "done", buttons=(TAP,) * n),)), 0, 3),
    "cards": (lambda n: Carousel((Card("Step", "done"),) * n), 1, 10),
    "media card buttons": (lambda n: MediaCard("image", attachment_id="7", buttons=(TAP,) * n), 0, 3),
    "grid images": (lambda n: ImageGrid((GridImage(HTTPS),) * n), 2, 6),
    "grid buttons": (lambda n: ImageGrid((GridImage(HTTPS),) * 2, buttons=(TAP,) * n), 0, 3),
    "receipt items": (
        lambda n: Receipt("A", "7", "EUR", "Visa", 1, (Item("Stamp", 1),) * n, address=ADDRESS),
        0,
        100,
    ),
    "products": (lambda n: Products(("1",) * n), 1, 10),
    "feedback days": (lambda n: Feedback("T", "S", "B", "q", "ces", HTTPS, days=n), 1, 7),
}


@pytest.mark.parametrize("name", LENGTHS)
def test_a_text_is_accepted_up_to_its_limit_which_the_error_names(name: str) -> None:
    make, limit = LENGTHS[name]
    for letter in "a😀":
        accepted(make(letter * limit))
        with pytest.raises(Refused, match=rf"{limit + 1}.*{limit}"):
            make(letter * (limit + 1))


@pytest.mark.parametrize("name", COUNTS)
def test_a_number_of_things_is_accepted_up_to_its_limit(name: str) -> None:
    make, least, most = COUNTS[name]
    for number in {least, least + 1, most}:
        accepted(make(number))
    for number in {max(least - 1, 0), most + 1} - {least}:
        with pytest.raises(Refused):
            make(number)


URLS: tuple[Callable[[str], Message], ...] = (
    lambda url: Media("image", url),
    lambda url: MediaCard("image", url),
    lambda url: Buttons("Choose", (Link("Go", url),)),
    lambda url: Buttons("Choose", (LogIn(url),)),
    lambda url: Carousel((Card("Step", image=url, link=url),)),
    lambda number: Buttons("Choose", (Call("Go", number),)),
    lambda currency: Receipt("A", "7", currency, "Visa", 1),
)


@given(
    st.text(st.characters(), max_size=30)
    | st.text(max_size=20).map("https://".__add__)
    | st.text("0123456789+", max_size=18)
)
def test_any_text_url_or_phone_number_is_either_refused_or_valid_for_the_send_api(text: str) -> None:
    for make in [*(make for make, _ in LENGTHS.values()), *URLS]:
        with contextlib.suppress(Refused):
            accepted(make(text))
