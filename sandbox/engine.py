"""Runs the Pulumi program and makes its resources: ``python -m sandbox.engine``, in a process of its own.

Pulumi's mocking runtime is the engine. A process a run, since the runtime keeps state in the process (a failed run
would leave its exception to the next) and the program's modules are to be read anew.

Standard input: one line of JSON, the order (see ``sandbox.deployment``); it stays open, and once it is closed the
process ends. Standard output: one line of JSON an event, ``event`` being ``resource``, ``log``, ``done`` or ``failed``.
"""

import asyncio
import json
import logging
import os
import runpy
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import pulumi
from botocore.exceptions import BotoCoreError, ClientError
from pulumi.runtime import mocks, rpc, set_all_config, settings
from pulumi.runtime.stack import run_in_stack

from sandbox import resources
from sandbox.clients import Clients
from sandbox.errors import SandboxError

SIGNATURE = "4dabf18193072939515e22adb298388d"  # Pulumi: the key that marks a special value on the wire
SECRET = "[secret]"  # noqa: S105 - what stands in a secret's place
STACK_TYPE = "pulumi:pulumi:Stack"


def plain(value: Any) -> Any:  # noqa: ANN401 - any value of an input
    """A value as the provider sees it: secrets unwrapped, whole numbers as ``int`` (the wire knows only floats)."""
    if isinstance(value, Mapping):
        if value.get(SIGNATURE) == rpc._special_secret_sig:  # noqa: SLF001 - the runtime names it nowhere else
            return plain(value["value"])
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def shown(value: Any) -> Any:  # noqa: ANN401 - any value of an input
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


class Failure(Exception):
    """A resource could not be made; its sentence has been reported."""


class Deployment(mocks.Mocks):
    """Makes what the program registers.

    Args:
        account: where to make it.
        report: takes each event.
    """

    def __init__(self, account: resources.Account, report: "Report") -> None:
        self._account = account
        self._report = report

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Make one resource; a component is only noted. Called on worker threads, several at a time."""
        if not args.custom:
            return "", {}
        if self._report.failed:
            raise Failure  # what fails first is told; what came after it is not even tried
        inputs = plain(args.inputs)
        try:
            made = resources.make(self._account, args.typ, args.name, inputs)
        except (SandboxError, BotoCoreError, ClientError) as error:
            self._report.fail(f"{args.typ} {args.name}: {error}")
            raise Failure from None
        return made.id, {**args.inputs, **made.outputs}

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

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802 - the runtime's method and types
        """Register one resource, and report it."""
        started = time.monotonic()
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # the runtime's own lack
        self._report.send(
            "resource",
            urn=response.urn,
            type=request.type,
            name=request.name,
            id=response.id,
            inputs=shown(rpc.deserialize_properties(request.object)),
            seconds=round(time.monotonic() - started, 3),
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: ANN401, N802 - the runtime's method and types
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

    def send(self, event: str, **content: Any) -> None:  # noqa: ANN401 - what is JSON
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
    """Run a program and make its resources; every outcome is reported."""
    folder = Path(order["folder"])
    url, region = order["url"], order["region"]
    owner = Clients(url, region, tuple(order["owner"]))
    deploying = owner if order["key"] == order["owner"] else Clients(url, region, tuple(order["key"]))
    account = resources.Account(url, region, deploying, owner)
    for user in order["users"]:
        owner("iam").create_user(UserName=user)
    logger = logging.getLogger("sandbox.program")
    logger.addHandler(Log(report))
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it would retell the failure, with its traceback
    deployment = Deployment(account, report)
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
    try:
        asyncio.get_event_loop().run_until_complete(run_in_stack(program))
        for check in account.unchecked if not report.failed else ():
            check()
    except (SandboxError, BotoCoreError, ClientError) as error:
        report.fail(str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the program raises is told as a sentence
        report.fail(sentence(error, folder))
    if not report.failed:
        report.send("done", outputs=report.outputs)


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


if __name__ == "__main__":
    main()
