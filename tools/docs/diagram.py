"""The diagram of a stack in Mermaid's language, for the README."""

import json

from sandbox.page.diagram import FACEBOOK, WHOLE_STACK, Diagram
from tools.recorder import PROJECT, Graph, project_defaults, run_main_file, run_program

STACK = "dev"
# What a stack must set; the diagram does not depend on the values, nor on what the team's own stacks set.
REQUIRED = {"pageId": "1", "pageAccessToken": "token", "appSecret": "secret", "verifyToken": "word"}


def default_graph() -> Graph:
    """The graph of a stack that sets nothing but what it must."""
    values = {f"{PROJECT}:{key}": value for key, value in {**project_defaults(), **REQUIRED}.items()}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    return run_program(run_main_file, STACK, texts, [f"{PROJECT}:{key}" for key in REQUIRED if key != "pageId"])


def mermaid(graph: Graph) -> str:
    """The diagram in Mermaid's language.

    Args:
        graph: What a stack registered.
    """
    diagram = Diagram(f"{PROJECT}-{graph.stack}", list(graph.resources.values()))
    services = {kind: diagram.services(urn) for urn, kind in diagram.components.items()}
    administrators = diagram.administrators()

    def node(kind: str) -> str:
        return f'{kind}["{kind}<br/><small>{", ".join(services[kind])}</small>"]'

    lines = ["flowchart LR", f"  {FACEBOOK}(({FACEBOOK}))"]
    lines += [f"  {node(kind)}" for kind in sorted(administrators)]
    lines += [f'  subgraph {WHOLE_STACK}["everything named {PROJECT}-{STACK}-…"]']
    lines += [f"    {node(kind)}" for kind in sorted(services.keys() - administrators)]
    lines += ["  end"]
    lines += [
        f'  {start} {"-.->" if dashed else "-->"}|"{label}"| {end}' for start, end, label, dashed in diagram.arrows()
    ]
    return "\n".join(lines) + "\n"
