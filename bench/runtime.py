"""Lambda's Runtime API with a function's process behind it, and AWS's own runtime clients, which run the function.

Source: "Using the Lambda runtime API" in the AWS Lambda Developer Guide, read 2026-11-25.
"""

import asyncio
import json
import queue
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.background import Background
from sandbox.serving import Server

Json = dict[str, Any]

HERE = Path(__file__).parent
# Where `make bench` installs the runtime clients.
PYTHON, NODE = HERE.parent / ".bench/python", HERE.parent / ".bench/node"
VERSION = "/2018-06-01/runtime"
TIMEOUT_SECONDS, ALIVE_SECONDS = 60, 0.2
SHOWN_CHARACTERS = 2000


class BenchError(Exception):
    """The benchmark cannot go on; the text says why and what to do."""


class Invocation(NamedTuple):
    """One invocation: the function's answer, and from when to when it took, in seconds of the monotonic clock."""

    answer: Any
    began: float
    ended: float


class Function:
    """One execution environment: a function's process, started at once, and the Runtime API that it asks.

    Args:
        background: runs the Runtime API.
        command: starts one of AWS's runtime clients with the function's handler.
        environment: of the process, but for the Runtime API's address.
        folder: where the function's code is; what the process prints goes into the file beside it that ends in `.log`.

    Attributes:
        started: when its process was started, in seconds of the monotonic clock.
        ready: when it first asked for an event, so that its code was loaded; 0 if it has not yet.
        log: takes what the process prints.
    """

    def __init__(
        self, background: Background, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self._background, self.ready, self.log = background, 0.0, folder.with_suffix(".log")
        self._events: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue()
        # `response`, `error`, or `init` if it could not be loaded; with its content, and when it came.
        self._outcomes: queue.SimpleQueue[tuple[str, bytes, float]] = queue.SimpleQueue()
        routes = [
            Route(f"{VERSION}/invocation/next", self._next),
            Route(f"{VERSION}/invocation/{{id}}/{{kind}}", self._ended, methods=["POST"]),
            Route(f"{VERSION}/{{kind}}/error", self._ended, methods=["POST"]),
        ]
        self._server = Server(Starlette(routes=routes), 0, "the Runtime API")
        background.run(self._server.start())
        address = self._server.url.removeprefix("http://")
        self.started = time.monotonic()
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env={**environment, "AWS_LAMBDA_RUNTIME_API": address, "LAMBDA_TASK_ROOT": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        self._background.loop.call_soon_threadsafe(self._events.put_nowait, None)
        self._background.run(self._server.stop())

    async def _next(self, _: Request) -> Response:
        self.ready = self.ready or time.monotonic()
        event = await self._events.get()
        if event is None:
            return Response(status_code=410)
        request, content = event
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + TIMEOUT_SECONDS) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:000000000000:function:bench",
        }
        return Response(content, headers=headers, media_type="application/json")

    async def _ended(self, request: Request) -> Response:
        content = await request.body()
        self._outcomes.put((request.path_params["kind"], content, time.monotonic()))
        return Response('{"status": "OK"}', 202, media_type="application/json")

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
            BenchError: it raised, could not be loaded, ended, or took too long.
        """
        content = json.dumps(event).encode()
        began = time.monotonic()
        self._background.loop.call_soon_threadsafe(self._events.put_nowait, (str(uuid.uuid4()), content))
        kind, answer, ended = self._outcome(began + timeout)
        if kind != "response":
            raise BenchError(f"The function reported an error ({kind}): {answer.decode()[:500]}")
        return Invocation(json.loads(answer), began, ended)

    def _outcome(self, deadline: float) -> tuple[str, bytes, float]:
        while True:
            try:
                return self._outcomes.get(timeout=ALIVE_SECONDS)
            except queue.Empty:
                ended = self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    printed = self.log.read_text(errors="replace")[-SHOWN_CHARACTERS:] or "it printed nothing."
                    raise BenchError(f"The function {'ended' if ended else 'took too long'}: {printed}") from None
