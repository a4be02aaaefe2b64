import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messenger.events import (
    _BUILDERS,
    AccountLinked,
    Appointment,
    AppRolesChanged,
    Attachment,
    AttachmentMessage,
    Audio,
    Comment,
    DeletedMessage,
    Delivery,
    Echo,
    Edited,
    Event,
    Fallback,
    FeedbackGiven,
    File,
    GamePlayed,
    Heart,
    Image,
    InstagramPost,
    InstagramReel,
    InstagramStory,
    Location,
    MessageEvent,
    Notice,
    OptedIn,
    PolicyEnforced,
    Post,
    Postback,
    QuickReplyTapped,
    Reacted,
    Read,
    Reel,
    Referral,
    Referred,
    ReplyTo,
    ResponseRated,
    Shared,
    Sticker,
    StoryMention,
    Template,
    TextMessage,
    ThreadPassed,
    ThreadRequested,
    ThreadTaken,
    Unknown,
    UnknownAttachment,
    UnsupportedAttachment,
    UnsupportedMessage,
    Video,
    parse,
)
from bot.messenger.identity import FIELDS, apart

PAGE, USER, THEN = "1001", "24", 1_700_000_000_000


def item(**parts: object) -> dict[str, object]:
    return {"sender": {"id": USER}, "recipient": {"id": PAGE}, "timestamp": THEN, **parts}


def message(**parts: object) -> dict[str, object]:
    return item(message={"mid": "m1", **parts})


def event(**parts: object) -> Event:
    return parse(item(**parts), PAGE)


def common(raw: object, identity: str) -> dict[str, Any]:
    return {"id": identity, "page": PAGE, "user": USER, "timestamp": THEN, "raw": raw}


def test_a_text_has_sender_content_and_time() -> None:
    raw = message(text="Hallo 👋")
    assert parse(raw, PAGE) == TextMessage("Hallo 👋", mid="m1", **common(raw, "m1"))


def test_a_tapped_quick_reply_is_not_a_text() -> None:
    raw = message(text="Yes", quick_reply={"payload": "YES"})
    assert parse(raw, PAGE) == QuickReplyTapped("YES", "Yes", mid="m1", **common(raw, "m1"))


def test_a_text_has_the_message_it_replies_to_and_its_referral() -> None:
    raw = message(text="This one", reply_to={"mid": "m0"}, referral={"ref": "shop", "source": "ADS", "ad_id": 7})
    assert parse(raw, PAGE) == TextMessage(
        "This one",
        mid="m1",
        reply_to=ReplyTo("m0"),
        referral=Referral("shop", "ADS", ad_id="7"),
        **common(raw, "m1"),
    )


AT: dict[str, object] = {"url": "u"}
KINDS: dict[str, type[Attachment]] = {
    "image": Image,
    "audio": Audio,
    "video": Video,
    "file": File,
    "post": Post,
    "reel": Reel,
    "ig_post": InstagramPost,
    "ig_reel": InstagramReel,
    "ig_story": InstagramStory,
    "story_mention": StoryMention,
    "share": Shared,
    "appointment_booking": Appointment,
    "unsupported_type": UnsupportedAttachment,
    "sticker": Sticker,
    "hologram": UnknownAttachment,
}
Raw = dict[str, object]
ATTACHMENTS: list[tuple[Raw, Attachment]] = [
    *[(Raw(type=kind, payload=AT), made(kind, "u", payload=AT)) for kind, made in KINDS.items()],
    *[
        (Raw(type=kind, payload=payload), Sticker(kind, payload=payload, sticker_id="369239263222822"))
        for payload in [{"sticker_id": 369239263222822}, {"sticker_id": "369239263222822"}]
        for kind in ["sticker", "image"]
    ],
    ({"type": "template", "payload": {"generic": {}}}, Template("template", payload={"generic": {}})),
    (
        {"type": "template", "payload": {"product": {"elements": [{"id": 1}, {"id": "2"}, {}]}}},
        Template("template", payload={"product": {"elements": [{"id": 1}, {"id": "2"}, {}]}}, products=("1", "2")),
    ),
    ({"type": "fallback", "payload": None, "url": "u", "title": "t"}, Fallback("fallback", "u", "t")),
    ({"type": "fallback", "payload": "opaque", "URL": "u"}, Fallback("fallback", "u", payload="opaque")),
    ({"type": "fallback"}, Fallback("fallback")),
    ({"type": "like_heart"}, Heart("like_heart")),
    (
        {"type": "location", "payload": {"coordinates": {"lat": 50.7, "long": 7}}},
        Location("location", payload={"coordinates": {"lat": 50.7, "long": 7}}, latitude=50.7, longitude=7.0),
    ),
    ({"type": "location"}, Location("location")),
    ({}, UnknownAttachment("")),
]


