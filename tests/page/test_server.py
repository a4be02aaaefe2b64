"""The page's server: which requests it answers, what it never shows, and the sentences it refuses with."""

import http.client
import json
import re
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.chat import ChatSandbox
from sandbox.cli import show
from sandbox.facebook.webhooks import text_item
from sandbox.local import new_person
from tests.page.conftest import Stage, until
from tools.browser import copy_program


def asked(stage: Stage, method: str, path: str, **headers: str) -> tuple[int, Message, str]:
    """Make a request with these headers as they are; the status, the headers and the text of the answer."""
    connection = http.client.HTTPConnection(urlsplit(stage.url).netloc, timeout=5)
    connection.putrequest(method, path, skip_host=True)
    for name, value in {"Host": urlsplit(stage.url).netloc, **headers}.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.putheader("Content-Length", "2")
    connection.endheaders(b"{}")
    answer = connection.getresponse()
    found = answer.status, answer.headers, answer.read().decode()
    connection.close()
    return found


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
def test_a_request_under_another_name_or_from_another_site_is_refused(stage: Stage, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/api/memory"), ("POST", "/api/actions"), ("GET", "/api/stream")):
        assert asked(stage, method, path, Content_Type="application/json", **headers)[0] == 403


def test_its_own_page_may_use_either_name_of_loopback_and_only_its_own_scripts(stage: Stage) -> None:
    port = urlsplit(stage.url).port
    assert urlsplit(stage.url).hostname == "127.0.0.1"
    for host in (f"127.0.0.1:{port}", f"localhost:{port}"):
        status, headers, text = asked(stage, "GET", "/", Host=host, Origin=f"http://{host}")
        assert status == 200
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert not re.search("unsafe|https:", policy)
        assert not re.search("https?://", text)


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("/api/actions", {"person": "1", "kind": "text", "text": "x"}, "no such person"),
        ("/api/actions", [], "must be a JSON object"),
        ("/api/memory?person=1", None, "no such person"),
        ("/api/actions", {"kind": "dance"}, "There is no action 'dance'"),
        ("/api/actions", {"kind": "text"}, "has no 'text'"),
        ("/api/actions", {"kind": "text", "text": "x" * 20_001}, "at most 20000"),
        ("/api/actions", {"kind": "attachment", "type": "smell", "url": "x"}, "cannot be 'smell'"),
        ("/api/actions", {"kind": "comment", "text": "hi", "post": "x_1"}, "A post's id cannot be 'x_1'"),
        ("/api/actions", {"kind": "reaction", "emoji": "❤", "action": "hug", "mid": "m"}, "choose react or unreact"),
    ],
)
def test_bad_input_is_answered_with_a_sentence(stage: Stage, path: str, body: object, sentence: str) -> None:
    code, answer = stage.ask(path, {"person": stage.person(), **body} if isinstance(body, dict) else body)
    assert code == 400
    assert sentence in answer["error"]


def test_a_stack_that_cannot_be_read_is_reported_as_such(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage.sandbox.deployed, "outputs", {})
    code, answer = stage.ask(f"/api/memory?person={stage.person()}")
    assert code == 503
    assert "cannot be read just now" in answer["error"]


@pytest.mark.parametrize(("display", "opened"), [("", []), (":0", ["http://127.0.0.1:1"])])
def test_the_browser_is_opened_only_where_there_is_a_display(
    monkeypatch: pytest.MonkeyPatch, display: str, opened: list[str]
) -> None:
    asked: list[str] = []

    def open_browser(url: str) -> bool:
        asked.append(url)
        return True

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("webbrowser.open", open_browser)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", display)
    assert show("http://127.0.0.1:1") is bool(opened)
    assert asked == opened


def test_no_file_outside_its_own_is_served(stage: Stage) -> None:
    for path in ("/static/../app.py", "/static/%2e%2e%2fapp.py", "/static/nothing.js", "/media/nothing"):
        assert asked(stage, "GET", path)[0] == 404


def test_each_of_several_people_who_are_settled_in_one_write_is_shown_as_done(stage: Stage) -> None:
    people = [new_person() for _ in range(6)]
    stage.sandbox.deliver([text_item(stage.sandbox.page_id, person, "help") for person in people])
    until(lambda: all(stage.notes("step", person=person, name="done", status=200) for person in people))


def test_no_secret_reaches_the_page(stage: Stage) -> None:
    sandbox = stage.sandbox
    assert stage.ask("/api/people", {"name": "Nell"})[0] == 200
    person = stage.notes("person", name="Nell")[0]["person"]
    # Secrets in messages are masked too.
    stage.ask("/api/actions", {"person": person, "kind": "text", "text": f"my word is {sandbox.verify_token}"})
    until(lambda: stage.notes("step", person=person, name="done"))
    stage.say(person, {"text": f"and mine {sandbox.app_secret} {sandbox.page_token}"})
    sandbox.settle()
    seen = "".join(sandbox.page.feed.since(0)[1])
    key = stage.notes("item", person=person)[-1]["key"]
    for path in (f"/api/memory?person={person}", f"/api/record?key={key}", "/api/diagram"):
        code, answer = stage.ask(path)
        assert code == 200
        seen += json.dumps(answer)
    assert "[secret]" in seen
    for secret in (sandbox.app_secret, sandbox.verify_token, sandbox.page_token):
        assert secret not in seen


def test_a_file_that_is_saved_while_the_stack_comes_up_is_live_too(tmp_path: Path) -> None:
    folder = copy_program(tmp_path)
    file = folder / "bot" / "conversation" / "answers.py"

    def save(event: Mapping[str, Any]) -> None:
        if event.get("name") == "stack":
            before = file.read_text(encoding="utf-8")
            rule = '@bot.text("are you new")\ndef new(turn: object) -> str:\n    return "Just saved."\n\n\n'
            file.write_text(before.replace("@bot.fallback", f"{rule}@bot.fallback"), encoding="utf-8")

    with ChatSandbox(folder=folder, observe=save) as sandbox:
        stage = Stage(sandbox)
        until(lambda: stage.notes("code", state="live"))
        assert [answer["message"]["text"] for answer in sandbox.say("are you new") if "message" in answer] == [
            "You are chatting with a bot.\n\nJust saved."
        ]
