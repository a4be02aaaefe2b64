"""The command line's contract, as those meet it who run it."""

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

PROJECT = Path(__file__).parents[2]
CLEAN_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=PROJECT,
        env=CLEAN_ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: str) -> tuple[int, str, str]:
    process = start(*arguments)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
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


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def folders_of(pid: int) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"sandbox-cloud-{pid}-*"))


@pytest.fixture
def up() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = start("up", "--json")
    assert process.stdout
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    yield process, json.loads(line)
    process.kill()
    process.communicate()


def test_up_tells_where_things_are_another_runs_beside_it_and_nothing_is_left(
    up: tuple[subprocess.Popen[str], dict[str, Any]],
) -> None:
    process, told = up
    assert set(told) >= {
        "webhookUrl", "cloudUrl", "graphUrl", "appSecret", "verifyToken", "pageId", "functionName", "outputs",
    }  # fmt: skip

    code, out, err = run("deploy", "--json")

    assert code == 0, err
    assert out.count("\n") == 1
    deployed = json.loads(out)
    assert {resource["type"] for resource in deployed["resources"]} >= {"aws:lambda/function:Function"}
    assert all(set(resource) == {"urn", "type", "name", "inputs"} for resource in deployed["resources"])
    assert deployed["outputs"]["webhookUrl"] != told["webhookUrl"]
    values = [
        resource["inputs"]["value"] for resource in deployed["resources"] if resource["type"].startswith("aws:ssm/")
    ]
    assert values
    assert set(values) == {"[secret]"}

    started = descendants(process.pid)
    assert started
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert eventually(lambda: not any(alive(pid) for pid in started))
    assert folders_of(process.pid) == []


def test_say_prints_the_answers_that_facebook_would_have_got() -> None:
    code, out, err = run("say", "status", "12345678", "--json")

    assert code == 0, err
    asked, tracked = json.loads(out)
    assert (asked["text"], tracked["text"]) == ("status", "12345678")
    assert asked["answers"][0]["messaging_type"] == "RESPONSE"
    assert "12345678" in tracked["answers"][0]["message"]["text"]
    assert out.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_while_it_starts_leaves_nothing(number: signal.Signals) -> None:
    process = start("up")
    assert eventually(lambda: len(descendants(process.pid)) >= 2)
    started = descendants(process.pid)

    process.send_signal(number)

    _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "Stopped before it was done." in err
    assert "Traceback" not in err
    assert eventually(lambda: not any(alive(pid) for pid in started))
    assert folders_of(process.pid) == []


def test_even_when_it_is_killed_nothing_is_left() -> None:
    process = start("up")
    assert eventually(lambda: len(descendants(process.pid)) >= 2 and bool(folders_of(process.pid)))
    started = descendants(process.pid)

    process.kill()

    process.communicate()
    assert eventually(lambda: not any(alive(pid) for pid in started))
    assert eventually(lambda: folders_of(process.pid) == [])


def test_an_unknown_stack_is_told_with_those_that_exist() -> None:
    code, out, err = run("deploy", "--stack", "nope")

    assert (code, out) == (1, "")
    assert err.strip() == "There is no stack named nope: choose one of dev, local, prod."


def test_a_taken_port_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, err = run("up", "--cloud-port", str(port))

    assert code == 1
    assert f"Port {port}, meant for the emulated AWS, is taken: end what listens there." in err


@pytest.mark.parametrize(
    "arguments", [["say"], ["dance"], ["up", "--colour"], ["up", "--cloud-port", "x"], ["--colour"]]
)
def test_a_wrong_command_line_is_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run(arguments, KeyboardInterrupt, lambda: None)

    assert ended.value.code == 2


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run([command, "--help"], KeyboardInterrupt, lambda: None)

    assert ended.value.code == 0
    assert f"Example:\n  python -m sandbox {command}" in capsys.readouterr().out
