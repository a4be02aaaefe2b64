"""Kept HTTP connections of the standard library, which tell whether a failed request may have arrived.

Start-up time decides here: `http.client` is loaded in a tenth of the time that a larger client takes.
"""

import http.client
import select
import time
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit


class NotSent(Exception):
    """The request never left: the other side cannot have acted on it, so it is safe to try again."""


class Unanswered(Exception):
    """The request was sent, in whole or in part, and no whole answer came: the other side may have acted on it."""


class Response(NamedTuple):
    """An answer as received: the status, the headers with lower-case names, and the whole body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Requester(Protocol):
    """What the clients of this package need of a connection."""

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes, timeout: float) -> Response:
        """Send one request and return the whole answer; see `Connection.request`."""


class Connection:
    """One connection to one origin, opened when first needed and kept between requests.

    Args:
        origin: scheme, host and port, such as `https://graph.facebook.com`; a path in it is put before each request's.
    """

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{origin!r} is no address to connect to: give one like https://example.org.")
        self._secure = parts.scheme == "https"
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self._open: http.client.HTTPConnection | None = None

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes, timeout: float) -> Response:
        """Send one request and return the whole answer, whatever its status.

        Args:
            method: such as `POST`.
            path: with its query string, from `/` on.
            headers: sent as they are, beside Host and Content-Length.
            body: sent as it is.
            timeout: seconds for the whole exchange, connecting included.

        Raises:
            NotSent: nothing reached the other side.
            Unanswered: something was sent and no whole answer came.
        """
        deadline = time.monotonic() + timeout
        connection = self._kept()
        try:
            if connection is None:
                connection = self._connected(timeout)
            _limit(connection, deadline)
        except OSError as error:
            self.close()
            raise NotSent(_reason(error)) from None
        try:
            connection.request(method, self._prefix + path, body=body, headers=headers)
            _limit(connection, deadline)
            answer = connection.getresponse()
            whole, received = answer.length, bytearray()
            while (whole is None or len(received) < whole) and (chunk := answer.read1(1 << 16)):
                received += chunk
                _limit(connection, deadline)
            if whole is not None and len(received) < whole:
                raise http.client.IncompleteRead(b"", whole - len(received))
            answer.close()  # of the answer only: the connection can serve another
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(_reason(error)) from None
        if answer.will_close:
            self.close()
        return Response(answer.status, {name.lower(): value for name, value in answer.getheaders()}, bytes(received))

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _kept(self) -> http.client.HTTPConnection | None:
        """The open connection, unless the other side has closed it meanwhile (it is then readable: end of file)."""
        if self._open is not None and (self._open.sock is None or select.select([self._open.sock], [], [], 0)[0]):
            self.close()
        return self._open

    def _connected(self, timeout: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        self._open = kind(self._host, self._port, timeout=timeout)
        self._open.connect()
        return self._open


def _limit(connection: http.client.HTTPConnection, deadline: float) -> None:
    """Let the next operation on the socket take only what is left until the deadline."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    if connection.sock is not None:  # http.client lets go of a socket whose answer ends with the connection
        connection.sock.settimeout(left)


def _reason(error: Exception) -> str:
    """The kind of failure alone: an exception's own text could hold what was sent."""
    return type(error).__name__


class Pool:
    """Kept connections to one origin, one for each request under way: for callers on several threads.

    Args:
        origin: as `Connection` takes it.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._idle: list[Connection] = []

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes, timeout: float) -> Response:
        """Send one request over an idle connection, or over a new one; see `Connection.request`."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = Connection(self._origin)
        try:
            return connection.request(method, path, headers, body, timeout)
        finally:
            self._idle.append(connection)
