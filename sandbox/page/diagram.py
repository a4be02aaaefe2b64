"""The stack as a diagram: its components, and who calls, reads, writes and watches whom, read off its resources.

The page draws it of a deployed stack, the README of a registered one.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

SERVICES = {
    "apigateway": "API Gateway",
    "cloudwatch": "CloudWatch",
    "dynamodb": "DynamoDB",
    "iam": "IAM",
    "lambda": "Lambda",
    "scheduler": "EventBridge Scheduler",
    "sns": "SNS",
    "sqs": "SQS",
    "ssm": "Parameter Store",
}
# Shown as an arrow only: as a resource it would name a service that the component does not use.
GLUE = {"aws:lambda/permission:Permission"}
FACEBOOK, WHOLE_STACK, RUNS_AS = "Facebook", "Stack", "runs as"

Json = dict[str, Any]


class Resource(Protocol):
    """What the diagram needs of a resource."""

    @property
    def urn(self) -> str:
        """Its URN."""

    @property
    def type(self) -> str:
        """Its type."""

    @property
    def name(self) -> str:
        """Its logical name."""

    @property
    def parent(self) -> str:
        """The URN of its parent."""

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Its inputs."""


class Deployed(NamedTuple):
    """A resource that was deployed."""

    urn: str
    type: str
    name: str
    parent: str
    inputs: Mapping[str, Any]
    id: str


class Arrow(NamedTuple):
    """An arrow: from, to, what it says, and whether it is dashed (as nobody is called along it)."""

    start: str
    end: str
    label: str
    dashed: bool


Sketch = tuple[str | None, str | None, str]
"""An arrow whose ends may be outside the diagram."""


class Diagram:
    """Reads components and arrows off a stack's resources.

    Args:
        prefix: what all names in the stack begin with: `<project>-<stack>`.
        resources: the stack's resources.

    Attributes:
        components: URN → the component's type without its prefix, such as `BotFunction`.
    """

    def __init__(self, prefix: str, resources: Sequence[Resource]) -> None:
        self._prefix, self._resources = prefix, resources
        self.components = {each.urn: _last(each.type) for each in resources if each.type.startswith("fbm:")}

    def services(self, component: str) -> list[str]:
        """The AWS services in which a component has resources.

        Args:
            component: its URN.
        """
        own = (each.type for each in self._resources if each.parent == component and each.type not in GLUE)
        return sorted({SERVICES[type_.split(":")[1].partition("/")[0]] for type_ in own})

    def arrows(self) -> list[Arrow]:
        """All arrows in order; those with the same ends are one."""
        labels: dict[tuple[str, str, bool], set[str]] = {}
        for each in self._resources:
            own = self.components.get(each.parent)
            for dashed, sketches in ((False, self._calls(own, each)), (True, self._watches(own, each))):
                for start, end, label in sketches:
                    if start and end and start != end:
                        labels.setdefault((start, end, dashed), set()).add(label)
        return [
            Arrow(start, end, ", ".join(sorted(each)), dashed) for (start, end, dashed), each in sorted(labels.items())
        ]

    def administrators(self) -> set[str]:
        """The components outside the stack, which administer it."""
        return {arrow.start for arrow in self.arrows() if arrow.end == WHOLE_STACK}

    def _owner(self, text: object) -> str | None:
        """The component of the resource that an ARN, a name or a URL names."""
        named = [each for each in self._resources if each.name in str(text)]
        if not named:
            return None
        best = max(named, key=lambda each: (len(each.name), each.urn not in self.components))
        return self.components[best.urn if best.urn in self.components else best.parent]

    def _calls(self, own: str | None, resource: Resource) -> Iterator[Sketch]:
        """The way of a message, and who may do what."""
        inputs = resource.inputs
        match resource.type:
            case "aws:apigateway/resource:Resource":
                yield FACEBOOK, own, f"{self._methods(resource.parent)} /{inputs['pathPart']}"
            case "aws:lambda/permission:Permission":
                yield own, self._owner(inputs["function"]), "calls"
            case "aws:lambda/eventSourceMapping:EventSourceMapping":
                yield self._owner(inputs["eventSourceArn"]), own, "is read by"
                yield own, self._owner(inputs["functionName"]), "calls with batches"
            case "aws:lambda/function:Function":
                yield own, self._owner(inputs["role"]), RUNS_AS
                if "GRAPH_API_URL" in inputs["environment"]["variables"]:
                    yield own, FACEBOOK, "Send API"
            case "aws:scheduler/schedule:Schedule":
                yield own, self._owner(inputs["target"]["arn"]), "calls every hour"
            case "aws:iam/rolePolicy:RolePolicy":
                for statement in json.loads(inputs["policy"])["Statement"]:
                    for arn in _list(statement["Resource"]):
                        yield own, self._owner(arn), f"may {_words(statement['Sid'])}"

    def _watches(self, own: str | None, resource: Resource) -> Iterator[Sketch]:
        """What alarms look at, and who administers."""
        match resource.type:
            case "aws:cloudwatch/metricAlarm:MetricAlarm":
                for value in (resource.inputs.get("dimensions") or {}).values():
                    yield own, self._owner(value), "watches"
            case "aws:cloudwatch/logMetricFilter:LogMetricFilter":
                yield own, self._owner(resource.inputs["logGroupName"]), "watches"
            case "aws:iam/policy:Policy" if f"{self._prefix}-*" in resource.inputs["policy"]:
                yield own, WHOLE_STACK, "administers"

    def _methods(self, parent: str) -> str:
        methods = (each for each in self._resources if each.type == "aws:apigateway/method:Method")
        return ", ".join(sorted(str(each.inputs["httpMethod"]) for each in methods if each.parent == parent))


