"""How functions run on the emulated AWS: what they load, which lines of log are whose, how they end, and who waits."""

import asyncio
import base64
import io
import json
import os
import threading
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.aws import functions
from sandbox.aws.clients import Clients
from sandbox.aws.functions import PIPE_BYTES, changed, let_callers_go_first
from sandbox.aws.launcher import forget_identifiers

PYTHON = """
import os
import sys
import time

def handle(event, _context):
    if "makes" in event:
        open(event["makes"], "w").close()
    while "awaits" in event and not os.path.exists(event["awaits"]):
        time.sleep(0.01)
    if "logs" in event:
        print("x" * event["logs"])
    before = "botocore" in sys.modules
    if event.get("asks"):
        import botocore.handlers
    handlers = sys.modules["botocore.handlers"].BUILTIN_HANDLERS if "botocore.handlers" in sys.modules else []
    for number in range(event.get("lines", 0)):
        print("line", number)
    if event.get("fails"):
        raise ValueError("no")
    if event.get("dies"):
        os._exit(1)
    return {"before": before, "depth": [str(one[1]) for one in handlers if "invoke_depth" in str(one[1])]}
"""
NODE = """
exports.handle = async (event) => {
  for (let number = 0; number < event.lines; number++) console.log("line", number);
  return {};
};
"""
RUNTIMES = {"python3.13": ("index.py", PYTHON), "nodejs22.x": ("index.js", NODE)}

in_python = pytest.mark.parametrize("runtime", ["python3.13"])

Invoke = Callable[..., tuple[Any, list[str]]]


@pytest.fixture(params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def invoke(owner: Clients, name: str, role: str, runtime: str) -> Invoke:
    """A function of that runtime: takes an event, and gives the answer with the function's own lines of log."""
    file, source = RUNTIMES[runtime]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(file, source)
    service = owner("lambda")
    service.create_function(
        FunctionName=name, Role=role, Runtime=runtime, Handler="index.handle", Code={"ZipFile": content.getvalue()},
        Timeout=2,
    )  # fmt: skip
    service.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 99})

    def call(**event: object) -> tuple[Any, list[str]]:
        answer = service.invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        log = base64.b64decode(answer.get("LogResult", "")).decode().splitlines()
        return json.loads(answer["Payload"].read()), [line for line in log if line.startswith("line")]

    return call


def test_an_invocations_lines_of_log_are_its_own(invoke: Invoke) -> None:
    for lines in (3, 0, 200, 1):
        assert invoke(lines=lines)[1] == [f"line {number}" for number in range(lines)]


@in_python
def test_the_lines_of_an_invocation_that_fails_are_kept(invoke: Invoke) -> None:
    answer, lines = invoke(lines=2, fails=True)
    assert answer["errorMessage"] == "no"
    assert lines == ["line 0", "line 1"]
    assert invoke(lines=1)[1] == ["line 0"]


@in_python
def test_a_function_that_dies_is_told_with_what_it_logged_and_started_again(invoke: Invoke) -> None:
    answer, lines = invoke(lines=2, dies=True)
    assert answer["errorMessage"] == "Worker process died"
    assert lines == ["line 0", "line 1"]
    assert invoke(lines=1)[1] == ["line 0"]


@in_python
def test_a_function_that_takes_too_long_is_ended_told_and_started_again(invoke: Invoke) -> None:
    answer, _ = invoke(awaits="/nowhere")
    assert answer["errorMessage"] == "Task timed out after 2.00 seconds"
    assert invoke(lines=1)[1] == ["line 0"]


@in_python
def test_a_function_may_log_more_than_a_pipe_holds(invoke: Invoke) -> None:
    assert invoke(logs=3 * PIPE_BYTES, lines=1)[1] == ["line 0"]


@in_python
def test_invocations_go_on_at_the_same_time(invoke: Invoke, tmp_path: Path) -> None:
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(lambda: invoke(makes=first, awaits=second, lines=1))
        assert invoke(makes=second, awaits=first, lines=2)[1] == ["line 0", "line 1"]
        assert waiting.result()[1] == ["line 0"]


def test_event_sources_wait_for_callers_when_there_are_more_of_them_than_processors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(functions, "HOLD_SECONDS", 60)
    looked = threading.Event()
    calls: list[asyncio.Future[None]] = []

    async def answer() -> None:
        calls.append(asyncio.get_running_loop().create_future())
        await calls[-1]

    gateway, service = SimpleNamespace(handle_execute=answer), SimpleNamespace(_poll_sqs=looked.set)
    let_callers_go_first(gateway, service)

    async def crowd() -> None:
        callers = [asyncio.ensure_future(gateway.handle_execute()) for _ in range((os.cpu_count() or 1) + 1)]
        await asyncio.sleep(0)
        threading.Thread(target=service._poll_sqs).start()
        assert not await asyncio.to_thread(looked.wait, 0.1)
        calls[0].set_result(None)
        assert await asyncio.to_thread(looked.wait, 20)
        for each in calls[1:]:
            each.set_result(None)
        await asyncio.gather(*callers)

    asyncio.run(crowd())


@in_python
def test_botocore_is_loaded_when_the_function_asks_for_it_and_counts_the_depth_of_calls(invoke: Invoke) -> None:
    assert invoke()[0] == {"before": False, "depth": []}
    answer = invoke(asks=True)[0]
    assert (answer["before"], len(answer["depth"])) == (False, 1)


def test_a_program_of_another_ministack_is_told() -> None:
    assert changed("a b", ("a", "c")) == "c b"
    with pytest.raises(RuntimeError, match="'x' is not in its program"):
        changed("a b", ("x", "c"))


def test_a_de_duplication_id_is_known_until_its_time_is_up() -> None:
    now = time.time()
    known = {"old": {"expire": now - 2}, "older": {"expire": now - 1}, "new": {"expire": now + 300}}
    forget_identifiers({"dedup_cache": known})
    assert list(known) == ["new"]
