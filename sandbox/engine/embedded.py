"""Runs the Pulumi program and brings its resources to what it says, in a process of its own (``main``).

Pulumi's mocking runtime is the engine. A process a run, since the runtime keeps state in the process (a failed run
would leave its exception to the next) and the program's modules are to be read anew.

What the state holds already is changed in place, or replaced where AWS cannot; what the program no longer holds is
deleted last, dependents first. So does Pulumi's own engine.

Standard input: one line of JSON, the order (see ``sandbox.engine.deployment``); it stays open, and once it is closed
the process ends. Standard output: one line of JSON an event, ``event`` being ``resource``, ``deleted``, ``state``,
``log``, ``done`` or ``failed``. An event ``state`` holds an entry that is new or changed, its secrets in plain, or the
key of one that is ``gone``.
"""

import asyncio
import contextlib
import json
import logging
import os
import runpy
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

import pulumi
from botocore.exceptions import BotoCoreError, ClientError
from pulumi.runtime import mocks, rpc, set_all_config, settings
from pulumi.runtime.stack import run_in_stack

from sandbox.aws.clients import Clients
from sandbox.errors import SandboxError
from sandbox.provider import changes, resources

SIGNATURE = "4dabf18193072939515e22adb298388d"  # Pulumi: the key that marks a special value on the wire
SECRET = "[secret]"
STACK_TYPE = "pulumi:pulumi:Stack"


def plain(value: Any) -> Any:
    """A value as the provider sees it: secrets unwrapped, whole numbers as ``int`` (the wire knows only floats)."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == rpc._special_secret_sig:  # noqa: SLF001 - the runtime names it nowhere else
            return plain(value["value"])
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def shown(value: Any) -> Any:
    """A value as JSON that may be shown: each secret masked, code named by its paths."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == rpc._special_secret_sig:  # noqa: SLF001 - as above
            return SECRET
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, pulumi.AssetArchive):
        return {key: shown(part) for key, part in value.assets.items()}
    if isinstance(value, pulumi.Archive | pulumi.Asset):
        return os.path.relpath(getattr(value, "path", "(text)"))
    return int(value) if isinstance(value, float) and value.is_integer() else value


def existing(entry: Mapping[str, Any]) -> changes.Existing:
    """A resource as the state has it."""
    return changes.Existing(entry["type"], entry["name"], entry["id"], entry["inputs"], entry["outputs"])


