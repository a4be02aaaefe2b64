"""The ledger on an emulated DynamoDB: each expression is judged by code that is not ours."""

import json
from typing import Any

import pytest

from bot.aws.client import Aws
from bot.aws.ledger import EVENT_SECONDS, SETTLED, Key, Ledger, Record, Stale
from bot.http import Response
from components.ledger import EXPIRES
from tests.bot.connections import ENVIRON
from tests.model.table import NAME, Table

Json = dict[str, Any]

PAGE = "page"
KEY, OTHER = Key("user", "event"), Key("user", "other")
ANSWERS = [{"message": {"text": "one ü"}}, {"message": {"text": "two"}}]
NOON = 1_800_000_000.0
SETTLED_ITEM = {"id", "outcome", EXPIRES}


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class DynamoDb(Table):
    """The table as a connection."""

    def request(self, _method: str, _path: str, headers: dict[str, str], body: bytes, _timeout: float) -> Response:
        return self.call(headers["x-amz-target"].partition(".")[2], json.loads(body))


@pytest.fixture
def table() -> DynamoDb:
    return DynamoDb()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(table: DynamoDb, clock: Clock) -> Ledger:
    return Ledger(Aws(ENVIRON, connect=lambda _origin: table), NAME, 30, clock)


def test_a_plan_holds_the_answers_the_state_and_that_the_first_is_being_sent(ledger: Ledger) -> None:
    reading = ledger.read(KEY, PAGE)
    assert (reading.record, reading.state, reading.version, reading.paused_until) == (Record(), {}, 0, 0)
    planned = ledger.plan(KEY, ANSWERS, {"count": 1}, 0)
    reading = ledger.read(KEY, PAGE)
    assert planned == reading.record == Record(answers=tuple(ANSWERS), since=round(NOON * 1000))
    assert (reading.state, reading.version) == ({"count": 1}, 1)


@pytest.mark.parametrize("answers", [ANSWERS, []])
def test_an_event_is_planned_only_once_and_settled_at_once_if_it_needs_no_answer(
    ledger: Ledger, table: DynamoDb, answers: list[Json]
) -> None:
    planned = ledger.plan(KEY, answers, None, 0)
    with pytest.raises(Stale):
        ledger.plan(KEY, ANSWERS[:1], None, 0)
    assert ledger.read(KEY, PAGE).record == planned
    assert (table.items()["event#event"].keys() == SETTLED_ITEM) == (not answers)


def test_a_plan_that_follows_an_older_state_stores_nothing_at_all(ledger: Ledger) -> None:
    ledger.plan(KEY, [], {"count": 1}, 0)
    ledger.plan(OTHER, [], {"count": 2}, 1)
    third = Key("user", "third")
    with pytest.raises(Stale):
        ledger.plan(third, ANSWERS, {"count": 2}, 1)
    reading = ledger.read(third, PAGE)
    assert (reading.record, reading.state, reading.version) == (Record(), {"count": 2}, 2)


def test_an_empty_state_is_deleted_and_a_new_one_starts_over(ledger: Ledger, table: DynamoDb) -> None:
    ledger.plan(KEY, [], {"count": 1}, 0)
    ledger.plan(OTHER, [], {}, 1)
    assert "user#user" not in table.items()
    ledger.plan(Key("user", "third"), [], {"count": 1}, 0)
    assert ledger.read(KEY, PAGE).version == 1


def test_an_expired_state_reads_as_empty_and_can_be_replaced_before_it_is_deleted(ledger: Ledger, clock: Clock) -> None:
    ledger.plan(KEY, [], {"count": 1}, 0)
    clock.now += 31 * 86400
    reading = ledger.read(OTHER, PAGE)
    assert (reading.state, reading.version) == ({}, 1)
    ledger.plan(OTHER, [], {"count": 7}, reading.version)
    assert ledger.read(OTHER, PAGE).state == {"count": 7}


def test_a_state_changed_outside_of_an_event_overtakes_the_plan_that_did_not_know_of_it(ledger: Ledger) -> None:
    ledger.change_state("user", lambda state: state | {"human": 1})
    with pytest.raises(Stale):
        ledger.plan(KEY, ANSWERS, {"count": 1}, 0)
    ledger.change_state("user", lambda state: state)
    reading = ledger.read(KEY, PAGE)
    assert (reading.state, reading.version) == ({"human": 1}, 1)


