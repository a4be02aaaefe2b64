"""The administrators: the documented policies, our own within IAM's limits, and members who keep their groups."""

from collections.abc import Sequence
from typing import Literal

import pytest

from components.admin_group import DOCUMENTED_POLICIES, AdminGroup, AdminGroupArgs, policy_arns
from components.errors import InvalidArgs
from components.policy import Account
from tests.harness import Graph, project_defaults, run_program
from tests.policies import statements

ACCOUNT = Account(partition="aws", region="eu-central-1", account_id="111122223333")
BUCKET = "arn:aws:s3:::bot-state-111122223333-eu-central-1"
GROUP = "arn:aws:iam::111122223333:group/Innolab_FBM"


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


def test_the_group_has_the_documented_five() -> None:
    graph = run_program(lambda: AdminGroup("admins", args()))

    assert attached(graph) == {
        "arn:aws:iam::aws:policy/AWSLambda_FullAccess",
        "arn:aws:iam::aws:policy/IAMFullAccess",
        "arn:aws:iam::aws:policy/AmazonAPIGatewayInvokeFullAccess",
        "arn:aws:iam::aws:policy/AmazonAPIGatewayAdministrator",
        "arn:aws:iam::aws:policy/AmazonLexFullAccess",
    }


def test_the_documented_five_are_the_projects_default() -> None:
    assert tuple(project_defaults()["adminPolicies"]) == DOCUMENTED_POLICIES


def test_a_documented_policy_can_be_left_out() -> None:
    graph = run_program(lambda: AdminGroup("admins", args(policies=["AWSLambda_FullAccess"])))

    assert attached(graph) == {"arn:aws:iam::aws:policy/AWSLambda_FullAccess"}
    assert len(graph.of("aws:iam/policy:Policy")) == 4


def test_a_retired_policy_and_its_successor_are_one() -> None:
    assert policy_arns(["AWSLambdaFullAccess", "AWSLambda_FullAccess"], ACCOUNT) == {
        "AWSLambda_FullAccess": "arn:aws:iam::aws:policy/AWSLambda_FullAccess"
    }


def test_a_policy_can_be_named_by_its_arn() -> None:
    arn = "arn:aws:iam::111122223333:policy/team/Readers"

    assert policy_arns([arn], ACCOUNT) == {"Readers": arn}


def test_members_are_added_one_by_one_and_nobody_is_removed() -> None:
    graph = run_program(lambda: AdminGroup("admins", args(members=["anna", "ben"])))

    members = graph.of("aws:iam/userGroupMembership:UserGroupMembership")
    assert {(each.inputs["user"], *each.inputs["groups"]) for each in members} == {
        ("anna", "Innolab_FBM"),
        ("ben", "Innolab_FBM"),
    }
    assert not graph.of("aws:iam/groupMembership:GroupMembership")


def test_every_own_policy_is_attached() -> None:
    graph = run_program(lambda: AdminGroup("admins", args()))

    own = {f"arn:aws:iam::111122223333:policy/{each.name}-1a2b3c4" for each in graph.of("aws:iam/policy:Policy")}
    found = graph.of("aws:iam/groupPolicyAttachment:GroupPolicyAttachment")
    assert own == {each.inputs["policyArn"] for each in found} - attached(graph)


def test_permissions_cover_each_prefix_and_nothing_else() -> None:
    graph = run_program(lambda: AdminGroup("admins", args(stacks=["dev", "anna"])))

    found = {
        resource
        for each in graph.of("aws:iam/policy:Policy")
        for _, resources in statements(each.policy())
        for resource in resources
    }
    start = "eu-central-1:111122223333"
    state = {
        f"{BUCKET}/{file}"
        for stack in ("dev", "anna")
        for file in (f".pulumi/stacks/bot/{stack}.*", f".pulumi/*/bot/{stack}/*")
    }
    login = "arn:aws:signin:*:111122223333:oauth2/public-client/*"
    shared = {login, BUCKET, f"{BUCKET}/.pulumi/meta.yaml", "arn:aws:kms:eu-central-1:111122223333:key/*"}
    assert found == {"*", GROUP} | state | shared | {
        f"arn:aws:{service}:{start}:{before}{prefix}*"
        for prefix in ("bot-dev-", "bot-anna-")
        for service, before in (
            ("sqs", ""),
            ("sns", ""),
            ("dynamodb", "table/"),
            ("ssm", "parameter/"),
            ("logs", "log-group:"),
            ("cloudwatch", "alarm:"),
            ("scheduler", "schedule/default/"),
        )
    } | {
        f"arn:aws:{each}-*"
        for name in ("dev", "anna")
        for each in (f"cloudwatch::111122223333:dashboard/bot-{name}", f"iam::111122223333:role/bot-{name}")
    }


