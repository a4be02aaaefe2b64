"""Redriving loses nothing, answers nothing twice, and keeps each person's order: wherever it is broken off."""

import itertools
from collections.abc import Sequence

import pytest

from bot.aws.client import Aws
from bot.aws.queues import dead_letter, fingerprint, unusable_letters
from ops.deadletters import Held, Redriven, drop, redrive_all, redrive_chosen
from ops.errors import OpsError
from ops.ledger import Fate, Ledger
from ops.letters import Letter
from tests.ops.place import ANNA, BEN, PAGE, Breaking, Broken, Interrupted, Place, item


def redrive(place: Place, ids: Sequence[str] = (), aws: Aws | None = None, *, dry: bool = False) -> list[Redriven]:
    """Redrive some letters, or all."""
    door = aws or place.aws
    ledger = Ledger(door, place.stack.ledger_table, state_days=0)
    with Held(door, place.stack) as held:
        if ids:
            return list(redrive_chosen(ids, held, ledger, PAGE, dry=dry))
        return list(redrive_all(held, ledger, PAGE, dry=dry))


def look(place: Place) -> list[Letter]:
    with Held(place.aws, place.stack) as held:
        return held.look()


def answers(user: str, *texts: str) -> list[tuple[str, str]]:
    return [(user, f"{text}: {number}") for text in texts for number in ("one", "two")]


def poisoned(place: Place) -> None:
    """Two letters of Anna's and one of Ben's; the bot is mended."""
    for user, text in ((ANNA, "poison 1"), (BEN, "poison 2"), (ANNA, "poison 3")):
        place.die(user, text)
    place.conversation.mended = True


def test_redriven_events_are_answered_once_in_each_persons_order_and_their_letters_are_gone(place: Place) -> None:
    poisoned(place)
    assert sorted(place.dead()) == ["poison 1", "poison 2", "poison 3"]
    done = redrive(place)
    place.work()
    assert [each.fates for each in done] == [(Fate.ANEW,)] * 3
    assert [each for each in place.facebook.sent if each[0] == ANNA] == answers(ANNA, "poison 1", "poison 3")
    assert [each for each in place.facebook.sent if each[0] == BEN] == answers(BEN, "poison 2")
    assert place.dead() == []


def test_an_event_that_is_still_at_fault_dies_again_with_a_fresh_count_and_can_be_redriven_at_once(
    place: Place,
) -> None:
    poisoned(place)
    place.conversation.mended = False
    redrive(place)
    place.work()
    assert sorted(place.dead()) == ["poison 1", "poison 2", "poison 3"]
    place.conversation.mended = True
    redrive(place)
    place.work()
    assert sorted(place.facebook.sent) == sorted(answers(ANNA, "poison 1", "poison 3") + answers(BEN, "poison 2"))


def test_an_event_of_which_an_answer_was_sent_goes_on_behind_it(place: Place) -> None:
    place.facebook.refused = {"hello: two"}
    place.accept((ANNA, "hello"))
    place.work()
    assert look(place)[0].fbtrace_id == "Atrace"
    place.facebook.refused = set()
    assert [each.fates for each in redrive(place)] == [(Fate.ON,)]
    place.work()
    assert place.facebook.sent == answers(ANNA, "hello")


def test_an_answer_that_was_refused_before_anything_was_sent_is_planned_anew(place: Place) -> None:
    place.facebook.refused = {"hello: one"}
    place.accept((ANNA, "hello"))
    place.work()
    assert [each.fates for each in redrive(place)] == [(Fate.ANEW,)]
    assert place.ledger.record(place.key(ANNA, "hello"), PAGE).answers is None


def test_an_answer_that_arrived_though_it_counted_as_refused_is_not_sent_again(place: Place) -> None:
    place.facebook.refused = {"hello: one"}
    place.accept((ANNA, "hello"))
    place.work()
    place.ledger.echoed(place.key(ANNA, "hello"), 0)
    place.facebook.refused = set()
    assert [each.fates for each in redrive(place)] == [(Fate.ON,)]
    place.work()
    assert place.facebook.sent == [(ANNA, "hello: two")]


