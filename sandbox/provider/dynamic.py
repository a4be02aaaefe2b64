"""Resources whose provider is a part of the program: Pulumi's dynamic resources, in Python."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dill  # type: ignore[import-untyped]  # it has no types
from pulumi import dynamic

from sandbox.errors import SandboxError
from sandbox.provider.account import Account
from sandbox.provider.facts import Facts
from sandbox.provider.resource import Diff, Existing, Inputs, ResourceType

PROVIDER = "__provider"


class DynamicResource(ResourceType):
    """A dynamic resource. Its own provider makes the calls, as in Pulumi's `pulumi.dynamic`."""

    type_name = "pulumi-python:dynamic:Resource"

    @property
    def facts(self) -> Facts:
        """AWS's provider has nothing to do with it."""
        return Facts({}, None, delete_first=False, calls={})

    def check(self, name: str, inputs: Inputs, old: Inputs | None = None) -> dict[str, Any]:  # noqa: ARG002 - it has no name
        """The inputs as its provider completes them."""
        with _failures():
            checked = _provider(inputs).check(dict(old or {}), dict(inputs))
        return {**checked.inputs, PROVIDER: inputs[PROVIDER]}

    def diff(self, old: Inputs, inputs: Inputs) -> Diff:
        """What its provider finds changed."""
        with _failures():
            found = _provider(inputs).diff("", dict(old), dict(inputs))
        changed = frozenset(key for key in old.keys() | inputs.keys() if old.get(key) != inputs.get(key))
        return Diff(
            changed - {PROVIDER} if found.changes else frozenset(),
            frozenset(found.replaces or ()),
            bool(found.delete_before_replace),
        )

    def create(self, account: Account, inputs: Inputs) -> Existing:  # noqa: ARG002 - it is not in AWS
        """Create it."""
        with _failures():
            created = _provider(inputs).create(dict(inputs))
        return Existing(created.id, {**(created.outs or {}), PROVIDER: inputs[PROVIDER]})

    def read(self, account: Account, known: Existing) -> Existing | None:  # noqa: ARG002 - it is not in AWS
        """Read it."""
        with _failures():
            found = _provider(known.inputs).read(known.id, dict(known.inputs))
        return Existing(found.id, {**(found.outs or {}), PROVIDER: known.inputs[PROVIDER]}) if found.id else None

    def update(self, account: Account, old: Existing, inputs: Inputs) -> Existing:  # noqa: ARG002 - it is not in AWS
        """Change it."""
        with _failures():
            updated = _provider(inputs).update(old.id, dict(old.inputs), dict(inputs))
        return Existing(old.id, {**(updated.outs or {}), PROVIDER: inputs[PROVIDER]})

    def delete(self, account: Account, old: Existing) -> None:  # noqa: ARG002 - it is not in AWS
        """Delete it."""
        with _failures():
            _provider(old.inputs).delete(old.id, dict(old.inputs))

    def _create(self, account: Account, inputs: Inputs) -> str:
        raise NotImplementedError

    _read = _delete = _create  # type: ignore[assignment]  # `create`, `read` and `delete` need none of them


def _provider(inputs: Mapping[str, Any]) -> dynamic.ResourceProvider:
    provider: dynamic.ResourceProvider = dill.loads(base64.b64decode(inputs[PROVIDER]))  # noqa: S301 - the program made it
    return provider


@contextmanager
def _failures() -> Iterator[None]:
    """Pass on why a provider fails. A program's own provider may raise anything."""
    try:
        yield
    except Exception as error:
        raise SandboxError(str(error)) from error
