"""Scoped rights: exactly what it takes to keep some stacks, and no way to get more.

Everything is narrowed to the names of the stacks, or to their tags where AWS chooses the name. Whoever has these rights
may create roles, but only with the stack's *boundary*: a policy that they cannot change, and that allows a role no more
than the bot needs in its own stack.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pulumi

from components.policy import Account, Statement, actions, joined

# Calls of Pulumi's AWS provider (`sandbox/provider/facts.json`), service by service: to read, and to create, change and
# delete what a stack holds.
READ_QUEUES = actions("sqs", "GetQueueAttributes ListQueueTags")
READ_TABLES = actions("dynamodb", "DescribeTable DescribeTimeToLive DescribeContinuousBackups ListTagsOfResource")
READ_PARAMETERS = actions("ssm", "GetParameter ListTagsForResource")
READ_LOG_GROUPS = actions("logs", "ListTagsForResource DescribeMetricFilters")
READ_ALARMS = actions("cloudwatch", "ListTagsForResource")
READ_DASHBOARDS = actions("cloudwatch", "GetDashboard")
READ_SCHEDULES = actions("scheduler", "GetSchedule")
READ_TOPICS = actions("sns", "GetTopicAttributes ListTagsForResource")
READ_FUNCTIONS = actions("lambda", "GetFunction ListVersionsByFunction GetAlias GetFunctionCodeSigningConfig GetPolicy")
READ_MAPPINGS = actions("lambda", "GetEventSourceMapping")
READ_MAPPING_TAGS = actions("lambda", "ListTags")
READ_APIS = actions("apigateway", "GET")
READ_ROLES = actions("iam", "GetRole ListRolePolicies GetRolePolicy ListAttachedRolePolicies")
READ_POLICIES = actions("iam", "GetPolicy GetPolicyVersion")
# AWS narrows these to nothing (Service Authorization Reference, 2026-11-25): they read names and settings.
READ_ANYTHING = (
    "ssm:DescribeParameters",
    "logs:DescribeLogGroups",
    "cloudwatch:DescribeAlarms",
    "sns:GetSubscriptionAttributes",
)

WRITE_QUEUES = actions("sqs", "CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue")
WRITE_TABLES = actions(
    "dynamodb",
    "CreateTable DeleteTable UpdateTable UpdateTimeToLive UpdateContinuousBackups TagResource UntagResource",
)
WRITE_PARAMETERS = actions("ssm", "PutParameter DeleteParameter AddTagsToResource RemoveTagsFromResource")
WRITE_LOG_GROUPS = actions(
    "logs",
    "CreateLogGroup DeleteLogGroup PutRetentionPolicy PutMetricFilter DeleteMetricFilter TagResource UntagResource",
)
WRITE_ALARMS = actions("cloudwatch", "PutMetricAlarm PutCompositeAlarm DeleteAlarms TagResource UntagResource")
WRITE_DASHBOARDS = actions("cloudwatch", "PutDashboard DeleteDashboards")
WRITE_SCHEDULES = actions("scheduler", "CreateSchedule UpdateSchedule DeleteSchedule")
WRITE_TOPICS = actions("sns", "CreateTopic DeleteTopic SetTopicAttributes Subscribe TagResource UntagResource")
# A subscription has no resource type of its own in IAM (Service Authorization Reference, "Amazon SNS").
WRITE_SUBSCRIPTIONS = actions("sns", "Unsubscribe")
WRITE_FUNCTIONS = actions(
    "lambda",
    "CreateFunction DeleteFunction UpdateFunctionConfiguration UpdateFunctionCode RemovePermission "
    "PublishVersion GetFunctionConfiguration CreateAlias UpdateAlias DeleteAlias TagResource UntagResource",
)
CONNECT_FUNCTIONS = actions("lambda", "AddPermission")
WRITE_MAPPINGS = actions("lambda", "UpdateEventSourceMapping DeleteEventSourceMapping")
CREATE_MAPPINGS = actions("lambda", "CreateEventSourceMapping")
TAG_MAPPINGS = actions("lambda", "TagResource")
CREATE_APIS = actions("apigateway", "POST")
TAG_APIS = actions("apigateway", "PUT")
WRITE_APIS = actions("apigateway", "POST PUT PATCH DELETE")
WRITE_ROLES = actions("iam", "CreateRole PutRolePolicy DeleteRolePolicy DeleteRole")
WRITE_ROLE_TAGS = actions("iam", "TagRole UntagRole ListInstanceProfilesForRole")
PASS_ROLES = actions("iam", "PassRole")

# What operators do by hand: look at dead letters, send them back, forget a person, read the log.
OPERATE_QUEUES = actions("sqs", "ReceiveMessage ChangeMessageVisibility SendMessage DeleteMessage")
OPERATE_TABLES = actions("dynamodb", "BatchGetItem Scan UpdateItem DeleteItem")
OPERATE_LOG_GROUPS = actions("logs", "DescribeLogStreams FilterLogEvents GetLogEvents")
# AWS narrows it to nothing (Service Authorization Reference, 2026-11-25): it reads numbers.
OPERATE_METRICS = actions("cloudwatch", "GetMetricData")

# What a release and its test message do besides: read the log, and after a rollback send dead letters back.
RELEASE_TABLES = actions("dynamodb", "BatchGetItem UpdateItem")
RELEASE_LOG_GROUPS = actions("logs", "FilterLogEvents")

# The most that the roles of a stack may be allowed: what the components offer as statements.
BOUND_QUEUES = actions("sqs", "SendMessage ReceiveMessage DeleteMessage GetQueueAttributes ChangeMessageVisibility")
BOUND_TABLES = actions("dynamodb", "BatchGetItem PutItem UpdateItem DeleteItem Scan")
BOUND_PARAMETERS = actions("ssm", "GetParametersByPath")
BOUND_FUNCTIONS = actions("lambda", "InvokeFunction")
BOUND_LOG_GROUPS = actions("logs", "CreateLogStream PutLogEvents")
BOUND_LEX = actions("lex", "RecognizeText")

ROLES_FOR = ("lambda.amazonaws.com", "scheduler.amazonaws.com")
"""The services that a stack's roles trust. API Gateway's role serves the whole account: its owner keeps it."""

TITLES = {
    **dict.fromkeys(("sqs", "dynamodb", "ssm"), "scoped-data"),
    **dict.fromkeys(("logs", "cloudwatch", "sns"), "scoped-watch"),
    **dict.fromkeys(("lambda", "scheduler"), "scoped-functions"),
    **dict.fromkeys(("apigateway", "iam"), "scoped-access"),
}
"""Service → the policy that its statements are in."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The stacks that the rights are about.

    Attributes:
        project: The project's name.
        stacks: Names of stacks, at least one.
        account: Where they are.
    """

    project: str
    stacks: Sequence[str]
    account: Account

    def arns(self, service: str, before_name: str = "") -> list[pulumi.Input[str]]:
        """The ARN pattern of each stack's resources of one kind.

        Args:
            service: The service's prefix, such as `sqs`.
            before_name: What comes before the name, such as `table/`.
        """
        return [self.account.arn(service, f"{before_name}{self.project}-{stack}-*") for stack in self.stacks]

    def iam_arns(self, before_name: str) -> list[pulumi.Input[str]]:
        """The ARN pattern of each stack's roles or policies.

        Args:
            before_name: `role/` or `policy/`.
        """
        return [self.account.iam_arn(f"{before_name}{self.project}-{stack}-*") for stack in self.stacks]

    def dashboard_arns(self) -> list[pulumi.Input[str]]:
        """The ARN pattern of each stack's dashboards, which belong to no region."""
        return [self.account.global_arn("cloudwatch", f"dashboard/{self.project}-{stack}-*") for stack in self.stacks]

    def schedule_arns(self) -> list[pulumi.Input[str]]:
        """The ARN pattern of each stack's schedules."""
        return self.arns("scheduler", "schedule/default/")

    def tagged(self, key: str) -> dict[str, str | Sequence[pulumi.Input[str]]]:
        """The condition keys of a resource, or a request, with the tags of one of the stacks.

        Args:
            key: `aws:ResourceTag` or `aws:RequestTag`.
        """
        return {f"{key}/project": self.project, f"{key}/stack": list(self.stacks)}


