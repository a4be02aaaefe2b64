"""The cookbook's recipes can be pasted as they are."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot.conversation import world
from bot.dialogue.testing import Chat
from tests.bot.environment import ENVIRONMENT
from tests.harness import ROOT

COOKBOOK = (ROOT / "docs" / "conversation.md").read_text("utf-8")
SECTION = re.compile(r"^## \d+\. (?P<title>.+?)$(?P<text>.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```python\n(.+?)^```$", re.DOTALL | re.MULTILINE)
FIELD = "# in the class Customer\n"
CUSTOMER = re.compile(r"^class Customer\(Record\):\n(?:    .*\n|\n(?=    ))+", re.MULTILINE)
OWN_IMPORT = re.compile(r"^from bot\.conversation\.answers import .+$", re.MULTILINE)


class Recipe(NamedTuple):
    title: str
    fields: list[str]
    code: str
    test: str

    @property
    def is_whole(self) -> bool:
        """Whether it is a bot of its own, and not rules for one."""
        return "bot: Bot[" in self.code


def recipes() -> list[Recipe]:
    found = []
    for section in SECTION.finditer(COOKBOOK):
        *blocks, code, test = BLOCK.findall(section["text"])
        fields = [block.removeprefix(FIELD).strip() for block in blocks if block.startswith(FIELD)]
        assert len(fields) == len(blocks)
        found.append(Recipe(section["title"], fields, code, test))
    return found


RECIPES = recipes()
RULES = [each for each in RECIPES if not each.is_whole]
SAMPLE = (ROOT / "bot" / "conversation" / "answers.py").read_text("utf-8")
TEMPLATE = ROOT / "sandbox" / "template" / "bot" / "conversation" / "answers.py.txt"


def pasted(into: str, *pieces: Recipe) -> str:
    """A conversation with rules before its fallback, and their fields in its record."""
    fields = "".join(f"    {field}\n" for each in pieces for field in each.fields)
    into = CUSTOMER.sub(lambda record: record[0].rstrip("\n") + f"\n{fields}\n\n", into, count=1)
    before, fallback, after = into.partition("@bot.fallback")
    assert fallback
    code = "\n\n".join(each.code for each in pieces)
    return f"{before}{code}\n\n{fallback}{after}"


def run_tests(recipe: Recipe, source: str) -> None:
    module: dict[str, Any] = {"__name__": f"recipe {recipe.title}"}
    exec(compile(source, recipe.title, "exec"), module)
    known = set(module)
    exec(compile(OWN_IMPORT.sub("", recipe.test), recipe.title, "exec"), module)
    tests: list[Callable[..., None]] = [module[name] for name in module.keys() - known if name.startswith("test_")]
    assert tests
    for test in tests:
        takes_chat = "chat" in test.__annotations__
        test(*([Chat(module["bot"], world(ENVIRONMENT))] if takes_chat else []))


def test_every_section_of_the_cookbook_is_a_recipe() -> None:
    assert len(RECIPES) == COOKBOOK.count("\n## ") >= 12


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: each.title)
def test_a_recipe_works_where_it_is_pasted_and_in_a_new_bot(recipe: Recipe) -> None:
    if recipe.is_whole:
        run_tests(recipe, recipe.code)
        return
    new = TEMPLATE.read_text("utf-8").replace("Bot(Customer)", 'Bot(Customer, languages=("en", "de"))')
    for conversation in (SAMPLE, new.replace("bot.conversation.world import", "bot.conversation.parcels import")):
        run_tests(recipe, pasted(conversation, recipe))


def test_all_recipes_together_are_typed_and_collide_with_nothing(tmp_path: Path) -> None:
    whole = [each.code + OWN_IMPORT.sub("", each.test) for each in RECIPES if each.is_whole]
    tests = "\n\n".join(each.test for each in RULES)
    for number, source in enumerate([f"{pasted(SAMPLE, *RULES)}\n\n{tests}", *whole]):
        exec(compile(source, "recipes", "exec"), {"__name__": "recipes"})
        (tmp_path / f"recipe_{number}.py").write_text(source, "utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "mypy", *map(str, tmp_path.glob("*.py"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_a_dialogue_of_three_questions_with_its_test_takes_less_than_40_lines() -> None:
    (recipe,) = (each for each in RECIPES if each.title == "Ask three questions")
    lines = [line for line in (recipe.code + recipe.test).splitlines() if line.strip()]
    assert recipe.code.count("yield from ask") == 3
    assert len(lines) < 40
