"""A release in the sandbox: two versions share the work, and nobody notices, whichever of them stays."""

import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bench.load import BROKEN, Crowd, findings
from ops.aws import OperatorAws
from ops.function_log import lines
from ops.release import LOOK_SECONDS, Outcome, Release, Released, roll_back
from ops.stack import SANDBOX_KEY, Stack, from_described
from sandbox.local import PROJECT, Sandbox
from tests.system.test_languages import marks
from tools.rights.trial import wait_for

PEOPLE = [str(7_000_000_000_000_000 + number) for number in range(20)]
CONVERSE = "conversation.bot.answer(event"
RAISES = f"1 / (int(event.user) % 5) and {CONVERSE}"
"""Raises for one person in five."""
MADE = '"made": {"S": "x"}'
CHANGED_RECORDS = (
    (
        "bot/aws/ledger.py",
        '"expires": self._expires(EVENT_SECONDS)}',
        f'"expires": self._expires(EVENT_SECONDS), {MADE}}}',
    ),
    ("bot/aws/ledger.py", '"version": _n(version + 1),', f'"version": _n(version + 1), {MADE},'),
    ("bot/webhook.py", '"received": round', '"made": "x", "received": round'),
    (
        "bot/dialogue/engine.py",
        'kept = {"user": self._write_state(user), "session": write(session.replace(human=Human()))}',
        'kept = {"user": self._write_state(user), "session": write(session.replace(human=Human()))}\n'
        '            kept = {name: {**value, "made": "x"} for name, value in kept.items()}',
    ),
)
"""File, text and its replacement: a version that keeps more in each record of the ledger, in each message and state."""
FACEBOOK_FAILS = {"error": {"status": 500, "code": 2, "message": "No."}}

NEEDS_NODE = marks("nodejs")[0]

pytestmark = pytest.mark.timeout(180)


class Clock:
    """Virtual time. Whenever somebody waits for the release's next look, people write and are answered."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd, self._passed = crowd, 0.0

    def now(self) -> float:
        return time.time() + self._passed

    def pause(self, seconds: float) -> None:
        self._passed += seconds
        if seconds == LOOK_SECONDS:
            self._crowd.write(PEOPLE, 2)
            time.sleep(1)  # enough for some first answers; the rest waits in the queue


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "tests", "docs"))
    return folder


@pytest.fixture
def sandbox(project: Path) -> Iterator[Sandbox]:
    settings = {"releaseMinutes": "1", "releasePercent": "50", "echoSeconds": "6"}
    with Sandbox(folder=project, settings=settings) as running:
        yield running


@pytest.fixture
def stack(sandbox: Sandbox) -> Stack:
    return from_described(sandbox.described(), "the sandbox")


@pytest.fixture
def aws(stack: Stack) -> OperatorAws:
    return OperatorAws(stack.region, stack.endpoint, SANDBOX_KEY)


def edit(project: Path, file: str, old: str, new: str) -> None:
    path = project / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def released(crowd: Crowd, aws: OperatorAws, stack: Stack) -> Released:
    """Deploy the edited code, and release it while people write."""
    crowd.sandbox.update()
    clock = Clock(crowd)
    done = Release(aws, stack, now=clock.now, pause=clock.pause).run(stack.release_minutes, stack.release_percent)
    crowd.sandbox.settle()
    return done


def test_a_version_that_raises_for_one_person_in_five_is_rolled_back_and_everybody_is_answered_once(
    sandbox: Sandbox, project: Path, stack: Stack, aws: OperatorAws
) -> None:
    crowd = Crowd(sandbox, 1)
    crowd.write(PEOPLE, 1)
    edit(project, "bot/compose.py", CONVERSE, RAISES)

    done = released(crowd, aws, stack)

    found = findings(crowd)
    assert (done.outcome, done.before, done.version) == (Outcome.ROLLED_BACK, 1, 2)
    assert {each: found[each] for each in BROKEN} == dict.fromkeys(BROKEN, 0)
    assert found["answered"] == found["accepted"]


@NEEDS_NODE
def test_a_conversation_in_a_function_of_its_own_is_released_and_rolled_back_with_the_bot(project: Path) -> None:
    code = project / "conversation" / "index.mjs"
    code.parent.mkdir()
    code.write_text("export const handler = () => ({ disclosed: true, messages: ['One.'] });\n", "utf-8")
    with Sandbox(folder=project, settings={"conversationCode": "conversation", "releaseMinutes": "1"}) as sandbox:
        stack = from_described(sandbox.described(), "the sandbox")
        aws = OperatorAws(stack.region, stack.endpoint, SANDBOX_KEY)
        edit(project, "conversation/index.mjs", "One.", "Two.")
        sandbox.update()

        said = []
        for version in (1, 2, 1):
            roll_back(aws, stack, version)
            said += [each["message"]["text"] for each in sandbox.say("hello")]

    assert said == ["One.", "Two.", "One."]


def plans(sandbox: Sandbox) -> int:
    """How many events have a plan that is not carried out."""
    table = sandbox.outputs["ledgerTable"]
    found = sandbox.client("dynamodb").scan(TableName=table, FilterExpression="attribute_exists(answers)")
    return int(found["Count"])


def all_wait(aws: OperatorAws, stack: Stack, since: float) -> bool:
    kinds = [each.content.get("kind") for each in lines(aws, stack.log_group, since)]
    return kinds.count("handed_back") >= len(PEOPLE)


def versions_that_answered(aws: OperatorAws, stack: Stack, since: float) -> set[int]:
    return {each.version for each in lines(aws, stack.log_group, since) if each.content.get("kind") == "answered"}


def test_versions_with_different_records_carry_out_each_others_plans_and_nothing_is_lost_doubled_or_misordered(
    sandbox: Sandbox, project: Path, stack: Stack, aws: OperatorAws
) -> None:
    crowd = Crowd(sandbox, 1)
    crowd.write(PEOPLE, 1)
    for file, old, new in CHANGED_RECORDS:
        edit(project, file, old, new)

    assert released(crowd, aws, stack).outcome is Outcome.PROMOTED
    for planned_by, sent_by in ((2, 1), (1, 2)):
        roll_back(aws, stack, planned_by)
        sandbox.faults([FACEBOOK_FAILS])
        began = time.time()
        crowd.write(PEOPLE, 1)
        wait_for(lambda: plans(sandbox) == len(PEOPLE), "everybody's answer is planned")
        roll_back(aws, stack, sent_by)
        wait_for(partial(all_wait, aws, stack, began), "everybody's answer waits in the queue")
        sandbox.faults({})
        sandbox.settle()
        assert versions_that_answered(aws, stack, began) == {sent_by}

    found = findings(crowd)
    assert {each: found[each] for each in BROKEN} == dict.fromkeys(BROKEN, 0)
    assert found["answered"] == found["accepted"]
