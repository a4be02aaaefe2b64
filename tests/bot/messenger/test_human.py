"""Whether a human has the conversation."""

import pytest

from bot.messenger.human import Human

NOON = 1_800_000_000.0
ASKED = Human().asked("7", NOON, 12)


def test_whoever_asks_for_a_human_waits_until_one_writes_and_again_after_each_word() -> None:
    assert (ASKED.has(NOON), ASKED.talks(NOON), ASKED.waiting) == (True, False, NOON)
    written = ASKED.written("7", NOON + 60, 12)
    assert (written.since, written.waiting, written.talks(NOON + 60)) == (NOON, 0.0, True)
    assert written.heard(NOON + 90).heard(NOON + 99).waiting == NOON + 90


def test_words_that_arrive_late_do_not_shorten_the_time_or_hide_that_the_person_waits() -> None:
    human = Human().written("7", NOON + 60, 12).heard(NOON + 90)
    assert human.written("7", NOON, 12) == human


def test_what_a_human_wrote_before_the_bot_was_called_back_does_not_silence_it() -> None:
    back = Human().written("7", NOON, 12).back(NOON + 60)
    assert not back.written("7", NOON + 59, 12).has(NOON + 61)
    assert back.written("7", NOON + 61, 12).has(NOON + 61)


def test_it_is_a_part_of_the_state_beside_the_others() -> None:
    state = ASKED.put({"user": {"name": "Anna"}})
    assert state["user"] == {"name": "Anna"}
    assert Human.of(state) == ASKED
    assert Human().put(state) == {"user": {"name": "Anna"}}


@pytest.mark.parametrize("broken", [None, 1, [], {"until": "x", "person": 3, "check": 1.0}, {"until": True}])
def test_what_does_not_fit_is_left_out(broken: object) -> None:
    assert Human.of({"human": broken}) == Human()
