"""The command line's contract."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import cli
from sandbox.aws.cloud import free_port, next_free_port

PROJECT = Path(__file__).parents[2]
CLEAN_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def kill_what_was_started() -> Iterator[None]:
    yield
    while STARTED:
        process = STARTED.pop()
        process.kill()
        process.communicate()


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=PROJECT,
        env=CLEAN_ENVIRONMENT | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    STARTED.append(process)
    return process


def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    process = start(*arguments, **environment)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and that those started."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [child for child, parent in parents.items() if parent == pid]
    return found + [below for child in found for below in descendants(child)]


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def folders_of(pid: int) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"sandbox-cloud-{pid}-*"))


@pytest.fixture
def up() -> tuple[subprocess.Popen[str], dict[str, Any]]:
    process = start("up", "--json")
    assert process.stdout
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return process, json.loads(line)


def nothing_is_left(process: subprocess.Popen[str], started: list[int]) -> bool:
    return eventually(lambda: not any(map(alive, started)) and folders_of(process.pid) == [])


def test_up_prints_where_things_are_and_another_sandbox_runs_beside_it(
    up: tuple[subprocess.Popen[str], dict[str, Any]],
) -> None:
    process, described = up
    assert set(described) >= {"webhookUrl", "appSecret", "verifyToken", "pageId", "functionName", "outputs"}
    for name, port in cli.PORTS.items():
        assert int(described[f"{name}Url"].rpartition(":")[2]) in range(port, port + 10)

    code, out, err = run("deploy", "--json")

    assert code == 0, err
    assert out.count("\n") == 1
    deployed = json.loads(out)
    assert {resource["type"] for resource in deployed["resources"]} >= {"aws:lambda/function:Function"}
    assert all(set(resource) == {"urn", "type", "name", "inputs"} for resource in deployed["resources"])
    assert deployed["outputs"]["webhookUrl"] != described["webhookUrl"]
    parameters = [each["inputs"] for each in deployed["resources"] if each["type"].startswith("aws:ssm/")]
    assert {each["value"] for each in parameters} == {"[secret]"}

    started = descendants(process.pid)
    assert started
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0
    assert nothing_is_left(process, started)


def test_say_prints_the_answers_that_facebook_accepted() -> None:
    code, out, err = run("say", "status", "12345678", "--json")

    assert code == 0, err
    asked, tracked = json.loads(out)
    assert (asked["text"], tracked["text"]) == ("status", "12345678")
    assert asked["answers"][0]["messaging_type"] == "RESPONSE"
    assert tracked["answers"][0]["message"]["text"]
    assert asked["answers"][0]["recipient"] == tracked["answers"][0]["recipient"]
    assert out.count("\n") == 1


def read_until(process: subprocess.Popen[str], words: str) -> None:
    """Read stderr until a line has these words."""
    assert process.stderr
    for line in process.stderr:
        if words in line:
            return
    raise AssertionError(f"no line with {words!r}")


@pytest.mark.parametrize(
    ("stage", "number", "code"),
    [
        ("", signal.SIGINT, 1),
        pytest.param("Facebook's stand-in", signal.SIGTERM, 1, marks=pytest.mark.long),
        pytest.param("emulated AWS", signal.SIGINT, 1, marks=pytest.mark.long),
        pytest.param("to end it", signal.SIGTERM, 0, marks=pytest.mark.long),
    ],
)
def test_a_signal_at_any_stage_leaves_nothing_behind(stage: str, number: signal.Signals, code: int) -> None:
    process = start("up")
    if stage:
        read_until(process, stage)
    else:
        assert eventually(lambda: len(descendants(process.pid)) >= 2)
    started = descendants(process.pid)

    process.send_signal(number)

    _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert code == 0 or "Stopped before it was done." in err
    assert "Traceback" not in err
    assert started
    assert nothing_is_left(process, started)


FINALIZERS = """
class Broken:
    def __del__(self):
        raise ValueError("a finalizer's own fault")

class Interrupted:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

def interrupt():
    Broken()
    Interrupted()
"""
SWALLOWED = """
def interrupt():
    try:
        signal.raise_signal(signal.SIGINT)
    except BaseException:
        pass
"""
WHEN_IMPORTED = """
import signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "MODULE":
            interrupt()

sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize(
    ("interrupt", "module", "said"),
    [
        (FINALIZERS, "sandbox.cli", ""),
        (FINALIZERS, "sandbox.page.page", "Stopped before it was done."),
        (SWALLOWED, "sandbox.page.page", "Stopped before it was done."),
    ],
    ids=["finalizer", "finalizer-later", "library"],
)
def test_a_signal_is_not_lost_where_python_or_a_library_drops_exceptions(
    interrupt: str, module: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(interrupt + WHEN_IMPORTED.replace("MODULE", module))

    code, out, err = run("up", PYTHONPATH=str(tmp_path))

    assert (code, out) == (1, "")
    assert said in err
    assert "✓ stack" not in err
    assert err.count("Exception ignored in") == err.count("ValueError: a finalizer's own fault")
    assert ("ValueError" in err) is (interrupt == FINALIZERS)
    assert folders_of(STARTED[-1].pid) == []


def test_a_killed_emulator_is_reported_and_nothing_is_left(up: tuple[subprocess.Popen[str], Any]) -> None:
    process, _ = up
    started = descendants(process.pid)
    (emulator,) = [
        pid for pid in started if b"sandbox.aws.launcher" in (Path("/proc") / str(pid) / "cmdline").read_bytes()
    ]

    os.kill(emulator, signal.SIGKILL)

    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "The emulated AWS has ended, killed by signal 9." in err
    assert "Start the sandbox again." in err
    assert "Traceback" not in err
    assert nothing_is_left(process, started)


def test_a_missing_emulator_is_reported_with_the_command_that_installs_it(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['ministack'] = None")

    code, out, err = run("say", "hi", PYTHONPATH=str(tmp_path))

    assert (code, out) == (1, "")
    assert "MiniStack, the emulated AWS, is not installed: run `make .venv/installed`" in err
    assert "Traceback" not in err


def test_a_full_disk_is_reported() -> None:
    full = f"ulimit -f 0; exec {sys.executable} -m sandbox say hi"
    ended = subprocess.run(
        ["bash", "-c", full], check=False, cwd=PROJECT, env=CLEAN_ENVIRONMENT, capture_output=True, text=True
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "The sandbox cannot write its files: " in ended.stderr
    assert "TMPDIR=FOLDER" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_nothing_is_left_even_if_the_sandbox_is_killed() -> None:
    process = start("up")
    assert eventually(lambda: len(descendants(process.pid)) >= 2 and bool(folders_of(process.pid)))
    started = descendants(process.pid)

    process.kill()

    process.communicate()
    assert nothing_is_left(process, started)


def test_an_unknown_stack_is_reported_with_those_that_exist() -> None:
    code, out, err = run("deploy", "--stack", "nope")

    assert (code, out) == (1, "")
    assert err.strip() == "There is no stack named nope: choose one of dev, local, prod."


def test_sandboxes_that_start_at_the_same_instant_take_different_ports() -> None:
    port = free_port()
    code = f"from sandbox.aws.cloud import next_free_port; print(next_free_port({port}), flush=True); input()"
    command = [sys.executable, "-c", code]
    pipe = subprocess.PIPE
    started = [subprocess.Popen(command, cwd=PROJECT, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    STARTED.extend(started)

    assert len({each.stdout.readline() for each in started if each.stdout}) == 3


def test_a_taken_port_is_an_error_if_it_was_asked_for_and_else_the_next_is_used() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert next_free_port(port) > port
        code, _, err = run("up", "--cloud-port", str(port))

    assert code == 1
    assert f"Port {port}, meant for the emulated AWS, is taken: end what listens there." in err


@pytest.mark.parametrize(
    "arguments",
    [
        ["say"],
        ["dance"],
        ["--colour"],
        ["up", "--cloud-port", "x"],
        ["update", "--set", "memoryMb"],
        ["update", "--set", "=1"],
        ["new", "Pizza"],
        ["new", "pizza-"],
        ["new", "p" * 21],
        ["new", "pizza/bonn"],
    ],
)
def test_an_invalid_command_line_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run(arguments)

    assert ended.value.code == 2


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run([command, "--help"])

    assert ended.value.code == 0
    assert f"Example:\n  python -m sandbox {command}" in capsys.readouterr().out
