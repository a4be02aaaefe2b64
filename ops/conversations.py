"""Who is waiting for a human."""

from collections.abc import Iterator
from typing import NamedTuple

from bot.aws.ledger import Ledger
from bot.messenger.human import NAME, Human


class Waiting(NamedTuple):
    """A person who waits for a human's words.

    Attributes:
        person: their page-scoped id.
        since: since when they wait, in seconds since 1970.
        until: how long the bot is silent for them.
        answered: whether a human has written to them before, since they were passed on.
    """

    person: str
    since: float
    until: float
    answered: bool


def waiting(ledger: Ledger, now: float) -> list[Waiting]:
    """Everybody who waits, the longest first.

    Args:
        ledger: the stack's.
        now: seconds since 1970.
    """
    return sorted(_waiting(ledger, now), key=lambda each: each.since)


def _waiting(ledger: Ledger, now: float) -> Iterator[Waiting]:
    for state in ledger.states_with(NAME):
        human = Human.of(state)
        if human.waiting and human.has(now):
            yield Waiting(human.person, human.waiting, human.until, human.wrote > 0)
