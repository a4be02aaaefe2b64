"""Somebody else's bot: it replaces one folder, and everything else stays as it is."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.chat import ChatSandbox
from sandbox.local import PROJECT, Sandbox, new_person
from tests.page.conftest import Stage, until
from tests.system import restaurant
from tests.system.person import Person, texts
from tools.browser import copy_program

ELSEWHERE = (
    "bot",
    "components",
    "ops",
    "policies",
    "sandbox",
    "tools",
    "bench",
    "__main__.py",
    "facebook.py",
    "settings.py",
)
FOLDER = Path("bot", "conversation")
BOT = "Vous discutez avec un robot.\n\n"
SOURCES = [
    path
    for name in ELSEWHERE
    for path in ([PROJECT / name] if name.endswith(".py") else (PROJECT / name).rglob("*.*"))
    if path.suffix in {".py", ".js", ".html"}
    and FOLDER not in path.relative_to(PROJECT).parents
    and "node_modules" not in path.parts
]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatSandbox]:
    """The stack of a copy of the project, with the restaurant's folder in place of the sample's."""
    copy = copy_program(tmp_path_factory.mktemp("project"))
    shutil.rmtree(copy / FOLDER)
    shutil.copytree(Path(restaurant.__file__).parent, copy / FOLDER, ignore=shutil.ignore_patterns("__pycache__"))
    with ChatSandbox(folder=copy) as running:
        yield running


def test_a_restaurants_bot_answers_in_the_place_of_the_sample(sandbox: Sandbox) -> None:
    guest = new_person()

    def say(text: str) -> list[str]:
        return [answer["message"]["text"] for answer in sandbox.say(text, guest)]

    assert say("La carte") == [f"{BOT}Soupe: 6.50 €\nTarte: 4.00 €"]
    assert say("Réserver") == ["Pour combien de personnes ?"]
    assert say("beaucoup") == ["Un nombre, s'il vous plaît.", "Pour combien de personnes ?"]
    assert say("4") == ["À quel nom ?"]
    assert say("Zoé") == ["Une table pour 4, Zoé !"]
    assert say("status") == ["Écrivez « la carte » ou « réserver »."]


def in_flight(sandbox: Sandbox) -> int:
    """How many messages of the queue a worker has."""
    name = "ApproximateNumberOfMessagesNotVisible"
    queue = {"QueueUrl": sandbox.outputs["queueUrl"], "AttributeNames": [name]}
    return int(sandbox.client("sqs").get_queue_attributes(**queue)["Attributes"][name])


def test_messages_that_wait_together_are_answered_as_one(sandbox: Sandbox) -> None:
    guest = Person(sandbox)
    before = len(sandbox.requests())
    sandbox.deliver([guest.message(text=text) for text in ("une table", "pour 4", "s'il vous plaît")])
    assert texts(guest.received(before)) == [f"{BOT}Une table pour 4 ? (3)"]
    sandbox.graph.set_faults({"delaySeconds": 2.0})
    before = len(sandbox.requests())
    sandbox.deliver([guest.message(text="la carte")])
    until(lambda: in_flight(sandbox))
    for text in ("une table", "pour 2"):  # they come while the first is being answered
        sandbox.deliver([guest.message(text=text)])
    sandbox.graph.set_faults({})
    assert texts(guest.received(before))[1:] == ["Une table pour 2 ? (2)"]


def test_a_guest_is_greeted_by_name_if_facebook_says_it(sandbox: Sandbox) -> None:
    zoe, unknown = Person(sandbox), Person(sandbox)
    sandbox.graph.people.set(zoe.id, first_name="Zoé")
    assert texts(zoe.says("Bonjour")) == [f"{BOT}Bonjour Zoé !"]
    assert json.loads(zoe.record()["state"]["S"])["session"]["person"] == {"first_name": "Zoé", "locale": "en_US"}
    sandbox.graph.people.permissions = ()
    assert texts(unknown.says("Bonjour")) == [f"{BOT}Bonjour et bienvenue !"]
    asked = [each["status"] for each in sandbox.requests() if each["path"].endswith(unknown.id)]
    assert texts(unknown.says("Bonjour")) == ["Bonjour et bienvenue !"]
    assert asked == [403] == [each["status"] for each in sandbox.requests() if each["path"].endswith(unknown.id)]
    assert texts(zoe.says("Bonjour")) == ["Bonjour Zoé !"]


def test_the_chat_page_shows_what_was_answered_together_and_what_in_public(sandbox: ChatSandbox) -> None:
    stage = Stage(sandbox)
    guest = Person(sandbox)
    guest.id = stage.person()
    sandbox.deliver([guest.message(text=text) for text in ("une table", "pour 4")])
    first, second = until(lambda: [note["key"] for note in stage.notes("item", person=guest.id)])
    until(lambda: (stage.outcome(first), stage.outcome(second)) == ("answered", "joined"))
    action = {"person": guest.id, "kind": "comment", "text": "la carte", "post": "1001"}
    comment = stage.ask("/api/actions", action)[1]["key"]
    until(lambda: stage.outcome(comment) == "answered")
    private, public = (each["body"] for each in stage.notes("send", key=comment))
    assert (private["recipient"].keys(), public) == ({"comment_id"}, {"public_reply": "Nous vous avons écrit."})


def test_the_page_gets_the_restaurants_profile(sandbox: Sandbox) -> None:
    until(lambda: sandbox.graph.profile() == restaurant.PROFILE.to_json())


def names_of_the_folder(text: str) -> set[str]:
    """What a source uses of the conversation's folder."""
    modules = re.findall(r"(?<!tests/)bot[./]conversation[./](\w+)", text)
    imported = re.findall(r"from bot\.conversation import ([\w, ]+)", text)
    used = re.findall(r"\bconversation\.(\w+)", text) if "from bot import conversation" in text else []
    return {*modules, *used, *(name.strip() for each in imported for name in each.split(","))}


def test_nothing_outside_the_folder_knows_what_is_inside() -> None:
    names = {str(path): names_of_the_folder(path.read_text("utf-8")) for path in SOURCES}
    offered = {"__init__", "bot", "PROFILE", "world", "DEMONSTRATIONS", "TEMPLATES"}

    assert {path: used - offered for path, used in names.items() if used - offered} == {}
    assert {"bot", "world"} <= set().union(*names.values())
