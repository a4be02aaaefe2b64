"""The page of components, from their docstrings and the fields of their arguments."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tools.docs.table import code, table

INTRODUCTION = """# Components

Written by `make docs` from the docstrings in `components/`; change it there.

Each is a Pulumi `ComponentResource` with a dataclass for its arguments, and other programs can use it too.
`XArgs` checks plain values when it is created, and raises `InvalidArgs` with a sentence that says what to do.
A `Statement` (`components/policy.py`) is one statement of a policy; the owner of a resource offers it to the role that
needs it. `tag_everything` (`components/tags.py`) tags whatever accepts tags.

"""
SECTION = re.compile(r"^(Attributes|Args|Raises|Returns):$", re.MULTILINE)
FIELD = re.compile(r"^    (?P<names>[a-z_]+(?:, [a-z_]+)*): (?P<text>.*(?:\n {5,}.*)*)", re.MULTILINE)
COMPONENT = "pulumi.ComponentResource"


def page(folder: Path) -> str:
    """The page, as Markdown: a section for each file that holds a component.

    Args:
        folder: `components/`.
    """
    modules = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.py"))}
    return INTRODUCTION + "\n".join(
        section for path, module in modules.items() for section in _sections(f"{folder.name}/{path.name}", module)
    )


def _sections(source: str, module: ast.Module) -> Iterator[str]:
    classes = [node for node in module.body if isinstance(node, ast.ClassDef)]
    components = [each for each in classes if any(ast.unparse(base) == COMPONENT for base in each.bases)]
    for component in components:
        summary, outputs = _docstring(component)
        yield f"## {component.name}\n\n{ast.get_docstring(module)}\n\n{summary}\n\nIn [`{source}`](../{source}).\n"
        for args in classes:
            if args not in components:
                yield _arguments(args)
        if outputs:
            yield "Its attributes:\n\n" + table(
                ["Attribute", "What it is"], [[code(name), text] for name, text in outputs.items()]
            )


def _arguments(args: ast.ClassDef) -> str:
    _, described = _docstring(args)
    rows = [
        [
            code(each.target.id),
            code(ast.unparse(each.annotation)),
            code(_default(each)),
            described.get(each.target.id, ""),
        ]
        for each in args.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    ]
    return f"`{args.name}`:\n\n" + table(["Argument", "Type", "Default", "What it is"], rows)


def _default(field: ast.AnnAssign) -> str:
    match field.value:
        case None:
            return ""
        case ast.Call(keywords=keywords):  # dataclasses.field: its default, if it has one
            return "".join(ast.unparse(each.value) for each in keywords if each.arg == "default")
        case value:
            return ast.unparse(value)


def _docstring(node: ast.ClassDef) -> tuple[str, dict[str, str]]:
    """The text before the first section, and name → text of the attributes."""
    summary, *sections = SECTION.split(ast.get_docstring(node) or "")
    described: dict[str, str] = {}
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        if title == "Attributes":
            for found in FIELD.finditer(body):
                described |= dict.fromkeys(found["names"].split(", "), found["text"])
    return summary.strip(), described