def boundary_name(project: str, stack: str) -> str:
    """The name of a stack's boundary. It is fixed, so that a stack can name it that another stack creates."""
    return f"{project}-{stack}-boundary"


def boundary_arn(project: str, stack: str, account: Account) -> pulumi.Input[str]:
    """The ARN of a stack's boundary."""
    return account.iam_arn(f"policy/{boundary_name(project, stack)}")


def reading(scope: Scope) -> list[Statement]:
    """What `pulumi preview --refresh` needs: it reads everything in the stacks, and changes nothing."""
    mappings = [scope.account.arn("lambda", "event-source-mapping:*")]
    return [
        Statement(sid="ReadQueues", actions=READ_QUEUES, resources=scope.arns("sqs")),
        Statement(sid="ReadTables", actions=READ_TABLES, resources=scope.arns("dynamodb", "table/")),
        Statement(sid="ReadParameters", actions=READ_PARAMETERS, resources=scope.arns("ssm", "parameter/")),
        Statement(sid="ReadLogGroups", actions=READ_LOG_GROUPS, resources=scope.arns("logs", "log-group:")),
        Statement(sid="ReadAlarms", actions=READ_ALARMS, resources=scope.arns("cloudwatch", "alarm:")),
        Statement(sid="ReadDashboards", actions=READ_DASHBOARDS, resources=scope.dashboard_arns()),
        Statement(sid="ReadSchedules", actions=READ_SCHEDULES, resources=scope.schedule_arns()),
        Statement(sid="ReadTopics", actions=READ_TOPICS, resources=scope.arns("sns")),
        Statement(sid="ReadFunctions", actions=READ_FUNCTIONS, resources=scope.arns("lambda", "function:")),
        # IfExists: the last read of a deleted mapping, which has no function any more, finds that it is gone.
        Statement(
            sid="ReadMappings",
            actions=READ_MAPPINGS,
            resources=mappings,
            conditions={"ArnLikeIfExists": {"lambda:FunctionArn": scope.arns("lambda", "function:")}},
        ),
        Statement(
            sid="ReadMappingTags",
            actions=READ_MAPPING_TAGS,
            resources=mappings,
            conditions={"StringEquals": scope.tagged("aws:ResourceTag")},
        ),
        Statement(
            sid="ReadApis",
            actions=READ_APIS,
            resources=[_api_arn(scope.account, "/restapis/*")],
            conditions={"StringEquals": scope.tagged("aws:ResourceTag")},
        ),
        Statement(sid="ReadApiAccount", actions=READ_APIS, resources=[_api_arn(scope.account, "/account")]),
        Statement(sid="ReadRoles", actions=READ_ROLES, resources=scope.iam_arns("role/")),
        Statement(sid="ReadPolicies", actions=READ_POLICIES, resources=scope.iam_arns("policy/")),
        Statement(sid="ReadAnything", actions=READ_ANYTHING, resources=["*"]),
    ]


