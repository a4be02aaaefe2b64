"""How the worker handles each kind of failure: the bot's own code on the model of AWS and Facebook."""

import functools
import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest

from bot import responder
from bot.aws.function import ANSWER_SECONDS
from bot.aws.queues import fingerprint
from bot.dialogue import Answer
from bot.messenger import events
from bot.messenger.human import Human
from bot.messenger.messages import Action, Message, Notification, PassThread, PrivateReply, PublicReply, Text, Update
from bot.messenger.news import Otherwise, Utility, UtilityTemplate, Wording
from bot.messenger.record import Record
from tests.model import system as model
from tests.model.cloud import SECRETS
from tests.model.facebook import PAGE, TRACE
from tests.model.faults import Fault, How, Outage
from tests.model.system import System
from tests.model.world import BEGIN, World

Json = dict[str, Any]


def item(user: str, mid: str, answers: int = 1, nature: str = "good") -> Json:
    text = json.dumps({"answers": answers, "nature": nature, "canary": "xyzzy"})
    message = {"mid": mid, "text": text}
    return {"sender": {"id": user}, "recipient": {"id": PAGE}, "timestamp": 1, "message": message}


def queued(*items: Json, seconds: float = 0, platform: str = "page") -> str:
    """A message of the queue with events that Facebook sent so many seconds after the beginning."""
    received = round((BEGIN + seconds) * 1000)
    return json.dumps({"object": platform, "page": PAGE, "received": received, "items": items})


def delivery(user: str, *items: Json) -> Json:
    """A record as Lambda delivers it."""
    attributes = {"MessageGroupId": user, "ApproximateReceiveCount": "1", "SentTimestamp": str(round(BEGIN * 1000))}
    return {"messageId": user, "receiptHandle": user, "body": queued(*items), "attributes": attributes}


def run(*posts: list[Json] | str, at: Sequence[float] = (), **more: Any) -> System:
    """Let requests of Facebook's or messages of the queue come, a second apart or `at` these, and all that follows."""
    system = System(**more)
    for seconds, post in zip(at or range(len(posts)), posts, strict=True):
        if isinstance(post, str):
            come = functools.partial(system.queue.put, "group", post)
        else:
            come = functools.partial(system.facebook.post, post, post[0].get("sender", {}).get("id", ""))
        system.world.after(seconds, come)
    system.run()
    return system


def texts(system: System) -> list[str]:
    return [taken.text for taken in system.facebook.taken]


def times(system: System) -> list[float]:
    return [round(taken.time - BEGIN, 1) for taken in system.facebook.taken]


def logged(system: System, kind: str) -> list[Json]:
    lines = [json.loads(entry.text[4:]) for entry in system.world.timeline if entry.text.startswith("log ")]
    return [line for line in lines if line["kind"] == kind]


def letters(system: System) -> list[Json]:
    return system.dead.bodies()


def outcomes(system: System) -> list[str]:
    items = system.cloud.table.items()
    return [record["outcome"]["S"] for name, record in items.items() if name.startswith("event#")]


def test_an_event_takes_three_calls_of_the_ledger_and_its_echo_one_or_none_where_it_was_answered() -> None:
    system = run([item("u", "m1")], echoes=(-1,))
    calls = system.faults.calls
    assert (calls["BatchGetItem"], calls["TransactWriteItems"], calls["UpdateItem"], calls["send"]) == (1, 1, 1, 1)
    assert "ChangeMessageVisibilityBatch" not in calls
    message = {"mid": "echo", "is_echo": True, "metadata": system.facebook.taken[0].metadata}
    echo = {"sender": {"id": PAGE}, "recipient": {"id": "u"}, "timestamp": 1, "message": message}
    costs = []
    for container in list(system.containers):
        before = calls["UpdateItem"]
        system.containers[:] = [container]
        system.queue.put("echoes", queued(echo))
        system.run()
        costs.append(calls["UpdateItem"] - before)
    assert sorted(costs) == [0, 1]