def test_a_state_that_another_run_changes_meanwhile_is_changed_again(ledger: Ledger) -> None:
    def change(state: Json) -> Json:
        if "other" not in state:
            ledger.plan(KEY, [], {"other": 1}, 0)
        return state | {"human": 1}

    ledger.change_state("user", change)
    assert ledger.read(KEY, PAGE).state == {"other": 1, "human": 1}


def test_states_are_found_by_the_name_of_a_part_and_not_by_what_a_user_wrote(ledger: Ledger, clock: Clock) -> None:
    ledger.change_state("gone", lambda _: {"human": {"until": 1}})
    clock.now += 31 * 24 * 3600
    states: list[Json] = [{"human": {"until": 2}}, {"user": {"human": 3}}, {"said": '"human":'}]
    for number, state in enumerate(states):
        ledger.plan(Key(f"user{number}", f"event{number}"), [], state, 0)
    assert list(ledger.states_with("human")) == states[:1]


def test_progress_is_recorded_step_by_step(ledger: Ledger, clock: Clock) -> None:
    record = ledger.plan(KEY, ANSWERS, None, 0)
    clock.now += 1
    record = ledger.sending(KEY, record, 1)
    assert ledger.read(KEY, PAGE).record == record
    assert (record.next, record.since) == (1, round(clock.now * 1000))
    record = ledger.stopped(KEY, record, 1)
    assert ledger.read(KEY, PAGE).record == record
    assert (record.next, record.since) == (1, None)
    record = ledger.sending(KEY, record, 1)
    ledger.awaiting(KEY, record, NOON + 20)
    assert ledger.read(KEY, PAGE).record == record._replace(awaited=round((NOON + 20) * 1000))
    record = ledger.sending(KEY, record, 1)
    assert ledger.read(KEY, PAGE).record == record
    ledger.settle(KEY, record)
    assert ledger.read(KEY, PAGE).record == Record(outcome=SETTLED)


@pytest.mark.parametrize("step", ["sending", "stopped", "settle"])
def test_each_step_can_be_repeated_if_its_answer_was_lost(ledger: Ledger, step: str) -> None:
    record = ledger.plan(KEY, ANSWERS, None, 0)
    arguments = (KEY, record) if step == "settle" else (KEY, record, 1)
    getattr(ledger, step)(*arguments)
    first = ledger.read(KEY, PAGE).record
    getattr(ledger, step)(*arguments)
    assert ledger.read(KEY, PAGE).record == first


@pytest.mark.parametrize("step", ["sending", "stopped", "awaiting", "settle"])
def test_a_run_that_was_overtaken_changes_nothing(ledger: Ledger, step: str, clock: Clock) -> None:
    old = ledger.plan(KEY, ANSWERS, None, 0)
    clock.now += 1
    new = ledger.sending(KEY, old, 1)
    clock.now += 1
    arguments = {"settle": (KEY, old), "awaiting": (KEY, old, NOON)}.get(step, (KEY, old, 1))
    with pytest.raises(Stale):
        getattr(ledger, step)(*arguments)
    assert ledger.read(KEY, PAGE).record == new


def test_several_events_are_settled_in_one_write_or_none_of_them(ledger: Ledger) -> None:
    one, old = (ledger.plan(each, ANSWERS, None, 0) for each in (KEY, OTHER))
    new = ledger.sending(OTHER, old, 1)
    with pytest.raises(Stale):
        ledger.settle_all({KEY: one, OTHER: old})
    assert [ledger.read(each, PAGE).record for each in (KEY, OTHER)] == [one, new]
    for _ in range(2):  # the answer to the first may have been lost
        ledger.settle_all({KEY: one, OTHER: new})
    assert [ledger.read(each, PAGE).record for each in (KEY, OTHER)] == [Record(outcome=SETTLED)] * 2


def test_two_tries_of_the_same_answer_in_the_same_millisecond_differ(ledger: Ledger) -> None:
    record = ledger.plan(KEY, ANSWERS, None, 0)
    again = ledger.sending(KEY, record, 0)
    assert again.since is not None
    assert record.since is not None
    assert again.since > record.since


