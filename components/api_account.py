"""What API Gateway needs once per account and region to write access logs: a role, and the setting that names it."""

import pulumi
from pulumi_aws import apigateway, iam

from components.policy import Statement, actions, document, trust

PUSH_STATEMENT = Statement(
    actions=actions(
        "logs",
        "CreateLogGroup CreateLogStream DescribeLogGroups DescribeLogStreams PutLogEvents GetLogEvents FilterLogEvents",
    ),
    resources=["*"],
)
"""As in AWS's own policy AmazonAPIGatewayPushToCloudWatchLogs: API Gateway refuses a role with fewer permissions."""


class ApiAccount(pulumi.ComponentResource):
    """The account's CloudWatch role for API Gateway.

    Its resources stay when the stack is destroyed, because all APIs of the account and region share them.
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:ApiAccount", name, None, opts)
        kept = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        role = iam.Role(f"{name}-role", assume_role_policy=trust("apigateway.amazonaws.com"), opts=kept)
        policy = iam.RolePolicy(f"{name}-policy", role=role.name, policy=document([PUSH_STATEMENT]), opts=kept)
        apigateway.Account(
            f"{name}-account",
            # API Gateway tries the role at once, so the policy must already be there.
            cloudwatch_role_arn=pulumi.Output.all(role.arn, policy.id).apply(lambda known: str(known[0])),
            opts=kept,
        )
        self.register_outputs({})
