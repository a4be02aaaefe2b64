"""The events that this instance of the function has answered, kept in memory."""

from collections import deque

# Enough for the echoes that are still to come.
KEPT = 1000


class RecentlyAnswered:
    """Events whose answers were all sent, so that their echoes say nothing new. For others, the ledger is asked."""

    def __init__(self) -> None:
        self._events: deque[str] = deque(maxlen=KEPT)

    def add(self, event: str) -> None:
        """Remember an event, by the fingerprint in its key."""
        self._events.append(event)

    def knows(self, metadata: str) -> bool:
        """Whether an echo with this metadata, an event's fingerprint and an answer's number, says nothing new."""
        return metadata.partition(":")[0] in self._events
