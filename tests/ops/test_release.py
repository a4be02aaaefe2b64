"""A release promotes a good version and rolls a bad one back, and leaves nothing half done. Time is virtual."""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.aws.client import Aws
from ops.aws import OperatorAws
from ops.errors import OpsError
from ops.release import LOOK_SECONDS, Outcome, Release, Released, Versions, roll_back
from ops.stack import Stack
from sandbox.local import Sandbox
from tests.ops.conftest import Ops
from tests.ops.place import ANNA, BEN, Place

MINUTES, PERCENT, TIMEOUT = 10, 20, 30

Json = dict[str, Any]


class Bot:
    """A function with versions, an alias and a log, on the emulated AWS.

    Attributes:
        stack: for the operator's commands.
        whenever: what happens while the release waits for its next look.
        passed: how many seconds of virtual time have passed.
    """

    def __init__(self, aws: Aws, stack: Stack, role: str) -> None:
        name = stack.ledger_table
        self.aws = aws
        self.stack = replace(stack, function=name, alias="live", log_group=name)
        self.whenever: Callable[[], None] = lambda: None
        self.passed = 0.0
        self._streams = 0
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as content:
            content.writestr("index.py", "")
        made = {"Role": role, "Runtime": "python3.13", "Handler": "index.handle", "Code": {"ZipFile": code.getvalue()}}
        aws.call("lambda", "CreateFunction", {"FunctionName": name, "Publish": True, "Timeout": TIMEOUT, **made})
        aws.call("lambda", "CreateAlias", {"FunctionName": name, "Name": "live", "FunctionVersion": "1"})
        aws.call("logs", "CreateLogGroup", {"logGroupName": name})

    def publish(self) -> None:
        """Publish another version."""
        name = self.stack.function
        versions = len(self.aws.call("lambda", "ListVersionsByFunction", {"FunctionName": name})["Versions"])
        self.aws.call(
            "lambda", "UpdateFunctionConfiguration", {"FunctionName": name, "Description": f"change {versions}"}
        )
        self.aws.call("lambda", "PublishVersion", {"FunctionName": name})

    def alias(self) -> tuple[str, Mapping[str, float]]:
        """The version that answers, and the shares of others."""
        found = self.aws.call("lambda", "GetAlias", {"FunctionName": self.stack.function, "Name": "live"})
        return found["FunctionVersion"], found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})

    def log(self, version: int, kind: str, count: int = 1, **fields: object) -> None:
        """Let a version write some lines of a kind, each about an event of its own."""
        self._streams += 1
        contents = [
            {"level": "INFO", "kind": kind, "event": f"{self._streams}:{each}", "timestamp": "t"} | fields
            for each in range(count)
        ]
        self.write(version, *contents)

    def write(self, version: int, *contents: Json) -> None:
        """Let a version write lines."""
        where = {"logGroupName": self.stack.log_group, "logStreamName": f"2026/11/25/bot[{version}]{self._streams}"}
        self._streams += 1
        self.aws.call("logs", "CreateLogStream", where)
        events = [{"timestamp": round(time.time() * 1000), "message": json.dumps(each)} for each in contents]
        self.aws.call("logs", "PutLogEvents", where | {"logEvents": events})

    def pause(self, seconds: float) -> None:
        self.passed += seconds
        if seconds == LOOK_SECONDS:
            self.whenever()

    def release(self, minutes: float = MINUTES) -> Released:
        # The log's times are real ones: a look must not skip what was written since the last.
        return Release(self.aws, self.stack, now=lambda: self._began + self.passed, pause=self.pause).run(
            minutes, PERCENT
        )

    _began = time.time() - 3600


@pytest.fixture
def bot(aws: OperatorAws, place: Place, sandbox: Sandbox) -> Iterator[Bot]:
    role = aws.call("iam", "GetRole", {"RoleName": sandbox.outputs["roleName"]})["Role"]["Arn"]
    made = Bot(aws, place.stack, role)
    yield made
    aws.call("lambda", "DeleteFunction", {"FunctionName": made.stack.function})
    aws.call("logs", "DeleteLogGroup", {"logGroupName": made.stack.log_group})


def test_a_version_that_answers_gets_its_share_for_the_time_and_then_everything(bot: Bot) -> None:
    bot.publish()
    shares = []

    def work() -> None:
        shares.append(bot.alias())
        bot.log(1, "answered", 8)
        bot.log(2, "answered", 2)

    bot.whenever = work
    done = bot.release()

    assert (done.outcome, done.before, done.version) == (Outcome.PROMOTED, 1, 2)
    assert set(map(str, shares)) == {str(("1", {"2": PERCENT / 100}))}
    assert MINUTES * 60 <= bot.passed < MINUTES * 60 + 2 * LOOK_SECONDS
    assert bot.alias() == ("2", {})


