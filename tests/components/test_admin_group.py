"""The administrators: the documented policies, our own within IAM's limits, and members who keep their groups."""

from collections.abc import Sequence
from typing import Any, Literal

import pytest

from components.admin_group import DOCUMENTED_POLICIES, AdminGroup, AdminGroupArgs
from components.errors import InvalidArgs
from components.policy import Account
from tests.harness import Graph, project_defaults, run_program
from tests.policies import statements

ACCOUNT = Account(partition="aws", region="eu-central-1", account_id="111122223333")
POLICIES = [f"Policy{number}" for number in range(7)]
LONG_NAMES = [f"{'x' * 22}{number:02}" for number in range(60)]


def args(
    *,
    members: Sequence[str] = (),
    stacks: Sequence[str] = ("dev",),
    rights: Literal["documented", "scoped"] = "documented",
    policies: Sequence[str] | None = None,
    require_mfa: bool = False,
) -> AdminGroupArgs:
    return AdminGroupArgs(
        group_name="Innolab_FBM",
        members=members,
        project="bot",
        stacks=stacks,
        rights=rights,
        account=ACCOUNT,
        managed_policies=DOCUMENTED_POLICIES if policies is None else policies,
        require_mfa=require_mfa,
    )


def attached(graph: Graph) -> set[str]:
    found = graph.of("aws:iam/groupPolicyAttachment:GroupPolicyAttachment")
    return {each.inputs["policyArn"] for each in found if ":aws:policy/" in each.inputs["policyArn"]}


def test_the_group_has_the_documented_five_which_are_the_projects_default() -> None:
    graph = run_program(lambda: AdminGroup("admins", args()))

    assert tuple(project_defaults()["adminPolicies"]) == DOCUMENTED_POLICIES
    assert attached(graph) == {
        "arn:aws:iam::aws:policy/AWSLambda_FullAccess",
        "arn:aws:iam::aws:policy/IAMFullAccess",
        "arn:aws:iam::aws:policy/AmazonAPIGatewayInvokeFullAccess",
        "arn:aws:iam::aws:policy/AmazonAPIGatewayAdministrator",
        "arn:aws:iam::aws:policy/AmazonLexFullAccess",
    }


def test_members_are_added_one_by_one_and_nobody_is_removed() -> None:
    graph = run_program(lambda: AdminGroup("admins", args(members=["anna", "ben"])))

    members = graph.of("aws:iam/userGroupMembership:UserGroupMembership")
    assert {(each.inputs["user"], *each.inputs["groups"]) for each in members} == {
        ("anna", "Innolab_FBM"),
        ("ben", "Innolab_FBM"),
    }
    assert not graph.of("aws:iam/groupMembership:GroupMembership")


def test_each_stack_is_administered_by_the_same_permissions_under_its_own_prefix() -> None:
    def resources(*stacks: str) -> set[str]:
        policies = run_program(lambda: AdminGroup("admins", args(stacks=stacks))).of("aws:iam/policy:Policy")
        return {resource for each in policies for _, found in statements(each.policy()) for resource in found}

    dev = resources("dev")
    assert "arn:aws:sqs:eu-central-1:111122223333:bot-dev-*" in dev
    assert resources("dev", "anna") == dev | {each.replace("dev", "anna") for each in dev}


def test_another_stack_does_not_replace_a_policy() -> None:
    """IAM cannot change a description: a policy with another one would be replaced."""
    one = run_program(lambda: AdminGroup("admins", args(stacks=["dev"])))
    two = run_program(lambda: AdminGroup("admins", args(stacks=["dev", "anna"])))

    for each in one.of("aws:iam/policy:Policy"):
        assert two.one("aws:iam/policy:Policy", each.name).inputs["description"] == each.inputs["description"]


@pytest.mark.parametrize(
    ("most", "more", "message"),
    [
        (
            {"policies": POLICIES[:6]},
            {"policies": POLICIES},
            "11 policies, and IAM allows 10: attach at most 6",
        ),
        (
            {"policies": POLICIES[:5], "require_mfa": True},
            {"policies": POLICIES[:6], "require_mfa": True},
            "11 policies, and IAM allows 10: attach at most 5",
        ),
        (
            {"stacks": LONG_NAMES[:15]},
            {"stacks": LONG_NAMES},
            r"would have \d+ characters, and IAM allows 6144: .*fewer stacks \(now 60\)",
        ),
        ({"members": LONG_NAMES[:30]}, {"members": LONG_NAMES * 3}, r"fewer stacks \(now 1\) or members \(now 180\)"),
        ({"rights": "scoped"}, {"rights": "scoped", "stacks": LONG_NAMES}, r"The policy for scoped-\w+ .*\(now 60\)"),
    ],
)
def test_what_is_accepted_is_within_iams_limits_and_more_is_refused(
    most: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    graph = run_program(lambda: AdminGroup("admins", args(**most)))

    assert all(len(each.inputs["policy"].replace(" ", "")) <= 6144 for each in graph.of("aws:iam/policy:Policy"))
    with pytest.raises(InvalidArgs, match=message):
        args(**more)


def test_without_mfa_everything_is_denied_except_setting_it_up() -> None:
    graph = run_program(lambda: AdminGroup("admins", args(require_mfa=True)))

    *allowed, denial, _ = graph.one("aws:iam/policy:Policy", "mfa-policy").policy()["Statement"]
    assert denial["Effect"] == "Deny"
    assert denial["Resource"] == "*"
    assert denial["Condition"] == {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    own = {action for each in allowed for action in each["Action"]}
    assert set(denial["NotAction"]) == own | {"sts:GetSessionToken", "cloudwatch:DescribeAlarms"}


def test_without_mfa_nobody_elses_credentials_can_change_whatever_other_policies_allow() -> None:
    graph = run_program(lambda: AdminGroup("admins", args(require_mfa=True)))

    own, *_, denial = graph.one("aws:iam/policy:Policy", "mfa-policy").policy()["Statement"]
    assert set(own["Action"]) - set(denial["Action"]) == {"iam:ChangePassword"}  # it always acts on the caller
    assert (denial["Effect"], denial["NotResource"]) == ("Deny", own["Resource"])
    assert denial["Condition"] == {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}


def test_scoped_rights_replace_the_documented_policies_and_no_others() -> None:
    state = "arn:aws:iam::111122223333:policy/state"

    graph = run_program(lambda: AdminGroup("admins", args(rights="scoped", policies=[*DOCUMENTED_POLICIES, state])))
    found = graph.of("aws:iam/groupPolicyAttachment:GroupPolicyAttachment")
    assert attached(graph) == set()
    assert {each.name.removeprefix("admins-") for each in found} == {
        "state",
        "tools",
        "scoped-data",
        "scoped-watch",
        "scoped-functions",
        "scoped-access",
    }


def test_each_administered_stack_has_a_boundary_of_a_fixed_name_that_nobody_is_attached_to() -> None:
    graph = run_program(lambda: AdminGroup("admins", args(rights="scoped", stacks=["dev", "anna"])))

    bounds = [each for each in graph.of("aws:iam/policy:Policy") if each.name.endswith("-boundary")]
    arns = {each.inputs["policyArn"] for each in graph.of("aws:iam/groupPolicyAttachment:GroupPolicyAttachment")}
    assert {each.inputs["name"] for each in bounds} == {"bot-dev-boundary", "bot-anna-boundary"}
    assert not any("boundary" in arn for arn in arns)
