"""Forgetting removes everything about a person, and nothing about anybody else."""

import itertools

import pytest

from bot.aws.queues import fingerprint, unusable_letters
from ops.forget import Forgotten, forget, mentions
from ops.ledger import Ledger
from tests.ops.place import ANNA, BEN, PAGE, Breaking, Broken, Place


def both_known(place: Place) -> None:
    """Anna and Ben each have a state, a dead letter, and an event that was begun and is not dead."""
    for user in (ANNA, BEN):
        place.accept((user, "hello"))
        place.die(user, "half", answered=1)
        place.ledger.plan(place.key(user, "begun"), [{"message": {"text": "x"}}], None, 0)
    place.work()
    place.bury(*unusable_letters("not an event", f'{{"sender": {{"id": "{ANNA}"}}}}'.encode()))


def kept(place: Place, user: str) -> str:
    """All that anyone can read about a person."""
    about = {fingerprint(PAGE, user), user}
    letters = [each["Body"] for each in place.receive(place.stack.dead_letter_queue_url, visibility=0)]
    everything = [*map(str, place.items().values()), *letters]
    return "\n".join(each for each in everything if any(one in each for one in about))


def test_a_forgotten_person_leaves_no_state_no_plan_and_no_letter_and_others_keep_theirs(place: Place) -> None:
    both_known(place)
    of_ben = kept(place, BEN)
    assert "half" in kept(place, ANNA)
    done = forget(ANNA, PAGE, place.aws, place.stack, place.ledger, dry=False)
    assert done == Forgotten(state=True, plans=2, letters=2, waiting=0, unseen=0)
    assert kept(place, ANNA) == ""
    assert place.dead() == ["half"]
    assert kept(place, BEN) == of_ben


def test_a_dry_run_counts_what_would_go_and_removes_nothing(place: Place) -> None:
    both_known(place)
    before = kept(place, ANNA)
    done = forget(ANNA, PAGE, place.aws, place.stack, place.ledger, dry=True)
    assert done == forget(ANNA, PAGE, place.aws, place.stack, place.ledger, dry=True)
    assert (done.state, done.plans) == (True, 2)
    assert kept(place, ANNA) == before


def test_what_was_broken_off_is_finished_by_doing_it_again(place: Place) -> None:
    both_known(place)
    for at in itertools.count():
        door = Breaking(place.aws, at)
        try:
            forget(ANNA, PAGE, door, place.stack, Ledger(door, place.stack.ledger_table, 0), dry=False)
        except Broken:
            continue
        break
    assert at > 4
    assert not kept(place, ANNA)


def test_a_forgotten_event_is_never_answered_and_its_record_expires(place: Place) -> None:
    place.accept((ANNA, "hello"))
    place.ledger.plan(place.key(ANNA, "hello"), [{"message": {"text": "x"}}], None, 0)
    done = forget(ANNA, PAGE, place.aws, place.stack, place.ledger, dry=False)
    assert (done.plans, done.waiting) == (1, 1)
    place.work()
    assert place.facebook.sent == []
    assert all(each.keys() == {"id", "outcome", "expires"} for each in place.items().values())


def test_a_person_of_another_page_is_another_person(place: Place) -> None:
    both_known(place)
    assert not forget(BEN, "another", place.aws, place.stack, place.ledger, dry=False).plans


@pytest.mark.parametrize(("content", "found"), [(b'"12345"', True), (b"12345", True), (b"123456", False), (b"", False)])
def test_an_id_is_found_only_as_a_word_of_its_own(content: bytes, found: bool) -> None:
    assert mentions(content, "12345") is found
