"""Scoped rights: exactly the calls of Pulumi's AWS provider and of operators, and no way out of the stacks."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from botocore.session import Session

from components.policy import VERSION, Account, Statement
from components.scoped_policies import Scope, boundary, by_service, operating, reading, writing
from sandbox.provider.facts import facts
from tests.harness import Graph, run_main
from tests.policies import documents, mistakes
from tools.rights.__main__ import LEX
from tools.rights.escalation import ALL, EVERYTHING, Role, listed, outside, reachable
from tools.rights.static_analysis import findings, managed, together, unconstrained

ACCOUNT = Account(partition="aws", region="eu-central-1", account_id="111122223333")
SCOPE = Scope(project="innolab-fbm", stacks=["prod"], account=ACCOUNT)
# The account's owner keeps these: the group with its policies, and what all APIs of the account share.
OF_THE_OWNER = {
    "aws:iam/group:Group",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/userGroupMembership:UserGroupMembership",
    "aws:iam/policy:Policy",
    "aws:apigateway/account:Account",
}
# Changes that no edit of a stack makes: of what is always the same, and of tags that decide whose a resource is.
NEVER_CHANGED = {
    ("aws:iam/role:Role", "assumeRolePolicy"),
    ("aws:iam/role:Role", "permissionsBoundary"),
    ("aws:apigateway/restApi:RestApi", "tags"),
    ("aws:lambda/eventSourceMapping:EventSourceMapping", "tags"),
}
# AWS asks for it when a function is given a role; the provider makes no call for it.
NOT_CALLED = {"iam:PassRole"}
# No role of a stack is in an instance profile.
NO_CASE = {"iam:RemoveRoleFromInstanceProfile"}


def plain(statements: list[Statement]) -> dict[str, Any]:
    return {"Version": VERSION, "Statement": [each.as_dict() for each in statements]}


def actions(statements: list[Statement]) -> set[str]:
    return {action for each in statements for action in each.actions}


@pytest.fixture(scope="module")
def graph() -> Graph:
    """The stack `prod` with scoped rights and everything that a stack can hold."""
    admins = {"adminRights": "scoped", "adminMembers": ["anna"], "alarmEmail": "team@example.org"}
    return run_main("prod", {**admins, **LEX, "conversationCode": "examples/nodejs", "timeoutSeconds": 30})


@cache
def verb(operation: str) -> str:
    """The HTTP method of an operation of API Gateway, which is its IAM action."""
    model = Session().get_service_model("apigateway").operation_model(operation)
    return str(model.http["method"])


def needed(call: str) -> str:
    """The IAM action of a call."""
    service, _, operation = call.rstrip("?*+").partition(":")
    return f"{service}:{verb(operation)}" if service == "apigateway" else f"{service}:{operation}"


def calls(graph: Graph, *verbs: str) -> Iterator[str]:
    """The provider's calls for the resources of a stack that its administrators keep."""
    for kind in {each.type for each in graph.resources.values() if each.type.startswith("aws:")} - OF_THE_OWNER:
        inputs = {key for each in graph.of(kind) for key in each.inputs}
        for each in verbs:
            found = facts(kind).calls[each]
            if each == "update":
                changed = inputs - {argument for owner, argument in NEVER_CHANGED if owner == kind}
                found = [call for row in found if changed & set(row["arguments"]) for call in row["calls"]]
            yield from found


def always(found: Iterator[str]) -> set[str]:
    """The actions of the calls that the provider never leaves out."""
    return {needed(call) for call in found if not call.endswith("?") and "|" not in call}


def possible(found: Iterator[str]) -> set[str]:
    """The actions of all these calls."""
    return {needed(each) for call in found for each in call.split("|")}


def test_reading_is_what_the_provider_reads(graph: Graph) -> None:
    of_the_group = {"iam:GetPolicy", "iam:GetPolicyVersion"}

    assert always(calls(graph, "read")) <= actions(reading(SCOPE))
    assert actions(reading(SCOPE)) - of_the_group <= possible(calls(graph, "read"))


def test_writing_is_what_the_provider_writes(graph: Graph) -> None:
    verbs = ("create", "update", "delete")

    assert always(calls(graph, *verbs)) - NO_CASE <= actions([*reading(SCOPE), *writing(SCOPE)])
    assert actions(writing(SCOPE)) - NOT_CALLED <= possible(calls(graph, *verbs))


def test_every_document_is_valid_and_no_write_is_on_any_resource_but_ending_a_subscription(graph: Graph) -> None:
    scoped = {name: each for name, each in documents(graph).items() if "-scoped-" in name or "-boundary" in name}

    assert len(scoped) == 5
    for name, document in scoped.items():
        # policy_sentry does not know which resources the verbs of REST APIs have. For alarms, see `DescribeAlarms`.
        found = [each for each in mistakes(document) if not each.startswith(("apigateway:", "cloudwatch:Describe"))]
        assert found == [], name
        assert set(unconstrained(document)) <= {"sns:Unsubscribe"}, name


