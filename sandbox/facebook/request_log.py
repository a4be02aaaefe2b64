"""What the stand-in received."""

import threading
import time
from typing import Any, NamedTuple

Json = dict[str, Any]


class GraphCall(NamedTuple):
    """One call of the Graph API.

    Attributes:
        method: the HTTP method.
        path: the path, without the query.
        body: all parameters without secrets; `None` if they were not read.
        status: the answer's; 0 if a fault ended the call before Facebook took anything.
        answer: the answer's JSON.
        began: when it came, in seconds since 1970.
        seconds: how long the answer took.
        lost: a fault kept the answer from the caller.
    """

    method: str
    path: str
    body: Json | None
    status: int
    answer: Json
    began: float
    seconds: float
    lost: bool


class RequestLog:
    """All requests in order, and whether one is being answered. Safe to use from several threads."""

    def __init__(self) -> None:
        self._requests: list[Json] = []
        self._under_way = 0
        self._last_activity = time.monotonic()
        self._lock = threading.Lock()

    def begin(self) -> None:
        """A request came."""
        with self._lock:
            self._under_way += 1

    def end(self, call: GraphCall) -> None:
        """Its answer was sent."""
        request = {name: getattr(call, name) for name in ("method", "path", "status", "body")}
        with self._lock:
            self._under_way -= 1
            self._last_activity = time.monotonic()
            self._requests.append({"time": call.began, **request})

    def requests(self) -> list[Json]:
        """Each request with `time`, `method`, `path`, `status` and `body`."""
        with self._lock:
            return list(self._requests)

    def clear(self) -> None:
        """Forget the requests received so far."""
        with self._lock:
            self._requests.clear()

    def quiet_seconds(self) -> float:
        """How long ago the last request ended; 0 while one is being answered."""
        with self._lock:
            return 0.0 if self._under_way else time.monotonic() - self._last_activity
