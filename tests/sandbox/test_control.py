"""The control API of a running stack, and the commands that use it."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import cast

import pytest
from starlette.types import Receive, Scope, Send

from sandbox import cli
from sandbox.aws.cloud import OWNER
from sandbox.background import Background
from sandbox.control import controlled, read_order
from sandbox.engine.deployment import Deployed
from sandbox.errors import SandboxError
from sandbox.serving import Server
from sandbox.stack import Stack


class Stacks:
    """Records what it is asked for."""

    stack = "local"

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def update(
        self, settings: Mapping[str, str] | None = None, *, stack: str | None = None, key: tuple[str, ...] = OWNER
    ) -> Deployed:
        self.calls.append(("update", settings, stack, key))
        return Deployed(
            outputs={"a": "secret"}, shown_outputs={"a": "[secret]"}, done={"queue": "changed", "table": "same"}
        )

    def destroy(self, *, stack: str | None = None, key: tuple[str, ...] = OWNER) -> Deployed:
        self.calls.append(("destroy", stack, key))
        raise SandboxError("Protected against deletion: queue.")

    def key_of(self, user: str) -> tuple[str, ...]:
        return ("key of", user)

    def session_of(self, user: str) -> tuple[str, ...]:
        return ("session of", user)


async def elsewhere(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
def stacks() -> Stacks:
    return Stacks()


@pytest.fixture
def url(stacks: Stacks, background: Background) -> Iterator[str]:
    server = Server(controlled(elsewhere, cast("Stack", stacks)), 0, "a test")
    background.run(server.start())
    yield server.url
    background.run(server.stop())


def run(*arguments: str) -> int:
    return cli.run(arguments, KeyboardInterrupt, lambda: None)


def test_update_reports_what_it_did_as_a_user(stacks: Stacks, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("update", "--on", url, "--as", "anna", "--stack", "dev", "--set", "memoryMb=256", "--set", "a=b=c") == 0

    assert stacks.calls == [("update", {"memoryMb": "256", "a": "b=c"}, "dev", ("key of", "anna"))]
    out, err = capsys.readouterr()
    assert out == "changed  queue\n"
    assert "1 changed, 1 same" in err


def test_update_in_json_shows_no_secret(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("update", "--on", url, "--json") == 0

    assert json.loads(capsys.readouterr().out) == {
        "outputs": {"a": "[secret]"},
        "done": {"queue": "changed", "table": "same"},
    }


def test_destroy_in_a_session_with_mfa_reports_a_refusal(
    stacks: Stacks, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("destroy", "--on", url, "--as", "anna", "--mfa") == 1

    assert stacks.calls == [("destroy", None, ("session of", "anna"))]
    assert "Protected against deletion: queue." in capsys.readouterr().err


def test_an_address_where_no_sandbox_answers_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("update", "--on", "http://127.0.0.1:9") == 1

    assert "No sandbox answers at http://127.0.0.1:9: give the graphUrl" in capsys.readouterr().err


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_the_running_sandbox_is_found(stacks: Stacks, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "SEARCHED", [9, port_of(url)])
    assert run("update") == 0
    assert stacks.calls == [("update", None, None, OWNER)]


def test_no_running_sandbox_is_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(cli, "SEARCHED", [9])
    assert run("update") == 1
    assert "No sandbox runs: start one with `python -m sandbox up`" in capsys.readouterr().err


def test_of_several_running_sandboxes_none_is_chosen(
    stacks: Stacks,
    url: str,
    background: Background,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = Server(controlled(elsewhere, cast("Stack", stacks)), 0, "a test")
    background.run(server.start())
    monkeypatch.setattr(cli, "SEARCHED", [port_of(url), port_of(server.url)])

    assert run("destroy") == 1

    background.run(server.stop())
    assert stacks.calls == []
    assert "Several sandboxes run: choose one with --on" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["memoryMb", "=1"])
def test_a_setting_without_name_or_value_is_an_invalid_command_line(text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run("update", "--on", "http://127.0.0.1:9", "--set", text)
    assert ended.value.code == 2


def test_other_requests_reach_the_application_behind_it(url: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="418"):
        urllib.request.urlopen(f"{url}/v26.0/1/messages", b"{}")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"[]", "the body: Input should be an object"),
        (b"{", "the body: Invalid JSON"),
        (b'{"who": "anna", "stack": 1}', "stack: Input should be a valid string; who: Extra inputs are not permitted"),
        (b'{"mfa": "yes"}', "mfa: Input should be a valid boolean"),
        (b'{"settings": {"memoryMb": 256}}', "settings.memoryMb: Input should be a valid string"),
    ],
)
def test_an_invalid_order_is_refused_with_what_is_wrong(body: bytes, sentence: str) -> None:
    with pytest.raises(SandboxError, match=sentence):
        read_order(body)
