"""The function's role: Lambda assumes it, and the owner of each resource passes in the statements for that resource."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from components.policy import Statement, document, trust

DOCUMENTED_LOG_STATEMENT = Statement(
    actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    resources=["arn:aws:logs:*:*:*"],
)
"""The log statement of the documented system, word for word: the default, wide enough for any log group of `aws`."""


@dataclass(frozen=True, kw_only=True)
class BotRoleArgs:
    """What `BotRole` needs.

    Attributes:
        log_statement: Permission to write the log; narrow it to the function's log group where that is known.
        statements: Further permissions, each from the owner of the resource.
        permissions_boundary: The ARN of the policy that bounds what the role may do; None for no bound.
    """

    log_statement: Statement = DOCUMENTED_LOG_STATEMENT
    statements: Sequence[Statement] = ()
    permissions_boundary: pulumi.Input[str] | None = None


class BotRole(pulumi.ComponentResource):
    """A role that only Lambda may assume, with one inline policy for the log and one for everything else.

    Attributes:
        name: The role's name.
        arn: Its ARN; known only once its policies are in place, so that whatever assumes it may already use them.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: BotRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:BotRole", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # No aws:SourceAccount condition: AWS does not document that Lambda sends it when it first assumes the role.
        role = iam.Role(
            f"{name}-role",
            assume_role_policy=trust("lambda.amazonaws.com"),
            permissions_boundary=args.permissions_boundary,
            opts=child,
        )
        statements = {"log": [args.log_statement], "access": args.statements}
        policies = [
            iam.RolePolicy(f"{name}-{title}-policy", role=role.name, policy=document(each), opts=child)
            for title, each in statements.items()
            if each
        ]
        self.name = role.name
        self.arn = pulumi.Output.all(role.arn, *[policy.id for policy in policies]).apply(lambda known: str(known[0]))
        self.register_outputs({"name": self.name, "arn": self.arn})