class State:
    """What the stack holds: an entry a resource, in the order in which they were made. Each change of it is reported.

    Args:
        entries: what it held before.
        report: takes each change.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]], report: "Report") -> None:
        self._entries = {entry["key"]: dict(entry) for entry in entries}
        self._named: set[str] = set()
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
            self._named.add(entry["key"])
        self._report.send("state", entry=entry)

    def supersede(self, urn: str) -> None:
        """Note that another resource is taking the place of one, which is still to be deleted."""
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

    def unnamed(self) -> list[dict[str, Any]]:
        """What the program did not name (any more), each before all that it depends on."""
        left = {key: entry for key, entry in self._entries.items() if key not in self._named}
        ordered: list[dict[str, Any]] = []
        while left:
            needed = {urn for entry in left.values() for urn in entry["dependencies"]}
            free = [key for key, entry in left.items() if entry["urn"] not in needed] or list(left)
            ordered += [left.pop(key) for key in reversed(free)]
        return ordered


def delete_unnamed(account: resources.Account, state: State, report: "Report") -> None:
    """Delete what the program did not name, dependents first.

    Raises:
        SandboxError: something is protected (then nothing is deleted), or AWS refuses.
    """
    going = state.unnamed()
    if guarded := [entry["name"] for entry in going if entry["protect"]]:
        raise SandboxError(
            f"Protected against deletion: {', '.join(sorted(guarded))}. Nothing was deleted; deploy the stack with "
            "protectData off first."
        )
    for entry in going:
        if not entry["retain"]:
            try:
                changes.delete(account, existing(entry))
            except (BotoCoreError, ClientError) as error:
                raise SandboxError(f"{entry['type']} {entry['name']}: {error}") from None
        state.drop(entry["key"])
        report.send("deleted", urn=entry["urn"], type=entry["type"], name=entry["name"], kept=entry["retain"])


class Failure(Exception):
    """A resource could not be made; its sentence has been reported."""


class Deployment(mocks.Mocks):
    """Brings what the program registers into being.

    Args:
        account: where.
        report: takes each event.
        state: what there is already.
    """

    def __init__(self, account: resources.Account, report: "Report", state: State) -> None:
        self._account = account
        self._report = report
        self._state = state
        self.registering = threading.local()
        """Of each thread, ``request``: the registration that it is dealing with; then ``what`` was done."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Make, change or keep one resource; a component is only noted. Called on worker threads, several at a time."""
        self.registering.what = ""
        if not args.custom:
            return "", {}
        if self._report.failed:
            raise Failure  # what fails first is told; what came after it is not even tried
        inputs = plain(args.inputs)
        try:
            made = self._bring(args.typ, args.name, inputs)
        except (SandboxError, BotoCoreError, ClientError) as error:
            self._report.fail(f"{args.typ} {args.name}: {error}")
            raise Failure from None
        return made.id, {**args.inputs, **made.outputs}

    def _bring(self, resource_type: str, name: str, inputs: dict[str, Any]) -> resources.Made:
        request = self.registering.request
        urn = self.registering.urn
        entry = self._state.current(urn)
        old = existing(entry) if entry else None
        if old and not changes.changed_keys(old.inputs, inputs):
            what, made = "same", resources.Made(old.id, old.outputs)
        elif old and not changes.replaced(old, inputs):
            what, made = "changed", changes.change(self._account, old, inputs)
        else:
            if entry and entry["protect"]:
                raise SandboxError("It is protected, and this change would replace it: set its protection off first.")
            what, made = "replaced" if old else "made", resources.make(self._account, resource_type, name, inputs)
        self.registering.what = what
        if what == "replaced":
            self._state.supersede(urn)
        self._state.put(
            {
                "key": urn,
                "urn": urn,
                "type": resource_type,
                "name": name,
                "id": made.id,
                "inputs": changes.comparable(inputs),
                "outputs": dict(made.outputs),
                "dependencies": list(request.dependencies),
                "protect": request.protect,
                "retain": request.retainOnDelete,
            }
        )
        if what != "same" and self._account.client is not self._account.owner:
            # The provider reads what it wrote; an owner lacks no right, so that would only cost time.
            changes.read(self._account, changes.Existing(resource_type, name, made.id, inputs, made.outputs))
        return made

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:  # type: ignore[override]  # the runtime takes a bare dict too
        """Answer a look-up of the provider's."""
        try:
            return resources.invoke(self._account, args.token)
        except (SandboxError, ClientError) as error:
            self._report.fail(str(error))
            raise Failure from None


class Monitor(mocks.MockMonitor):
    """The resource monitor: tells of each registration what a stack's state would hold of it."""

    def __init__(self, deployment: Deployment, report: "Report") -> None:
        super().__init__(deployment)
        self._report = report
        self._deployment = deployment

    def RegisterResource(self, request: Any) -> Any:
        """Register one resource, and report it."""
        started = time.monotonic()
        self._deployment.registering.request = request
        self._deployment.registering.urn = self.make_urn(request.parent, request.type, request.name)
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the runtime's own lack
        self._report.send(
            "resource",
            urn=response.urn,
            type=request.type,
            name=request.name,
            id=response.id,
            inputs=shown(rpc.deserialize_properties(request.object)),
            what=getattr(self._deployment.registering, "what", ""),
            seconds=round(time.monotonic() - started, 3),
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:
        """Keep the stack's outputs."""
        if request.urn.endswith(f"::{STACK_TYPE}::{settings.get_project()}-{settings.get_stack()}"):
            exported = rpc.deserialize_properties(request.outputs)
            self._report.outputs = {key: {"value": plain(v), "shown": shown(v)} for key, v in exported.items()}
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]  # the runtime's own lack


