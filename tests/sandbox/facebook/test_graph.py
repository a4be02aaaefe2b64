import http.client
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox import assets
from sandbox.errors import SandboxError
from sandbox.facebook.send_api import DAY_SECONDS
from tests.sandbox.conftest import APP, PAGE, SECRET, Answered, Api

POSTBACK = {"type": "postback", "title": "Track", "payload": "TRACK"}
GRID_IMAGE = {"url": "https://example.com/a.png", "action": {"type": "postback", "payload": "A", "text": "A"}}
DEFAULT = {"locale": "default", "text": "Hello"}
ELEMENT = {"title": "Order", "subtitle": "On its way"}
VERSION = "/v26.0"
OF_PAGE = f"{VERSION}/{PAGE}"


def template(**payload: object) -> dict[str, Any]:
    return {"attachment": {"type": "template", "payload": payload}}


def quick_reply(**changes: object) -> dict[str, object]:
    return {"content_type": "text", "title": "Yes", "payload": "YES", **changes}


@pytest.mark.parametrize(
    "message",
    [
        {"text": "x" * 1999},
        {"text": "Which?", "quick_replies": [quick_reply()] * 13},
        template(template_type="button", text="x" * 640, buttons=[POSTBACK] * 3),
        template(template_type="generic", elements=[ELEMENT] * 10),
        template(template_type="image_grid", elements=[{"images": [GRID_IMAGE] * 6, "title": "x" * 45}]),
    ],
)
def test_a_message_that_the_platform_allows_is_taken(api: Api, message: Mapping[str, object]) -> None:
    assert api.send(message=message).status == 200


# Those of `send-examples.json` that begin with "limit-" are refused, too.
@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"text": "x" * 2000}, "message.text"),
        ({"text": "x", "metadata": "x" * 1000}, "message.metadata"),
        ({"text": "x", "quick_replies": [quick_reply(title="x" * 21)]}, "message.quick_replies[0].title"),
        (
            {"text": "x", "quick_replies": [quick_reply(content_type="location")]},
            "message.quick_replies[0].content_type",
        ),
        ({"text": "x", "surprise": 1}, "message"),
        (template(template_type="button", text="x", buttons=[]), "message.attachment.payload.buttons"),
        (
            template(template_type="button", text="x", buttons=[{**POSTBACK, "title": "x" * 21}]),
            "message.attachment.payload.buttons[0].title",
        ),
        (template(template_type="generic", elements=[ELEMENT] * 11), "message.attachment.payload.elements"),
        (template(template_type="list", elements=[ELEMENT]), "message.attachment.payload.template_type"),
        (
            template(template_type="image_grid", elements=[{"images": [GRID_IMAGE]}]),
            "message.attachment.payload.elements[0].images",
        ),
        (
            template(template_type="image_grid", elements=[{"images": [GRID_IMAGE | {"is_hero_image": True}] * 2}]),
            "message.attachment.payload.elements[0].images",
        ),
        ({"attachment": {"type": "image", "payload": {"url": "https://a.org/a b"}}}, "message.attachment.payload.url"),
    ],
)
def test_a_message_that_the_platform_forbids_is_refused_with_the_parameter(
    api: Api, message: Mapping[str, object], param: str
) -> None:
    refused = api.send(message=message)

    assert (refused.status, refused.body["error"]["code"]) == (400, 100)
    assert f"Param {param} is not valid" in refused.body["error"]["message"]
    assert refused.body["error"]["fbtrace_id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"messaging_type": "MESSAGE_TAG"},
        {"messaging_type": "MESSAGE_TAG", "tag": "POST_PURCHASE_UPDATE"},
        {"tag": "HUMAN_AGENT"},
        {"messaging_type": "MESSAGE_TAG", "tag": "CUSTOMER_FEEDBACK"},
        {"messaging_type": "UTILITY"},
        {"message": {"template": {"name": "n", "language": {"code": "en"}}}},
        {"message": None},
        {"recipient": {"id": "7", "user_ref": "8"}},
        {"recipient": None},
    ],
)
def test_a_request_that_contradicts_itself_is_refused(api: Api, changes: Mapping[str, object]) -> None:
    assert api.error(api.send(**changes)) == (100, None)


