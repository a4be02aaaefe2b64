"""The page of settings, from their declarations in `Pulumi.yaml`."""

import json
from pathlib import Path

import yaml

from tools.docs.table import code, table

INTRODUCTION = """# Settings

Written by `make docs` from `Pulumi.yaml`; change it there.

Set one with `pulumi config set innolab-fbm:NAME VALUE`, a secret with
`pulumi config set --secret innolab-fbm:NAME` (Pulumi asks for the value), a list one by one with
`pulumi config set --path 'innolab-fbm:NAME[0]' VALUE`. A list that a stack sets replaces the whole default.
What a stack sets is in `Pulumi.<stack>.yaml`, with secrets encrypted. All mistakes are reported at once, before Pulumi
creates anything.

"""


def page(project: Path) -> str:
    """The page, as Markdown.

    Args:
        project: The path of `Pulumi.yaml`.
    """
    declared = yaml.safe_load(project.read_text(encoding="utf-8"))["config"]
    rows = [
        [code(name), _type(each), code(json.dumps(each["default"])), each["description"]]
        for name, each in declared.items()
    ]
    return INTRODUCTION + table(["Setting", "Type", "Default", "What it is"], rows)


def _type(declaration: dict[str, object]) -> str:
    kind = declaration["type"]
    match declaration.get("items"):
        case {"type": item}:
            return f"{kind} of {item}s"
    return str(kind)
