"""Facebook's side of the function: what is answered to which request, and what is on the queues by then."""

import base64
import contextlib
import io
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.aws.client import AwsError
from bot.aws.compact import compact
from bot.aws.queues import BATCH_BYTES, Queues, event_bytes, fingerprint
from bot.aws.secrets import Secrets
from bot.messenger.signature import sign
from bot.recently_answered import RecentlyAnswered
from bot.webhook import LISTS, Webhook

Json = dict[str, Any]

MESSAGE_BYTES = 1024 * 1024
PAGE, SECRET, VERIFY = "1234567890", "the-app-secret", "the-verify-token"


class Cloud:
    """AWS for the webhook: it gives secrets and takes messages, or fails as a test says."""

    def __init__(self) -> None:
        self.sent: dict[str, list[Json]] = {"events": [], "dead": []}
        self.calls = 0
        self.answer: Json = {"Successful": []}
        self.secrets = {"app-secret": SECRET, "verify-token": VERIFY, "page-access-token": "EAAG"}
        self.fails: Callable[[str, Json], AwsError | None] = lambda _operation, _request: None

    def call(
        self, _service: str, operation: str, request: Json, *, timeout: float = 0, repeatable: bool = True
    ) -> Json:
        assert timeout <= 1.0
        assert repeatable
        self.calls += 1
        if error := self.fails(operation, request):
            raise error
        if operation == "GetParametersByPath":
            return {"Parameters": [{"Name": f"{request['Path']}/{n}", "Value": v} for n, v in self.secrets.items()]}
        assert operation == "SendMessageBatch"
        assert len(request["Entries"]) <= 10
        assert sum(len(entry["MessageBody"]) for entry in request["Entries"]) <= BATCH_BYTES
        self.sent[request["QueueUrl"]] += request["Entries"]
        return self.answer

    @property
    def events(self) -> list[Json]:
        return [json.loads(entry["MessageBody"]) for entry in self.sent["events"]]

    @property
    def letters(self) -> list[Json]:
        return [json.loads(entry["MessageBody"]) for entry in self.sent["dead"]]


class Door:
    """The webhook, with the AWS behind it.

    Attributes:
        now: its clock.
        recent: what this instance has answered.
        log: what it writes.
    """

    def __init__(self) -> None:
        self.cloud, self.recent, self.now, self.log = Cloud(), RecentlyAnswered(), 1000.0, io.StringIO()
        client: Any = self.cloud
        secrets, queues = Secrets(client, "/secrets", self._clock), Queues(client, "events", "dead", self._clock)
        self._webhook = Webhook(
            secrets, queues, self.recent, page_id=PAGE, message_bytes=MESSAGE_BYTES, now=self._clock
        )

    def _clock(self) -> float:
        return self.now

    def handle(self, request: Json) -> tuple[int, str]:
        """Status and body of the answer, which is plain text."""
        with contextlib.redirect_stdout(self.log):
            answer = self._webhook.handle(request)
        assert answer.pop("headers") == {"content-type": "text/plain"}
        assert answer.keys() == {"statusCode", "body"}
        return answer["statusCode"], answer["body"]

    def post(self, body: bytes | str) -> int:
        """The status after a request that Facebook signed."""
        return self.handle(post(body))[0]

    def logged(self) -> list[Json]:
        lines = [json.loads(line) for line in self.log.getvalue().splitlines()]
        return [{name: value for name, value in line.items() if name != "timestamp"} for line in lines]


@pytest.fixture
def door() -> Door:
    return Door()


def post(body: bytes | str, *, signature: str | None = None, base64_encoded: bool = False, sha1: str = "") -> Json:
    raw = body.encode() if isinstance(body, str) else body
    signed = {"X-Hub-Signature-256": sign(raw, SECRET) if signature is None else signature}
    text = base64.b64encode(raw).decode() if base64_encoded else raw.decode()
    return {
        "httpMethod": "POST",
        "headers": {name: value for name, value in (signed | {"X-Hub-Signature": sha1}).items() if value},
        "body": text,
        "isBase64Encoded": base64_encoded,
    }


