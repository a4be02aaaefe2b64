"""A stack whose conversation is a function in Node.js: it answers, it fails, and the promises hold."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.load import shorten_visibility
from sandbox.chat import ChatSandbox
from sandbox.facebook.webhooks import text_item
from sandbox.local import Sandbox, new_person
from tests.page.conftest import until
from tests.system.planted import log_lines
from tests.system.test_storms import AWS_FAULTS, VISIBILITY_SECONDS, pass_storms

Json = dict[str, Any]

pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="Node.js is not installed")

NODE = {
    "conversationCode": "tests/system/node_conversation",
    "conversationPerson": "first_name",
}
STORMS = 5
FAILS: Json = {"status": 500, "code": "ServiceException"}
CALL_FAULTS = (
    ("lambda:Invoke", FAILS | {"probability": 0.3}),
    ("lambda:Invoke", FAILS | {"after": True, "probability": 0.2}),
)


@pytest.fixture(scope="module")
def shared() -> Iterator[ChatSandbox]:
    with ChatSandbox(settings=NODE) as running:
        yield running


@pytest.fixture
def sandbox(shared: ChatSandbox) -> Iterator[ChatSandbox]:
    yield shared
    shared.aws_faults({})
    shared.settle()


def texts(sandbox: Sandbox, said: str, person: str) -> list[str]:
    return [answer["message"]["text"] for answer in sandbox.say(said, person) if "message" in answer]


def sent_to(sandbox: Sandbox, recipient: Json) -> list[str]:
    """The texts of the messages to a recipient."""
    bodies = [each["body"] or {} for each in sandbox.requests()]
    return [each["message"]["text"] for each in bodies if each.get("recipient") == recipient]


def letters_of(sandbox: Sandbox, *said: str) -> dict[str, Json]:
    """The dead letters of texts that make the conversation fail, said at the same time."""
    people = {new_person(): each for each in said}
    sandbox.deliver([text_item(sandbox.page_id, person, each) for person, each in people.items()])
    sandbox.settle()
    found: dict[str, Json] = {}
    while len(found) < len(said):
        received = sandbox.client("sqs").receive_message(
            QueueUrl=sandbox.outputs["deadLetterQueueUrl"], MaxNumberOfMessages=10
        )["Messages"]
        letters = [json.loads(each["Body"]) for each in received]
        owners = [letter["message"]["items"][0]["sender"]["id"] for letter in letters]
        found |= {people[owner]: letter for owner, letter in zip(owners, letters, strict=True) if owner in people}
    return found


@pytest.fixture(scope="module")
def letters(shared: Sandbox) -> dict[str, Json]:
    return letters_of(shared, "raise", "refused", "nonsense", "nothing", "exit")


def test_it_answers_and_remembers(sandbox: Sandbox) -> None:
    person = new_person()

    assert texts(sandbox, "hello", person) == ["You are chatting with a bot.\n\nHello."]
    assert texts(sandbox, "hello", person) == ["Hello."]
    assert [texts(sandbox, "count", person) for _ in range(2)] == [["Count 1"], ["Count 2"]]
    assert texts(sandbox, "deutsch", person) == ["Gut."]
    turn = json.loads(texts(sandbox, "turn", person)[0])
    assert (turn["state"], turn["session"]["language"]) == ({"count": 2}, "de")
    assert turn["person"]["firstName"]
    assert turn["session"]["windowOpenUntil"] - turn["now"] == pytest.approx(24 * 3600 * 1000, abs=60_000)
    assert texts(sandbox, "forget", person) == ["Forgotten."]
    assert texts(sandbox, "count", person) == ["Count 1"]


@pytest.mark.parametrize(
    ("said", "reason", "at", "message"),
    [
        ("raise", "RangeError in the conversation", "index.mjs:", "secret words of a person"),
        ("refused", "BadReply in the conversation", "reply.messages[1].quick_replies[0]", "has 21 characters"),
        ("nonsense", "BadReply in the conversation", "reply", "is a text, not an object"),
        ("nothing", "BadReply in the conversation", "reply", "is null: return {} for silence"),
        ("exit", "Runtime.", "", ""),
    ],
)
def test_an_event_at_which_it_fails_becomes_a_dead_letter_that_says_what_and_where(
    letters: dict[str, Json], said: str, reason: str, at: str, message: str
) -> None:
    assert letters[said]["reason"].startswith(reason)
    assert letters[said]["detail"]["at"].startswith(at)
    assert message in letters[said]["detail"]["message"]


@pytest.mark.long
def test_an_event_that_it_answers_too_late_becomes_a_dead_letter(sandbox: Sandbox) -> None:
    (letter,) = letters_of(sandbox, "late").values()

    assert letter["reason"] == "Sandbox.Timedout in the conversation"
    assert "timed out after 8.00 seconds" in letter["detail"]["message"]


def test_the_log_says_where_it_failed_and_nothing_of_what_it_said(sandbox: Sandbox, letters: dict[str, Json]) -> None:
    assert letters
    faults = log_lines(sandbox, kind="fault")

    assert "RangeError in the conversation" in {each["reason"] for each in faults}
    assert all("at" in each and "secret words" not in str(each) for each in faults)


def test_a_function_that_is_killed_in_the_middle_of_the_conversation_is_asked_again(sandbox: Sandbox) -> None:
    person, faults = new_person(), len(log_lines(sandbox, kind="fault"))
    texts(sandbox, "hello", new_person())
    sandbox.deliver([text_item(sandbox.page_id, person, "slow")])
    time.sleep(1.0)  # it takes three seconds to answer
    for process in sandbox.function_workers():
        if b"AWS_LAMBDA_FUNCTION_NAME=innolab-fbm-local-dialogue" in Path(f"/proc/{process}/environ").read_bytes():
            os.kill(process, signal.SIGKILL)
    sandbox.settle()

    assert sent_to(sandbox, {"id": person}) == ["Slowly."]
    assert len(log_lines(sandbox, kind="fault")) == faults + 1


def test_each_event_calls_it_once_and_the_log_times_the_call(sandbox: Sandbox) -> None:
    before, person = len(log_lines(sandbox, kind="conversation")), new_person()
    sandbox.deliver([text_item(sandbox.page_id, person, "count") for _ in range(4)])
    sandbox.settle()
    until(lambda: len(log_lines(sandbox, kind="conversation")) >= before + 4)

    new = log_lines(sandbox, kind="conversation")[before:]
    assert len({each["event"] for each in new}) == len(new) == 4
    assert all(0 <= each["milliseconds"] < 8000 for each in new)


def test_the_page_shows_the_call_among_the_steps_of_an_event(sandbox: ChatSandbox) -> None:
    page = sandbox.page
    person = next(iter(page._people))
    for said in ("hello", "raise"):
        page.background.run(page.act(person, {"kind": "text", "text": said}))

    def calls() -> list[Json]:
        notes = map(json.loads, page.feed.since(0)[1])
        steps = [each for each in notes if each["kind"] == "step"]
        return [each for each in steps if each["name"] == "conversed" and each["person"] == person]

    until(lambda: len(calls()) >= 4, 40)
    assert [each["detail"]["raised"] for each in calls()] == ["", "RangeError", "RangeError", "RangeError"]
    assert all(each["call"] == "lambda:Invoke" and each["seconds"] > 0 for each in calls())


@pytest.mark.long
@pytest.mark.timeout(240)
def test_storms_with_killed_functions_lose_repeat_and_reorder_nothing() -> None:
    with Sandbox(settings={**NODE, "echoSeconds": "6"}) as sandbox:
        shorten_visibility(sandbox, VISIBILITY_SECONDS)
        pass_storms(sandbox, STORMS, [*AWS_FAULTS[-1:], *CALL_FAULTS])
