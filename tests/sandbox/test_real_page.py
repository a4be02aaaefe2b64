"""`up --page` from the command line: what it shows, what it registers, and what it leaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import cli
from sandbox.aws.cloud import free_port
from sandbox.control import ACT
from sandbox.errors import SandboxError
from sandbox.facebook.webhooks import text_item
from sandbox.local import new_person
from sandbox.running import FOLDER, ask
from sandbox.takeover import PAGES
from tests.sandbox.test_cli import CLEAN_ENVIRONMENT, PROJECT, descendants, folders_of, nothing_is_left
from tests.system.facebook import OLD_TOKEN, PAGE, PlayedFacebook

Json = dict[str, Any]


class Terminal:
    """Starts sandboxes that serve the page of a played Facebook."""

    def __init__(self, facebook: PlayedFacebook) -> None:
        self._facebook, self._port = facebook, free_port()
        self.started: list[subprocess.Popen[str]] = []
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self, *arguments: str, token: str = "") -> subprocess.Popen[str]:
        reading, writing = os.pipe()
        os.write(writing, json.dumps(self._facebook.described(previousVerifyToken=token)).encode())
        os.close(writing)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "sandbox", *arguments),
                *("--graph-api-url", self._facebook.url, "--secrets-fd", str(reading)),
            ],
            cwd=PROJECT,
            env=CLEAN_ENVIRONMENT,
            pass_fds=[reading],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(reading)
        self.started.append(process)
        return process

    def up(self, *arguments: str, token: str = "") -> subprocess.Popen[str]:
        ports = [part for name in cli.PORTS for part in (f"--{name}-port", str(free_port()))]
        more = ("--public-url", self.url, "--tunnel-port", str(self._port), "--json", *ports, *arguments)
        return self.start("up", "--page", *more, token=token)

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()
            # What a sandbox that was killed could not remove.
            (FOLDER / f"{process.pid}.json").unlink(missing_ok=True)
            for folder in folders_of(process.pid):
                shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def terminal(facebook: PlayedFacebook) -> Iterator[Terminal]:
    opened = Terminal(facebook)
    yield opened
    opened.end()
    remembered(facebook).unlink(missing_ok=True)


def remembered(facebook: PlayedFacebook) -> Path:
    return PAGES / f"{facebook.graph.app_id}-{facebook.graph.page_id}.json"


def ready(process: subprocess.Popen[str]) -> Json:
    assert process.stdout
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return dict(json.loads(line))


def test_a_page_is_taken_over_shows_no_secret_and_is_given_back_at_ctrl_c(
    facebook: PlayedFacebook, old: str, terminal: Terminal
) -> None:
    before = facebook.registered()
    process = terminal.up("--take-over", token=OLD_TOKEN)

    described = ready(process)

    assert described["publicUrl"] == facebook.registered()[0] == f"{terminal.url}/webhook"
    with pytest.raises(SandboxError, match="write to it in Messenger"):
        ask(described["graphUrl"], ACT, {"person": "7", "action": {"kind": "text", "text": "hello"}})
    running = [process.pid, *descendants(process.pid)]
    shown = "".join(
        (Path("/proc") / str(pid) / name).read_bytes().decode("utf-8", "replace")
        for pid in running
        for name in ("environ", "cmdline")
    )
    shown += "".join(path.read_text() for path in PAGES.parent.rglob("*.json"))
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    shown += json.dumps(described) + out + err
    verify_token = facebook.graph.app_subscription.verified["page"]

    assert process.returncode == 0
    assert facebook.registered() == before
    secrets = (*facebook.secrets.values(), OLD_TOKEN, verify_token)
    assert [secret for secret in secrets if secret in shown] == []
    assert old not in out
    assert not remembered(facebook).exists()
    assert nothing_is_left(process, running)


def test_a_page_that_another_webhook_serves_is_refused(facebook: PlayedFacebook, old: str, terminal: Terminal) -> None:
    before = facebook.registered()

    out, err = (refused := terminal.up(token=OLD_TOKEN)).communicate(timeout=60)

    assert (refused.returncode, out) == (1, "")
    assert old in err
    assert "--take-over" in err
    assert facebook.registered() == before
    assert not remembered(facebook).exists()


@pytest.mark.long
@pytest.mark.usefixtures("old")
def test_a_tunnel_that_ends_elsewhere_is_reported_and_nothing_is_registered(
    facebook: PlayedFacebook, terminal: Terminal
) -> None:
    before = facebook.registered()
    terminal.url = "http://127.0.0.1:9"

    out, err = (failed := terminal.up("--take-over", token=OLD_TOKEN)).communicate(timeout=60)

    assert (failed.returncode, out) == (1, "")
    assert "does not answer at http://127.0.0.1:9/webhook" in err
    assert facebook.registered() == before
    assert [each for each in facebook.graph.requests() if each["method"] == "POST"] == []


@pytest.mark.long
def test_what_was_acknowledged_is_answered_before_the_end_and_a_page_without_a_webhook_has_none_again(
    facebook: PlayedFacebook, terminal: Terminal
) -> None:
    process, person = terminal.up(), new_person()
    facebook.sender.url = ready(process)["publicUrl"]
    facebook.graph.note_message(person)
    facebook.graph.set_faults({"delaySeconds": 0.7})

    facebook.sender.deliver([text_item(PAGE, person, "status") for _ in range(8)])
    process.terminate()
    process.communicate(timeout=60)

    sent = [each["status"] for each in facebook.graph.requests() if each["path"].endswith("/messages")]
    assert (process.returncode, sent) == (0, [200] * 8)
    assert facebook.registered() == ("", [], [])


def test_restore_without_anything_to_restore_says_so(facebook: PlayedFacebook, terminal: Terminal) -> None:
    out, err = (done := terminal.start("restore")).communicate(timeout=60)

    assert (done.returncode, out) == (0, "")
    assert "There is nothing to restore" in err
    assert facebook.registered() == ("", [], [])


@pytest.mark.parametrize(
    ("arguments", "mistake"),
    [
        (["up", "--page"], "--public-url"),
        (["up", "--page", "--public-url", "https://bot.example.org/webhook"], "not a tunnel's address"),
        (["up", "--page", "--public-url", "https://bot.example.org", "--engine", "pulumi"], "embedded engine"),
        (["up", "--take-over"], "goes with --page"),
        (["up", "--secrets-fd", "0"], "goes with --page"),
    ],
)
def test_options_that_do_not_go_together_are_an_invalid_command_line(
    arguments: list[str], mistake: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run(arguments)

    assert ended.value.code == 2
    assert mistake in capsys.readouterr().err
