"""A developer's day with a conversation that is a function of its own: live reload, errors, faults."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sandbox.chat import ChatSandbox
from sandbox.conversation import check_conversation
from sandbox.errors import SandboxError
from sandbox.local import PROJECT, new_person
from tests.page.conftest import until
from tests.system.test_languages import MAVEN, marks, run
from tools.browser import copy_program

Json = dict[str, Any]
DISCLOSURE = "You are chatting with a bot.\n\n"


class Workplace:
    """A copy of the project, with the sandbox of an example in it that somebody works on."""

    def __init__(self, project: Path, code: str) -> None:
        self.project, self.code, self.defects = project, project / code, list[Mapping[str, Any]]()
        settings = {"conversationCode": code}
        self.sandbox = ChatSandbox(folder=project, settings=settings, observe=self._observe)

    def _observe(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "defect":
            self.defects.append(event)

    def says(self, text: str) -> list[str]:
        return [answer["message"]["text"] for answer in self.sandbox.say(text, new_person())]

    def code_notes(self, state: str) -> list[Json]:
        notes = map(json.loads, self.sandbox.page.feed.since(0)[1])
        return [each["content"] for each in notes if each["kind"] == "code" and each["state"] == state]

    @contextmanager
    def edited(self, file: Path, old: str, new: str, state: str = "live") -> Iterator[Json]:
        """Within it, a file is changed, and the page has said what became of that."""
        good, before = file.read_text(encoding="utf-8"), len(self.code_notes(state))
        self.change(file, old, new)
        try:
            yield until(lambda: self.code_notes(state)[before:])[-1]
        finally:
            live = len(self.code_notes("live"))
            file.write_text(good, encoding="utf-8")
            until(lambda: self.code_notes("live")[live:])

    def change(self, file: Path, old: str, new: str) -> None:
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")


def copy_with_examples(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", "target", "node_modules")
    shutil.copytree(PROJECT / "examples", copy_program(folder) / "examples", ignore=ignored)
    return folder


@pytest.fixture(scope="module")
def nodejs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    workplace = Workplace(copy_with_examples(tmp_path_factory.mktemp("project")), "examples/nodejs")
    with workplace.sandbox:
        yield workplace


NEEDS_NODE, NEEDS_JAVA = marks("nodejs")[0], marks("java")[0]


@NEEDS_NODE
def test_what_is_saved_is_live_at_once(nodejs: Workplace) -> None:
    assert nodejs.says("status") == [f"{DISCLOSURE}Which parcel? Please send me its 8-digit number."]

    with nodejs.edited(nodejs.code / "index.js", "Which parcel?", "Which one?") as live:
        assert live["changed"] == ["examples/nodejs/index.js"]
        assert nodejs.says("status") == [f"{DISCLOSURE}Which one? Please send me its 8-digit number."]


@NEEDS_NODE
def test_code_that_would_not_start_is_named_and_what_ran_before_still_runs(nodejs: Workplace) -> None:
    before, good = nodejs.says("status"), "export async function handler("

    with nodejs.edited(nodejs.code / "index.js", good, f"{good}(", "broken") as broken:
        assert broken["file"] == "index.js"
        assert broken["text"].startswith(f"{good}(")
        assert broken["message"].startswith("SyntaxError")
        assert nodejs.says("status") == before


@NEEDS_NODE
def test_what_the_function_raises_is_shown_with_its_place(nodejs: Workplace) -> None:
    file, wrong = nodejs.code / "index.js", '  if (said === "boom") throw new RangeError("too far");'
    with nodejs.edited(file, "  if (said === null) return {};\n", f"{wrong}\n"):
        line = file.read_text(encoding="utf-8").splitlines().index(wrong) + 1
        person = until(lambda: list(nodejs.sandbox.page._people))[0]
        nodejs.sandbox.page.background.run(nodejs.sandbox.page.act(person, {"kind": "text", "text": "boom"}))
        defect = until(lambda: nodejs.defects)[-1]

    assert (defect["type"], defect["message"], defect["at"]) == ("RangeError", "too far", f"index.js:{line}")


@NEEDS_JAVA
@pytest.mark.long
@pytest.mark.timeout(600)
def test_java_is_live_after_it_was_packaged(tmp_path: Path) -> None:
    project = copy_with_examples(tmp_path)
    run(MAVEN, project / "examples" / "java")
    workplace = Workplace(project, "examples/java/target/classes")
    with workplace.sandbox:
        assert workplace.says("status") == [f"{DISCLOSURE}Which parcel? Please send me its 8-digit number."]
        workplace.change(project / "examples/java/src/main/java/Bot.java", "Which parcel?", "Which one?")
        run((*MAVEN, "-DskipTests"), project / "examples" / "java")

        until(lambda: workplace.says("status") == [f"{DISCLOSURE}Which one? Please send me its 8-digit number."])


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {"index.mjs": "export const handler = () => {\n  return {;\n};"},
            "mine/index.mjs:2: SyntaxError: Unexpected token ';'",
        ),
        (
            {"index.js": "export const answer = 1;", "package.json": '{"type": "module"}'},
            "Error: index exports no function handler",
        ),
        ({"index.py": "import contract"}, "mine/index.py:1: ModuleNotFoundError: No module named 'contract'"),
        ({"Turn.class": ""}, "There is no Bot.class: build it."),
    ],
)
def test_code_that_cannot_be_loaded_is_refused_before_anything_starts(
    tmp_path: Path, files: dict[str, str], sentence: str
) -> None:
    (tmp_path / "mine").mkdir()
    for name, text in files.items():
        (tmp_path / "mine" / name).write_text(text, encoding="utf-8")
    settings = {"innolab-fbm:conversationCode": "mine"}
    (tmp_path / "Pulumi.yaml").write_text("name: innolab-fbm\nconfig: {}\n", encoding="utf-8")
    (tmp_path / "Pulumi.local.yaml").write_text(json.dumps({"config": settings}), encoding="utf-8")

    with pytest.raises(SandboxError, match=re.escape(f"The conversation cannot be loaded. {sentence}")):
        check_conversation(tmp_path, "local")
