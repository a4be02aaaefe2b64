"""Releases: a new version of the function gets a share of the work, and is promoted or rolled back by what it does."""

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from bot.aws.client import Aws, AwsError
from bot.aws.ledger import Ledger
from bot.log import ALARM_KINDS, FINDING_KINDS
from ops.dead_letter_queue import DeadLetterQueue
from ops.errors import OpsError
from ops.function_log import lines
from ops.redrive import redrivable, redrive
from ops.stack import Stack

Json = dict[str, Any]

LOOK_SECONDS = 15.0
# A line can be found some seconds after it was written.
LATE_SECONDS = 60.0
# One fault may be somebody's odd message. From two on, the new version must not fail for a larger share of the events
# than the version before, except for this much, which chance may explain.
FEWEST_FAULTS = 2
TOLERATED_SHARE = 0.02
# If this many answers are expected, and fewer than half come, the new version swallows events. An invocation answers up
# to ten, so this takes fifty invocations or more, and chance explains less than half in one release of thousands.
ENOUGH_ANSWERS = 500
FEWEST_ANSWERS = 0.5
# What only a person can help with, mostly at Facebook, says nothing about the code.
NOT_THE_CODE = ALARM_KINDS | FINDING_KINDS
ROLLED_BACK = "rolled back: "
MOVED = "Somebody else has moved the alias meanwhile: see which version answers, and run this again."


class Outcome(Enum):
    """How a release ended."""

    NOTHING_NEW = "nothing to release"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled back"


class Live(NamedTuple):
    """The alias.

    Attributes:
        version: the version that answers people.
        tried: the version that gets a share of the work; 0 for none.
        rolled_back: versions that were rolled back.
        revision: changes with every change of the alias.
    """

    version: int
    tried: int
    rolled_back: tuple[int, ...]
    revision: str


@dataclass
class Tally:
    """What a version did: events that it answered, and events or invocations at which it failed."""

    answered: set[str] = field(default_factory=set)
    faulty: set[str] = field(default_factory=set)

    def note(self, content: Json) -> None:
        """Count a line of the log. The same line may come again."""
        record = content.get("record") or {}
        if content.get("type") == "platform.report" and record.get("status", "success") != "success":
            self.faulty.add(record["requestId"])
        elif content.get("kind") == "answered":
            self.answered.add(content["event"])
        elif content.get("level") == "ERROR" and "kind" in content and content["kind"] not in NOT_THE_CODE:
            self.faulty.add(content.get("event") or f"{content['timestamp']} {content['kind']}")

    @property
    def share(self) -> float:
        """The share of faults."""
        return len(self.faulty) / max(1, len(self.answered | self.faulty))


class Released(NamedTuple):
    """What a release did.

    Attributes:
        outcome: how it ended.
        before: the version that answered people before.
        version: the newest version.
        reason: why it ended so, in a sentence.
        redriven: how many dead letters were sent back to be answered.
    """

    outcome: Outcome
    before: int
    version: int
    reason: str
    redriven: int = 0


class Versions:
    """The versions of a stack's function, and the alias that says which of them answers people.

    Args:
        aws: the stack's.
        stack: the stack.

    Raises:
        OpsError: the stack's outputs lack the function's name, its alias or its log.
    """

    def __init__(self, aws: Aws, stack: Stack) -> None:
        if not (stack.function and stack.alias and stack.log_group):
            raise OpsError("The stack's outputs lack functionName, aliasName or logGroupName: run `pulumi up` first.")
        self._aws, self._function = aws, stack.function
        self._alias: Json = {"FunctionName": stack.function, "Name": stack.alias}

    def live(self) -> Live:
        """The alias as it is now.

        Raises:
            OpsError: it points at no published version.
        """
        alias = self._aws.call("lambda", "GetAlias", self._alias)
        if not alias["FunctionVersion"].isdecimal():
            raise OpsError("The alias points at code that can still change: point it at a published version.")
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        _, _, listed = str(alias.get("Description") or "").partition(ROLLED_BACK)
        return Live(
            int(alias["FunctionVersion"]),
            max(map(int, weights), default=0),
            tuple(map(int, re.findall(r"\d+", listed))),
            alias["RevisionId"],
        )

    def published(self) -> list[int]:
        """The numbers of all versions, in order."""
        found: list[int] = []
        request: Json = {"FunctionName": self._function}
        while True:
            answer = self._aws.call("lambda", "ListVersionsByFunction", request)
            found += [int(each["Version"]) for each in answer["Versions"] if each["Version"].isdecimal()]
            if not (more := answer.get("NextMarker")):
                return sorted(found)
            request["Marker"] = more

    def timeout(self, version: int) -> int:
        """How many seconds an invocation of a version can take."""
        request = {"FunctionName": self._function, "Qualifier": str(version)}
        return int(self._aws.call("lambda", "GetFunctionConfiguration", request)["Timeout"])

    def move(self, live: Live, version: int, shares: dict[int, float], rolled_back: tuple[int, ...]) -> Live:
        """Point the alias at a version, and perhaps give another one a share.

        Args:
            live: the alias as it is known.
            version: the version that answers people.
            shares: version → share of the work, for at most one other.
            rolled_back: which versions were rolled back.

        Raises:
            OpsError: somebody else has moved the alias since.
        """
        weights = {str(each): share for each, share in shares.items()}
        change = {
            "FunctionVersion": str(version),
            "RoutingConfig": {"AdditionalVersionWeights": weights},
            "Description": f"{ROLLED_BACK}{', '.join(map(str, rolled_back))}" if rolled_back else "",
            "RevisionId": live.revision,
        }
        try:
            moved = self._aws.call("lambda", "UpdateAlias", self._alias | change)
        except AwsError as error:
            if error.code == "PreconditionFailedException":
                raise OpsError(MOVED) from None
            raise
        return Live(version, max(shares, default=0), rolled_back, moved["RevisionId"])


