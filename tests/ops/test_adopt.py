"""Taking a page over from a system made by hand. `tests/engine/test_adopt.py` walks the whole way."""

import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from bot.aws.client import Aws
from bot.registration import SUBSCRIBED
from ops import commands, stack
from ops.adopt import BEFORE, Watched, settings, watch
from ops.aws import OperatorAws
from ops.handmade import ANY_LOG, LOG_ACTIONS, Account, Group, allows_every_log
from sandbox.local import Sandbox
from tests.bot.servers import Served, serve
from tests.ops.conftest import Ops

Json = dict[str, Any]

OLD_FIELDS = ["messages"]
OLD_TOKEN = "word-of-the-old-bot"


@pytest.fixture
def old_url(sandbox: Sandbox, ops: Ops, aws: OperatorAws) -> Iterator[str]:  # noqa: ARG001 - ops comes first, and resets
    """The webhook of a system made by hand, as the page has it now."""

    def handshake(request: Served) -> tuple[int, bytes]:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        right = asked["hub.verify_token"] == OLD_TOKEN
        return (200, asked["hub.challenge"].encode()) if right else (403, b"")

    with serve(handshake) as url:
        app = {"object": "page", "callback_url": url, "verify_token": OLD_TOKEN, "fields": OLD_FIELDS}
        sandbox.graph.app_subscription.subscribe(app)
        sandbox.graph.subscribed_apps.subscribe({"subscribed_fields": OLD_FIELDS})
        yield url
    aws.call("dynamodb", "DeleteItem", {"TableName": sandbox.outputs["ledgerTable"], "Key": BEFORE})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that the operator gets; the answer is the old bot's verify token."""
    questions: list[str] = []

    def answer(question: str) -> str:
        questions.append(question)
        return OLD_TOKEN

    monkeypatch.setattr(commands, "_ask", answer)
    return questions


def callback(sandbox: Sandbox) -> str:
    return str(sandbox.graph.app_subscription.subscriptions[0]["callback_url"])


def write_once_switched(sandbox: Sandbox) -> threading.Thread:
    """Somebody writes as soon as Facebook sends to the stack."""

    def write() -> None:
        while callback(sandbox) != sandbox.webhook_url:
            threading.Event().wait(0.05)
        sandbox.say("status")

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def test_a_member_switches_facebook_to_the_stack_and_back_and_no_token_is_shown(
    sandbox: Sandbox, ops: Ops, old_url: str, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "SANDBOX_KEY", sandbox.key_of("anna"))
    writing = write_once_switched(sandbox)
    code, out, err = ops("adopt", "switch", "--json", "--seconds", "60")
    writing.join()
    assert (code, callback(sandbox)) == (0, sandbox.webhook_url)
    assert json.loads(out)["watched"]["answered"] >= 1
    assert sandbox.graph.subscribed_apps.fields == list(SUBSCRIBED)
    assert sandbox.graph.profile() == {}

    assert ops("adopt", "leftovers", "--json")[:2] == (0, "[]\n")
    sandbox.graph.forget_requests()
    assert ops("adopt", "back")[0] == 0
    (app,) = sandbox.graph.app_subscription.subscriptions
    assert (app["callback_url"], [each["name"] for each in app["fields"]]) == (old_url, OLD_FIELDS)
    assert sandbox.graph.subscribed_apps.fields == OLD_FIELDS
    written = [each["path"].rpartition("/")[2] for each in sandbox.requests() if each["method"] == "POST"]
    assert written == ["subscribed_apps", "subscriptions"]
    assert "Facebook does not send to this stack" in ops("adopt", "leftovers")[2]

    assert asked == [f"The verify token of {old_url}: "] * 2
    remembered = sandbox.client("dynamodb").get_item(TableName=sandbox.outputs["ledgerTable"], Key=BEFORE)["Item"]
    for secret in (OLD_TOKEN, sandbox.verify_token, sandbox.app_secret, sandbox.page_token):
        assert secret not in out + err + json.dumps(remembered)


