"""The table of outcomes as data, and what is counted: every sequence of steps has one outcome that is true."""

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.page.operator import moved_back
from sandbox.page.outcomes import OUTCOMES, RULES, SENDS, STOPPED, Promise, Story, outcome, send_step

RETRIED = [f"send_{reason}" for reason in SENDS]
GAVE_UP = [f"send_{reason}" for reason in STOPPED]
WAYS = ["way_update", "way_utility", "way_consent"]
SENT = ["arrived", "arrived_last", *RETRIED, *GAVE_UP, "killed"]
# What can follow each step in the life of an event, as the responder goes forward.
NEXT: dict[str, list[str]] = {
    "": ["refused", "posted", "abandoned", "queued", "taken"],
    "refused": ["refused", "queued", "posted", "abandoned"],
    "abandoned": [],
    "posted": ["posted", "queued", "taken"],
    "queued": ["posted", "refused", "taken", "joined", "ledger_failed"],
    "joined": ["silent", "posted"],
    "taken": [
        *("planned", "silent", "ledger_failed", "fault_counted", "sending"),
        *("delayed", "awaiting_echo", "killed", "done"),
    ],
    "taken_settled": [],
    "planned": [*SENT, "code_failed"],
    "code_failed": SENT,
    "silent": ["code_failed_late", "human_answered"],
    "sending": SENT,
    "arrived": ["sending", "done", "killed", "ledger_failed"],
    "arrived_last": ["done", "killed", "ledger_failed", "send_unanswered"],
    **{step: ["delayed", "fault_counted", "arrived_last"] for step in RETRIED},
    **{step: ["done"] for step in GAVE_UP},
    "ledger_failed": ["delayed", "taken", "planned"],
    "awaiting_echo": ["delayed"],
    "fault_counted": ["delayed", "dead"],
    "delayed": ["taken", "forgotten", "ledger_failed"],
    "killed": ["taken"],
    "human_answered": [],
    "done": ["logged", "human_answered", "code_failed_late", "taken_settled", *WAYS],
    **{way: ["logged"] for way in WAYS},
    "logged": [],
    "dead": ["redriven", "dropped", "forgotten"],
    "redriven": ["taken"],
    "dropped": [],
    "forgotten": [],
}
LATE = {"code_failed_late": "code_failed"}
MOST_LIVES = 60_000


def lives() -> Iterator[tuple[str, ...]]:
    """Sequences of steps, the short ones first; each step at most twice."""
    waiting: deque[tuple[str, tuple[str, ...]]] = deque([("", ())])
    for _ in range(MOST_LIVES):
        step, life = waiting.popleft()
        yield life
        for follower in NEXT.get(step, []):
            name = LATE.get(follower, follower)
            if life.count(name) < 2:
                waiting.append((follower, (*life, name)))


def facts_after(steps: tuple[str, ...]) -> set[str]:
    story = Story("k", "p", 0.0)
    for step in steps:
        story.take(step)
    return story.facts


@pytest.fixture(scope="module")
def ended() -> dict[tuple[str, ...], str]:
    """Many lives, and the outcome of each."""
    return {life: outcome(facts_after(life)).name for life in [*lives(), *(tuple(each.split()) for each in LIVES)]}


LIVES = {
    "": "delivering",
    "refused": "refused",
    "abandoned": "abandoned",
    "refused queued posted": "queued",
    "queued taken planned": "answering",
    "queued taken planned arrived_last done": "answering",  # until the log shows whether the author's code failed
    "queued taken planned arrived_last done logged": "answered",
    "queued taken planned arrived_last done code_failed logged": "code",
    "queued taken planned arrived_last way_update done logged": "update",
    "queued taken planned send_closed arrived_last way_utility done logged": "utility",
    "queued taken planned send_not_allowed arrived_last done logged way_consent": "consent",
    "queued taken planned code_failed arrived_last done logged": "code",
    "queued taken silent": "silent",
    "queued taken silent code_failed": "code",
    "queued taken planned send_unreachable done logged": "unreachable",
    "queued taken planned send_closed done": "closed",
    "queued taken planned arrived send_closed done": "partly",
    "queued taken planned done": "answering",  # until the log shows whether a human answered
    "queued taken planned done logged": "nothing",
    "queued taken planned done human_answered": "human",
    "queued taken planned arrived done human_answered": "human",
    "queued taken silent human_answered": "human",
    "queued taken planned send_down delayed taken sending arrived_last done logged": "answered",
    "queued taken planned send_unanswered delayed taken awaiting_echo delayed": "echo",
    "queued taken planned arrived_last send_unanswered delayed taken awaiting_echo delayed taken delayed": "echo",
    **{f"queued taken planned send_{reason} delayed": reason for reason in SENDS},
    "queued ledger_failed delayed": "ledger",
    "queued taken planned arrived killed": "killed",
    "queued taken fault_counted delayed": "again",
    "queued taken fault_counted code_failed delayed": "code_again",
    "queued taken fault_counted dead": "dead",
    "queued taken fault_counted dead redriven": "redriven",
    "queued taken fault_counted dead redriven taken planned arrived_last done logged": "answered",
    "queued taken fault_counted dead dropped": "dropped",
    "queued taken fault_counted dead forgotten": "forgotten",
}