@pytest.mark.parametrize(("raw", "expected"), ATTACHMENTS)
def test_an_attachment_has_the_class_of_its_kind(raw: dict[str, object], expected: Attachment) -> None:
    found = parse(message(attachments=[raw]), PAGE)
    assert isinstance(found, AttachmentMessage)
    assert found.attachments == (expected,)
    assert type(found.attachments[0]) is type(expected)


@pytest.mark.parametrize("attachments", [[], [{"type": "image", "payload": AT}], [{"type": "audio"}]])
def test_a_sticker_that_is_named_beside_the_attachments_is_a_sticker(attachments: list[dict[str, object]]) -> None:
    found = parse(message(sticker_id=369239263222822, attachments=attachments), PAGE)
    assert isinstance(found, AttachmentMessage)
    assert [each.sticker_id for each in found.attachments if isinstance(each, Sticker)] == ["369239263222822"]


@pytest.mark.parametrize("words", ["", " \n", "\u200b", "\u3164\ufeff"], ids=ascii)
def test_a_message_without_words_is_what_came_with_it(words: str) -> None:
    found = parse(message(text=words, attachments=[{"type": "image", "payload": AT}]), PAGE)
    assert isinstance(found, AttachmentMessage)
    assert isinstance(parse(message(text=words), PAGE), UnsupportedMessage)
    assert isinstance(parse(message(text=words, referral={"ref": "r"}), PAGE), Referred)


def test_a_message_without_known_content_is_unsupported() -> None:
    assert isinstance(parse(message(), PAGE), UnsupportedMessage)
    assert isinstance(parse(message(is_unsupported=True), PAGE), UnsupportedMessage)


# What comes together: none of it is lost

PARTS: dict[str, object] = {
    "text": "stop",
    "quick_reply": {"payload": "GO"},
    "attachments": [raw for raw, _ in ATTACHMENTS],
    "sticker_id": 369239263222822,
    "reply_to": {"mid": "m0", "is_self_reply": False, "story": {"id": "s1", "url": "u"}},
    "referral": {"ref": "shop", "source": "ADS", "product": {"id": "5"}},
    "is_echo": False,
    "app_id": 7,
    "is_unsupported": True,
    "metadata": "x",
    "seq": 3,
    "nlp": {"entities": {}},
    "commands": [{"name": "rooms"}],
}
BESIDE: dict[str, object] = {
    "hop_context": {"app_id": 1},
    "prior_message": {"source": "checkbox_plugin", "identifier": "r"},
    "lead": {"data": []},
    "message_request": "accept",
}


@given(st.sets(st.sampled_from(sorted(PARTS))), st.permutations(ATTACHMENTS), st.sets(st.sampled_from(sorted(BESIDE))))
def test_nothing_in_a_message_is_lost_that_is_understood_alone(
    names: set[str], attachments: list[tuple[dict[str, object], Attachment]], beside: set[str]
) -> None:
    parts = {name: PARTS[name] for name in names}
    if "attachments" in parts:
        parts["attachments"] = [raw for raw, _ in attachments]
    found = parse(message(**parts) | {name: BESIDE[name] for name in beside}, PAGE)
    whole = [name for name in ("quick_reply", "text", "attachments", "sticker_id", "referral") if name in names]
    first = {
        "quick_reply": QuickReplyTapped,
        "text": TextMessage,
        "attachments": AttachmentMessage,
        "sticker_id": AttachmentMessage,
        "referral": Referred,
    }
    assert type(found) is (first[whole[0]] if whole else UnsupportedMessage)
    assert found.id == "m1"
    if isinstance(found, Referred):
        assert found.referral.product == "5"
        return
    assert isinstance(found, MessageEvent)
    if "text" in names:
        assert getattr(found, "text") == "stop"  # noqa: B009  each class with words has them under this name
    if "quick_reply" in names:
        assert isinstance(found, QuickReplyTapped)
        assert found.payload == "GO"
    if "attachments" in names:
        made = {type(each) for each in found.attachments}
        assert made == {type(each) for _, each in ATTACHMENTS} - ({Image} if "sticker_id" in names else set())
        assert len(found.attachments) == len(ATTACHMENTS)
    if "sticker_id" in names:
        assert any(isinstance(each, Sticker) for each in found.attachments)
    if "reply_to" in names:
        assert found.reply_to == ReplyTo("m0", "s1", "u")
    if "referral" in names:
        assert found.referral == Referral("shop", "ADS", product="5")