def event(user: str = "77", text: str = "hi", mid: str = "m1", **more: object) -> Json:
    return {
        "sender": {"id": user},
        "recipient": {"id": PAGE},
        "timestamp": 1,
        "message": {"mid": mid, "text": text, **more},
    }


def echo(mid: str, **more: object) -> Json:
    return {"sender": {"id": PAGE}, "recipient": {"id": "77"}, "message": {"mid": mid, "is_echo": True, **more}}


def page(*items: object, **entry: object) -> str:
    return json.dumps({"object": "page", "entry": [{"id": PAGE, "time": 1, "messaging": list(items), **entry}]})


def shake(**query: str) -> Json:
    return {
        "httpMethod": "GET",
        "queryStringParameters": {f"hub.{name}": value for name, value in query.items()} or None,
    }


# The handshake


def test_the_handshake_returns_the_bare_challenge_as_plain_text(door: Door) -> None:
    query = {"mode": "subscribe", "verify_token": VERIFY, "challenge": "1158201444"}

    assert door.handle(shake(**query)) == (200, "1158201444")


@pytest.mark.parametrize(
    "query",
    [
        {"mode": "subscribe", "verify_token": "wrong"},
        {"mode": "subscribe", "verify_token": "grün\ud800"},
        {"mode": "SUBSCRIBE", "verify_token": VERIFY},
    ],
)
def test_a_wrong_handshake_is_forbidden_and_shows_nothing(door: Door, query: dict[str, str]) -> None:
    assert door.handle(shake(**query, challenge="1158201444")) == (403, "{}")
    (line,) = door.logged()
    assert (line["level"], line["kind"]) == ("WARN", "handshake_refused")


def test_a_handshake_with_something_missing_is_a_bad_request(door: Door) -> None:
    query = {"mode": "subscribe", "verify_token": VERIFY, "challenge": "1"}

    assert door.handle(shake())[0] == 400
    for missing in query:
        rest = {name: value for name, value in query.items() if name != missing}
        assert door.handle(shake(**rest))[0] == 400


# The signature


GOOD = sign(page(event()).encode(), SECRET)


@pytest.mark.parametrize(
    "signature",
    [
        sign(page(event()).encode(), "another secret"),
        GOOD[:-1],
        f"{GOOD},{GOOD}",
        GOOD.upper(),
        GOOD.replace("sha256=", "sha1="),
        "sha256=" + "ü" * 64,
    ],
)
def test_a_wrong_signature_is_forbidden_and_nothing_is_enqueued(door: Door, signature: str) -> None:
    assert door.handle(post(page(event()), signature=signature)) == (403, "{}")
    assert door.cloud.sent == {"events": [], "dead": []}
    (line,) = door.logged()
    assert (line["level"], line["kind"]) == ("WARN", "signature_refused")


def test_without_a_sha_256_signature_a_request_is_bad(door: Door) -> None:
    assert door.handle(post(page(event()), signature="", sha1="sha1=" + "0" * 40)) == (400, "{}")
    assert not door.cloud.events


def test_the_signature_covers_the_bytes_and_not_their_meaning(door: Door) -> None:
    escaped = page(event(text="Grüße 👋"))
    assert "\\u00fc" in escaped

    assert door.post(escaped) == 200
    assert door.cloud.events[0]["items"][0]["message"]["text"] == "Grüße 👋"
    rewritten = post(escaped)
    rewritten["body"] = json.dumps(json.loads(escaped), ensure_ascii=False)
    assert door.handle(rewritten)[0] == 403


def test_a_body_that_the_gateway_encoded_is_decoded_before_it_is_verified(door: Door) -> None:
    assert door.handle(post(page(event()), base64_encoded=True))[0] == 200
    assert len(door.cloud.events) == 1


