"""The sandbox in which permissions are tried: a stack with everything, and a member with our own policies only."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import OWNER
from sandbox.local import Sandbox
from sandbox.provider.account import Account

STACK = "local"
PREFIX = f"innolab-fbm-{STACK}-"
SETTINGS = {
    "alarmEmail": "team@example.org",
    "requireMfa": "true",
    "timeoutSeconds": "20",
    "manageApiGatewayAccount": "true",
    "unknownDays": "7",
}
MEMBER = "mira"
"""A user in a group with our customer-managed policies only: AWS's own policies would hide what ours lack."""
PASSWORD = "The first password, 1"
OTHER_USER = "nora"
SECONDS = 40.0
BOUNDARY = f"admins-{STACK}-boundary"
"""The title of the stack's boundary, where its administrators' rights are scoped."""

Document = dict[str, Any]


class Trial:
    """A running sandbox whose policies can be changed in place.

    Attributes:
        sandbox: running.
        account: the stack's account as the member sees it, in a session with MFA.
        owner: the same account as its owner sees it.
        policies: the documents of our policies, by title: `admins-data`, `bot-access`, …
        boundary: the ARN of the stack's boundary; `""` where there is none.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        iam = sandbox.client("iam")
        for user in (MEMBER, OTHER_USER):
            iam.create_user(UserName=user)
        iam.create_login_profile(UserName=MEMBER, Password=PASSWORD)
        iam.update_account_password_policy(MinimumPasswordLength=12)
        iam.create_group(GroupName="ours-alone")
        iam.add_user_to_group(GroupName="ours-alone", UserName=MEMBER)
        self._put: dict[str, Callable[[Document], None]] = {}
        self.policies: dict[str, Document] = {}
        self.boundary = ""
        for entry in sandbox.resources:
            title = entry["name"].removeprefix(PREFIX).removesuffix("-policy")
            if title == BOUNDARY:
                self.boundary = entry["id"]
                self.policies[title] = json.loads(entry["inputs"]["policy"])
                self._put[title] = self._put_managed(entry["id"])
            elif entry["type"] == "aws:iam/policy:Policy" and not title.endswith("-boundary"):
                self.policies[title] = json.loads(entry["inputs"]["policy"])
                self._put[title] = self._put_managed(entry["id"])
                iam.attach_group_policy(GroupName="ours-alone", PolicyArn=entry["id"])
            elif entry["type"] == "aws:iam/rolePolicy:RolePolicy":
                self.policies[title] = json.loads(entry["inputs"]["policy"])
                self._put[title] = self._put_inline(*entry["id"].split(":"))
        region = sandbox.configuration.region
        key, session = sandbox.key_of(MEMBER), sandbox.session_of(MEMBER)
        self.without_mfa = Clients(sandbox.cloud_url, region, key)
        member, owner = Clients(sandbox.cloud_url, region, session), Clients(sandbox.cloud_url, region, OWNER)
        self.account = Account(sandbox.cloud_url, region, member, owner)
        self.owner = Account(sandbox.cloud_url, region, owner, owner)
        # A message that nobody may hide or delete reappears at once, not after six timeouts.
        for name in ("queueUrl", "deadLetterQueueUrl"):
            sandbox.client("sqs").set_queue_attributes(
                QueueUrl=sandbox.outputs[name], Attributes={"VisibilityTimeout": "1"}
            )

    def _put_managed(self, arn: str) -> Callable[[Document], None]:
        iam = self.sandbox.client("iam")

        def put(document: Document) -> None:
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True)
            for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
                if not version["IsDefaultVersion"]:
                    iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])

        return put

    def _put_inline(self, role: str, name: str) -> Callable[[Document], None]:
        iam = self.sandbox.client("iam")

        def put(document: Document) -> None:
            if document["Statement"]:  # IAM takes no policy without one
                iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
            else:
                iam.delete_role_policy(RoleName=role, PolicyName=name)

        return put

    @contextmanager
    def without(self, policy: str, sid: str, action: str) -> Iterator[None]:
        """Within it, one statement of one policy lacks an action."""
        self._put[policy](less(self.policies[policy], sid, action))
        try:
            yield
        finally:
            self._put[policy](self.policies[policy])

    def restart_function(self) -> None:
        """Let the next call start a function without secrets and connections."""
        self.sandbox.kill_functions()

    def denials(self) -> list[str]:
        """What the function's role was denied so far: action and resource, in the order of the first denials."""
        return [
            f"{each['action']} on {each['resource']}"
            for each in self.sandbox.decisions()
            if not each["allowed"] and ":assumed-role/" in each["principal"]
        ]


def less(document: Mapping[str, Any], sid: str, action: str) -> Document:
    """A policy document without one action in one statement; without the statement if the action was its only one."""
    statements = []
    for each in document["Statement"]:
        statement = dict(each)
        if statement.get("Sid", "") == sid:
            key = "NotAction" if "NotAction" in statement else "Action"
            statement[key] = [one for one in statement[key] if one != action]
            if not statement[key]:
                continue
        statements.append(statement)
    return {**document, "Statement": statements}


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: it does not within `SECONDS`.
    """
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {SECONDS:.0f} s: {what}")
        time.sleep(0.02)
