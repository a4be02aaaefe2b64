"""Templates of utility messages: what the stand-in approves, refuses and takes, and where."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.sandbox.conftest import PAGE, Answered, Api

Json = dict[str, Any]
BODY = {
    "type": "BODY",
    "text": "Parcel {{number}} is here.",
    "example": {"body_text_named_params": [{"param_name": "number", "example": "1"}]},
}
NEW: Json = {"name": "here", "language": "en", "category": "UTILITY", "parameter_format": "NAMED", "components": [BODY]}
ASK = {"type": "template", "payload": {"template_type": "notification_messages", "title": "News", "payload": "NEWS"}}


def create(api: Api, **changes: object) -> Answered:
    return api.call("POST", f"/v26.0/{PAGE}/message_templates", NEW | changes)


def send(api: Api, *numbers: str, **changes: object) -> Answered:
    given = [{"type": "text", "parameter_name": "number", "text": each} for each in numbers]
    template = {"name": "here", "language": {"code": "en"}, "components": [{"type": "body", "parameters": given}]}
    return api.send(messaging_type="UTILITY", message={"template": template | changes})


def test_an_approved_template_is_reported_to_the_webhook_and_can_be_sent_at_any_time(
    api: Api, echoes: list[tuple[Mapping[str, Any], float]]
) -> None:
    api.graph.note_message("7", time.time() - 400 * 24 * 3600)
    assert api.error(send(api, "1")) == (132001, None)
    assert create(api).body["status"] == "APPROVED"
    assert echoes[0][0]["field"] == "message_template_status_update"
    told = {"event": "APPROVED", "message_template_name": "here", "message_template_language": "en"}
    assert told.items() <= echoes[0][0]["value"].items()
    assert send(api, "1").status == 200
    assert api.error(send(api)) == api.error(send(api, "1", "2")) == (132000, None)
    assert api.error(send(api, "1", language={"code": "de"})) == (132001, None)


def test_a_promotional_template_is_refused_with_a_reason_and_an_update_is_reviewed_again(
    api: Api, echoes: list[tuple[Mapping[str, Any], float]]
) -> None:
    advert = BODY | {"text": "Parcel {{number}} is here: 20% on the next!"}
    refused = create(api, components=[advert]).body
    assert refused["status"] == "REJECTED"
    assert api.error(send(api, "1")) == (132001, None)
    shown = api.call("GET", f"/v26.0/{PAGE}/message_templates?fields=name,status,rejected_reason").body["data"]
    assert shown == [{"id": refused["id"], "name": "here", "status": "REJECTED", "rejected_reason": "PROMOTIONAL"}]
    assert api.call("POST", f"/v26.0/{refused['id']}", {"components": [BODY]}).body == {"success": True}
    assert [each["value"]["event"] for each, _ in echoes] == ["REJECTED", "APPROVED"]
    assert send(api, "1").status == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Not a name"},
        {"category": "MARKETING"},
        {"components": []},
        {"components": [{"type": "BODY", "text": "Parcel {{number}} is here."}]},
        {"components": [BODY | {"text": "{{number}} is here."}]},
        {"components": [BODY | {"text": "Here is {{number}}"}]},
    ],
)
def test_a_template_that_breaks_a_rule_is_refused(api: Api, changes: Json) -> None:
    assert api.error(create(api, **changes)) == (100, None)
    assert api.call("GET", f"/v26.0/{PAGE}/message_templates").body["data"] == []


def test_a_template_exists_once_in_each_language(api: Api) -> None:
    assert create(api).status == create(api, language="de").status == 200
    assert api.error(create(api)) == (100, 2388024)


def test_utility_messages_and_consents_are_refused_where_they_do_not_exist(api: Api) -> None:
    create(api)
    nowhere = (10, 2018336)

    assert api.call("PUT", "/_sandbox/region", {"country": "US", "utility": ["US", "VN"]}).status == 204
    assert send(api, "1").status == 200
    assert api.error(api.send(message={"attachment": ASK})) == nowhere
    assert api.error(api.send(recipient={"notification_messages_token": "t"})) == nowhere
    assert api.call("PUT", "/_sandbox/region", {"country": "BR", "utility": ["US", "VN"]}).status == 204
    assert api.error(send(api, "1")) == nowhere


@pytest.mark.parametrize("described", [[], {"country": "Brazil"}, {"country": "BR", "utility": "US"}, {"x": "BR"}])
def test_a_region_of_another_form_is_refused(api: Api, described: object) -> None:
    assert api.call("PUT", "/_sandbox/region", described).status == 400


def test_a_person_is_asked_about_one_topic_once_a_week(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api.send(message={"attachment": ASK}).status == 200
    assert api.error(api.send(message={"attachment": ASK})) == (613, 1893016)
    assert api.send(recipient={"id": "8"}, message={"attachment": ASK}).status == 200
    other = {"attachment": ASK | {"payload": ASK["payload"] | {"title": "Other news"}}}  # type: ignore[operator]  # JSON
    assert api.send(message=other).status == 200
    later = time.time() + 7 * 24 * 3600 + 1
    monkeypatch.setattr(time, "time", lambda: later)
    api.graph.note_message("7")
    assert api.send(message={"attachment": ASK}).status == 200