@pytest.mark.parametrize("body", ["not base64!", "ü", "\ud800"])
def test_a_body_that_cannot_be_decoded_is_forbidden(door: Door, body: str) -> None:
    request = post("", base64_encoded=True) | {"body": body}

    assert door.handle(request)[0] == 403
    assert door.handle(request | {"isBase64Encoded": False})[0] == 403
    good = post(page(event()), base64_encoded=True)
    assert door.handle(good | {"body": "!" + good["body"]})[0] == 403


def test_a_secret_replaced_a_moment_ago_is_looked_up_again_and_the_previous_one_still_counts(door: Door) -> None:
    body = page(event())
    assert door.post(body) == 200
    door.cloud.secrets |= {"app-secret": "new", "app-secret-previous": SECRET}
    door.now += 20

    assert door.handle(post(body, signature=sign(body.encode(), "new")))[0] == 200
    assert door.post(body) == 200


def test_wrong_signatures_cannot_make_the_function_call_ssm_at_will(door: Door) -> None:
    for _ in range(50):
        door.handle(post(page(event()), signature="sha256=" + "0" * 64))

    assert door.cloud.calls == 1


# What goes where


def test_every_item_of_every_entry_is_enqueued_one_message_a_user_in_order(door: Door) -> None:
    items = [event(user, mid=f"m{number}") for number, user in enumerate("abacb")]
    body = {"object": "page", "entry": [{"id": PAGE, "messaging": items[:2]}, {"id": PAGE, "messaging": items[2:]}]}

    assert door.post(json.dumps(body)) == 200
    by_user = [[item["message"]["mid"] for item in message["items"]] for message in door.cloud.events]
    assert by_user == [["m0", "m2"], ["m1", "m4"], ["m3"]]
    assert len({entry["MessageGroupId"] for entry in door.cloud.sent["events"]}) == 3


def test_echoes_have_a_group_of_their_own_in_each_request(door: Door) -> None:
    door.handle(post(page(event(), echo("e1"), echo("e2"))))
    door.handle(post(page(echo("e3"))))

    assert [len(message["items"]) for message in door.cloud.events] == [1, 2, 1]
    assert len({entry["MessageGroupId"] for entry in door.cloud.sent["events"]}) == 3


def test_only_echoes_are_taken_from_standby(door: Door) -> None:
    sent = echo("e", metadata="k:0")

    door.handle(post(page(standby=[event(), sent])))

    assert [message["items"] for message in door.cloud.events] == [[sent]]


@pytest.mark.parametrize(("entry", "of"), [({"id": "999"}, "999"), ({}, "")], ids=["another", "none"])
def test_an_event_of_another_page_is_kept_as_a_dead_letter_that_can_be_put_back(
    door: Door, entry: Json, of: str
) -> None:
    body = json.dumps({"object": "page", "entry": [entry | {"messaging": [event()]}]})

    assert door.post(body) == 200
    assert not door.cloud.events
    (letter,) = door.cloud.letters
    assert letter["reason"] == "of another page"
    assert (letter["message"]["page"], letter["message"]["items"]) == (of, [event()])


def test_a_test_of_the_dashboard_is_counted_and_leaves_no_dead_letter(door: Door) -> None:
    tests: list[Json] = [
        {"id": "0", "messaging": [event()]},
        {"id": 0, "changes": [{"field": "comments", "value": {"id": "1", "text": "?"}}]},
        {"messaging": [{"message": "TEST_MESSAGE"}]},
    ]
    assert door.post(json.dumps({"object": "page", "entry": tests})) == 200
    assert door.cloud.sent == {"events": [], "dead": []}
    assert door.logged()[-1]["tests"] == 3


COMMENT: Json = {"field": "feed", "value": {"item": "comment", "verb": "add", "comment_id": "c", "message": "Price?"}}