FAULTS: Mapping[str, Callable[[Bot], None]] = {
    "it raises": lambda bot: bot.log(2, "fault", 2, level="ERROR"),
    "a handler raises and the bot apologises": lambda bot: bot.log(2, "defect", 2, level="ERROR"),
    "events become dead letters": lambda bot: bot.log(2, "dead_letter", 2, level="ERROR"),
    "its process ends": lambda bot: bot.write(
        2, *({"type": "platform.report", "record": {"requestId": each, "status": "timeout"}} for each in "ab")
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_version_that_fails_is_rolled_back_at_the_next_look(bot: Bot, fault: Callable[[Bot], None]) -> None:
    bot.publish()
    bot.log(1, "answered", 20)
    bot.log(2, "answered", 5)
    bot.whenever = lambda: fault(bot)

    done = bot.release()

    assert (done.outcome, done.before, done.version) == (Outcome.ROLLED_BACK, 1, 2)
    assert bot.alias() == ("1", {})
    assert bot.passed == LOOK_SECONDS + TIMEOUT


TOLERATED: Mapping[str, Sequence[tuple[int, str, int]]] = {
    "a token is refused": [(1, "answered", 40), (2, "answered", 10), (2, "credentials", 5)],
    "the hourly check finds something": [(1, "answered", 40), (2, "answered", 10), (2, "token_fails", 5)],
    "the old version fails": [(1, "answered", 40), (2, "answered", 10), (1, "fault", 5)],
    "it fails no more than that": [
        (1, "answered", 360),
        (1, "fault", 40),
        (2, "answered", 90),
        (2, "fault", 10),
    ],
    "a single message is odd": [(2, "fault", 1)],
}


@pytest.mark.parametrize("lines", TOLERATED.values(), ids=TOLERATED)
def test_what_the_new_version_cannot_help_is_not_held_against_it(
    bot: Bot, lines: Sequence[tuple[int, str, int]]
) -> None:
    bot.publish()
    for version, kind, count in lines:
        bot.log(version, kind, count, level="INFO" if kind == "answered" else "ERROR")

    assert bot.release().outcome is Outcome.PROMOTED


@pytest.mark.parametrize(("answers", "outcome"), [(200, Outcome.ROLLED_BACK), (300, Outcome.PROMOTED)])
def test_a_version_that_swallows_events_is_rolled_back_at_the_end(bot: Bot, answers: int, outcome: Outcome) -> None:
    bot.publish()
    bot.log(1, "answered", 2000)  # with a fifth of the work, the new version should answer about 500
    bot.log(2, "answered", answers)

    assert bot.release().outcome is outcome
    assert bot.passed >= MINUTES * 60


def test_what_died_during_a_release_that_is_rolled_back_is_sent_back_and_answered(bot: Bot, place: Place) -> None:
    place.die(ANNA, "before")
    bot._began = time.time()
    bot.publish()

    def work() -> None:
        place.die(BEN, "meanwhile")
        bot.log(2, "dead_letter", 2, level="ERROR")

    bot.whenever = work
    done = bot.release()
    place.work()

    assert done.redriven == 1
    assert place.facebook.sent == [(BEN, "meanwhile: one"), (BEN, "meanwhile: two")]
    assert place.dead() == ["before"]


@pytest.mark.parametrize("trouble", [KeyboardInterrupt, OpsError])
def test_a_version_that_nobody_watches_any_more_gets_no_work(bot: Bot, trouble: type[BaseException]) -> None:
    bot.publish()

    def work() -> None:
        raise trouble

    bot.whenever = work
    with pytest.raises(trouble):
        bot.release()

    assert bot.alias() == ("1", {})


def test_a_release_that_was_killed_begins_again(bot: Bot) -> None:
    bot.publish()
    share = {"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.5}}}
    bot.aws.call("lambda", "UpdateAlias", {"FunctionName": bot.stack.function, "Name": "live", **share})

    assert bot.release().outcome is Outcome.PROMOTED
    assert bot.alias() == ("2", {})


def test_a_version_that_was_rolled_back_is_not_tried_again(bot: Bot) -> None:
    bot.publish()
    bot.log(2, "fault", 2, level="ERROR")
    bot.release()

    with pytest.raises(OpsError, match="Version 2 was rolled back: deploy corrected code"):
        bot.release()
    bot.publish()
    assert bot.release() == Released(Outcome.PROMOTED, 1, 3, "It answered 0 events, and failed at 0.")


def test_a_release_never_overrules_somebody_who_moves_the_alias_meanwhile(bot: Bot) -> None:
    bot.publish()
    bot.whenever = lambda: print(roll_back(bot.aws, bot.stack, None))

    with pytest.raises(OpsError, match="Somebody else has moved the alias"):
        bot.release()

    assert bot.alias() == ("1", {})
    assert bot.passed == LOOK_SECONDS


def test_of_two_who_move_the_alias_at_once_the_second_is_refused(bot: Bot) -> None:
    bot.publish()
    versions = Versions(bot.aws, bot.stack)
    known = versions.live()
    versions.move(known, 2, {}, ())

    with pytest.raises(OpsError, match="Somebody else has moved the alias"):
        versions.move(known, 1, {}, ())


def test_there_is_nothing_to_release_where_the_newest_version_answers_or_pulumi_moves_the_alias(bot: Bot) -> None:
    assert bot.release().outcome is Outcome.NOTHING_NEW
    bot.publish()

    assert bot.release(minutes=0).outcome is Outcome.NOTHING_NEW
    assert bot.alias() == ("1", {})


def test_a_rollback_goes_back_one_version_and_over_those_that_were_rolled_back(bot: Bot) -> None:
    for _ in range(2):
        bot.publish()
        bot.release()

    assert roll_back(bot.aws, bot.stack, None) == (3, 2)
    bot.publish()
    bot.release()
    assert roll_back(bot.aws, bot.stack, None) == (4, 2)
    assert bot.alias() == ("2", {})


def test_a_rollback_can_name_its_version_and_so_allow_one_that_was_rolled_back(bot: Bot) -> None:
    bot.publish()
    bot.release()
    roll_back(bot.aws, bot.stack, None)

    assert roll_back(bot.aws, bot.stack, 2) == (1, 2)
    assert bot.alias() == ("2", {})
    assert bot.release().outcome is Outcome.NOTHING_NEW


def test_the_commands_say_what_answers_and_what_to_do(ops: Ops) -> None:
    assert ops("release") == (0, "Version 1: nothing to release.\nVersion 1 answers already.\n", "")

    code, _, err = ops("rollback")

    assert (code, "name one of 1 with --to" in err) == (1, True)
