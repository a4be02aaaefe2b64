"""Removes everything that is kept about a person: planned answers, state and dead letters."""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.aws.client import Aws
from bot.aws.ledger import Ledger
from bot.aws.queues import fingerprint
from bot.dead_letters import mentions
from ops.dead_letter_queue import ROUND, DeadLetterQueue, message_count
from ops.letters import EventLetter, Letter, UnusableLetter, joined
from ops.stack import Stack


@dataclass(frozen=True)
class Forgotten:
    """What was removed, or would be, and what remains.

    Attributes:
        state: whether there was a state.
        plans: the number of events for which something was kept.
        letters: the number of dead letters.
        waiting: how many messages wait in the event queue, no matter whose.
        unseen: how many dead letters could not be looked at.
    """

    state: bool
    plans: int
    letters: int
    waiting: int
    unseen: int


class Memory:
    """What the stack keeps about one person.

    Args:
        person: their page-scoped id, or `USER_REF` and a plugin's reference.
        page: the page (or Instagram account) that they wrote to.
        aws: the client.
        stack: the stack.
        ledger: its ledger.
    """

    def __init__(self, person: str, page: str, aws: Aws, stack: Stack, ledger: Ledger) -> None:
        self._person, self._page = person, page
        self._user = fingerprint(page, person)
        self._aws, self._stack, self._ledger = aws, stack, ledger

    def preview(self) -> Forgotten:
        """What `forget` would remove now."""
        plans = len(list(self._ledger.events_of(self._user)))
        with DeadLetterQueue(self._aws, self._stack) as queue:
            list(queue.every())
            letters = len(list(self._letters(queue)))
            return self._forgotten(plans, letters, queue, state=self._ledger.has_state(self._user))

    def forget(self) -> Forgotten:
        """Remove everything. A second call finds nothing.

        If the worker is handling one of the person's events meanwhile, it finds the record settled or the state gone,
        and does not continue its plan. The letters go last, because a repetition after a failure starts with them.
        """
        events = list(self._ledger.events_of(self._user))
        for key in events:
            self._ledger.forget(key)
        if state := self._ledger.has_state(self._user):
            self._ledger.forget_state(self._user)
        letters = 0
        with DeadLetterQueue(self._aws, self._stack) as queue:
            while queue.look(ROUND):
                for letter in list(self._letters(queue)):
                    queue.delete(letter)
                    letters += 1
            return self._forgotten(len(events), letters, queue, state=state)

    def _forgotten(self, plans: int, letters: int, queue: DeadLetterQueue, *, state: bool) -> Forgotten:
        waiting = message_count(self._aws, self._stack.queue_url)
        return Forgotten(state, plans, letters, waiting, queue.unseen())

    def _letters(self, queue: DeadLetterQueue) -> Iterator[Letter]:
        """The held letters about this person."""
        for letter in queue.letters.values():
            if isinstance(letter, EventLetter):
                about = letter.page == self._page and any(each.user == self._person for each in letter.events)
            elif isinstance(letter, UnusableLetter):
                parts = joined(letter, list(queue.letters.values())) or [letter]
                about = mentions(b"".join(each.content for each in parts), self._person)
            else:
                about = mentions(letter.body.encode(), self._person)
            if about:
                yield letter