class Release:
    """Tries the newest version.

    Args:
        aws: the stack's.
        stack: the stack.
        now: the clock, in seconds since the epoch.
        pause: waits so many seconds.
    """

    def __init__(
        self,
        aws: Aws,
        stack: Stack,
        *,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._aws, self._stack, self._now, self._pause = aws, stack, now, pause
        self._versions = Versions(aws, stack)

    def run(self, minutes: float, percent: float) -> Released:
        """Give the newest version a share of the work, watch it, and promote it or roll it back.

        A version that nobody watches gets no work: if the watch breaks off, everything is as it was before.

        Args:
            minutes: how long to watch; 0 where Pulumi moves the alias.
            percent: its share of the invocations.

        Raises:
            OpsError: the version was rolled back before, or somebody else has moved the alias meanwhile.
        """
        live, newest = self._versions.live(), self._versions.published()[-1]
        if newest == live.version:
            return Released(Outcome.NOTHING_NEW, live.version, newest, f"Version {newest} answers already.")
        if not minutes:
            return Released(
                Outcome.NOTHING_NEW, live.version, newest, "releaseMinutes is 0, so `pulumi up` moves the alias."
            )
        if newest in live.rolled_back:
            raise OpsError(
                f"Version {newest} was rolled back: deploy corrected code. If nothing is wrong with it, let it answer "
                f"everybody: `python -m ops rollback --to {newest}`."
            )
        began = self._now()
        trial = self._versions.move(live, live.version, {newest: percent / 100}, live.rolled_back)
        with self._undone(trial):
            good, reason = self._watch(trial, began, minutes * 60, percent / 100)
            if good:
                self._versions.move(trial, newest, {}, live.rolled_back)
                return Released(Outcome.PROMOTED, live.version, newest, reason)
        rolled_back = tuple(sorted({*live.rolled_back, newest}))
        self._versions.move(trial, live.version, {}, rolled_back)
        # What the version is still doing may yet end in a dead letter.
        self._pause(self._versions.timeout(newest))
        return Released(Outcome.ROLLED_BACK, live.version, newest, reason, self._send_back(began))

    @contextmanager
    def _undone(self, trial: Live) -> Iterator[None]:
        """Take the new version's share away if an exception ends the block."""
        try:
            yield
        except BaseException:
            self._versions.move(trial, trial.version, {}, trial.rolled_back)
            raise

    def _watch(self, trial: Live, began: float, seconds: float, share: float) -> tuple[bool, str]:
        """Watch for so many seconds: whether the new version may stay, and why."""
        tallies: defaultdict[int, Tally] = defaultdict(Tally)
        old, new = tallies[trial.version], tallies[trial.tried]
        since = began
        while True:
            self._pause(LOOK_SECONDS)
            if self._versions.live() != trial:
                raise OpsError(MOVED)
            looked, over = self._now(), self._now() - began >= seconds
            for line in lines(self._aws, self._stack.log_group, since):
                tallies[line.version].note(line.content)
            since = max(began, looked - LATE_SECONDS)
            if objection := too_many_faults(old, new):
                return False, objection
            if over:
                objection = too_few_answers(old, new, share)
                did = f"It answered {len(new.answered)} events, and failed at {len(new.faulty)}."
                return not objection, objection or did

    def _send_back(self, began: float) -> int:
        """Send back the letters that were written since then; how many."""
        ledger = Ledger(self._aws, self._stack.ledger_table, state_days=0)
        with DeadLetterQueue(self._aws, self._stack) as queue:
            letters = [each for each in redrivable(queue, self._stack.page_id) if each.buried >= began * 1000]
            for each in letters:
                redrive(each, queue, ledger)
        return len(letters)


def too_many_faults(old: Tally, new: Tally) -> str:
    """Why the new version has to go, by what both have failed at; or nothing."""
    if len(new.faulty) < FEWEST_FAULTS or new.share <= old.share + TOLERATED_SHARE:
        return ""
    handled = len(new.answered | new.faulty)
    return f"It failed at {len(new.faulty)} of {handled} events; the version before, at {old.share:.0%} of its own."


def too_few_answers(old: Tally, new: Tally, share: float) -> str:
    """Why the new version has to go, by how much of the work both have done; or nothing.

    Args:
        old: what the version before has done.
        new: what the new one has done.
        share: the new one's share of the invocations.
    """
    expected = len(old.answered) * share / (1 - share)
    if expected < ENOUGH_ANSWERS or len(new.answered) >= expected * FEWEST_ANSWERS:
        return ""
    return f"It answered {len(new.answered)} events, where about {expected:.0f} were to be expected."


def roll_back(aws: Aws, stack: Stack, to: int | None) -> tuple[int, int]:
    """Let an earlier version answer everybody again, at once.

    During a release, this ends it. Afterwards, the version before the present one answers, without those that were
    rolled back.

    Args:
        aws: the stack's.
        stack: the stack.
        to: which version; None for the one before.

    Returns:
        The version that answered, and the one that answers now.

    Raises:
        OpsError: there is no such version.
    """
    versions = Versions(aws, stack)
    live, published = versions.live(), versions.published()
    left = live.tried or live.version
    earlier = [each for each in published if each < live.version and each not in live.rolled_back]
    target = to or (live.version if live.tried else max(earlier, default=0))
    if target not in published:
        known = ", ".join(map(str, published))
        raise OpsError(f"There is no version to go back to: name one of {known} with --to, or deploy the earlier code.")
    rolled_back = {*live.rolled_back, *(each for each in (live.version, live.tried) if each > target)} - {target}
    versions.move(live, target, {}, tuple(sorted(rolled_back)))
    return left, target