@given(st.lists(st.sampled_from(FIELDS), min_size=1, unique=True))
def test_an_item_with_several_kinds_is_an_event_of_each(kinds: list[str]) -> None:
    together = item(**{kind: {"mid": "m1"} for kind in kinds})
    alone = [item(**{kind: {"mid": "m1"}}) for kind in kinds]
    assert sorted(map(str, apart(together))) == sorted(map(str, alone))


def test_deleting_a_message_is_an_event_of_its_own() -> None:
    sent, deleted = parse(message(text="Oh"), PAGE), parse(message(is_deleted=True), PAGE)
    assert isinstance(deleted, DeletedMessage)
    assert sent.id != deleted.id


def test_a_reply_to_a_story_names_the_story() -> None:
    found = parse(message(text="Nice", reply_to={"story": {"url": "u", "id": "s1"}}), PAGE, platform="instagram")
    assert isinstance(found, TextMessage)
    assert found.reply_to == ReplyTo(story_id="s1", story_url="u")
    assert found.platform == "instagram"


def test_the_user_of_an_echo_is_whoever_is_not_the_page() -> None:
    turned = {"sender": {"id": USER}, "recipient": {"id": PAGE}, "message": {"mid": "m2", "is_echo": True}}
    assert parse(turned, PAGE).user == USER
    raw = {
        "sender": {"id": PAGE},
        "recipient": {"id": USER},
        "timestamp": THEN,
        "message": {"mid": "m2", "is_echo": True, "app_id": 2002, "metadata": "key", "text": "Hi"},
    }
    assert parse(raw, PAGE) == Echo("key", "2002", "m2", "Hi", **common(raw, "m2"))


EVENTS: list[tuple[dict[str, object], Event]] = [
    (
        {"postback": {"mid": "p1", "title": "Go", "payload": "GO", "referral": {"ref": "r", "type": "OPEN_THREAD"}}},
        Postback("GO", "Go", Referral("r", type="OPEN_THREAD"), "p1"),
    ),
    ({"postback": {"title": "Go"}}, Postback("", "Go")),
    (
        {"referral": {"ref": "r", "source": "SHORTLINK", "type": "OPEN_THREAD", "referer_uri": "u"}},
        Referred(Referral("r", "SHORTLINK", "OPEN_THREAD", referer_uri="u")),
    ),
    (
        {"optin": {"type": "notification_messages", "payload": "P", "notification_messages_token": "t"}},
        OptedIn("notification_messages", "P", "t"),
    ),
    ({"optin": {"ref": "r", "user_ref": "u"}}, OptedIn(ref="r", user_ref="u")),
    ({"optin": {"type": "one_time_notif_req", "one_time_notif_token": "t"}}, OptedIn("one_time_notif_req", token="t")),
    (
        {"reaction": {"reaction": "love", "emoji": "❤", "action": "react", "mid": "m0"}},
        Reacted("react", "❤", "love", "m0"),
    ),
    ({"reaction": {"emoji": "\\u{2764}\\u{FE0F}", "mid": "m0"}}, Reacted("react", "❤\ufe0f", mid="m0")),
    ({"message_edit": {"mid": "m0", "text": "Oh", "num_edit": "2"}}, Edited("m0", "Oh", 2)),
    (
        {"account_linking": {"status": "linked", "authorization_code": "c"}},
        AccountLinked("linked", "c"),
    ),
    ({"game_play": {"game_id": 7, "payload": "x"}}, GamePlayed("7", "x")),
    ({"pass_thread_control": {"new_owner_app_id": 1, "metadata": "x"}}, ThreadPassed("1", metadata="x")),
    ({"take_thread_control": {"previous_owner_app_id": 1, "metadata": "x"}}, ThreadTaken("", "1", "x")),
    ({"request_thread_control": {"requested_owner_app_id": 1, "metadata": "x"}}, ThreadRequested("1", "x")),
    ({"app_roles": {"2002": ["primary_receiver", 1], "3": "x"}}, AppRolesChanged((("2002", ("primary_receiver",)),))),
    ({"policy_enforcement": {"action": "block", "reason": "r"}}, PolicyEnforced("block", "r")),
    ({"policy-enforcement": {"action": "warning", "reason": "r"}}, PolicyEnforced("warning", "r")),
    ({"messaging_feedback": {"feedback_screens": [{"screen_id": 0}]}}, FeedbackGiven([{"screen_id": 0}])),
    ({"response_feedback": {"feedback": "Good response", "mid": "m0"}}, ResponseRated("Good response", "m0")),
    ({"delivery": {"mids": ["m0", 1], "watermark": 5}}, Delivery(("m0",), 5)),
    ({"delivery": {"watermark": "5"}}, Delivery((), 5)),
    ({"read": {"watermark": 5}}, Read(5)),
    ({"read": {"mid": "m0"}}, Read(None, "m0")),
    (
        {"notice": {"id": "n1", "topic": "parcel", "data": {"number": "12345678", "x": 1}}},
        Notice("parcel", (("number", "12345678"), ("x", ""))),
    ),
    (
        {
            "field": "feed",
            "value": {"item": "comment", "verb": "add", "comment_id": "c", "post_id": "p", "message": "?"},
        },
        Comment("c", "?", "p"),
    ),
    (
        {"field": "comments", "value": {"id": "c", "text": "?", "media": {"id": "p"}, "from": {"id": "7"}}},
        Comment("c", "?", "p", "7"),
    ),
    ({"field": "live_comments", "value": {"id": "c", "text": "?"}}, Comment("c", "?")),
    ({"mystery": {"x": 1}}, Unknown(("sender", "recipient", "timestamp", "mystery"))),
    ({"message": "text"}, Unknown(("sender", "recipient", "timestamp", "message"))),
]


