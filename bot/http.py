"""HTTP over kept connections, with errors that say whether a failed request may have arrived."""

import io
import select
import socket
import ssl
import time
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

# While a function is frozen, the other side may close an idle connection. After this long it may be dead.
IDLE_SECONDS = 10.0


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
        origin: scheme, host and port, such as `https://graph.facebook.com`; a path in it precedes each request's.
    """

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
            raise ValueError(f"{origin!r} is not an address to connect to: give one like https://example.org.")
        self._secure, self._prefix = parts.scheme == "https", parts.path.rstrip("/")
        if self._secure:
            self._http: HTTPConnection = HTTPSConnection(parts.hostname, port, context=_trust())
        else:
            self._http = HTTPConnection(parts.hostname, port)
        self._stream: _Stream | None = None
        self._used = 0.0

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes, timeout: float) -> Response:
        """Send one request and return the whole answer, whatever its status.

        Args:
            method: such as `POST`.
            path: from `/` on, with its query string.
            headers: sent as they are, beside Host and Content-Length.
            body: sent as it is.
            timeout: seconds for the whole exchange, connecting included; looking up the host has no limit.

        Raises:
            NotSent: nothing reached the other side.
            Unanswered: something was sent and no whole answer came.
            ValueError: path or headers hold a character that HTTP does not allow there; nothing was sent.
        """
        deadline = time.monotonic() + timeout
        try:
            stream = self._kept() or self._connected(deadline)
            stream.limit(deadline)
        except OSError as error:
            self.close()
            raise NotSent(_reason(error)) from None
        try:
            self._http.request(method, self._prefix + path, body or None, headers)
        except OSError as error:
            self.close()
            raise Unanswered(_reason(error)) from None
        except (HTTPException, ValueError):
            self.close()
            # The library's own sentence quotes what may be a secret.
            raise ValueError("The path or a header holds a character that HTTP does not allow: encode it.") from None
        try:
            response = self._http.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            answer = Response(response.status, headers, response.read())
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise Unanswered(_reason(error)) from None
        self._used = time.time()
        if self._http.sock is None:  # the answer said that the connection ends with it
            self.close()
        return answer

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._http.close()
        if self._stream is not None:
            self._stream.connection.close()
            self._stream = None

    def _kept(self) -> "_Stream | None":
        """The open connection, unless it was idle for long or the other side closed it (it is then readable)."""
        if self._stream is not None:
            idle = time.time() - self._used
            if not 0 <= idle <= IDLE_SECONDS or select.select([self._stream.connection], [], [], 0)[0]:
                self.close()
        return self._stream

    def _connected(self, deadline: float) -> "_Stream":
        connection = _connect(self._http.host, self._http.port, deadline)
        if self._secure:
            connection.settimeout(_left(deadline))
            connection = _trust().wrap_socket(connection, server_hostname=self._http.host)
        self._http.sock = self._stream = stream = _Stream(connection)
        return stream


class _Stream(io.RawIOBase):
    """A socket for `http.client`. All operations on it together end by one deadline."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection, self._deadline = connection, 0.0

    def limit(self, deadline: float) -> None:
        self._deadline = deadline
        self._limited()

    def sendall(self, content: bytes) -> None:
        while content:
            content = content[self._limited().send(content) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._limited().recv_into(buffer)

    def close(self) -> None:
        """Leave the socket to `Connection`: the library closes it before it reads an answer that ends with it."""

    def _limited(self) -> socket.socket:
        self.connection.settimeout(_left(self._deadline))
        return self.connection


def _connect(host: str, port: int, deadline: float) -> socket.socket:
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for number, (*kind, _, address) in enumerate(addresses, 1):
        connection = socket.socket(*kind)
        try:
            # An address that does not answer leaves time for those after it.
            connection.settimeout(_left(deadline) / (len(addresses) - number + 1))
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            connection.close()
            if number == len(addresses):
                raise
        else:
            return connection
    raise OSError


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that are trusted; reading them takes longer than opening a connection."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _reason(error: Exception) -> str:
    """Only the kind of failure: an exception's own text may hold what was sent."""
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
