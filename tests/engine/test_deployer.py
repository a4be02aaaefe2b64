"""A team without keys: the owner makes the deployer once, a member a stack, and GitHub's workflows do the rest.

Pulumi's state is in the bucket, and its secrets are under the key, as docs/deploy.md describes.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pulumi.automation.errors import CommandError

from sandbox.aws.cloud import ACCOUNT
from sandbox.engine.automation import Backend
from tests.engine.place import REGION, Key, Place, Real, touched
from tests.github import session, token
from tests.harness import PROJECT
from tests.inventory import everything

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

GROUP = "config:\n  aws:region: eu-central-1\n  innolab-fbm:bot: false\n  innolab-fbm:adminRights: scoped\n"
BUCKET = f"{PROJECT}-state-{ACCOUNT}-{REGION}"
READING = ("Get", "List", "Describe", "GET", "Decrypt")
RUNS = {
    "preview": "repo:octo/bot:pull_request",
    "deploy-dev": "repo:octo/bot:environment:dev",
    "deploy-prod": "repo:octo/bot:environment:prod",
}
CHANGES = {"memoryMb": "1024", "logRetentionDays": "60", "alarmEmail": "others@example.org", "appSecret": "CANARY-new"}


def backend(stack: str) -> Backend:
    return Backend(
        f"s3://{BUCKET}?region={REGION}&s3ForcePathStyle=true",  # the emulator has one address for all buckets
        f"awskms://alias/{PROJECT}?region={REGION}&context_stack={stack}",
    )


class Team:
    """What the owner, a member and the workflows did, and what came of it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._make_state()
        (place.folder / "Pulumi.admins.yaml").write_text(GROUP, "utf-8")
        self.admins = place.stack(
            "admins",
            backend=backend("admins"),
            adminMembers='["anna"]',
            adminStacks='["dev", "prod"]',
            deployFrom="octo/bot",
        )
        self.admins.run("up")

        anna = place.key_of("anna")
        self.dev = self.stack("dev", anna)
        before = set(everything(place.owner))
        self.stack("prod", anna)

        self.previewed_new = self._as("preview", self.dev, {}, "preview")
        self.made = self._as("deploy-dev", self.dev, {}, "up")
        self.previewed = self._as("preview", self.dev, CHANGES, "preview")
        self.previewed_with_refresh = self._as("preview", self.dev, CHANGES, "preview", refresh=True)
        self.changed = self._as("deploy-dev", self.dev, CHANGES, "up")
        self.refreshed = self._as("deploy-dev", self.dev, {}, "refresh")
        self.denied = self.refused()
        self.deleted = self._as("deploy-dev", self.dev, {}, "destroy")
        self.denied_at_the_end = self.refused()
        self.left = set(everything(place.owner)) - before

    def _make_state(self) -> None:
        """What docs/deploy.md tells the owner to make."""
        s3, kms = self.place.owner("s3"), self.place.owner("kms")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        kms.create_alias(AliasName=f"alias/{PROJECT}", TargetKeyId=kms.create_key()["KeyMetadata"]["Arn"])

    def stack(self, name: str, key: Key) -> Real:
        settings = {"adminGroupName": "", "adminRights": "scoped", "alarmEmail": "team@example.org"}
        return self.place.stack(name, key, backend(name), **settings)

    def as_workflow(self, role: str) -> Key:
        return session(self.place.owner, role, token(RUNS[role]))

    def _as(self, role: str, stack: Real, settings: Mapping[str, str], action: Any, **options: Any) -> dict[str, str]:
        stack.set(settings, self.as_workflow(role))
        return stack.run(action, **options)

    def calls(self, role: str) -> list[Mapping[str, Any]]:
        """The calls that a role's sessions made, as IAM decided them."""
        principal = f":assumed-role/{PROJECT}-{role}/"
        return [each for each in self.place.cloud.decisions() if principal in each["principal"]]

    def refused(self) -> list[str]:
        return [json.dumps(each) for each in self.place.cloud.decisions() if not each["allowed"]]


@pytest.fixture(scope="module")
def team() -> Iterator[Team]:
    with Place() as place:
        yield Team(place)


def test_no_call_is_denied_in_the_whole_life_of_a_stack_that_workflows_preview_deploy_and_delete(team: Team) -> None:
    assert team.denied == []
    assert team.denied_at_the_end == []
    assert {each["action"].partition(":")[0] for each in team.calls("deploy-dev")} >= {
        "s3", "kms", "sqs", "dynamodb", "ssm", "logs", "cloudwatch", "sns", "lambda", "apigateway", "iam",
    }  # fmt: skip


def test_a_preview_announces_what_the_deployment_then_does(team: Team) -> None:
    assert team.previewed_new == team.made
    assert set(team.made.values()) == {"made"}
    assert team.previewed == team.previewed_with_refresh == team.changed
    assert touched(team.changed).keys() >= {
        f"{PROJECT}-dev-bot-function",
        f"{PROJECT}-dev-secrets-app-secret",
        f"{PROJECT}-dev-alarms-email",
    }
    assert touched(team.refreshed) == {}


def test_a_preview_only_reads_the_state_decrypts_the_secrets_and_looks_at_the_stack(team: Team) -> None:
    actions = {each["action"] for each in team.calls("preview")}

    assert actions >= {"s3:GetObject", "s3:ListBucket", "kms:Decrypt", "sqs:GetQueueAttributes", "iam:GetRole"}
    assert [each for each in actions if not each.partition(":")[2].startswith(READING)] == []


def test_nothing_is_left_of_a_stack_that_a_workflow_deleted(team: Team) -> None:
    assert set(team.deleted.values()) == {"deleted"}
    assert team.left == set()


def test_the_workflow_of_one_stack_cannot_read_the_state_of_another(team: Team) -> None:
    with pytest.raises(CommandError, match=r"prod\.json.*PermissionDenied"):
        team.stack("prod", team.as_workflow("deploy-dev"))
