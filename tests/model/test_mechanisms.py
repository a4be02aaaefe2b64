"""A mechanism is needed: if it is switched off, the same storm breaks a promise, and the verdict says which."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot import responder, worker
from bot.aws.client import AwsError
from bot.aws.ledger import Ledger, Record
from bot.aws.queues import Queues
from bot.responder import Responder, Task
from bot.webhook import Webhook
from bot.worker import Group, Worker
from tests.model import storm, system
from tests.model.faults import Fault, How
from tests.model.storm import Broken, HumanWrote, Post, Said, Storm

Json = dict[str, Any]
Patch = pytest.MonkeyPatch

# Storms, each named after what happens in it.
ONE = Storm((Post(0, (Said(0, 1),)),))
FIRST_OF_TWO_FAILS = Storm(
    # The first two users keep both runs busy, so that the third's events come in one batch.
    (Post(0, (Said(1, 1),)), Post(1, (Said(2, 1),)), Post(2, (Said(0, 1),)), Post(3, (Said(0, 1),))),
    (Fault("send", How.LOST, times=2), Fault("send", How.REFUSED, skip=2, times=3)),
)
KILLS = Storm((Post(0, (Said(0, 1, "kills"), Said(0, 1))),))
KILLED_ON_THE_WAY_TO_THE_DEAD = Storm(
    (Post(0, (Said(0, 1, "raises"), Said(0, 1))),), (Fault("SendMessageBatch", How.KILLED, skip=1),)
)
BURST_WITH_ONE_THAT_RAISES = Storm((Post(0, (Said(0, 1, "chatty"), Said(0, 1, "raises"), Said(0, 1, "chatty"))),))
BURST_THAT_IS_REJECTED = Storm((Post(0, (Said(0, 1, "chatty"), Said(0, 1, "rejected"), Said(0, 1))),))
ASKED_WHILE_A_HUMAN_TALKS = Storm((Post(100, (Said(0, 2),)),), humans=(HumanWrote(0, 0),))


def without_recording_echoes(patch: Patch) -> None:
    patch.setattr(Ledger, "echoed", lambda *_: None)


def without_stopping_at_a_groups_first_failure(patch: Patch) -> None:
    in_order = Worker._in_order

    def one_by_one(self: Worker, group: Group, *others: Any) -> list[str]:
        return [failed for each in group.deliveries for failed in in_order(self, Group([each], None), *others)]

    patch.setattr(Worker, "_in_order", one_by_one)


def with_acknowledging_whatever_happens(patch: Patch) -> None:
    handle = Webhook.handle
    patch.setattr(Webhook, "handle", lambda self, request: handle(self, request) | {"statusCode": 200})


def without_counting_attempts(patch: Patch) -> None:
    patch.setattr(responder, "ATTEMPTS", 10**6)


def with_dying_before_being_buried(patch: Patch) -> None:
    bury = Responder._bury

    def too_early(self: Responder, task: Task, *others: Any) -> Record:
        self._ledger.bury(task.key)
        return bury(self, task, *others)

    patch.setattr(Responder, "_bury", too_early)


def with_joining_again_what_was_at_fault_together(patch: Patch) -> None:
    class Untouched:
        """Equal to any record."""

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Record)

        __hash__ = None  # type: ignore[assignment]  # it stands for many records

    patch.setattr(responder, "Record", lambda *_, **known: Record(**known) if known else Untouched())


def without_the_others_in_the_letter(patch: Patch) -> None:
    bury = Responder._bury
    patch.setattr(Responder, "_bury", lambda *arguments: bury(*arguments[:4]))


def without_silence_for_a_human(patch: Patch) -> None:
    requests = Responder._requests
    patch.setattr(Responder, "_requests", lambda *arguments, **_: requests(*arguments, silent=False))
    patch.setattr(Responder, "_human_talks", lambda *_: False)


def without_noticing_humans(patch: Patch) -> None:
    patch.setattr(responder, "_by_another", lambda _: False)


@pytest.mark.parametrize(
    ("switch_off", "one", "complaint"),
    [
        (without_recording_echoes, replace(ONE, faults=(Fault("send", How.LOST),)), "twice"),
        (without_stopping_at_a_groups_first_failure, FIRST_OF_TWO_FAILS, "out of order|state is"),
        (
            with_acknowledging_whatever_happens,
            replace(ONE, faults=(Fault("SendMessageBatch", How.REFUSED, times=2),)),
            "not on the queue",
        ),
        (without_counting_attempts, KILLS, "is a dead letter"),
        (with_dying_before_being_buried, KILLED_ON_THE_WAY_TO_THE_DEAD, "is at fault, and no dead letter"),
        (with_joining_again_what_was_at_fault_together, BURST_WITH_ONE_THAT_RAISES, "e0.0 raised nothing"),
        (without_the_others_in_the_letter, BURST_THAT_IS_REJECTED, "without its burst"),
        (without_silence_for_a_human, ASKED_WHILE_A_HUMAN_TALKS, "though a human talks"),
        (without_noticing_humans, ASKED_WHILE_A_HUMAN_TALKS, "nobody noticed"),
    ],
)
def test_a_storm_is_survived_with_a_mechanism_and_not_without_it(
    switch_off: Callable[[Patch], None], one: Storm, complaint: str, monkeypatch: Patch
) -> None:
    for module in (system, worker):  # instead of 1,000, so that a test that runs into it is quick
        monkeypatch.setattr(module, "MOST_RECEIVES", 100)
    storm.run(one)
    switch_off(monkeypatch)
    with pytest.raises(Broken, match=complaint):
        storm.run(one)


def test_a_message_that_cannot_be_hidden_is_tried_again_after_its_visibility_timeout(monkeypatch: Patch) -> None:
    def hide(*_: object) -> None:
        raise AwsError("ChangeMessageVisibilityBatch", "ServiceUnavailable", 503)

    monkeypatch.setattr(Queues, "hide", hide)
    assert storm.run(replace(ONE, faults=(Fault("send", How.REFUSED, times=3),))).answers == 1
