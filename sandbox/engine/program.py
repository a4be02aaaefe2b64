"""Runs a Pulumi program on Pulumi's mocking runtime: for the embedded engine, and for the recorder in ``tools``."""

import asyncio
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc, set_all_config, settings
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.stack import run_in_stack

from sandbox.provider.archives import SIGNATURE

Json = Any
"""What JSON can hold."""
STACK_TYPE = "pulumi:pulumi:Stack"
SECRET_SIGNATURE = rpc._special_secret_sig  # noqa: SLF001 - the runtime names it nowhere else


def is_secret(value: object) -> bool:
    """Whether a value, as it goes over the wire, is a secret."""
    return isinstance(value, Mapping) and value.get(SIGNATURE) == SECRET_SIGNATURE


def plain(value: Json) -> Json:
    """A value as a provider sees it: secrets unwrapped, whole numbers as ``int`` (the wire knows only floats)."""
    if is_secret(value):
        return plain(value["value"])
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A resource as the program registers it.

    Attributes:
        urn, type, name, parent: its identity; the parent's URN is ``""`` if it has none.
        custom: whether a provider manages it; otherwise it is a component.
        inputs: in the provider's camelCase, secrets still wrapped.
        dependencies: the URNs of the resources that it depends on.
        protect, retain_on_delete, ignore_changes: its options.
    """

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: Mapping[str, Any]
    dependencies: frozenset[str]
    protect: bool
    retain_on_delete: bool
    ignore_changes: tuple[str, ...]


class Engine(ABC):
    """What answers a program: it brings resources into being, or pretends to."""

    @abstractmethod
    def register(self, registration: Registration) -> tuple[str, Mapping[str, Any]]:
        """The id and the outputs of a resource. Called on worker threads, several at a time."""

    @abstractmethod
    def look_up(self, token: str) -> dict[str, Any]:
        """The answer to a look-up of the provider."""

    @abstractmethod
    def export(self, outputs: Mapping[str, Any]) -> None:
        """Take the stack's outputs, secrets still wrapped."""


class _Answers(mocks.Mocks):
    """What the mocking runtime asks for; registrations go to the engine directly, since they say more."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.registering = threading.local()

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        request, urn = self.registering.request, self.registering.urn
        resource_id, outputs = self._engine.register(
            Registration(
                urn=urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                custom=request.custom,
                inputs=args.inputs,
                dependencies=frozenset(request.dependencies),
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                ignore_changes=tuple(request.ignoreChanges),
            )
        )
        return resource_id, {**args.inputs, **outputs}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return self._engine.look_up(args.token), []


class _Monitor(mocks.MockMonitor):
    def __init__(self, engine: Engine) -> None:
        self._answers = _Answers(engine)
        super().__init__(self._answers)
        self._engine = engine

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        self._answers.registering.request = request
        self._answers.registering.urn = self.make_urn(request.parent, request.type, request.name)
        response: resource_pb2.RegisterResourceResponse = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the runtime's own lack
        return response

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> object:
        if request.urn.split("::")[2] == STACK_TYPE:
            self._engine.export(rpc.deserialize_properties(request.outputs))
        answer: object = super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]  # as above
        return answer


def run(
    program: Callable[[], object],
    engine: Engine,
    *,
    project: str,
    stack: str,
    config: Mapping[str, str],
    secret_keys: Iterable[str],
    logger: logging.Logger,
) -> None:
    """Run a program to its end, with everything that it started.

    Args:
        program: registers resources when called.
        engine: answers it.
        project: the project's name.
        stack: the stack's name.
        config: its configuration by full key, as text.
        secret_keys: the full keys whose values are secret.
        logger: takes what the program logs with ``pulumi.log``.

    Raises:
        Exception: whatever the program or the engine raises. It leaves traces in the process: a program that may fail
            runs in a process of its own.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        settings.reset_options()
        monitor = _Monitor(engine)
        pulumi.runtime.set_mocks(
            monitor.mocks, project=project, stack=stack, preview=False, logger=logger, monitor=monitor
        )
        set_all_config(dict(config), list(secret_keys))
        settings.set_root_resource(None)  # type: ignore[arg-type]  # or the last run's stack would be the parent
        # What the program returns (a module's namespace) must not look like something to await.
        loop.run_until_complete(run_in_stack(lambda: (program(), None)[1]))
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        asyncio.set_event_loop(None)
