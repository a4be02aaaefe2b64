"""The rights that administrators need beyond the documented policies: exactly what a stack is made of."""

from collections.abc import Sequence

import pulumi

from components.policy import Statement

QUEUES = (
    "sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes",
    "sqs:ListQueueTags", "sqs:TagQueue", "sqs:UntagQueue",
    # Dead letters: an operator looks at them, sends them back, drops them.
    "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:SendMessage", "sqs:DeleteMessage",
)  # fmt: skip
TABLES = (
    "dynamodb:CreateTable", "dynamodb:DeleteTable", "dynamodb:DescribeTable", "dynamodb:UpdateTable",
    "dynamodb:DescribeTimeToLive", "dynamodb:UpdateTimeToLive",
    "dynamodb:DescribeContinuousBackups", "dynamodb:UpdateContinuousBackups",
    "dynamodb:ListTagsOfResource", "dynamodb:TagResource", "dynamodb:UntagResource",
    # Redriving resets what the ledger says of an event; a user may ask to be forgotten.
    "dynamodb:BatchGetItem", "dynamodb:Scan", "dynamodb:UpdateItem", "dynamodb:DeleteItem",
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
# What a member does for themself before they have a session with MFA. IAM User Guide, "Allows MFA-authenticated IAM
# users to manage their own credentials on the Security credentials page".
OWN_CREDENTIALS = (
    "iam:GetUser", "iam:ChangePassword",
    "iam:ListAccessKeys", "iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey",
    "iam:ListMFADevices", "iam:EnableMFADevice", "iam:ResyncMFADevice",
)  # fmt: skip
OWN_DEVICES = ("iam:CreateVirtualMFADevice",)
PASSWORD_RULES = ("iam:GetAccountPasswordPolicy",)
# And what other policies, or AWS itself, allow: to see whether something is wrong, and to begin a session with MFA;
# never what holds a secret or what somebody wrote.
STILL_ALLOWED = ("cloudwatch:DescribeAlarms", "sts:GetSessionToken")


def admin_policies(
    name_prefixes: Sequence[str], region: pulumi.Input[str], account_id: pulumi.Input[str], *, with_mfa_only: bool
) -> dict[str, list[Statement]]:
    """Title → statements of each customer-managed policy of the administrators.

    Args:
        name_prefixes: What names start with, such as `innolab-fbm-dev-`.
        region: Where all of it is.
        account_id: Whose it is.
        with_mfa_only: Whether a session that began without MFA may do next to nothing.
    """

    def arns(service: str, before_name: str) -> list[pulumi.Input[str]]:
        if isinstance(region, str) and isinstance(account_id, str):
            return [f"arn:aws:{service}:{region}:{account_id}:{before_name}{prefix}*" for prefix in name_prefixes]
        return [
            pulumi.Output.concat("arn:aws:", service, ":", region, ":", account_id, ":", before_name, prefix, "*")
            for prefix in name_prefixes
        ]

    policies = {
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
    return policies | ({"mfa": mfa_statements(account_id)} if with_mfa_only else {})


def mfa_statements(account_id: pulumi.Input[str]) -> list[Statement]:
    """Let a member set up their own credentials, and deny all else in a session that began without MFA.

    A member calls AWS with a session: `aws sts get-session-token --serial-number ARN --token-code CODE`.

    Args:
        account_id: Whose users they are.
    """

    def arn(rest: str) -> pulumi.Input[str]:
        if isinstance(account_id, str):
            return f"arn:aws:iam::{account_id}:{rest}"
        return pulumi.Output.concat("arn:aws:iam::", account_id, ":", rest)

    own = {OWN_CREDENTIALS: arn("user/${aws:username}"), OWN_DEVICES: arn("mfa/*")}
    # IfExists: an access key by itself says nothing of MFA at all.
    without_mfa = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    return [
        Statement(sid="OwnCredentials", actions=OWN_CREDENTIALS, resources=[own[OWN_CREDENTIALS]]),
        # Who names a device does so freely; it opens nothing before its owner enables it.
        Statement(sid="OwnDevices", actions=OWN_DEVICES, resources=[own[OWN_DEVICES]]),
        Statement(sid="PasswordRules", actions=PASSWORD_RULES, resources=["*"]),
        Statement(
            sid="NothingElseWithoutMfa", effect="Deny", conditions=without_mfa,
            actions_are="NotAction", actions=[*OWN_CREDENTIALS, *OWN_DEVICES, *PASSWORD_RULES, *STILL_ALLOWED],
            resources=["*"],
        ),
        # Or IAMFullAccess would let them make a key of somebody else's.
        Statement(
            sid="NobodyElsesWithoutMfa", effect="Deny", conditions=without_mfa,
            actions=[each for each in OWN_CREDENTIALS if each != "iam:ChangePassword"],  # which is about oneself only
            resources_are="NotResource", resources=[own[OWN_CREDENTIALS]],
        ),
    ]  # fmt: skip
