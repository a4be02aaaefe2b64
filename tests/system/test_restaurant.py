"""Somebody else's bot: it replaces one folder, and everything else stays as it is."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.chat import ChatSandbox
from sandbox.local import PROJECT, Sandbox, new_person
from tests.system import restaurant
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
SOURCES = [
    path
    for name in ELSEWHERE
    for path in ([PROJECT / name] if name.endswith(".py") else (PROJECT / name).rglob("*.*"))
    if path.suffix in {".py", ".js", ".html"}
    and FOLDER not in path.relative_to(PROJECT).parents
    and "node_modules" not in path.parts
]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
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

    assert say("La carte") == ["Soupe: 6.50 €\nTarte: 4.00 €"]
    assert say("Réserver") == ["Pour combien de personnes ?"]
    assert say("beaucoup") == ["Un nombre, s'il vous plaît.", "Pour combien de personnes ?"]
    assert say("4") == ["À quel nom ?"]
    assert say("Zoé") == ["Une table pour 4, Zoé !"]
    assert say("status") == ["Écrivez « la carte » ou « réserver »."]


def test_the_page_gets_the_restaurants_profile(sandbox: Sandbox) -> None:
    deadline = time.monotonic() + 20
    while sandbox.graph.profile() != restaurant.PROFILE.to_json():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def names_of_the_folder(text: str) -> set[str]:
    """What a source uses of the conversation's folder."""
    modules = re.findall(r"(?<!tests/)bot[./]conversation[./](\w+)", text)
    imported = re.findall(r"from bot\.conversation import ([\w, ]+)", text)
    used = re.findall(r"\bconversation\.(\w+)", text) if "from bot import conversation" in text else []
    return {*modules, *used, *(name.strip() for each in imported for name in each.split(","))}


def test_nothing_outside_the_folder_knows_what_is_inside() -> None:
    names = {str(path): names_of_the_folder(path.read_text("utf-8")) for path in SOURCES}
    offered = {"__init__", "bot", "PROFILE", "world", "DEMONSTRATIONS"}

    assert {path: used - offered for path, used in names.items() if used - offered} == {}
    assert {"bot", "world"} <= set().union(*names.values())
