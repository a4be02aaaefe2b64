from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.conversation.parcels import DAY, HOUR, DemonstrationParcels, Parcel, Step

NUMBERS = st.integers(0, 99_999_999).map("{:08}".format)
TIMES = st.floats(1.6e9, 2.5e9)
PARCELS = DemonstrationParcels()


@given(NUMBERS, TIMES)
def test_every_number_has_a_parcel_whose_steps_lie_in_order_in_the_past(number: str, now: float) -> None:
    parcel = PARCELS.find(number, now)
    assert parcel is not None
    assert list(parcel.reached) == sorted(parcel.reached)
    assert parcel.reached[-1] <= now
    assert now - parcel.reached[0] <= 6 * DAY + 1
    assert parcel.step == len(parcel.reached) - 1


@given(NUMBERS)
def test_a_parcel_goes_through_all_four_steps_and_starts_again(number: str) -> None:
    steps = [parcel.step for hour in range(7 * 24) if (parcel := PARCELS.find(number, 1.7e9 + hour * HOUR))]
    assert set(steps) == set(Step)
    changes = [(before, after) for before, after in pairwise(steps) if before != after]
    assert all(after == before + 1 or (before, after) == (Step.DELIVERED, Step.ANNOUNCED) for before, after in changes)


@pytest.mark.parametrize("reached", [(), (1.0,) * 5])
def test_a_parcel_has_one_to_four_steps(reached: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="give from 1 to 4"):
        Parcel("12345678", reached)
