"""How MiniStack runs functions, made more like Lambda: what they load, when an invocation is over, and less waiting.

It runs each in a process with a program of its own, which takes events on standard input. What is changed here of those
programs is looked for word for word, so that another version of MiniStack is told from this one.
"""

# ruff: noqa: SLF001, PLC0415 - it patches MiniStack's insides, once the environment is set

import asyncio
import contextlib
import contextvars
import fcntl
import json
import os
import select
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast

import greenlet

END = "sandbox: the invocation is over"
"""The last line of an invocation on its standard error, where its log is."""

END_LINE = f"{END}\n".encode()

LINE_SECONDS = 0.25
"""How long the log of an invocation that has answered is waited for."""

LOG_SECONDS = 0.05
"""How often the log of an invocation is read that has not answered: one that logs much waits for it."""

PIPE_BYTES = 1024 * 1024

HOLD_SECONDS = 5.0
"""How long event sources may have to wait for callers: as long as Facebook waits for its acknowledgement."""

# Not the loop's own threads, which are few: a function that starts may itself make calls that need one.
BESIDE = ThreadPoolExecutor(1000, "starting")  # Lambda quotas: concurrent executions of an account

PENDING_SECONDS = 0.05
"""For how long a new or changed function is pending; MiniStack takes half a second."""

WHEN_LOADED = """
import sys

class _WhenLoaded:
    def find_spec(self, name, path=None, target=None):
        if name != "botocore.handlers":
            return None
        from importlib.util import find_spec
        sys.meta_path.remove(self)
        spec = find_spec(name)
        execute = spec.loader.exec_module
        def exec_module(module):
            execute(module)
            sys.modules["botocore"].handlers = module
            _ms_install_invoke_depth()
        spec.loader.exec_module = exec_module
        return spec
"""
"""Put before MiniStack's own program for a Python function, which defines what is called here."""


def patch() -> None:
    """Let functions start as on Lambda, and be over once they have answered.

    MiniStack loads botocore before each Python function, to count in its calls how deep functions call functions: here
    it is loaded only when the function asks for it. And it looks for 5 ms after an invocation's last line of log
    whether another comes, or for 50 ms whether a first one does: here the invocation says when it is over. Two threads
    an invocation, which it starts and waits for, take longer than the invocation: here there is none.
    """
    from ministack.core import lambda_runtime
    from ministack.services import apigateway_v1, lambda_svc

    python = changed(
        lambda_runtime._PYTHON_WORKER_SCRIPT,
        ("_ms_install_invoke_depth()\n    try:", "sys.meta_path.insert(0, _WhenLoaded())\n    try:"),
        (
            "        _real_stdout.flush()\n\nrun()",
            f"        print({END!r}, flush=True)\n        _real_stdout.flush()\n\nrun()",
        ),
    )
    lambda_runtime._PYTHON_WORKER_SCRIPT = WHEN_LOADED + python
    lambda_runtime._NODEJS_WORKER_SCRIPT = changed(
        lambda_runtime._NODEJS_WORKER_SCRIPT,
        ("        settled = true;\n", f'        settled = true;\n        _stderrWrite({END!r} + "\\n");\n'),
    )
    lambda_runtime.Worker._read_stderr = widen
    lambda_runtime.Worker.invoke = invoke
    apigateway_v1.run_reentrant = lambda_svc.run_reentrant = run_on_loop
    let_callers_go_first(apigateway_v1, lambda_svc)
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = PENDING_SECONDS


def changed(program: str, *changes: tuple[str, str]) -> str:
    """A program with some of its text replaced, each of which must be there once.

    Raises:
        RuntimeError: it is not: this is another version of MiniStack.
    """
    for old, new in changes:
        if program.count(old) != 1:
            raise RuntimeError(f"MiniStack runs functions in another way than expected: {old!r} is not in its program.")
        program = program.replace(old, new)
    return program


def let_callers_go_first(gateway: Any, functions: Any) -> None:  # noqa: ANN401 - MiniStack's modules, which have no types
    """Look into event sources while processors are left by those who call REST APIs, or `HOLD_SECONDS` later.

    On AWS the two share nothing. Here they share a process, and somebody waits for the answer of one of them.
    """
    answer, look = gateway.handle_execute, functions._poll_sqs
    enough, called = os.cpu_count() or 1, 0
    free = threading.Event()
    free.set()

    async def handle_execute(*arguments: object) -> Any:  # noqa: ANN401 - as above
        nonlocal called
        called += 1
        if called > enough:
            free.clear()
        try:
            return await answer(*arguments)
        finally:
            called -= 1
            if called <= enough:
                free.set()

    def poll_sqs() -> Any:  # noqa: ANN401 - as above
        free.wait(HOLD_SECONDS)
        return look()

    gateway.handle_execute, functions._poll_sqs = handle_execute, poll_sqs


class OnLoop(greenlet.greenlet):
    """A call on the event loop's own thread, which goes on with other work whenever the call waits."""

    def wait_for(self, work: Awaitable[Any]) -> Any:  # noqa: ANN401 - whatever it gives
        """What some work gives, once it is done."""
        return cast("greenlet.greenlet", self.parent).switch(work)


