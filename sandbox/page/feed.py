"""What happened, in order: written from any thread, read by every open chat page from wherever it stopped reading."""

import asyncio
import json
import secrets
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable

MOST_NOTES = 20_000  # some thousand messages with all their steps
MASK = "[secret]"


class Feed:
    """A list of notes that only grows; a note is a JSON object with `seq`, `at` (seconds since 1970) and `kind`.

    Args:
        loop: the event loop on which it is followed.
        secrets_to_mask: texts that never appear in a note.

    Attributes:
        instance: changes when everything begins again; the next sandbox's numbers begin at 1.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, secrets_to_mask: Iterable[str] = ()) -> None:
        self.instance = secrets.token_hex(8)
        self._loop = loop
        self._secrets = tuple(text for text in secrets_to_mask if text)
        self._notes: deque[tuple[int, str]] = deque(maxlen=MOST_NOTES)
        self._next = 1
        self._lock = threading.Lock()
        self._followers: set[asyncio.Event] = set()
        self._closed = False

    def note(self, kind: str, at: float | None = None, **content: object) -> None:
        """Add a note.

        Args:
            kind: its kind.
            at: when it happened, in seconds since 1970; now if not given.
            content: its other fields.
        """
        with self._lock:
            number, self._next = self._next, self._next + 1
            text = json.dumps({"seq": number, "at": time.time() if at is None else at, "kind": kind, **content})
            self._notes.append((number, self.masked(text)))
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def restart(self) -> None:
        """Forget all notes; whoever follows begins again. Numbers go on, so that no later note is missed."""
        with self._lock:
            self.instance = secrets.token_hex(8)
            self._notes.clear()
        self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """End all following; call it on the event loop."""
        self._closed = True
        self._wake()

    def masked(self, text: str) -> str:
        """The text with all secrets masked."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    def _wake(self) -> None:
        for follower in self._followers:
            follower.set()

    def since(self, number: int) -> tuple[int, list[str]]:
        """The number of the last note, and all notes after `number`."""
        with self._lock:
            last = self._next - 1
            if number >= last:
                return last, []
            return last, [text for each, text in self._notes if each > number]

    async def follow(self, number: int, quiet_seconds: float = 15.0) -> AsyncIterator[tuple[int, list[str]]]:
        """All notes after `number`, until the feed ends or restarts; an empty list whenever nothing happens."""
        changed, instance = asyncio.Event(), self.instance
        self._followers.add(changed)
        try:
            while not self._closed and self.instance == instance:
                changed.clear()
                number, notes = self.since(number)
                if notes:
                    yield number, notes
                    continue
                try:
                    await asyncio.wait_for(changed.wait(), quiet_seconds)
                except TimeoutError:
                    yield number, []
        finally:
            self._followers.discard(changed)