def test_the_boundary_allows_all_that_the_roles_need_and_nothing_in_another_stack(graph: Graph) -> None:
    bound = boundary("innolab-fbm", "prod", ACCOUNT)

    found = {each.inputs["permissionsBoundary"] for each in graph.of("aws:iam/role:Role")}
    assert found == {"arn:aws:iam::111122223333:policy/innolab-fbm-prod-boundary"}
    wanted = {action for each in graph.of("aws:iam/rolePolicy:RolePolicy") for action in allowed(each.policy())}
    assert wanted == actions(bound)
    assert outside(plain(bound)["Statement"], "innolab-fbm", ["prod"]) == []


def test_the_role_waits_for_its_boundary_and_the_stage_has_only_its_apis_tags(graph: Graph) -> None:
    for role in graph.of("aws:iam/role:Role"):
        assert graph.one("aws:iam/policy:Policy", "-boundary").name in graph.needs(role)
    assert graph.one("aws:apigateway/restApi:RestApi").inputs["tags"] == {"project": "innolab-fbm", "stack": "prod"}
    assert "tags" not in graph.one("aws:apigateway/stage:Stage").inputs


def allowed(document: dict[str, Any]) -> Iterator[str]:
    for each in document["Statement"]:
        yield from listed(each["Action"])


def members(graph: Graph) -> dict[str, Any]:
    """All that members are allowed, as one document."""
    return together({name: each for name, each in documents(graph).items() if "-admins-scoped-" in name})


def roles(graph: Graph) -> dict[str, Role]:
    """The bot's role, and that of another stack."""
    role = graph.one("aws:iam/role:Role", "-bot-role")
    own, other = "innolab-fbm-prod-bot", "innolab-fbm-dev-bot"
    function = "arn:aws:lambda:eu-central-1:111122223333:function"
    return {
        f"arn:aws:iam::111122223333:role/{own}-role": Role(
            bounds(graph)[role.inputs["permissionsBoundary"]], f"{function}:{own}-function"
        ),
        f"arn:aws:iam::111122223333:role/{other}-role": Role(ALL, f"{function}:{other}-function"),
    }


def bounds(graph: Graph) -> dict[str, list[dict[str, Any]]]:
    found = graph.one("aws:iam/policy:Policy", "-boundary")
    return {f"arn:aws:iam::111122223333:policy/{found.inputs['name']}": found.policy()["Statement"]}


def test_the_analyser_finds_no_way_to_escalate(graph: Graph) -> None:
    found = findings(members(graph))

    assert {kind: values for kind, values in found.items() if values} == {}


def test_whatever_members_can_reach_is_in_their_stacks(graph: Graph) -> None:
    found = reachable(members(graph)["Statement"], roles(graph), bounds(graph))

    assert len(found) == 3  # the start, the bot's role, and a role of their own
    beyond = {pair for each in found.values() for pair in outside(each.rights, "innolab-fbm", ["prod"])}
    assert {action for action, _ in beyond} == ON_ANY_RESOURCE | OF_THE_GROUP


ON_ANY_RESOURCE = {
    "ssm:DescribeParameters",
    "logs:DescribeLogGroups",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "sns:GetSubscriptionAttributes",
    "sns:Unsubscribe",
    "apigateway:GET",  # of the account's settings for API Gateway
}
OF_THE_GROUP = {"iam:GetGroup", "iam:ListAttachedGroupPolicies", "iam:ListGroupsForUser"}


@pytest.mark.parametrize("condition", ["iam:PermissionsBoundary", "aws:ResourceTag/project", "lambda:FunctionArn"])
def test_without_any_of_its_conditions_something_else_can_be_reached(graph: Graph, condition: str) -> None:
    weakened = json.loads(json.dumps(members(graph)))
    for each in weakened["Statement"]:
        if any(condition in keys for keys in each.get("Condition", {}).values()):
            del each["Condition"]

    found = reachable(weakened["Statement"], roles(graph), bounds(graph))
    beyond = {action for each in found.values() for action, _ in outside(each.rights, "innolab-fbm", ["prod"])}
    assert beyond - ON_ANY_RESOURCE - OF_THE_GROUP or EVERYTHING in found


def test_the_documented_five_reach_everything() -> None:
    found = reachable(together(managed())["Statement"], {}, {})

    assert found[EVERYTHING].path == ("iam:CreatePolicyVersion",)


def test_six_stacks_fit_into_policies_that_iam_accepts() -> None:
    stacks = [f"stack-{number}" for number in range(6)]
    scope = Scope(project="innolab-fbm", stacks=stacks, account=ACCOUNT)

    policies = by_service([*reading(scope), *writing(scope), *operating(scope)])
    assert len(policies) == 4
    assert all(len(json.dumps(plain(each), separators=(",", ":"))) <= 6144 for each in policies.values())