def test_a_switch_that_was_made_is_only_watched_and_the_way_back_stays(
    sandbox: Sandbox, ops: Ops, old_url: str, asked: list[str]
) -> None:
    for _ in range(2):
        code, _, err = ops("adopt", "switch", "--seconds", "0")
        assert (code, callback(sandbox)) == (1, sandbox.webhook_url)
        assert "Nobody was answered in 0 s" in err
        assert "adopt back" in err
    assert len(asked) == 1

    assert ops("adopt", "back")[0] == 0
    assert callback(sandbox) == old_url


def test_the_log_is_watched_until_somebody_was_answered_or_something_went_wrong(
    sandbox: Sandbox, aws: OperatorAws
) -> None:
    logs, group, now = sandbox.client("logs"), f"adopt-{secrets.token_hex(4)}", time.time()
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="s")

    def write(seconds: float, line: str) -> None:
        event = {"timestamp": int((now + seconds) * 1000), "message": line}
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])

    write(-60, '{"level": "ERROR", "kind": "before the switch"}')
    write(1, "START RequestId: 1")
    write(1, '{"level": "INFO", "kind": "accepted", "messages": 2}')
    write(1, '{"level": "INFO", "kind": "answered", "messages": 0}')
    assert watch(aws, group, now, 0) == Watched(2, 0, ())
    write(2, '{"level": "ERROR", "kind": "credentials"}')
    began = time.monotonic()
    assert watch(aws, group, now, 60) == Watched(2, 0, ("credentials",))
    assert time.monotonic() - began < 30
    write(3, '{"level": "INFO", "kind": "answered", "messages": 1}')
    assert watch(aws, group, now + 2.5, 60) == Watched(0, 1, ())


def test_without_a_way_back_nothing_is_switched(
    sandbox: Sandbox, ops: Ops, old_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "_ask", lambda _: "another word")

    code, _, err = ops("adopt", "switch")

    assert (code, callback(sandbox)) == (1, old_url)
    assert "does not confirm this verify token" in err
    assert "Nothing was switched to this stack" in ops("adopt", "back")[2]


def test_a_stack_whose_webhook_does_not_work_takes_nothing_over(
    sandbox: Sandbox, ops: Ops, old_url: str, described: Path
) -> None:
    with serve(lambda _: (500, b"")) as broken:
        outputs = sandbox.described()["outputs"] | {"webhookUrl": broken}
        described.write_text(json.dumps(sandbox.described() | {"outputs": outputs}))
        code, _, err = ops("adopt", "switch")

    assert (code, callback(sandbox)) == (1, old_url)
    assert "The stack cannot take over yet: webhook answers the handshake with 500" in err


def test_before_there_is_something_to_switch_each_command_says_so(ops: Ops) -> None:
    assert "The app has no webhook to switch from" in ops("adopt", "switch")[2]
    for command in ("back", "leftovers"):
        code, _, err = ops("adopt", command)
        assert code == 1
        assert "Nothing was switched to this stack" in err


LOGS_OF_ANY_FUNCTION = {"Effect": "Allow", "Action": list(LOG_ACTIONS), "Resource": ANY_LOG}


@pytest.mark.parametrize(
    ("statement", "documented"),
    [
        ([LOGS_OF_ANY_FUNCTION | {"Resource": ["arn:aws:s3:::pictures/*", ANY_LOG]}], True),
        (LOGS_OF_ANY_FUNCTION | {"Effect": "Deny"}, False),
        (LOGS_OF_ANY_FUNCTION | {"Resource": "arn:aws:logs:eu-central-1:1:log-group:/aws/lambda/bot:*"}, False),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, False),
    ],
)
def test_the_documented_role_is_known_by_its_inline_policy(statement: object, documented: object) -> None:
    assert allows_every_log({"Version": "2012-10-17", "Statement": statement}) is documented


