"""Each mechanism is needed: if it is switched off, the same storm breaks a promise."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot import responder, webhook, worker
from bot.aws import queues as queue
from bot.aws.client import AwsError
from bot.aws.ledger import Key, Ledger, Reading, Record, Stale
from bot.aws.queues import Message, Queues
from bot.messenger import errors
from bot.messenger.client import GraphApi
from bot.messenger.identity import Identity
from bot.responder import Responder, RetryLater, Task
from bot.webhook import Webhook
from bot.worker import Group, Worker
from tests.model import storm, system
from tests.model.faults import Fault, How, Outage
from tests.model.storm import Broken, HumanWrote, Post, Said, Storm

Json = dict[str, Any]
Patch = pytest.MonkeyPatch

# Storms, each named after what happens in it.
ONE = Storm((Post(0, (Said(0, 1),)),))
THREE_ANSWERS = Storm((Post(0, (Said(0, 3),)),))
DELIVERED_AGAIN = Storm((Post(0, (Said(0, 1),), again=(400,)),))
ANSWER_LOST = replace(ONE, faults=(Fault("send", How.LOST),))
KILLED_AFTER_THE_SECOND_SEND = replace(THREE_ANSWERS, faults=(Fault("send", How.KILLED_AFTER, skip=1),))
AWS_LOST_AFTER_THE_SEND = Storm(
    (Post(0, (Said(0, 2),)),), outages=(Outage("aws", How.REFUSED, 1, 1800),), latencies=(250,)
)
ECHO_AFTER_AN_ECHO_THAT_WAITS = Storm(
    # The second user keeps the instance busy that has settled the first one's event; another one takes the echo.
    (Post(0, (Said(0, 1),)), Post(0, (Said(1, 3),)), Post(1001, (Said(0, 1),))),
    faults=(Fault("send", How.LOST, skip=4),),
    outages=(Outage("dynamodb", How.REFUSED, 2, 990),),
    echoes=(2, 0),
    latencies=(210,),
)
KILLED_AFTER_THE_PLAN = Storm((Post(0, (Said(0, 1), Said(0, 1))),), (Fault("TransactWriteItems", How.KILLED_AFTER),))
FIRST_OF_TWO_FAILS = Storm(
    # The first two users keep both runs busy, so that the third's events come in one batch.
    (Post(0, (Said(1, 1),)), Post(1, (Said(2, 1),)), Post(2, (Said(0, 1),)), Post(3, (Said(0, 1),))),
    faults=(Fault("send", How.LOST, times=2), Fault("send", How.REFUSED, skip=2, times=3)),
)
QUEUE_TAKES_A_PART = Storm((Post(0, (Said(0, 1), Said(0, 1))),), (Fault("SendMessageBatch", How.PARTIAL),))
TOO_MUCH_FOR_ONE_BATCH = Storm(
    (Post(0, (Said(0, 1, "bulky"), Said(0, 1, "bulky"))),), (Fault("SendMessageBatch", How.REFUSED, times=2),)
)
RAISES = Storm((Post(0, (Said(0, 1, "raises"), Said(0, 1))),))
KILLS = Storm((Post(0, (Said(0, 1, "kills"), Said(0, 1))),))
KILLED_ON_THE_WAY_TO_THE_DEAD = replace(RAISES, faults=(Fault("SendMessageBatch", How.KILLED, skip=1),))
NO_PLAN_FOR_LONG = replace(ONE, faults=(Fault("TransactWriteItems", How.REFUSED, times=20),))
GRAPH_SILENT_FOR_LONG = Storm((Post(0, (Said(0, 1),)),), outages=(Outage("graph", How.VANISHED, 0, 30 * 3600),))
BURST = Storm((Post(0, (Said(0, 1, "chatty"), Said(0, 1, "chatty"), Said(0, 1, "chatty"))),))
BURST_KILLED_AFTER_THE_PLAN = replace(BURST, faults=(Fault("TransactWriteItems", How.KILLED_AFTER),))
BURST_WITH_ONE_THAT_RAISES = Storm((Post(0, (Said(0, 1, "chatty"), Said(0, 1, "raises"), Said(0, 1, "chatty"))),))
BURST_THAT_IS_REJECTED = Storm((Post(0, (Said(0, 1, "chatty"), Said(0, 1, "rejected"), Said(0, 1))),))
BURST_WITH_ONE_KNOWN = Storm(
    # The other users keep both runs busy while the third's next message and a copy of the first come.
    (
        Post(0, (Said(0, 1, "chatty"),), again=(403,)),
        Post(400, (Said(1, 1),)),
        Post(401, (Said(2, 1),)),
        Post(402, (Said(0, 1, "chatty"),)),
    ),
    faults=(Fault("send", How.LOST, skip=1, times=2),),
)
HUMAN_WRITES_BEFORE_THE_ANSWER_IS_SENT = replace(
    THREE_ANSWERS, outages=(Outage("graph", How.UNSENT, 0, 100),), humans=(HumanWrote(5, 0),)
)
ASKED_WHILE_A_HUMAN_TALKS = Storm((Post(100, (Said(0, 2),)),), humans=(HumanWrote(0, 0),))
UNREACHABLE = Storm((Post(0, (Said(0, 2), Said(0, 1))),), (Fault("send", How.UNREACHABLE),))


def without_the_ledger(patch: Patch) -> None:
    read, plan = Ledger.read, Ledger.plan

    def reading_nothing(self: Ledger, key: Key, page: str) -> Reading:
        return read(self, key, page)._replace(record=Record())

    def planning_anyway(self: Ledger, key: Key, answers: list[Json], state: Json | None, *more: Any) -> Record:
        with contextlib.suppress(Stale):
            return plan(self, key, answers, state, *more)
        return Record(answers=tuple(answers), since=0)

    patch.setattr(Ledger, "read", reading_nothing)
    patch.setattr(Ledger, "plan", planning_anyway)
    for name in ("settle", "stopped"):
        patch.setattr(Ledger, name, lambda *_: None)


def without_recording_echoes(patch: Patch) -> None:
    patch.setattr(Ledger, "echoed", lambda *_: None)


def without_waiting_for_echoes(patch: Patch) -> None:
    patch.setattr(Responder, "_await_echo", lambda *_: None)


def with_waiting_counted_from_the_send(patch: Patch) -> None:
    def await_echo(self: Responder, _task: Task, _record: Record, since: float) -> None:
        if self._now() - since < self._echo_seconds:
            raise RetryLater("", 2)

    patch.setattr(Responder, "_await_echo", await_echo)


def with_echoes_of_a_user_in_one_group(*lane: str) -> Callable[[Patch], None]:
    """The user's own group, or the one with that lane."""

    def group(event: Identity) -> str:
        return queue.fingerprint(event.page, event.user, *(lane if event.echo else ()))

    return lambda patch: patch.setattr(webhook, "message_group", group)


