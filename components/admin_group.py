"""The administrators: a group, the documented policies, and permissions for everything else that a stack holds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_aws import iam

from components.admin_policies import admin_policies, group_statements, login_statement, mfa_policy
from components.errors import require
from components.policy import VERSION, Account, Statement, document
from components.pulumi_state import creating_state, keeping_state
from components.scoped_policies import Scope, boundary, boundary_name, by_service, operating, reading, writing

DOCUMENTED_POLICIES = (
    "AWSLambda_FullAccess",
    "IAMFullAccess",
    "AmazonAPIGatewayInvokeFullAccess",
    "AmazonAPIGatewayAdministrator",
    "AmazonLexFullAccess",
)
"""What the documented system gives its administrators; the first under the name of its successor."""

RETIRED = {"AWSLambdaFullAccess": "AWSLambda_FullAccess"}
"""Retired policy → successor. A retired policy cannot be attached (Lambda Developer Guide, "AWS managed policies")."""

DESCRIPTIONS = {
    "documented": "What administrators of a bot need beyond the documented policies.",
    "scoped": "What administrators of a bot may do.",
}

# IAM User Guide, "IAM and AWS STS quotas". AWS does not count white space in a policy.
POLICIES_PER_GROUP = 10
POLICY_CHARACTERS = 6144
NAME_CHARACTER = "[A-Za-z0-9_+=,.@-]"
USER_NAME = f"{NAME_CHARACTER}{{1,64}}"
GROUP_NAME = f"{NAME_CHARACTER}{{1,128}}"
POLICY = rf"{NAME_CHARACTER}{{1,128}}|arn:aws[a-z-]{{0,20}}:iam::(aws|[0-9]{{12}}):policy/[A-Za-z0-9_+=,.@/-]{{1,512}}"

# The longest of each, to count a policy's characters before the real ones are known.
LONGEST = Account(partition="aws-us-gov", region="ap-southeast-99", account_id="000000000000")


@dataclass(frozen=True, kw_only=True)
class AdminGroupArgs:
    """What `AdminGroup` needs.

    Attributes:
        group_name: The group's name; groups are account-wide and people know it by this name.
        members: IAM user names that exist. Their other groups stay.
        project: The project's name. The names of all administered resources start with `<project>-<stack>-`.
        stacks: The administered stacks.
        account: Where these resources and the group are.
        rights: `documented`: the managed policies, and ours for what they leave out. `scoped`: ours in place of the
            documented ones, for exactly what the stacks need, and a boundary for the roles of each stack.
        managed_policies: AWS-managed policies by name, or any policy by ARN.
        require_mfa: In a session without MFA, are members limited to reading alarms and setting up their credentials?

    Raises:
        InvalidArgs: If the policies are too many for a group or one is too long for IAM.
    """

    group_name: str
    members: Sequence[str]
    project: str
    stacks: Sequence[str]
    account: Account
    rights: Literal["documented", "scoped"] = "documented"
    managed_policies: Sequence[str] = DOCUMENTED_POLICIES
    require_mfa: bool = False

    def __post_init__(self) -> None:
        own = self.own_policies(LONGEST)
        attached = len(self.managed_policy_arns(LONGEST)) + len(own)
        require(
            attached <= POLICIES_PER_GROUP,
            f"The group {self.group_name} would have {attached} policies, and IAM allows {POLICIES_PER_GROUP}: "
            f"attach at most {POLICIES_PER_GROUP - len(own)} managed policies.",
        )
        for title, statements in own.items():
            plain = {"Version": VERSION, "Statement": [each.as_dict() for each in statements]}
            size = len(json.dumps(plain, separators=(",", ":")))
            require(
                size <= POLICY_CHARACTERS,
                f"The policy for {title} of the group {self.group_name} would have {size} characters, and IAM allows "
                f"{POLICY_CHARACTERS}: name fewer stacks (now {len(self.stacks)}) or members (now "
                f"{len(self.members)}).",
            )

    def managed_policy_arns(self, account: Account) -> dict[str, pulumi.Input[str]]:
        """Name → ARN of each managed policy that is attached.

        Args:
            account: Where it is attached.
        """
        arns = policy_arns(self.managed_policies, account)
        left_out = DOCUMENTED_POLICIES if self.rights == "scoped" else ()
        return {name: arn for name, arn in arns.items() if name not in left_out}

    def own_policies(self, account: Account) -> dict[str, list[Statement]]:
        """Title → statements of each customer-managed policy.

        Args:
            account: Where the administered resources and the group are.
        """
        group = group_statements(self.group_name, self.members, account)
        scope = Scope(project=self.project, stacks=self.stacks, account=account)
        if self.rights == "scoped":
            policies = by_service([*reading(scope), *writing(scope), *operating(scope), *group])
        else:
            policies = admin_policies([f"{self.project}-{stack}-" for stack in self.stacks], group, account)
        policies["tools"] = [login_statement(account), *keeping_state(scope), *creating_state(scope)]
        return policies | mfa_policy(account) if self.require_mfa else policies


def policy_arns(names: Sequence[str], account: Account) -> dict[str, pulumi.Input[str]]:
    """Name → ARN of each policy, retired names replaced by their successors, each once.

    Args:
        names: Names of AWS-managed policies, or ARNs.
        account: Where they are attached.
    """
    current = dict.fromkeys(RETIRED.get(name, name) for name in names)
    return {
        name.rpartition("/")[2]: name if name.startswith("arn:") else account.managed_policy_arn(name)
        for name in current
    }


class AdminGroup(pulumi.ComponentResource):
    """The group with its policies and members.

    Attributes:
        name: The group's name.
    """

    name: pulumi.Output[str]

    def __init__(self, name: str, args: AdminGroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:AdminGroup", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        for old in RETIRED.keys() & set(args.managed_policies):
            pulumi.log.warn(f"AWS retired the policy {old}: {RETIRED[old]}, its successor, is attached instead.", self)
        group = iam.Group(f"{name}-group", name=args.group_name, opts=child)

        def attach(title: str, arn: pulumi.Input[str]) -> None:
            iam.GroupPolicyAttachment(f"{name}-{title}", group=group.name, policy_arn=arn, opts=child)

        for title, arn in args.managed_policy_arns(args.account).items():
            attach(title, arn)
        for title, statements in args.own_policies(args.account).items():
            policy = iam.Policy(
                f"{name}-{title}-policy",
                # Without the stacks' names: a changed description makes IAM replace the policy.
                description=DESCRIPTIONS[args.rights],
                policy=document(statements),
                opts=child,
            )
            attach(title, policy.arn)
        for stack in args.stacks if args.rights == "scoped" else ():
            iam.Policy(
                f"{name}-{stack}-boundary",
                name=boundary_name(args.project, stack),
                description="The most that the roles of a bot's stack may be allowed.",
                policy=document(boundary(args.project, stack, args.account)),
                opts=child,
            )
        for member in args.members:
            # Not GroupMembership: it would remove everybody else from the group.
            iam.UserGroupMembership(f"{name}-member-{member}", user=member, groups=[group.name], opts=child)
        self.name = group.name
        self.register_outputs({"name": self.name})