def writing(scope: Scope) -> list[Statement]:
    """What creating, changing and deleting the stacks needs beyond reading them."""
    of_functions = {"ArnLike": {"lambda:FunctionArn": scope.arns("lambda", "function:")}}
    own_boundaries = [boundary_arn(scope.project, stack, scope.account) for stack in scope.stacks]
    mappings = [scope.account.arn("lambda", "event-source-mapping:*")]
    return [
        Statement(sid="WriteQueues", actions=WRITE_QUEUES, resources=scope.arns("sqs")),
        Statement(sid="WriteTables", actions=WRITE_TABLES, resources=scope.arns("dynamodb", "table/")),
        Statement(sid="WriteParameters", actions=WRITE_PARAMETERS, resources=scope.arns("ssm", "parameter/")),
        Statement(sid="WriteLogGroups", actions=WRITE_LOG_GROUPS, resources=scope.arns("logs", "log-group:")),
        Statement(sid="WriteAlarms", actions=WRITE_ALARMS, resources=scope.arns("cloudwatch", "alarm:")),
        Statement(sid="WriteDashboards", actions=WRITE_DASHBOARDS, resources=scope.dashboard_arns()),
        Statement(
            sid="WriteSchedules", actions=WRITE_SCHEDULES, resources=scope.arns("scheduler", "schedule/default/")
        ),
        Statement(sid="WriteTopics", actions=WRITE_TOPICS, resources=scope.arns("sns")),
        Statement(sid="WriteSubscriptions", actions=WRITE_SUBSCRIPTIONS, resources=["*"]),
        Statement(sid="WriteFunctions", actions=WRITE_FUNCTIONS, resources=scope.arns("lambda", "function:")),
        Statement(
            sid="ConnectFunctions",
            actions=CONNECT_FUNCTIONS,
            resources=scope.arns("lambda", "function:"),
            conditions={"StringEquals": {"lambda:Principal": "apigateway.amazonaws.com"}},
        ),
        Statement(sid="CreateMappings", actions=CREATE_MAPPINGS, resources=["*"], conditions=of_functions),
        Statement(sid="WriteMappings", actions=WRITE_MAPPINGS, resources=mappings, conditions=of_functions),
        # A tag opens nothing here: whoever changes a mapping needs the function.
        Statement(
            sid="TagMappings",
            actions=TAG_MAPPINGS,
            resources=mappings,
            conditions={"StringEquals": scope.tagged("aws:RequestTag")},
        ),
        Statement(
            sid="CreateApis",
            actions=CREATE_APIS,
            resources=[_api_arn(scope.account, "/restapis")],
            conditions={"StringEquals": scope.tagged("aws:RequestTag")},
        ),
        # Whoever creates an API with tags needs this, with the * taken literally: the API has no id yet (CloudTrail, as
        # reported on GitHub, 2026-11-25). Nobody may tag an API that exists: its tags decide whose it is.
        Statement(
            sid="TagNewApis",
            actions=TAG_APIS,
            resources=[_tags_arn(scope.account, "/restapis/", "${*}")],
            conditions={"StringEquals": scope.tagged("aws:RequestTag")},
        ),
        # What is in an API inherits its tags (API Gateway Developer Guide, "API Gateway resources that can be tagged").
        Statement(
            sid="WriteApis",
            actions=WRITE_APIS,
            resources=[_api_arn(scope.account, "/restapis/*")],
            conditions={"StringEquals": scope.tagged("aws:ResourceTag")},
        ),
        Statement(
            sid="WriteRoles",
            actions=WRITE_ROLES,
            resources=scope.iam_arns("role/"),
            conditions={"StringEquals": {"iam:PermissionsBoundary": own_boundaries}},
        ),
        Statement(sid="TagRoles", actions=WRITE_ROLE_TAGS, resources=scope.iam_arns("role/")),
        Statement(
            sid="PassRoles",
            actions=PASS_ROLES,
            resources=scope.iam_arns("role/"),
            conditions={"StringEquals": {"iam:PassedToService": list(ROLES_FOR)}},
        ),
    ]


