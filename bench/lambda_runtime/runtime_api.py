"""Lambda's Runtime API, and a function's process behind it: what Lambda calls an execution environment.

Source: "Using the Lambda runtime API" in the AWS Lambda Developer Guide.
"""

import json
import queue
import re
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from bench.lambda_runtime.errors import BenchError
from bench.lambda_runtime.loopback import Handler, Server, serving

VERSION = "/2018-06-01/runtime"
OUTCOME = re.compile(rf"{VERSION}/(?:invocation/(?P<request>[^/]+)/(?P<kind>response|error)|init/error)")
ARN = "arn:aws:lambda:eu-central-1:000000000000:function:bench"
# The stack's function may take this long.
TIMEOUT_SECONDS = 60
ALIVE_SECONDS = 0.2
JSON_TYPE = {"Content-Type": "application/json"}
# Of the function's log in an error.
TAIL_CHARACTERS = 2000

Json = dict[str, Any]


class FunctionFailed(BenchError):
    """The function raised, could not be loaded, or ended; the text says which, with the end of its log."""


class Outcome(NamedTuple):
    """What a function reported: `response`, `error`, or `init` if it could not be loaded."""

    kind: str
    content: bytes
    at: float


class Invocation(NamedTuple):
    """One invocation: the function's answer, and from when to when it took (seconds of the monotonic clock)."""

    answer: Any
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


class RuntimeApi(Server):
    """The Runtime API of one execution environment."""

    def __init__(self) -> None:
        super().__init__(_RuntimeApiHandler)
        self.events: queue.SimpleQueue[tuple[str, bytes] | None] = queue.SimpleQueue()
        self.outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self.first_asked: float | None = None
        self.running = ""

    def next(self) -> tuple[str, bytes] | None:
        """The next event with its request id, once there is one; nothing when the environment ends."""
        self.first_asked = self.first_asked or time.monotonic()
        event = self.events.get()
        self.running = event[0] if event else ""
        return event


class _RuntimeApiHandler(Handler):
    server: RuntimeApi

    def do_GET(self) -> None:
        if self.path != f"{VERSION}/invocation/next":
            return self.answer(404, b"{}", JSON_TYPE)
        if (event := self.server.next()) is None:
            self.close_connection = True
            return None
        request, content = event
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + TIMEOUT_SECONDS) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
        }
        return self.answer(200, content, headers | JSON_TYPE)

    def do_POST(self) -> None:
        content = self.content()
        at = time.monotonic()
        found = OUTCOME.fullmatch(self.path)
        if found is None:
            return self.answer(404, b"{}", JSON_TYPE)
        if found["request"] and found["request"] != self.server.running:
            return self.answer(400, b'{"errorType": "InvalidRequestID"}', JSON_TYPE)
        self.server.running = ""
        self.server.outcomes.put(Outcome(found["kind"] or "init", content, at))
        return self.answer(202, b'{"status": "OK"}', JSON_TYPE)


class Function:
    """One execution environment: a function's process, started at once, and the Runtime API that it asks.

    Args:
        command: starts AWS's runtime client with the function's handler.
        environment: all of the process's environment but the Runtime API's address.
        folder: where the function's code is.
        log: a file that takes what the process prints.

    Attributes:
        started: when its process was started, in seconds of the monotonic clock.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> None:
        self._api, self._log, self._ending = RuntimeApi(), log, ExitStack()
        self._ending.enter_context(serving(self._api))
        self._ending.callback(self._api.events.put, None)
        output = self._ending.enter_context(log.open("wb"))
        self.started = time.monotonic()
        try:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env={**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address, "LAMBDA_TASK_ROOT": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            self._ending.close()
            raise FunctionFailed(f"{command[0]} cannot be started: {error}.") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._ending.close()

    @property
    def ready(self) -> float:
        """When the function first asked for an event: its code was loaded then."""
        if self._api.first_asked is None:
            raise FunctionFailed("The function has not asked for an event yet.")
        return self._api.first_asked

    @property
    def peak_mib(self) -> float:
        """The largest resident memory of its process so far."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def invoke(self, event: Json, timeout: float = 30.0) -> Invocation:
        """Have the function work on an event.

        Args:
            event: as Lambda would pass it.
            timeout: seconds.

        Raises:
            FunctionFailed: it raised, could not be loaded, ended, or took too long.
        """
        content = json.dumps(event).encode()
        began = time.monotonic()
        self._api.events.put((str(uuid.uuid4()), content))
        outcome = self._outcome(began + timeout)
        if outcome.kind != "response":
            raise FunctionFailed(f"The function reported an error ({outcome.kind}): {outcome.content.decode()[:500]}")
        return Invocation(json.loads(outcome.content), began, outcome.at)

    def _outcome(self, deadline: float) -> Outcome:
        while True:
            try:
                return self._api.outcomes.get(timeout=ALIVE_SECONDS)
            except queue.Empty:
                if self._process.poll() is not None:
                    raise FunctionFailed(f"The function's process ended: {self._tail()}") from None
                if time.monotonic() > deadline:
                    raise FunctionFailed(f"The function took too long: {self._tail()}") from None

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-TAIL_CHARACTERS:] or "it printed nothing."
