"""The function's role: who may take it (Lambda), and what it may do (what each resource's owner hands in)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from components.policy import Statement, document, trust

DOCUMENTED_LOG_STATEMENT = Statement(
    actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    resources=["arn:aws:logs:*:*:*"],
)
"""The log right that the documented system gives its function: the default, wide enough for any log group."""


@dataclass(frozen=True, kw_only=True)
class BotRoleArgs:
    """What `BotRole` needs.

    Attributes:
        tags: Tags of the role.
        log_statement: The right to write the log; narrow it to the function's log group where that is known.
        statements: Further rights, each from the owner of the resource.
    """

    tags: Mapping[str, str]
    log_statement: Statement = DOCUMENTED_LOG_STATEMENT
    statements: Sequence[Statement] = ()


class BotRole(pulumi.ComponentResource):
    """A role that Lambda alone may take, with an inline policy for the log and one for everything else.

    Attributes:
        name: The role's name.
        arn: Its ARN; known only once its policies are in place, so that whoever takes it may already use them.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: BotRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:BotRole", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # No aws:SourceAccount condition: AWS does not document that Lambda sends it when it first takes the role.
        role = iam.Role(f"{name}-role", assume_role_policy=trust("lambda.amazonaws.com"), tags=args.tags, opts=child)
        policies = [
            iam.RolePolicy(f"{name}-log-policy", role=role.name, policy=document([args.log_statement]), opts=child)
        ]
        if args.statements:
            policies.append(
                iam.RolePolicy(f"{name}-access-policy", role=role.name, policy=document(args.statements), opts=child)
            )
        self.name = role.name
        self.arn = pulumi.Output.all(role.arn, *[policy.id for policy in policies]).apply(lambda known: str(known[0]))
        self.register_outputs({"name": self.name, "arn": self.arn})
