"""What is in an emulated AWS account."""

from collections.abc import Callable
from typing import Any

COMPOSITE = ["CompositeAlarm"]


def everything(client: Callable[[str], Any]) -> list[str]:
    """The name, URL or ARN of every resource that has a name of its own."""
    return [
        *client("sqs").list_queues().get("QueueUrls", []),
        *(each["FunctionName"] for each in client("lambda").list_functions()["Functions"]),
        *client("dynamodb").list_tables()["TableNames"],
        *(each["Name"] for each in client("ssm").describe_parameters()["Parameters"]),
        *(each["logGroupName"] for each in client("logs").describe_log_groups()["logGroups"]),
        *(each["AlarmName"] for each in client("cloudwatch").describe_alarms()["MetricAlarms"]),
        *(each["DashboardName"] for each in client("cloudwatch").list_dashboards()["DashboardEntries"]),
        *(each["RoleName"] for each in client("iam").list_roles()["Roles"]),
        *(each["GroupName"] for each in client("iam").list_groups()["Groups"]),
        *(each["Arn"] for each in client("iam").list_policies(Scope="Local")["Policies"]),
        *(each["name"] for each in client("apigateway").get_rest_apis()["items"]),
        *(each["AlarmName"] for each in client("cloudwatch").describe_alarms(AlarmTypes=COMPOSITE)["CompositeAlarms"]),
        *(each["Arn"] for each in client("scheduler").list_schedules()["Schedules"]),
        *(each["TopicArn"] for each in client("sns").list_topics()["Topics"]),
    ]
