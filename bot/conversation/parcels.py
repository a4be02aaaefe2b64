"""What the bot needs from the outside world: parcels, and the pictures of their steps.

A team with its own parcels writes a class with `find`, and returns it from `world`.
"""

import zlib
from enum import IntEnum
from typing import Protocol

from bot.environment import Environment
from bot.messenger.record import Record

HOUR = 3600.0
DAY = 24 * HOUR


class Step(IntEnum):
    """The delivery steps of a parcel, in order."""

    ANNOUNCED = 0
    IN_TRANSIT = 1
    OUT_FOR_DELIVERY = 2
    DELIVERED = 3


class Parcel(Record):
    """What is known about one parcel.

    Args:
        number: eight digits.
        reached: when the parcel reached each step so far, in the order of `Step`, in seconds since 1970.
    """

    number: str
    reached: tuple[float, ...]

    def check(self) -> None:
        """Refuse a parcel without a step, or with more steps than there are."""
        if not 1 <= len(self.reached) <= len(Step):
            raise ValueError(f"Parcel {self.number} has {len(self.reached)} steps: give from 1 to {len(Step)}.")

    @property
    def step(self) -> Step:
        """The last step that the parcel reached."""
        return Step(len(self.reached) - 1)


class ParcelsUnavailable(Exception):
    """Parcels cannot be looked up at the moment. The bot says so and asks the customer to try again."""


class ParcelSource(Protocol):
    """Where parcels are looked up."""

    def find(self, number: str, now: float) -> Parcel | None:
        """The parcel with this number; None if there is none.

        Args:
            number: eight digits.
            now: seconds since 1970.

        Raises:
            ParcelsUnavailable: there is no answer at the moment.
        """


class DemonstrationParcels:
    """Made-up parcels, so that the bot can be tried.

    Every number has a parcel. Its steps depend only on the number and the time. Six days after it was announced, it
    starts again.
    """

    _ROUND = 6 * DAY

    def find(self, number: str, now: float) -> Parcel | None:
        """The made-up parcel with this number."""
        seed = zlib.crc32(number.encode())
        announced = now - (now + seed % int(self._ROUND)) % self._ROUND
        in_transit = announced + (6 + seed % 18) * HOUR
        out_for_delivery = in_transit + (18 + seed // 18 % 36) * HOUR
        delivered = out_for_delivery + (2 + seed // 648 % 8) * HOUR
        steps = (announced, in_transit, out_for_delivery, delivered)
        return Parcel(number, tuple(time for time in steps if time <= now))


class World(Record):
    """What the handlers need from the outside world.

    Args:
        parcels: where parcels are looked up.
        country: where the customers are, as ISO 3166 has it. It decides whether they can be asked for notifications.
        assets_url: the public folder with the images `step-1.png` to `step-4.png`; "" to use words instead.
    """

    parcels: ParcelSource
    country: str
    assets_url: str = ""


def world(environment: Environment) -> World:
    """The outside world of the deployed bot."""
    return World(DemonstrationParcels(), country="DE", assets_url=environment.assets_url)