@pytest.mark.parametrize(("steps", "name"), LIVES.items(), ids=LIVES)
def test_a_life_ends_as_the_table_says(steps: str, name: str) -> None:
    assert outcome(facts_after(tuple(steps.split()))).name == name


def test_every_sequence_of_steps_has_one_outcome_and_every_outcome_is_reached(
    ended: dict[tuple[str, ...], str],
) -> None:
    assert set(ended.values()) == set(OUTCOMES) == {name for _, name in RULES}


def test_nothing_is_green_where_nothing_arrived_or_where_the_authors_code_failed(
    ended: dict[tuple[str, ...], str],
) -> None:
    green = [life for life, name in ended.items() if OUTCOMES[name].colour == "good"]
    assert green
    for life in green:
        since = max((at for at, step in enumerate(life) if step == "planned"), default=0)
        assert "arrived_last" in life
        assert "code_failed" not in life[since:]
        assert life[-1] != "dead"


def test_a_wait_for_an_echo_is_counted_down_as_one() -> None:
    story = Story("k", "p", 0.0)
    story.take("delayed", 5.0)
    assert story.until == 5.0
    story.take("awaiting_echo", 30.0)
    story.take("delayed", 12.0)
    assert story.until == 30.0


@pytest.mark.parametrize(
    ("status", "error", "step"),
    [
        (500, {"code": 2, "is_transient": True}, "send_down"),
        (400, {"code": 613, "error_subcode": 2018338}, "send_limited"),
        (400, {"code": 10, "error_subcode": 2018278}, "send_closed"),
        (400, {"code": 100, "message": "(#100) Param message is not valid."}, "send_rejected"),
        (500, {"code": 1, "error_subcode": 1357046}, "send_unanswered"),
    ],
)
def test_a_refusal_is_read_as_the_bot_reads_it(status: int, error: dict[str, Any], step: str) -> None:
    assert send_step(status, json.dumps({"error": error}).encode()) == step


def test_several_ways_to_send_a_message_are_one_answer_whichever_arrives() -> None:
    story = Story("k", "p", 0.0)
    first, second = ({"message": {"text": text}} for text in "12")
    assert story.plan([first, *[first | {"otherwise": True}] * 2, second]) == "planned"
    assert (set(story.wanted), story.said) == ({0, 3}, ["1", "2"])
    assert story.arrive(2, 1.0) == "arrived"
    assert story.arrive(3, 2.0) == "arrived_last"
    assert Promise.of([story]).answers == 2


def told(place: int, *arrivals: tuple[int, float], wanted: int = 1, ends: str = "done") -> Story:
    story = Story(f"k{place}", "p", 0.0)
    story.place, story.wanted = place, frozenset(range(wanted))
    for number, at in arrivals:
        story.take(story.arrive(number, at))
    story.take(ends)
    story.take("logged")
    return story


@pytest.mark.parametrize(
    ("stories", "sentence"),
    [
        ([told(1, (0, 1)), told(2, (0, 2))], "Promise kept: 2 messages, 2 answers, 0 twice, in order"),
        ([told(1, (0, 1), (0, 2))], "Promise broken: 1 message, 1 answer, 1 twice, in order"),
        ([told(1, (0, 2)), told(2, (0, 1))], "Promise broken: 2 messages, 2 answers, 0 twice, out of order"),
        ([told(1, (1, 1), (0, 2), wanted=2)], "Promise broken: 1 message, 2 answers, 0 twice, out of order"),
        ([told(1)], "Promise broken: 1 message, 0 answers, 1 lost, 0 twice, in order"),
        ([told(1, ends="dead")], "Promise kept: 1 message, 0 answers, 1 not delivered, 0 twice, in order"),
        ([told(1, ends="delayed")], "So far: 1 message, 0 answers, 1 still waiting, 0 twice, in order"),
    ],
)
def test_a_promise_is_counted(stories: list[Story], sentence: str) -> None:
    assert Promise.of(stories).sentence == sentence


def test_a_day_later_only_times_are_a_day_earlier() -> None:
    now = 1_790_000_000.0
    state = {"user": {"parcel": "12345678", "asked": [now, 3]}, "session": {"opened": now - 5, "pace": 2, "on": True}}
    assert moved_back(state, now) == {
        "user": {"parcel": "12345678", "asked": [now - 86400, 3]},
        "session": {"opened": now - 5 - 86400, "pace": 2, "on": True},
    }