def test_an_event_that_was_dealt_with_is_not_sent_to_the_queue_again(place: Place) -> None:
    place.accept((ANNA, "hello"))
    place.work()
    message = {"object": "page", "page": PAGE, "received": 1, "items": [item(ANNA, "hello")]}
    place.bury(dead_letter("twice", {}, message, fingerprint(PAGE, ANNA), "x"))
    assert [each.fates for each in redrive(place)] == [(Fate.DONE,)]
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


def test_more_letters_of_one_person_than_sqs_shows_at_a_time_are_all_redriven_in_order(place: Place) -> None:
    texts = [f"text {number:02}" for number in range(13)]
    for text in texts:
        place.die(ANNA, text)
    with Held(place.aws, place.stack) as held:
        assert len(held.look()) == 10
        assert held.unseen() == 3
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
    with Held(place.aws, place.stack) as held:
        (letter,) = held.look()
        with pytest.raises(
            OpsError, match=f"it is of page {PAGE} and the stack answers for 1: correct the setting pageId"
        ):
            list(redrive_chosen([letter.id], held, place.ledger, "1", dry=False))
        assert list(redrive_all(held, place.ledger, "1", dry=False)) == []
    redrive(place)
    place.work()
    assert place.facebook.sent == answers(ANNA, "hello")


def test_unusable_letters_are_left_by_all_and_refused_by_name(place: Place) -> None:
    place.bury(*unusable_letters("not a webhook of a page", b"junk"))
    assert redrive(place) == []
    (letter,) = look(place)
    with pytest.raises(OpsError, match="it never was an event: look at it with `show`, then drop it"):
        redrive(place, [letter.id])
    assert len(look(place)) == 1


def test_a_dry_run_tells_what_would_become_of_each_and_changes_nothing(place: Place) -> None:
    poisoned(place)
    before = place.items()
    assert [each.fates for each in redrive(place, dry=True)] == [(Fate.ANEW,)] * 3
    assert place.items() == before
    assert not place.receive(place.stack.queue_url)
    assert len(place.dead()) == 3


def test_what_was_looked_at_is_given_back_when_the_look_ends_in_an_error(place: Place) -> None:
    poisoned(place)

    def interrupted() -> None:
        with Held(place.aws, place.stack) as held:
            held.look()
            assert place.dead() == []
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(place.dead()) == 3


def test_ctrl_c_within_a_receive_waits_until_what_was_received_can_be_given_back(place: Place) -> None:
    poisoned(place)
    with pytest.raises(KeyboardInterrupt), Held(Interrupted(place.aws, "ReceiveMessage"), place.stack) as held:
        held.look()
    assert len(place.dead()) == 3


def test_ctrl_c_within_a_redrive_lets_the_letter_at_hand_be_finished(place: Place) -> None:
    poisoned(place)
    with pytest.raises(KeyboardInterrupt):
        redrive(place, aws=Interrupted(place.aws, "SendMessageBatch"))
    assert len(place.dead()) == 2
    place.work()
    assert place.facebook.sent == answers(ANNA, "poison 1")


@pytest.mark.parametrize("worker_between", [False, True], ids=["worker later", "worker between"])
def test_broken_off_before_any_call_and_done_again_nothing_is_lost_doubled_or_misordered(
    place: Place, worker_between: bool
) -> None:
    place.conversation.mended = True
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


def test_a_dropped_letter_takes_what_the_ledger_kept_for_it_along(place: Place) -> None:
    place.facebook.refused = {"hello: two"}
    place.accept((ANNA, "hello"))
    place.work()
    with Held(place.aws, place.stack) as held:
        (letter,) = held.look()
        drop(letter, held, place.ledger)
    assert look(place) == []
    record = place.items()[f"event#{place.key(ANNA, 'hello').event}"]
    assert record.keys() == {"id", "expires", "outcome"}


def test_dropping_the_letter_of_an_event_that_is_under_way_again_leaves_the_event_alone(place: Place) -> None:
    poisoned(place)
    first = next(each for each in look(place) if each.group == fingerprint(PAGE, BEN))
    with Held(place.aws, place.stack) as held:
        held.look()
        letter = held.letters[first.id]
        place.ledger.revive(place.key(BEN, "poison 2"), PAGE)
        drop(letter, held, place.ledger)
    assert place.ledger.record(place.key(BEN, "poison 2"), PAGE).outcome == ""
