import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messenger import events
from bot.messenger.events import AttachmentMessage, Event, Referral, ReplyTo, Sticker, TextMessage, parse
from bot.messenger.identity import FIELDS

PAGE, USER, THEN = "1001", "24", 1_700_000_000_000


def item(**parts: object) -> dict[str, object]:
    return {"sender": {"id": USER}, "recipient": {"id": PAGE}, "timestamp": THEN, **parts}


def message(**parts: object) -> dict[str, object]:
    return item(message={"mid": "m1", **parts})


AT: dict[str, object] = {"url": "u"}
KINDS: dict[str, type[events.Attachment]] = {
    "image": events.Image,
    "audio": events.Audio,
    "video": events.Video,
    "file": events.File,
    "post": events.Post,
    "reel": events.Reel,
    "ig_post": events.InstagramPost,
    "ig_reel": events.InstagramReel,
    "ig_story": events.InstagramStory,
    "story_mention": events.StoryMention,
    "share": events.Shared,
    "appointment_booking": events.Appointment,
    "unsupported_type": events.UnsupportedAttachment,
    "sticker": events.Sticker,
    "like_heart": events.Heart,
    "hologram": events.UnknownAttachment,
}
Raw = dict[str, object]
PRODUCTS = {"product": {"elements": [{"id": 1}, {"id": "2"}, {}]}}
PLACE = {"coordinates": {"lat": 50.7, "long": 7}}
ATTACHMENTS: list[tuple[Raw, events.Attachment]] = [
    *[(Raw(type=kind, payload=AT), made(kind, "u", payload=AT)) for kind, made in KINDS.items()],
    *[
        (Raw(type=kind, payload=payload), Sticker(kind, payload=payload, sticker_id="369239263222822"))
        for payload in [{"sticker_id": 369239263222822}, {"sticker_id": "369239263222822"}]
        for kind in ["sticker", "image"]
    ],
    ({"type": "template", "payload": PRODUCTS}, events.Template("template", payload=PRODUCTS, products=("1", "2"))),
    ({"type": "fallback", "payload": None, "url": "u", "title": "t"}, events.Fallback("fallback", "u", "t")),
    ({"type": "fallback", "payload": "opaque", "URL": "u"}, events.Fallback("fallback", "u", payload="opaque")),
    (
        {"type": "location", "payload": PLACE},
        events.Location("location", payload=PLACE, latitude=50.7, longitude=7.0),
    ),
    ({"type": "location"}, events.Location("location")),
    ({}, events.UnknownAttachment("")),
]


@pytest.mark.parametrize(("raw", "expected"), ATTACHMENTS)
def test_an_attachment_has_the_class_of_its_kind(raw: Raw, expected: events.Attachment) -> None:
    found = parse(message(attachments=[raw]), PAGE)
    assert isinstance(found, AttachmentMessage)
    assert found.attachments == (expected,)


@pytest.mark.parametrize("attachments", [[], [{"type": "image", "payload": AT}], [{"type": "audio"}]])
def test_a_sticker_that_is_named_beside_the_attachments_is_a_sticker(attachments: list[Raw]) -> None:
    found = parse(message(sticker_id=369239263222822, attachments=attachments), PAGE)
    assert isinstance(found, AttachmentMessage)
    assert [each.sticker_id for each in found.attachments if isinstance(each, Sticker)] == ["369239263222822"]


@pytest.mark.parametrize("words", ["", " \n", "\u200b", "\u3164\ufeff"], ids=ascii)
def test_a_message_without_words_is_what_came_with_it(words: str) -> None:
    found = parse(message(text=words, attachments=[{"type": "image", "payload": AT}]), PAGE)
    assert isinstance(found, AttachmentMessage)
    assert isinstance(parse(message(text=words), PAGE), events.UnsupportedMessage)
    assert isinstance(parse(message(text=words, referral={"ref": "r"}), PAGE), events.Referred)


# What comes together: none of it is lost

