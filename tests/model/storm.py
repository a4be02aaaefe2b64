"""A storm: what users say and what goes wrong meanwhile; and a verdict on what came of it."""

import json
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

from hypothesis import strategies as st

from bot.aws.queues import fingerprint
from bot.messenger.human import HOUR
from bot.responder import ATTEMPTS, FAULTS, STEP_SECONDS, UNCLEAR_TRIES, Converse
from tests.model.cloud import LATE_SECONDS
from tests.model.facebook import PAGE, TRACE, Taken
from tests.model.faults import Fault, How, Outage
from tests.model.system import HUMAN_HOURS, System, count
from tests.model.world import BEGIN, StillBusy

Json = dict[str, Any]

# From the look whether a human talks to the end of the send; and Facebook may take a message later still.
SEND_SECONDS = STEP_SECONDS + LATE_SECONDS


@dataclass(frozen=True)
class Said:
    """What one user says: how many answers it gets, and its nature (see `tests.model.system.count`)."""

    user: int
    answers: int = 1
    nature: str = "good"


@dataclass(frozen=True)
class Post:
    """A request from Facebook.

    Attributes:
        at: seconds after the beginning.
        said: its events, in order.
        again: so many seconds later each time, Facebook sends all of it once more though it need not.
        apart: such repetitions come as one request an event, in reverse order.
    """

    at: int
    said: tuple[Said, ...]
    again: tuple[int, ...] = ()
    apart: bool = False


@dataclass(frozen=True)
class HumanWrote:
    """A human wrote to a user in the page's inbox, so many seconds after the beginning."""

    at: int
    user: int


