"""The whole life of a stack: who may do what, secrets replaced under load, and secrets that stay secret.

`make rights` proves what each action is for. These tests prove that together they suffice, and for nothing else.
"""

import hashlib
import hmac
import http.client
import json
import secrets
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from bench.load import shorten_visibility
from sandbox.errors import SandboxError
from sandbox.facebook.credentials import Credentials
from sandbox.facebook.webhooks import text_item
from sandbox.local import APP_ID, Sandbox, new_person
from sandbox.provider.catalog import resource_type
from tests.inventory import everything
from tests.system.test_main_job import function_log
from tests.system.test_storms import VISIBILITY_SECONDS
from tools.rights import steps
from tools.rights.scoped_steps import SCOPED_STEPS
from tools.rights.steps import KINDS, MEMBER_STEPS, Missing
from tools.rights.trial import SETTINGS, STACK, Trial

pytestmark = pytest.mark.long

ANNA, BEN = "anna", "ben"
OTHER = "dev"
CHANGES = {
    "memoryMb": "1024", "timeoutSeconds": "25", "logRetentionDays": "60", "throttleRate": "50", "stateDays": "30",
    "protectData": "true", "alarmEmail": "others@example.org", "concurrency": "4",
    "appSecretPrevious": "the-one-before",
}  # fmt: skip
# IAM cannot narrow these to a topic (Service Authorization Reference, "Amazon SNS").
ON_ANY_TOPIC = {"read a topic's subscription", "delete a topic's subscription"}

TEXT_CANARY = "status, says CANARYtext"
NEW = {
    "appSecret": "CANARYapp" + secrets.token_hex(12),
    "pageAccessToken": "EAACANARY" + secrets.token_hex(30),
    "verifyToken": "CANARYverify" + secrets.token_hex(8),
}


