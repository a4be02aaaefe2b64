"""The embedded engine: runs the Pulumi program and brings its resources to what it says (``main``).

It runs in a process of its own, since Pulumi's runtime keeps state in the process and the program's modules have to be
read again. Resources are created and changed as the program registers them. What the program does not register is
deleted at the end, dependents first. So does Pulumi's own engine.
"""

import logging
import os
import runpy
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import pulumi
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.aws.clients import Clients
from sandbox.engine.process import Report, make_users, serve
from sandbox.engine.program import Engine, Json, Registration, is_secret, plain, run
from sandbox.errors import SandboxError
from sandbox.provider.account import Account
from sandbox.provider.catalog import resource_type
from sandbox.provider.lookups import look_up
from sandbox.provider.resource import Existing, comparable, ignoring_changes

MASK = "[secret]"
"""What stands in a secret's place."""
REFUSALS = (SandboxError, BotoCoreError, ClientError)

Operation = Literal["", "same", "made", "changed", "replaced"]


def shown(value: Json) -> Json:
    """A value as JSON that may be shown: secrets masked, code as its paths."""
    if is_secret(value):
        return MASK
    if isinstance(value, Mapping):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, pulumi.AssetArchive):
        return {key: shown(part) for key, part in value.assets.items()}
    if isinstance(value, pulumi.Archive | pulumi.Asset):
        return os.path.relpath(getattr(value, "path", "(text)"))
    return plain(value)


def existing(entry: Mapping[str, Any]) -> Existing:
    """A resource as the state has it."""
    return Existing(entry["id"], entry["inputs"], entry["outputs"])


