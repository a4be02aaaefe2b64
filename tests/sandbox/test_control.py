"""The control API of a running stack, and the commands that use it."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.types import Receive, Scope, Send

from sandbox import cli
from sandbox.aws.cloud import OWNER
from sandbox.background import Background
from sandbox.control import Order, controlled, read_order
from sandbox.engine.deployment import Deployed
from sandbox.errors import SandboxError
from sandbox.facebook.actions import Action
from sandbox.local import Sandbox
from sandbox.running import remembered, running_stack
from sandbox.serving import Server


class Stacks:
    """Records what it is asked for."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def described(self) -> dict[str, Any]:
        return places("here")

    def act(self, person: str, action: Action) -> list[dict[str, Any]]:
        self.calls.append(("act", person, action))
        if action.get("text") == "refused":
            raise SandboxError("The bot was not done.")
        tap = {"type": "postback", "title": "Prices", "payload": "PRICES"}
        payload = {"template_type": "button", "text": "Hello!\nDear Ada", "buttons": [tap]}
        reply = {"content_type": "text", "title": "Help", "payload": "HELP"}
        message = {"attachment": {"type": "template", "payload": payload}, "quick_replies": [reply]}
        return [] if action.get("text") == "silence" else [{"sender_action": "typing_on"}, {"message": message}]

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
    server = Server(controlled(elsewhere, cast("Sandbox", stacks)), 0, "a test")
    background.run(server.start())
    yield server.url
    background.run(server.stop())


def test_update_reports_what_it_did_as_a_user(stacks: Stacks, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        cli.run(["update", "--on", url, "--as", "anna", "--stack", "dev", "--set", "memoryMb=256", "--set", "a=b=c"])
        == 0
    )

    assert stacks.calls == [("update", {"memoryMb": "256", "a": "b=c"}, "dev", ("key of", "anna"))]
    out, err = capsys.readouterr()
    assert out == "changed  queue\n"
    assert "1 changed, 1 same" in err


def test_what_is_shown_has_no_secret_and_other_requests_reach_the_application_behind_it(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["update", "--on", url, "--json"]) == 0
    with urllib.request.urlopen(f"{url}/_sandbox/stack") as answer:
        assert json.loads(answer.read()) == {"stack": "local", "graphUrl": "here"}
    with pytest.raises(urllib.error.HTTPError, match="418"):
        urllib.request.urlopen(f"{url}/v26.0/1/messages", b"{}")

    done = {"queue": "changed", "table": "same"}
    assert json.loads(capsys.readouterr().out) == {"outputs": {"a": "[secret]"}, "done": done}


def test_destroy_in_a_session_with_mfa_reports_a_refusal(
    stacks: Stacks, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["destroy", "--on", url, "--as", "anna", "--mfa"]) == 1

    assert stacks.calls == [("destroy", None, ("session of", "anna"))]
    assert "Protected against deletion: queue." in capsys.readouterr().err


def places(url: str) -> dict[str, str]:
    return {"stack": "local", "graphUrl": url, "appSecret": "secret", "verifyToken": "word"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cli, "running_stack", partial(running_stack, tmp_path))
    return tmp_path


def test_the_running_sandbox_is_found_and_what_a_killed_one_left_is_removed(
    stacks: Stacks, url: str, folder: Path
) -> None:
    (folder / "1.json").write_text(json.dumps(places("http://127.0.0.1:9")))
    with remembered(places(url), folder):
        assert [path.stat().st_mode & 0o777 for path in folder.glob(f"{os.getpid()}.json")] == [0o600]
        assert cli.run(["update"]) == 0
        assert [path.stem for path in folder.iterdir()] == [str(os.getpid())]

    assert stacks.calls == [("update", None, None, OWNER)]
    assert list(folder.iterdir()) == []


def test_which_sandbox_is_meant_must_be_clear(
    stacks: Stacks, url: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["update", "--on", "http://127.0.0.1:9"]) == 1
    assert "No sandbox answers at http://127.0.0.1:9: give the graphUrl" in capsys.readouterr().err

    assert cli.run(["update"]) == 1
    assert "No sandbox runs: start one with `python -m sandbox up`" in capsys.readouterr().err

    (folder / "1.json").write_text(json.dumps(places(url.replace("127.0.0.1", "localhost"))))
    with remembered(places(url), folder):
        assert cli.run(["destroy"]) == 1
    assert "Several sandboxes run: choose one with --on" in capsys.readouterr().err
    assert stacks.calls == []


def test_a_chat_in_the_terminal_shows_the_answers_and_taps_what_they_offer(
    stacks: Stacks,
    url: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("hello\n\n#2\n#3\nrefused\nsilence\n"))
    with remembered(places(url), folder):
        assert cli.run(["chat"]) == 0

    (one,) = {call[1] for call in stacks.calls}
    assert [call[2] for call in stacks.calls] == [
        {"kind": "text", "text": "hello"},
        {"kind": "quick_reply", "title": "Help", "payload": "HELP"},
        {"kind": "text", "text": "#3"},
        {"kind": "text", "text": "refused"},
        {"kind": "text", "text": "silence"},
    ], one
    out, err = capsys.readouterr()
    assert out == "  Hello!\n  Dear Ada\n  #1 Prices  #2 Help\n" * 3
    assert "The bot was not done." in err
    assert "(no answer)" in err


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
        read_order(Order, body)