def operating(scope: Scope) -> list[Statement]:
    """What `python -m ops` needs beyond reading the stacks."""
    return [
        Statement(sid="OperateQueues", actions=OPERATE_QUEUES, resources=scope.arns("sqs")),
        Statement(sid="OperateTables", actions=OPERATE_TABLES, resources=scope.arns("dynamodb", "table/")),
        Statement(sid="OperateLogGroups", actions=OPERATE_LOG_GROUPS, resources=scope.arns("logs", "log-group:")),
        Statement(sid="OperateMetrics", actions=OPERATE_METRICS, resources=["*"]),
    ]


def releasing(scope: Scope) -> list[Statement]:
    """What `python -m ops release` and `smoke` need beyond reading and writing the stacks."""
    return [
        Statement(sid="ReleaseQueues", actions=OPERATE_QUEUES, resources=scope.arns("sqs")),
        Statement(sid="ReleaseTables", actions=RELEASE_TABLES, resources=scope.arns("dynamodb", "table/")),
        Statement(sid="ReleaseLogGroups", actions=RELEASE_LOG_GROUPS, resources=scope.arns("logs", "log-group:")),
    ]


def boundary(project: str, stack: str, account: Account) -> list[Statement]:
    """The boundary of a stack's roles: the most that any policy can allow them.

    Args:
        project: The project's name.
        stack: The stack's name.
        account: Where it is.
    """
    scope = Scope(project=project, stacks=[stack], account=account)
    return [
        Statement(sid="Queues", actions=BOUND_QUEUES, resources=scope.arns("sqs")),
        Statement(sid="Tables", actions=BOUND_TABLES, resources=scope.arns("dynamodb", "table/")),
        Statement(sid="Parameters", actions=BOUND_PARAMETERS, resources=scope.arns("ssm", "parameter/")),
        Statement(sid="Functions", actions=BOUND_FUNCTIONS, resources=scope.arns("lambda", "function:")),
        Statement(sid="LogGroups", actions=BOUND_LOG_GROUPS, resources=scope.arns("logs", "log-group:")),
        # A Lex bot is not part of a stack. Its owner tags the alias that the stack may ask.
        Statement(
            sid="Lex",
            actions=BOUND_LEX,
            resources=[account.arn("lex", "bot-alias/*")],
            conditions={"StringEquals": scope.tagged("aws:ResourceTag")},
        ),
    ]


def by_service(statements: Iterable[Statement]) -> dict[str, list[Statement]]:
    """Title → statements of each customer-managed policy: one for everything would be longer than IAM allows.

    Args:
        statements: Of `reading`, `writing` and `operating`, as needed.
    """
    policies: dict[str, list[Statement]] = {}
    for statement in statements:
        service = statement.actions[0].partition(":")[0]
        policies.setdefault(TITLES[service], []).append(statement)
    return policies


def _api_arn(account: Account, path: str) -> pulumi.Input[str]:
    """The ARN of something in API Gateway, which leaves out the account.

    Args:
        account: Where it is.
        path: Such as `/restapis/*`.
    """
    return joined("arn:", account.partition, ":apigateway:", account.region, f"::{path}")


def _tags_arn(account: Account, path: str, name: str) -> pulumi.Input[str]:
    """The ARN of the tags of something in API Gateway: the thing's own ARN is part of it, percent-encoded."""
    start = joined("arn:", account.partition, ":apigateway:", account.region, "::/tags/arn%3A")
    rest = ("%3Aapigateway%3A", account.region, f"%3A%3A{quote(path, safe='')}{name}")
    return joined(start, account.partition, *rest)