class State:
    """What the stack holds: an entry for each resource, in the order of creation. Each change is reported.

    Args:
        entries: what it held before.
        report: takes each change.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]], report: Report) -> None:
        self._entries = {entry["key"]: dict(entry) for entry in entries}
        self._registered: set[str] = set()
        self._report = report
        self._lock = threading.Lock()

    def current(self, urn: str) -> Mapping[str, Any] | None:
        """The entry of a resource; none if there is no such resource yet."""
        return self._entries.get(urn)

    def put(self, entry: dict[str, Any]) -> None:
        """Note a resource of the program, as it is now."""
        with self._lock:
            self._entries.pop(entry["key"], None)
            self._entries[entry["key"]] = entry
            self._registered.add(entry["key"])
        self._report.send("state", entry=entry)

    def supersede(self, urn: str) -> None:
        """Note that a resource is being replaced; it is still to be deleted."""
        with self._lock:
            entry = self._entries.pop(urn)
            key = f"{urn} replaced {entry['id']}"
            self._entries[key] = {**entry, "key": key, "protect": False}
        self._report.send("state", gone=urn)
        self._report.send("state", entry=self._entries[key])

    def drop(self, key: str) -> None:
        """Note that a resource is gone."""
        with self._lock:
            del self._entries[key]
        self._report.send("state", gone=key)

    def registered(self) -> list[dict[str, Any]]:
        """What the program registered in this run."""
        return [entry for key, entry in self._entries.items() if key in self._registered]

    def unregistered(self) -> list[dict[str, Any]]:
        """What the program did not register, each before everything that it depends on."""
        left = {key: entry for key, entry in self._entries.items() if key not in self._registered}
        ordered: list[dict[str, Any]] = []
        while left:
            needed = {urn for entry in left.values() for urn in entry["dependencies"]}
            free = [key for key, entry in left.items() if entry["urn"] not in needed] or list(left)
            ordered += [left.pop(key) for key in reversed(free)]
        return ordered


def delete_unregistered(account: Account, state: State, report: Report) -> None:
    """Delete what the program did not register, dependents first.

    Raises:
        SandboxError: something is protected (then nothing is deleted), or AWS refuses.
    """
    going = state.unregistered()
    if guarded := [entry["name"] for entry in going if entry["protect"]]:
        raise SandboxError(
            f"Protected against deletion: {', '.join(sorted(guarded))}. Nothing was deleted. (So does `pulumi "
            "destroy`; with --skip-preview it deletes the rest first.) Deploy the stack with protectData off before."
        )
    for entry in going:
        if not entry["retain"]:
            try:
                resource_type(entry["type"]).delete(account, existing(entry))
            except (BotoCoreError, ClientError) as error:
                raise SandboxError(f"{entry['type']} {entry['name']}: {error}") from None
        state.drop(entry["key"])
        report.send("deleted", urn=entry["urn"], type=entry["type"], name=entry["name"], kept=entry["retain"])


class FailureReported(Exception):
    """A resource could not be created or changed; the reason has been reported."""


class EmbeddedEngine(Engine):
    """Brings what the program registers into being.

    Args:
        account: where.
        report: takes each event.
        state: what exists already.
    """

    def __init__(self, account: Account, report: Report, state: State) -> None:
        self._account, self._report, self._state = account, report, state

    def register(self, registration: Registration) -> tuple[str, Mapping[str, Any]]:
        """Create, change or keep a resource; only note a component."""
        if self._report.failed:
            raise FailureReported  # after the first failure nothing else is tried
        started = time.monotonic()
        operation: Operation = ""
        resource = Existing("", {})
        if registration.custom:
            try:
                operation, resource = self._bring(registration)
            except REFUSALS as error:
                self._report.fail(f"{registration.type} {registration.name}: {error}")
                raise FailureReported from None
        self._report.send(
            "resource",
            urn=registration.urn,
            type=registration.type,
            name=registration.name,
            id=resource.id,
            inputs=shown(registration.inputs),
            what=operation,
            seconds=round(time.monotonic() - started, 3),
        )
        # What the provider chose is for the program to read, too, but never its own value of a secret.
        visible = {key: value for key, value in resource.inputs.items() if key not in registration.inputs}
        return resource.id, {**visible, **resource.outputs}

    def _bring(self, registration: Registration) -> tuple[Operation, Existing]:
        kind, urn, name = resource_type(registration.type), registration.urn, registration.name
        given = plain(registration.inputs)
        kind.refuse_defaults(given)
        entry = self._state.current(urn)
        operation: Operation
        if entry is None:
            operation, resource = "made", kind.create(self._account, kind.check(name, given))
        else:
            old = existing(entry)
            inputs = kind.check(name, ignoring_changes(registration.ignore_changes, old.inputs, given), old.inputs)
            diff = kind.diff(old.inputs, inputs)
            if not diff.changed:
                operation, resource = "same", old
            elif not diff.replaces:
                operation, resource = "changed", kind.update(self._account, old, inputs)
            elif entry["protect"]:
                raise SandboxError("It is protected, and this change would replace it: set its protection off first.")
            else:
                inputs = kind.check(name, given)
                if diff.delete_first:
                    kind.delete(self._account, old)
                    self._state.drop(urn)
                operation, resource = "replaced", kind.create(self._account, inputs)
                if not diff.delete_first:
                    self._state.supersede(urn)
        self._state.put(
            {
                "key": urn,
                "urn": urn,
                "type": registration.type,
                "name": name,
                "id": resource.id,
                "inputs": comparable(resource.inputs),
                "outputs": dict(resource.outputs),
                "dependencies": sorted(registration.dependencies),
                "protect": registration.protect,
                "retain": registration.retain_on_delete,
            }
        )
        return operation, resource

    def look_up(self, token: str) -> dict[str, Any]:
        """Answer as the provider does."""
        try:
            return look_up(self._account, token)
        except REFUSALS as error:
            self._report.fail(str(error))
            raise FailureReported from None

    def export(self, outputs: Mapping[str, Any]) -> None:
        """Report the outputs once the run is over."""
        self._report.outputs = {key: {"value": plain(value), "shown": shown(value)} for key, value in outputs.items()}


class Log(logging.Handler):
    """Passes on what the program logs with ``pulumi.log``."""

    def __init__(self, report: Report) -> None:
        super().__init__(logging.INFO)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        """Report one message."""
        self._report.send("log", severity=record.levelname.lower(), message=record.getMessage())


def sentence(error: BaseException, folder: Path) -> str:
    """How to report an exception of the program: in its own words if they are meant for the user, else with its place.

    The words are meant for the user if the program defines the exception itself, or if it is Pulumi's own.
    """
    words = " ".join(part for part in (type(error).__name__, str(error)) if part)
    spoken = isinstance(error, pulumi.RunError) or type(error).__module__ in own_modules(folder)
    if spoken and str(error):
        return str(error)
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(folder)
    ]
    where = f" ({Path(frames[-1].filename).relative_to(folder)}, line {frames[-1].lineno})" if frames else ""
    return f"The program failed: {words}{where}"


def own_modules(folder: Path) -> set[str]:
    """The modules loaded from the program's folder, without its installed packages."""
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    return {"__main__"} | {
        name
        for name, file in files.items()
        if file and Path(file).is_relative_to(folder) and "site-packages" not in file
    }


def carry_out(order: Mapping[str, Any], report: Report) -> None:
    """Bring a stack to what its program says, or delete all of it; every outcome is reported."""
    url, region = order["url"], order["region"]
    owner = Clients(url, region, tuple(order["owner"]))
    deploying = owner if order["key"] == order["owner"] else Clients(url, region, tuple(order["key"]))
    account = Account(url, region, deploying, owner)
    make_users(owner, order["users"])
    state = State(order["state"], report)
    folder = Path(order["folder"])
    try:
        if order["command"] == "deploy":
            run_program(order, folder, EmbeddedEngine(account, report, state), report)
        if not report.failed:
            for entry in state.registered():
                resource_type(entry["type"]).verify(account, existing(entry))
            delete_unregistered(account, state, report)
    except REFUSALS as error:
        report.fail(str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the program raises is reported as a sentence
        report.fail(sentence(error, folder))
    if not report.failed:
        report.send("done", outputs=report.outputs)


def run_program(order: Mapping[str, Any], folder: Path, engine: Engine, report: Report) -> None:
    """Run the program to its end.

    Raises:
        Exception: whatever the program raises.
    """
    logger = logging.getLogger("sandbox.program")
    logger.addHandler(Log(report))
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it would repeat the failure, with its traceback
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    run(
        lambda: runpy.run_path(str(folder / "__main__.py"), run_name="__main__"),
        engine,
        project=order["project"],
        stack=order["stack"],
        config=order["config"],
        secret_keys=order["secretKeys"],
        logger=logger,
    )


if __name__ == "__main__":
    serve(carry_out)
