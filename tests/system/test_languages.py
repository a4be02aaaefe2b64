"""The examples: each passes its own tests, and all give the same answers through the whole stack."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sandbox.facebook.actions import item
from sandbox.local import PROJECT, Sandbox, new_person

EXAMPLES = PROJECT / "examples"
CONVERSATIONS = json.loads((PROJECT / "tests" / "data" / "conversations.json").read_text(encoding="utf-8"))


class Example(NamedTuple):
    """An example.

    Attributes:
        code: what is deployed, from the folder of the examples.
        needs: the programs that build it and run it.
        tests: the command that runs its own tests, in its folder.
        build: the command that builds it, likewise; it runs the tests too if it is the same.
    """

    code: str
    needs: tuple[str, ...]
    tests: tuple[str, ...]
    build: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return EXAMPLES / Path(self.code).parts[0]


MAVEN = ("mvn", "-q", "-B", "package")
LANGUAGES = {
    "nodejs": Example("nodejs", ("node",), ("node", "--test")),
    "python": Example(
        "python", (), (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null")
    ),
    "java": Example("java/target/classes", ("java", "mvn"), MAVEN, MAVEN),
    "csharp": Example(
        "csharp/publish", ("dotnet",), ("dotnet", "test", "test"), ("dotnet", "publish", "src", "-o", "publish")
    ),
}
LONG = {language for language, example in LANGUAGES.items() if example.build or language == "python"}


def marks(language: str) -> list[pytest.MarkDecorator]:
    missing = [each for each in LANGUAGES[language].needs if not shutil.which(each)]
    skipped = pytest.mark.skipif(bool(missing), reason=f"there is no {' and no '.join(missing)} on the PATH")
    return [skipped, pytest.mark.timeout(600)] + ([pytest.mark.long] if language in LONG else [])


EVERY = [pytest.param(LANGUAGES[each], id=each, marks=marks(each)) for each in LANGUAGES]


def run(command: tuple[str, ...], folder: Path) -> None:
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]


@pytest.mark.parametrize("example", EVERY)
def test_an_example_passes_its_own_tests(example: Example) -> None:
    run(example.tests, example.folder)


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A stack with the example that is the test's parameter."""
    example: Example = request.param
    if example.build:
        run(example.build, example.folder)
    with Sandbox(settings={"conversationCode": f"examples/{example.code}"}) as running:
        yield running


def deliver(sandbox: Sandbox, said: dict[str, Any]) -> dict[str, list[str]]:
    """Send what each person does in one webhook; the texts that each is answered."""
    before = len(sandbox.requests())
    actions = {
        person: {"kind": "text", "text": each} if isinstance(each, str) else each for person, each in said.items()
    }
    sandbox.deliver([item(sandbox.page_id, person, action) for person, action in actions.items()])
    sandbox.settle()
    answers: dict[str, list[str]] = {person: [] for person in said}
    for request in sandbox.requests()[before:]:
        if request["path"].endswith("/messages") and "message" in request["body"]:
            answers[request["body"]["recipient"]["id"]].append(request["body"]["message"]["text"])
    return answers


@pytest.mark.parametrize("sandbox", EVERY, indirect=True)
def test_the_examples_give_the_same_answers_to_the_same_conversations(sandbox: Sandbox) -> None:
    people = {new_person(): each["chat"] for each in CONVERSATIONS}

    for turns in zip_longest(*people.values()):
        now = {person: turn for person, turn in zip(people, turns, strict=True) if turn}
        answered = deliver(sandbox, {person: said for person, (said, _) in now.items()})
        assert answered == {person: expected for person, (_, expected) in now.items()}
