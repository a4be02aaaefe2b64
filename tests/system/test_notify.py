"""News from the page owner's own systems: sent unasked, within the window or by consent, and once."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.conversation.parcels import DemonstrationParcels, Step
from ops import cli
from sandbox.local import PROJECT, Sandbox
from tests.system.person import Json, Person, texts

NUMBER = next(
    number
    for number in map(str, range(12345678, 99999999))
    if all(
        (parcel := DemonstrationParcels().find(number, then)) and parcel.step == Step.IN_TRANSIT
        for then in (time.time(), time.time() + 3600)
    )
)
Ops = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ops(sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ops:
    """Runs an operator's command; returns its exit code, stdout and stderr."""
    described = tmp_path / "sandbox.json"
    described.write_text(json.dumps(sandbox.described()))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.run([*arguments, "--sandbox", str(described)])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def person(sandbox: Sandbox) -> Person:
    """Somebody who asked for news of a parcel."""
    somebody = Person(sandbox)
    somebody.says(NUMBER)
    assert len(somebody.chooses(f"WATCH:{NUMBER}")) == 2
    return somebody


def news(sandbox: Sandbox, ops: Ops, person: Person, *more: str) -> list[Json]:
    """What a person receives when there is news of the parcel."""
    before = len(sandbox.requests())
    code, _, err = ops("notify", person.id, "--topic", "parcel", f"number={NUMBER}", *more)
    assert (code, err) == (0, "")
    return person.received(before)


def test_within_a_day_of_their_last_message_a_person_gets_an_update(sandbox: Sandbox, ops: Ops, person: Person) -> None:
    (told,) = news(sandbox, ops, person)

    assert (told["messaging_type"], told["recipient"]) == ("UPDATE", {"id": person.id})
    assert NUMBER in texts([told])[0]


def test_later_a_persons_consent_is_used_once(sandbox: Sandbox, ops: Ops, person: Person) -> None:
    person.consents(f"WATCH:{NUMBER}")
    person.falls_silent()

    (told,) = news(sandbox, ops, person)
    assert told["recipient"] == {"notification_messages_token": person.token}
    assert news(sandbox, ops, person) == []


def test_later_a_person_without_consent_is_sent_nothing(sandbox: Sandbox, ops: Ops, person: Person) -> None:
    person.falls_silent()

    assert news(sandbox, ops, person) == []


def test_news_is_sent_once_however_often_it_is_given(sandbox: Sandbox, ops: Ops, person: Person) -> None:
    assert len(news(sandbox, ops, person, "--id", "one")) == 1
    # SQS itself drops the second within five minutes. The third is another message.
    assert news(sandbox, ops, person, "--id", "one") == []
    before = len(sandbox.requests())
    made = json.loads(ops("notify", person.id, "--topic", "parcel", "--id", "one", "--dry-run", "--json")[1])
    sandbox.client("sqs").send_message(
        QueueUrl=sandbox.outputs["queueUrl"],
        MessageBody=json.dumps(made["body"]),
        MessageGroupId=made["group"],
        MessageDeduplicationId="another",
    )
    assert person.received(before) == []
    assert len(news(sandbox, ops, person, "--id", "two")) == 1


def test_a_system_sends_news_as_the_docs_show_it(
    sandbox: Sandbox, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    docs = (PROJECT / "docs" / "operations.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", docs, re.MULTILINE | re.DOTALL)
    shown: Json = {}
    exec(code, shown)
    monkeypatch.setattr(shown["boto3"], "client", sandbox.client)
    before = len(sandbox.requests())

    for _ in range(2):
        shown["notify"](sandbox.outputs["queueUrl"], sandbox.page_id, person.id, "n1", "parcel", number=NUMBER)

    assert len(person.received(before)) == 1


def test_a_dry_run_shows_the_notice_and_sends_nothing(sandbox: Sandbox, ops: Ops, person: Person) -> None:
    code, out, _ = ops("notify", person.id, f"number={NUMBER}", "--topic", "parcel", "--dry-run")

    assert code == 0
    assert re.search(rf"number +{NUMBER}", out)
    assert "Would go" in out
    assert sandbox.waiting() == 0


def test_notifying_an_unknown_person_gives_a_warning(ops: Ops) -> None:
    code, _, err = ops("notify", "77", "--topic", "parcel", "--dry-run")

    assert code == 0
    assert "knows nothing about this person" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("7", "--topic", "parcel", "number"), "is not name=text"),
        (("7", "--topic", "parcel", "a b=1"), "is not name=text"),
        (("7", "--topic", "parcel", "a=1", "a=2"), "given twice"),
        (("7", "--topic", ""), "name the subject in one word"),
        (("+7", "--topic", "parcel"), "is not a page-scoped id"),
        (("user_ref:7", "--topic", "parcel"), "is not a page-scoped id"),
        (("seven", "--topic", "parcel"), "is not a page-scoped id"),
        (("7", "--topic", "parcel", f"text={'x' * 600_000}"), "look up the rest"),
    ],
)
def test_an_invalid_notice_is_refused_in_a_sentence(ops: Ops, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = ops("notify", *arguments)

    assert code == 1
    assert said in err


def test_an_unknown_word_is_an_invalid_command_line(ops: Ops) -> None:
    for arguments in (("notify", "7", "--topic", "parcel", "a=1", "--odd"), ("check", "odd")):
        with pytest.raises(SystemExit, match="2"):
            ops(*arguments)
