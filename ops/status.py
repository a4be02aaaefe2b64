"""The dashboard's answers in the terminal. What it asks is read from the dashboard itself, so both say the same."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.aws.client import Aws
from ops.errors import OpsError
from ops.stack import Stack

Json = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """What one metric of the dashboard says.

    Attributes:
        question: the dashboard's question.
        graph: the title of the metric's graph.
        label: what it is.
        whole: its value over the whole time: the sum of a count, the largest of everything else; None without data.
        latest: its value in the last five minutes that have one.
    """

    question: str
    graph: str
    label: str
    whole: float | None
    latest: float | None


def read_dashboard(aws: Aws, stack: Stack, *, since: float, until: float) -> list[Measured]:
    """Answer the dashboard's questions, from top to bottom.

    Args:
        aws: calls AWS.
        stack: names the dashboard.
        since: from when on, in seconds since the epoch.
        until: until when.

    Raises:
        OpsError: the stack has no dashboard.
    """
    if not stack.dashboard:
        raise OpsError("The stack has no dashboard: the outputs lack dashboardName. Run `pulumi up` once.")
    body = json.loads(aws.call("cloudwatch", "GetDashboard", {"DashboardName": stack.dashboard})["DashboardBody"])
    asked = list(_metrics(body["widgets"]))
    request: Json = {
        # One call takes 500 ("GetMetricData" in the CloudWatch API reference, read 2026-11).
        "MetricDataQueries": [_query(number, metric, period) for number, (*_, metric, period) in enumerate(asked)],
        "StartTime": datetime.fromtimestamp(since, UTC),
        "EndTime": datetime.fromtimestamp(until, UTC),
        "ScanBy": "TimestampAscending",
    }
    values: dict[str, list[float]] = {each["Id"]: [] for each in request["MetricDataQueries"]}
    while True:
        answer = aws.call("cloudwatch", "GetMetricData", request)
        for each in answer["MetricDataResults"]:
            values[each["Id"]] += each["Values"]
        if not answer.get("NextToken"):
            break
        request["NextToken"] = answer["NextToken"]
    return [
        _answered(question, graph, metric, values[f"m{number}"])
        for number, (question, graph, metric, _) in enumerate(asked)
    ]


def _metrics(widgets: Sequence[Json]) -> Iterator[tuple[str, str, list[Any], int]]:
    """Each metric with its question, its graph and its period in seconds."""
    question = ""
    for properties in (each["properties"] for each in widgets):
        if "markdown" in properties:
            question = properties["markdown"].removeprefix("# ")
            continue
        for metric in properties["metrics"]:
            yield question, properties["title"], metric, properties["period"]


def _query(number: int, metric: list[Any], period: int) -> Json:
    namespace, name, *dimensions, how = metric
    named = [{"Name": key, "Value": value} for key, value in zip(dimensions[::2], dimensions[1::2], strict=True)]
    of = {"Namespace": namespace, "MetricName": name, "Dimensions": named}
    return {"Id": f"m{number}", "MetricStat": {"Metric": of, "Period": period, "Stat": how["stat"]}}


def _answered(question: str, graph: str, metric: list[Any], values: Sequence[float]) -> Measured:
    how = metric[-1]
    combine: Callable[[Sequence[float]], float] = sum if how["stat"] in {"Sum", "SampleCount"} else max
    whole, latest = (combine(values), values[-1]) if values else (None, None)
    return Measured(question, graph, how["label"], whole, latest)
