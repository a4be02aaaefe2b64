"""The sandbox serves a real page, which a second instance of the stand-in plays: the promises hold there too."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from bench.load import shorten_visibility
from sandbox.background import Background
from sandbox.facebook.webhooks import text_item
from sandbox.local import new_person
from tests.page.conftest import Stage, browser, chromium, until
from tests.system.conftest import Ops
from tests.system.facebook import PAGE, PlayedFacebook, PlayedSandbox, played
from tests.system.test_storms import VISIBILITY_SECONDS, pass_storms

Json = dict[str, Any]


__all__ = ("browser", "chromium")

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def facebook() -> Iterator[PlayedFacebook]:
    background = Background()
    with played(background) as playing:
        yield playing
    background.stop()


@pytest.fixture(scope="module")
def served(facebook: PlayedFacebook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedSandbox]:
    sandbox = PlayedSandbox(facebook, tmp_path_factory.mktemp("pages"), settings={"echoSeconds": "6"})
    with sandbox:
        shorten_visibility(sandbox, VISIBILITY_SECONDS)
        yield sandbox


@pytest.fixture
def sandbox(served: PlayedSandbox, facebook: PlayedFacebook) -> Iterator[PlayedSandbox]:
    """The sandbox; after the test there are no faults, and the queue is empty."""
    yield served
    facebook.graph.set_faults({})
    served.faults({})
    served.aws_faults({})
    served.settle()


def answers(sandbox: PlayedSandbox, person: str) -> list[int]:
    """The statuses of the calls by which the bot sent this person a message."""
    calls = [each for each in sandbox.requests() if each["path"].endswith("/messages") and "message" in each["body"]]
    return [each["status"] for each in calls if each["body"]["recipient"].get("id") == person]


def write(sandbox: PlayedSandbox, person: str, text: str = "status") -> float:
    """Somebody writes to the page in Messenger; how long the acknowledgement took."""
    return sandbox.deliver([text_item(PAGE, person, text)]).seconds


def test_storms_lose_repeat_and_reorder_nothing(sandbox: PlayedSandbox) -> None:
    pass_storms(sandbox, 3)


def test_an_error_that_facebook_answers_with_200_is_not_shown_as_an_answer(
    sandbox: PlayedSandbox, facebook: PlayedFacebook
) -> None:
    stage, person = Stage(sandbox), new_person()
    facebook.graph.set_faults({"error": {"status": 200, "code": 2, "message": "No."}, "count": 1})

    write(sandbox, person)
    until(lambda: stage.notes("outcome", person=person, outcome="answered"))

    assert len(answers(sandbox, person)) == 2
    assert stage.notes("promise")[-1]["counted"]["twice"] == 0


def test_the_chat_page_shows_what_happens_behind_a_real_message(sandbox: PlayedSandbox) -> None:
    stage, person = Stage(sandbox), new_person()

    write(sandbox, person, "hello")

    until(lambda: stage.notes("outcome", person=person, outcome="answered"))
    (shown,) = stage.notes("person", person=person)
    (item,) = stage.notes("item", person=person)
    key = item["key"]
    assert shown["name"] == f"…{person[-6:]}"
    assert item["item"]["message"]["text"] == "hello"
    assert [each["status"] for each in stage.notes("post", key=key)] == [200]
    assert {each["name"] for each in stage.notes("step", key=key)} >= {"queued", "taken", "planned", "done"}
    assert {each["status"] for each in stage.notes("send", key=key)} == {200}
    until(lambda: stage.notes("echo", key=key))
    until(lambda: [each for each in stage.notes("line") if key in each["text"]])
    assert stage.ask(f"/api/memory?person={person}")[1]["user"]["state"]


def test_the_chat_page_writes_for_nobody_and_offers_no_fault_that_it_cannot_show(sandbox: PlayedSandbox) -> None:
    stage, person = Stage(sandbox), new_person()
    write(sandbox, person)
    sandbox.settle()
    (item,) = stage.notes("item", person=person)
    before = len(sandbox.requests())

    for path, body in (
        ("actions", {"person": person, "kind": "text", "text": "hello"}),
        ("replay", {"key": item["key"]}),
        ("people", {"name": "Anna"}),
        ("inbox", {"person": person, "text": "hello"}),
        ("day-later", {"person": person}),
        ("start-over", {}),
    ):
        status, answer = stage.ask(f"/api/{path}", body)
        assert (status, "write to it in Messenger" in answer["error"]) == (400, True)
    assert stage.ask("/api/receipts", {"person": person, "mids": ["m"], "read": True})[0] == 200

    sandbox.settle()
    assert len(sandbox.requests()) == before
    write(sandbox, person)  # later than a receipt would be
    until(lambda: len(stage.notes("outcome", person=person, outcome="answered")) > 1)
    assert stage.notes("receipt", person=person) == []
    offered = {each["name"] for each in sandbox.page.described()["faults"]}
    assert offered >= {"queue_refuses", "ledger_lost", "killed", "down", "drop_after"}
    assert offered.isdisjoint({"no_echoes", "duplicates", "disorder"})


def test_an_operator_checks_the_registration_of_the_real_page(ops: Ops) -> None:
    wrong = [each["what"] for each in json.loads(ops("check", "--json")[1]) if not each["fine"]]
    assert wrong == ["profile"]  # the page keeps the one that it has


def test_nobody_who_listens_in_learns_a_secret(sandbox: PlayedSandbox, facebook: PlayedFacebook) -> None:
    secrets = (*facebook.secrets.values(), sandbox.verify_token)
    shown = json.dumps([sandbox.described(), sandbox.page.described(), sandbox.page.feed.since(0), sandbox.resources])
    with urllib.request.urlopen(f"{sandbox.graph_url}/_sandbox/stack") as answer:
        shown += answer.read().decode()
    shown += json.dumps(sandbox.graph.requests()) + repr(facebook.page())

    assert [secret for secret in secrets if secret in shown] == []


def test_a_browser_shows_a_real_persons_chat_without_a_field_to_write_in(
    sandbox: PlayedSandbox, browser: Browser
) -> None:
    page = browser.new_page()
    page.goto(sandbox.chat_url)
    person = new_person()
    write(sandbox, person, "hello from Messenger")

    page.get_by_role("button", name=f"…{person[-6:]}", exact=True).click()
    chat = page.get_by_role("article", name=f"Chat of …{person[-6:]}")
    expect(chat.get_by_text("hello from Messenger")).to_be_visible()
    expect(chat.locator(".theirs").first).to_be_visible()
    expect(page.get_by_role("textbox", name="Message of")).to_have_count(0)
    expect(page.get_by_role("button", name="Add a person")).to_have_count(0)
    page.close()