async def run_on_loop(call: Callable[..., Any], *arguments: object, thread_name: str = "") -> Any:  # noqa: ANN401, ARG001 - in place of MiniStack's `run_reentrant`
    """Carry out a call that waits by `aside` and `is_readable` only."""
    work = OnLoop(partial(contextvars.copy_context().run, call))
    given = work.switch(*arguments)
    while not work.dead:
        try:
            done = await given
        except Exception as error:  # noqa: BLE001 - whose it is, the call knows
            given = work.throw(error)
        else:
            given = work.switch(done)
    return given


def aside(call: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - whatever it gives
    """What a call gives that takes long; the event loop goes on meanwhile."""
    here = greenlet.getcurrent()
    if not isinstance(here, OnLoop):
        return call(*arguments)
    within = contextvars.copy_context()
    return here.wait_for(asyncio.get_running_loop().run_in_executor(BESIDE, partial(within.run, call, *arguments)))


def is_readable(pipe: int, seconds: float) -> bool:
    """Whether a pipe can be read from, if need be after so many seconds at most."""
    here = greenlet.getcurrent()
    if isinstance(here, OnLoop):
        return bool(here.wait_for(comes_to_be_readable(pipe, seconds)))
    ready = select.poll()
    ready.register(pipe, select.POLLIN)
    return bool(ready.poll(1000 * max(0.0, seconds)))


async def comes_to_be_readable(pipe: int, seconds: float) -> bool:
    """The same on the event loop."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[bool] = loop.create_future()

    def give(*, readable: bool) -> None:
        if not found.done():
            found.set_result(readable)

    loop.add_reader(pipe, partial(give, readable=True))
    patience = loop.call_later(seconds, partial(give, readable=False))
    try:
        return await found
    finally:
        patience.cancel()
        loop.remove_reader(pipe)


def widen(worker: Any) -> None:  # noqa: ANN401 - MiniStack's, which has no types
    """Let a function log a good deal before anybody reads it, where the system allows for it; nobody waits for it."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        fcntl.fcntl(worker._proc.stderr, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def invoke(
    worker: Any,  # noqa: ANN401 - MiniStack's, which has no types
    event: object,
    request_id: str,
    *,
    trace_id: str | None = None,
    depth: int | None = None,
    durable: dict[str, Any] | None = None,
    invoked_function_arn: str | None = None,
) -> dict[str, Any]:
    """One invocation; see MiniStack's `Worker.invoke`, in place of which it is."""
    from ministack.core import lambda_runtime

    with worker._lock:
        cold = worker._proc is None or worker._proc.poll() is not None
        if cold:
            aside(worker._spawn)
            os.set_blocking(worker._proc.stderr.fileno(), False)
            worker._unread = b""
        arn = worker.config.get("FunctionArn", "") if invoked_function_arn is None else invoked_function_arn
        seconds = float(worker.config.get("Timeout", 30))
        context = {
            "request_id": request_id,
            "invoked_function_arn": arn,
            "timeout_ms": int(seconds * 1000),
            "trace_id": trace_id,
            "depth": depth,
            "durable": durable or {},
        }
        answer, log = exchange(worker, json.dumps({"event": event, "ctx": context}) + "\n", seconds)
        if answer["status"] == "error":
            process, worker._proc = worker._proc, None
            lambda_runtime._signal(process)
            aside(lambda_runtime._collect, process, time.monotonic() + lambda_runtime._REAP_GRACE)
        return {**answer, "cold_start": cold, "log": log}


def exchange(worker: Any, line: str, seconds: float) -> tuple[dict[str, Any], str]:  # noqa: ANN401 - as above
    """Hand a worker its event, and wait for what it answers and for all that it logs meanwhile.

    Returns:
        The answer, with a ``status`` of ``ok`` or ``error``; and the log.
    """
    out, log = worker._proc.stdout.fileno(), worker._proc.stderr.fileno()
    said, logged = bytearray(), bytearray(worker._unread)
    answer: dict[str, Any] | None = None
    deadline = time.monotonic() + seconds
    try:
        worker._proc.stdin.write(line)
        worker._proc.stdin.flush()
    except OSError as error:
        answer = {"status": "error", "error": str(error)}
    while answer is None:
        if is_readable(out, min(LOG_SECONDS, deadline - time.monotonic())):
            chunk = os.read(out, PIPE_BYTES)
            said += chunk
            answer = answer_in(said) or (None if chunk else {"status": "error", "error": "Worker process died"})
        if answer is None and time.monotonic() > deadline:
            answer = {"status": "error", "error": f"Task timed out after {seconds:.2f} seconds"}
        logged += whatever_is_in(log)
    # Written before the answer; but one that ended by force says no more.
    if END_LINE not in logged and answer["status"] == "ok" and is_readable(log, LINE_SECONDS):
        logged += whatever_is_in(log)
    own, _, worker._unread = bytes(logged).partition(END_LINE)
    return answer, own.decode(errors="replace").rstrip("\n")


def whatever_is_in(pipe: int) -> bytes:
    """What can be read at once."""
    found = b""
    with contextlib.suppress(BlockingIOError):
        while chunk := os.read(pipe, PIPE_BYTES):
            found += chunk
    return found


def answer_in(said: bytearray) -> dict[str, Any] | None:
    """The answer in what a worker has said so far, if it is there: a line of JSON with a status."""
    for line in said.splitlines() if said.endswith(b"\n") else ():
        with contextlib.suppress(ValueError):
            answer = json.loads(line)
            if isinstance(answer, dict) and answer.get("status") in {"ok", "error"}:
                return answer
    return None
