"""Whatever strangers send: nothing unsigned is taken, nothing signed is refused, and no secret or text is shown.

`make fuzz` runs these properties with 100,000 inputs each.
"""

import base64
import hmac
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation import bot, world
from bot.dialogue import Context
from bot.messenger.events import parse
from bot.messenger.signature import sign
from tests.bot.environment import ENVIRONMENT
from tests.bot.test_webhook import PAGE, SECRET, VERIFY, Door

Json = Any
Strategy = st.SearchStrategy[Any]

TEXT = "CANARYtext9f2c"
PRIVATE = re.compile(f"{SECRET}|{VERIFY}|EAAG|{TEXT}")
WORLD = Context(1_800_000_000.0, world(ENVIRONMENT))

ODD = st.sampled_from(
    (
        10**400,
        1e308,
        "\x00",
        '\r\n{"level": "ERROR", "kind": "forged"}\r\n',
        "\u2028\u2029",
        "\udfff\ud800",
        "\U0001f469\u200d\U0001f469\u200d\U0001f467" * 9,
        "e\u0301" * 2000,
        "\u202e\u2066evil\u2069",
        "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
        "\u0130stanbul \u017ftatus \u212a",
        "{0}{__class__}%s%n",
        "forget me",
        "12345678 87654321",
        {"": {"id": [None] * 40}},
    )
)
LEAF = (
    ODD
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9)
)
ANYTHING = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner))


def altered(good: Json) -> Strategy:
    """A value as it should be, the same with parts missing or replaced, or anything in its place."""
    inside: Strategy = st.nothing()
    if isinstance(good, dict):
        inside = st.fixed_dictionaries({}, optional={key: altered(value) for key, value in good.items()})
    elif isinstance(good, list):
        inside = st.lists(st.one_of(*map(altered, good)), max_size=3)
    return st.just(good) | inside | ANYTHING


