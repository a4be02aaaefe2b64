"""Takes a page over from a system made by hand: its group into Pulumi's state, its events to the stack's webhook.

docs/migrate.md is the whole way. Nothing here deletes or changes anything in the old system.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bot.aws.client import Aws
from bot.registration import Change, Registered, Registration, confirms
from ops.errors import OpsError
from ops.function_log import lines
from ops.handmade import Group, System
from ops.stack import Stack

Json = dict[str, Any]

DOCUMENTED_GROUP = "Innolab_FBM"
PROJECT_FILE = Path(__file__).parents[1] / "Pulumi.yaml"
AWS_MANAGED = ":iam::aws:policy/"
# AWS Lambda Developer Guide, "AWS managed policies", read 2026-11: AWSLambda_FullAccess replaced it in 2021.
RETIRED_POLICY = "AWSLambdaFullAccess"
WATCH_PAUSE_SECONDS = 1.0
BEFORE: Json = {"id": {"S": "registered-before#page"}}
"""The key in the stack's table."""

Ask = Callable[[str], str]
"""Asks the operator for a secret."""


def settings(group: Group) -> str:
    """The settings that describe a group as it is, as lines of `Pulumi.<stack>.yaml`.

    A stack's own policies are left out: it attaches them anyway.
    """
    project = _project()
    own = re.compile(rf":policy/{re.escape(project)}-.*-admins-")
    policies = [arn.rpartition("/")[2] if AWS_MANAGED in arn else arn for arn in group.policies if not own.search(arn)]
    config = {
        f"{project}:adminGroupName": group.name,
        f"{project}:adminMembers": list(group.members),
        f"{project}:adminPolicies": policies,
    }
    return yaml.safe_dump({"config": config}, sort_keys=False)


def import_file(stack: str, group: Group) -> Json:
    """What `pulumi import --file` takes: the group as the program names it, inside its component.

    Args:
        stack: the stack's name.
        group: the group.
    """
    component = f"{_project()}-{stack}-admins"
    return {
        "resources": [
            {"type": "fbm:index:AdminGroup", "name": component, "component": True},
            {"type": "aws:iam/group:Group", "name": f"{component}-group", "id": group.name, "parent": component},
        ]
    }


def _project() -> str:
    return str(yaml.safe_load(PROJECT_FILE.read_text(encoding="utf-8"))["name"])


class Remembered:
    """What was registered before the switch. The stack's table remembers it; it holds no secret.

    Args:
        aws: the stack's.
        stack: the stack.
    """

    def __init__(self, aws: Aws, stack: Stack) -> None:
        self._aws, self._table = aws, stack.ledger_table

    def read(self) -> Registered | None:
        """What was remembered, if anything."""
        keys = {self._table: {"Keys": [BEFORE], "ConsistentRead": True}}
        found = self._aws.call("dynamodb", "BatchGetItem", {"RequestItems": keys})["Responses"].get(self._table, [])
        if not found:
            return None
        url, fields, page_fields = json.loads(found[0]["registered"]["S"])
        return Registered(url, tuple(fields), tuple(page_fields))

    def write(self, registered: Registered) -> None:
        """Remember this."""
        request = {
            "TableName": self._table,
            "Key": BEFORE,
            "UpdateExpression": "SET registered = :registered",
            "ExpressionAttributeValues": {":registered": {"S": json.dumps(registered)}},
        }
        self._aws.call("dynamodb", "UpdateItem", request)