@pytest.mark.parametrize("entry", [{"changes": [COMMENT]}, COMMENT], ids=["in changes", "on the entry"])
def test_a_comment_is_enqueued_by_itself(door: Door, entry: Json) -> None:
    door.post(json.dumps({"object": "page", "entry": [{"id": PAGE, **entry}]}))
    door.handle(post(page(event())))

    assert [message["items"] for message in door.cloud.events] == [[COMMENT], [event()]]
    assert len({entry["MessageGroupId"] for entry in door.cloud.sent["events"]}) == 2


def change(**value: object) -> Json:
    return {"field": "feed", "value": {**COMMENT["value"], **value}}


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        (
            {"changes": [{"field": "leadgen", "value": {"leadgen_id": "1"}}, {"field": "ratings"}]},
            {"leadgen": 1, "ratings": 1},
        ),
        ({"changes": [change(verb="remove"), change(item="post"), change(comment_id=None)]}, {"feed": 3}),
        ({"changes": [change(**{"from": {"id": PAGE}}), change(sender_id=int(PAGE))]}, {"feed": 2}),
        ({"field": "mentions", "value": {"media_id": "1"}}, {"mentions": 1}),
        ({"calls": [{"id": "c"}]}, {"calls": 1}),
        ({"sender": {"id": "77"}, "call_permission_reply": {"response": "approve"}}, {"call_permission_reply": 1}),
        ({"changes": [{"value": {}}, {"field": "my private words"}]}, {"none": 1, "other": 1}),
        ({"messaging": [{"sender": {"id": "77"}, "order": {}}]}, {"order": 1}),
        ({"standby": [{"sender": {"id": "77"}}]}, {"none": 1}),
    ],
)
def test_what_the_bot_does_not_know_is_counted_by_its_field(door: Door, entry: Json, fields: dict[str, int]) -> None:
    assert door.post(json.dumps({"object": "page", "entry": [{"id": PAGE, **entry}]})) == 200
    assert {line["field"]: line["number"] for line in door.logged() if line["kind"] == "unhandled"} == fields
    assert not door.cloud.letters


def test_an_item_with_several_kinds_is_split(door: Door) -> None:
    door.handle(post(page(event() | {"referral": {"ref": "r"}, "delivery": {"watermark": 1}})))

    (message,) = door.cloud.events
    assert [sorted(item) for item in message["items"]] == [
        ["message", "recipient", "sender", "timestamp"],
        ["recipient", "referral", "sender", "timestamp"],
    ]


def test_people_of_whom_nothing_is_known_do_not_wait_for_each_other(door: Door) -> None:
    people = [{"postback": {"payload": name, "mid": name}, "recipient": {"id": PAGE}} for name in "ab"]
    references = [{"sender": {"user_ref": name}, "postback": {"payload": "GO"}} for name in "aab"]
    door.post(page(*people, *references))

    assert [len(message["items"]) for message in door.cloud.events] == [1, 1, 2, 1]
    assert len({entry["MessageGroupId"] for entry in door.cloud.sent["events"]}) == 4


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"\xff\xfe",
        b'{"object": "user", "entry": []}',
        b'{"object": ["page"], "entry": []}',
        b'{"object": "page"}',
        b'{"object": "page", "entry": {}}',
        b"[" * 100_000,
    ],
)
def test_a_signed_but_unusable_request_is_acknowledged_and_kept_as_a_dead_letter(door: Door, body: bytes) -> None:
    assert door.handle(post(body, base64_encoded=True))[0] == 200

    assert not door.cloud.events
    (letter,) = door.cloud.letters
    assert base64.b64decode(letter["base64"]) == body
    assert (letter["reason"], letter["part"], letter["of"]) == ("not a webhook of a page", 1, 1)
    line = door.logged()[0]
    assert (line["level"], line["kind"], line["letters"]) == ("ERROR", "unusable", 1)


