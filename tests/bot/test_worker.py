"""How the worker handles each kind of failure: the bot's own code on the model of AWS and Facebook."""

import functools
import itertools
import json
from typing import Any

import pytest

from bot import responder
from bot.aws.queues import Queues, fingerprint
from bot.dialogue import Answer, Bot, Context
from bot.messenger import events
from bot.messenger.messages import Action, PrivateReply, Text
from bot.messenger.record import Record
from tests.model import system as model
from tests.model.cloud import EVENTS, SECRETS
from tests.model.facebook import PAGE, TRACE
from tests.model.faults import Fault, How, Outage
from tests.model.system import System
from tests.model.world import BEGIN

Json = dict[str, Any]


def item(user: str, mid: str, answers: int = 1, nature: str = "good") -> Json:
    text = json.dumps({"answers": answers, "nature": nature, "canary": "xyzzy"})
    return {
        "sender": {"id": user},
        "recipient": {"id": PAGE},
        "timestamp": 1,
        "message": {"mid": mid, "text": text},
    }


def run(*posts: list[Json], **more: Any) -> System:
    """Let Facebook send these requests, a second apart, and everything happen that follows."""
    system = System(**more)
    for number, items in enumerate(posts):
        later(system, number, items)
    system.run()
    return system


def later(system: System, seconds: float, items: list[Json]) -> None:
    system.world.after(seconds, lambda: system.facebook.post(items, items[0]["sender"]["id"]))


def texts(system: System) -> list[str]:
    return [taken.text for taken in system.facebook.taken]


def times(system: System) -> list[float]:
    return [round(taken.time - BEGIN, 1) for taken in system.facebook.taken]


def logged(system: System, kind: str) -> list[Json]:
    lines = [json.loads(entry.text[4:]) for entry in system.world.timeline if entry.text.startswith("log ")]
    return [line for line in lines if line["kind"] == kind]


def letters(system: System) -> list[Json]:
    return system.dead.bodies()


def test_each_answer_carries_the_key_that_its_echo_brings_back() -> None:
    system = run([item("u", "m1", 2)])
    assert [taken.metadata for taken in system.facebook.taken] == [f"{fingerprint(PAGE, 'm1')}:{n}" for n in (0, 1)]


def test_a_healthy_event_takes_three_calls_of_the_ledger_and_one_send() -> None:
    system = System(echoes=(-1,))
    later(system, 0, [item("u", "m1")])
    system.run()
    calls = system.faults.calls
    assert calls["send"] == 1
    assert (calls["BatchGetItem"], calls["TransactWriteItems"], calls["UpdateItem"]) == (1, 1, 1)
    assert "ChangeMessageVisibilityBatch" not in calls


def test_an_echo_takes_no_call_of_the_ledger_in_the_instance_that_answered_and_one_in_others() -> None:
    system = System(echoes=(-1,))
    later(system, 0, [item("u", "m1")])
    system.run()
    message = {"mid": "echo", "is_echo": True, "metadata": system.facebook.taken[0].metadata}
    echo = {"sender": {"id": PAGE}, "recipient": {"id": "u"}, "timestamp": 1, "message": message}
    body = json.dumps({"object": "page", "page": PAGE, "received": 1, "items": [echo]})
    costs = []
    for container in list(system.containers):
        before = system.faults.calls["UpdateItem"]
        system.containers[:] = [container]
        system.queue.put("echoes", body)
        system.run()
        costs.append(system.faults.calls["UpdateItem"] - before)
    assert sorted(costs) == [0, 1]


def test_the_first_events_of_several_users_are_read_in_one_call() -> None:
    system = run([item(user, f"m{user}") for user in "abcdefgh"])
    assert len(texts(system)) == 8
    assert system.faults.calls["BatchGetItem"] == 1


def test_events_of_several_users_answered_at_once_are_settled_in_two_writes() -> None:
    system = run([item(user, f"m{user}") for user in "abcdefgh"], echoes=(-1,))
    assert outcomes(system) == ["settled"] * 8
    calls = system.faults.calls
    # One plan for each; the first to be settled, and all that came while it was written.
    assert (calls["TransactWriteItems"], calls["UpdateItem"]) == (8 + 1, 1)