def _last(type_: str) -> str:
    return type_.rpartition(":")[2]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _words(sid: str) -> str:
    """`KeepDeadLetters` → `keep dead letters`."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", sid).lower()


def deployed_diagram(prefix: str, folder: Path, resources: Sequence[Mapping[str, Any]]) -> Json:
    """The diagram of a deployed stack, for the page.

    Args:
        prefix: what all names in the stack begin with.
        folder: the program's.
        resources: each with `urn`, `type`, `name`, `id` and `inputs`.

    Returns:
        ``{"stack", "nodes": [{"name", "about", "services", "resources": [{"type", "name", "id", "inputs"}]}], "arrows":
        [{"start", "end", "label", "dashed"}], "way": [name]}``; ``way`` is that of an event, as of `way_of_an_event`.
    """
    found = [
        Deployed(
            urn=each["urn"],
            type=each["type"],
            name=each["name"],
            parent=_parent(each["urn"], resources),
            inputs=each["inputs"],
            id=each["id"],
        )
        for each in resources
    ]
    diagram, about = Diagram(prefix, found), descriptions(folder / "components")
    nodes: list[Json] = [
        {
            "name": kind,
            "about": about.get(kind, ""),
            "services": diagram.services(urn),
            "resources": [
                {"type": each.type, "name": each.name, "id": each.id, "inputs": each.inputs}
                for each in found
                if each.parent == urn
            ],
        }
        for urn, kind in sorted(diagram.components.items(), key=lambda component: component[1])
    ]
    arrows = exercised(diagram.arrows())
    way = way_of_an_event(arrows)
    return {"stack": prefix, "nodes": nodes, "arrows": [arrow._asdict() for arrow in arrows], "way": way}


def exercised(arrows: Sequence[Arrow]) -> list[Arrow]:
    """The same arrows, but what a role may do starts at whatever runs as this role."""
    users = {arrow.end: arrow.start for arrow in arrows if arrow.label == RUNS_AS}
    return [arrow._replace(start=users[arrow.start]) if arrow.start in users else arrow for arrow in arrows]


def way_of_an_event(arrows: Sequence[Arrow]) -> list[str]:
    """Facebook and the components from which an event comes back to it, in the order in which it reaches them."""
    after: dict[str, list[str]] = {}
    for arrow in arrows:
        if not arrow.dashed:
            after.setdefault(arrow.start, []).append(arrow.end)

    def reached(start: str) -> list[str]:
        found, waiting = [], [start]
        while waiting:
            if (name := waiting.pop()) not in found:
                found.append(name)
                waiting += reversed(after.get(name, []))
        return found

    return [name for name in reached(FACEBOOK) if FACEBOOK in reached(name)]


def descriptions(folder: Path) -> dict[str, str]:
    """Component → the first line of its docstring; read, not imported: Pulumi would take half a second to load.

    Args:
        folder: the components'.
    """
    classes = [
        node
        for path in folder.glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    ]
    return {each.name: (ast.get_docstring(each) or "").partition("\n")[0] for each in classes}


def _parent(urn: str, resources: Sequence[Mapping[str, Any]]) -> str:
    """The component that made a resource: the URN has its type, and the resource's name begins with its name."""
    types, _, name = urn.rpartition("::")
    chain = types.rpartition("::")[2].split("$")
    made_by = [
        each
        for each in resources
        if len(chain) > 1 and each["type"] == chain[-2] and name.startswith(f"{each['name']}-")
    ]
    return str(max(made_by, key=lambda each: len(each["name"]))["urn"]) if made_by else ""
