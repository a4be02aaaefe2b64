"""A release in the sandbox: two versions share the work, and nobody notices, whichever of them stays."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.load import BROKEN, Crowd, findings
from ops.aws import OperatorAws
from ops.release import LOOK_SECONDS, Outcome, Release, Released
from ops.stack import SANDBOX_KEY, Stack, from_described
from sandbox.local import PROJECT, Sandbox

PEOPLE = [str(7_000_000_000_000_000 + number) for number in range(20)]
CONVERSE = "conversation.bot.answer(event"
RAISES = f"1 / (int(event.user) % 5) and {CONVERSE}"
"""Raises for one person in five."""
OTHER_RECORD = ("bot/aws/ledger.py", '"version": _n(version + 1),', '"version": _n(version + 1), "since": {"N": "1"},')

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
            time.sleep(3)  # enough for some first answers; the rest waits in the queue


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
    print(done, found)
    assert (done.outcome, done.before, done.version) == (Outcome.ROLLED_BACK, 1, 2)
    assert {each: found[each] for each in BROKEN} == dict.fromkeys(BROKEN, 0)
    assert found["answered"] == found["accepted"]