def test_what_could_not_be_settled_goes_back_and_is_not_sent_again() -> None:
    fault = Fault("TransactWriteItems", How.REFUSED, skip=8, times=2)
    system = run([item(user, f"m{user}") for user in "abcdefgh"], planned=(fault,))
    assert {each["reason"] for each in logged(system, "handed_back")} == {
        "its answers were sent and could not be settled"
    }
    assert outcomes(system) == ["settled"] * 8
    assert system.faults.calls["send"] == 8


@pytest.mark.parametrize("messages", [[[("m1", "good"), ("m2", "kills")]], [[("m1", "good")], [("m2", "kills")]]])
def test_an_event_is_settled_before_a_later_one_of_its_user_can_end_the_function(
    messages: list[list[tuple[str, str]]],
) -> None:
    system = System(echoes=(-1,))
    system.queue.put("v", delivery("v", item("v", "m0"))["body"])  # another user, whose event is being settled then
    for events_of_one in messages:
        items = [item("u", mid, 1, nature) for mid, nature in events_of_one]
        system.queue.put("u", delivery("u", *items)["body"])
    system.run()
    assert texts(system) == ["m0 0 0", "m1 0 0"]


def test_an_event_is_settled_while_another_user_is_still_being_answered() -> None:
    killed = Fault("send", How.KILLED_AFTER, skip=3)
    system = run([item("u", "m1"), item("v", "m2", 3)], planned=(killed,), echoes=(-1,))
    assert texts(system).count("m1 0 0") == 1
    assert texts(system).count("m2 2 0") == 2


def outcomes(system: System) -> list[str]:
    items = system.cloud.table.items()
    return [record["outcome"]["S"] for name, record in items.items() if name.startswith("event#")]


def test_each_user_is_read_alone_if_the_call_for_all_fails() -> None:
    system = run([item(user, f"m{user}") for user in "abcd"], planned=(Fault("BatchGetItem", How.REFUSED, times=2),))
    assert len(texts(system)) == 4
    assert logged(system, "handed_back") == []
    assert system.faults.calls["BatchGetItem"] == 2 + 4


def test_an_event_under_way_is_read_again_when_its_turn_comes() -> None:
    system = System(planned=(Fault("send", How.LOST),), echoes=(-1,))

    def work_on(*users: str) -> None:
        batch = {"Records": [delivery(user, item(user, f"m{user}")) for user in users]}
        instance = system._container()
        system.world.start(lambda: print(instance.worker.handle(batch, lambda: 30.0)))
        system.run()

    work_on("u")
    work_on("u", "v")
    # The first; of both together; the first again, whose echo may have come meanwhile.
    assert system.faults.calls["BatchGetItem"] == 3


def test_only_the_first_event_of_a_group_is_answered_from_the_reading_for_all() -> None:
    system = System(echoes=(-1,))
    mine = [delivery("u", item("u", "m1"), item("u", "m2")), delivery("u", item("u", "m3"))]
    batch = {"Records": [*mine, delivery("v", item("v", "m4"))]}
    instance = system._container()
    handled: list[Json] = []
    system.world.start(lambda: handled.append(instance.worker.handle(batch, lambda: 30.0)))
    system.run()
    assert handled == [{"batchItemFailures": []}]
    assert sorted(texts(system)) == ["m1 0 0", "m2 0 1", "m3 0 2", "m4 0 0"]


def delivery(user: str, *items: Json) -> Json:
    """A record as Lambda delivers it."""
    attributes = {"MessageGroupId": user, "ApproximateReceiveCount": "1", "SentTimestamp": str(round(BEGIN * 1000))}
    body = json.dumps({"object": "page", "page": PAGE, "received": round(BEGIN * 1000), "items": items})
    return {"messageId": user, "receiptHandle": user, "body": body, "attributes": attributes}