def test_echoes_of_planned_answers_are_kept_until_the_event_is_settled(ledger: Ledger, table: DynamoDb) -> None:
    record = ledger.plan(KEY, ANSWERS, None, 0)
    for number in (0, 1, 1):
        ledger.echoed(KEY, number)
    assert ledger.read(KEY, PAGE).record.echoed == {0, 1}
    ledger.settle(KEY, record)
    ledger.echoed(KEY, 1)
    assert table.items()["event#event"].keys() == SETTLED_ITEM


def test_what_is_said_of_an_event_that_nobody_knows_leaves_no_record(ledger: Ledger, table: DynamoDb) -> None:
    ledger.echoed(KEY, 0)
    ledger.take_back(KEY, "attempts", "m:1")
    assert table.items() == {}


@pytest.mark.parametrize("what", ["faults", "attempts"])
def test_an_occasion_counts_once_and_only_until_the_event_is_settled(ledger: Ledger, what: str) -> None:
    record = ledger.plan(KEY, ANSWERS, None, 0)
    assert [ledger.add(KEY, what, occasion) for occasion in ("m:1", "m:2", "m:2", "m:3")] == [1, 2, 2, 3]
    ledger.take_back(KEY, what, "m:2")
    ledger.take_back(KEY, what, "m:2")
    read = ledger.read(KEY, PAGE).record
    assert getattr(read, what) == 2
    assert read._replace(faults=0, attempts=0) == record
    ledger.settle(KEY, record)
    with pytest.raises(Stale):
        ledger.add(KEY, what, "m:4")
    assert ledger.read(KEY, PAGE).record == Record(outcome=SETTLED)


def test_a_plan_that_an_echo_came_for_is_not_deleted_by_a_redrive(ledger: Ledger) -> None:
    ledger.stopped(KEY, ledger.plan(KEY, ANSWERS, None, 0), 0)
    ledger.bury(KEY)
    before = ledger.read(KEY, PAGE).record
    ledger.echoed(KEY, 0)
    with pytest.raises(Stale):
        ledger._revive(KEY, before)
    ledger.revive(KEY, PAGE)
    assert ledger.read(KEY, PAGE).record == Record(answers=tuple(ANSWERS), echoed=frozenset({0}))


def test_a_forgotten_event_keeps_only_that_it_was_seen(ledger: Ledger, table: DynamoDb) -> None:
    ledger.plan(KEY, ANSWERS, None, 0)
    ledger.add(KEY, "faults", "m:1")
    ledger.forget(KEY)
    assert table.items()["event#event"].keys() == SETTLED_ITEM


def test_every_record_expires_later_than_both_queues_can_hold_its_event(ledger: Ledger, table: DynamoDb) -> None:
    ledger.plan(KEY, ANSWERS, {"count": 1}, 0)
    ledger.add(Key("user", "at fault"), "faults", "m:1")
    ledger.bury(Key("user", "dead"))
    ledger.forget(Key("user", "forgotten"))
    ledger.pause(PAGE, 60)
    found = table.items()
    expires = {name: int(item[EXPIRES]["N"]) - round(NOON) for name, item in found.items()}
    assert expires.pop("user#user") == 30 * 86400
    assert expires.pop("page#page") == 86400
    assert expires == {f"event#{name}": EVENT_SECONDS for name in ("event", "at fault", "dead", "forgotten")}
    assert EVENT_SECONDS > 2 * 14 * 86400


@pytest.mark.parametrize(("begin", "seconds", "people"), [(0, 0, 3), (595, 290, 3), (0, 1300, 1)])
def test_refusals_that_come_within_minutes_count_together_whenever_they_begin(
    ledger: Ledger, clock: Clock, begin: int, seconds: int, people: int
) -> None:
    clock.now += begin
    assert ledger.refused(PAGE, 9999, "u" * 64) == 1
    assert ledger.refused(PAGE, 9999, "u" * 64) == 1
    clock.now += seconds
    ledger.refused(PAGE, 9999, "v" * 64)
    clock.now += seconds
    assert ledger.refused(PAGE, 9999, "w" * 64) == people
    assert ledger.refused("another page", 9999, "w" * 64) == 1
