"""One look at the bot: a dashboard that asks from top to bottom whether people are answered, and what is in the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

PERIOD_SECONDS = 300
# A dashboard's grid is 24 units wide ("Dashboard body structure and syntax", CloudWatch API reference, read 2026-11).
COLUMNS, HEADING_HEIGHT, GRAPH_HEIGHT = 24, 1, 6

Json = dict[str, Any]
Metric = list[Any]
Graphs = dict[str, list[Metric]]


@dataclass(frozen=True, kw_only=True)
class DashboardArgs:
    """What `Dashboard` needs: the names of what it shows.

    Attributes:
        region: Where all of it is.
        queue_name, dead_letter_queue_name: The queues.
        function_name: The function.
        api_name, stage_name: The REST API's stage.
        table_name: The ledger's table.
        log_group_name: The function's log group. Its lines are JSON with `kind`.
        measured: What of the log is measured: kind of line → where its value is, and the value's unit. It has the kinds
            `accepted` (events), `answered` and `sent` (milliseconds), `silent`, `not_delivered`, `fault` and
            `not_understood`.
        alarms_namespace: Of the metrics that alarms read in the log.
        alarm_kinds: The names of those that count errors.
        finding_kinds: The names of those that count what the hourly check finds.
        checked_kind: The name of the one that counts the checks.
        waiting_kind: The name of the one that has the age of an event that waits, in seconds.
    """

    region: pulumi.Input[str]
    queue_name: pulumi.Input[str]
    dead_letter_queue_name: pulumi.Input[str]
    function_name: pulumi.Input[str]
    api_name: pulumi.Input[str]
    stage_name: pulumi.Input[str]
    table_name: pulumi.Input[str]
    log_group_name: pulumi.Input[str]
    measured: Mapping[str, tuple[str, str]]
    alarms_namespace: str
    alarm_kinds: Sequence[str]
    finding_kinds: Sequence[str]
    checked_kind: str
    waiting_kind: str


class Dashboard(pulumi.ComponentResource):
    """A dashboard, and what it reads in the log.

    Attributes:
        name: The dashboard's name.
    """

    name: pulumi.Output[str]

    def __init__(self, name: str, args: DashboardArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:Dashboard", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        for kind, (value, unit) in args.measured.items():
            cloudwatch.LogMetricFilter(
                f"{name}-{kind.replace('_', '-')}-filter",
                log_group_name=args.log_group_name,
                pattern=f'{{ $.kind = "{kind}" }}',
                metric_transformation={"namespace": name, "name": kind, "value": value, "unit": unit},
                opts=child,
            )
        dashboard = cloudwatch.Dashboard(
            f"{name}-view",
            dashboard_name=name,
            dashboard_body=pulumi.Output.json_dumps({"widgets": widgets(questions(name, args), args.region)}),
            opts=child,
        )
        self.name = dashboard.dashboard_name
        self.register_outputs({"name": self.name})


def questions(namespace: str, args: DashboardArgs) -> dict[str, Graphs]:
    """The questions in order, each with its graphs: title → metrics.

    Args:
        namespace: Of what the dashboard reads in the log.
        args: The names of what is shown.
    """

    def log(kind: str, stat: str, label: str) -> Metric:
        return [namespace, kind, {"stat": stat, "label": label}]

    def watched(kind: str, label: str) -> Metric:
        return [args.alarms_namespace, kind, {"stat": "Sum", "label": label}]

    def queue(metric: str, stat: str, label: str, name: pulumi.Input[str] = args.queue_name) -> Metric:
        return ["AWS/SQS", metric, "QueueName", name, {"stat": stat, "label": label}]

    def function(metric: str, stat: str, label: str) -> Metric:
        return ["AWS/Lambda", metric, "FunctionName", args.function_name, {"stat": stat, "label": label}]

    def api(metric: str, stat: str, label: str) -> Metric:
        named = ["ApiName", args.api_name, "Stage", args.stage_name]
        return ["AWS/ApiGateway", metric, *named, {"stat": stat, "label": label}]

    def table(metric: str, label: str) -> Metric:
        return ["AWS/DynamoDB", metric, "TableName", args.table_name, {"stat": "Sum", "label": label}]

    return {
        "Are people answered?": {
            "Events": [
                log("accepted", "Sum", "accepted"),
                log("answered", "SampleCount", "answered"),
                log("silent", "Sum", "need no answer"),
            ],
            "Without a useful answer": [
                log("not_understood", "Sum", "not understood"),
                log("not_delivered", "Sum", "messages not delivered"),
            ],
        },
        "How soon?": {
            "From acceptance to the last answer (ms)": [log("answered", stat, stat) for stat in ("p50", "p95", "p99")],
            "Acknowledging Facebook's requests (ms)": [api("Latency", stat, stat) for stat in ("p50", "p99")],
            "Facebook takes a message (ms)": [log("sent", stat, stat) for stat in ("p50", "p99")],
        },
        "What fails?": {
            "The bot": [
                log("fault", "Sum", "faults"),
                queue("ApproximateNumberOfMessagesVisible", "Maximum", "dead letters", args.dead_letter_queue_name),
            ],
            "Facebook refuses": [watched(kind, kind) for kind in args.alarm_kinds],
            "The hourly check finds": [
                watched(args.checked_kind, "checks"),
                *(watched(kind, kind) for kind in args.finding_kinds),
            ],
            "AWS": [
                function("Errors", "Sum", "function's errors"),
                function("Throttles", "Sum", "function throttled"),
                api("5XXError", "Sum", "5xx answers"),
                api("4XXError", "Sum", "4xx answers"),
            ],
        },
        "What waits?": {
            "Messages in the queue": [
                queue("ApproximateNumberOfMessagesVisible", "Maximum", "to be taken"),
                queue("ApproximateNumberOfMessagesNotVisible", "Maximum", "being answered or waiting for another try"),
            ],
            "The oldest event (s)": [
                queue("ApproximateAgeOfOldestMessage", "Maximum", "to be taken"),
                [args.alarms_namespace, args.waiting_kind, {"stat": "Maximum", "label": "waiting for another try"}],
            ],
            "Function at the same time": [function("ConcurrentExecutions", "Maximum", "executions")],
        },
        "What billable units does it use?": {
            "Requests": [api("Count", "Sum", "REST API"), function("Invocations", "Sum", "Lambda")],
            "Function (ms)": [function("Duration", "Sum", "duration")],
            "Queue": [
                queue(f"NumberOfMessages{what}", "Sum", what.lower()) for what in ("Sent", "Received", "Deleted")
            ],
            "Ledger": [
                table("ConsumedReadCapacityUnits", "read units"),
                table("ConsumedWriteCapacityUnits", "write units"),
            ],
            "Log (bytes)": [
                ["AWS/Logs", "IncomingBytes", "LogGroupName", args.log_group_name, {"stat": "Sum", "label": "written"}]
            ],
        },
    }


def widgets(asked: Mapping[str, Graphs], region: pulumi.Input[str]) -> list[Json]:
    """The dashboard's widgets: for each question a heading, and below it its graphs side by side.

    Args:
        asked: The questions.
        region: Of the metrics.
    """
    made: list[Json] = []
    y = 0
    for question, graphs in asked.items():
        heading = {"markdown": f"# {question}", "background": "transparent"}
        made.append(_widget("text", (0, y), (COLUMNS, HEADING_HEIGHT), heading))
        y += HEADING_HEIGHT
        width = COLUMNS // len(graphs)
        for number, (title, metrics) in enumerate(graphs.items()):
            graph = {"title": title, "region": region, "period": PERIOD_SECONDS, "view": "timeSeries"}
            made.append(_widget("metric", (number * width, y), (width, GRAPH_HEIGHT), {**graph, "metrics": metrics}))
        y += GRAPH_HEIGHT
    return made


def _widget(kind: str, corner: tuple[int, int], size: tuple[int, int], properties: Json) -> Json:
    (x, y), (width, height) = corner, size
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}
