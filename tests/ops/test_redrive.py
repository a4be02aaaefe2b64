"""A redrive loses nothing, answers nothing twice, and keeps each person's order, wherever it breaks off."""

import itertools
from collections.abc import Sequence

import pytest

from bot.aws.client import Aws
from bot.aws.ledger import Ledger
from bot.aws.queues import dead_letter, fingerprint
from ops.dead_letter_queue import DeadLetterQueue
from ops.errors import OpsError
from ops.letters import Letter
from ops.redrive import Prospect, Redriven, chosen, drop, preview, redrivable
from ops.redrive import redrive as redrive_letter
from tests.ops.place import ANNA, BEN, PAGE, Breaking, Broken, Interrupted, Place, item


def redrive(place: Place, ids: Sequence[str] = (), aws: Aws | None = None, page: str = PAGE) -> list[Redriven]:
    """Redrive some letters, or all."""
    client = aws or place.aws
    ledger = Ledger(client, place.stack.ledger_table, state_days=0)
    with DeadLetterQueue(client, place.stack) as queue:
        letters = chosen(ids, queue, page) if ids else redrivable(queue, page)
        return [redrive_letter(each, queue, ledger) for each in letters]


def look(place: Place) -> list[Letter]:
    with DeadLetterQueue(place.aws, place.stack) as queue:
        return queue.look()


def answers(user: str, *texts: str) -> list[tuple[str, str]]:
    return [(user, f"{text}: {number}") for text in texts for number in ("one", "two")]


def poisoned(place: Place) -> None:
    """Two letters of Anna's and one of Ben's; the bot is corrected."""
    for user, text in ((ANNA, "poison 1"), (BEN, "poison 2"), (ANNA, "poison 3")):
        place.die(user, text)
    place.conversation.corrected = True


def test_an_event_that_is_still_at_fault_dies_again_with_a_fresh_count_and_can_be_redriven_at_once(
    place: Place,
) -> None:
    poisoned(place)
    place.conversation.corrected = False
    assert [each.prospects for each in redrive(place)] == [(Prospect.STARTS_OVER,)] * 3
    place.work()
    assert sorted(place.dead()) == ["poison 1", "poison 2", "poison 3"]
    place.conversation.corrected = True
    redrive(place)
    place.work()
    assert [each for each in place.facebook.sent if each[0] == ANNA] == answers(ANNA, "poison 1", "poison 3")
    assert [each for each in place.facebook.sent if each[0] == BEN] == answers(BEN, "poison 2")
    assert place.dead() == []


def test_an_event_whose_first_answer_was_refused_is_planned_again(place: Place) -> None:
    place.facebook.refused = {"hello: one"}
    place.accept((ANNA, "hello"))
    place.work()
    assert [each.prospects for each in redrive(place)] == [(Prospect.STARTS_OVER,)]
    assert place.ledger.read(place.key(ANNA, "hello"), PAGE).record.answers is None


@pytest.mark.parametrize(
    ("refused", "prospects"),
    [("one", (Prospect.STARTS_OVER, Prospect.STARTS_OVER)), ("two", (Prospect.CONTINUES, Prospect.DONE))],
)
def test_messages_that_were_answered_together_are_redriven_together(
    place: Place, refused: str, prospects: tuple[Prospect, ...]
) -> None:
    place.facebook.refused = {f"my parcel… where?: {refused}"}
    place.accept((ANNA, "my parcel…"), (ANNA, " where?"))
    place.work()
    assert len(look(place)) == 1
    place.facebook.refused = set()
    with DeadLetterQueue(place.aws, place.stack) as queue:
        assert [preview(each, place.ledger).prospects for each in redrivable(queue, PAGE)] == [prospects]
    assert [each.prospects for each in redrive(place)] == [prospects]
    place.work()
    assert place.facebook.sent == answers(ANNA, "my parcel… where?")


def test_an_answer_that_arrived_although_it_was_refused_is_not_sent_again(place: Place) -> None:
    place.facebook.refused = {"hello: one"}
    place.accept((ANNA, "hello"))
    place.work()
    place.ledger.echoed(place.key(ANNA, "hello"), 0)
    place.facebook.refused = set()
    assert [each.prospects for each in redrive(place)] == [(Prospect.CONTINUES,)]
    place.work()
    assert place.facebook.sent == [(ANNA, "hello: two")]


def test_an_event_that_was_handled_is_not_sent_to_the_queue_again(place: Place) -> None:
    place.accept((ANNA, "hello"))
    place.work()
    message = {"object": "page", "page": PAGE, "received": 1, "items": [item(ANNA, "hello")]}
    place.bury(dead_letter("twice", {}, message, fingerprint(PAGE, ANNA), "x"))
    assert [each.prospects for each in redrive(place)] == [(Prospect.DONE,)]
    assert not place.receive(place.stack.queue_url)
    assert not look(place)


