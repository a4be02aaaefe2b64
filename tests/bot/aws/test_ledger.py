"""The ledger on an emulated DynamoDB that enforces IAM: each expression is judged by code that is not ours."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bot.aws.client import Aws, AwsError
from bot.aws.ledger import DEAD, EVENT_SECONDS, SETTLED, Key, Ledger, Record, Stale
from components.ledger import EXPIRES
from components.ledger import KEY as TABLE_KEY
from sandbox.aws.clients import Clients
from sandbox.aws.cloud import ACCOUNT, OWNER, Cloud
from tests.harness import Graph

Json = dict[str, Any]

REGION, TABLE, PAGE = "eu-central-1", "ledger", "page"
KEY, OTHER = Key("user", "event"), Key("user", "other")
ANSWERS = [{"message": {"text": "one ü"}}, {"message": {"text": "two"}}]
NOON = 1_800_000_000.0


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    running = Cloud(REGION)
    running.start()
    try:
        running.wait_until_ready()
        client(running, "dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": TABLE_KEY, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": TABLE_KEY, "AttributeType": "S"}],
        )
        yield running
    finally:
        running.stop()


def client(cloud: Cloud, service: str) -> Any:
    return Clients(cloud.url, REGION, OWNER)(service)


@pytest.fixture(scope="module")
def key(cloud: Cloud, graphs: dict[str, Graph]) -> Json:
    """An access key with the permissions that the function has on the table, and no others."""
    iam = client(cloud, "iam")
    policies = [each for each in graphs["dev"].resources.values() if each.type == "aws:iam/rolePolicy:RolePolicy"]
    statements = [
        statement
        for policy in policies
        for statement in json.loads(policy.inputs["policy"])["Statement"]
        if any(action.startswith("dynamodb:") for action in statement["Action"])
    ]
    (statement,) = statements
    document = {
        "Version": "2012-10-17",
        "Statement": [statement | {"Resource": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"}],
    }
    iam.create_user(UserName="worker")
    iam.put_user_policy(UserName="worker", PolicyName="ledger", PolicyDocument=json.dumps(document))
    made: Json = iam.create_access_key(UserName="worker")["AccessKey"]
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(cloud: Cloud, key: Json, clock: Clock) -> Ledger:
    dynamodb = client(cloud, "dynamodb")
    for item in dynamodb.scan(TableName=TABLE)["Items"]:
        dynamodb.delete_item(TableName=TABLE, Key={"id": item["id"]})
    environ = {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": cloud.url,
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    return Ledger(Aws(environ), TABLE, 30, clock)


def items(cloud: Cloud) -> dict[str, Json]:
    return {item["id"]["S"]: item for item in client(cloud, "dynamodb").scan(TableName=TABLE)["Items"]}


def test_a_record_that_nobody_wrote_reads_as_empty(ledger: Ledger) -> None:
    reading = ledger.read(KEY, PAGE)
    assert (reading.record, reading.state, reading.version, reading.paused_until) == (Record(), {}, 0, 0)


def test_a_plan_holds_the_answers_the_state_and_that_the_first_is_being_sent(ledger: Ledger) -> None:
    planned = ledger.plan(KEY, ANSWERS, {"count": 1}, 0)
    reading = ledger.read(KEY, PAGE)
    assert planned == reading.record == Record(answers=tuple(ANSWERS), since=round(NOON * 1000))
    assert (reading.state, reading.version) == ({"count": 1}, 1)


def test_a_plan_without_answers_settles_the_event(ledger: Ledger, cloud: Cloud) -> None:
    assert ledger.plan(KEY, [], {"count": 1}, 0) == ledger.read(KEY, PAGE).record == Record(outcome=SETTLED)
    assert items(cloud)["event#event"].keys() == {"id", "outcome", EXPIRES}


def test_an_event_is_planned_only_once(ledger: Ledger) -> None:
    ledger.plan(KEY, ANSWERS, None, 0)
    with pytest.raises(Stale):
        ledger.plan(KEY, ANSWERS[:1], None, 0)
    assert ledger.read(KEY, PAGE).record.answers == tuple(ANSWERS)


def test_a_settled_event_is_not_planned_again(ledger: Ledger) -> None:
    ledger.plan(KEY, [], None, 0)
    with pytest.raises(Stale):
        ledger.plan(KEY, ANSWERS, None, 0)


def test_a_plan_that_follows_an_older_state_stores_nothing_at_all(ledger: Ledger) -> None:
    ledger.plan(KEY, [], {"count": 1}, 0)
    ledger.plan(OTHER, [], {"count": 2}, 1)
    third = Key("user", "third")
    with pytest.raises(Stale):
        ledger.plan(third, ANSWERS, {"count": 2}, 1)
    reading = ledger.read(third, PAGE)
    assert (reading.record, reading.state, reading.version) == (Record(), {"count": 2}, 2)


def test_an_empty_state_is_deleted_and_a_new_one_starts_over(ledger: Ledger, cloud: Cloud) -> None:
    ledger.plan(KEY, [], {"count": 1}, 0)
    ledger.plan(OTHER, [], {}, 1)
    assert "user#user" not in items(cloud)
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


def test_states_are_found_by_the_name_of_a_part_and_not_by_what_a_user_wrote(
    cloud: Cloud, ledger: Ledger, clock: Clock
) -> None:
    ledger.change_state("gone", lambda _: {"human": {"until": 1}})
    clock.now += 31 * 24 * 3600
    states: list[Json] = [{"human": {"until": 2}}, {"user": {"human": 3}}, {"said": '"human":'}]
    for number, state in enumerate(states):
        ledger.plan(Key(f"user{number}", f"event{number}"), [], state, 0)
    environ = {"AWS_REGION": REGION, "AWS_ENDPOINT_URL": cloud.url}
    environ |= {"AWS_ACCESS_KEY_ID": OWNER[0], "AWS_SECRET_ACCESS_KEY": OWNER[1]}
    by_an_operator = Ledger(Aws(environ), TABLE, 30, clock)
    assert list(by_an_operator.states_with("human")) == states[:1]


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


def test_until_when_an_echo_is_awaited_is_kept_until_the_next_step(ledger: Ledger) -> None:
    record = ledger.plan(KEY, ANSWERS, None, 0)
    ledger.awaiting(KEY, record, NOON + 20)
    read = ledger.read(KEY, PAGE).record
    assert read.awaited == round((NOON + 20) * 1000)
    ledger.sending(KEY, read, 0)
    assert ledger.read(KEY, PAGE).record.awaited is None


def test_echoes_of_planned_answers_are_kept_until_the_event_is_settled(ledger: Ledger, cloud: Cloud) -> None:
    record = ledger.plan(KEY, ANSWERS, None, 0)
    for number in (0, 1, 1):
        ledger.echoed(KEY, number)
    assert ledger.read(KEY, PAGE).record.echoed == {0, 1}
    ledger.settle(KEY, record)
    ledger.echoed(KEY, 1)
    assert items(cloud)["event#event"].keys() == {"id", "outcome", EXPIRES}


def test_an_echo_of_an_event_that_nobody_knows_leaves_no_record(ledger: Ledger, cloud: Cloud) -> None:
    ledger.echoed(KEY, 0)
    assert items(cloud) == {}


@pytest.mark.parametrize("what", ["faults", "attempts"])
def test_an_occasion_counts_once(ledger: Ledger, what: str) -> None:
    assert [ledger.add(KEY, what, occasion) for occasion in ("m:1", "m:2", "m:2", "m:3")] == [1, 2, 2, 3]
    ledger.take_back(KEY, what, "m:2")
    ledger.take_back(KEY, what, "m:2")
    assert getattr(ledger.read(KEY, PAGE).record, what) == 2


def test_taking_back_what_was_never_added_leaves_no_record(ledger: Ledger, cloud: Cloud) -> None:
    ledger.take_back(KEY, "attempts", "m:1")
    assert items(cloud) == {}


def test_a_fault_does_not_change_how_far_an_event_is(ledger: Ledger) -> None:
    record = ledger.plan(KEY, ANSWERS, None, 0)
    ledger.add(KEY, "faults", "m:1")
    assert ledger.read(KEY, PAGE).record == record._replace(faults=1)


@pytest.mark.parametrize("what", ["faults", "attempts"])
def test_nothing_is_added_to_a_settled_event(ledger: Ledger, what: str) -> None:
    ledger.plan(KEY, [], None, 0)
    with pytest.raises(Stale):
        ledger.add(KEY, what, "m:1")
    assert ledger.read(KEY, PAGE).record == Record(outcome=SETTLED)


def test_a_dead_event_keeps_its_plan_for_a_redrive(ledger: Ledger) -> None:
    record = ledger.sending(KEY, ledger.plan(KEY, ANSWERS, None, 0), 1)
    ledger.bury(KEY)
    assert ledger.read(KEY, PAGE).record == record._replace(outcome=DEAD)


def test_a_plan_that_an_echo_came_for_is_not_deleted_by_a_redrive(ledger: Ledger) -> None:
    ledger.stopped(KEY, ledger.plan(KEY, ANSWERS, None, 0), 0)
    ledger.bury(KEY)
    before = ledger.read(KEY, PAGE).record
    ledger.echoed(KEY, 0)
    with pytest.raises(Stale):
        ledger._revive(KEY, before)
    ledger.revive(KEY, PAGE)
    assert ledger.read(KEY, PAGE).record == Record(answers=tuple(ANSWERS), echoed=frozenset({0}))


def test_a_forgotten_event_keeps_only_that_it_was_seen(ledger: Ledger, cloud: Cloud) -> None:
    ledger.plan(KEY, ANSWERS, None, 0)
    ledger.add(KEY, "faults", "m:1")
    ledger.forget(KEY)
    assert items(cloud)["event#event"].keys() == {"id", "outcome", EXPIRES}


def test_a_page_is_paused_until_a_time(ledger: Ledger) -> None:
    ledger.pause(PAGE, 60)
    assert ledger.read(KEY, PAGE).paused_until == round((NOON + 60) * 1000)
    assert ledger.read(KEY, "another page").paused_until == 0


def test_every_record_expires_later_than_both_queues_can_hold_its_event(ledger: Ledger, cloud: Cloud) -> None:
    ledger.plan(KEY, ANSWERS, {"count": 1}, 0)
    ledger.add(Key("user", "at fault"), "faults", "m:1")
    ledger.bury(Key("user", "dead"))
    ledger.forget(Key("user", "forgotten"))
    ledger.pause(PAGE, 60)
    found = items(cloud)
    expires = {name: int(item[EXPIRES]["N"]) - round(NOON) for name, item in found.items()}
    assert expires.pop("user#user") == 30 * 86400
    assert expires.pop("page#page") == 86400
    assert expires == {f"event#{name}": EVENT_SECONDS for name in ("event", "at fault", "dead", "forgotten")}
    assert EVENT_SECONDS > 2 * 14 * 86400


def test_a_plan_that_is_too_large_is_an_invalid_request(ledger: Ledger) -> None:
    with pytest.raises(AwsError) as refusal:
        ledger.plan(KEY, [{"message": {"text": "x" * 500_000}}], None, 0)
    assert refusal.value.invalid
    with pytest.raises(AwsError) as refusal:
        ledger.plan(KEY, [], {"notes": "x" * 500_000}, 0)
    assert refusal.value.invalid


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
