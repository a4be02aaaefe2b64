"""What the docs say about the code is true."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.dialogue.testing import Chat
from settings import parse
from tools.docs.pages import README, pages
from tools.recorder import PROJECT, ROOT, Graph, project_defaults

WRITTEN = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)#:]+)(?:#[^)]*)?\)")
EXAMPLE = re.compile(r"^```yaml\n# Pulumi\.(?P<stack>[a-z]+)\.yaml\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
NAMED_TEST = re.compile(r"`(?P<path>tests/[\w/]+\.py)::(?P<name>\w+)`")


@pytest.fixture(scope="module")
def generated() -> dict[Path, str]:
    return pages()


def test_no_page_is_stale(generated: dict[Path, str]) -> None:
    stale = [str(path.relative_to(ROOT)) for path, text in generated.items() if path.read_text("utf-8") != text]

    assert not stale, f"Run `make docs` and commit {', '.join(stale)}."


def test_every_component_of_a_stack_is_in_the_diagram(generated: dict[Path, str], graphs: dict[str, Graph]) -> None:
    kinds = {
        each.type.rpartition(":")[2] for each in graphs["local"].resources.values() if each.type.startswith("fbm:")
    }

    drawn = set(re.findall(r'^ +(\w+)\["\1<br/>', generated[README], re.MULTILINE))

    assert drawn == kinds


def test_the_diagram_shows_the_way_of_a_message_and_all_permissions(generated: dict[Path, str]) -> None:
    for arrow in (
        'Facebook -->|"GET, POST /webhook"| RestApi',
        'BotRole -->|"may keep dead letters, may send events, may take events"| EventQueue',
        'QueueConsumer -->|"calls with batches"| BotFunction',
    ):
        assert arrow in generated[README]


def test_every_argument_of_every_component_is_described(generated: dict[Path, str]) -> None:
    page = generated[ROOT / "docs" / "components.md"]

    bare = [line for line in page.splitlines() if line.startswith("| `") and line.endswith("|  |")]

    assert not bare
    assert page.count("\n## ") == len(set(_components()))
    assert "| `app_secret_previous` | `pulumi.Input[str] \\| None` | `None` |" in page


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = [found["target"] for found in LINK.finditer(page.read_text("utf-8"))]

    assert [target for target in targets if not (page.parent / target).exists()] == []


def _examples() -> list[tuple[str, str]]:
    texts = [page.read_text("utf-8") for page in WRITTEN]
    return [(found["stack"], found["text"]) for text in texts for found in EXAMPLE.finditer(text)]


@pytest.mark.parametrize(("stack", "text"), _examples())
def test_every_example_of_a_stack_s_settings_is_valid(stack: str, text: str) -> None:
    everything = yaml.safe_load(text)["config"].items()
    given = {key.removeprefix(f"{PROJECT}:"): value for key, value in everything if not key.startswith("aws:")}
    secrets = {"pageAccessToken": "token", "appSecret": "secret", "verifyToken": "word"}
    defaults = {**project_defaults(), **(secrets if given.get("bot", True) else {})}

    settings = parse(PROJECT, stack, {**defaults, **given}, secrets.keys())

    assert settings.bot is given.get("bot", True)
    assert settings.admin_group_name == given.get("adminGroupName", "Innolab_FBM")


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.name)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    named = {(found["path"], found["name"]) for found in NAMED_TEST.finditer(page.read_text("utf-8"))}

    missing = [f"{path}::{name}" for path, name in sorted(named) if name not in _functions(ROOT / path)]

    assert not missing


def test_every_row_of_the_page_on_bad_input_names_a_test() -> None:
    page = (ROOT / "docs" / "bad-input.md").read_text("utf-8")
    rows = [
        line for line in page.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| What comes"))
    ]

    assert rows
    assert [row for row in rows if not NAMED_TEST.search(row)] == []


def test_the_bot_of_five_lines_in_the_readme_works() -> None:
    (code,) = PYTHON.findall(README.read_text("utf-8"))
    module: dict[str, Any] = {}
    exec(code, module)

    assert Chat(module["bot"]).says("Opening hours?") == ["We are open from 8 to 18."]


def test_the_dialogue_shown_to_contributors_passes_the_test_shown_to_them() -> None:
    dialogue, test = PYTHON.findall((ROOT / "CONTRIBUTING.md").read_text("utf-8"))
    answers = (ROOT / "bot" / "conversation" / "answers.py").read_text("utf-8")
    before, fallback, after = answers.partition("@bot.fallback")
    module: dict[str, Any] = {"__name__": "example"}
    exec(f"from bot.dialogue import Dialogue, Invalid, ask\n{before}{dialogue}\n\n{fallback}{after}", module)
    exec(test, module)

    module["test_a_complaint_is_taken_and_a_wrong_number_is_asked_for_again"](Chat(module["bot"], None))


def _functions(path: Path) -> set[str]:
    if not path.exists():
        return set()
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def _components() -> Iterator[str]:
    for path in (ROOT / "components").glob("*.py"):
        yield from re.findall(r"^class (\w+)\(pulumi\.ComponentResource\)", path.read_text("utf-8"), re.MULTILINE)
