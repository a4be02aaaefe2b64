"""Reads every policy document of a graph, and checks it against the Service Authorization Reference."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from policy_sentry.querying.actions import get_action_data

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


ELEMENTS = {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
VARIABLE = re.compile(r"\$\{[^}]+\}")


def mistakes(document: dict[str, Any]) -> Iterator[str]:
    """What AWS would refuse or ignore in an identity policy, and actions on `*` that have resources of their own."""
    if document.keys() != {"Version", "Statement"} or document["Version"] != "2012-10-17":
        yield "not a policy of 2012-10-17"
    for each in document["Statement"]:
        actions, resources = each.get("Action", each.get("NotAction")), each.get("Resource", each.get("NotResource"))
        if not (each.keys() <= ELEMENTS and each["Effect"] in {"Allow", "Deny"} and actions and resources):
            yield f"not a statement: {each}"
            continue
        for action in _listed(actions):
            yield from _mistakes_of(action, _listed(resources), each)


def _mistakes_of(action: str, resources: list[str], statement: dict[str, Any]) -> Iterator[str]:
    service, _, name = action.partition(":")
    known = get_action_data(service, name)
    if not known:
        yield f"{action}: AWS has no such action"
        return
    formats = {each["resource_arn_format"] for each in known[service]}
    if resources == ["*"]:
        if statement["Effect"] == "Allow" and "*" not in formats:
            yield f"{action}: has resources of its own"
    elif not any(
        overlap(VARIABLE.sub("*", one), VARIABLE.sub("*", each)) for one in resources for each in formats - {"*"}
    ):
        yield f"{action}: none of {resources} is like {sorted(formats)}"
    keys = {VARIABLE.sub("", key).lower() for each in known[service] for key in each["condition_keys"]}
    for key in (key for operator in statement.get("Condition", {}).values() for key in operator):
        if not key.startswith("aws:") and not any(key.lower().startswith(each) for each in keys):
            yield f"{action}: has no condition key {key}"


@cache
def overlap(one: str, other: str) -> bool:
    """Whether some text matches both patterns, in which `*` stands for any text."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*":
        return overlap(one[1:], other) or overlap(one, other[1:])
    if other[0] == "*":
        return overlap(other, one)
    return one[0] == other[0] and overlap(one[1:], other[1:])