@pytest.mark.parametrize(
    ("call", "given", "error"),
    [
        (f"POST {OF_PAGE}/messages", {"body": {}, "token": "other"}, (190, None)),
        (f"GET {VERSION}/me", {"token": ""}, (104, None)),
        (f"GET {VERSION}/me", {"proof": ""}, (100, None)),
        (f"GET {VERSION}/me", {"proof": "0" * 64}, (100, None)),
        ("GET /v3.2/me", {}, (2500, None)),
        ("GET /v27.0/me", {}, (2500, None)),
        ("GET /me", {}, (2500, None)),
        (f"POST {VERSION}/9999/messages", {"body": {}}, (100, 33)),
        (f"POST {OF_PAGE}/subscribed_apps", {"body": {}}, (100, None)),
        (f"POST {VERSION}/{APP}/subscriptions", {"body": {}}, (190, None)),
        (f"POST {VERSION}/1_1/comments", {"body": {"message": " "}}, (100, None)),
        (f"GET {VERSION}/3000000000000001?fields=age", {}, (100, None)),
    ],
)
def test_any_other_call_that_facebook_refuses_is_refused_with_its_error(
    api: Api, call: str, given: dict[str, Any], error: tuple[int, int | None]
) -> None:
    method, _, path = call.partition(" ")

    assert api.error(api.call(method, path, **given)) == error


def test_a_webhook_that_does_not_answer_is_not_subscribed(api: Api) -> None:
    body = {"object": "page", "callback_url": "http://127.0.0.1:1/", "verify_token": "v", "fields": "messages"}

    assert api.error(api.call("POST", f"{VERSION}/{APP}/subscriptions", body, f"{APP}|{SECRET}")) == (2200, None)