def test_events_of_several_users_are_read_in_one_call_and_settled_in_two_writes_and_each_has_its_line() -> None:
    system = run([item(user, f"m{user}") for user in "abcdefgh"], echoes=(-1,))
    assert outcomes(system) == ["settled"] * 8
    answered = [line["event"] for line in logged(system, "answered")]
    assert sorted(answered) == sorted(fingerprint(PAGE, f"m{user}") for user in "abcdefgh")
    calls = system.faults.calls
    # One plan for each; the first to be settled, and all that came while it was written.
    assert (calls["BatchGetItem"], calls["TransactWriteItems"], calls["UpdateItem"]) == (1, 8 + 1, 1)


@pytest.mark.parametrize("messages", [[[("m1", "good"), ("m2", "kills")]], [[("m1", "good")], [("m2", "kills")]]])
def test_an_event_is_settled_before_a_later_one_of_its_user_can_end_the_function(
    messages: list[list[tuple[str, str]]],
) -> None:
    system = System(echoes=(-1,))
    system.queue.put("v", queued(item("v", "m0")))  # another user, whose event is being settled then
    for events_of_one in messages:
        system.queue.put("u", queued(*(item("u", mid, 1, nature) for mid, nature in events_of_one)))
    system.run()
    assert texts(system) == ["m0 0 0", "m1 0 0"]


def test_an_event_is_settled_while_another_user_is_still_being_answered() -> None:
    killed = Fault("send", How.KILLED_AFTER, skip=3)
    system = run([item("u", "m1"), item("v", "m2", 3)], planned=(killed,), echoes=(-1,))
    assert texts(system).count("m1 0 0") == 1
    assert texts(system).count("m2 2 0") == 2


def test_an_event_under_way_is_read_again_when_its_turn_comes() -> None:
    system = System(planned=(Fault("send", How.LOST),), echoes=(-1,))
    work_on(system, delivery("u", item("u", "mu")))
    work_on(system, *(delivery(user, item(user, f"m{user}")) for user in "uv"))
    # The first; of both together; the first again, whose echo may have come meanwhile.
    assert system.faults.calls["BatchGetItem"] == 3


def test_only_the_first_event_of_a_group_is_answered_from_the_reading_for_all() -> None:
    system = System(echoes=(-1,))
    mine = [delivery("u", item("u", "m1"), item("u", "m2")), delivery("u", item("u", "m3"))]
    assert work_on(system, *mine, delivery("v", item("v", "m4"))) == []
    assert sorted(texts(system)) == ["m1 0 0", "m2 0 1", "m3 0 2", "m4 0 0"]


def work_on(system: System, *deliveries: Json) -> list[Json]:
    """Give an instance of the function a batch, and say what goes back to the queue."""
    worker, failures = system._container().worker, []
    batch = {"Records": list(deliveries)}
    system.world.start(lambda: failures.extend(worker.handle(batch, lambda: 30.0)["batchItemFailures"]))
    system.run()
    return failures


@pytest.mark.parametrize("how", [How.REFUSED, How.UNSENT])
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
        # Secrets are read again once they are 15 seconds old.
        system = run([item("u", "m1")], [item("u", "m2")], at=(0, 20), planned=faults)
        reads.append(system.faults.calls["GetParametersByPath"])
    assert reads[1] == reads[0] + 1
    lasting = run([item("u", "m1")], outages=(Outage("graph", How.DENIED, 0, 900),))
    assert texts(lasting) == ["m1 0 0"]
    assert {each["level"] for each in logged(lasting, "credentials")} == {"ERROR"}


def test_a_token_that_no_header_takes_is_reported_like_a_refused_one(monkeypatch: pytest.MonkeyPatch) -> None:
    usable = SECRETS["page-access-token"]
    monkeypatch.setitem(SECRETS, "page-access-token", "EAA token")
    world = World()
    world.after(60, lambda: SECRETS.update({"page-access-token": usable}))
    system = run([item("u", "m1")], world=world)
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
    system = run([item("u", "m1")], converse=lambda *_: Answer((), {}, outside_window=2))
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


