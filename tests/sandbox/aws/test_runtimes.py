"""Functions in other languages, created with the inputs that AWS is given, run on this machine's own programs."""

import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bot.aws.function import fault_of, says_not_loaded
from sandbox.aws import runtimes
from sandbox.aws.clients import Clients
from sandbox.aws.cloud import Cloud

NODE = """
export const handle = async (turn) => {
  if (turn.fail) throw new RangeError("too far");
  if (turn.text) return { said: turn.text, node: process.version };
};
"""
PYTHON = """
def handle(turn, context):
    if turn.get("fail"):
        raise KeyError("two\\n  lines")
"""
JAVA = """
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Map;

public class Handler implements RequestHandler<Map<String, Object>, Map<String, Object>> {
  public Map<String, Object> handleRequest(Map<String, Object> turn, Context context) {
    if (turn.containsKey("fail")) throw new IllegalStateException("too far");
    return Map.of("said", turn.get("text"), "java", System.getProperty("java.version"));
  }
}
"""

Invoke = Callable[[Any], Any]
Create = Callable[[str, str, dict[str, bytes]], Invoke]


def zipped(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return content.getvalue()


@pytest.fixture
def create(owner: Clients, name: str, role: str) -> Create:
    client = owner("lambda")

    def invoke(turn: Any) -> Any:
        return json.loads(client.invoke(FunctionName=name, Payload=json.dumps(turn))["Payload"].read())

    def made(runtime: str, handler: str, files: dict[str, bytes]) -> Invoke:
        client.create_function(
            FunctionName=name, Role=role, Runtime=runtime, Handler=handler, Code={"ZipFile": zipped(files)}, Timeout=20
        )
        client.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return invoke

    return made


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [each for each in programs if not shutil.which(each)]
    return pytest.mark.skipif(bool(missing), reason=f"there is no {' and no '.join(missing)} on the PATH")


@pytest.fixture(scope="module")
def java_classes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("java")
    (folder / "Handler.java").write_text(JAVA, encoding="utf-8")
    client = f"{runtimes.java_client()}/*"
    subprocess.run(["javac", "-cp", client, "-d", str(folder), str(folder / "Handler.java")], check=True)
    return {"Handler.class": (folder / "Handler.class").read_bytes()}


@needs("node")
def test_a_function_in_nodejs_runs_on_this_machines_node(create: Create) -> None:
    invoke = create("nodejs24.x", "index.handle", {"index.mjs": NODE.encode()})

    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    assert invoke({"text": "grüß dich"}) == {"said": "grüß dich", "node": version}
    assert invoke({}) is None
    raised = invoke({"fail": True})
    assert (raised["errorType"], raised["errorMessage"]) == ("RangeError", "too far")
    assert "file:///var/task/index.mjs:3:24" in raised["trace"][1]
    assert not any("_worker" in line for line in raised["trace"])


def test_an_exception_in_python_names_its_type_and_its_line(create: Create) -> None:
    raised = create("python3.13", "app.handle", {"app.py": PYTHON.encode()})({"fail": True})

    assert (raised["errorType"], raised["errorMessage"]) == ("KeyError", r"'two\n  lines'")
    assert len(raised["stackTrace"]) == 1
    assert raised["stackTrace"][0].startswith('  File "/var/task/app.py", line 4, in handle\n')


@pytest.mark.parametrize(
    ("runtime", "file", "code", "kind", "message"),
    [
        ("python3.13", "app.py", "import elsewhere", "Runtime.ImportModuleError", "No module named 'elsewhere'"),
        ("python3.13", "app.py", "import os\ndef handle(*_): os._exit(1)", "Runtime.ExitError", ""),
        pytest.param("nodejs24.x", "x.mjs", NODE, "Runtime.ImportModuleError", "'/var/task/app'", marks=needs("node")),
    ],
)
def test_code_that_cannot_be_loaded_or_ends_itself_is_named_as_on_lambda(
    create: Create, runtime: str, file: str, code: str, kind: str, message: str
) -> None:
    raised = create(runtime, "app.handle", {file: code.encode()})({})

    assert raised["errorType"] == kind
    assert message in raised["errorMessage"]


@needs("java", "javac", "mvn")
def test_a_function_in_java_runs_on_this_machines_java(
    create: Create, java_classes: dict[str, bytes], owner: Clients, name: str
) -> None:
    invoke = create("java21", "Handler::handleRequest", java_classes)

    assert invoke({"text": "grüß dich"})["said"] == "grüß dich"
    assert owner("lambda").get_function_configuration(FunctionName=name)["Runtime"] == "java21"
    raised = invoke({"fail": True})
    assert (raised["errorType"], raised["errorMessage"]) == ("java.lang.IllegalStateException", "too far")
    assert "Handler.java:8" in raised["stackTrace"][0]
    assert invoke({"text": "again"})["said"] == "again"


@needs("java", "javac", "mvn")
@pytest.mark.parametrize("handler", ["Missing::handleRequest", "Handler::missing"])
def test_java_code_that_cannot_be_loaded_is_told_from_a_failing_event(
    create: Create, java_classes: dict[str, bytes], handler: str
) -> None:
    raised = create("java21", handler, java_classes)({"text": "hi"})

    assert says_not_loaded(fault_of(json.dumps(raised).encode()))


@needs("java", "javac", "mvn")
def test_java_functions_that_start_at_once_do_not_disturb_each_other_and_start_again_after_they_were_killed(
    create: Create, java_classes: dict[str, bytes], cloud: Cloud
) -> None:
    invoke = create("java21", "Handler::handleRequest", java_classes)

    with ThreadPoolExecutor(4) as callers:
        assert [each["said"] for each in callers.map(invoke, [{"text": "x"}] * 4)] == ["x"] * 4
    assert cloud.function_workers()

    cloud.kill_functions()

    assert cloud.function_workers() == []
    assert invoke({"text": "y"})["said"] == "y"


@pytest.mark.skipif(bool(shutil.which("dotnet")), reason="there is a dotnet")
def test_a_function_in_dotnet_is_refused_where_there_is_no_dotnet(create: Create) -> None:
    sentence = "The sandbox runs dotnet10 with `dotnet`, which is not on the PATH: install it."
    with pytest.raises(ClientError, match=sentence):
        create("dotnet10", "Bot", {"Bot.dll": b""})


def test_a_runtime_that_the_sandbox_does_not_run_is_refused(create: Create, owner: Clients, name: str) -> None:
    with pytest.raises(ClientError, match=r"cannot run the runtime ruby3\.4"):
        create("ruby3.4", "bot.handle", {"bot.rb": b""})

    create("python3.13", "app.handle", {"app.py": PYTHON.encode()})
    with pytest.raises(ClientError, match=r"cannot run the runtime ruby3\.4"):
        owner("lambda").update_function_configuration(FunctionName=name, Runtime="ruby3.4")


def test_jars_that_maven_cannot_fetch_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pom.xml").write_text("<project/>", encoding="utf-8")
    (tmp_path / "mvn").write_text("#!/bin/sh\necho '[ERROR] no network'\nexit 1\n", encoding="utf-8")
    (tmp_path / "mvn").chmod(0o755)
    monkeypatch.setattr(runtimes, "JAVA_CLIENT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    with pytest.raises(runtimes.NotRunnable, match=r"could not fetch AWS's Java runtime client: \[ERROR\] no network"):
        runtimes.java_client()