class Report:
    """Tells the events of a run, a line each, from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self.failed = False
        self.outputs: dict[str, dict[str, Any]] = {}

    def send(self, event: str, **content: Any) -> None:
        """Tell one event."""
        with self._lock:
            self._stream.write(json.dumps({"event": event, **content}) + "\n")
            self._stream.flush()

    def fail(self, sentence: str) -> None:
        """Tell why the run failed; only the first reason counts."""
        with self._lock:
            first, self.failed = not self.failed, True
        if first:
            self.send("failed", message=sentence)


class Log(logging.Handler):
    """Passes on what the program logs with ``pulumi.log``."""

    def __init__(self, report: Report) -> None:
        super().__init__(logging.INFO)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one message on."""
        self._report.send("log", severity=record.levelname.lower(), message=record.getMessage())


def sentence(error: BaseException, folder: Path) -> str:
    """What to tell of an exception of the program's: its own words if it has a sentence, else also where it was.

    Exceptions that the program defines itself, and Pulumi's own, are sentences for the user.
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
    """The modules loaded from the program's folder, its installed packages left out."""
    files = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
    return {"__main__"} | {
        name
        for name, file in files.items()
        if file and Path(file).is_relative_to(folder) and "site-packages" not in file
    }


def run(order: Mapping[str, Any], report: Report) -> None:
    """Bring a stack to what its program says, or delete all of it; every outcome is reported."""
    url, region = order["url"], order["region"]
    owner = Clients(url, region, tuple(order["owner"]))
    deploying = owner if order["key"] == order["owner"] else Clients(url, region, tuple(order["key"]))
    account = resources.Account(url, region, deploying, owner)
    for user in order["users"]:
        with contextlib.suppress(owner("iam").exceptions.EntityAlreadyExistsException):
            owner("iam").create_user(UserName=user)
    state = State(order["state"], report)
    folder = Path(order["folder"])
    try:
        if not order["destroy"]:
            run_program(order, folder, Deployment(account, report, state), report)
        if not report.failed:
            for check in account.unchecked:
                check()
            delete_unnamed(account, state, report)
    except (SandboxError, BotoCoreError, ClientError) as error:
        report.fail(str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the program raises is told as a sentence
        report.fail(sentence(error, folder))
    if not report.failed:
        report.send("done", outputs=report.outputs)


def run_program(order: Mapping[str, Any], folder: Path, deployment: Deployment, report: Report) -> None:
    """Run the program to its end, whatever it registers being brought into being.

    Raises:
        Exception: whatever the program raises.
    """
    logger = logging.getLogger("sandbox.program")
    logger.addHandler(Log(report))
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it would retell the failure, with its traceback
    asyncio.set_event_loop(asyncio.new_event_loop())
    settings.reset_options()
    mocks.set_mocks(
        deployment, project=order["project"], stack=order["stack"], preview=False, logger=logger,
        monitor=Monitor(deployment, report),
    )  # fmt: skip
    set_all_config(dict(order["config"]), list(order["secretKeys"]))
    settings.set_root_resource(None)  # type: ignore[arg-type]  # none yet: the run makes the stack itself

    def program() -> None:
        runpy.run_path(str(folder / "__main__.py"), run_name="__main__")

    os.chdir(folder)
    sys.path.insert(0, str(folder))
    asyncio.get_event_loop().run_until_complete(run_in_stack(program))


def _end_with_parent() -> None:
    """End at once when standard input is closed: nobody waits for the outcome any more."""
    while sys.stdin.read(1):
        pass
    os._exit(1)


def main() -> None:
    """Carry out the order on standard input."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the program prints must not mix with the events
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    run(order, Report(stream))
    stream.flush()
    os._exit(0)  # Pulumi's threads would be waited for
