"""Everything about a person goes: what was planned for them, their state, their dead letters."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.aws.client import Aws
from bot.aws.queues import fingerprint
from ops.deadletters import ROUND, Held, waiting
from ops.ledger import Ledger
from ops.letters import EventLetter, Letter, UnusableLetter, joined
from ops.stack import Stack


@dataclass
class Forgotten:
    """What was removed, or would be, and what stays.

    Attributes:
        state: whether there was a state.
        plans: of how many events something was kept.
        letters: how many dead letters.
        waiting: how many messages, of whomever, wait in the event queue.
        unseen: how many dead letters could not be looked at.
    """

    state: bool = False
    plans: int = 0
    letters: int = 0
    waiting: int = 0
    unseen: int = 0


def forget(person: str, page: str, aws: Aws, stack: Stack, ledger: Ledger, *, dry: bool) -> Forgotten:
    """Remove everything about a person; done twice, it finds nothing the second time.

    A run of the bot that is at one of their events meanwhile finds its record settled, or their state gone, and does
    not go on with what it planned. The letters go last: they are what a repetition after a failure begins with.

    Args:
        person: their page-scoped id.
        page: the page (or Instagram account) that they wrote to.
        aws: the door to AWS.
        stack: the stack.
        ledger: its ledger.
        dry: remove nothing, tell only what would be.
    """
    user, done = fingerprint(page, person), Forgotten()
    for key in list(ledger.events_of(user)):
        done.plans += 1
        if not dry:
            ledger.forget(key)
    done.state = ledger.has_state(user)
    if done.state and not dry:
        ledger.forget_state(user)
    with Held(aws, stack) as held:
        while held.look(ROUND):
            about = [each for each in held.letters.values() if _is_about(each, person, page, held)]
            if dry:
                done.letters = len(about)
                continue
            for letter in about:
                held.delete(letter)
                done.letters += 1
        done.unseen = held.unseen()
    done.waiting = waiting(aws, stack.queue_url)
    return done


def _is_about(letter: Letter, person: str, page: str, held: Held) -> bool:
    if isinstance(letter, EventLetter):
        return letter.page == page and any(each.user == person for each in letter.events)
    if isinstance(letter, UnusableLetter):
        parts: Sequence[UnusableLetter] = joined(letter, list(held.letters.values())) or [letter]
        return mentions(b"".join(each.content for each in parts), person)
    return mentions(letter.body.encode(), person)


def mentions(content: bytes, person: str) -> bool:
    """Whether bytes hold an id as a word of its own: one id can be the beginning of another."""
    return re.search(rb"(?<![0-9A-Za-z])" + re.escape(person.encode()) + rb"(?![0-9A-Za-z])", content) is not None
