"""Reads every policy document of a graph."""

from collections.abc import Iterator
from typing import Any

from tests.harness import Graph

DOCUMENTS = {
    "aws:iam/policy:Policy": "policy",
    "aws:iam/rolePolicy:RolePolicy": "policy",
    "aws:iam/role:Role": "assumeRolePolicy",
}


def documents(graph: Graph) -> dict[str, dict[str, Any]]:
    """Resource's name → policy document, of everything in the graph that has one."""
    return {each.name: each.policy(DOCUMENTS[each.type]) for each in graph.resources.values() if each.type in DOCUMENTS}


def statements(document: dict[str, Any]) -> Iterator[tuple[list[str], list[str]]]:
    """Actions and resources of each statement that allows something."""
    for each in document["Statement"]:
        if each["Effect"] == "Deny":
            continue
        yield _listed(each["Action"]), _listed(each.get("Resource", []))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