@pytest.mark.parametrize("how", [How.REFUSED, How.THROTTLED, How.UNSENT])
def test_a_transient_failure_is_tried_again_in_the_same_run(how: How) -> None:
    system = run([item("u", "m1")], planned=(Fault("send", how, times=2),))
    assert texts(system) == ["m1 0 0"]
    assert logged(system, "handed_back") == []
    assert system.faults.calls["send"] == 3


def test_a_lasting_failure_goes_back_to_the_queue_and_returns_at_growing_intervals() -> None:
    system = run([item("u", "m1")], outages=(Outage("graph", How.REFUSED, 0, 600),))
    waits = [each["seconds"] for each in logged(system, "handed_back")]
    ages = [each["age"] for each in logged(system, "handed_back")]
    assert waits[:2] == [2, 2]
    assert ages[0] <= 2
    assert ages == sorted(ages)
    assert 600 <= ages[-1] + waits[-1] <= 600 * 1.4
    assert all(now >= before for before, now in itertools.pairwise(waits[3:]))
    assert len(waits) < 30
    assert times(system)[0] < 600 * 1.4


def test_a_refused_token_is_looked_up_again_and_the_event_kept() -> None:
    system = run([item("u", "m1")], planned=(Fault("send", How.DENIED, times=1),))
    assert texts(system) == ["m1 0 0"]
    assert logged(system, "handed_back") == []
    reads = []
    for faults in ((), (Fault("send", How.DENIED, skip=1),)):
        system = System(faults)
        for seconds in (0, 20):  # secrets are read again once they are 15 seconds old
            later(system, seconds, [item("u", f"m{seconds}")])
        system.run()
        reads.append(system.faults.calls["GetParametersByPath"])
    assert reads[1] == reads[0] + 1
    lasting = run([item("u", "m1")], outages=(Outage("graph", How.DENIED, 0, 900),))
    assert texts(lasting) == ["m1 0 0"]
    assert {each["level"] for each in logged(lasting, "credentials")} == {"ERROR"}


def test_a_token_that_no_header_takes_is_reported_like_a_refused_one(monkeypatch: pytest.MonkeyPatch) -> None:
    usable = SECRETS["page-access-token"]
    monkeypatch.setitem(SECRETS, "page-access-token", "EAA token")
    system = System()
    later(system, 0, [item("u", "m1")])
    system.world.after(60, lambda: SECRETS.update({"page-access-token": usable}))
    system.run()
    assert texts(system) == ["m1 0 0"]
    assert {each["level"] for each in logged(system, "credentials")} == {"ERROR"}
    assert logged(system, "defect") == []


def test_when_facebook_says_slow_down_nothing_is_sent_for_the_page_for_a_minute() -> None:
    system = run([item("u", "m1")], [item("v", "m2")], [item("w", "m3")], planned=(Fault("send", How.SLOW_DOWN),))
    assert sorted(texts(system)) == ["m1 0 0", "m2 0 0", "m3 0 0"]
    assert min(times(system)) >= responder.PAUSE_SECONDS
    assert system.faults.calls["send"] == 4
    assert {each["level"] for each in logged(system, "slow_down")} == {"ERROR"}


@pytest.mark.parametrize("how", [How.UNREACHABLE, How.WINDOW_CLOSED])
def test_answers_to_an_unreachable_user_are_dropped_without_a_dead_letter(how: How) -> None:
    system = run([item("u", "m1", 3), item("u", "m2")], planned=(Fault("send", how, skip=1),))
    assert texts(system) == ["m1 0 0", "m2 0 1"]
    assert letters(system) == []
    assert [each["messages"] for each in logged(system, "not_delivered")] == [2]


def test_answers_that_come_after_the_messaging_window_are_counted() -> None:
    bot: Bot[Record, None] = Bot(Record)
    bot.fallback(lambda _: ("too", "late"))

    def a_day_late(event: events.Event, state: Json, now: float) -> Answer:
        return bot.answer(event, state, Context(now + 25 * 60 * 60, None))

    system = run([item("u", "m1")], converse=a_day_late)
    assert texts(system) == []
    assert letters(system) == []
    ((line),) = logged(system, "not_delivered")
    assert (line["reason"], line["messages"]) == ("the messaging window is closed", 2)


