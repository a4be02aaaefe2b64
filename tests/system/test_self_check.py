"""The bot looks after itself: whatever is planted, the next scheduled check finds it."""

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bot.aws.client import Aws
from bot.aws.secrets import Secrets
from bot.environment import read
from bot.registration import SUBSCRIBED
from bot.self_check import SelfCheck
from sandbox.aws.cloud import OWNER
from sandbox.errors import SandboxError
from sandbox.local import APP_ID, Sandbox
from tests.system import planted

Json = dict[str, Any]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(settings={"appId": APP_ID}) as running:
        yield running


@pytest.mark.parametrize(("plant", "kind"), planted.FAULTS.values(), ids=planted.FAULTS)
def test_what_is_planted_is_found_within_one_check_and_is_one_line_of_the_log(
    sandbox: Sandbox, plant: planted.Plant, kind: str
) -> None:
    assert planted.scheduled_check(sandbox) == []
    with plant(sandbox):
        began = time.time()
        assert planted.scheduled_check(sandbox, self_heal=False) == [kind]

        lines = [each for each in planted.log_lines(sandbox, began) if each.get("found")]
        assert [each["kind"] for each in lines] == [kind]
        assert not {"request", "event", "message"} & lines[0].keys()  # of what the same instance did before
    assert planted.scheduled_check(sandbox) == []


def test_a_subscription_that_is_gone_is_made_again_and_that_is_reported(sandbox: Sandbox) -> None:
    sandbox.graph.subscribed_apps.fields = []
    sandbox.graph.app_subscription.delete({})

    assert planted.scheduled_check(sandbox) == ["resubscribed"]

    assert set(sandbox.graph.subscribed_apps.fields) == set(SUBSCRIBED)
    assert sandbox.graph.app_subscription.verified["page"] == sandbox.verify_token
    assert planted.scheduled_check(sandbox) == []


def test_a_page_that_sends_elsewhere_stays_so_until_a_person_decides(sandbox: Sandbox) -> None:
    plant, kind = planted.FAULTS["the app sends to another webhook"]
    with plant(sandbox):
        before = json.dumps(sandbox.graph.app_subscription.subscriptions)
        assert planted.scheduled_check(sandbox) == [kind]
        assert json.dumps(sandbox.graph.app_subscription.subscriptions) == before


def test_an_outage_of_facebook_is_noted_and_nobody_is_called(sandbox: Sandbox) -> None:
    sandbox.faults({"error": {"code": 2, "status": 503}})
    try:
        assert planted.scheduled_check(sandbox) == ["check_failed"]
    finally:
        sandbox.faults({})


def test_an_event_that_the_function_is_not_called_for_is_found_and_stays_where_it_is(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": OWNER[0],
        "AWS_SECRET_ACCESS_KEY": OWNER[1],
        "AWS_ENDPOINT_URL": sandbox.cloud_url,
    }.items():
        monkeypatch.setenv(name, value)
    aws, environment = Aws(os.environ), read(planted.variables(sandbox))
    url, order = sandbox.outputs["queueUrl"], json.loads(planted.schedule(sandbox)["Target"]["Input"])["check"]
    with planted.idle_consumer(sandbox):
        sandbox.client("sqs").send_message(
            QueueUrl=url, MessageGroupId="g", MessageDeduplicationId=str(time.time()), MessageBody="{}"
        )
        for minutes, found in ((10, []), (20, ["waiting_events"])):
            check = SelfCheck(
                environment,
                aws,
                Secrets(aws, environment.secrets_path),
                now=lambda minutes=minutes: time.time() + minutes * 60,  # type: ignore[misc]  # bound now
            )
            assert check.run(order) == {"findings": found}
        assert sandbox.waiting() == 1
        sandbox.client("sqs").purge_queue(QueueUrl=url)


def test_a_stack_without_an_app_id_is_checked_and_never_registered(sandbox: Sandbox) -> None:
    with planted.FAULTS["the page is not subscribed"][0](sandbox):
        assert planted.scheduled_check(sandbox, app_id="", self_heal=False) == ["unsubscribed"]
    assert planted.scheduled_check(sandbox, app_id="") == []


def test_the_stack_registers_what_the_operator_would_and_repairs_what_drifted(sandbox: Sandbox) -> None:
    name = "innolab-fbm-local-facebook"
    assert sandbox.update().done[name] == "same"

    sandbox.graph.set_profile({})
    sandbox.graph.subscribed_apps.fields = ["messages"]
    assert sandbox.update().done[name] == "changed"
    assert sandbox.graph.profile()["get_started"] == {"payload": "START"}
    assert set(sandbox.graph.subscribed_apps.fields) == set(SUBSCRIBED)
    assert sandbox.update().done[name] == "same"


def test_an_instagram_account_that_is_linked_to_the_page_is_registered_too(sandbox: Sandbox) -> None:
    sandbox.graph.instagram_account = "17841400000000001"
    assert planted.scheduled_check(sandbox, self_heal=False) == ["unsubscribed"]

    assert sandbox.update().done["innolab-fbm-local-facebook"] == "changed"
    known = {each["object"]: each["callback_url"] for each in sandbox.graph.app_subscription.subscriptions}
    assert known == dict.fromkeys(("page", "instagram"), sandbox.webhook_url)
    assert planted.scheduled_check(sandbox) == []
    sandbox.graph.instagram_account = ""


def test_a_registration_that_fails_says_why_and_the_next_run_completes_it(sandbox: Sandbox) -> None:
    sandbox.graph.app_subscription.delete({})
    sandbox.faults({"error": {"code": 200, "status": 403}})
    with pytest.raises(SandboxError, match="could not be set"):
        sandbox.update()
    sandbox.faults({})

    assert sandbox.update().done["innolab-fbm-local-facebook"] == "changed"
    assert sandbox.graph.app_subscription.subscriptions
