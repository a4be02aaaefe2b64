"""The stack as a picture: its components, their resources, and what may call what, read off the deployed graph.

It draws what the README's picture draws, with the same arrows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]


def picture(project: str, stack: str, resources: Sequence[Mapping[str, Any]]) -> Json:
    """Nodes and arrows.

    Args:
        project: the project's name.
        stack: the stack's name.
        resources: as `sandbox.engine.deployment.Deployed` has them.

    Returns:
        ``{"stack", "nodes": [{"name", "about", "inside", "services", "resources": [{"type", "name", "id",
        "inputs"}]}], "arrows": [{"start", "end", "label", "dashed"}]}``; ``inside`` tells what is in the stack's box.
    """
    import components
    from tools.docs import diagram as drawn
    from tools.recorder import Graph, Resource

    parents = {urn: _parent(urn, resources) for urn in (each["urn"] for each in resources)}
    graph = Graph(
        stack=stack,
        resources={
            each["urn"]: Resource(
                urn=each["urn"], type=each["type"], name=each["name"], parent=parents[each["urn"]],
                inputs=each["inputs"], secret_inputs=frozenset(), dependencies=frozenset(), protect=False,
                retain_on_delete=False,
            )
            for each in resources
        },
        outputs={}, secret_outputs=frozenset(), warnings=(),
    )  # fmt: skip
    drawing = drawn.Drawing(graph)
    arrows = drawing.arrows()
    outside = {arrow.start for arrow in arrows if arrow.end == drawn.EVERYTHING}
    nodes: list[Json] = [
        {
            "name": kind,
            "about": (getattr(components, kind).__doc__ or "").strip().splitlines()[0],
            "inside": kind not in outside,
            "services": drawing.services(urn),
            "resources": [
                {name: each[name] for name in ("type", "name", "id", "inputs")}
                for each in resources
                if parents[each["urn"]] == urn
            ],
        }
        for urn, kind in drawing.components.items()
    ]
    return {
        "stack": f"{project}-{stack}",
        "nodes": sorted(nodes, key=lambda node: str(node["name"])),
        "arrows": [
            {"start": each.start, "end": each.end, "label": each.label, "dashed": each.line == drawn.DASHED}
            for each in arrows
        ],
    }


def _parent(urn: str, resources: Sequence[Mapping[str, Any]]) -> str:
    """The component that made a resource: a URN names its type, and the component's name begins the resource's."""
    types, _, name = urn.rpartition("::")
    chain = types.rpartition("::")[2].split("$")
    made_by = [
        each
        for each in resources
        if len(chain) > 1 and each["type"] == chain[-2] and name.startswith(f"{each['name']}-")
    ]
    return str(max(made_by, key=lambda each: len(each["name"]))["urn"]) if made_by else ""