PARTS: dict[str, object] = {
    "text": "stop",
    "quick_reply": {"payload": "GO"},
    "attachments": [raw for raw, _ in ATTACHMENTS],
    "sticker_id": 369239263222822,
    "reply_to": {"mid": "m0", "is_self_reply": False, "story": {"id": "s1", "url": "u"}},
    "referral": {"ref": "shop", "source": "ADS", "ad_id": 7, "product": {"id": "5"}},
    "is_echo": False,
    "is_unsupported": True,
    "metadata": "x",
    "nlp": {"entities": {}},
}
BESIDE: dict[str, object] = {"hop_context": {"app_id": 1}, "lead": {"data": []}, "message_request": "accept"}


@given(st.sets(st.sampled_from(sorted(PARTS))), st.sets(st.sampled_from(sorted(BESIDE))))
def test_nothing_in_a_message_is_lost_that_is_understood_alone(names: set[str], beside: set[str]) -> None:
    raw = message(**{name: PARTS[name] for name in names}) | {name: BESIDE[name] for name in beside}
    found = parse(raw, PAGE)
    first = {
        "quick_reply": events.QuickReplyTapped,
        "text": TextMessage,
        "attachments": AttachmentMessage,
        "sticker_id": AttachmentMessage,
        "referral": events.Referred,
    }
    assert type(found) is next((kind for name, kind in first.items() if name in names), events.UnsupportedMessage)
    assert (found.id, found.page, found.user, found.timestamp, found.raw) == ("m1", PAGE, USER, THEN, raw)
    came = Referral("shop", "ADS", ad_id="7", product="5") if "referral" in names else None
    if isinstance(found, events.Referred):
        assert found.referral == came
        return
    assert isinstance(found, events.MessageEvent)
    assert (found.mid, found.referral) == ("m1", came)
    assert found.reply_to == (ReplyTo("m0", "s1", "u") if "reply_to" in names else None)
    if "text" in names:
        assert getattr(found, "text") == "stop"  # noqa: B009  each class with words has them under this name
    if isinstance(found, events.QuickReplyTapped):
        assert found.payload == "GO"
    if "attachments" in names:
        made = {type(each) for each in found.attachments}
        assert made == {type(each) for _, each in ATTACHMENTS} - ({events.Image} if "sticker_id" in names else set())
        assert len(found.attachments) == len(ATTACHMENTS)
    assert any(isinstance(each, Sticker) for each in found.attachments) == bool(names & {"sticker_id", "attachments"})


def test_the_user_of_an_echo_is_whoever_is_not_the_page() -> None:
    turned = {"sender": {"id": USER}, "recipient": {"id": PAGE}, "message": {"mid": "m2", "is_echo": True}}
    assert parse(turned, PAGE).user == USER
    raw = {
        "sender": {"id": PAGE},
        "recipient": {"id": USER},
        "message": {"mid": "m2", "is_echo": True, "app_id": 2002, "metadata": "key", "text": "Hi"},
    }
    assert parse(raw, PAGE) == events.Echo("key", "2002", "m2", "Hi", id="m2", page=PAGE, user=USER, raw=raw)