@pytest.mark.parametrize(
    ("parts", "expected"), EVENTS, ids=[f"{next(iter(parts))}-{n}" for n, (parts, _) in enumerate(EVENTS)]
)
def test_an_event_has_the_class_of_its_kind(parts: dict[str, object], expected: Event) -> None:
    found = parse(item(**parts), PAGE)
    assert found == expected.replace(**common(item(**parts), found.id))
    assert found.id


def test_every_kind_has_its_own_name() -> None:
    def kinds(base: type[Event]) -> list[type[Event]]:
        return [kind for sub in base.__subclasses__() for kind in (sub, *kinds(sub))]

    concrete = [kind for kind in kinds(Event) if not kind.__subclasses__()]
    assert len({kind.kind for kind in concrete}) == len(concrete) == 26


def test_only_what_a_person_does_opens_the_window() -> None:
    opens = {type(found).__name__ for parts, _ in EVENTS if (found := event(**parts)).opens_window}
    assert opens == {"Postback", "Referred", "Reacted", "AccountLinked", "FeedbackGiven"}
    assert parse(message(text="Hi"), PAGE).opens_window


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


def test_a_message_or_tap_is_identified_by_its_own_id() -> None:
    assert parse(message(text="Hi"), PAGE).id == "m1"
    assert event(postback={"mid": "p1", "payload": "GO"}).id == "p1"


def test_a_notice_to_two_people_is_two_events_and_never_a_message() -> None:
    def identity(person: str) -> str:
        return parse({**item(notice={"id": "m1", "topic": "parcel"}), "sender": {"id": person}}, PAGE).id

    assert identity("1") == identity("1")
    assert len({identity("1"), identity("2"), parse(message(text="Hi"), PAGE).id}) == 3


def test_love_unreact_and_love_again_are_three_events() -> None:
    def reaction(action: str, then: int, emoji: str = "❤") -> str:
        reacted = {"mid": "m0", "action": action, "reaction": "love", "emoji": emoji}
        return parse(item(reaction=reacted) | {"timestamp": then}, PAGE).id

    ids = [reaction("react", 1), reaction("unreact", 2), reaction("react", 3), reaction("react", 3, "👍")]
    assert len(set(ids)) == 4
    assert reaction("react", 1) == ids[0]


def test_each_edit_of_a_message_is_an_event_of_its_own() -> None:
    ids = {event(message_edit={"mid": "m1", "num_edit": number}).id for number in (1, 2)} | {"m1"}
    assert len(ids) == 3


def test_without_an_id_the_item_itself_is_the_identity_whatever_its_order() -> None:
    one = item(referral={"ref": "r", "source": "s"})
    other = dict(reversed(list(one.items()))) | {"referral": {"source": "s", "ref": "r"}}
    assert parse(one, PAGE).id == parse(other, PAGE).id
    assert parse(one, PAGE).id != parse(one, "another page").id
    assert parse(one, PAGE).id != parse(one | {"timestamp": THEN + 1}, PAGE).id


def test_a_deeply_nested_item_has_an_id() -> None:
    deep: object = "end"
    for _ in range(5000):
        deep = {"in": [deep]}
    first, second = item(mystery={"in": deep}), item(mystery={"in": deep, "x": 1})
    assert parse(first, PAGE).id == parse(first, PAGE).id
    assert parse(first, PAGE).id != parse(second, PAGE).id


