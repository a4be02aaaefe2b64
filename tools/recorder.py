"""Runs a Pulumi program under Pulumi's mocks and records its whole graph: tests ask it, the docs draw it."""

import asyncio
import json
import logging
import runpy
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import yaml
from google.protobuf import json_format  # type: ignore[import-untyped]  # its stubs are a package more
from pulumi.runtime import mocks as pulumi_mocks
from pulumi.runtime import settings as pulumi_settings
from pulumi.runtime import stack as pulumi_stack
from pulumi.runtime.proto import resource_pb2

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "innolab-fbm"
REGION, ACCOUNT = "eu-central-1", "111122223333"

# How Pulumi marks a secret on the wire (pulumi.runtime.rpc, `_special_sig_key` and `_special_secret_sig`).
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"


class RecordingError(AssertionError):
    """The program did not do what a Pulumi program has to."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A registered resource, as it was asked for."""

    urn: str
    type: str
    name: str
    parent: str
    inputs: Mapping[str, Any]
    secret_inputs: frozenset[str]
    dependencies: frozenset[str]
    protect: bool
    retain_on_delete: bool

    def policy(self, key: str = "policy") -> dict[str, Any]:
        """The policy document in an input."""
        parsed: dict[str, Any] = json.loads(self.inputs[key])
        return parsed


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Everything that a program registered, exported and warned of."""

    stack: str
    resources: Mapping[str, Resource]
    outputs: Mapping[str, Any]
    secret_outputs: frozenset[str]
    warnings: tuple[str, ...]

    def of(self, type_: str) -> list[Resource]:
        """All resources of a type."""
        return [each for each in self.resources.values() if each.type == type_]

    def one(self, type_: str, name_end: str = "") -> Resource:
        """The one resource of a type whose name ends so."""
        found = [each for each in self.of(type_) if each.name.endswith(name_end)]
        if len(found) != 1:
            raise RecordingError(f"{len(found)} resources of type {type_} have a name that ends in {name_end!r}.")
        return found[0]

    def needs(self, resource: Resource) -> frozenset[str]:
        """The names of everything that has to be there before a resource, however far away."""
        known: set[str] = set()
        open_ = [*resource.dependencies, resource.parent]
        while open_:
            urn = open_.pop()
            if urn in self.resources and urn not in known:
                known.add(urn)
                open_ += [*self.resources[urn].dependencies, self.resources[urn].parent]
        return frozenset(self.resources[urn].name for urn in known)


class RecordingMonitor(pulumi_mocks.MockMonitor):
    """A monitor that keeps every request and notes what the Pulumi engine would refuse."""

    def __init__(self, mocks: pulumi_mocks.Mocks) -> None:
        super().__init__(mocks)
        self.recorded: dict[str, Resource] = {}
        self.outputs: dict[str, Any] = {}
        self.duplicates: list[str] = []
        self.lock = threading.Lock()

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        """Register a resource, and keep what was asked for."""
        response: resource_pb2.RegisterResourceResponse = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # Pulumi gives it none
        if request.type == "pulumi:pulumi:Stack":
            return response
        inputs = json_format.MessageToDict(request.object)
        with self.lock:
            if response.urn in self.recorded:
                self.duplicates.append(response.urn)
            self.recorded[response.urn] = Resource(
                urn=response.urn,
                type=request.type,
                name=request.name,
                parent=request.parent,
                inputs={key: unwrap(value) for key, value in inputs.items()},
                secret_inputs=frozenset(key for key, value in inputs.items() if is_secret(value)),
                dependencies=frozenset(request.dependencies),
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
            )
        return response

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> object:
        """Keep the stack's outputs."""
        if request.urn.split("::")[2] == "pulumi:pulumi:Stack":
            self.outputs.update(json_format.MessageToDict(request.outputs))
        answer: object = super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]  # Pulumi gives it none
        return answer