# What the examples in docs/any-language.md leave out; those are written with `parse`.
EVENTS: list[tuple[dict[str, object], Event]] = [
    (
        {"postback": {"mid": "p1", "title": "Go", "payload": "GO", "referral": {"ref": "r", "type": "OPEN_THREAD"}}},
        events.Postback("GO", "Go", Referral("r", type="OPEN_THREAD"), "p1"),
    ),
    ({"postback": {"title": "Go"}}, events.Postback("", "Go")),
    ({"referral": {"ref": "r", "referer_uri": "u"}}, events.Referred(Referral("r", referer_uri="u"))),
    (
        {"optin": {"type": "notification_messages", "payload": "P", "notification_messages_token": "t"}},
        events.OptedIn("notification_messages", "P", "t"),
    ),
    ({"optin": {"one_time_notif_token": "t"}}, events.OptedIn(token="t")),
    ({"reaction": {"emoji": "\\u{2764}\\u{FE0F}", "mid": "m0"}}, events.Reacted("react", "❤\ufe0f", mid="m0")),
    ({"message_edit": {"mid": "m0", "text": "Oh", "num_edit": "2"}}, events.Edited("m0", "Oh", 2)),
    ({"app_roles": {"2": ["primary_receiver", 1], "3": "x"}}, events.AppRolesChanged((("2", ("primary_receiver",)),))),
    ({"policy-enforcement": {"action": "warning", "reason": "r"}}, events.PolicyEnforced("warning", "r")),
    ({"delivery": {"mids": ["m0", 1], "watermark": "5"}}, events.Delivery(("m0",), 5)),
    ({"read": {"watermark": 5}}, events.Read(5)),
    ({"read": {"mid": "m0"}}, events.Read(None, "m0")),
    (
        {"notice": {"id": "n1", "topic": "parcel", "data": {"number": "12345678", "x": 1}}},
        events.Notice("parcel", (("number", "12345678"), ("x", ""))),
    ),
    (
        {
            "field": "feed",
            "value": {"item": "comment", "verb": "add", "comment_id": "c", "post_id": "p", "message": "?"},
        },
        events.Comment("c", "?", "p"),
    ),
    (
        {"field": "comments", "value": {"id": "c", "text": "?", "media": {"id": "p"}, "from": {"id": "7"}}},
        events.Comment("c", "?", "p", "7"),
    ),
    ({"field": "live_comments", "value": {"id": "c", "text": "?"}}, events.Comment("c", "?")),
    ({"message": "text"}, events.Unknown(("sender", "recipient", "timestamp", "message"))),
]


@pytest.mark.parametrize(
    ("parts", "expected"), EVENTS, ids=[f"{next(iter(parts))}-{n}" for n, (parts, _) in enumerate(EVENTS)]
)
def test_an_event_has_the_class_of_its_kind(parts: dict[str, object], expected: Event) -> None:
    raw = item(**parts)
    found = parse(raw, PAGE, platform="instagram")
    common: dict[str, Any] = {"page": PAGE, "user": USER, "timestamp": THEN, "raw": raw, "platform": "instagram"}
    assert found == expected.replace(id=found.id, **common)


def test_only_what_a_person_does_opens_the_window() -> None:
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]
    assert {kind.kind for kind in kinds if kind.opens_window and kind is not events.MessageEvent} == {
        "text",
        "quick_reply",
        "attachment",
        "unsupported",
        "postback",
        "referral",
        "reaction",
        "account_linking",
        "feedback",
    }


# Which event is which, and whose


@pytest.mark.parametrize(
    "raw",
    [
        {"sender": {"user_ref": "105"}, "postback": {"payload": "START"}},
        {"sender": {"user_ref": 105}, "message": {"mid": "m1", "text": "Hi"}},
        {"optin": {"ref": "r", "user_ref": "105"}},
    ],
)
def test_somebody_without_an_id_is_known_by_the_reference_of_a_plugin(raw: dict[str, object]) -> None:
    assert parse(raw | {"recipient": {"id": PAGE}}, PAGE).user == "user_ref:105"
    assert parse(raw | {"sender": {"id": USER}}, PAGE).user == USER


def test_of_nobody_each_event_is_its_own() -> None:
    first, second = (parse({"recipient": {"id": PAGE}, "app_roles": {"1": [role]}}, PAGE) for role in "ab")
    assert (first.user, first.owner) == ("", first.id)
    assert first.owner != second.owner
    assert parse(message(text="Hi"), PAGE).owner == USER


def test_the_account_is_the_recipient_where_the_entry_names_the_person() -> None:
    assert parse(message(text="Hi"), USER).page == PAGE


def test_a_comment_that_is_reported_twice_is_one_event() -> None:
    comment = {"field": "comments", "value": {"comment_id": "c", "text": "?"}}
    boosted = {"field": "comments", "value": {"comment_id": "c", "text": "?", "media": {"ad_id": "1"}}}
    assert parse(comment, PAGE).id == parse(boosted, PAGE).id