@pytest.mark.parametrize("junk", [None, 7, "text", [], [event()], True])
@pytest.mark.parametrize("place", ["item", "messaging", "standby", "changes", "entry"])
def test_an_unusable_part_does_not_delay_the_good_events_beside_it(door: Door, junk: object, place: str) -> None:
    good: Json = {"id": PAGE, "messaging": [event()]}
    if place == "item":
        entries: list[object] = [{"id": PAGE, "messaging": [junk, event()]}]
    elif place == "entry":
        entries = [junk, good]
    else:
        entries = [{"id": PAGE, place: junk}, good]

    assert door.post(json.dumps({"object": "page", "entry": entries})) == 200
    kept = [item for message in door.cloud.events for item in message["items"]]
    assert event() in kept
    is_nothing = place in LISTS and not junk
    is_items = place in LISTS and junk == [event()]
    kept_because = [] if is_nothing or is_items else ["not an event, or one too large for a queue"]
    assert [letter["reason"] for letter in door.cloud.letters] == kept_because


def test_an_event_with_a_number_that_json_lacks_is_kept_and_the_others_go_on(door: Door) -> None:
    body = page(event()).replace('"messaging": [', '"messaging": [{"message": {"text": 1e999}}, ')

    assert door.post(body) == 200
    assert [message["items"] for message in door.cloud.events] == [[event()]]
    assert [letter["reason"] for letter in door.cloud.letters] == ["holds an event that cannot be written as JSON"]


def test_of_duplicate_keys_the_last_one_counts(door: Door) -> None:
    body = page(event()).replace('"text": "hi"', '"text": "no", "text": "hi"')

    assert door.post(body) == 200
    assert door.cloud.events[0]["items"][0]["message"]["text"] == "hi"


def test_an_empty_request_is_acknowledged(door: Door) -> None:
    assert door.post('{"object": "page", "entry": []}') == 200
    assert door.cloud.sent == {"events": [], "dead": []}


@pytest.mark.parametrize(
    "item",
    [
        {"message": {"mid": "m", "text": "no sender"}},
        {"sender": {"id": 77}, "message": {"mid": 5, "text": "numbers as ids"}},
        {"sender": None, "message": None},
        {"sender": {"id": "77"}, "timestamp": "yesterday", "something_new": {"a": 1}},
        {},
    ],
)
def test_an_odd_event_or_one_of_an_unknown_kind_is_enqueued_too(door: Door, item: Json) -> None:
    assert door.post(page(item)) == 200
    assert [message["items"] for message in door.cloud.events] == [[item]]


def test_a_thousand_events_of_a_thousand_users_all_arrive(door: Door) -> None:
    items = [event(str(number), mid=f"m{number}") for number in range(1000)]

    assert door.post(page(*items)) == 200
    assert [message["items"][0] for message in door.cloud.events] == items
    assert door.cloud.calls == 1 + 100


def test_an_event_too_large_for_the_queue_is_kept_as_dead_letters(door: Door) -> None:
    room = event_bytes(MESSAGE_BYTES) - len(compact(event(text="")))
    largest, larger = event(text="x" * room), event(text="x" * (room + 1))

    assert door.post(page(larger, largest)) == 200
    assert [message["items"] for message in door.cloud.events] == [[largest]]
    assert json.loads(b"".join(base64.b64decode(letter["base64"]) for letter in door.cloud.letters)) == larger


# When AWS fails


@pytest.mark.parametrize(
    ("body", "operation"),
    [(page(event()), "GetParametersByPath"), (page(event()), "SendMessageBatch"), ("{", "SendMessageBatch")],
)
def test_a_request_that_aws_refuses_is_not_acknowledged(door: Door, body: str, operation: str) -> None:
    door.cloud.fails = lambda called, _request: AwsError(called, "Unavailable", 503) if called == operation else None

    assert door.post(body) == 503
    (line,) = door.logged()
    assert (line["level"], line["kind"]) == ("ERROR", "not_accepted")


