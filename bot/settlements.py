"""Settles what several threads of one run have answered, in as few writes as possible and without waiting for more."""

import threading
from collections.abc import Callable, Sequence

from bot.aws.client import AwsError
from bot.aws.ledger import Stale
from bot.responder import Answered


class Settlements:
    """The events of one run that are answered, on their way into the ledger.

    If another thread is writing, leave the event to it: its next write settles everything that waits.

    Args:
        settle: records several events, all of them or none; see `bot.responder.Responder.settle`.

    Attributes:
        open: what the ledger did not record.
    """

    def __init__(self, settle: Callable[[Sequence[Answered]], None]) -> None:
        self.open: list[Answered] = []
        self._settle, self._lock = settle, threading.Lock()
        self._waiting: list[Answered] = []
        self._writing = False

    def add(self, answered: Answered) -> None:
        """Settle an event, now or with the next write that another thread makes."""
        with self._lock:
            self.open.append(answered)
            self._waiting.append(answered)
            if self._writing:
                return
            self._writing = True
        while together := self._next():
            self._write(together)

    def _next(self) -> Sequence[Answered]:
        with self._lock:
            together, self._waiting = self._waiting, []
            self._writing = bool(together)
            return together

    def _write(self, together: Sequence[Answered]) -> None:
        try:
            self._settle(together)
        except Stale:
            # Whatever stands in the way of one must not hold up the others.
            if len(together) > 1:
                for each in together:
                    self._write([each])
        except AwsError:
            return
        else:
            for each in together:
                self.open.remove(each)
