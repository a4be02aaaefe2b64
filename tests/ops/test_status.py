"""`ops status` says what the dashboard says, about the real function in the sandbox."""

import json
import secrets
import time
from dataclasses import replace
from typing import Any

from ops.aws import OperatorAws
from ops.stack import from_described
from ops.status import read_dashboard
from sandbox.local import Sandbox
from tests.ops.conftest import Ops

Json = dict[str, Any]


def figures(ops: Ops) -> dict[tuple[str, str], float]:
    """Graph and label → the value over the last hour, 0 without data."""
    code, out, err = ops("status", "--json")
    assert (code, err) == (0, "")
    return {(each["graph"], each["label"]): each["whole"] or 0 for each in json.loads(out)}


def test_it_answers_the_dashboards_questions_in_order(ops: Ops, sandbox: Sandbox) -> None:
    body = sandbox.client("cloudwatch").get_dashboard(DashboardName=sandbox.outputs["dashboardName"])["DashboardBody"]
    widgets = [each["properties"] for each in json.loads(body)["widgets"]]
    asked = [each["markdown"].removeprefix("# ") for each in widgets if "markdown" in each]
    shown = [metric[-1]["label"] for each in widgets for metric in each.get("metrics", ())]

    code, out, _ = ops("status")

    assert code == 0
    assert [line for line in map(str.strip, out.splitlines()) if line in asked] == asked
    assert [label for _, label in figures(ops)] == shown


def test_it_counts_what_was_accepted_answered_and_sent_and_how_soon(ops: Ops, sandbox: Sandbox) -> None:
    before = figures(ops)
    for _ in range(3):
        sandbox.say("status")
    after = figures(ops)

    def grown(graph: str, label: str) -> float:
        return after[graph, label] - before[graph, label]

    assert (grown("Events", "accepted"), grown("Events", "answered")) == (3, 3)
    assert 0 < after["From acceptance to the last answer (ms)", "p50"] < 60_000
    assert 0 < after["Facebook takes a message (ms)", "p50"] < 60_000


def test_counts_are_added_up_and_of_everything_else_the_largest_counts(sandbox: Sandbox, aws: OperatorAws) -> None:
    name, now = f"status-{secrets.token_hex(4)}", time.time()
    metrics = [[name, "m", {"stat": stat, "label": stat}] for stat in ("Sum", "SampleCount", "Maximum", "p50")]
    properties = {"title": "graph", "period": 300, "metrics": [*metrics, [name, "none", {"stat": "Sum", "label": "-"}]]}
    widgets = [{"properties": {"markdown": "# Why?"}}, {"properties": properties}]
    cloudwatch = sandbox.client("cloudwatch")
    cloudwatch.put_dashboard(DashboardName=name, DashboardBody=json.dumps({"widgets": widgets}))
    for value, age in ((7, 1200), (5, 1200), (4, 0)):
        datum = {"MetricName": "m", "Timestamp": now - age - 1, "Value": value}
        cloudwatch.put_metric_data(Namespace=name, MetricData=[datum])
    stack = replace(from_described(sandbox.described(), "the sandbox"), dashboard=name)

    found = read_dashboard(aws, stack, since=now - 3600, until=now)

    assert [(each.question, each.graph) for each in found] == [("Why?", "graph")] * 5
    assert {each.label: (each.whole, each.latest) for each in found} == {
        "Sum": (16, 4),
        "SampleCount": (3, 1),
        "Maximum": (7, 4),
        "p50": (6, 4),
        "-": (None, None),
    }