def test_an_answer_that_this_person_may_not_get_is_left_out_and_the_others_are_sent() -> None:
    system = run([item("u", "m1", 3), item("u", "m2")], planned=(Fault("send", How.NOT_ALLOWED, skip=1),))
    assert texts(system) == ["m1 0 0", "m1 2 0", "m2 0 1"]
    assert letters(system) == []
    assert [each["messages"] for each in logged(system, "not_delivered")] == [1]
    assert logged(system, "credentials") == logged(system, "refused") == []


@pytest.mark.parametrize(("how", "code"), [(How.NOT_ALLOWED, 2018336), (How.UNCLEAR, 9999)])
def test_the_same_error_for_three_people_within_minutes_raises_an_alarm_that_names_it(how: How, code: int) -> None:
    people = [[item(user, f"m{user}")] for user in "uvw"]
    few = run(*people[:2], planned=(Fault("send", how, times=2),))
    assert logged(few, "refused") == []
    many = run(*people, planned=(Fault("send", how, times=3),))
    assert [(each["level"], each["code"], each["people"]) for each in logged(many, "refused")] == [("ERROR", code, 3)]


def test_what_was_done_already_is_settled_and_never_repeated() -> None:
    system = run([item("u", "m1", 2)], planned=(Fault("send", How.ALREADY_DONE),))
    assert texts(system) == ["m1 1 0"]
    assert letters(system) == logged(system, "not_delivered") == []
    assert system.faults.calls["send"] == 2


def test_an_unknown_error_is_retried_for_minutes_and_then_kept_as_a_dead_letter_that_says_so() -> None:
    passing = run([item("u", "m1")], planned=(Fault("send", How.UNCLEAR, times=responder.UNCLEAR_TRIES - 1),))
    assert texts(passing) == ["m1 0 0"]
    assert times(passing)[0] > 7 * 60
    lasting = run([item("u", "m1"), item("u", "m2")], planned=(Fault("send", How.UNCLEAR, times=6),))
    ((letter),) = letters(lasting)
    assert "it is not known whether trying again helps" in letter["reason"]
    assert "code 9999" in letter["reason"]
    assert texts(lasting) == ["m2 0 1"]


def test_a_setting_of_the_page_raises_its_own_alarm_and_the_event_waits() -> None:
    system = run([item("u", "m1")], outages=(Outage("graph", How.PAGE_SETTING, 0, 3600),))
    assert texts(system) == ["m1 0 0"]
    assert {each["level"] for each in logged(system, "page_setting")} == {"ERROR"}
    assert letters(system) == logged(system, "credentials") == []


def test_a_rejected_answer_makes_a_dead_letter_with_its_trace_and_the_next_event_is_answered() -> None:
    system = run([item("u", "m1", 1, "rejected"), item("u", "m2")])
    ((letter),) = letters(system)
    assert "Facebook refuses the request" in letter["reason"]
    assert letter["detail"] == {"fbtrace_id": TRACE}
    assert [each["message"]["mid"] for each in letter["message"]["items"]] == ["m1"]
    assert texts(system) == ["m2 0 1"]
    assert system.faults.calls["send"] == responder.FAULTS + 1


def test_a_defect_of_the_conversation_is_reported_by_its_place_and_never_by_its_words() -> None:
    system = run([item("u", "m1", 1, "raises")])
    ((letter),) = letters(system)
    assert letter["reason"] == "ZeroDivisionError in the conversation"
    assert letter["detail"]["at"].startswith("system.py:")


def test_no_line_of_the_log_holds_what_a_user_wrote_or_was_answered() -> None:
    natures = ("good", "raises", "rejected", "shy")
    system = run(*[[item("u", f"m{number}", 2, nature)] for number, nature in enumerate(natures)])
    lines = [entry.text for entry in system.world.timeline if entry.text.startswith("log ")]
    assert lines
    assert not [line for line in lines if "xyzzy" in line or " 0 0" in line or "EAA" in line]


def test_a_lost_answer_is_settled_by_its_echo_without_sending_again() -> None:
    system = run([item("u", "m1", 2)], planned=(Fault("send", How.LOST),))
    assert texts(system) == ["m1 0 0", "m1 1 0"]
    assert system.faults.calls["send"] == 2
    assert times(system)[1] < 12  # the send's time-out, and one look


