"""A sandbox with its chat page, of a copy of the program, and a browser in front of it."""

import asyncio
import hashlib
import hmac
import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright

from sandbox.chat import ChatSandbox
from tools.browser import CHROMIUM, FLAGS, copy_program

DESKTOP = {"width": 1440, "height": 900}
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

Json = dict[str, Any]


def until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What a condition gives, once it gives something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"The condition did not hold within {seconds:.0f} s."
        time.sleep(0.02)
    return found


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_program(tmp_path_factory.mktemp("project"))


class Stage:
    """A sandbox with its chat page, and what a test does with it outside the browser."""

    def __init__(self, sandbox: ChatSandbox, observed: list[Mapping[str, Any]] | None = None) -> None:
        self.sandbox, self._observed = sandbox, [] if observed is None else observed
        self.observe = self._observed.append
        self.url = sandbox.chat_url

    def observed(self, event: str) -> list[Mapping[str, Any]]:
        """What the terminal was given of a kind of event."""
        return [each for each in self._observed if each["event"] == event]

    def notes(self, kind: str, **like: object) -> list[Json]:
        """The notes of a kind that have these values."""
        noted = map(json.loads, self.sandbox.page.feed.since(0)[1])
        return [each for each in noted if each["kind"] == kind and like.items() <= each.items()]

    def person(self) -> str:
        """The first person."""
        return str(self.notes("person")[0]["person"])

    def ask(self, path: str, body: object = None, **headers: str) -> tuple[int, Json]:
        """Call the page's server; the status and the answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json", **headers})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")

    def say(self, person: str, message: Json | None = None, **more: object) -> Json:
        """Send something to a person, as the bot does."""
        token, secret = self.sandbox.page_token, self.sandbox.app_secret
        proof = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        content = {"messaging_type": "RESPONSE", "message": message} if message else {}
        body = json.dumps({"recipient": {"id": person}, **content, **more}).encode()
        url = f"{self.sandbox.graph_url}/v26.0/{self.sandbox.page_id}/messages?appsecret_proof={proof}"
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
            return dict(json.loads(answer.read()))

    def is_answered_once(self, key: str) -> bool:
        """Whether Facebook took each message that was planned for an event, and none of them twice."""
        planned = [each["detail"]["answers"] for each in self.notes("step", key=key, name="planned", status=200)]
        wanted = [str(number) for number, each in enumerate(planned[-1]) if "message" in each]
        taken = [each["number"] for each in self.notes("send", key=key, status=200) if "message" in each["body"]]
        return taken == wanted

    def outcome(self, key: str) -> str:
        """What became of an event so far."""
        noted = self.notes("outcome", key=key)
        return str(noted[-1]["outcome"]) if noted else ""

    def act(self, person: str, text: str) -> str:
        """Write a text as a person; the key of its event."""
        status, answer = self.ask("/api/actions", {"person": person, "kind": "text", "text": text})
        assert status == 200
        return str(answer["key"])

    def set_faults(self, *names: str) -> None:
        """Switch exactly these faults on."""
        assert self.ask("/api/faults", {"on": list(names)})[0] == 200


SETTINGS = {"echoSeconds": "2", "inboxAppId": "263902037430900"}


@pytest.fixture(scope="session")
def running(project: Path) -> Iterator[Stage]:
    observed: list[Mapping[str, Any]] = []
    with ChatSandbox(folder=project, settings=SETTINGS, observe=observed.append) as sandbox:
        yield Stage(sandbox, observed)


@pytest.fixture
def stage(running: Stage) -> Iterator[Stage]:
    """The stage; after each test all faults are off."""
    yield running
    running.set_faults()
    running.sandbox.settle()


@pytest.fixture(scope="session")
def chromium() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """A browser, and the event loop by which Playwright drives it from this thread.

    That loop counts as running until the end, and no other loop could run in this thread. So it is hidden from all
    tests except those with a browser.
    """
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: `apt-get install chromium-headless-shell` to test the page in it.")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield running, loop
        asyncio._set_running_loop(loop)
        running.close()


@pytest.fixture
def browser(chromium: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    running, loop = chromium
    asyncio._set_running_loop(loop)
    yield running
    asyncio._set_running_loop(None)


class Window:
    """The chat page in a browser, as one person uses it."""

    def __init__(self, page: Page, stage: Stage, name: str) -> None:
        self.page, self.stage, self.name = page, stage, name
        self.chat: Locator = page.get_by_role("article", name=f"Chat of {name}")
        self.field: Locator = self.chat.get_by_role("textbox")
        self.answers: Locator = self.chat.locator(".theirs")
        self.person = next(str(each["person"]) for each in reversed(stage.notes("person")) if each["name"] == name)

    def write(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Enter")

    def hear(self, text: str) -> Locator:
        """Wait for an answer with this text."""
        said = self.answers.filter(has_text=text).last
        said.wait_for(timeout=PATIENCE_MS)
        return said

    def asks_for_a_parcel(self) -> Locator:
        """Write a parcel's number; the answer."""
        self.write("12345678")
        return self.hear("12345678")

    def did(self, action: str, count: int = 1) -> Json:
        """The webhook item of this person's last action of that kind, once it is acknowledged."""
        until(lambda: len(self.stage.notes("item", person=self.person, action=action)) >= count)
        done = self.stage.notes("item", person=self.person, action=action)[-1]
        until(lambda: self.stage.notes("post", key=done["key"], status=200))
        return dict(done["item"])

    def show(self, tab: str) -> None:
        self.page.get_by_role("tab", name=tab).click()


def is_defect(said: ConsoleMessage) -> bool:
    """Whether a console message reports a defect of the page. A server that does not answer is not one."""
    return said.type == "error" and "net::ERR_" not in said.text


@pytest.fixture
def opened(browser: Browser, stage: Stage) -> Iterator[Callable[..., Window]]:
    """Opens the page for a new person. Any error in the browser fails the test."""
    complaints: list[str] = []
    contexts = []

    def open_page(name: str, **options: Any) -> Window:
        assert not stage.notes("person", name=name), f"Another test has its {name} on the same page."
        assert stage.ask("/api/people", {"name": name})[0] == 200
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if is_defect(said) else None)
        page.goto(stage.url)
        page.get_by_role("button", name=name, exact=True).click()
        return Window(page, stage, name)

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