class Load:
    """Several people write at the same time until `stop`; each request is repeated until it is acknowledged."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox, self._stopped = sandbox, threading.Event()
        self.people: list[str] = []
        self._threads = [threading.Thread(target=self._write) for _ in range(6)]
        for thread in self._threads:
            thread.start()

    def _write(self) -> None:
        while not self._stopped.wait(0.2):
            person = new_person()
            self.people.append(person)
            self._sandbox.deliver([text_item(self._sandbox.page_id, person, TEXT_CANARY)])

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()


class Rotation:
    """Facebook replaces all three secrets at once while people write. A member deploys the new ones."""

    def __init__(self, sandbox: Sandbox, key: tuple[str, ...]) -> None:
        self._sandbox, self._old = sandbox, sandbox.app_secret
        # A function that is killed leaves its messages invisible, in the stack as it is for minutes.
        shorten_visibility(sandbox, VISIBILITY_SECONDS)
        load = Load(sandbox)
        assert sandbox.facebook
        sandbox.facebook._secret = NEW["appSecret"].encode()
        sandbox.graph.credentials = Credentials(sandbox.page_id, APP_ID, NEW["pageAccessToken"], NEW["appSecret"])
        sandbox.update({**NEW, "appSecretPrevious": self._old}, key=key)
        # Running functions read the secrets again after some seconds, new ones at once.
        sandbox.kill_functions()
        load.stop()
        sandbox.settle()
        self.people = load.people
        self.answered = Counter(
            request["body"]["recipient"]["id"]
            for request in sandbox.requests()
            if request["status"] == http.client.OK and "message" in request["body"]
        )
        self.statuses = {
            "signed with the previous secret": self._post(self._old),
            "signed with any other": self._post("guessed"),
            "verified with the new token": self._verify(NEW["verifyToken"]),
            "verified with the previous token": self._verify(sandbox.verify_token),
        }

    def _post(self, secret: str) -> int:
        body = json.dumps({"object": "page", "entry": []}).encode()
        signed = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        assert self._sandbox.facebook
        return self._sandbox.facebook.post(body, {"X-Hub-Signature-256": signed})[0]

    def _verify(self, token: str) -> int:
        query = urlencode({"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "1"})
        try:
            with urllib.request.urlopen(f"{self._sandbox.webhook_url}?{query}") as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


class Life:
    """What a member with MFA and one kind of rights did, and the outcome."""

    def __init__(self, sandbox: Sandbox, rights: str, events: list[Mapping[str, Any]]) -> None:
        self.sandbox, self.events = sandbox, events
        key = sandbox.session_of(ANNA)
        sandbox.update(CHANGES, key=key)
        self.made = sandbox.update({"adminGroupName": "", "adminRights": rights}, stack=OTHER, key=key).done
        self.changed_other = sandbox.update({"memoryMb": "256"}, stack=OTHER, key=key).done
        self.deleted = sandbox.destroy(stack=OTHER, key=key).done
        with pytest.raises(SandboxError) as refusal:
            sandbox.destroy(key=key)
        self.refusal = str(refusal.value)
        self.answers = sandbox.say("status")
        self.rotation = Rotation(sandbox, key)
        self.denied = [each for each in sandbox.decisions() if not each["allowed"]]
        self.decided = sandbox.decisions()


@pytest.fixture(scope="module", params=["documented", "scoped"])
def life(request: pytest.FixtureRequest) -> Iterator[Life]:
    events: list[Mapping[str, Any]] = []
    settings = {**SETTINGS, "adminStacks": f'["{OTHER}"]', "adminRights": request.param}
    with Sandbox(STACK, settings=settings, observe=events.append) as sandbox:
        yield Life(sandbox, request.param, events)


@pytest.fixture(scope="module")
def trial(life: Life) -> Trial:
    return Trial(life.sandbox)


def test_no_call_is_denied_to_the_bot_or_to_a_member_through_the_life_of_two_stacks(life: Life) -> None:
    services = {each["action"].partition(":")[0] for each in life.decided if each["principal"].endswith(f"user/{ANNA}")}
    of_the_bot = {each["action"] for each in life.decided if ":assumed-role/" in each["principal"]}

    assert life.denied == []
    assert {"ssm:GetParametersByPath", "sqs:SendMessage", "dynamodb:PutItem"} <= of_the_bot
    assert services >= {"sqs", "dynamodb", "ssm", "logs", "cloudwatch", "sns", "lambda", "apigateway", "iam"}


def test_nothing_is_deleted_while_something_is_protected(life: Life) -> None:
    assert "Protected against deletion: " in life.refusal
    assert "innolab-fbm-local-ledger-table" in life.refusal
    assert len(life.answers) == 1


def test_another_environment_is_created_changed_and_deleted_whole_and_nothing_is_left_of_it(life: Life) -> None:
    assert set(life.made.values()) == {"made"}
    touched = {name for name, what in life.changed_other.items() if what != "same"}
    assert touched == {"innolab-fbm-dev-bot-function", "innolab-fbm-dev-live-alias"}
    assert set(life.deleted.values()) == {"deleted"}
    assert life.deleted.keys() == life.made.keys()
    left = everything(life.sandbox.client)
    assert len(left) >= 9  # the other stack's
    # The group's stack holds the boundary of each stack that the group administers.
    boundaries = [each["id"] for each in life.sandbox.resources if each["name"].endswith(f"-{OTHER}-boundary")]
    assert [each for each in left if f"innolab-fbm-{OTHER}-" in each] == boundaries


def test_without_mfa_a_member_only_sees_alarms_and_sets_up_their_own_credentials(life: Life) -> None:
    key = life.sandbox.key_of(BEN)

    for service, operation in (
        ("lambda", "list_functions"), ("sqs", "list_queues"), ("iam", "list_users"), ("dynamodb", "list_tables"),
        ("apigateway", "get_rest_apis"), ("ssm", "describe_parameters"),
    ):  # fmt: skip
        with pytest.raises(ClientError, match=r"(?i)not authorized to perform.*explicit deny"):
            getattr(life.sandbox.client(service, key), operation)()
    assert life.sandbox.client("cloudwatch", key).describe_alarms()["MetricAlarms"]
    own = life.sandbox.client("iam", key)
    assert own.get_user(UserName=BEN)["User"]["UserName"] == BEN
    with pytest.raises(ClientError, match=r"explicit deny|no identity-based policy"):
        own.create_access_key(UserName=ANNA)


def test_our_policies_suffice_for_everything_that_members_need_them_for(trial: Trial) -> None:
    """The documented policies are for functions, APIs and IAM. With scoped rights, ours are for these too."""
    for step in SCOPED_STEPS if trial.boundary else MEMBER_STEPS:
        step.run(trial)


def test_our_policies_allow_nothing_in_another_stack(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = "innolab-fbm-prod-"

    def create(type_name: str) -> str:
        provider = resource_type(type_name)
        return provider.create(trial.owner, provider.check(f"{prefix}{secrets.token_hex(4)}", {})).id

    group, topic = create("aws:cloudwatch/logGroup:LogGroup"), create("aws:sns/topic:Topic")
    monkeypatch.setattr(steps, "PREFIX", prefix)
    monkeypatch.setattr(steps, "_group", lambda _: {"logGroupName": group})
    monkeypatch.setattr(steps, "_topic", lambda _: topic)
    allowed = set()
    for kind in KINDS:
        for step in steps.life(kind):
            try:
                step.run(trial)
            except Missing:
                continue
            allowed.add(step.name)

    assert allowed == ON_ANY_TOPIC


def test_each_message_is_answered_once_while_all_secrets_are_replaced(life: Life) -> None:
    people = life.rotation.people

    assert len(people) >= 6
    assert {person: life.rotation.answered[person] for person in people} == dict.fromkeys(people, 1)


def test_after_a_rotation_the_previous_app_secret_still_counts_and_the_previous_verify_token_does_not(
    life: Life,
) -> None:
    assert life.rotation.statuses == {
        "signed with the previous secret": 200,
        "signed with any other": 403,
        "verified with the new token": 200,
        "verified with the previous token": 403,
    }


def test_no_secret_and_no_text_of_a_person_is_in_any_log_output_or_error(life: Life) -> None:
    sandbox, lines = life.sandbox, function_log(life.sandbox)
    places = {
        "the function's log": lines,
        "what the sandbox reported": life.events,
        "what it describes": sandbox.deployed.shown_outputs,
        "its resources": sandbox.resources,
        "the emulated AWS's own log": sandbox.cloud.log(),
        "what IAM decided": life.decided,
        "what Facebook was asked": sandbox.requests(),
        "the function's configuration": sandbox.client("lambda").list_functions()["Functions"],
    }
    canaries = [
        *NEW.values(),
        sandbox.app_secret,
        sandbox.page_token,
        sandbox.verify_token,
        CHANGES["appSecretPrevious"],
    ]

    assert any("answered" in line for line in lines)
    for place, content in places.items():
        text = json.dumps(content, default=str)
        assert [canary for canary in canaries if canary in text] == [], place
    assert TEXT_CANARY not in json.dumps([lines, life.events, places["the emulated AWS's own log"]], default=str)
