"""CloudWatch's metrics that MiniStack does not publish: of metric filters, and of queues.

MiniStack keeps metric filters and never runs them. Of a queue it publishes nothing.
"""

# ruff: noqa: SLF001 - it patches MiniStack's insides, which have no types

import json
import re
from collections.abc import Callable
from typing import Any

CONDITION = r'\$\.(\w+) = "([^"]*)"'
PATTERN = re.compile(rf"\{{ {CONDITION}( && {CONDITION})* \}}")
OF_QUEUES = {
    "ApproximateNumberOfMessages": "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
}
"""A queue's attribute → the metric ("Available CloudWatch metrics for Amazon SQS", read 2026-11)."""


def measured(pattern: str, value: str, line: str) -> float | None:
    """What a metric filter publishes for a line of the log; None if it does not match.

    Source: "Filter pattern syntax for metric filters", CloudWatch Logs User Guide, read 2026-11.

    Args:
        pattern: such as ``{ $.level = "ERROR" && $.kind = "refused" }``: texts, joined by ``&&``. No line matches a
            pattern of another form.
        value: a number, or ``$.`` and the field that has it.
        line: the line.
    """
    if not PATTERN.fullmatch(pattern):
        return None
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    if not isinstance(fields, dict) or any(fields.get(name) != text for name, text in re.findall(CONDITION, pattern)):
        return None
    found = fields.get(value.removeprefix("$.")) if value.startswith("$.") else float(value)
    # CloudWatch publishes nothing where the value is missing or not a number.
    return float(found) if isinstance(found, int | float) else None


def run_metric_filters() -> None:
    """Publish what the metric filters of a log group make of each line that arrives."""
    from ministack.services import cloudwatch, cloudwatch_logs

    append: Callable[..., None] = cloudwatch_logs._append_log_events

    def append_and_measure(stream: Any, events: list[dict[str, Any]]) -> None:
        append(stream, events)
        for (group, _), each in list(cloudwatch_logs._metric_filters.items()):
            streams = cloudwatch_logs._log_groups.get(group, {}).get("streams", {})
            if not any(stream is one for one in streams.values()):
                continue
            for made in each["metricTransformations"]:
                for event in events:
                    found = measured(each["filterPattern"], made["metricValue"], event["message"])
                    if found is not None:
                        unit = made.get("unit", "None")
                        cloudwatch.record_metric(made["metricNamespace"], made["metricName"], found, unit)

    cloudwatch_logs._append_log_events = append_and_measure


def measure_queues() -> None:
    """Publish how many messages each queue has, whenever somebody asks for metrics. SQS does so every minute."""
    from ministack.services import cloudwatch, sqs

    answer: Callable[..., Any] = cloudwatch._get_metric_data

    def get_metric_data(*args: Any, **kwargs: Any) -> Any:
        for url in list(sqs._queues):
            counts = sqs._act_get_queue_attributes({"QueueUrl": url, "AttributeNames": list(OF_QUEUES)}, url)
            for attribute, metric in OF_QUEUES.items():
                dimensions = {"QueueName": url.rpartition("/")[2]}
                cloudwatch.record_metric("AWS/SQS", metric, float(counts["Attributes"][attribute]), "Count", dimensions)
        return answer(*args, **kwargs)

    cloudwatch._get_metric_data = get_metric_data
