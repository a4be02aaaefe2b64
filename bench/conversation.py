"""Measures what a conversation in a function of its own costs: one more call, cold and warm, in each language."""

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bench.runtime import HERE, NODE, PYTHON, Function
from bot import conversation
from bot.aws import function as caller
from bot.aws.client import Aws
from bot.dialogue import Context
from bot.dialogue.remote import RemoteConversation
from bot.environment import Environment
from bot.messenger.events import TextMessage
from sandbox.aws.runtimes import NotRunnable, java_client
from sandbox.background import Background
from sandbox.serving import Server

EXAMPLES = HERE.parent / "examples"
COLD_STARTS, CALLS = 10, 300
MEMORY_MB = 512
EVENT = TextMessage("12345678", id="m1", user="24", page="1", timestamp=1_700_000_000_000)


class Language(NamedTuple):
    """One language's example.

    Attributes:
        name: the language.
        folder: what is deployed.
        command: starts AWS's runtime client with its handler.
    """

    name: str
    folder: Path
    command: Sequence[str]


class Times(NamedTuple):
    """Seconds from the start of the process to its first reply, and of the calls after it."""

    cold: Sequence[float]
    warm: Sequence[float]


def languages() -> Iterator[Language]:
    """The examples that can run on this machine."""
    ric = str(NODE / "node_modules/aws-lambda-ric/bin/index.mjs")
    yield Language("Node.js", EXAMPLES / "nodejs", ["node", ric, "index.handler"])
    # -S: this interpreter's own packages are out of sight, as they are on Lambda.
    interpreter = str(Path(sys.executable).resolve())
    yield Language("Python", EXAMPLES / "python", [interpreter, "-S", "-m", "awslambdaric", "index.handler"])
    classes = EXAMPLES / "java" / "target" / "classes"
    if shutil.which("java") and classes.is_dir():
        try:
            path = f"{classes}:{java_client()}/*"
        except NotRunnable:
            return
        client = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
        yield Language("Java", classes, ["java", "-XX:TieredStopAtLevel=1", "-cp", path, client, "Bot::answer"])


def measured() -> dict[str, Times]:
    """Measure each language, and the same question to the Python package in the zip."""
    background, found = Background(), dict[str, Times]()
    try:
        for language in languages():
            found[language.name] = _measured(background, language)
    finally:
        background.stop()
    world, warm = conversation.world(Environment("1", "", "", "", "", 1, "", "", 1, 1.0, 12.0, 30.0, 1)), []
    for _ in range(CALLS):
        began = time.perf_counter()
        conversation.bot.answer(EVENT, {}, Context(time.time(), world))
        warm.append(time.perf_counter() - began)
    return found | {"Python, in the bot's own function": Times((), warm)}


def _measured(background: Background, language: Language) -> Times:
    cold, warm = [], list[float]()
    for _ in range(COLD_STARTS):
        with _lambda(background, language) as (function, remote):
            remote.answer(EVENT, {}, time.time())
            cold.append(time.monotonic() - function.started)
            while len(cold) == COLD_STARTS and len(warm) < CALLS:
                began = time.monotonic()
                remote.answer(EVENT, {}, time.time())
                warm.append(time.monotonic() - began)
    return Times(cold, warm)


@contextmanager
def _lambda(background: Background, language: Language) -> Iterator[tuple[Function, RemoteConversation]]:
    """A new environment of a function, behind a Lambda that passes each call on, and the bot's caller of it."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = shutil.copytree(language.folder, Path(temporary) / "function")
        environment = {
            "PATH": os.environ["PATH"],
            "LANG": "en_US.UTF-8",
            "AWS_REGION": "eu-central-1",
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
            "_HANDLER": language.command[-1],
            "PYTHONPATH": str(PYTHON),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with Function(background, language.command, environment, folder) as function:

            async def invoke(request: Request) -> Response:
                done = await run_in_threadpool(function.invoke, json.loads(await request.body()))
                return JSONResponse(done.answer)

            routes = [Route("/2015-03-31/functions/bench/invocations", invoke, methods=["POST"])]
            server = Server(Starlette(routes=routes), 0, "Lambda")
            background.run(server.start())
            keys = {"AWS_ACCESS_KEY_ID": "K", "AWS_SECRET_ACCESS_KEY": "S", "AWS_SESSION_TOKEN": "T"}
            aws = Aws({"AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": server.url, **keys})
            yield function, RemoteConversation(caller.Function(aws, "bench").invoke)
            background.run(server.stop())


def section(found: dict[str, Times]) -> str:
    """The figures as a section of a page."""
    rows = "\n".join(
        f"| {name} | {_cell(times.cold) if times.cold else ''} | {_cell(times.warm)} |" for name, times in found.items()
    )
    return f"""## A conversation in a function of its own

What the worker waits for when the conversation is another function: to write the turn, to sign and make the call, and
to read the reply. The examples run in AWS's own runtime clients behind a Runtime API of the benchmark, whose own time
is in the figures. Cold is from the start of the process to its first reply. The last row is the sample bot's answer
without a call. Not measured: what Lambda itself takes to pass a call on, and before the process starts.

| milliseconds: the median (least to most) | cold | warm |
| --- | ---: | ---: |
{rows}
"""


def _cell(seconds: Sequence[float]) -> str:
    ordered = sorted(each * 1000 for each in seconds)
    return f"{statistics.median(ordered):.1f} ({ordered[0]:.1f} to {ordered[-1]:.1f})"