def test_facebook_gets_a_503_before_it_stops_waiting_if_aws_is_slow(door: Door) -> None:
    def slow(_operation: str, _request: Json) -> None:
        door.now += 0.9

    door.cloud.fails = slow
    began = door.now

    assert door.post(page(*[event(str(n), mid=str(n)) for n in range(1000)])) == 503
    assert door.now - began < 5


def test_nothing_is_acknowledged_without_a_secret(door: Door) -> None:
    del door.cloud.secrets["app-secret"]

    assert door.post(page(event())) == 503


# What others rely on: the worker on a message's head, the ledger on its group, alarms and people on the log


def test_a_queue_message_names_the_page_and_the_time_of_its_events(door: Door) -> None:
    before = time.time() * 1000
    answer = door.handle(post(page(event())))
    after = time.time() * 1000

    assert answer == (200, "EVENT_RECEIVED")
    (message,) = door.cloud.events
    assert message.keys() == {"object", "page", "received", "request", "items"}
    assert (message["object"], message["page"], message["items"]) == ("page", PAGE, [event()])
    assert before - 1 <= message["received"] <= after + 1
    # The fingerprint that also names the user's state.
    assert [entry["MessageGroupId"] for entry in door.cloud.sent["events"]] == [fingerprint(PAGE, "77")]


def test_an_echo_of_what_this_instance_has_answered_is_only_counted(door: Door) -> None:
    door.recent.add("known")

    door.post(page(echo("e0", metadata="known:0"), standby=[echo("e1", metadata="known:1")]))
    assert door.cloud.sent == {"events": [], "dead": []}
    assert door.logged()[-1]["settled"] == 2

    others = [echo(f"e{metadata}", metadata=metadata) for metadata in ("unknown:0", "", None, 7)]
    others.append(event(metadata="known:0"))  # a person's message, and so no echo
    door.handle(post(page(*others)))
    assert sum(len(message["items"]) for message in door.cloud.events) == 5


def test_the_log_counts_what_was_accepted(door: Door) -> None:
    def slow(_operation: str, _request: Json) -> None:
        door.now += 0.0625

    door.cloud.fails = slow
    others = [event(mid="m2"), event(mid="m3")]
    receipt = {"sender": {"id": "77"}, "recipient": {"id": PAGE}, "read": {"watermark": 1}}
    door.handle(post(page(event(), receipt, standby=others)))

    none = dict.fromkeys(("echoes", "settled", "tests", "changes"), 0)
    counts = none | {"messages": 1, "events": 1, "receipts": 1, "standby": 2}
    # Two calls: the secrets, the queue.
    (line,) = door.logged()
    assert line.pop("ids") == [fingerprint(PAGE, "m1")]
    assert line == {"level": "INFO", "kind": "accepted", "milliseconds": 125.0, **counts}


def test_every_line_about_a_request_and_its_queue_message_have_the_requests_id(door: Door) -> None:
    context = {"requestContext": {"requestId": "11111111-2222-3333-4444-555555555555"}}
    door.handle(post(page(event(), event(mid="m2", user="78"), {"future_thing": {}})) | context)
    door.cloud.fails = lambda operation, _: AwsError(operation, "InternalError", 500)
    door.handle(post(page(event(mid="m3"))) | context)
    door.handle(post(page(event()), signature="sha256=0") | {"requestContext": {"requestId": "another"}})

    lines = door.logged()
    assert [(line["kind"], line["request"][:4], len(line.get("ids", ()))) for line in lines] == [
        ("unhandled", "1111", 3),
        ("accepted", "1111", 3),
        ("not_accepted", "1111", 1),
        ("signature_refused", "anot", 0),
    ]
    assert {each["request"] for each in door.cloud.events} == {"11111111-2222-3333-4444-555555555555"}


def test_the_largest_body_that_lambda_delivers_is_read_and_one_byte_more_is_not(door: Door) -> None:
    most = 6 * 1024 * 1024

    assert door.post("x" * most) == 200
    assert door.post("x" * (most + 1)) == 403
