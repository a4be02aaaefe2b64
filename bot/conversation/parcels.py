"""Where the bot learns of parcels.

A team with parcels of its own writes a class with `find` and hands it to the conversation in its `Context`.
"""

import zlib
from enum import IntEnum
from typing import Protocol

from bot.messenger.record import Record

HOUR = 3600.0
DAY = 24 * HOUR


class Step(IntEnum):
    """How far a parcel is, in order."""

    ANNOUNCED = 0
    IN_TRANSIT = 1
    OUT_FOR_DELIVERY = 2
    DELIVERED = 3


class Parcel(Record):
    """What is known of one parcel.

    Args:
        number: eight digits.
        reached: when each step was reached, in seconds since 1970, in the order of `Step`, as far as it has come.
    """

    number: str
    reached: tuple[float, ...]

    def check(self) -> None:
        """Refuse a parcel that is nowhere, or that has come further than there are steps."""
        if not 1 <= len(self.reached) <= len(Step):
            raise ValueError(f"Parcel {self.number} has {len(self.reached)} steps: give from 1 to {len(Step)}.")

    @property
    def step(self) -> Step:
        """How far it is."""
        return Step(len(self.reached) - 1)


class ParcelsUnavailable(Exception):
    """The source does not answer at the moment; the conversation says so and asks to try again."""


class ParcelSource(Protocol):
    """What the conversation needs to know of parcels."""

    def find(self, number: str, now: float) -> Parcel | None:
        """The parcel of that number, None if there is none.

        Args:
            number: eight digits.
            now: seconds since 1970.

        Raises:
            ParcelsUnavailable: it cannot be told at the moment.
        """


class DemonstrationParcels:
    """Made-up parcels, so that the bot can be tried: no parcel of anybody's is known to it.

    Every number has one. Its steps follow from the number and the time alone; six days after it was announced it is
    announced anew.
    """

    _ROUND = 6 * DAY

    def find(self, number: str, now: float) -> Parcel | None:
        """The made-up parcel of that number: see `ParcelSource.find`."""
        seed = zlib.crc32(number.encode())
        announced = now - (now + seed % int(self._ROUND)) % self._ROUND
        in_transit = announced + (6 + seed % 18) * HOUR
        out_for_delivery = in_transit + (18 + seed // 18 % 36) * HOUR
        delivered = out_for_delivery + (2 + seed // 648 % 8) * HOUR
        steps = (announced, in_transit, out_for_delivery, delivered)
        return Parcel(number, tuple(time for time in steps if time <= now))
