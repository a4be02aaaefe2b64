"""The sandbox publishes what CloudWatch would make of the log and of the queues."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.aws.clients import Clients
from sandbox.aws.metrics import measured

LINE = json.dumps({"level": "ERROR", "kind": "refused", "age": 7, "reason": "x"})


@pytest.mark.parametrize(
    ("pattern", "value", "line", "found"),
    [
        ('{ $.kind = "refused" }', "$.age", LINE, 7.0),
        ('{ $.level = "ERROR" && $.kind = "refused" }', "1", LINE, 1.0),
        ('{ $.level = "ERROR" && $.kind = "other" }', "1", LINE, None),
        ('{ $.kind = "refused" }', "$.reason", LINE, None),
        ('{ $.kind = "refused" }', "1", "REPORT RequestId: 1", None),
        ("refused", "1", LINE, None),
    ],
)
def test_a_filter_measures_the_lines_that_match(pattern: str, value: str, line: str, found: float | None) -> None:
    assert measured(pattern, value, line) == found


def values(owner: Clients, namespace: str, name: str, stat: str, **dimensions: str) -> list[float]:
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": named}
    now = datetime.now(UTC)
    answer: Any = owner("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": stat}}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
    )
    return list(answer["MetricDataResults"][0]["Values"])


def test_only_the_lines_of_its_own_group_reach_a_filters_metric(owner: Clients, name: str) -> None:
    logs = owner("logs")
    for group in (name, f"{name}-other"):
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="s")
    logs.put_metric_filter(
        logGroupName=name,
        filterName="f",
        filterPattern='{ $.kind = "refused" }',
        metricTransformations=[{"metricName": "m", "metricNamespace": name, "metricValue": "$.age"}],
    )
    for group in (name, name, f"{name}-other"):
        event = {"timestamp": int(time.time() * 1000), "message": LINE}
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event])

    assert sum(values(owner, name, "m", "Sum")) == 14


def test_a_queue_has_the_numbers_of_its_messages(owner: Clients, name: str) -> None:
    sqs = owner("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    for text in "abc":
        sqs.send_message(QueueUrl=url, MessageBody=text)
    sqs.receive_message(QueueUrl=url)

    of_queue = {"QueueName": name}
    assert max(values(owner, "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum", **of_queue)) == 2
    assert max(values(owner, "AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "Maximum", **of_queue)) == 1
