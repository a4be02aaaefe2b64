import re
from pathlib import Path

import pytest

COOKBOOK = Path(__file__).parents[2] / "docs" / "conversation.md"
RECIPES = re.findall(
    r"^## \d+\. (.+?)$.*?^```python\n(.+?)^```$", COOKBOOK.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)


def test_every_section_of_the_cookbook_is_a_recipe() -> None:
    assert len(RECIPES) == COOKBOOK.read_text(encoding="utf-8").count("\n## ") >= 12


@pytest.mark.parametrize(("title", "code"), RECIPES, ids=[title for title, _ in RECIPES])
def test_a_recipe_works(title: str, code: str) -> None:
    recipe: dict[str, object] = {"__name__": f"recipe {title}"}
    exec(compile(code, str(COOKBOOK), "exec"), recipe)
    tests = [each for name, each in recipe.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        assert callable(test)
        test()


def test_a_dialogue_of_three_questions_with_its_test_takes_less_than_40_lines() -> None:
    (code,) = (code for title, code in RECIPES if title == "Ask three questions")
    begun = code.index("def people")
    lines = [line for line in code[begun:].splitlines() if line.strip()]
    assert code.count("yield from ask") == 3
    assert len(lines) < 40
