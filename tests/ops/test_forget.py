"""`forget` removes everything about a person, and nothing about anybody else."""

import itertools

from bot.aws.client import Aws
from bot.aws.ledger import Ledger
from bot.aws.queues import fingerprint, unusable_letters
from ops.forget import Forgotten, Memory
from tests.ops.place import ANNA, BEN, MESSAGE_BYTES, PAGE, Breaking, Broken, Place


def both_known(place: Place) -> None:
    """Anna and Ben each have a state, a dead letter, and an event that is being handled."""
    for user in (ANNA, BEN):
        place.accept((user, "hello"))
        place.die(user, "half", answered=1)
        place.ledger.plan(place.key(user, "begun"), [{"message": {"text": "x"}}], None, 0)
    place.work()
    place.bury(*unusable_letters("not an event", f'{{"sender": {{"id": "{ANNA}"}}}}'.encode(), MESSAGE_BYTES))


def memory(place: Place, person: str, page: str = PAGE, aws: Aws | None = None) -> Memory:
    client = aws or place.aws
    return Memory(person, page, client, place.stack, Ledger(client, place.stack.ledger_table, state_days=0))


def kept(place: Place, user: str) -> str:
    """Everything that can be read about a person."""
    about = {fingerprint(PAGE, user), user}
    letters = [each["Body"] for each in place.receive(place.stack.dead_letter_queue_url, visibility=0)]
    everything = [*map(str, place.items().values()), *letters]
    return "\n".join(each for each in everything if any(one in each for one in about))


def test_a_forgotten_person_leaves_no_state_no_plan_and_no_letter_and_others_keep_theirs(place: Place) -> None:
    both_known(place)
    of_ben = kept(place, BEN)
    assert "half" in kept(place, ANNA)
    done = memory(place, ANNA).forget()
    assert done == Forgotten(state=True, plans=2, letters=2, waiting=0, unseen=0)
    assert kept(place, ANNA) == ""
    assert place.dead() == ["half"]
    assert kept(place, BEN) == of_ben


def test_a_forget_that_broke_off_is_finished_by_a_repetition(place: Place) -> None:
    both_known(place)
    for at in itertools.count():
        try:
            memory(place, ANNA, aws=Breaking(place.aws, at)).forget()
        except Broken:
            continue
        break
    assert at > 4
    assert not kept(place, ANNA)


def test_a_forgotten_event_is_never_answered_and_its_record_expires(place: Place) -> None:
    place.accept((ANNA, "hello"))
    place.ledger.plan(place.key(ANNA, "hello"), [{"message": {"text": "x"}}], None, 0)
    done = memory(place, ANNA).forget()
    assert (done.plans, done.waiting) == (1, 1)
    place.work()
    assert place.facebook.sent == []
    assert all(each.keys() == {"id", "outcome", "expires"} for each in place.items().values())


def test_a_person_of_another_page_is_another_person(place: Place) -> None:
    both_known(place)
    assert not memory(place, BEN, page="another").forget().plans
