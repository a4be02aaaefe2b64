"""The statements that administrators need beyond the documented policies: exactly what a stack is made of."""

from collections.abc import Sequence

import pulumi

from components.policy import Account, Statement, actions, joined

QUEUES = (
    *actions("sqs", "CreateQueue DeleteQueue GetQueueAttributes SetQueueAttributes"),
    *actions("sqs", "ListQueueTags TagQueue UntagQueue"),
    # Operators look at dead letters, send them back and delete them.
    *actions("sqs", "ReceiveMessage ChangeMessageVisibility SendMessage DeleteMessage"),
)
TABLES = (
    *actions("dynamodb", "CreateTable DeleteTable DescribeTable UpdateTable"),
    *actions("dynamodb", "DescribeTimeToLive UpdateTimeToLive DescribeContinuousBackups UpdateContinuousBackups"),
    *actions("dynamodb", "ListTagsOfResource TagResource UntagResource"),
    # A redrive resets what the ledger says of an event, and a user may ask to be forgotten.
    *actions("dynamodb", "BatchGetItem Scan UpdateItem DeleteItem"),
)
PARAMETERS = (
    *actions("ssm", "PutParameter DeleteParameter GetParameter"),
    *actions("ssm", "ListTagsForResource AddTagsToResource RemoveTagsFromResource"),
)
LOG_GROUPS = (
    *actions("logs", "CreateLogGroup DeleteLogGroup PutRetentionPolicy ListTagsForResource TagResource UntagResource"),
    *actions("logs", "PutMetricFilter DeleteMetricFilter DescribeMetricFilters"),
    # The documented policies let administrators read only the logs below /aws/lambda/.
    *actions("logs", "DescribeLogStreams FilterLogEvents GetLogEvents"),
)
ALARMS = actions(
    "cloudwatch", "PutMetricAlarm PutCompositeAlarm DeleteAlarms ListTagsForResource TagResource UntagResource"
)
DASHBOARDS = actions("cloudwatch", "PutDashboard GetDashboard DeleteDashboards")
SCHEDULES = actions("scheduler", "CreateSchedule GetSchedule UpdateSchedule DeleteSchedule")
SCHEDULED_CALLS = ("iam:PassRole",)
TOPICS = (
    *actions("sns", "CreateTopic DeleteTopic GetTopicAttributes SetTopicAttributes Subscribe"),
    *actions("sns", "ListTagsForResource TagResource UntagResource"),
)
# Of the documented policies, only IAMFullAccess allows reading the group itself.
GROUP = actions("iam", "GetGroup ListAttachedGroupPolicies")
MEMBERS = ("iam:ListGroupsForUser",)
ANY_RESOURCE_DATA = ("ssm:DescribeParameters",)
ANY_RESOURCE_WATCH = (
    "cloudwatch:DescribeAlarms",
    "logs:DescribeLogGroups",
    # A subscription has no resource type of its own in IAM (Service Authorization Reference, "Amazon SNS").
    "sns:GetSubscriptionAttributes",
    "sns:Unsubscribe",
)
# What members do for themselves before they have a session with MFA. IAM User Guide, "Allows MFA-authenticated IAM
# users to manage their own credentials on the Security credentials page".
OWN_CREDENTIALS = (
    *actions("iam", "GetUser ChangePassword ListAccessKeys CreateAccessKey UpdateAccessKey DeleteAccessKey"),
    *actions("iam", "ListMFADevices EnableMFADevice ResyncMFADevice"),
)
OWN_DEVICES = ("iam:CreateVirtualMFADevice",)
PASSWORD_RULES = ("iam:GetAccountPasswordPolicy",)
LOG_IN = actions("signin", "AuthorizeOAuth2Access CreateOAuth2Token")
# What other policies, or AWS itself, allow and MFA does not guard: seeing whether something is wrong, and starting a
# session with MFA. Never anything that holds a secret or what somebody wrote.
STILL_ALLOWED = ("cloudwatch:DescribeAlarms", "sts:GetSessionToken")