class FakeAws(pulumi_mocks.Mocks):
    """Answers each registration with what the program reads of it, made of the resource's name."""

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """The id and the outputs of a resource."""
        name = args.inputs.get("name") or f"{args.name}-1a2b3c4"
        service, kind = args.typ.split(":")[1].split("/") if args.typ.startswith("aws:") else ("", "")
        made: dict[str, Any] = {"arn": f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"}
        resource_id = name
        match args.typ.removeprefix("aws:"):
            case "sqs/queue:Queue":
                name = f"{name}.fifo" if args.inputs.get("fifoQueue") else name
                resource_id = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"
                made = {"url": resource_id, "arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"}
            case "ssm/parameter:Parameter":
                made = {"arn": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{name}"}
            case "lambda/function:Function":
                arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
                path = f"lambda:path/2015-03-31/functions/{arn}/invocations"
                made = {"arn": arn, "invokeArn": f"arn:aws:apigateway:{REGION}:{path}"}
            case "apigateway/restApi:RestApi":
                resource_id = "restapi1"
                execution_arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{resource_id}"
                made = {"rootResourceId": "root1", "executionArn": execution_arn}
            case "apigateway/stage:Stage":
                made = {"invokeUrl": f"https://restapi1.execute-api.{REGION}.amazonaws.com/{args.inputs['stageName']}"}
            case "iam/role:Role" | "iam/policy:Policy" | "iam/group:Group":
                made = {"arn": f"arn:aws:iam::{ACCOUNT}:{kind.partition(':')[0]}/{name}"}
            case "cloudwatch/logGroup:LogGroup":
                made = {"arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}"}
            case "dynamodb/table:Table":
                made = {"arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"}
        return resource_id, {**args.inputs, "name": name, **made}

    def call(self, args: pulumi_mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        """The answer to a function of the provider."""
        answers: dict[str, dict[str, Any]] = {
            "aws:index/getRegion:getRegion": {"region": REGION, "id": REGION},
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT, "id": ACCOUNT},
        }
        return answers[args.token], []


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def is_secret(value: object) -> bool:
    """Is this value, as it goes over the wire, a secret?"""
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET_SIGNATURE


def unwrap(value: object) -> object:
    """The value without the wrapping of secrets, at any depth."""
    if isinstance(value, dict):
        return unwrap(value["value"]) if is_secret(value) else {key: unwrap(each) for key, each in value.items()}
    if isinstance(value, list):
        return [unwrap(each) for each in value]
    return value


def project_defaults() -> dict[str, Any]:
    """Setting → default, of `Pulumi.yaml`."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    return {key: declared["default"] for key, declared in project["config"].items()}


def run_program(
    program: Callable[[], object],
    stack: str = "dev",
    config: Mapping[str, str] | None = None,
    secret_keys: Iterable[str] = (),
) -> Graph:
    """Run a program under mocks, wait for everything that it started, and return what it registered.

    Args:
        program: Registers resources when called.
        stack: The stack's name.
        config: Its configuration, as texts, with namespaces.
        secret_keys: Which of it is secret.

    Raises:
        RecordingError: If it registered nothing, or two resources of one URN.
        Exception: Whatever the program raised, in an `apply` too. It leaves traces in the process then: a program that
            is meant to fail runs in a process of its own.
    """
    warnings = _Warnings()
    logger = logging.getLogger("recorder.pulumi")
    logger.addHandler(warnings)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    monitor = RecordingMonitor(FakeAws())

    async def run() -> None:
        # What the program returns (a runpy namespace) must not look like something to await.
        await pulumi_stack.run_in_stack(lambda: (program(), None)[1])

    try:
        pulumi_settings.reset_options()
        pulumi.runtime.set_mocks(
            monitor.mocks, project=PROJECT, stack=stack, preview=False, logger=logger, monitor=monitor
        )
        pulumi.runtime.config.set_all_config(dict(config or {}), list(secret_keys))
        pulumi_settings.set_root_resource(None)  # type: ignore[arg-type]  # or the last run's stack would be the parent
        loop.run_until_complete(run())
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        asyncio.set_event_loop(None)
        logger.removeHandler(warnings)
    if monitor.duplicates:
        raise RecordingError(f"Two resources have one URN: {', '.join(monitor.duplicates)}")
    if not monitor.recorded:
        raise RecordingError("The program registered no resource.")
    return Graph(
        stack=stack,
        resources=monitor.recorded,
        outputs={key: unwrap(value) for key, value in monitor.outputs.items()},
        secret_outputs=frozenset(key for key, value in monitor.outputs.items() if is_secret(value)),
        warnings=tuple(warnings.messages),
    )


def run_main_file() -> None:
    """Run `__main__.py`: a program for `run_program`."""
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
