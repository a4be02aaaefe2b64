"""What is deployed needs only itself, the standard library and its settings, and loads little to acknowledge."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot.registration import SUBSCRIBED

BOT = Path(__file__).parents[2] / "bot"


@pytest.mark.parametrize("path", sorted(BOT.rglob("*.py")), ids=lambda path: str(path.relative_to(BOT)))
def test_a_module_imports_nothing_but_the_bot_and_the_standard_library(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports read differently here and there"
            imported.add((node.module or "").partition(".")[0])
    assert imported - sys.stdlib_module_names <= {"bot"}


def loaded_after(program: str) -> set[str]:
    """The modules that a fresh interpreter without any installed package has loaded after a program."""
    listing = f"import sys; sys.path.insert(0, {str(BOT.parent)!r})\n{program}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", listing], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_whole_bot_loads_where_no_package_is_installed_and_its_worker_knows_no_conversation_engine() -> None:
    assert "bot.worker" in loaded_after("import bot.handler, bot.webhook, bot.compose")
    assert not {name for name in loaded_after("import bot.worker") if name.startswith("bot.dialogue")}


def test_an_acknowledgement_loads_neither_the_conversation_nor_slow_modules() -> None:
    loaded = loaded_after("import bot.handler, bot.webhook")
    assert {name for name in loaded if name.startswith("bot")} == {
        "bot",
        "bot.aws",
        "bot.aws.client",
        "bot.aws.compact",
        "bot.aws.queues",
        "bot.aws.secrets",
        "bot.environment",
        "bot.handler",
        "bot.http",
        "bot.log",
        "bot.messenger",
        "bot.messenger.identity",
        "bot.messenger.signature",
        "bot.recently_answered",
        "bot.webhook",
    }
    slow = {"asyncio", "dataclasses", "logging"}
    assert not slow & loaded


def test_no_version_of_the_graph_api_is_written_in_the_code() -> None:
    for path in set(BOT.rglob("*.py")) - {BOT / "messenger" / "versions.py"}:  # when each one ends
        code = re.sub(r'""".*?"""|#[^\n]*', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"\bv\d+\.\d+\b", code), path


def test_a_page_is_subscribed_to_what_the_bot_needs() -> None:
    assert {"messages", "messaging_postbacks", "message_echoes"} <= set(SUBSCRIBED)
