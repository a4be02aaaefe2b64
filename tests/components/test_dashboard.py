"""The dashboard reads from top to bottom, and somebody publishes each metric that it shows."""

import json
from typing import Any

import pytest

from tests.harness import REGION, Graph

Json = dict[str, Any]

# What AWS publishes by itself, by these dimensions: "CloudWatch metrics" in the guides of each service, read 2026-11.
OF_AWS = {
    "AWS/SQS": ("QueueName",),
    "AWS/Lambda": ("FunctionName",),
    "AWS/ApiGateway": ("ApiName", "Stage"),
    "AWS/DynamoDB": ("TableName",),
    "AWS/Logs": ("LogGroupName",),
}


@pytest.fixture
def widgets(graph: Graph) -> list[Json]:
    found: list[Json] = json.loads(graph.one("aws:cloudwatch/dashboard:Dashboard").inputs["dashboardBody"])["widgets"]
    return found


def test_the_graphs_of_a_question_are_below_it_side_by_side(widgets: list[Json]) -> None:
    taken: set[tuple[int, int]] = set()
    for each in widgets:
        cells = {
            (x, y)
            for x in range(each["x"], each["x"] + each["width"])
            for y in range(each["y"], each["y"] + each["height"])
        }
        assert not taken & cells
        assert each["x"] + each["width"] <= 24
        taken |= cells
    assert [each["type"] for each in sorted(widgets, key=lambda each: (each["y"], each["x"]))] == [
        each["type"] for each in widgets
    ]


def test_somebody_publishes_each_metric_that_it_shows(graph: Graph, widgets: list[Json]) -> None:
    filters = graph.of("aws:cloudwatch/logMetricFilter:LogMetricFilter")
    ours = {(each["namespace"], each["name"]) for each in (one.inputs["metricTransformation"] for one in filters)}
    shown = {
        tuple(each) for widget in widgets if "metrics" in widget["properties"]
        for *each, _ in widget["properties"]["metrics"]
    }  # fmt: skip

    assert {metric[:2] for metric in shown if len(metric) == 2} == ours
    for namespace, _, *dimensions in (metric for metric in shown if len(metric) > 2):
        assert tuple(dimensions[::2]) == OF_AWS[namespace]
        assert all(dimensions[1::2])
    assert {widget["properties"].get("region", REGION) for widget in widgets} == {REGION}