def with_ambiguous_sends_tried_again(patch: Patch) -> None:
    send = GraphApi.send

    def trying_again(self: GraphApi, request: Json, timeout: float | None = None) -> str:
        try:
            return send(self, request, timeout)
        except errors.Ambiguous:
            raise errors.Transient from None

    patch.setattr(GraphApi, "send", trying_again)


def without_recording_that_a_send_is_tried(patch: Patch) -> None:
    def sending(_self: Ledger, _key: Key, record: Record, number: int) -> Record:
        return record._replace(next=number)

    patch.setattr(Ledger, "sending", sending)
    patch.setattr(Ledger, "settle", lambda self, key, _record: self.forget(key))


def with_the_state_stored_after_the_plan(patch: Patch) -> None:
    plan = Ledger.plan

    def in_two_steps(
        self: Ledger, key: Key, answers: list[Json], state: Json | None, version: int, together: Any
    ) -> Record:
        record = plan(self, key, answers, None, version, together)
        if state is not None:
            plan(self, Key(key.user, f"{key.event}-state"), [], state, version)
        return record

    patch.setattr(Ledger, "plan", in_two_steps)


def without_stopping_at_a_groups_first_failure(patch: Patch) -> None:
    in_order = Worker._in_order

    def one_by_one(self: Worker, group: Group, *others: Any) -> list[str]:
        return [failed for each in group.deliveries for failed in in_order(self, Group([each], None), *others)]

    patch.setattr(Worker, "_in_order", one_by_one)


def without_handing_back_what_follows(patch: Patch) -> None:
    in_order = Worker._in_order
    patch.setattr(Worker, "_in_order", lambda *arguments: in_order(*arguments)[:1])


def with_one_message_an_event(patch: Patch) -> None:
    together = queue.event_messages

    def apart(head: Json, group: str, items: Iterable[tuple[str, str]], size: int) -> Iterator[Message]:
        for item in items:
            yield from together(head, group, [item], size)

    patch.setattr(webhook, "event_messages", apart)