def test_a_send_without_an_echo_is_sent_again_after_the_set_time() -> None:
    system = run([item("u", "m1", 2)], planned=(Fault("send", How.VANISHED),))
    assert texts(system) == ["m1 0 0", "m1 1 0"]
    assert 8 + model.ECHO_SECONDS < times(system)[0] < 8 + 3 * model.ECHO_SECONDS
    # No run waits for the echo: the event goes back to the queue meanwhile.
    assert len([each for each in logged(system, "handed_back") if "echo" in each["reason"]]) > 3


def test_a_typing_indicator_is_not_worth_waiting_for() -> None:
    system = run([item("u", "m1", 1, "shy")], planned=(Fault("action", How.VANISHED),))
    assert texts(system) == ["m1 0 0"]
    assert system.faults.calls["action"] == 1
    assert logged(system, "handed_back") == []


def test_no_send_begins_without_the_time_to_finish_it() -> None:
    system = System()
    system.facebook.take_time(6.0)
    later(system, 0, [item("u", "m1", 9)])
    system.run()
    assert [text.split()[1] for text in texts(system)] == [str(number) for number in range(9)]
    assert [each["reason"] for each in logged(system, "handed_back")] == ["no time is left in this run"] * 2
    assert not [entry for entry in system.world.timeline if entry.text == "killed"]


def test_a_conversation_that_took_the_time_of_a_send_is_answered_by_the_next_run() -> None:
    def slowly(_event: events.Event, _state: Json, _now: float) -> Answer:
        system.world.sleep(20)
        return Answer((Text("late"),), {})

    system = System(converse=slowly)
    later(system, 0, [item("u", "m1")])
    system.run()
    assert texts(system) == ["late"]
    assert [each["reason"] for each in logged(system, "handed_back")] == ["no time is left in this run"]


def test_what_the_pages_rate_leaves_no_time_for_goes_back_and_waits_for_no_echo() -> None:
    system = run([item(user, f"m{user}") for user in "abcdefghij"], concurrency=1000)
    assert sorted(texts(system)) == [f"m{user} 0 0" for user in "abcdefghij"]
    assert {each["reason"] for each in logged(system, "handed_back")} == {"the page's rate is used up"}
    assert not [entry for entry in system.world.timeline if entry.text == "killed"]


def test_without_the_secrets_no_send_is_recorded_as_tried_so_there_is_no_wait_for_an_echo() -> None:
    system = System(outages=(Outage("ssm", How.THROTTLED, 0, 100),))
    message = {"object": "page", "page": PAGE, "received": round(BEGIN * 1000), "items": [item("u", "m1")]}
    system.queue.put(fingerprint(PAGE, "u"), json.dumps(message))
    system.run()
    assert texts(system) == ["m1 0 0"]
    assert [each for each in logged(system, "handed_back") if "echo" in each["reason"]] == []


def test_a_message_that_is_not_ours_becomes_a_dead_letter_and_delays_nothing() -> None:
    system = System()
    system.queue.put("group", '{"not": "ours"}')
    system.queue.put("group", "not even JSON")
    system.queue.put("group", "[" * 100_000)
    later(system, 1, [item("u", "m1")])
    system.run()
    assert [letter["reason"] for letter in letters(system)] == ["not a message of ours"] * 3
    assert texts(system) == ["m1 0 0"]


EVENT = "0" * 64


@pytest.mark.parametrize(
    "metadata",
    [
        *("", ":1", "order:12", "\ud83d:1", "日" * 900 + ":1", "x" * 2000 + ":1"),
        *(EVENT, f"{EVENT}:", f"{EVENT}:-1", f"{EVENT}:٣", f"{EVENT}:1:2", f"{EVENT}:{'9' * 900}", f"{EVENT}0:1"),
    ],
)
def test_an_echo_of_another_app_is_taken_from_the_queue_without_asking_the_ledger(metadata: str) -> None:
    message = {"mid": "echo", "is_echo": True, "metadata": metadata}
    system = run([{"sender": {"id": PAGE}, "recipient": {"id": "u"}, "timestamp": 1, "message": message}])
    assert system.queue.stored == []
    assert letters(system) == []
    assert len(system.queue.order) == 1
    assert "UpdateItem" not in system.faults.calls