def test_a_message_that_sqs_itself_moved_is_redriven_whole(place: Place) -> None:
    place.accept((ANNA, "hello"))
    moved = place.receive(place.stack.queue_url)[0]
    place.aws.call("sqs", "DeleteMessage", {"QueueUrl": place.stack.queue_url, "ReceiptHandle": moved["ReceiptHandle"]})
    place.aws.call(
        "sqs",
        "SendMessage",
        {
            "QueueUrl": place.stack.dead_letter_queue_url,
            "MessageBody": moved["Body"],
            "MessageGroupId": moved["Attributes"]["MessageGroupId"],
            "MessageDeduplicationId": moved["Attributes"]["MessageDeduplicationId"],
        },
    )
    assert look(place)[0].reason == "received too often without an outcome"
    redrive(place)
    place.work()
    assert place.facebook.sent == answers(ANNA, "hello")


def test_all_letters_of_one_person_are_redriven_in_order_although_sqs_shows_ten_at_a_time(place: Place) -> None:
    texts = [f"text {number:02}" for number in range(13)]
    for text in texts:
        place.die(ANNA, text)
    with DeadLetterQueue(place.aws, place.stack) as queue:
        assert len(queue.look()) == 10
        assert queue.unseen() == 3
    redrive(place)
    place.work()
    assert place.facebook.sent == answers(ANNA, *texts)


def test_a_letter_cannot_overtake_an_older_one_of_the_same_person(place: Place) -> None:
    poisoned(place)
    first, second = (each for each in look(place) if each.group == fingerprint(PAGE, ANNA))
    with pytest.raises(OpsError, match=f"{second.id} would overtake {first.id}"):
        redrive(place, [second.id])
    assert len(place.dead()) == 3
    redrive(place, [second.id, first.id[:8]])
    place.work()
    assert place.facebook.sent == answers(ANNA, "poison 1", "poison 3")
    assert place.dead() == ["poison 2"]


def test_letters_of_another_page_are_redriven_once_the_setting_is_right(place: Place) -> None:
    message = {"object": "page", "page": PAGE, "received": 1, "items": [item(ANNA, "hello")]}
    place.bury(dead_letter("of another page", {}, message, fingerprint(PAGE, ANNA), "x"))
    (letter,) = look(place)
    with pytest.raises(
        OpsError, match=f"it is for page {PAGE} and the stack answers for 1: correct the setting pageId"
    ):
        redrive(place, [letter.id], page="1")
    assert redrive(place, page="1") == []
    redrive(place)
    place.work()
    assert place.facebook.sent == answers(ANNA, "hello")


def test_ctrl_c_during_a_receive_waits_until_the_letters_can_be_released(place: Place) -> None:
    poisoned(place)
    client = Interrupted(place.aws, "ReceiveMessage")
    with pytest.raises(KeyboardInterrupt), DeadLetterQueue(client, place.stack) as queue:
        queue.look()
    assert len(place.dead()) == 3


def test_ctrl_c_during_a_redrive_waits_until_the_letter_is_finished(place: Place) -> None:
    poisoned(place)
    with pytest.raises(KeyboardInterrupt):
        redrive(place, aws=Interrupted(place.aws, "SendMessageBatch"))
    assert len(place.dead()) == 2
    place.work()
    assert place.facebook.sent == answers(ANNA, "poison 1")


@pytest.mark.parametrize("worker_between", [False, True], ids=["worker later", "worker between"])
def test_a_redrive_that_breaks_off_before_any_call_and_is_repeated_loses_doubles_and_misorders_nothing(
    place: Place, worker_between: bool
) -> None:
    place.conversation.corrected = True
    for at in itertools.count():
        place.facebook.sent.clear()
        place.die(ANNA, f"poison {at}")
        place.die(ANNA, f"half {at}", answered=1)
        assert place.dead() == [f"poison {at}", f"half {at}"]
        try:
            redrive(place, aws=Breaking(place.aws, at))
            broken = False
        except Broken:
            broken = True
        if worker_between:
            place.work()
        redrive(place)
        place.work()
        half = (ANNA, f"half {at}: one"), (ANNA, f"half {at}: two")
        assert place.facebook.sent == [half[0], *answers(ANNA, f"poison {at}"), half[1]], at
        assert place.dead() == []
        assert {each["outcome"]["S"] for each in place.items().values() if "state" not in each} == {"settled"}
        if not broken:
            assert at > 8  # a letter takes four calls: ledger read and written, sent, deleted
            break


def test_a_dropped_letter_takes_its_plan_in_the_ledger_with_it(place: Place) -> None:
    place.facebook.refused = {"hello: two"}
    place.accept((ANNA, "hello"))
    place.work()
    with DeadLetterQueue(place.aws, place.stack) as queue:
        (letter,) = queue.look()
        drop(letter, queue, place.ledger)
    assert look(place) == []
    record = place.items()[f"event#{place.key(ANNA, 'hello').event}"]
    assert record.keys() == {"id", "expires", "outcome"}


def test_dropping_the_letter_of_an_event_that_lives_again_leaves_the_event_alone(place: Place) -> None:
    poisoned(place)
    first = next(each for each in look(place) if each.group == fingerprint(PAGE, BEN))
    with DeadLetterQueue(place.aws, place.stack) as queue:
        queue.look()
        place.ledger.revive(place.key(BEN, "poison 2"), PAGE)
        drop(queue.letters[first.id], queue, place.ledger)
    assert place.ledger.read(place.key(BEN, "poison 2"), PAGE).record.outcome == ""
