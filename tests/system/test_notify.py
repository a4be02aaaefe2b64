"""News from the page owner's own systems: sent unasked, within the window or by consent, and once."""

import json
import re
import time
from collections.abc import Iterator

import pytest

from bot.aws.queues import fingerprint
from bot.conversation.parcels import DemonstrationParcels, Step
from sandbox.local import PROJECT, Sandbox
from tests.page.conftest import until
from tests.system.conftest import Ops
from tests.system.person import Json, Person, texts
from tests.system.planted import log_lines

NUMBER = next(
    number
    for number in map(str, range(12345678, 99999999))
    if all(
        (parcel := DemonstrationParcels().find(number, then)) and parcel.step == Step.IN_TRANSIT
        for then in (time.time(), time.time() + 3600)
    )
)


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
    (told,) = news(sandbox, ops, person, "--id", "one")

    assert (told["messaging_type"], told["recipient"]) == ("UPDATE", {"id": person.id})
    assert way(sandbox, person) == "update"
    assert NUMBER in texts([told])[0]


@pytest.fixture
def templates(sandbox: Sandbox, ops: Ops) -> Iterator[None]:
    """The conversation's templates, created and approved."""
    assert ops("templates", "create")[0] == 0
    sandbox.settle()  # the bot has heard of the approval
    yield
    sandbox.graph.templates.replace([])
    sandbox.graph.send_api.region.utility = None


def way(sandbox: Sandbox, person: Person) -> str:
    """How the notice "one" was sent to a person, by the function's log."""
    key = fingerprint(sandbox.page_id, f"notice:{person.id}:one")
    (way,) = until(lambda: [each["way"] for each in log_lines(sandbox, kind="news") if each.get("event") == key])
    return str(way)


@pytest.mark.usefixtures("templates")
def test_later_a_person_gets_a_utility_message_in_their_language(sandbox: Sandbox, ops: Ops, person: Person) -> None:
    person.says("deutsch")
    person.falls_silent()

    (told,) = news(sandbox, ops, person, "--id", "one")

    template = told["message"]["template"]
    assert (told["messaging_type"], template["name"]) == ("UTILITY", "parcel_moved")
    assert [each["text"] for each in template["components"][0]["parameters"]] == [NUMBER, "unterwegs"]
    assert sandbox.requests()[-1]["status"] == 200
    assert way(sandbox, person) == "utility"


@pytest.mark.usefixtures("templates")
def test_where_facebook_takes_no_utility_messages_a_consent_is_used_and_the_log_says_so(
    sandbox: Sandbox, ops: Ops, person: Person
) -> None:
    sandbox.graph.send_api.region.utility = frozenset({"US"})
    person.consents(f"WATCH:{NUMBER}")
    person.falls_silent()

    refused, told = news(sandbox, ops, person, "--id", "one")

    assert refused["messaging_type"] == "UTILITY"
    assert told["recipient"] == {"notification_messages_token": person.token}
    assert way(sandbox, person) == "consent"


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


def test_a_dry_run_shows_the_notice_warns_of_an_unknown_person_and_sends_nothing(sandbox: Sandbox, ops: Ops) -> None:
    code, out, err = ops("notify", "77", f"number={NUMBER}", "--topic", "parcel", "--dry-run")

    assert code == 0
    assert "knows nothing about this person" in err
    assert re.search(rf"number +{NUMBER}", out)
    assert "Would go" in out
    assert sandbox.waiting() == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("7", "--topic", "parcel", "number"), "is not name=text"),
        (("7", "--topic", "parcel", "a=1", "a=2"), "given twice"),
        (("7", "--topic", ""), "name the subject in one word"),
        (("user_ref:7", "--topic", "parcel"), "is not a page-scoped id"),
        (("7", "--topic", "parcel", f"text={'x' * 600_000}"), "look up the rest"),
    ],
)
def test_an_invalid_notice_is_refused_in_a_sentence(ops: Ops, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = ops("notify", *arguments)

    assert code == 1
    assert said in err