class PageByPage(Aws):
    """An account in which each page of a list has one entry: the emulated AWS has longer pages.

    Two functions share a role and an API, and one of the two has another API. A third function has its own of both.
    """

    def __init__(self) -> None:
        """Needs no key."""

    LISTS: ClassVar[Mapping[str, tuple[str, str, Sequence[Any]]]] = {
        "GetGroup": ("Users", "Marker", [{"UserName": "ben"}, {"UserName": "anna"}]),
        "ListAttachedGroupPolicies": ("AttachedPolicies", "Marker", [{"PolicyArn": "arn:1"}, {"PolicyArn": "arn:2"}]),
        "ListGroupPolicies": ("PolicyNames", "Marker", []),
        "ListFunctions": (
            "Functions",
            "NextMarker",
            [
                {"FunctionName": name, "Runtime": "nodejs22.x", "Role": f"arn:aws:iam::1:role/{role}"}
                for name, role in (("one", "shared"), ("other", "shared"), ("alone", "own"))
            ],
        ),
        "ListRolePolicies": ("PolicyNames", "Marker", ["logs"]),
        "ListAttachedRolePolicies": ("AttachedPolicies", "Marker", []),
        "GetRestApis": (
            "items",
            "position",
            [{"id": "aaa", "name": "both"}, {"id": "bbb", "name": "alone"}, {"id": "ccc", "name": "more"}],
        ),
    }

    def call(self, service: str, operation: str, request: Json, **_options: object) -> Json:
        if operation == "GetStages":
            return {"item": [{"stageName": "prod"}]}
        if operation == "GetRolePolicy":
            return {"PolicyDocument": {"Statement": LOGS_OF_ANY_FUNCTION}}
        if operation == "GetResources":
            assert service == "apigateway"
            called = {"aaa": ("one", "other"), "bbb": ("alone",), "ccc": ("other",)}[request["restApiId"]]
            start = "arn:aws:apigateway:r:lambda:path/2015-03-31/functions/arn:aws:lambda:r:1:function:"
            methods = {name: {"methodIntegration": {"uri": f"{start}{name}:live/invocations"}} for name in called}
            return {"items": [{"path": "/messenger", "resourceMethods": methods}, {"path": "/"}]}
        items, marker, entries = self.LISTS[operation]
        at = int(request.get("position" if marker == "position" else "Marker", 0))
        more = {marker: str(at + 1)} if at + 1 < len(entries) else {}
        return {items: entries[at : at + 1], **more}


def test_the_settings_describe_the_group_without_the_stack_s_own_policies() -> None:
    own = ("innolab-fbm-dev-admins-data-policy-1", "innolab-fbm-state")
    arns = ("arn:aws:iam::aws:policy/IAMFullAccess", *(f"arn:aws:iam::1:policy/{name}" for name in own))

    config = yaml.safe_load(settings(Group("Innolab_FBM", ("anna",), arns, ())))["config"]

    assert config == {
        "innolab-fbm:adminGroupName": "Innolab_FBM",
        "innolab-fbm:adminMembers": ["anna"],
        "innolab-fbm:adminPolicies": ["IAMFullAccess", "arn:aws:iam::1:policy/innolab-fbm-state"],
    }


def test_lists_of_several_pages_are_read_to_the_end() -> None:
    group = Account(PageByPage()).group("g")
    assert group
    assert (group.members, group.policies) == (("anna", "ben"), ("arn:1", "arn:2"))

    found = Account(PageByPage()).documented()
    assert [each.name for each in found.functions] == ["one", "other", "alone"]
    assert [each.paths for each in found.apis] == [("/prod/messenger",)] * 3


@pytest.mark.parametrize(
    ("url", "functions", "roles", "apis"),
    [
        ("https://bbb.execute-api.r.amazonaws.com/prod/messenger", ["alone"], ["own"], ["alone"]),
        ("https://aaa.execute-api.r.amazonaws.com/prod/messenger", ["one"], [], []),
        ("https://ccc.execute-api.r.amazonaws.com/prod/messenger", [], [], []),
        ("https://bot.example.org/aaab", [], [], []),
    ],
)
def test_what_serves_something_else_as_well_is_not_left_over(
    url: str, functions: list[str], roles: list[str], apis: list[str]
) -> None:
    found = Account(PageByPage()).only_behind(url)

    assert [each.name for each in found.functions] == functions
    assert [each.name for each in found.roles] == roles
    assert [each.name for each in found.apis] == apis