def test_a_dead_letter_says_what_a_conversation_raised_and_where_and_the_log_only_where() -> None:
    here = run([item("u", "m1", 1, "raises")])
    elsewhere = run([item("u", "m1", 1, "raises")], converse=None)
    reasons = [each["reason"] for each in letters(here) + letters(elsewhere)]
    assert reasons == ["ZeroDivisionError in the conversation"] * 2
    assert letters(here)[0]["detail"]["at"].startswith("system.py:")
    assert letters(elsewhere)[0]["detail"] == {"at": "index.py:7", "message": "No."}
    assert elsewhere.faults.calls["Invoke"] == responder.FAULTS
    assert {(each["at"], each.get("message")) for each in logged(elsewhere, "fault")} == {("index.py:7", None)}


def test_a_conversation_elsewhere_is_called_once_for_an_event_however_often_its_answers_fail() -> None:
    system = run([item("u", "m1", 2), item("u", "m2")], planned=(Fault("send", How.REFUSED, times=9),), converse=None)
    assert texts(system) == ["m1 0 0", "m1 1 0", "m2 0 1"]
    assert system.faults.calls["Invoke"] == 2


def test_an_outage_of_lambda_makes_no_dead_letters() -> None:
    system = run([item("u", "m1")], outages=(Outage("lambda", How.VANISHED, 0, 3600),), converse=None)
    assert (texts(system), letters(system)) == (["m1 0 0"], [])


def test_no_call_of_a_conversation_elsewhere_begins_that_leaves_no_time_to_send() -> None:
    system = run([item("u", "m1"), item("u", "m2")], latencies=(1500,), converse=None)
    assert texts(system) == ["m1 0 0", "m2 0 1"]
    assert [each["reason"] for each in logged(system, "handed_back")] == ["no time is left in this run"]
    assert times(system)[1] > model.TIMEOUT_SECONDS - ANSWER_SECONDS - responder.STEP_SECONDS


def test_events_that_have_ended_take_no_time_from_the_one_behind_them_however_slow_each_call_is() -> None:
    ended = [item("u", f"m{number}") for number in range(6)]
    system = run([*ended, item("u", "m6", 1, "raises"), item("u", "m7")], latencies=(700,), converse=None)
    assert texts(system)[-1] == "m7 0 6"
    assert len(letters(system)) == 1


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
    system.facebook._latency = lambda: 6.0
    system.facebook.post([item("u", "m1", 9)], "u")
    system.run()
    assert [text.split()[1] for text in texts(system)] == [str(number) for number in range(9)]
    assert [each["reason"] for each in logged(system, "handed_back")] == ["no time is left in this run"] * 2
    assert not [entry for entry in system.world.timeline if entry.text == "killed"]


def test_a_conversation_that_took_the_time_of_a_send_is_answered_by_the_next_run() -> None:
    world = World()

    def slowly(_event: events.Event, _state: Json, _now: float) -> Answer:
        world.sleep(20)
        return Answer((Text("late"),), {})

    system = run([item("u", "m1")], converse=slowly, world=world)
    assert texts(system) == ["late"]
    assert [each["reason"] for each in logged(system, "handed_back")] == ["no time is left in this run"]


def test_what_the_pages_rate_leaves_no_time_for_goes_back_and_waits_for_no_echo() -> None:
    system = run([item(user, f"m{user}") for user in "abcdefghij"], concurrency=1000)
    assert sorted(texts(system)) == [f"m{user} 0 0" for user in "abcdefghij"]
    assert {each["reason"] for each in logged(system, "handed_back")} == {"the page's rate is used up"}
    assert not [entry for entry in system.world.timeline if entry.text == "killed"]