def test_whatever_else_happens_is_an_event_of_its_own_however_often_it_is_delivered() -> None:
    love = {"mid": "m1", "action": "react", "reaction": "love", "emoji": "❤"}
    notice = item(notice={"id": "m1", "topic": "parcel"})
    deep: object = "end"
    for _ in range(5000):
        deep = {"in": [deep]}
    happened = [
        message(text="Hi"),
        message(is_deleted=True),
        item(postback={"mid": "p1", "payload": "GO"}),
        item(reaction=love),
        item(reaction=love | {"action": "unreact"}),
        item(reaction=love) | {"timestamp": THEN + 1},
        item(reaction=love | {"emoji": "👍"}),
        item(message_edit={"mid": "m1", "num_edit": 1}),
        item(message_edit={"mid": "m1", "num_edit": 2}),
        notice,
        notice | {"sender": {"id": "25"}},
        item(referral={"ref": "r", "source": "s"}),
        item(referral={"ref": "r", "source": "s"}) | {"timestamp": THEN + 1},
        item(mystery={"in": deep}),
        item(mystery={"in": deep, "x": 1}),
    ]
    ids = [parse(each, PAGE).id for each in happened]
    assert (ids[0], ids[2]) == ("m1", "p1")
    assert len(set(ids)) == len(happened)
    assert ids == [parse(each, PAGE).id for each in happened]
    for turned in (item(referral={"source": "s", "ref": "r"}), happened[-1]):
        assert parse(dict(reversed(turned.items())), PAGE).id in ids
    assert parse(item(referral={"ref": "r"}), PAGE).id != parse(item(referral={"ref": "r"}), "another page").id


# Anything may come


@pytest.mark.parametrize("when", ["1700000000000", True, 1.5, "soon", "٣", "-1", None, [], 10**30, "9" * 5000])
def test_a_time_may_be_a_text_and_an_invalid_one_is_left_out(when: object) -> None:
    assert parse(item(timestamp=when), PAGE).timestamp == (THEN if when == "1700000000000" else None)


def test_half_a_character_is_replaced() -> None:
    found = parse(
        json.loads(r'{"sender": {"id": "\ud83d"}, "message": {"mid": "\udc00", "text": "a\ud83d"}}'), "\ud800"
    )
    assert isinstance(found, TextMessage)
    assert (found.text, found.user, found.id, found.page) == ("a\ufffd", "\ufffd", "\ufffd", "\ufffd")


@pytest.mark.parametrize("anything", [None, 7, "text", [], {}, {"message": None}, {1: 2}, {"x": {1, 2}}, object])
def test_what_is_no_event_is_unknown(anything: object) -> None:
    found = parse(anything, PAGE)
    assert isinstance(found, events.Unknown)
    assert found.id.startswith("sha256:")


NAMES = st.sampled_from(
    [*FIELDS, "sender", "recipient", "timestamp", "id", "mid", "text", "payload", "attachments", "type", "coordinates"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
)


@settings(max_examples=100)
@given(st.dictionaries(NAMES, JSON, max_size=4) | JSON, st.text(max_size=5))
def test_any_json_becomes_an_event_with_an_id(anything: object, entry_id: str) -> None:
    found = parse(anything, entry_id)
    assert found.id
    assert parse(anything, entry_id).id == found.id
    assert found.timestamp is None or isinstance(found.timestamp, int)
    f"{found.id}{found.user}{found.page}".encode()


@pytest.mark.parametrize("status", ["STOP_NOTIFICATIONS", "STOP NOTIFICATIONS", "RESUME_NOTIFICATIONS", ""])
def test_a_person_can_stop_an_opt_in(status: str) -> None:
    found = parse(item(optin={"type": "notification_messages", "notification_messages_status": status}), PAGE)
    assert isinstance(found, events.OptedIn)
    assert found.stops == status.startswith("STOP")