def without_stopping_at_the_first_failed_batch(patch: Patch) -> None:
    send = Queues._send

    def all_of_them(self: Queues, url: str, messages: Iterable[Message], deadline: float) -> None:
        failures = []
        for message in messages:
            try:
                send(self, url, [message], deadline)
            except queue.NotQueued as error:
                failures.append(error)
        if failures:
            raise failures[0]

    patch.setattr(Queues, "_send", all_of_them)


def with_acknowledging_whatever_happens(patch: Patch) -> None:
    handle = Webhook.handle
    patch.setattr(Webhook, "handle", lambda self, request: handle(self, request) | {"statusCode": 200})


def without_counting_faults(patch: Patch) -> None:
    patch.setattr(responder, "FAULTS", 10**6)


def without_counting_attempts(patch: Patch) -> None:
    patch.setattr(responder, "ATTEMPTS", 10**6)


def without_taking_attempts_back(patch: Patch) -> None:
    patch.setattr(Ledger, "take_back", lambda *_: None)


def with_dying_before_being_buried(patch: Patch) -> None:
    bury = Responder._bury

    def too_early(self: Responder, task: Task, *others: Any) -> Record:
        self._ledger.bury(task.key)
        return bury(self, task, *others)

    patch.setattr(Responder, "_bury", too_early)


def without_sparing_receives(patch: Patch) -> None:
    patch.setattr(worker, "RETENTION_SECONDS", 0)


def without_dropping_answers_to_the_unreachable(patch: Patch) -> None:
    patch.setitem(errors._BY_NUMBERS, (551, errors.ANY), errors._BY_NUMBERS[36000, errors.ANY])
    patch.setattr(responder, "FAULTS", 1)


def without_settling_what_is_answered_together(patch: Patch) -> None:
    plan = Ledger.plan
    patch.setattr(Ledger, "plan", lambda *arguments: plan(*arguments[:5]))


def with_joining_again_what_was_at_fault_together(patch: Patch) -> None:
    patch.setattr(responder, "Record", lambda *_, **known: Record(**known) if known else Untouched())


