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
    AskEmail,
    AskPhone,
    AskToNotify,
    Button,
    Buttons,
    Call,
    Card,
    Carousel,
    Content,
    Coupon,
    Feedback,
    GridImage,
    ImageGrid,
    Item,
    Link,
    LogIn,
    LogOut,
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
    ReleaseThread,
    RequestThread,
    TakeThread,
    Tap,
    Template,
    Text,
    ThreadControl,
    Update,
)

SCHEMA = Path(__file__).parents[3] / "sandbox" / "facebook" / "schemas" / "send-api.json"
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))

HTTPS = "https://example.org/"
TAP = Tap("Track", "TRACK")
CARD = Card("Step", "done")


def accepted(message: Message) -> dict[str, Any]:
    """The message's request, once the stand-in for the Send API would have taken it."""
    request = json.loads(json.dumps(message.to_request("24")))
    VALIDATOR.validate(request)
    assert isinstance(request, dict)
    return request


def test_a_text_is_sent_as_a_response() -> None:
    assert accepted(Text("Hello")) == {
        "recipient": {"id": "24"},
        "messaging_type": "RESPONSE",
        "message": {"text": "Hello"},
    }


def test_quick_replies_come_with_the_message() -> None:
    replies = (QuickReply("Yes", "YES", HTTPS), QuickReply("No"), AskPhone(), AskEmail())
    assert accepted(Text("Well?", quick_replies=replies))["message"]["quick_replies"] == [
        {"content_type": "text", "title": "Yes", "payload": "YES", "image_url": HTTPS},
        {"content_type": "text", "title": "No", "payload": "No"},
        {"content_type": "user_phone_number"},
        {"content_type": "user_email"},
    ]


def test_every_kind_of_button_is_valid() -> None:
    assert _form(Buttons("Choose", (Link("Site", HTTPS), Link("Map", HTTPS, "compact"), TAP))) == {
        "template_type": "button",
        "text": "Choose",
        "buttons": [
            {"type": "web_url", "title": "Site", "url": HTTPS},
            {"type": "web_url", "title": "Map", "url": HTTPS, "webview_height_ratio": "compact"},
            {"type": "postback", "title": "Track", "payload": "TRACK"},
        ],
    }
    assert _form(Buttons("Choose", (Call("Call", "+491234567"), LogIn(HTTPS), LogOut())))["buttons"] == [
        {"type": "phone_number", "title": "Call", "payload": "+491234567"},
        {"type": "account_link", "url": HTTPS},
        {"type": "account_unlink"},
    ]
    assert _form(Buttons("Choose", (Play("Play"), Play("Again", "LEVEL")))) == {
        "template_type": "button",
        "text": "Choose",
        "buttons": [
            {"type": "game_play", "title": "Play"},
            {"type": "game_play", "title": "Again", "payload": "LEVEL"},
        ],
    }


def test_a_carousel_holds_its_cards() -> None:
    cards = (Card("One", "first", HTTPS, HTTPS, (TAP,)), Card("Two", link=HTTPS), Card("Three", image=HTTPS))
    form = _form(Carousel(cards, square=True))
    assert form["image_aspect_ratio"] == "square"
    assert form["elements"] == [
        {
            "title": "One",
            "subtitle": "first",
            "image_url": HTTPS,
            "default_action": {"type": "web_url", "url": HTTPS},
            "buttons": [{"type": "postback", "title": "Track", "payload": "TRACK"}],
        },
        {"title": "Two", "default_action": {"type": "web_url", "url": HTTPS}},
        {"title": "Three", "image_url": HTTPS},
    ]
    assert "image_aspect_ratio" not in _form(Carousel((CARD,)))


@pytest.mark.parametrize("kind", ["image", "audio", "video", "file"])
def test_media_are_sent_by_url_or_by_id(kind: str) -> None:
    by_address = accepted(Media(kind, HTTPS, reusable=True))["message"]["attachment"]
    assert by_address == {"type": kind, "payload": {"url": HTTPS, "is_reusable": True}}
    assert accepted(Media(kind, attachment_id="7"))["message"]["attachment"]["payload"] == {"attachment_id": "7"}


def test_a_media_card_shows_an_upload_or_a_post() -> None:
    post = "https://www.facebook.com/page/photos/1"
    assert _form(MediaCard("image", post))["elements"] == [{"media_type": "image", "url": post}]
    card = {"media_type": "video", "attachment_id": "7"}
    tap = {"type": "postback", "title": "Track", "payload": "TRACK"}
    assert _form(MediaCard("video", attachment_id="7", buttons=(TAP,)))["elements"] == [{**card, "buttons": [tap]}]