def test_a_day_after_the_last_message_the_window_is_closed(api: Api) -> None:
    api.graph.note_message("9", time.time() - 24 * 3600 - 1)
    api.graph.note_message("7", time.time() - 24 * 3600 - 1)  # after the one of now

    assert api.error(api.send(recipient={"id": "9"})) == (10, 2018278)
    assert api.send(recipient={"id": "9"}, messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT").status == 200
    assert api.send(recipient={"id": "7"}).status == 200


@pytest.mark.parametrize(
    ("days", "came_by", "status"), [(2, "ADS", 200), (8, "ADS", 400), (2, "SHORTLINK", 400), (2, "", 400)]
)
def test_after_an_ad_the_window_is_open_for_seven_days(api: Api, days: int, came_by: str, status: int) -> None:
    api.graph.note_message("9", time.time() - days * 24 * 3600, came_by=came_by)

    assert api.send(recipient={"id": "9"}).status == status


def test_an_attachment_can_be_sent_for_ninety_days(api: Api) -> None:
    upload = {"attachment": {"type": "image", "payload": {"is_reusable": True, "url": "https://example.org/a.png"}}}
    kept = api.call("POST", f"{OF_PAGE}/message_attachments", {"message": upload}).body["attachment_id"]
    message = {"attachment": {"type": "image", "payload": {"attachment_id": kept}}}
    assert api.send(message=message).status == 200

    api.graph.send_api.attachments.uploaded[kept] -= 90 * 24 * 3600 + 1

    assert api.error(api.send(message=message)) == (100, 2018074)


@pytest.mark.parametrize(("kind", "megabytes", "status"), [("image", 8, 200), ("image", 9, 400), ("video", 9, 200)])
def test_an_image_by_url_has_at_most_eight_megabytes(
    api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, megabytes: int, status: int
) -> None:
    monkeypatch.setattr(assets, "FOLDER", tmp_path)
    (tmp_path / "a.png").write_bytes(bytes(megabytes * 1024 * 1024))
    payload = {"url": f"{api.url}{assets.PATH}/a.png"}

    answered = api.send(message={"attachment": {"type": kind, "payload": payload}})

    assert answered.status == status
    assert status == 200 or api.error(answered) == (100, 2018109)


@pytest.mark.parametrize(
    ("message", "taken"),
    [
        ({"text": "ä" * 500}, True),
        ({"text": "ä" * 501}, False),
        ({"text": "Who?", "quick_replies": [quick_reply()]}, True),
        ({"text": "Who?", "quick_replies": [{"content_type": "user_email"}]}, False),
        ({"text": "Who?", "quick_replies": [{"content_type": "user_phone_number"}]}, False),
        ({"attachment": {"type": "file", "payload": {"url": "https://example.org/a.pdf"}}}, True),
        ({"attachment": {"type": "file", "payload": {"url": "https://example.org/a.zip"}}}, False),
        (template(template_type="media", elements=[{"media_type": "image", "attachment_id": "1234567890"}]), False),
    ],
)
def test_a_person_on_instagram_gets_what_instagram_takes(api: Api, message: dict[str, Any], *, taken: bool) -> None:
    api.graph.note_message("9", platform="instagram")

    assert (api.send(recipient={"id": "9"}, message=message).status == 200) is taken


def test_half_a_character_is_refused(api: Api) -> None:
    assert api.error(api.send(message={"text": "\ud83d"})) == (100, None)


def test_only_a_taken_message_is_echoed(api: Api, echoes: list[Any]) -> None:
    api.send(recipient={"id": "0"})
    api.send(message=None, messaging_type=None, sender_action="typing_on")
    taken = api.send(message={"text": "Hello", "metadata": "key"})

    ((item, delay),) = echoes
    assert delay == 0
    assert (item["sender"], item["recipient"]) == ({"id": PAGE}, {"id": "7"})
    echo = {"mid": taken.body["message_id"], "is_echo": True, "app_id": int(APP)}
    assert item["message"] == echo | {"text": "Hello", "metadata": "key"}


def test_more_than_300_messages_a_second_are_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr("sandbox.facebook.rate_limit.time.monotonic", lambda: now)

    statuses = [api.send().status for _ in range(301)]

    assert statuses == [200] * 300 + [400]


def test_requests_are_listed_without_secrets(api: Api) -> None:
    api.send(message={"text": "first"})

    (request,) = api.graph.requests()
    assert (request["method"], request["path"], request["status"]) == ("POST", f"{OF_PAGE}/messages", 200)
    assert request["body"]["message"] == {"text": "first"}
    assert "appsecret_proof" not in request["body"]


def test_a_fault_answers_with_facebooks_error_and_takes_nothing(api: Api, echoes: list[Any]) -> None:
    fault = {"error": {"status": 400, "code": 551, "subcode": 1545041, "isTransient": False}, "count": 1}
    assert api.put_faults(fault) == 204

    refused, taken = api.send(), api.send()

    assert (refused.status, api.error(refused)) == (400, (551, 1545041))
    assert refused.body["error"]["is_transient"] is False
    assert taken.status == 200
    assert len(echoes) == 1


def test_faults_delay_the_answer_and_lose_or_delay_echoes(api: Api, echoes: list[Any]) -> None:
    api.put_faults([{"delaySeconds": 0.05, "loseEchoes": True, "count": 1}, {"echoDelaySeconds": 3, "count": 1}])
    started = time.monotonic()

    statuses = [api.send().status for _ in range(3)]

    assert time.monotonic() - started >= 0.05
    assert statuses == [200, 200, 200]
    assert [delay for _, delay in echoes] == [3, 0]


@pytest.mark.parametrize(("fault", "echoed", "status"), [("dropBefore", 0, 0), ("dropAfter", 1, 200)])
def test_a_connection_is_dropped_before_or_after_the_message_is_taken(
    api: Api, echoes: list[Any], fault: str, echoed: int, status: int
) -> None:
    api.put_faults({fault: True, "count": 1})

    with pytest.raises((ConnectionError, http.client.HTTPException)):
        api.send()

    assert len(echoes) == echoed
    assert [request["status"] for request in api.graph.requests()] == [status]


def test_the_same_seed_draws_the_same_faults(api: Api) -> None:
    def storm() -> list[int]:
        api.put_faults({"error": {}, "probability": 0.5, "seed": 7})
        return [api.send().status for _ in range(20)]

    first = storm()

    assert first == storm()
    assert set(first) == {200, 500}


def test_a_fault_of_every_second_call_leaves_the_others_alone(api: Api) -> None:
    api.put_faults({"error": {}, "every": 2})

    assert [api.send().status for _ in range(4)] == [200, 500, 200, 500]


@pytest.mark.parametrize("faults", [{"surprise": 1}, {"count": "2"}, {"every": 0}, {"error": {"colour": 1}}, 7])
def test_an_unknown_fault_is_refused(api: Api, faults: object) -> None:
    with pytest.raises(SandboxError):
        api.graph.set_faults(faults)
    assert api.put_faults(faults) == 400


@pytest.mark.parametrize(
    "profile",
    [
        {},
        {"greeting": [{"locale": "default", "text": "x" * 161}]},
        {"greeting": [{"locale": "de_DE", "text": "Hallo"}]},
        {"ice_breakers": [{"question": "?", "payload": "P"}] * 5},
        {"whitelisted_domains": ["https://example.com"] * 51},
        {"persistent_menu": [{"locale": "default", "call_to_actions": [POSTBACK]}]},
        {"greeting": [DEFAULT, DEFAULT | {"locale": "de"}]},
        {"greeting": [DEFAULT, DEFAULT | {"locale": "de_XX"}]},
        *(
            {"whitelisted_domains": [each]}
            for each in ("https://10.0.0.1", "https://[::1]/", "https://localhost", "https://a b.org", "http://a.org")
        ),
        {"account_linking_url": "https://example.org/a b"},
    ],
)
def test_a_profile_beyond_the_limits_is_refused(api: Api, profile: object) -> None:
    assert api.error(api.call("POST", f"{OF_PAGE}/messenger_profile", profile)) == (100, None)


def test_the_eleventh_change_of_the_profile_in_ten_minutes_is_refused(api: Api) -> None:
    body = {"get_started": {"payload": "START"}}

    statuses = [api.call("POST", f"{OF_PAGE}/messenger_profile", body).status for _ in range(11)]

    assert statuses == [200] * 10 + [400]


def test_a_field_of_the_profile_can_be_deleted(api: Api) -> None:
    api.graph.set_profile({"get_started": {"payload": "START"}})

    api.call("DELETE", f"{OF_PAGE}/messenger_profile", {"fields": ["get_started"]})

    assert api.call("GET", f"{OF_PAGE}/messenger_profile?fields=get_started").body == {"data": []}


def test_public_replies_to_a_comment_can_be_read(api: Api) -> None:
    path = f"{VERSION}/1_1/comments"
    ids = [api.call("POST", path, {"message": text}).body["id"] for text in ("one", "two")]

    found = [(each["id"], each["message"], each["from"]) for each in api.call("GET", path).body["data"]]
    assert found == [(ids[1], "two", {"id": PAGE}), (ids[0], "one", {"id": PAGE})]


def test_one_private_message_may_follow_a_comment_within_seven_days_however_long_ago_its_author_wrote(
    api: Api, echoes: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for comment in ("1_1", "1_2"):
        api.graph.comments.note(comment, "7")
    api.graph.windows.move_back("7", 2 * DAY_SECONDS)
    answered = api.send(recipient={"comment_id": "1_1"})
    assert (answered.status, answered.body["recipient_id"]) == (200, "7")
    assert echoes[0][0]["recipient"] == {"id": "7"}
    assert api.error(api.send(recipient={"comment_id": "1_1"})) == (10900, None)
    now = time.time()
    monkeypatch.setattr("sandbox.facebook.comments.time.time", lambda: now + 7 * DAY_SECONDS + 60)
    assert api.error(api.send(recipient={"comment_id": "1_2"})) == (100, 2534025)


# Which app has a conversation


def control(api: Api, call: str, **more: object) -> Answered:
    return api.call("POST", f"{OF_PAGE}/{call}_thread_control", {"recipient": {"id": "7"}, **more})


@pytest.mark.parametrize("back", ["take", "the other app"])
def test_another_app_has_a_conversation_until_it_comes_back(api: Api, back: str) -> None:
    assert control(api, "pass", target_app_id="2002", metadata="help").body == {"success": True}
    for refused in (api.send(), control(api, "release"), control(api, "pass", target_app_id="2002")):
        assert api.error(refused) == (10, 2018300)
    if back == "take":
        assert control(api, "take", metadata="again").status == 200
    else:
        api.graph.threads.give_back("7")
    assert api.send().status == 200
    assert control(api, "release").status == control(api, "request").status == 200


@pytest.mark.parametrize(
    ("call", "more"),
    [
        ("pass", {}),
        ("pass", {"target_app_id": "inbox"}),
        ("pass", {"target_app_id": "2002", "metadata": "x" * 1001}),
        ("take", {"recipient": {"comment_id": "7"}}),
        ("release", {"reason": "done"}),
    ],
)
def test_thread_control_that_the_platform_refuses_is_refused(api: Api, call: str, more: Mapping[str, object]) -> None:
    assert api.error(control(api, call, **more)) == (100, None)
