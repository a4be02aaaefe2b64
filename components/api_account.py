"""What an account needs once so that API Gateway may write access logs: a role, and the setting that names it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import apigateway, iam

from components.policy import Statement, document, trust

PUSH_STATEMENT = Statement(
    actions=[
        "logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams",
        "logs:PutLogEvents", "logs:GetLogEvents", "logs:FilterLogEvents",
    ],
    resources=["*"],
)  # fmt: skip
"""As AWS's own policy AmazonAPIGatewayPushToCloudWatchLogs has it: API Gateway refuses a role with less."""


@dataclass(frozen=True, kw_only=True)
class ApiAccountArgs:
    """What `ApiAccount` needs.

    Attributes:
        tags: Tags of the role.
    """

    tags: Mapping[str, str]


class ApiAccount(pulumi.ComponentResource):
    """The account-wide CloudWatch role of API Gateway.

    Everything here stays when the stack goes: all APIs of the account and region share it.
    """

    def __init__(self, name: str, args: ApiAccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:ApiAccount", name, None, opts)
        kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        role = iam.Role(f"{name}-role", assume_role_policy=trust("apigateway.amazonaws.com"), tags=args.tags, opts=kept)
        policy = iam.RolePolicy(f"{name}-policy", role=role.name, policy=document([PUSH_STATEMENT]), opts=kept)
        apigateway.Account(
            f"{name}-account",
            # API Gateway tries the role at once, so the policy must be there before.
            cloudwatch_role_arn=pulumi.Output.all(role.arn, policy.id).apply(lambda known: str(known[0])),
            opts=kept,
        )
        self.register_outputs({})