@dataclass(frozen=True)
class Storm:
    """What happens; see `System` for the fields that are not explained here."""

    posts: tuple[Post, ...]
    faults: tuple[Fault, ...] = ()
    outages: tuple[Outage, ...] = ()
    echoes: tuple[int, ...] = ()
    latencies: tuple[int, ...] = ()
    concurrency: int = 2
    converse: Converse | None = count
    humans: tuple[HumanWrote, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What came of a storm in which every promise was kept.

    Attributes:
        accepted: events that the queue took.
        answers: answers that their users got.
        dead: events that became dead letters, each for a reason.
        unreachable: events of users who could not be written to.
        doubled: answers that came twice, each because both its send and its echo failed.
        joined: events that were answered together with the one before them.
    """

    accepted: int
    answers: int
    dead: int
    unreachable: int
    doubled: int
    joined: int


class Broken(AssertionError):
    """A promise was broken: which, for whom, and what happened to that user before."""


def run(storm: Storm) -> Outcome:
    """Run a storm until nothing is left to do, and judge what came of it.

    Raises:
        Broken: a promise was.
    """
    system = System(storm.faults, storm.outages, storm.echoes, storm.latencies, storm.concurrency, storm.converse)
    said: dict[str, Said] = {}

    def post_later(seconds: int, items: list[Json]) -> None:
        about = items[0]["sender"]["id"]
        system.world.after(seconds, lambda: system.facebook.post(items, about))

    for number, post in enumerate(storm.posts):
        items = []
        for place, each in enumerate(post.said):
            mid = f"e{number}.{place}"
            said[mid] = each
            text = json.dumps({"answers": each.answers, "nature": each.nature})
            message = {"mid": mid, "text": text}
            user = {"id": f"user{each.user}"}
            items.append({"sender": user, "recipient": {"id": PAGE}, "timestamp": 1, "message": message})
        repeated = [[item] for item in reversed(items)] if post.apart else [items]
        for later, requests in [(0, [items]), *((seconds, repeated) for seconds in post.again)]:
            for request in requests:
                post_later(post.at + later, request)
    for number, wrote in enumerate(storm.humans):
        human_writes = partial(system.facebook.human_writes, f"user{wrote.user}", f"echo-h{number}")
        system.world.after(wrote.at, human_writes)
    try:
        system.run()
    except StillBusy as error:
        raise Broken(_report(storm, system, str(error), "")) from None
    return Verdict(storm, system, said).outcome()


class Verdict:
    """Whether a system at rest kept the promises.

    Args:
        storm: what happened.
        system: what came of it.
        said: by id, what users said.
    """

    def __init__(self, storm: Storm, system: System, said: dict[str, Said]) -> None:
        self._storm, self._system, self._said = storm, system, said
        self._order = _order(system)
        self._accepted = _accepted(system)
        self._table = system.cloud.table.items()
        self._dead = self._dead_letters()
        self._doubled = 0
        self._dropped = 0
        self._joined = 0

    def outcome(self) -> Outcome:
        """The figures; raises `Broken` as `run` does."""
        facebook, queue = self._system.facebook, self._system.queue
        self._require(not queue.stored, "the queue is not empty")
        accepted = {mid for mids in self._order.values() for mid in mids}
        for mid in sorted(mid for mid in facebook.acknowledged if not mid.startswith("echo")):
            self._require(mid in accepted, f"{mid} was acknowledged, and is not on the queue", self._user(mid))
        first: dict[str, list[Taken]] = {}
        for taken in self._firsts():
            first.setdefault(taken.user, []).append(taken)
        for user, mids in self._order.items():
            self._judge_acceptance(user, mids)
            self._judge_user(user, mids, first.get(user, []))
        for mid in self._dead:
            self._require(mid in accepted, f"{mid} is a dead letter, and was never accepted")
        self._judge_table()
        for taken in facebook.taken:
            self._judge_silence(taken)
        for number, wrote in enumerate(self._storm.humans):
            self._judge_echo(f"echo-h{number}", f"user{wrote.user}")
        answers = sum(len(each) for each in first.values())
        return Outcome(
            accepted=len(accepted),
            answers=answers,
            dead=len(self._dead),
            unreachable=self._dropped,
            doubled=self._doubled,
            joined=self._joined,
        )

    def _judge_acceptance(self, user: str, mids: list[str]) -> None:
        """What came in one request, and only so, was accepted in its order."""
        for number, post in enumerate(self._storm.posts):
            together = [mid for mid in mids if mid.startswith(f"e{number}.")]
            in_order = sorted(together, key=lambda mid: int(mid.partition(".")[2]))
            self._require(post.apart or together == in_order, f"accepted out of order: {together}", user)

    def _judge_user(self, user: str, mids: list[str], taken: list[Taken]) -> None:
        """Every answer is there, once, in the order of acceptance, and worked out from the state before it."""
        expected: list[str] = []
        seen: list[str] = []
        got = [each.text for each in taken]
        bursts = {burst[0]: burst for burst in self._state(user, "bursts")}
        first = {mid: burst[0] for burst in bursts.values() for mid in burst[1:]}
        for place, mid in enumerate(mids):
            if mid in first:
                self._joined += 1
                self._require((mid in self._dead) == (first[mid] in self._dead), f"{mid} without its burst", user)
                seen.append(mid)
                continue
            said, burst = self._said[mid], bursts.get(mid, [mid])
            self._require(mids[place:][: len(burst)] == burst, f"answered together, and not a burst: {burst}", user)
            texts = [f"{'+'.join(burst)} {number} {len(seen)}" for number in range(said.answers)]
            texts = [text for number, text in enumerate(texts) if text in got or not self._not_allowed(mid, number)]
            silent = self._human_talked(user, mid)
            if silent and mid not in self._dead:
                texts = [text for text in texts if text in got]
            if mid in self._dead:
                self._judge_dead(mid, user)
                # A dead event may have got a part of its answers; it may have died before its state was stored.
                partly = [text for text in texts if text in got]
                self._require(partly == texts[: len(partly)], f"of the dead {mid} not the first answers came", user)
                expected += partly
                if mid in self._state(user):
                    seen.append(mid)
                else:
                    self._require(not partly, f"{mid} was answered and is not in the state", user)
                continue
            rejected = said.nature == "rejected" and said.answers > 0 and not silent
            at_fault = said.nature in {"raises", "kills"} or rejected
            self._require(not at_fault, f"{mid} is at fault, and no dead letter", user)
            seen.append(mid)
            partly = [text for text in texts if text in got]
            if partly != texts and self._unreachable(mid):
                self._dropped += 1
                texts = texts[: len(partly)]
            expected += texts
        self._require(self._state(user) == seen, f"the state is {self._state(user)}, not {seen}", user)
        missing = Counter(expected) - Counter(got)
        self._require(not missing, f"lost: {sorted(missing)}", user)
        surplus = Counter(got) - Counter(expected)
        self._require(not surplus, f"not expected: {sorted(surplus)}", user)
        self._require(got == expected, f"out of order: {got} instead of {expected}", user)

    def _firsts(self) -> list[Taken]:
        """What Facebook took, without second copies; each of those must have an excuse."""
        copies: dict[str, list[Taken]] = {}
        for taken in self._system.facebook.taken:
            earlier = copies.setdefault(taken.metadata, [])
            if earlier:
                self._doubled += 1
                self._judge_doubled(earlier, taken)
            earlier.append(taken)
        return [each[0] for each in copies.values()]

    def _judge_doubled(self, earlier: list[Taken], again: Taken) -> None:
        """The echo of each earlier copy failed as well: since the waiting for it began, or altogether."""
        event = again.metadata.partition(":")[0]
        waits = [time for time in self._system.cloud.waiting.get(event, []) if time < again.time]
        for copy in earlier:
            begun = max(waits, default=float("inf"))  # sent again without having waited: no other failure excuses it
            failed = [reason for time, reason in copy.echo_failed if time >= begun]
            stopped = [
                outage
                for outage in self._storm.outages
                if outage.service != "graph" and begun - BEGIN < outage.start < again.time - BEGIN
            ]
            self._require(
                bool(failed or stopped), f"{again.text} came twice, though its echo was on its way", again.user
            )

    def _human_talked(self, user: str, mid: str) -> bool:
        """Whether a human had the conversation at any time between an event's acceptance and its end."""
        ended = self._system.cloud.settled.get(fingerprint(PAGE, mid), float("inf"))
        marks = self._system.cloud.humans.get(fingerprint(PAGE, user), [])
        return any(
            since < ended and human.wrote and human.until > self._accepted[mid] and until > self._accepted[mid]
            for (since, human), until in zip(marks, [*(time for time, _ in marks[1:]), float("inf")], strict=False)
        )

    def _judge_echo(self, mid: str, user: str) -> None:
        """The ledger knows of every human who wrote, unless the bot was called back since."""
        when = self._accepted.get(mid, 0.0)
        marks = self._system.cloud.humans.get(fingerprint(PAGE, user), [])
        known = any(max(human.wrote, human.returned) >= when for _, human in marks)
        # After an outage of that length, the silence may be over before it can begin.
        over = sum(each.seconds for each in self._storm.outages) > HUMAN_HOURS * HOUR / 2
        self._require(known or over or not when, f"a human wrote in {mid}, and nobody noticed", user)

    def _judge_silence(self, taken: Taken) -> None:
        """Nothing is sent once the ledger knows that a human talks, but for what was being sent at that time."""
        marks = self._system.cloud.humans.get(fingerprint(PAGE, taken.user), [])
        recent = [human for time, human in marks if taken.time - SEND_SECONDS <= time <= taken.time]
        before = [human for time, human in marks if time < taken.time - SEND_SECONDS][-1:]
        talks = before and all(human.talks(taken.time) for human in (*before, *recent))
        self._require(not talks, f"{taken.text} was sent, though a human talks", taken.user)

    def _judge_dead(self, mid: str, user: str) -> None:
        """A dead letter gives its reason, and the event is itself at fault."""
        letter, said = self._dead[mid], self._said[mid]
        reason, detail = letter.get("reason", ""), letter.get("detail", {})
        if reason == "ZeroDivisionError in the conversation":
            self._require(said.nature == "raises", f"{mid} raised nothing", user)
        elif reason == "Runtime.ExitError in the conversation":
            # The last of several faults is the reason: one that raises has others, and a burst's counts as one.
            needed = {"kills": 0, "raises": 0, "chatty": FAULTS - 1}.get(said.nature, FAULTS)
            ended = self._system.cloud.ended.get(mid, 0)
            self._require(ended >= needed, f"{mid} ended its function {ended} times only", user)
            self._require(detail == {"at": "index.py:7", "message": "No."}, f"{mid} is dead without {detail}", user)
        elif reason == "the function ended without an outcome, several times":
            enough = said.nature == "kills" or self._system.ended.get(mid, 0) >= ATTEMPTS
            self._require(enough, f"{mid} ended the function {self._system.ended.get(mid, 0)} times only", user)
        else:
            refused = sum((self._refused(mid, number) for number in range(said.answers)), Counter[str]())
            unclear = "it is not known whether trying again helps" in reason
            known = unclear or "Facebook refuses the request" in reason
            self._require(known, f"{mid} is a dead letter: {reason or letter}", user)
            self._require(
                detail == {"fbtrace_id": TRACE}, f"the dead letter of {mid} has no fbtrace_id: {detail}", user
            )
            times = refused[How.REJECTED] + refused[How.UNCLEAR]
            enough = times >= (UNCLEAR_TRIES if unclear else FAULTS)
            self._require(enough, f"{mid} was rejected {times} times only", user)

    def _judge_table(self) -> None:
        """Nothing is kept about the users of settled events."""
        for name, item in self._table.items():
            if name.startswith("event#"):
                outcome = item.get("outcome", {}).get("S")
                self._require(outcome in {"settled", "dead"}, f"the record {name[:14]} has no outcome: {item}")
                if outcome == "settled":
                    self._require(item.keys() <= {"id", "outcome", "expires"}, f"a settled record keeps {item.keys()}")

    def _not_allowed(self, mid: str, number: int) -> bool:
        """Whether Facebook refused every way of an answer, the last for this person."""
        ways = self._ways(mid, number)
        return all(ways) and ways[-1][How.NOT_ALLOWED] > 0

    def _unreachable(self, mid: str) -> bool:
        numbers = range(self._said[mid].answers)
        refused = sum((self._refused(mid, number) for number in numbers), Counter[str]())
        closed = any(self._ways(mid, number)[-1][How.WINDOW_CLOSED] for number in numbers)
        return refused[How.UNREACHABLE] > 0 or closed

    def _refused(self, mid: str, number: int) -> Counter[str]:
        """How often Facebook refused an answer, by how."""
        return sum(self._ways(mid, number), Counter[str]())

    def _ways(self, mid: str, number: int) -> list[Counter[str]]:
        """How often Facebook refused an answer in each way of sending it, by how."""
        nature, refused = self._said[mid].nature, self._system.facebook.refused
        # A typing indicator goes before each answer of a shy one, and two other ways follow each that is news.
        places = {"shy": [2 * number + 1], "news": [3 * number, 3 * number + 1, 3 * number + 2]}.get(nature, [number])
        keys = [f"{fingerprint(PAGE, mid)}:{place}" for place in places]
        return [Counter({how: count for (named, how), count in refused.items() if named == key}) for key in keys]

    def _dead_letters(self) -> dict[str, Json]:
        letters: dict[str, Json] = {}
        for letter in self._system.dead.bodies():
            for item in letter.get("message", letter)["items"]:
                self._require(not item["message"].get("is_echo"), f"an echo is a dead letter: {letter}")
                letters[item["message"]["mid"]] = letter
        return letters

    def _state(self, user: str, what: str = "seen") -> list[Any]:
        item = self._table.get(f"user#{fingerprint(PAGE, user)}")
        state = json.loads(item["state"]["S"]) if item else {}
        return list(state.get("user", state).get(what, []))

    def _user(self, mid: str) -> str:
        return f"user{self._said[mid].user}"

    def _require(self, holds: bool, otherwise: str, user: str = "") -> None:
        if not holds:
            raise Broken(_report(self._storm, self._system, otherwise, user))


def _order(system: System) -> dict[str, list[str]]:
    """By user, the ids of their events in the order in which the queue first took them."""
    order: dict[str, list[str]] = {}
    for body in system.queue.order:
        for item in json.loads(body)["items"]:
            if not item["message"].get("is_echo"):
                mids = order.setdefault(item["sender"]["id"], [])
                if item["message"]["mid"] not in mids:
                    mids.append(item["message"]["mid"])
    return order


def _accepted(system: System) -> dict[str, float]:
    """By the ids of the events, when each was accepted first."""
    accepted: dict[str, float] = {}
    for body in system.queue.order:
        message = json.loads(body)
        for item in message["items"]:
            accepted.setdefault(item["message"]["mid"], message["received"] / 1000)
    return accepted


def _report(storm: Storm, system: System, what: str, user: str) -> str:
    """What is wrong, with the storm and the timeline of the user."""
    names = {
        fingerprint(PAGE, f"e{number}.{place}"): f"e{number}.{place}"
        for number, post in enumerate(storm.posts)
        for place, _ in enumerate(post.said)
    }
    lines = []
    for entry in system.world.timeline:
        if entry.about in {user, "worker", ""} or not user:
            text = entry.text
            for name, mid in names.items():
                text = text.replace(name, mid).replace(f"event#{name[:8]}", f"event#{mid}")
            lines.append(f"{entry.time - BEGIN:12.3f} {entry.about:8} {text}")
    shown = lines if len(lines) <= 120 else [*lines[:60], f"… {len(lines) - 120} lines …", *lines[-60:]]
    return "\n".join([f"{user or 'Somebody'}: {what}", repr(storm), "", *shown])


# Drawing

AWS_CALLS = (
    "BatchGetItem",
    "TransactWriteItems",
    "UpdateItem",
    "SendMessageBatch",
    "ChangeMessageVisibilityBatch",
    "GetParametersByPath",
    "Invoke",
)
AWS_HOW = (
    How.REFUSED,
    How.THROTTLED,
    How.DENIED,
    How.UNSENT,
    How.LOST,
    How.LATE,
    How.VANISHED,
    How.KILLED,
    How.KILLED_AFTER,
)
SEND_HOW = (
    *AWS_HOW,
    How.SLOW_DOWN,
    How.AMBIGUOUS,
    How.REJECTED,
    How.UNCLEAR,
    How.NOT_ALLOWED,
    How.UNREACHABLE,
    How.WINDOW_CLOSED,
)
OUTAGE_HOW = (How.REFUSED, How.THROTTLED, How.DENIED, How.UNSENT, How.LOST, How.VANISHED)


def _few(each: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(each, max_size=most).map(tuple)


_said = st.builds(
    Said,
    user=st.integers(0, 2),
    answers=st.sampled_from((1, 1, 2, 3, 0)),
    nature=st.sampled_from(("good",) * 12 + ("shy", "news", "news", "raises", "kills", "rejected", "back")),
)
# Several people who are answered at the same time.
_crowds = st.lists(
    st.builds(Said, user=st.integers(0, 5), nature=st.sampled_from(("good",) * 6 + ("kills", "rejected"))),
    min_size=4,
    max_size=6,
    unique_by=lambda said: said.user,
)
# Somebody who writes a thought in several messages.
_bursts = st.lists(
    st.builds(
        Said,
        user=st.just(0),
        answers=st.sampled_from((1, 1, 2, 0)),
        nature=st.sampled_from(("chatty",) * 12 + ("raises", "kills", "rejected", "good")),
    ),
    min_size=1,
    max_size=5,
)
_posts = st.builds(
    Post,
    at=st.sampled_from((0, 0, 1, 5, 30, 200)),
    said=st.one_of(*[st.lists(_said, min_size=1, max_size=3)] * 3, _crowds, _bursts).map(tuple),
    again=_few(st.sampled_from((0, 1, 20, 400, 3000)), 2),
    apart=st.booleans(),
)
_skip = st.sampled_from((0, 0, 1, 1, 2, 3, 5, 8, 13))
_times = st.sampled_from((1, 1, 1, 2, 2, 3, 6))
_faults = st.one_of(
    st.builds(Fault, st.just("send"), st.sampled_from(SEND_HOW), _skip, _times),
    st.builds(Fault, st.just("send"), st.sampled_from((How.LOST, How.KILLED_AFTER, How.KILLED, How.LATE)), _skip),
    st.builds(Fault, st.sampled_from(AWS_CALLS), st.sampled_from(AWS_HOW), _skip, _times),
    st.builds(Fault, st.just("SendMessageBatch"), st.just(How.PARTIAL), _skip, _times),
    st.builds(Fault, st.just("Invoke"), st.sampled_from((How.ENDED, How.KILLED, How.LOST)), _skip, _times),
)
_outages = st.builds(
    Outage,
    service=st.sampled_from(("sqs", "ssm", "dynamodb", "lambda", "aws", "graph")),
    how=st.sampled_from(OUTAGE_HOW),
    start=st.sampled_from((0, 1, 2, 20)),
    seconds=st.sampled_from((1, 10, 100, 1000, 3600)),
)

storms = st.builds(
    Storm,
    posts=st.lists(_posts, min_size=1, max_size=4).map(tuple),
    humans=_few(st.builds(HumanWrote, at=st.sampled_from((0, 1, 2, 5, 30, 200, 1000)), user=st.integers(0, 2)), 2),
    faults=_few(_faults, 6),
    outages=_few(_outages, 2),
    echoes=_few(st.sampled_from((0, 0, 0, 5, 40, 300, -1)), 4),
    latencies=_few(st.sampled_from((1, 5, 20, 90, 700)), 5),
    concurrency=st.sampled_from((2, 2, 5)),
    converse=st.sampled_from((count, None)),
)
"""Storms of every kind, shrinking to fewer events and fewer faults."""
