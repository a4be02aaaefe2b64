"""Keeps sends apart, so that all runs together stay below what Facebook allows a page."""

import threading
import time
from collections.abc import Callable, Mapping

# "Rate limits" of the Send API: a page may send 300 texts a second, or 10 media. A fifth is left for others.
TEXTS_PER_SECOND = 240
MEDIA_PER_SECOND = 8
# How far an idle run may get ahead of its share. This lets a batch's answers go out at once. All runs together never
# exceed a rate by more than a fifth in any second.
AHEAD_SECONDS = 0.18


class UsedUp(Exception):
    """The run's share of the page's rate is used up for longer than the send may wait.

    Attributes:
        seconds: how long it would have to wait.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__("the page's rate is used up")
        self.seconds = seconds


class Pace:
    """Limits the sends of one run to its share of the page's rate.

    Args:
        runs: how many runs may send at the same time: the queue consumer's concurrency.
        now: a clock in seconds that never goes back.
        pause: waits so many seconds.
    """

    def __init__(
        self, runs: int, now: Callable[[], float] = time.monotonic, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._runs, self._now, self._pause = runs, now, pause
        self._free = float("-inf")
        self._lock = threading.Lock()

    def wait(self, request: Mapping[str, object], most: float) -> None:
        """Wait until a request may be sent.

        Args:
            request: to the Send API.
            most: for how many seconds at most.

        Raises:
            UsedUp: the wait would be longer; nothing of the share is taken.
        """
        rate = MEDIA_PER_SECOND if _holds_media(request) else TEXTS_PER_SECOND
        with self._lock:
            now = self._now()
            begin = max(self._free, now)
            if (seconds := begin - AHEAD_SECONDS - now) > max(most, 0.0):
                raise UsedUp(seconds)
            self._free = begin + self._runs / rate
        if seconds > 0:
            self._pause(seconds)


def _holds_media(request: Mapping[str, object]) -> bool:
    message = request.get("message")
    attachment = message.get("attachment") if isinstance(message, Mapping) else None
    return isinstance(attachment, Mapping) and attachment.get("type") != "template"