ATTACHMENT = {"type": "image", "payload": {"url": "https://example.org/a.png", "sticker_id": 369239263222822}}
PARTS: tuple[dict[str, Json], ...] = (
    {"message": {"mid": "m_1", "text": f"status {TEXT}"}},
    {"message": {"mid": "m_2", "text": "12345678"}},
    {"message": {"mid": "m_3", "quick_reply": {"payload": "TRACK"}, "text": TEXT}},
    {"message": {"mid": "m_4", "attachments": [ATTACHMENT]}},
    {"message": {"mid": "m_6", "text": TEXT, "is_echo": True, "app_id": 1, "metadata": "abc:0"}},
    {"postback": {"mid": "p_1", "payload": "START", "referral": {"ref": "TRACK:12345678", "source": "SHORTLINK"}}},
    {"referral": {"ref": "summer", "source": "ADS", "type": "OPEN_THREAD", "ad_id": "9"}},
    {"reaction": {"mid": "m_1", "action": "react", "emoji": "\u2764\ufe0f", "reaction": "love"}},
    {"delivery": {"mids": ["m_1"], "watermark": 1458668856253}},
    {"optin": {"type": "notification_messages", "notification_messages_token": "t", "payload": "WATCH:12345678"}},
    {"message_edit": {"mid": "m_1", "text": TEXT, "num_edit": 1}},
    {"pass_thread_control": {"new_owner_app_id": "1", "metadata": "m"}},
    {"app_roles": {"123": ["primary_receiver"]}},
    {"account_linking": {"status": "linked", "authorization_code": "c"}},
    {"messaging_feedback": {"feedback_screens": [{"questions": {"q": {"payload": "5"}}}]}},
)
HEAD = {"sender": {"id": "7000000000000001"}, "recipient": {"id": PAGE}, "timestamp": 1458692752478}
ITEMS = st.one_of([altered(HEAD | part) for part in PARTS])
PAYLOADS = st.fixed_dictionaries(
    {"object": st.sampled_from(("page", "instagram")) | ANYTHING},
    optional={
        "entry": st.lists(
            st.fixed_dictionaries(
                {"id": st.just(PAGE) | ANYTHING, "messaging": st.lists(ITEMS, max_size=3) | ANYTHING},
                optional={"standby": st.lists(ITEMS, max_size=1)},
            ),
            max_size=2,
        )
        | ANYTHING
    },
)
# JSON that is expensive to read: deep, wide, with long numbers or repeated keys.
BOMBS = (
    b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    b'{"object":"page","entry":[' + b"[" * 20_000 + b"]" * 20_000 + b"]}",
    b'{"object":"page","entry":[{"id":"1","messaging":[' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"]}]}",
    b'{"object":"page","entry":[{"messaging":[{"timestamp":' + b"9" * 20_000 + b"}]}]}",
    b"{" + b'"a":1,' * 20_000 + b'"object":"page"}',
    b'{"object":"page","entry":[' + b'{"id":"1","messaging":[0]},' * 1_000 + b"{}]}",
)
WRITTEN = st.builds(
    lambda payload, ascii_only: json.dumps(payload, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"),
    PAYLOADS,
    st.booleans(),
)
BROKEN = st.builds(
    lambda body, at, cut, odd: body[: at % (len(body) + 1)] + odd + body[at % (len(body) + 1) + cut :],
    WRITTEN,
    st.integers(0, 10**6),
    st.integers(0, 3),
    st.sampled_from((b"", b"\xff\xfe", b"\xed\xa0\x80", b'"', b"NaN", b"-Infinity", b"1e999", b'"a":1,"a":2,'))
    | st.binary(),
)
BODIES = WRITTEN | BROKEN | st.binary()


def right(body: bytes) -> str:
    """The signature of whoever knows the secret, made without the bot's code."""
    return "sha256=" + hmac.new(SECRET.encode(), body, "sha256").hexdigest()


HEADERS = (
    st.just(right)
    | st.sampled_from(
        (
            lambda body: right(body)[:-1] + chr(0x1D7CE + ord(right(body)[-1]) % 10),
            lambda body: right(body).upper(),
            lambda body: right(body) + "\n",
            lambda body: right(body + b" "),
            lambda body: sign(body, ""),
            lambda body: sign(body, SECRET + "\0"),
        )
    )
    | st.text().map(lambda text: lambda _: text)
)


def answer(request: Json, door: Door) -> tuple[int, str]:
    """Status and body. Each line of the log is one of ours, and shows nothing private."""
    status, text = door.handle(request)
    assert not PRIVATE.search(door.log.getvalue())
    assert "forged" not in {line["kind"] for line in door.logged()}
    return status, text


@given(body=BODIES, signed=HEADERS, name=st.sampled_from(("X-Hub-Signature-256", "x-hub-signature-256", "X-Other")))
def test_what_was_signed_is_taken_whatever_it_is_and_nothing_else(body: bytes, signed: Json, name: str) -> None:
    door, header = Door(), signed(body)
    try:
        sent: Json = {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        sent = {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}

    status, text = answer({"httpMethod": "POST", "headers": {name: header}, **sent}, door)

    genuine = name != "X-Other" and header == right(body)
    assert (status, text) == (200, "EVENT_RECEIVED") if genuine else (status in {400, 403} and text == "{}")
    assert genuine or not any(door.cloud.sent.values())
    assert not genuine or door.cloud.letters or re.search(b"page|instagram", body)
    for entry in (*door.cloud.sent["events"], *door.cloud.sent["dead"]):
        assert json.loads(entry["MessageBody"])
        assert max(len(entry["MessageGroupId"]), len(entry["MessageDeduplicationId"])) <= 128


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_json_that_is_expensive_to_read_is_acknowledged(bomb: bytes) -> None:
    request = {"httpMethod": "POST", "headers": {"X-Hub-Signature-256": right(bomb)}, "body": bomb.decode()}

    assert answer(request, Door())[0] == 200


@pytest.mark.parametrize(
    "part", [{"headers": None}, {"headers": {}}, {"body": None}, {"body": "\ud800"}, {"isBase64Encoded": True}]
)
def test_a_request_that_api_gateway_never_makes_is_refused(part: dict[str, Json]) -> None:
    request = {"httpMethod": "POST", "headers": {"x-hub-signature-256": right(b"{")}, "body": "{"}

    assert answer(request | part, Door())[0] in {400, 403}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "hub.mode": st.just("subscribe") | st.text(),
            "hub.verify_token": st.sampled_from((VERIFY, VERIFY, VERIFY[:-1], VERIFY + "\0", VERIFY.upper()))
            | st.text(),
            "hub.challenge": st.text(),
        },
    )
    | st.none()
)
def test_the_challenge_comes_back_only_to_whoever_knows_the_verify_token(query: dict[str, str] | None) -> None:
    status, text = answer({"httpMethod": "GET", "queryStringParameters": query}, Door())

    given_ = query or {}
    if given_.get("hub.mode") == "subscribe" and given_.get("hub.verify_token") == VERIFY and "hub.challenge" in given_:
        assert (status, text) == (200, given_["hub.challenge"])
    else:
        assert (status in {400, 403}, text) == (True, "{}")


@given(ITEMS, st.sampled_from(("page", "instagram")), altered({"user": {"parcel": "12345678"}, "session": {}}))
def test_any_event_is_answered_with_what_can_be_stored_and_sent(item: Json, platform: str, state: Json) -> None:
    event = parse(item, PAGE, platform=platform)
    answer = bot.answer(event, state if isinstance(state, dict) else {}, WORLD)

    assert answer.defect is None
    json.dumps([[each.to_request(event.user) for each in answer.messages], answer.state], allow_nan=False)