def test_a_receipt_has_its_items_and_sums() -> None:
    receipt = Receipt(
        "Ada",
        "7-1",
        "EUR",
        "Visa 1234",
        12.5,
        (Item("Stamps", 10.0, "a sheet", 2, HTTPS), Item("Card", 0)),
        subtotal=10,
        shipping=1.5,
        tax=2.0,
        adjustments=(Adjustment("New", 1.0),),
        address=Address("Street 1", "Bonn", "53113", "NW", "DE", "Back"),
        order_url=HTTPS,
        ordered=1_700_000_000,
        merchant_name="Post",
    )
    form = _form(receipt)
    assert form["summary"] == {"subtotal": 10, "shipping_cost": 1.5, "total_tax": 2.0, "total_cost": 12.5}
    assert form["elements"][0] == {
        "title": "Stamps",
        "price": 10.0,
        "quantity": 2,
        "subtitle": "a sheet",
        "image_url": HTTPS,
    }
    assert form["adjustments"] == [{"name": "New", "amount": 1.0}]
    assert form["address"]["street_2"] == "Back"
    assert form["timestamp"] == "1700000000"
    assert form["order_url"] == HTTPS
    assert form["merchant_name"] == "Post"


def test_a_receipt_needs_only_its_required_fields() -> None:
    assert _form(Receipt("Ada", "7-1", "EUR", "Visa", 0.0, address=Address("S", "B", "5", "NW", "DE"))) == {
        "template_type": "receipt",
        "recipient_name": "Ada",
        "order_number": "7-1",
        "currency": "EUR",
        "payment_method": "Visa",
        "summary": {"total_cost": 0.0},
        "address": {"street_1": "S", "city": "B", "postal_code": "5", "state": "NW", "country": "DE"},
    }


def test_products_coupons_feedback_and_opt_ins_have_their_templates() -> None:
    assert _form(Products(("1", "2")))["elements"] == [{"id": "1"}, {"id": "2"}]
    assert _form(Coupon("Free stamps", "FREE", HTTPS, "Once", HTTPS, "SEEN")) == {
        "template_type": "coupon",
        "title": "Free stamps",
        "subtitle": "Once",
        "coupon_code": "FREE",
        "coupon_url": HTTPS,
        "image_url": HTTPS,
        "payload": "SEEN",
    }
    feedback = Feedback("Delivery", "Was all well?", "Rate", "q1", "csat", HTTPS, "How was it?", "Tell more", 3)
    assert _form(feedback) == {
        "template_type": "customer_feedback",
        "title": "Delivery",
        "subtitle": "Was all well?",
        "button_title": "Rate",
        "feedback_screens": [
            {
                "questions": [
                    {
                        "id": "q1",
                        "type": "csat",
                        "title": "How was it?",
                        "follow_up": {"type": "free_form", "placeholder": "Tell more"},
                    }
                ]
            }
        ],
        "business_privacy": {"url": HTTPS},
        "expires_in_days": 3,
    }
    plain = _form(Feedback("Delivery", "Well?", "Rate", "q1", "nps", HTTPS))
    assert plain["feedback_screens"] == [{"questions": [{"id": "q1", "type": "nps"}]}]
    assert _form(AskToNotify("News of parcel", "NOTIFY", HTTPS)) == {
        "template_type": "notification_messages",
        "title": "News of parcel",
        "payload": "NOTIFY",
        "image_url": HTTPS,
    }
    assert "image_url" not in _form(AskToNotify("News of parcel", "NOTIFY"))


def test_a_sender_action_is_a_request_of_its_own() -> None:
    assert accepted(Action("typing_on")) == {"recipient": {"id": "24"}, "sender_action": "typing_on"}
    assert accepted(React("m1", "❤"))["payload"] == {"message_id": "m1", "reaction": "❤"}
    assert accepted(React("m1"))["sender_action"] == "unreact"


def test_a_message_has_a_type_and_a_recipient() -> None:
    assert accepted(Update(Text("New")))["messaging_type"] == "UPDATE"
    notified = accepted(Notification(Text("New"), "token"))
    assert notified["recipient"] == {"notification_messages_token": "token"}
    assert accepted(PrivateReply(Text("Hi"), "c1"))["recipient"] == {"comment_id": "c1"}


def test_somebody_without_an_id_is_addressed_by_the_reference_of_a_plugin() -> None:
    assert accepted(Text("Hi")).get("recipient") == {"id": "24"}
    assert Text("Hi").to_request("user_ref:105")["recipient"] == {"user_ref": "105"}
    assert Action("typing_on").to_request("user_ref:105")["recipient"] == {"user_ref": "105"}


