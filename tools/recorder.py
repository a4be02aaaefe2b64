"""Runs a Pulumi program under Pulumi's mocks and records its whole graph: tests ask it, the docs draw it."""

import json
import logging
import runpy
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from sandbox import configuration
from sandbox.engine import program as pulumi_program
from sandbox.engine.program import Engine, Registration, is_secret, plain

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "innolab-fbm"
REGION, ACCOUNT = "eu-central-1", "111122223333"
Inputs = Mapping[str, Any]


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


class Recorder(Engine):
    """Records what a program registers, and answers with what the program reads of it."""

    def __init__(self) -> None:
        self.recorded: dict[str, Resource] = {}
        self.outputs: dict[str, Any] = {}
        self.secret_outputs: frozenset[str] = frozenset()
        self.duplicates: list[str] = []
        self._lock = threading.Lock()

    def register(self, registration: Registration) -> tuple[str, Mapping[str, Any]]:
        """Record it."""
        inputs = {key: as_json(plain(value)) for key, value in registration.inputs.items()}
        with self._lock:
            if registration.urn in self.recorded:
                self.duplicates.append(registration.urn)
            self.recorded[registration.urn] = Resource(
                urn=registration.urn,
                type=registration.type,
                name=registration.name,
                parent=registration.parent,
                inputs=inputs,
                secret_inputs=frozenset(key for key, value in registration.inputs.items() if is_secret(value)),
                dependencies=registration.dependencies,
                protect=registration.protect,
                retain_on_delete=registration.retain_on_delete,
            )
        return created(registration.type, registration.name, inputs)

    def look_up(self, token: str) -> dict[str, Any]:
        """Answer with made-up values."""
        return LOOKUPS[token]

    def export(self, outputs: Mapping[str, Any]) -> None:
        """Record them."""
        self.outputs.update({key: plain(value) for key, value in outputs.items()})
        self.secret_outputs |= {key for key, value in outputs.items() if is_secret(value)}


def as_json(value: object) -> object:
    """A value with archives and assets as what they hold: ``path``, ``assets`` or ``text``."""
    match value:
        case pulumi.AssetArchive():
            return {"assets": {name: as_json(part) for name, part in value.assets.items()}}
        case pulumi.FileArchive() | pulumi.FileAsset():
            return {"path": str(value.path)}
        case pulumi.StringAsset():
            return {"text": value.text}
    return value


LOOKUPS: dict[str, dict[str, Any]] = {
    "aws:index/getRegion:getRegion": {"region": REGION, "id": REGION},
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT, "id": ACCOUNT},
    "aws:index/getPartition:getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com", "id": "aws"},
}


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def _function(name: str, _: Inputs) -> Inputs:
    arn = _arn("lambda", f"function:{name}")
    return {"arn": arn, "invokeArn": f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"}


def _alias(name: str, inputs: Inputs) -> Inputs:
    return _function(f"{inputs['functionName']}:{name}", inputs)


def _certificate(_: str, inputs: Inputs) -> Inputs:
    record = {"resourceRecordName": f"_proof.{inputs['domainName']}.", "resourceRecordType": "CNAME"}
    return {"domainValidationOptions": [{**record, "resourceRecordValue": "proof.acm-validations.aws."}]}


API_ID = "restapi1"
EXECUTE = f"execute-api.{REGION}.amazonaws.com"
OUTPUTS: Mapping[str, Callable[[str, Inputs], Inputs]] = {
    "sqs/queue:Queue": lambda name, _: {"url": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"},
    "ssm/parameter:Parameter": lambda name, _: {"arn": _arn("ssm", f"parameter{name}")},
    "lambda/function:Function": lambda name, inputs: {**_function(name, inputs), "version": "1"},
    "lambda/alias:Alias": _alias,
    "apigateway/restApi:RestApi": lambda *_: {"rootResourceId": "root1", "executionArn": _arn("execute-api", API_ID)},
    "apigateway/stage:Stage": lambda _, inputs: {"invokeUrl": f"https://{API_ID}.{EXECUTE}/{inputs['stageName']}"},
    "iam/role:Role": lambda name, _: {"arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"},
    "iam/policy:Policy": lambda name, _: {"arn": f"arn:aws:iam::{ACCOUNT}:policy/{name}"},
    "iam/group:Group": lambda name, _: {"arn": f"arn:aws:iam::{ACCOUNT}:group/{name}"},
    "cloudwatch/logGroup:LogGroup": lambda name, _: {"arn": _arn("logs", f"log-group:{name}")},
    "dynamodb/table:Table": lambda name, _: {"arn": _arn("dynamodb", f"table/{name}")},
    "acm/certificate:Certificate": _certificate,
    "apigateway/domainName:DomainName": lambda *_: {
        "regionalDomainName": f"d-name1.{EXECUTE}",
        "regionalZoneId": "Z2OJLYMUO9EFXC",
    },
    "route53/record:Record": lambda _, inputs: {"fqdn": inputs["name"]},
}
"""What a program reads of a resource, from its name and inputs, by the provider's type."""


def created(type_: str, logical_name: str, inputs: Inputs) -> tuple[str, dict[str, Any]]:
    """An id and outputs such as AWS would give a resource, made from its name."""
    kind = type_.removeprefix("aws:")
    name = inputs.get("name") or f"{logical_name}-1a2b3c4"
    if inputs.get("fifoQueue"):
        name = f"{name}.fifo"
    outputs = {"arn": _arn(kind.partition("/")[0], name), **(OUTPUTS[kind](name, inputs) if kind in OUTPUTS else {})}
    resource_id = {"sqs/queue:Queue": outputs.get("url"), "apigateway/restApi:RestApi": API_ID}.get(kind) or name
    return resource_id, {"name": name, **outputs}


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def project_defaults() -> dict[str, Any]:
    """Setting → default, of `Pulumi.yaml`."""
    return configuration.defaults(ROOT)


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
    recorder = Recorder()
    try:
        pulumi_program.run(
            program,
            recorder,
            project=PROJECT,
            stack=stack,
            config=config or {},
            secret_keys=secret_keys,
            logger=logger,
        )
    finally:
        logger.removeHandler(warnings)
    if recorder.duplicates:
        raise RecordingError(f"Two resources have one URN: {', '.join(recorder.duplicates)}")
    if not recorder.recorded:
        raise RecordingError("The program registered no resource.")
    return Graph(
        stack=stack,
        resources=recorder.recorded,
        outputs=recorder.outputs,
        secret_outputs=recorder.secret_outputs,
        warnings=tuple(warnings.messages),
    )


def run_main_file() -> None:
    """Run `__main__.py`: a program for `run_program`."""
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