# Anything may come


def test_ids_may_be_numbers_and_sender_or_time_may_be_absent() -> None:
    assert parse({"sender": {"id": 24}, "message": {"mid": "m1", "text": "Hi"}}, PAGE).user == "24"
    alone = parse({"message": {"mid": "m1", "text": "Hi"}}, PAGE)
    assert (alone.user, alone.timestamp) == ("", None)


@pytest.mark.parametrize("when", ["1700000000000", 1700000000000])
def test_a_time_may_be_a_text(when: object) -> None:
    assert parse(item() | {"timestamp": when}, PAGE).timestamp == THEN


@pytest.mark.parametrize(
    "when", [True, 1.5, "soon", "٣", "-1", None, [], 10**30, "9" * 5000, float("inf"), float("nan")]
)
def test_an_invalid_time_is_left_out(when: object) -> None:
    assert parse(item() | {"timestamp": when}, PAGE).timestamp is None


def test_half_a_character_is_replaced() -> None:
    found = parse(
        json.loads(r'{"sender": {"id": "\ud83d"}, "message": {"mid": "\udc00", "text": "a\ud83d"}}'), "\ud800"
    )
    assert isinstance(found, TextMessage)
    assert (found.text, found.user, found.id, found.page) == ("a\ufffd", "\ufffd", "\ufffd", "\ufffd")
    json.dumps([found.text, found.user, found.id], ensure_ascii=False).encode()


@pytest.mark.parametrize("anything", [None, 7, "text", [], {}, {"message": None}, {1: 2}, {"x": {1, 2}}, object])
def test_what_is_no_event_is_unknown(anything: object) -> None:
    found = parse(anything, PAGE)
    assert isinstance(found, Unknown)
    assert found.id.startswith("sha256:")


def test_what_tells_an_items_kind_has_an_event_each() -> None:
    assert tuple(_BUILDERS) == (*FIELDS, "comment", "template")


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)


JSON = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.text(max_size=5), LEAVES, max_size=3)
NAMES = st.sampled_from(["sender", "recipient", "timestamp", *_BUILDERS])
INSIDE = st.sampled_from(
    [
        "id",
        "mid",
        "text",
        "quick_reply",
        "payload",
        "attachments",
        "type",
        "url",
        "is_echo",
        "is_deleted",
        "app_id",
        "metadata",
        "reply_to",
        "referral",
        "ref",
        "mids",
        "watermark",
        "num_edit",
        "emoji",
        "action",
        "data",
        "coordinates",
        "lat",
        "user_ref",
    ]
)
INNER = st.dictionaries(INSIDE, JSON, max_size=3)
PART = st.dictionaries(INSIDE, JSON | INNER | st.lists(INNER, max_size=3), max_size=5)


@settings(max_examples=100)
@given(st.dictionaries(NAMES, JSON | PART, max_size=4) | JSON, st.text(max_size=5))
def test_any_json_becomes_an_event_with_an_id(anything: object, entry_id: str) -> None:
    found = parse(anything, entry_id)
    assert found.id
    assert parse(anything, entry_id).id == found.id
    assert isinstance(found.user, str)
    assert found.timestamp is None or isinstance(found.timestamp, int)
    f"{found.id}{found.user}{found.page}".encode()


def test_an_event_takes_less_than_a_millisecond() -> None:
    raw = message(text="x" * 1999, attachments=[{"type": "fallback", "url": "u"}] * 10)
    times = []
    for _ in range(200):
        begun = time.perf_counter()
        parse(raw, PAGE)
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.001


def test_a_thousand_items_take_less_than_a_second() -> None:
    begun = time.process_time()
    for number in range(1000):
        parse(item(referral={"ref": str(number)}), PAGE)
    assert time.process_time() - begun < 1


def test_a_person_can_stop_an_opt_in() -> None:
    def stops(status: str) -> bool:
        found = event(optin={"type": "notification_messages", "notification_messages_status": status})
        assert isinstance(found, OptedIn)
        return found.stops

    assert stops("STOP_NOTIFICATIONS")
    assert stops("STOP NOTIFICATIONS")
    assert not stops("RESUME_NOTIFICATIONS")
    assert not stops("")


def test_a_notice_gives_its_data_by_name() -> None:
    notice = Notice("parcel", (("number", "12345678"),))
    assert notice.get("number") == "12345678"
    assert notice.get("other") == ""
