"""Send dead events back to be answered, or drop them."""

import time
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from bot.aws.ledger import DEAD, SETTLED, Key, Ledger, Record, Stale
from bot.dialogue.turn import WINDOW
from ops.dead_letter_queue import DeadLetterQueue
from ops.errors import OpsError
from ops.interruption import uninterrupted
from ops.letters import EventLetter, Letter, UnusableLetter


class Prospect(Enum):
    """What a redrive does with an event."""

    STARTS_OVER = "its answers are planned again"
    CONTINUES = "continues where it stopped"
    DONE = "was handled already"


def prospect(record: Record) -> Prospect:
    """What a redrive does with an event that has this record."""
    if record.outcome == SETTLED:
        return Prospect.DONE
    if record.answers is None or (record.outcome == DEAD and record.untouched):
        return Prospect.STARTS_OVER
    return Prospect.CONTINUES


class Redriven(NamedTuple):
    """A letter that was redriven, or would be.

    Attributes:
        letter: the letter.
        prospects: of its events, in order.
    """

    letter: EventLetter
    prospects: tuple[Prospect, ...]

    @property
    def late(self) -> bool:
        """Whether the messaging window may have closed: it is longer after an ad, and opens when the person writes."""
        return time.time() - self.letter.received / 1000 > WINDOW


def obstacle(letter: Letter, page_id: str) -> str:
    """Why a letter cannot be redriven; empty if it can.

    Args:
        letter: the letter.
        page_id: the page that the stack answers for.
    """
    if isinstance(letter, UnusableLetter):
        return "it never was an event: look at it with `show`, then drop it"
    if not isinstance(letter, EventLetter):
        return "the bot did not write it: look at it with `show`, then drop it"
    if letter.message["object"] == "page" and letter.page != page_id:
        return (
            f"it is for page {letter.page} and the stack answers for {page_id}: correct the setting pageId and deploy, "
            "then redrive; or drop it"
        )
    return ""


def chosen(ids: Sequence[str], queue: DeadLetterQueue, page_id: str) -> list[EventLetter]:
    """The letters to redrive, oldest first, so that each person's are in order.

    Args:
        ids: as for `DeadLetterQueue.find`.
        queue: the queue.
        page_id: the page that the stack answers for.

    Raises:
        OpsError: one of them cannot be redriven, or would overtake another of the same person.
    """
    queue.look()
    letters = queue.find(ids)
    for letter in letters:
        if why := obstacle(letter, page_id):
            raise OpsError(f"{letter.id} cannot be redriven: {why}.")
    left_out = [each for each in queue.letters.values() if isinstance(each, EventLetter) and each not in letters]
    for letter in letters:
        for other in left_out:
            if other.group == letter.group and other.sequence < letter.sequence:
                raise OpsError(
                    f"{letter.id} would overtake {other.id}, an older one of the same person: redrive that too, "
                    "or drop it."
                )
    return [each for each in letters if isinstance(each, EventLetter)]


def redrivable(queue: DeadLetterQueue, page_id: str) -> Iterator[EventLetter]:
    """All letters that can be redriven; arguments as for `chosen`."""
    for letter in queue.every():
        if isinstance(letter, EventLetter) and not obstacle(letter, page_id):
            yield letter


def preview(letter: EventLetter, ledger: Ledger) -> Redriven:
    """What a redrive would do now. Changes nothing."""
    prospects: list[Prospect] = []
    again: set[str] = set()  # they start over with an event that is planned again
    for key in letter.ledger_keys():
        record = ledger.read(key, letter.page).record
        prospects.append(Prospect.STARTS_OVER if key.event in again else prospect(record))
        if prospects[-1] is Prospect.STARTS_OVER:
            again |= {event for event, _ in record.together}
    return Redriven(letter, tuple(prospects))


def redrive(letter: EventLetter, queue: DeadLetterQueue, ledger: Ledger) -> Redriven:
    """Redrive one letter: first the ledger, then the event queue, and the letter is deleted last.

    Wherever this breaks off, the letter is still there, and repeating it is harmless. An event that is not dead is left
    alone. The queue drops a second copy, or the ledger shows the worker that the event was handled.

    Raises:
        OpsError: an event's record keeps changing, or SQS did not accept the events.
    """
    with uninterrupted():
        prospects = tuple(prospect(_revived(key, letter.page, ledger)) for key in letter.ledger_keys())
        if any(each is not Prospect.DONE for each in prospects):
            queue.send_back(letter)
        queue.delete(letter)
    return Redriven(letter, prospects)


def _revived(key: Key, page: str, ledger: Ledger) -> Record:
    try:
        return ledger.revive(key, page)
    except Stale:
        raise OpsError(
            "The ledger's record of an event keeps changing: check whether someone else is redriving, and try again."
        ) from None


def drop(letter: Letter, queue: DeadLetterQueue, ledger: Ledger) -> None:
    """Delete a letter, and then what the ledger keeps of its events for a redrive."""
    with uninterrupted():
        queue.delete(letter)
        for key in letter.ledger_keys() if isinstance(letter, EventLetter) else ():
            ledger.abandon(key)
