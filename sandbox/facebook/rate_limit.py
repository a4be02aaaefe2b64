"""Rate limits of the Graph API."""

import time
from collections import deque

from sandbox.facebook.errors import GraphError


class RateLimit:
    """Allows a number of calls in a sliding period.

    Args:
        calls: how many.
        seconds: the period.
    """

    def __init__(self, calls: int, seconds: float) -> None:
        self._calls, self._seconds = calls, seconds
        self._times: deque[float] = deque()

    def count(self) -> None:
        """Count one call.

        Raises:
            GraphError: it is one too many.
        """
        now = time.monotonic()
        while self._times and self._times[0] <= now - self._seconds:
            self._times.popleft()
        if len(self._times) >= self._calls:
            raise GraphError(400, 613, "(#613) Calls to this api have exceeded the rate limit.", transient=True)
        self._times.append(now)
