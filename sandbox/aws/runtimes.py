"""Runs functions in Node.js, Java and .NET on this machine's own `node`, `java` and `dotnet`.

MiniStack runs Java and .NET only in Docker. Here they run as its custom runtimes do: by a `bootstrap`, which is added
to the code when the function starts. The function itself stays what AWS is given, with its own runtime and handler.
"""

# ruff: noqa: SLF001 - it patches MiniStack's insides, which have no types

import asyncio
import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import threading
import zipfile
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

TASK_ROOT = "/var/task"  # Lambda Developer Guide, "Defined runtime environment variables": LAMBDA_TASK_ROOT
UNPACKED = re.compile(r'(/[^/\s"\']+)+/ministack-lambda-[^/]+/code')  # where MiniStack unpacks a function's code
JAVA_CLIENT = Path(__file__).with_name("java")
FETCH_SECONDS = 300.0
EXECUTABLE = 0o755 << 16

# As on Lambda, only the fast compiler (Lambda Developer Guide, "Customize Java runtime startup behavior").
JAVA = """#!/bin/sh
exec java -XX:TieredStopAtLevel=1 -cp "$LAMBDA_TASK_ROOT:$LAMBDA_TASK_ROOT/lib/*:{client}/*" \\
  -D{package}.runtimeapi.NativeClient.JNI={client}/{library} {package}.AWSLambda "$_HANDLER"
"""
JAVA_PACKAGE = "com.amazonaws.services.lambda.runtime.api.client"
# An executable assembly's handler is its name (Lambda Developer Guide, "Define Lambda function handler in C#").
DOTNET = """#!/bin/sh
exec dotnet "$LAMBDA_TASK_ROOT/$_HANDLER.dll"
"""

PROGRAMS = {"python": "", "nodejs": "node", "java": "java", "dotnet": "dotnet"}
"""The language of a runtime's name → the program that runs it here; ``""`` for the sandbox's own Python."""


# What MiniStack says of a function that has no trace → how Lambda names it (Lambda Developer Guide, "Runtime errors").
KINDS = {
    "Worker init failed": "Runtime.ImportModuleError",
    "Worker process exited immediately": "Runtime.ImportModuleError",
    "Worker process died": "Runtime.ExitError",
    "init error: ": "Runtime.ImportModuleError",
    "bootstrap exited during init": "Runtime.ImportModuleError",
}


class NotRunnable(Exception):
    """This machine cannot run a function; the message says why and what to do."""


def language(runtime: str) -> str:
    """The language in a runtime's name: ``java`` in ``java21``; ``""`` for one that the sandbox does not know."""
    return next((each for each in PROGRAMS if runtime.startswith(each)), "")


def prepare(runtime: str) -> None:
    """Make ready what a runtime needs on this machine.

    Raises:
        NotRunnable: it needs a program that is not installed.
    """
    if not (spoken := language(runtime)):
        known = ", ".join(f"{each}*" for each in PROGRAMS)
        raise NotRunnable(f"The sandbox cannot run the runtime {runtime}: it runs {known}.")
    program = PROGRAMS[spoken]
    if program and not shutil.which(program):
        raise NotRunnable(f"The sandbox runs {runtime} with `{program}`, which is not on the PATH: install it.")
    if spoken == "java":
        java_client()


def java_client() -> Path:
    """The folder with the jars of AWS's runtime interface client. Maven fetches them the first time.

    Raises:
        NotRunnable: Maven is not installed, or cannot fetch them.
    """
    pom = JAVA_CLIENT / "pom.xml"
    jars = JAVA_CLIENT / "target" / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    if jars.is_dir():
        return jars
    if not shutil.which("mvn"):
        raise NotRunnable(
            "The sandbox gets AWS's Java runtime client with Maven, and `mvn` is not on the PATH: install it."
        )
    fetched = jars.with_suffix(f".{os.getpid()}")
    command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", f"-DoutputDirectory={fetched}"]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=FETCH_SECONDS)
    if run.returncode:
        said = (run.stdout.strip() or run.stderr.strip()).partition("\n")[0]
        raise NotRunnable(f"Maven could not fetch AWS's Java runtime client: {said}")
    # Each start would unpack the client's library to the same file in /tmp, under the feet of functions that use it.
    for jar in fetched.glob("aws-lambda-java-runtime-interface-client-*.jar"):
        with zipfile.ZipFile(jar) as zipped:
            fetched.joinpath(java_library()).write_bytes(zipped.read(f"jni/{java_library()}"))
    if jars.is_dir():
        shutil.rmtree(fetched)  # another sandbox was faster
    else:
        fetched.rename(jars)
    return jars