def test_members_may_read_what_a_refresh_reads_of_their_group_and_of_nobody_else() -> None:
    graph = run_program(lambda: AdminGroup("admins", args(members=["anna", "ben"])))

    watch = graph.one("aws:iam/policy:Policy", "watch-policy").policy()["Statement"]
    assert {
        each["Sid"]: (each["Action"], each["Resource"]) for each in watch if each["Sid"] in {"Group", "Members"}
    } == {
        "Group": (["iam:GetGroup", "iam:ListAttachedGroupPolicies"], GROUP),
        "Members": (["iam:ListGroupsForUser"], [f"arn:aws:iam::111122223333:user/{name}" for name in ("anna", "ben")]),
    }


def test_more_members_than_a_policy_can_name_are_refused() -> None:
    assert args(members=[f"{'x' * 62}{n:02}" for n in range(30)])
    with pytest.raises(InvalidArgs, match=r"fewer stacks \(now 1\) or members \(now 60\)"):
        args(members=[f"{'x' * 62}{n:02}" for n in range(60)])


def test_another_stack_does_not_replace_a_policy() -> None:
    """IAM cannot change a description: a policy with another one would be replaced."""
    one = run_program(lambda: AdminGroup("admins", args(stacks=["dev"])))
    two = run_program(lambda: AdminGroup("admins", args(stacks=["dev", "anna"])))

    for each in one.of("aws:iam/policy:Policy"):
        assert two.one("aws:iam/policy:Policy", each.name).inputs["description"] == each.inputs["description"]


def test_more_policies_than_a_group_can_have_are_refused() -> None:
    assert args(policies=[f"Policy{n}" for n in range(6)])
    with pytest.raises(InvalidArgs, match="would have 11 policies, and IAM allows 10: attach at most 6"):
        args(policies=[f"Policy{n}" for n in range(7)])


def test_more_stacks_than_a_policy_can_name_are_refused() -> None:
    stacks = [f"{'x' * 22}{n:02}" for n in range(40)]

    assert args(stacks=stacks[:15])
    with pytest.raises(InvalidArgs, match=r"would have \d+ characters, and IAM allows 6144: .*\(now 40\)"):
        args(stacks=stacks)


def test_a_policy_that_is_accepted_is_within_iams_limit() -> None:
    stacks = [f"{'x' * 22}{n:02}" for n in range(15)]

    graph = run_program(lambda: AdminGroup("admins", args(stacks=stacks)))

    assert all(len(each.inputs["policy"].replace(" ", "")) <= 6144 for each in graph.of("aws:iam/policy:Policy"))


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


def test_a_member_sets_up_only_their_own_credentials() -> None:
    graph = run_program(lambda: AdminGroup("admins", args(require_mfa=True)))

    found = {
        resource
        for _, each in statements(graph.one("aws:iam/policy:Policy", "mfa-policy").policy())
        for resource in each
    }
    start = "arn:aws:iam::111122223333"
    assert found == {f"{start}:user/${{aws:username}}", f"{start}:mfa/*", "*"}


def test_mfa_uses_up_one_of_the_policies_of_a_group() -> None:
    assert args(policies=[f"Policy{n}" for n in range(5)], require_mfa=True)
    with pytest.raises(InvalidArgs, match="would have 11 policies, and IAM allows 10: attach at most 5"):
        args(policies=[f"Policy{n}" for n in range(6)], require_mfa=True)


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


def test_scoped_rights_work_with_mfa() -> None:
    graph = run_program(lambda: AdminGroup("admins", args(rights="scoped", require_mfa=True)))

    assert graph.one("aws:iam/policy:Policy", "mfa-policy").policy()["Statement"][3]["Effect"] == "Deny"


def test_more_stacks_than_scoped_policies_can_name_are_refused() -> None:
    with pytest.raises(InvalidArgs, match=r"The policy for scoped-\w+ .* name fewer stacks \(now 20\)"):
        args(rights="scoped", stacks=[f"stack-{number}" for number in range(20)])