def test_a_state_that_is_too_large_is_the_events_own_fault() -> None:
    def converse(event: events.Event, _state: Json, _now: float) -> Answer:
        return Answer((Text("x"),), {"notes": "x" * 500_000} if event.id == "m1" else {})

    system = run([item("u", "m1"), item("u", "m2")], converse=converse)
    ((letter),) = letters(system)
    assert "larger than the ledger can store" in letter["reason"]
    assert texts(system) == ["x"]


def test_an_event_that_needs_no_answer_and_changes_nothing_costs_one_read() -> None:
    system = run([item("u", "m1")], converse=lambda _event, state, _now: Answer((), state))
    assert system.cloud.table.items() == {}
    assert system.faults.calls["BatchGetItem"] == 1


def test_an_event_without_effect_is_settled_if_its_attempts_were_counted() -> None:
    fault = Fault("BatchGetItem", How.REFUSED, times=2)
    system = run([item("u", "m1")], planned=(fault,), converse=lambda _event, state, _now: Answer((), state))
    assert outcomes(system) == ["settled"]


def test_an_unforeseen_failure_holds_back_only_its_own_user(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = events.parse

    def stumble(item: Any, page: str, **named: Any) -> events.Event:
        event = parse(item, page, **named)
        if event.user == "u" and "standby" not in named:
            raise KeyError(event.user)
        return event

    monkeypatch.setattr(events, "parse", stumble)
    monkeypatch.setattr(model, "MOST_RECEIVES", 5)
    system = run([item("u", "m1"), item("v", "m2")])
    assert texts(system) == ["m2 0 0"]
    assert times(system)[0] < 1
    assert logged(system, "defect")


def test_a_user_who_asks_to_be_forgotten_leaves_neither_state_nor_dead_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[str] = []

    def letters_of(_self: object, group: str) -> list[tuple[str, str]]:
        assert group == fingerprint(PAGE, "u")
        one = {"object": "page", "page": PAGE, "received": 1, "items": [item("u", "old")]}
        moved_by_sqs = one | {"items": [item("u", "older")]}
        return [(json.dumps({"reason": "r", "message": one}), "r1"), (json.dumps(moved_by_sqs), "r2")]

    def converse(event: events.Event, _state: Json, _now: float) -> Answer:
        return Answer((Text("Gone."),), {}, forget=True) if event.id == "m2" else Answer((), {"name": "Ada"})

    monkeypatch.setattr(Queues, "letters", letters_of)
    monkeypatch.setattr(Queues, "drop", lambda _self, receipt: gone.append(receipt))
    system = run([item("u", "m1")], [item("u", "m2")], converse=converse)
    assert texts(system) == ["Gone."]
    assert gone == ["r1", "r2"]
    left = system.cloud.table.items()
    assert {name.partition("#")[0] for name in left} == {"event"}
    assert {record["outcome"]["S"] for record in left.values()} == {"settled"}
    assert not [record for record in left.values() if record.keys() - {"id", "outcome", "expires"}]


def test_a_message_goes_back_with_all_that_follow_in_its_group() -> None:
    system = System(faults_for_both())
    later(system, 0, [item("v", "m0")])
    later(system, 0.5, [item("w", "m9")])
    later(system, 1, [item("u", "m1")])
    later(system, 2, [item("u", "m2")])
    system.run()
    assert EVENTS.endswith(".fifo")
    assert max(each["messages"] for each in logged(system, "handed_back")) == 2
    assert [text for text in texts(system) if text[:2] in {"m1", "m2"}] == ["m1 0 0", "m2 0 1"]


def faults_for_both() -> tuple[Fault, ...]:
    """The first two users keep both runs busy, and the third's first event fails."""
    return Fault("send", How.LOST, times=2), Fault("send", How.REFUSED, skip=2, times=3)


# People without an id, and comments


def often(_event: events.Event, state: Json, _now: float) -> Answer:
    """A conversation that says how often it has answered this user."""
    times = state.get("times", 0) + 1
    return Answer((Text(f"answer {times}"),), {"times": times})


def privately(event: events.Event, _state: Json, _now: float) -> Answer:
    assert isinstance(event, events.Comment)
    return Answer((PrivateReply(Text("answer"), event.comment_id), Action("typing_on")), {})


def referred(reference: str, mid: str) -> Json:
    return {"sender": {"user_ref": reference}, "message": {"text": "hello", "mid": mid}}


def deliver(*items: Json) -> System:
    """Let Facebook send these items, a second apart, to a bot that counts."""
    system = System(converse=often)
    for number, item_ in enumerate(items):
        system.world.after(number, functools.partial(system.facebook.post, [item_], "somebody"))
    system.run()
    return system


def test_people_without_an_id_each_have_their_own_state_and_are_answered_by_their_reference() -> None:
    system = deliver(referred("105", "p1"), referred("106", "p2"), referred("105", "p3"))
    assert [(taken.user, taken.text) for taken in system.facebook.taken] == [
        ("105", "answer 1"),
        ("106", "answer 1"),
        ("105", "answer 2"),
    ]


def test_an_event_of_nobody_is_settled_without_a_send_and_without_a_state() -> None:
    system = deliver(*({"message": {"text": "hello", "mid": mid}} for mid in "ab"))
    assert texts(system) == []
    assert letters(system) == []
    assert [line["messages"] for line in logged(system, "not_delivered")] == [1, 1]
    assert "times" not in json.dumps(system.cloud.table.items())


@pytest.mark.parametrize(
    ("item", "converse"),
    [
        (referred("105", "p1"), often),
        ({"field": "feed", "value": {"item": "comment", "verb": "add", "comment_id": "c", "message": "?"}}, privately),
    ],
    ids=["a reference", "a comment"],
)
def test_the_echo_of_a_message_to_somebody_without_an_id_settles_it(item: Json, converse: Any) -> None:
    system = System(planned=(Fault("send", How.LOST),), echoes=(1,), converse=converse)
    body = json.dumps({"object": "page", "page": PAGE, "received": round(BEGIN * 1000), "items": [item]})
    system.queue.put("somebody", body)
    system.run()
    assert len(texts(system)) == 1
    assert letters(system) == []


def test_every_line_names_the_events_that_it_is_about() -> None:
    natures = ["good", "raises", "kills", "good"]
    system = run(
        *([item(user, f"m{user}", 2, nature)] for user, nature in zip("abcd", natures, strict=True)),
        planned=(Fault("send", How.REFUSED), Fault("BatchGetItem", How.REFUSED, skip=2)),
        echoes=(-1,),
    )
    lines = [json.loads(entry.text[4:]) for entry in system.world.timeline if entry.text.startswith("log ")]
    known = {fingerprint(PAGE, f"m{user}") for user in "abcd"}
    kinds = {line["kind"] for line in lines}
    assert {"accepted", "handed_back", "fault", "dead_letter", "sent", "answered"} <= kinds
    for line in lines:
        assert known >= {*line.get("ids", ()), *([line["event"]] if "event" in line else ())} != set(), line


def test_a_message_of_an_earlier_version_and_one_that_is_not_ours_are_still_taken() -> None:
    system = System()
    old = {"object": "page", "page": PAGE, "received": round(BEGIN * 1000), "items": [item("u", "m1")]}
    system.queue.put("u", json.dumps(old))
    system.queue.put("v", "not JSON")
    system.run()
    assert texts(system) == ["m1 0 0"]
    (line,) = logged(system, "dead_letter")
    assert line["message"]


def test_each_of_several_events_that_are_settled_together_has_a_line_of_its_own() -> None:
    system = run([item(user, f"m{user}") for user in "abcdefgh"], echoes=(-1,))
    answered = [line["event"] for line in logged(system, "answered")]
    assert sorted(answered) == sorted(fingerprint(PAGE, f"m{user}") for user in "abcdefgh")