class Switch:
    """Moves the page's events from one webhook to the other.

    Args:
        stack: the stack.
        registration: its registration with Facebook, without a profile.
        remembered: what was registered before.
        verify_token: the stack's.
        ask: asks for the verify token of the webhook before, if that is another one.
    """

    def __init__(
        self, stack: Stack, registration: Registration, remembered: Remembered, verify_token: str, ask: Ask
    ) -> None:
        self._url, self._registration, self._remembered = stack.webhook_url, registration, remembered
        self._verify_token, self._ask = verify_token, ask

    def switch(self) -> Iterator[Change]:
        """Register the stack's webhook, once it is known that it works and that there is a way back.

        Raises:
            OpsError: the stack's webhook or token does not work, there is no way back, or Facebook refused.
        """
        if wrong := [f"{each.what} {each.found}" for each in self._registration.check_stack() if not each.fine]:
            raise OpsError(f"The stack cannot take over yet: {'; '.join(wrong)}.")
        now = self._registration.found()
        if not now.url:
            raise OpsError("The app has no webhook to switch from: run `python -m ops register`.")
        if now.url != self._url:
            self._token_of(now.url)
            self._remembered.write(now)
        yield from self._registration.register()

    def back(self) -> Registered:
        """Register again what was registered before the switch.

        Raises:
            OpsError: nothing is remembered, the webhook before does not work, or Facebook refused.
        """
        before = self.before()
        if self._registration.found() != before:
            self._registration.put_back(before, self._token_of(before.url))
        return before

    def before(self) -> Registered:
        """What was registered before the switch.

        Raises:
            OpsError: nothing is remembered.
        """
        before = self._remembered.read()
        if before is None:
            raise OpsError("Nothing was switched to this stack: run `python -m ops adopt switch` first.")
        return before

    def is_switched(self) -> bool:
        """Whether Facebook sends to the stack's webhook."""
        return self._registration.found().url == self._url

    def _token_of(self, url: str) -> str:
        """The verify token of a webhook. Facebook asks for it whenever a webhook is registered."""
        if confirms(url, self._verify_token):
            return self._verify_token
        token = self._ask(f"The verify token of {url}: ")
        if not confirms(url, token):
            raise OpsError(
                f"{url} does not confirm this verify token, so Facebook could not be sent back there: look the token "
                "up in the old function. If that webhook no longer works, run `python -m ops register` instead."
            )
        return token


class Watched(NamedTuple):
    """What the function's log says since the switch: messages accepted, events answered, and what went wrong."""

    accepted: int
    answered: int
    wrong: tuple[str, ...]


def watch(aws: Aws, log_group: str, since: float, seconds: float) -> Watched:
    """Wait until somebody's message was answered or something went wrong, and no longer than `seconds`.

    Args:
        aws: the stack's.
        log_group: the function's.
        since: the time of the switch, in seconds since the epoch.
        seconds: how long to wait.
    """
    deadline = time.monotonic() + seconds
    while True:
        watched = _watched(aws, log_group, since)
        if watched.answered or watched.wrong or time.monotonic() > deadline:
            return watched
        time.sleep(WATCH_PAUSE_SECONDS)


def _watched(aws: Aws, log_group: str, since: float) -> Watched:
    found = [each.content for each in lines(aws, log_group, since) if "kind" in each.content]
    return Watched(
        sum(each["messages"] for each in found if each["kind"] == "accepted"),
        sum(each["kind"] == "answered" and each["messages"] > 0 for each in found),
        tuple(dict.fromkeys(each["kind"] for each in found if each["level"] == "ERROR")),
    )


class Leftover(NamedTuple):
    """Something that nothing needs any more, and the commands that delete it."""

    what: str
    name: str
    commands: tuple[str, ...]


def leftovers(group: Group | None, system: System) -> Iterator[Leftover]:
    """What can be deleted once Facebook sends to the stack, in the order of deletion.

    Args:
        group: the administrators.
        system: what is behind the webhook before.
    """
    for api in system.apis:
        yield Leftover("REST API", api.name, (f"aws apigateway delete-rest-api --rest-api-id {api.id}",))
    for function in system.functions:
        yield Leftover("function", function.name, (f"aws lambda delete-function --function-name {function.name}",))
        group_name = function.log_group
        yield Leftover("log group", group_name, (f"aws logs delete-log-group --log-group-name {group_name}",))
    for role in system.roles:
        inline = [f"aws iam delete-role-policy --role-name {role.name} --policy-name {each}" for each in role.inline]
        others = [f"aws iam detach-role-policy --role-name {role.name} --policy-arn {each}" for each in role.policies]
        yield Leftover("role", role.name, (*inline, *others, f"aws iam delete-role --role-name {role.name}"))
    if group and (retired := next((arn for arn in group.policies if arn.endswith(f"/{RETIRED_POLICY}")), "")):
        command = f"aws iam detach-group-policy --group-name {group.name} --policy-arn {retired}"
        yield Leftover("retired policy of the group", RETIRED_POLICY, (command,))