def test_an_image_grid_has_its_images_and_what_a_tap_on_them_does() -> None:
    images = (GridImage(HTTPS, hero=True), GridImage(HTTPS, link=HTTPS), GridImage(HTTPS, payload="A", text="A!"))
    assert ImageGrid(images, "Spring", "Tap one", (TAP,)).form() == {
        "template_type": "image_grid",
        "elements": [
            {
                "images": [
                    {"url": HTTPS, "is_hero_image": True},
                    {"url": HTTPS, "action": {"type": "web_url", "url": HTTPS}},
                    {"url": HTTPS, "action": {"type": "postback", "text": "A!", "payload": "A"}},
                ],
                "title": "Spring",
                "subtitle": "Tap one",
                "buttons": [TAP.to_json()],
            }
        ],
    }
    assert ImageGrid((GridImage(HTTPS),) * 6).form()["elements"] == [{"images": [{"url": HTTPS}] * 6}]


@pytest.mark.parametrize(
    "make",
    [
        lambda: ImageGrid((GridImage(HTTPS),)),
        lambda: ImageGrid((GridImage(HTTPS),) * 7),
        lambda: ImageGrid((GridImage(HTTPS, hero=True),) * 2),
        lambda: ImageGrid((GridImage(HTTPS),) * 2, "x" * 46),
        lambda: ImageGrid((GridImage(HTTPS),) * 2, "x", "x" * 81),
        lambda: ImageGrid((GridImage(HTTPS),) * 2, buttons=(TAP,) * 4),
        lambda: ImageGrid((GridImage(HTTPS),) * 2, buttons=(Call("Call", "+49123"),)),
        lambda: GridImage(HTTPS, payload="A"),
        lambda: GridImage(HTTPS, link=HTTPS, payload="A", text="A"),
        lambda: GridImage("image.png"),
        lambda: Text("\u200b"),
        lambda: Tap("\u3164", "P"),
        lambda: Media("image", "https://"),
        lambda: Media("image", "https:///a.png"),
        lambda: Media("image", "https://exa mple.org/a.png"),
        lambda: Media("image", "https://example.org/\ud83d.png"),
        lambda: Media("image", "https://[::1"),
    ],
)
def test_what_facebook_would_not_take_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(Refused, match=r"\.$"):
        make()


def test_only_an_opt_in_or_a_comment_works_outside_the_window() -> None:
    free = (Notification(Text("New"), "t"), PrivateReply(Text("Hi"), "c1"))
    assert not any(message.needs_window for message in free)
    assert all(message.needs_window for message in (Text("Hi"), Update(Text("Hi")), Action("typing_on")))


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
}
COUNTS: dict[str, tuple[Callable[[int], Message], int, int]] = {
    "quick replies": (lambda n: Text("Well?", quick_replies=(QuickReply("Yes"),) * n), 0, 13),
    "buttons": (lambda n: Buttons("Choose", (TAP,) * n), 1, 3),
    "card buttons": (lambda n: Carousel((Card("Step", "done", buttons=(TAP,) * n),)), 0, 3),
    "cards": (lambda n: Carousel((CARD,) * n), 1, 10),
    "media card buttons": (lambda n: MediaCard("image", attachment_id="7", buttons=(TAP,) * n), 0, 3),
    "receipt items": (lambda n: Receipt("A", "7", "EUR", "Visa", 1, (Item("Stamp", 1),) * n), 0, 100),
    "products": (lambda n: Products(("1",) * n), 1, 10),
    "feedback days": (lambda n: Feedback("T", "S", "B", "q", "ces", HTTPS, days=n), 1, 7),
}


@pytest.mark.parametrize("name", LENGTHS)
@given(data=st.data())
def test_a_text_is_accepted_up_to_its_limit_which_the_error_names(name: str, data: st.DataObject) -> None:
    make, limit = LENGTHS[name]
    length = data.draw(
        st.one_of(st.integers(1, 5), st.integers(limit - 2, limit + 3), st.integers(limit + 1, 3 * limit))
    )
    letter = data.draw(st.sampled_from("aß😀字"))
    if length <= limit:
        accepted(make(letter * length))
    else:
        with pytest.raises(Refused, match=str(length)) as refusal:
            make(letter * length)
        assert str(limit) in str(refusal.value)
        assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("name", COUNTS)
