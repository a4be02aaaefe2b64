"""The rights that administrators need beyond the documented policies: exactly what a stack is made of."""

from collections.abc import Sequence

import pulumi

from components.policy import Statement

QUEUES = (
    "sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes",
    "sqs:ListQueueTags", "sqs:TagQueue", "sqs:UntagQueue",
    # Dead letters: an operator looks at them, sends them back, drops them.
    "sqs:ReceiveMessage", "sqs:SendMessage", "sqs:DeleteMessage",
)  # fmt: skip
TABLES = (
    "dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:DescribeTable", "dynamodb:UpdateTable",
    "dynamodb:DescribeTimeToLive", "dynamodb:UpdateTimeToLive",
    "dynamodb:DescribeContinuousBackups", "dynamodb:UpdateContinuousBackups",
    "dynamodb:ListTagsOfResource", "dynamodb:TagResource", "dynamodb:UntagResource",
    # Redriving resets what the ledger says of an event; a user may ask to be forgotten.
    "dynamodb:GetItem", "dynamodb:Scan", "dynamodb:UpdateItem", "dynamodb:DeleteItem",
)  # fmt: skip
PARAMETERS = (
    "ssm:PutParameter", "ssm:DeleteParameter", "ssm:GetParameter",
    "ssm:ListTagsForResource", "ssm:AddTagsToResource", "ssm:RemoveTagsFromResource",
)  # fmt: skip
LOG_GROUPS = (
    "logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:PutRetentionPolicy",
    "logs:ListTagsForResource", "logs:TagResource", "logs:UntagResource",
    "logs:PutMetricFilter", "logs:DeleteMetricFilter", "logs:DescribeMetricFilters",
    # The documented policies let administrators read logs below /aws/lambda/ only.
    "logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents",
)  # fmt: skip
ALARMS = (
    "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms",
    "cloudwatch:ListTagsForResource", "cloudwatch:TagResource", "cloudwatch:UntagResource",
)  # fmt: skip
TOPICS = (
    "sns:CreateTopic", "sns:DeleteTopic", "sns:GetTopicAttributes", "sns:SetTopicAttributes",
    "sns:ListTagsForResource", "sns:TagResource", "sns:UntagResource", "sns:Subscribe",
)  # fmt: skip
ANY_RESOURCE_DATA = ("ssm:DescribeParameters",)
ANY_RESOURCE_WATCH = (
    "cloudwatch:DescribeAlarms", "logs:DescribeLogGroups",
    # A subscription has no resource type of its own in IAM (Service Authorization Reference, "Amazon SNS").
    "sns:GetSubscriptionAttributes", "sns:Unsubscribe",
)  # fmt: skip


def admin_policies(
    name_prefixes: Sequence[str], region: pulumi.Input[str], account_id: pulumi.Input[str]
) -> dict[str, list[Statement]]:
    """Title → statements of each customer-managed policy of the administrators.

    Args:
        name_prefixes: What names start with, such as `innolab-fbm-dev-`.
        region: Where all of it is.
        account_id: Whose it is.
    """

    def arns(service: str, before_name: str) -> list[pulumi.Input[str]]:
        if isinstance(region, str) and isinstance(account_id, str):
            return [f"arn:aws:{service}:{region}:{account_id}:{before_name}{prefix}*" for prefix in name_prefixes]
        return [
            pulumi.Output.concat("arn:aws:", service, ":", region, ":", account_id, ":", before_name, prefix, "*")
            for prefix in name_prefixes
        ]

    return {
        "data": [
            Statement(sid="Queues", actions=QUEUES, resources=arns("sqs", "")),
            Statement(sid="Tables", actions=TABLES, resources=arns("dynamodb", "table/")),
            Statement(sid="Parameters", actions=PARAMETERS, resources=arns("ssm", "parameter/")),
            Statement(sid="AnyResource", actions=ANY_RESOURCE_DATA, resources=["*"]),
        ],
        "watch": [
            Statement(sid="LogGroups", actions=LOG_GROUPS, resources=arns("logs", "log-group:")),
            Statement(sid="Alarms", actions=ALARMS, resources=arns("cloudwatch", "alarm:")),
            Statement(sid="Topics", actions=TOPICS, resources=arns("sns", "")),
            Statement(sid="AnyResource", actions=ANY_RESOURCE_WATCH, resources=["*"]),
        ],
    }