def test_without_the_secrets_no_send_is_recorded_as_tried_so_there_is_no_wait_for_an_echo() -> None:
    system = run(queued(item("u", "m1")), outages=(Outage("ssm", How.THROTTLED, 0, 100),))
    assert texts(system) == ["m1 0 0"]
    assert [each for each in logged(system, "handed_back") if "echo" in each["reason"]] == []


def test_a_message_that_is_not_ours_becomes_a_dead_letter_and_delays_nothing() -> None:
    system = run('{"not": "ours"}', "not even JSON", "[" * 100_000, queued(item("u", "m1")), at=(0, 0, 0, 0))
    assert [letter["reason"] for letter in letters(system)] == ["not a message of ours"] * 3
    assert all(line["message"] for line in logged(system, "dead_letter"))
    assert texts(system) == ["m1 0 0"]


EVENT = "0" * 64


@pytest.mark.parametrize(
    "metadata", ["", "order:12", "\ud83d:1", EVENT, f"{EVENT}:٣", f"{EVENT}:1:2", f"{EVENT}:{'9' * 900}", f"{EVENT}0:1"]
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


# People without an id, and comments

COMMENT = {"field": "feed", "value": {"item": "comment", "verb": "add", "comment_id": "1_2", "message": "?"}}


def often(_event: events.Event, state: Json, _now: float) -> Answer:
    """A conversation that says how often it has answered this user."""
    times = state.get("times", 0) + 1
    return Answer((Text(f"answer {times}"),), {"times": times})


def privately(event: events.Event, _state: Json, _now: float) -> Answer:
    assert isinstance(event, events.Comment)
    return Answer((PrivateReply(Text("answer"), event.comment_id), Action("typing_on")), {})


def referred(reference: str, mid: str) -> Json:
    return {"sender": {"user_ref": reference}, "message": {"text": "hello", "mid": mid}}


def test_people_without_an_id_each_have_their_own_state_and_are_answered_by_their_reference() -> None:
    system = run(*([referred(*each)] for each in (("105", "p1"), ("106", "p2"), ("105", "p3"))), converse=often)
    assert [(taken.user, taken.text) for taken in system.facebook.taken] == [
        ("105", "answer 1"),
        ("106", "answer 1"),
        ("105", "answer 2"),
    ]


def test_an_event_of_nobody_is_settled_without_a_send_and_without_a_state() -> None:
    system = run(*([{"message": {"text": "hello", "mid": mid}}] for mid in "ab"), converse=often)
    assert texts(system) == []
    assert letters(system) == []
    assert [line["messages"] for line in logged(system, "not_delivered")] == [1, 1]
    assert "times" not in json.dumps(system.cloud.table.items())


@pytest.mark.parametrize(
    ("item", "converse"),
    [(referred("105", "p1"), often), (COMMENT, privately)],
    ids=["a reference", "a comment"],
)
def test_the_echo_of_a_message_to_somebody_without_an_id_settles_it(item: Json, converse: Any) -> None:
    system = run(queued(item), planned=(Fault("send", How.LOST),), echoes=(1,), converse=converse)
    assert len(texts(system)) == 1
    assert letters(system) == []


# News, and the ways in which it is sent


class Moved(Record):
    number: str


MOVED = UtilityTemplate("moved", {"en": Wording("Parcel {{number}} moved.", Moved("1"))})
WAYS: tuple[Message, ...] = (
    Update(Text("update")),
    Otherwise(Utility(MOVED, "en", Moved("2"))),
    Otherwise(Notification(Text("consent"), "token")),
)


def news(
    *planned: Fault,
    ways: tuple[Message, ...] = WAYS,
    after: tuple[Message, ...] = (Text("after it"),),
    items: tuple[Json, ...] = (),
    **more: Any,
) -> System:
    """Let the page's systems send a notice, which the bot answers in these ways, and then "after it"."""
    notice = {"sender": {"id": "u"}, "notice": {"id": "n", "topic": "parcel", "data": {}}}
    bodies = [queued(each, seconds=number) for number, each in enumerate((*items, notice))]
    return run(*bodies, planned=planned, converse=lambda *_: Answer((*ways, *after), {}), **more)


def ways_of(system: System) -> list[str]:
    return [line["way"] for line in logged(system, "news")]


@pytest.mark.parametrize("how", [How.WINDOW_CLOSED, How.NOT_ALLOWED, How.UNCLEAR, How.REJECTED])
@pytest.mark.parametrize(
    ("refused", "sent", "way"), [(0, "update", "update"), (1, "moved", "utility"), (2, "consent", "consent")]
)
def test_news_goes_the_first_way_that_facebook_takes_and_the_log_says_which(
    how: How, refused: int, sent: str, way: str
) -> None:
    system = news(Fault("send", how, times=refused)) if refused else news()
    assert texts(system) == [sent, "after it"]
    assert (letters(system), ways_of(system)) == ([], [way, "response"])
    assert logged(system, "not_delivered") == logged(system, "refused") == []


def test_news_that_reaches_nobody_is_logged_as_such() -> None:
    system = news(Fault("send", How.NOT_ALLOWED, times=3), after=())
    assert (texts(system), ways_of(system)) == ([], ["none"])
    assert [line["messages"] for line in logged(system, "not_delivered")] == [1]
    assert ways_of(news(ways=(), after=())) == ["none"]


@pytest.mark.parametrize("refused", [0, 1])
def test_a_way_whose_answer_was_lost_is_settled_by_its_echo_and_no_other_way_is_tried(refused: int) -> None:
    faults = [Fault("send", How.NOT_ALLOWED, times=refused)] if refused else []
    system = news(*faults, Fault("send", How.LOST, skip=refused), echoes=(1,))
    assert texts(system) == [["update", "moved"][refused], "after it"]
    assert ways_of(system) == [["update", "utility"][refused], "response"]


def review(status: str) -> Json:
    value = {"event": status, "message_template_name": "moved", "message_template_language": "en", "reason": "TEXT"}
    return {"field": "message_template_status_update", "value": value}


@pytest.mark.parametrize(("statuses", "sent"), [(("REJECTED",), "consent"), (("REJECTED", "APPROVED"), "moved")])
def test_a_template_that_facebook_has_not_approved_is_not_tried(statuses: tuple[str, ...], sent: str) -> None:
    system = news(ways=(WAYS[1], WAYS[2]), items=tuple(map(review, statuses)))
    assert texts(system) == [sent, "after it"]
    assert system.faults.calls["send"] == 2
    line = logged(system, "template_reviewed")[0]
    assert line.items() >= {"level": "WARN", "template": "moved", "status": "REJECTED", "reason": "TEXT"}.items()


def test_an_older_report_about_a_template_does_not_replace_a_newer_one() -> None:
    system = run(queued(review("REJECTED"), seconds=2), queued(review("APPROVED"), seconds=1))
    assert system.cloud.table.items()[f"template#{PAGE}#moved#en"]["review"] == {"S": "REJECTED"}


def publicly(event: events.Event, _state: Json, _now: float) -> Answer:
    assert isinstance(event, events.Comment)
    return Answer((PrivateReply(Text("answer"), event.comment_id), PublicReply("look", event.comment_id)), {})


@pytest.mark.parametrize("how", [None, How.LOST, How.VANISHED, How.KILLED_AFTER])
def test_a_public_reply_is_made_exactly_once(how: How | None) -> None:
    system = run(queued(COMMENT), planned=(Fault("reply", how),) if how else (), converse=publicly)
    assert (texts(system), system.facebook.replies) == (["answer"], ["look"])
    assert outcomes(system) == ["settled"]


# Messages that are answered together


def test_a_burst_has_one_plan_and_none_of_its_messages_is_answered_again() -> None:
    burst = [item("u", mid, 1, "chatty") for mid in ("m1", "m2", "m3")]
    # The queue itself drops copies for five minutes.
    system = run(burst, burst[1:2], burst[:1], at=(0, 400, 800), echoes=(-1,))
    assert texts(system) == ["m1+m2+m3 0 0"]
    assert outcomes(system) == ["settled"] * 3
    assert system.faults.calls["TransactWriteItems"] == 1
    assert [line["together"] for line in logged(system, "answered")] == [3]


def test_a_burst_may_lie_in_several_messages_of_the_queue_and_ends_at_one_that_is_not_ours() -> None:
    mine = [delivery("u", item("u", mid, 1, "chatty")) | {"messageId": mid} for mid in ("m1", "m2", "m3", "m4")]
    mine[2]["body"] = "?"
    system = System(echoes=(-1,))
    work_on(system, *mine)
    assert texts(system) == ["m1+m2 0 0", "m4 0 2"]


def test_a_burst_gives_way_to_what_the_ledger_knows() -> None:
    first, second = item("u", "m1", 1, "chatty"), item("u", "m2", 1, "chatty")
    system = run([first], [second, first], at=(0, 400))
    assert texts(system) == ["m1 0 0", "m2 0 1"]
    assert letters(system) == logged(system, "handed_back") == []


def test_a_burst_has_no_more_messages_than_one_write_takes() -> None:
    most = responder.MOST_TOGETHER
    system = run([item("u", f"m{number}", 1, "chatty") for number in range(most + 2)])
    assert [text.count("+") for text in texts(system)] == [most - 1, 1]


def test_a_burst_ends_at_a_copy_of_one_of_its_messages_and_at_whatever_is_not_a_text() -> None:
    tap = item("u", "m2") | {"postback": {"mid": "m2", "payload": "{}"}}
    del tap["message"]
    for second in (item("u", "m1"), tap):
        seen: list[int] = []

        def converse(event: events.Event, state: Json, _now: float, seen: list[int] = seen) -> Answer:
            seen.append(len(event.waiting) if isinstance(event, events.TextMessage) else 0)
            return Answer((Text("answer"),), state)

        system = run(queued(item("u", "m1"), second, item("u", "m3")), converse=converse)
        assert set(seen) == {0}
        assert logged(system, "fault") == []


def test_a_burst_that_needs_no_answer_is_settled_as_a_whole() -> None:
    def silent(event: events.Event, state: Json, _now: float) -> Answer:
        waiting = event.waiting if isinstance(event, events.TextMessage) else ()
        return Answer((), state, together=len(waiting))

    system = run([item("u", "m1"), item("u", "m2")], converse=silent)
    assert outcomes(system) == ["settled"] * 2


# A human answers


def human_echo(platform: str = "page", seconds: float = 0, **more: Any) -> str:
    """A message of the queue with the echo of what somebody else wrote to the user `u`."""
    message = {"mid": "echo", "is_echo": True, "text": "xyzzy"} | more
    echo = {"sender": {"id": PAGE}, "recipient": {"id": "u"}, "timestamp": 1, "message": message}
    return queued(echo, seconds=seconds, platform=platform)


def human(system: System) -> Human:
    record = system.cloud.table.items().get(f"user#{fingerprint(PAGE, 'u')}")
    return Human.of(json.loads(record["state"]["S"])) if record else Human()


@pytest.mark.parametrize(
    ("platform", "more", "silences"),
    [
        ("page", {}, True),
        ("page", {"app_id": 263902037430900}, True),
        ("page", {"app_id": 2002, "metadata": "crm-55"}, True),
        ("instagram", {"app_id": "1217981644879628"}, True),
        ("instagram", {}, False),
        ("page", {"metadata": "0" * 64 + ":0"}, False),
    ],
    ids=["no app", "the inbox", "another app", "Instagram's inbox", "Instagram", "an answer of ours"],
)
def test_an_echo_of_somebody_else_silences_the_bot_and_its_own_does_not(
    platform: str, more: Json, silences: bool
) -> None:
    system = run(human_echo(platform, **more), [item("u", "m1", 2)])
    assert texts(system) == ([] if silences else ["m1 0 0", "m1 1 0"])
    assert human(system).talks(BEGIN) is silences
    assert [line["messages"] for line in logged(system, "human_answered")] == ([2] if silences else [])
    assert outcomes(system) == ["settled"]


def test_the_answers_that_are_left_when_a_human_writes_are_not_sent_and_the_event_is_settled() -> None:
    system = run([item("u", "m1", 4)], human_echo(), at=(0, 0.9), latencies=(200,), echoes=(-1,))
    sent = texts(system)
    assert sent[0] == "m1 0 0"
    assert len(sent) < 4
    assert [line["messages"] for line in logged(system, "human_answered")] == [4 - len(sent)]
    assert logged(system, "answered") == []
    assert outcomes(system) == ["settled"]


def test_a_message_that_may_have_arrived_is_not_sent_again_once_a_human_wrote() -> None:
    system = run([item("u", "m1")], human_echo(), planned=(Fault("send", How.AMBIGUOUS),), echoes=(-1,))
    assert texts(system) == ["m1 0 0"]
    assert system.cloud.settled[fingerprint(PAGE, "m1")] - BEGIN < model.ECHO_SECONDS


def test_what_an_old_echo_says_is_over_already() -> None:
    assert human(run(human_echo(seconds=-model.HUMAN_HOURS * 3600 - 1))) == Human()


def test_the_log_says_which_app_or_operator_wrote_to_whom_and_not_what() -> None:
    system = run(human_echo(app_id=263902037430900), human_echo(app_id=1, metadata="human:anna"))
    inbox, operator = logged(system, "human_wrote")
    assert (inbox["app"], inbox["person"]) == ("263902037430900", fingerprint(PAGE, "u"))
    assert (operator["by"], operator["person"]) == ("anna", fingerprint(PAGE, "u"))
    assert "xyzzy" not in json.dumps([inbox, operator])


@pytest.mark.parametrize(
    ("human", "said"),
    [(Human().written("u", BEGIN, 1), []), (Human().asked("u", BEGIN, 1), ["A human comes."])],
    ids=["another app asked for it", "the person did"],
)
def test_passing_the_thread_is_tried_until_it_works_whoever_has_the_conversation(human: Human, said: list[str]) -> None:
    answer = Answer((Text("A human comes."), PassThread("2002", "help")), human.put({}))
    system = run([item("u", "m1")], converse=lambda *_: answer, planned=(Fault("action", How.UNSENT, times=4),))
    assert texts(system) == said
    assert system.facebook.controls == [
        ("pass_thread_control", {"recipient": {"id": "u"}, "target_app_id": "2002", "metadata": "help"})
    ]
    assert outcomes(system) == ["settled"]


def test_every_line_names_the_events_that_it_is_about_and_holds_nothing_that_was_written_or_answered() -> None:
    natures = ["good", "raises", "kills", "rejected", "shy"]
    system = run(
        *([item(user, f"m{user}", 2, nature)] for user, nature in zip("abcde", natures, strict=True)),
        planned=(Fault("send", How.REFUSED), Fault("BatchGetItem", How.REFUSED, skip=2)),
        echoes=(-1,),
    )
    written = [entry.text[4:] for entry in system.world.timeline if entry.text.startswith("log ")]
    assert not [line for line in written if "xyzzy" in line or " 0 0" in line or "EAA" in line]
    lines = [json.loads(line) for line in written]
    assert {"accepted", "handed_back", "fault", "dead_letter", "sent", "answered"} <= {line["kind"] for line in lines}
    known = {fingerprint(PAGE, f"m{user}") for user in "abcde"}
    for line in lines:
        assert known >= {*line.get("ids", ()), *([line["event"]] if "event" in line else ())} != set(), line
