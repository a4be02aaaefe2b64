"""The deployer: who may assume its roles, what each role may do, and that no role reaches further."""

import json
from functools import cache

import pytest

from components.deployer import (
    ISSUER,
    PREVIEW,
    Deployer,
    DeployerArgs,
    environment,
    github_provider_arn,
    github_trust,
    subjects,
)
from components.errors import InvalidArgs
from components.policy import Account
from components.pulumi_state import keeping_state
from components.scoped_policies import Scope
from tests.components.test_scoped_policies import ON_ANY_RESOURCE
from tests.harness import PROJECT, Graph, run_main, run_program
from tests.policies import documents, mistakes, statements
from tools.rights.escalation import Role, outside, reachable
from tools.rights.static_analysis import together

ACCOUNT = Account(partition="aws", region="eu-central-1", account_id="111122223333")
SCOPE = Scope(project="bot", stacks=["dev", "prod"], account=ACCOUNT)
READING = ("Get", "List", "Describe", "GET", "Decrypt")


@cache
def graph(provider_arn: str | None = None) -> Graph:
    return run_program(
        lambda: Deployer("d", DeployerArgs(repository="octo/bot", scope=SCOPE, provider_arn=provider_arn))
    )


def permissions(of: Graph, role: str) -> dict[str, set[str]]:
    """Action → resources that a role is allowed."""
    found: dict[str, set[str]] = {}
    for name, document in documents(of).items():
        if name.startswith(f"d-{role}-") and "Principal" not in document["Statement"][0]:
            for actions, resources in statements(document):
                for action in actions:
                    found.setdefault(action, set()).update(resources)
    return found


def test_a_repository_named_with_ids_is_that_repository_only() -> None:
    assert subjects("octo@12/bot@345", environment("dev")) == ["repo:octo@12/bot@345:environment:dev"]
    assert json.loads(github_trust("arn:P", "octo@12/bot@345", PREVIEW))["Statement"][0]["Condition"]["StringLike"] == {
        f"{ISSUER}:sub": ["repo:octo@12/bot@345:pull_request"]
    }


@pytest.mark.parametrize(
    "repository", ["octo", "octo/bot/x", "octo/*", "octo@1/bot", "octo/bot@1", "o*/bot", "octo/b:t"]
)
def test_a_repository_of_another_form_is_refused(repository: str) -> None:
    with pytest.raises(InvalidArgs, match="OWNER/NAME"):
        DeployerArgs(repository=repository, scope=SCOPE)


def test_there_must_be_a_stack_to_deploy() -> None:
    with pytest.raises(InvalidArgs, match="no stack"):
        DeployerArgs(repository="octo/bot", scope=Scope(project="bot", stacks=[], account=ACCOUNT))


def test_the_identity_provider_is_made_without_a_thumbprint_or_the_accounts_is_used() -> None:
    (made,) = graph().of("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
    used = graph("arn:P")

    assert made.inputs["url"] == f"https://{ISSUER}"
    assert made.inputs["clientIdLists"] == ["sts.amazonaws.com"]
    assert "thumbprintLists" not in made.inputs
    assert used.of("aws:iam/openIdConnectProvider:OpenIdConnectProvider") == []
    assert github_provider_arn(ACCOUNT) == f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"


@pytest.mark.parametrize("role", ["preview", "drift"])
def test_a_role_that_changes_nothing_reads_the_state_decrypts_the_secrets_and_looks_at_the_stacks(role: str) -> None:
    found = permissions(graph(), role)

    assert [action for action in found if not action.partition(":")[2].startswith(READING)] == []
    assert {action for action in found if action.startswith(("s3:", "kms:"))} == {
        "s3:ListBucket",
        "s3:GetObject",
        "kms:Decrypt",
    }


@pytest.fixture(scope="module")
def account() -> Graph:
    """A stack with a bot, scoped administrators and a deployer: all policies that people and workflows can have."""
    settings = {"adminRights": "scoped", "adminMembers": ["anna"], "adminStacks": ["dev"], "deployFrom": "octo/bot"}
    return run_main("prod", settings)


def test_every_policy_for_pulumis_state_is_one_that_aws_takes_as_it_is_meant(account: Graph) -> None:
    found = {
        name: list(mistakes(each))
        for name, each in documents(account).items()
        if name.endswith(("-state-policy", "-tools-policy"))
    }

    assert len(found) == 5
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.parametrize("role", ["deploy-dev", "deploy-prod", "preview", "drift"])
def test_whatever_a_workflow_can_reach_is_in_its_stacks(account: Graph, role: str) -> None:
    stacks = ["dev", "prod"] if role in {"preview", "drift"} else [role.removeprefix("deploy-")]
    own = together({name: each for name, each in documents(account).items() if f"-deployer-{role}-" in name})
    bounds = {
        f"arn:aws:iam::{ACCOUNT.account_id}:policy/{each.inputs['name']}": each.policy()["Statement"]
        for each in account.of("aws:iam/policy:Policy")
        if "-boundary" in each.name
    }
    bot = account.one("aws:iam/role:Role", "-bot-role")
    name = "innolab-fbm-prod-bot"
    function = f"arn:aws:lambda:eu-central-1:{ACCOUNT.account_id}:function:{name}-function"
    arn = f"arn:aws:iam::{ACCOUNT.account_id}:role/{name}-role"
    roles = {arn: Role(bounds[bot.inputs["permissionsBoundary"]], function)}
    start = [each for each in own["Statement"] if "Principal" not in each]

    found = reachable(start, roles, bounds)

    assert (
        len(found) == {"preview": 1, "drift": 1, "deploy-dev": 2, "deploy-prod": 3}[role]
    )  # a role of its own; the bot's role
    beyond = {action for each in found.values() for action, _ in outside(each.rights, PROJECT, stacks)}
    assert beyond - {action for each in keeping_state(SCOPE) for action in each.actions} <= ON_ANY_RESOURCE
