"""What Pulumi's AWS provider does for each resource type, from ``facts.json``."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FACTS = Path(__file__).with_name("facts.json")


@dataclass(frozen=True)
class Argument:
    """One argument of a resource type.

    Attributes:
        name: in the provider's camelCase; one within a block is ``block.name``.
        facts: ``default``, ``awsDefault`` (AWS's own, where it is another one), ``replaces``, ``required``, ``set`` (in
            any order), ``computed`` (AWS chooses if the program does not), and what is allowed: ``oneOf``, ``range``,
            ``length``, ``pattern``, ``arn``, ``json``.
    """

    name: str
    facts: Mapping[str, Any]

    def objection(self, value: object) -> str:
        """Why the provider refuses a value; ``""`` if it does not."""
        facts = self.facts
        alone = value[0] if isinstance(value, list) and len(value) == 1 else value
        if "oneOf" in facts and alone not in facts["oneOf"]:
            return f"must be one of {', '.join(map(str, facts['oneOf']))}"
        if "range" in facts and isinstance(value, int | float) and not _within(value, facts["range"]):
            return f"must be {_bounds(facts['range'])}"
        if "length" in facts and isinstance(value, Sequence) and not _within(len(value), facts["length"]):
            return f"must have a length of {_bounds(facts['length'])}"
        return self._not_written_right(value) if isinstance(value, str) else ""

    def _not_written_right(self, value: str) -> str:
        if "pattern" in self.facts and not re.fullmatch(self.facts["pattern"], value, re.DOTALL):
            return f"must match {self.facts['pattern']}"
        if "arn" in self.facts and value and not value.startswith("arn:"):
            return "must be an ARN"
        if "json" in self.facts and value and not _is_json(value):
            return "must be JSON"
        return ""


def _within(number: float, bounds: Sequence[float | None]) -> bool:
    low, high = bounds
    return (low is None or number >= low) and (high is None or number <= high)


def _bounds(bounds: Sequence[float | None]) -> str:
    low, high = bounds
    return f"at least {low}" if high is None else f"{low} to {high}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Facts:
    """What the provider does for one resource type.

    Attributes:
        arguments: by name, those within blocks too.
        autoname: ``argument``, ``limit`` and possibly ``suffix`` of the name that the provider chooses; none if it
            chooses none.
        delete_first: whether a replacement is created only after the old resource is deleted.
        calls: the API calls of ``create``, ``read``, ``update`` and ``delete``, in order.
    """

    arguments: Mapping[str, Argument]
    autoname: Mapping[str, Any] | None
    delete_first: bool
    calls: Mapping[str, Any]

    def reads_back(self, calls: Sequence[str]) -> bool:
        """Whether the provider ends these calls by reading the resource."""
        return bool(calls) and calls[-1].rstrip("?*+") == self.calls["read"][-1].rstrip("?*+")


@cache
def _all() -> dict[str, Any]:
    types: dict[str, Any] = json.loads(FACTS.read_text(encoding="utf-8"))["types"]
    return types


@cache
def facts(resource_type: str) -> Facts:
    """The facts of a resource type, by the provider's token."""
    found = _all()[resource_type]
    return Facts(
        {name: Argument(name, each) for name, each in found["arguments"].items()},
        found["autoname"],
        found["deleteBeforeReplace"],
        found["calls"],
    )