def group_statements(group_name: str, members: Sequence[str], account: Account) -> list[Statement]:
    """What `pulumi refresh` reads of the administrators' own group.

    Args:
        group_name: The administrators' group.
        members: IAM user names.
        account: Where they are.
    """
    group = [Statement(sid="Group", actions=GROUP, resources=[account.iam_arn(f"group/{group_name}")])]
    if members:
        users = [account.iam_arn(f"user/{member}") for member in members]
        group.append(Statement(sid="Members", actions=MEMBERS, resources=users))
    return group


def admin_policies(
    name_prefixes: Sequence[str], group: Sequence[Statement], account: Account
) -> dict[str, list[Statement]]:
    """Title → statements of each customer-managed policy of administrators with the documented policies.

    Args:
        name_prefixes: What the names of administered resources start with, such as `innolab-fbm-dev-`.
        group: The statements about their group.
        account: Where the resources are.
    """

    def arns(service: str, before_name: str) -> list[pulumi.Input[str]]:
        return [account.arn(service, f"{before_name}{prefix}*") for prefix in name_prefixes]

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
            *group,
        ],
        # In a policy of its own: with many stacks, the others are about as long as IAM allows.
        "upkeep": [
            Statement(
                sid="Dashboards",
                actions=DASHBOARDS,
                resources=[account.global_arn("cloudwatch", f"dashboard/{prefix}*") for prefix in name_prefixes],
            ),
            Statement(sid="Schedules", actions=SCHEDULES, resources=arns("scheduler", "schedule/default/")),
            # Only a role that trusts Scheduler is of use to it.
            Statement(
                sid="ScheduledCalls",
                actions=SCHEDULED_CALLS,
                resources=[account.iam_arn(f"role/{prefix}*") for prefix in name_prefixes],
                conditions={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
            ),
        ],
    }


def login_statement(account: Account) -> Statement:
    """Permission to use the AWS CLI and Pulumi with a login in the browser, `aws login`, instead of an access key.

    As in AWS's own policy SignInLocalDevelopmentAccess, for this account.

    Args:
        account: The members' account.
    """
    clients = joined("arn:", account.partition, ":signin:*:", account.account_id, ":oauth2/public-client/*")
    return Statement(sid="LogIn", actions=LOG_IN, resources=[clients])


def mfa_policy(account: Account) -> dict[str, list[Statement]]:
    """Title → statements of the policy that lets members do almost nothing without MFA but set up their credentials.

    A member calls AWS with a session: `aws sts get-session-token --serial-number ARN --token-code CODE`.

    Args:
        account: The members' account.
    """
    own_user = account.iam_arn("user/${aws:username}")
    # IfExists: a plain access key does not mention MFA at all.
    without_mfa = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    return {
        "mfa": [
            Statement(sid="OwnCredentials", actions=OWN_CREDENTIALS, resources=[own_user]),
            # Members name their device freely. A device opens nothing before its owner enables it.
            Statement(sid="OwnDevices", actions=OWN_DEVICES, resources=[account.iam_arn("mfa/*")]),
            Statement(sid="PasswordRules", actions=PASSWORD_RULES, resources=["*"]),
            Statement(
                sid="NothingElseWithoutMfa",
                effect="Deny",
                conditions=without_mfa,
                actions_are="NotAction",
                actions=[*OWN_CREDENTIALS, *OWN_DEVICES, *PASSWORD_RULES, *STILL_ALLOWED],
                resources=["*"],
            ),
            # Otherwise IAMFullAccess would let a member create an access key for somebody else.
            Statement(
                sid="NobodyElsesWithoutMfa",
                effect="Deny",
                conditions=without_mfa,
                # ChangePassword always acts on the caller.
                actions=[each for each in OWN_CREDENTIALS if each != "iam:ChangePassword"],
                resources_are="NotResource",
                resources=[own_user],
            ),
        ]
    }
