"""A bot of another name, from its first minute: made, started, talked to, broken."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import NamedTuple

import pytest

from sandbox import cli
from sandbox.new import make_bot

ANSWERS = "bot/conversation/answers.py"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bot("pizza-bonn", tmp_path_factory.mktemp("bots"))


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def run(folder: Path, *arguments: str, typed: str = "") -> Ended:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


class Up:
    """A running `up`, and what it prints."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "sandbox"]
        self.process = subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True)
        self.places: list[str] = []
        self._lines: Queue[str] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self._lines.put(line.rstrip("\n"))

    def until(self, words: str, seconds: float = 40.0) -> list[str]:
        """What is printed up to the first line with these words."""
        printed: list[str] = []
        while not printed or words not in printed[-1]:
            try:
                printed.append(self._lines.get(timeout=seconds))
            except Empty:
                raise AssertionError(f"no line with {words!r} after {printed}") from None
        return printed


@pytest.fixture(scope="module")
def up(bot: Path) -> Iterator[Up]:
    running = Up(bot)
    running.until("✓ chat page")
    running.places = running.until("to end it")
    yield running
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(20) == 0
    assert list((bot / ".sandbox").iterdir()) == []


def test_up_ends_with_four_lines_and_then_reports_what_happens(bot: Path, up: Up) -> None:
    assert [line[:14].strip() for line in up.places] == ["chat page", "webhook", "in a terminal", "to end it"]

    ended = run(bot, "sandbox", "chat", typed="a pizza, please\n")

    assert (ended.code, ended.out) == (0, "  You are chatting with a bot.\n  \n  Hello!\n")
    _, kind, person, said = up.until("a pizza, please")[-1].split(maxsplit=3)
    assert (kind, said) == ("event", "a pizza, please")
    answer = up.until("Hello!")[-1].split(maxsplit=1)[1]
    assert answer == f"answer   to {person} You are chatting with a bot. /  / Hello!"


@pytest.mark.usefixtures("up")
def test_commands_find_the_running_sandbox_and_its_app(bot: Path) -> None:
    assert run(bot, "sandbox", "check").err == "The conversation can be loaded.\n"

    checked = run(bot, "ops", "check")
    assert "answers the handshake" in checked.out
    assert "The app's id is missing" not in checked.err
    assert "hour of failures" not in checked.out

    updated = run(bot, "sandbox", "update", "--set", "memoryMb=640", "--json")
    assert {name: what for name, what in json.loads(updated.out)["done"].items() if what == "changed"} == {
        "pizza-bonn-local-bot-function": "changed",
        "pizza-bonn-local-live-alias": "changed",
    }


def test_a_setting_that_is_wrong_is_reported_and_a_right_one_is_deployed(bot: Path, up: Up) -> None:
    settings = bot / "Pulumi.local.yaml"
    right = settings.read_text("utf-8")

    settings.write_text(f"{right}  pizza-bonn:echoSeconds: 0\n", "utf-8")
    assert up.until("echoSeconds")[-1].endswith("What ran before still runs.")
    settings.write_text(f"{right}  pizza-bonn:stateDays: [\n", "utf-8")
    assert " broken " in up.until("Pulumi.local.yaml is not valid YAML")[-1]

    settings.write_text(right, "utf-8")
    up.until("live     Pulumi.local.yaml")


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "check",
    [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy", "."],
        ["pytest", "-n", "2", "--dist", "loadfile", "-m", "not long and not engine", "-q"],
    ],
    ids=["lint", "format", "types", "tests"],
)
def test_the_checks_of_a_new_bot_pass(bot: Path, check: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *check], cwd=bot, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-4000:]


SYNTAX, MISSING = "def broken(:", "import nothing_of_this_name"
TWICE = """
@bot.text("menu")
def menu(_: Turn) -> str:
    return "Pizza."


@bot.text("Menu!")
def card(_: Turn) -> str:
    return "Pizza."
"""


@pytest.mark.parametrize(
    ("command", "mistake", "words"),
    [
        (["check"], MISSING, [f"{ANSWERS}:{{import nothing}}: ModuleNotFoundError: "]),
        (
            ["up", "--json"],
            TWICE,
            [f'at {ANSWERS}:{{@bot.text("{rule}")}}' for rule in ("menu", "Menu!")] + ["RuleError: the text 'Menu!'"],
        ),
        (["say", "hi"], SYNTAX, [f"{ANSWERS}:{{def broken}}: SyntaxError: invalid syntax"]),
        (["deploy"], SYNTAX, [f"{ANSWERS}:{{def broken}}: SyntaxError: invalid syntax"]),
    ],
    ids=["check", "up", "say", "deploy"],
)
def test_a_conversation_that_cannot_be_loaded_ends_a_command_at_once_with_the_place_and_the_reason(
    bot: Path, command: list[str], mistake: str, words: list[str]
) -> None:
    file = bot / ANSWERS
    right = file.read_text("utf-8")
    wrong = right.replace("@bot.fallback", f"{mistake}\n\n\n@bot.fallback")
    file.write_text(wrong, "utf-8")
    try:
        ended = run(bot, "sandbox", *command)
    finally:
        file.write_text(right, "utf-8")

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"The conversation cannot be loaded. {ANSWERS}:")
    for each in words:
        assert _with_line_numbers(each, wrong) in ended.err
    assert ended.err.count("\n") == 1
    assert "/tmp" not in ended.err


def _with_line_numbers(words: str, source: str) -> str:
    """The words, with the number of the line that begins like this in the place of `{…}`."""
    for begin in re.findall("{(.+?)}", words):
        number = next(number for number, line in enumerate(source.splitlines(), 1) if line.startswith(begin))
        words = words.replace(f"{{{begin}}}", str(number))
    return words


def test_a_folder_that_exists_is_left_alone(bot: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["new", bot.name, "--into", str(bot.parent)]) == 1

    assert f"There is a folder {bot} already" in capsys.readouterr().err