@given(data=st.data())
def test_a_number_of_things_is_accepted_up_to_its_limit(name: str, data: st.DataObject) -> None:
    make, least, most = COUNTS[name]
    number = data.draw(st.one_of(st.integers(0, 4), st.integers(most - 1, most + 3)))
    if least <= number <= most:
        accepted(make(number))
    else:
        with pytest.raises(Refused):
            make(number)


@given(st.text(st.characters(), max_size=30))
def test_a_text_is_either_refused_or_valid_for_the_send_api(text: str) -> None:
    for make, _ in LENGTHS.values():
        try:
            message = make(text)
        except Refused:
            continue
        accepted(message)


@given(
    st.one_of(st.text(max_size=30), st.text(max_size=20).map("https://".__add__), st.text("0123456789+", max_size=18))
)
def test_a_url_or_phone_number_is_either_refused_or_valid_for_the_send_api(text: str) -> None:
    makers: tuple[Callable[[], Message], ...] = (
        lambda: Media("image", text),
        lambda: MediaCard("image", text),
        lambda: Buttons("Choose", (Link("Go", text),)),
        lambda: Buttons("Choose", (LogIn(text),)),
        lambda: Buttons("Choose", (Call("Go", text),)),
        lambda: Carousel((Card("Step", image=text, link=text),)),
        lambda: Receipt("A", "7", text, "Visa", 1),
    )
    for make in makers:
        try:
            message = make()
        except Refused:
            continue
        accepted(message)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Text(" \n"),
        lambda: Text("\ud83d"),
        lambda: Tap("", "P"),
        lambda: Tap("Go", ""),
        lambda: Link("Go", "ftp://example.org"),
        lambda: Link("Go", "https://"),
        lambda: Link("Go", "https://a b"),
        lambda: Link("Go", HTTPS + "x" * 2000),
        lambda: Link("Go", HTTPS, "huge"),
        lambda: LogIn("http://example.org/"),
        lambda: Call("Go", "0228 123"),
        lambda: Call("Go", "+123"),
        lambda: Call("Go", "+1234567890123456"),
        lambda: QuickReply("Yes", image="picture.png"),
        lambda: Card("Step"),
        lambda: Card("Step", " "),
        lambda: Media("picture", HTTPS),
        lambda: Media("image"),
        lambda: Media("image", HTTPS, "7"),
        lambda: MediaCard("audio", attachment_id="7"),
        lambda: MediaCard("image", HTTPS),
        lambda: Item("", 1),
        lambda: Item("Stamp", -1),
        lambda: Item("Stamp", float("nan")),
        lambda: Item("Stamp", 1, quantity=0),
        lambda: Item("Stamp", 1, image="x"),
        lambda: Address("S", "", "5", "NW", "DE"),
        lambda: Adjustment("", 1),
        lambda: Adjustment("New", float("inf")),
        lambda: Receipt("", "7", "EUR", "Visa", 1),
        lambda: Receipt("A", "7", "Euro", "Visa", 1),
        lambda: Receipt("A", "7", "eur", "Visa", 1),
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
    ],
)
def test_what_facebook_would_refuse_is_refused_with_what_to_do(make: Callable[[], object]) -> None:
    with pytest.raises(Refused, match=r"^[^:]+.*: .+\.$"):
        make()


def test_the_error_of_a_long_text_says_how_to_split_it() -> None:
    with pytest.raises(Refused, match=r"^A text has 2000 characters, and 1999 are allowed: split it with .*split"):
        Text("x" * 2000)


@pytest.mark.parametrize("base", [Message, Button, Content, Template])
def test_a_base_class_cannot_be_sent(base: type[Any]) -> None:
    made = base()
    with pytest.raises(NotImplementedError):
        made.to_json() if base is Button else made.to_request("24")


def _form(message: Message) -> dict[str, Any]:
    form = accepted(message)["message"]["attachment"]["payload"]
    assert isinstance(form, dict)
    return form


@pytest.mark.parametrize(
    ("control", "body"),
    [
        (PassThread("2002", "help"), {"control": "pass_thread_control", "target_app_id": "2002", "metadata": "help"}),
        (PassThread("2002"), {"control": "pass_thread_control", "target_app_id": "2002"}),
        (TakeThread("mine"), {"control": "take_thread_control", "metadata": "mine"}),
        (ReleaseThread(), {"control": "release_thread_control"}),
        (RequestThread(), {"control": "request_thread_control"}),
    ],
    ids=repr,
)
def test_thread_control_is_a_call_of_its_own(control: ThreadControl, body: dict[str, object]) -> None:
    assert control.to_request("24") == {"recipient": {"id": "24"}, **body}
    with pytest.raises(Refused, match="1001 characters"):
        control.replace(reason="x" * 1001)