class Untouched:
    """Equal to any record."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record)

    __hash__ = None  # type: ignore[assignment]  # it stands for many records


def without_answering_alone_beside_what_the_ledger_knows(patch: Patch) -> None:
    answer = Responder._answer

    def for_ever(self: Responder, task: Task, reading: Reading, waiting: Any) -> Record | None:
        if not waiting:
            raise Stale
        return answer(self, task, reading, waiting)

    patch.setattr(Responder, "_answer", for_ever)


def without_the_others_in_the_letter(patch: Patch) -> None:
    bury = Responder._bury
    patch.setattr(Responder, "_bury", lambda *arguments: bury(*arguments[:4]))


def without_looking_for_a_human_before_a_send(patch: Patch) -> None:
    patch.setattr(Responder, "_human_talks", lambda *_: False)


def without_silence_for_a_human(patch: Patch) -> None:
    requests = Responder._requests
    patch.setattr(Responder, "_requests", lambda *arguments, **_: requests(*arguments, silent=False))
    patch.setattr(Responder, "_human_talks", lambda *_: False)


def without_noticing_humans(patch: Patch) -> None:
    patch.setattr(responder, "_by_another", lambda _: False)


MECHANISMS: dict[str, tuple[Callable[[Patch], None], Storm, str]] = {
    "the ledger": (without_the_ledger, DELIVERED_AGAIN, "twice"),
    "echoes are recorded": (without_recording_echoes, ANSWER_LOST, "twice"),
    "echoes are waited for": (without_waiting_for_echoes, replace(ANSWER_LOST, echoes=(12,)), "twice"),
    "the wait begins when AWS works": (with_waiting_counted_from_the_send, AWS_LOST_AFTER_THE_SEND, "twice"),
    "echoes do not wait behind events": (with_echoes_of_a_user_in_one_group(), ANSWER_LOST, "twice"),
    "nor behind each other": (with_echoes_of_a_user_in_one_group("echo"), ECHO_AFTER_AN_ECHO_THAT_WAITS, "twice"),
    "ambiguous sends are not tried again": (with_ambiguous_sends_tried_again, ANSWER_LOST, "twice"),
    "a try is recorded before the send": (
        without_recording_that_a_send_is_tried,
        KILLED_AFTER_THE_SECOND_SEND,
        "twice",
    ),
    "plan and state in one write": (with_the_state_stored_after_the_plan, KILLED_AFTER_THE_PLAN, "the state is"),
    "a group stops at its first failure": (
        without_stopping_at_a_groups_first_failure,
        FIRST_OF_TWO_FAILS,
        "out of order|state is",
    ),
    "what follows is handed back": (without_handing_back_what_follows, FIRST_OF_TWO_FAILS, "lost|state is"),
    "one message a user and request": (with_one_message_an_event, QUEUE_TAKES_A_PART, "out of order"),
    "batches stop at the first failure": (
        without_stopping_at_the_first_failed_batch,
        TOO_MUCH_FOR_ONE_BATCH,
        "out of order",
    ),
    "200 only once the queue has it": (
        with_acknowledging_whatever_happens,
        replace(ONE, faults=(Fault("SendMessageBatch", How.REFUSED, times=2),)),
        "not on the queue",
    ),
    "faults are counted": (without_counting_faults, RAISES, "is a dead letter: {'object'"),
    "attempts are counted": (without_counting_attempts, KILLS, "is a dead letter"),
    "attempts are taken back": (without_taking_attempts_back, NO_PLAN_FOR_LONG, "ended the function 0 times"),
    "a letter is written before the event is dead": (
        with_dying_before_being_buried,
        KILLED_ON_THE_WAY_TO_THE_DEAD,
        "is at fault, and no dead letter",
    ),
    "receives are spared": (without_sparing_receives, GRAPH_SILENT_FOR_LONG, "is a dead letter"),
    "an answer that waits gives way to a human": (
        without_looking_for_a_human_before_a_send,
        HUMAN_WRITES_BEFORE_THE_ANSWER_IS_SENT,
        "though a human talks",
    ),
    "the bot is silent while a human talks": (
        without_silence_for_a_human,
        ASKED_WHILE_A_HUMAN_TALKS,
        "though a human talks",
    ),
    "humans are noticed": (without_noticing_humans, ASKED_WHILE_A_HUMAN_TALKS, "nobody noticed"),
    "answers to the unreachable are dropped": (
        without_dropping_answers_to_the_unreachable,
        UNREACHABLE,
        "rejected 0 times",
    ),
    "the plan of a burst settles all of it": (
        without_settling_what_is_answered_together,
        BURST_KILLED_AFTER_THE_PLAN,
        "without its burst|state is|not expected|together",
    ),
    "one that was at fault is answered alone": (
        with_joining_again_what_was_at_fault_together,
        BURST_WITH_ONE_THAT_RAISES,
        "e0.0 raised nothing",
    ),
    "a burst gives way to what is known": (
        without_answering_alone_beside_what_the_ledger_knows,
        BURST_WITH_ONE_KNOWN,
        "is a dead letter",
    ),
    "a burst is one dead letter": (without_the_others_in_the_letter, BURST_THAT_IS_REJECTED, "without its burst"),
}


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_storm_is_survived_with_a_mechanism_and_not_without_it(name: str, monkeypatch: Patch) -> None:
    switch_off, one, complaint = MECHANISMS[name]
    for module in (system, worker):  # instead of 1,000, so that a test that runs into it is quick
        monkeypatch.setattr(module, "MOST_RECEIVES", 100)
    storm.run(one)
    switch_off(monkeypatch)
    with pytest.raises(Broken, match=complaint):
        storm.run(one)


def test_a_message_that_goes_back_waits_for_seconds_and_not_for_six_timeouts(monkeypatch: Patch) -> None:
    one = replace(ONE, faults=(Fault("send", How.REFUSED, times=3),))
    quick = storm.run(one).last_answer
    monkeypatch.setattr(Queues, "hide", lambda *_: None)
    slow = storm.run(one).last_answer
    assert quick < 10
    assert slow > system.VISIBILITY_SECONDS


def test_a_message_that_cannot_be_hidden_is_tried_again_after_its_visibility_timeout(monkeypatch: Patch) -> None:
    def hide(*_: object) -> None:
        raise AwsError("ChangeMessageVisibilityBatch", "ServiceUnavailable", 503)

    monkeypatch.setattr(Queues, "hide", hide)
    assert storm.run(replace(ONE, faults=(Fault("send", How.REFUSED, times=3),))).answers == 1