def java_library() -> str:
    """The name of the library that the client has for this machine."""
    system = "linux" if platform.libc_ver()[0] == "glibc" else "linux_musl"
    return f"libaws-lambda-jni.{system}-{'aarch_64' if platform.machine() in {'arm64', 'aarch64'} else 'x86_64'}.so"


def with_bootstrap(code: bytes, runtime: str) -> bytes:
    """A function's zip with the program that starts it."""
    script = DOTNET
    if language(runtime) == "java":
        script = JAVA.format(client=java_client(), library=java_library(), package=JAVA_PACKAGE)
    content = io.BytesIO(code)
    with zipfile.ZipFile(content, "a") as zipped:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = EXECUTABLE
        zipped.writestr(entry, script)
    return content.getvalue()


def run_other_languages() -> None:
    """Refuse a function that this machine cannot run, and run Java and .NET by a bootstrap."""
    from ministack.core import lambda_runtime
    from ministack.core.responses import error_response_json
    from ministack.services import lambda_svc

    original_handler: Callable[..., Any] = lambda_svc.handle_request
    original_class: Callable[..., type] = lambda_runtime._worker_class_for

    class BootstrapWorker(lambda_runtime.ProvidedWorker):  # type: ignore[misc]  # MiniStack has no types
        def __init__(self, name: str, config: dict[str, Any], code: bytes) -> None:
            super().__init__(name, config, with_bootstrap(code, config["Runtime"]))

    def worker_class_for(config: dict[str, Any]) -> type:
        is_bootstrapped = language(config.get("Runtime", "")) in {"java", "dotnet"}
        return BootstrapWorker if is_bootstrapped else original_class(config)

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        if method in {"POST", "PUT"} and path.rstrip("/").endswith(("/functions", "/configuration")):
            try:
                runtime = json.loads(body).get("Runtime")
                if runtime:
                    await asyncio.to_thread(prepare, runtime)
            except NotRunnable as error:
                return error_response_json("InvalidParameterValueException", str(error), HTTPStatus.BAD_REQUEST)
        return await original_handler(method, path, headers, body, query)

    lambda_svc.handle_request = handle_request
    lambda_runtime._worker_class_for = worker_class_for
    # What MiniStack would run in Docker, with a made-up answer where there is none.
    lambda_svc._execute_function_docker = lambda_svc._execute_function_provided_warm


def describe_errors() -> None:
    """Say of an exception what Lambda says: its type, and where it was raised. MiniStack leaves both out.

    Source: Lambda Developer Guide, the pages "Python exceptions" and "Node.js exceptions": `stackTrace` and `trace`.
    """
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    original_invoke: Callable[..., dict[str, Any]] = lambda_runtime.Worker.invoke
    raised = threading.local()

    def invoke(worker: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        result = original_invoke(worker, *args, **kwargs)
        raised.trace = result.get("trace", "")
        return result

    def describing(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
        def execute_and_describe(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
            raised.trace = ""
            answer = execute(function, event, request_id)
            if answer.get("error"):
                said = str(answer["body"].get("errorMessage"))
                if kind := next((each for words, each in KINDS.items() if said.startswith(words)), None):
                    answer["body"]["errorType"] = kind
                if raised.trace:
                    answer["body"] |= described(raised.trace, (function.get("config") or function)["Runtime"])
                answer["body"] = json.loads(UNPACKED.sub(TASK_ROOT, json.dumps(answer["body"])))
            return answer

        return execute_and_describe

    lambda_runtime.Worker.invoke = invoke
    for name in ("_execute_function_warm", "_execute_function_provided_warm"):
        setattr(lambda_svc, name, describing(getattr(lambda_svc, name)))


def described(trace: str, runtime: str) -> dict[str, Any]:
    """The error's type and where it was raised, from the trace that a language prints."""
    lines = [line for line in trace.rstrip().splitlines() if "_worker." not in line]
    if language(runtime) == "nodejs":
        return {"errorType": lines[0].partition(":")[0], "trace": lines}
    last = trace.rpartition("Traceback (most recent call last):\n")[2]
    frames = [each for each in re.split(r"^(?=  File )", last, flags=re.MULTILINE) if each and "_worker." not in each]
    frames[-1], error = re.split(r"^(?=\S)", frames[-1], maxsplit=1, flags=re.MULTILINE)
    return {"errorType": error.partition(":")[0].strip(), "stackTrace": frames}
