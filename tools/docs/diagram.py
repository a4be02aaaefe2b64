"""The picture of a stack: its components, and who calls, reads, writes and watches whom, read off the real graph."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tools.recorder import PROJECT, Graph, Resource, project_defaults, run_main_file, run_program

STACK = "dev"
# What a stack must set; the picture does not depend on the values, nor on what the team's own stacks set.
REQUIRED = {"pageId": "1", "pageAccessToken": "token", "appSecret": "secret", "verifyToken": "word"}
SERVICES = {
    "apigateway": "API Gateway", "cloudwatch": "CloudWatch", "dynamodb": "DynamoDB", "iam": "IAM", "lambda": "Lambda",
    "sns": "SNS", "sqs": "SQS", "ssm": "Parameter Store",
}  # fmt: skip
# Drawn as an arrow: the glue between services would hide what a component is.
GLUE = {"aws:lambda/permission:Permission"}
FACEBOOK, EVERYTHING = "Facebook", "Stack"
SOLID, DASHED = "-->", "-.->"


class Arrow(NamedTuple):
    """An arrow of the picture: from, to, what it says, and how it is drawn."""

    start: str
    end: str
    label: str
    line: str


Sketch = tuple[str | None, str | None, str, str]
"""An arrow whose ends may be nothing in the picture."""


def default_graph() -> Graph:
    """The graph of a stack that sets nothing but what it must."""
    values = {f"{PROJECT}:{key}": value for key, value in {**project_defaults(), **REQUIRED}.items()}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return run_program(run_main_file, STACK, texts, [f"{PROJECT}:{key}" for key in REQUIRED if key != "pageId"])


def mermaid(graph: Graph) -> str:
    """The picture in Mermaid's language.

    Args:
        graph: What a stack registered.
    """
    drawing = Drawing(graph)
    services = {kind: drawing.services(urn) for urn, kind in drawing.components.items()}
    arrows = drawing.arrows()
    administrators = {arrow.start for arrow in arrows if arrow.end == EVERYTHING}

    def node(kind: str) -> str:
        return f'{kind}["{kind}<br/><small>{", ".join(services[kind])}</small>"]'

    lines = ["flowchart LR", f"  {FACEBOOK}(({FACEBOOK}))"]
    lines += [f"  {node(kind)}" for kind in sorted(administrators)]
    lines += [f'  subgraph {EVERYTHING}["everything named {PROJECT}-{STACK}-…"]']
    lines += [f"    {node(kind)}" for kind in sorted(services.keys() - administrators)]
    lines += ["  end"]
    lines += [f'  {start} {line}|"{label}"| {end}' for start, end, label, line in arrows]
    return "\n".join(lines) + "\n"


class Drawing:
    """Reads arrows off a graph's resources.

    Args:
        graph: what a stack registered.

    Attributes:
        components: URN → kind, of each component.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.components = {each.urn: _kind(each) for each in graph.resources.values() if each.type.startswith("fbm:")}

    def services(self, component: str) -> list[str]:
        """The AWS services in which a component has resources.

        Args:
            component: its URN.
        """
        mine = (each for each in self._graph.resources.values() if each.parent == component and each.type not in GLUE)
        return sorted({SERVICES[_service(each)] for each in mine})

    def arrows(self) -> list[Arrow]:
        """All arrows in order, those from one component to another that are drawn alike as one."""
        labels: dict[tuple[str, str, str], set[str]] = {}
        for each in self._graph.resources.values():
            mine = self.components.get(each.parent)
            for start, end, label, line in (
                *self._way(mine, each),
                *self._rights(mine, each),
                *self._watched(mine, each),
            ):
                if start and end and start != end:
                    labels.setdefault((start, end, line), set()).add(label)
        return [Arrow(start, end, ", ".join(sorted(said)), line) for (start, end, line), said in sorted(labels.items())]

    def _owner(self, text: object) -> str | None:
        """The component that owns the resource which an ARN, a name or a URL names."""
        named = [each for each in self._graph.resources.values() if each.name in str(text)]
        if not named:
            return None
        best = max(named, key=lambda each: (len(each.name), each.urn not in self.components))
        return self.components[best.urn if best.urn in self.components else best.parent]

    def _way(self, mine: str | None, resource: Resource) -> Iterator[Sketch]:
        """The way of a message."""
        inputs = resource.inputs
        match resource.type:
            case "aws:apigateway/resource:Resource":
                methods = _methods(self._graph.of("aws:apigateway/method:Method"), resource.parent)
                yield FACEBOOK, mine, f"{methods} /{inputs['pathPart']}", SOLID
            case "aws:lambda/permission:Permission":
                yield mine, self._owner(inputs["function"]), "calls", SOLID
            case "aws:lambda/eventSourceMapping:EventSourceMapping":
                yield self._owner(inputs["eventSourceArn"]), mine, "is read by", SOLID
                yield mine, self._owner(inputs["functionName"]), "calls with batches", SOLID
            case "aws:lambda/function:Function" if "GRAPH_API_URL" in inputs["environment"]["variables"]:
                yield mine, FACEBOOK, "Send API", SOLID

    def _rights(self, mine: str | None, resource: Resource) -> Iterator[Sketch]:
        """Who may do what."""
        match resource.type:
            case "aws:lambda/function:Function":
                yield mine, self._owner(resource.inputs["role"]), "runs as", SOLID
            case "aws:iam/rolePolicy:RolePolicy":
                for statement in resource.policy()["Statement"]:
                    for arn in _listed(statement["Resource"]):
                        yield mine, self._owner(arn), f"may {_words(statement['Sid'])}", SOLID
            case "aws:iam/policy:Policy" if f"{PROJECT}-{self._graph.stack}-*" in resource.inputs["policy"]:
                yield mine, EVERYTHING, "administers", DASHED

    def _watched(self, mine: str | None, resource: Resource) -> Iterator[Sketch]:
        """What alarms look at."""
        match resource.type:
            case "aws:cloudwatch/metricAlarm:MetricAlarm":
                for value in (resource.inputs.get("dimensions") or {}).values():
                    yield mine, self._owner(value), "watches", DASHED
            case "aws:cloudwatch/logMetricFilter:LogMetricFilter":
                yield mine, self._owner(resource.inputs["logGroupName"]), "watches", DASHED


def _methods(methods: Iterable[Resource], parent: str) -> str:
    return ", ".join(sorted(str(each.inputs["httpMethod"]) for each in methods if each.parent == parent))


def _kind(component: Resource) -> str:
    return component.type.rpartition(":")[2]


def _service(resource: Resource) -> str:
    return resource.type.split(":")[1].partition("/")[0]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _words(sid: str) -> str:
    """`KeepDeadLetters` → `keep dead letters`."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", sid).lower()
