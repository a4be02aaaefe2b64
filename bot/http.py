"""Kept HTTP connections, which tell whether a failed request may have arrived.

Start-up time decides here: `http.client` loads a parser of e-mail, and takes as long as all else that an
acknowledgement needs. What services answer to JSON is a small part of HTTP, and is read here: RFC 9112, HTTP/1.1.
"""

import select
import socket
import ssl
import time
from functools import cache
from typing import NamedTuple, Protocol

PORTS = {"http": 80, "https": 443}
HIGHEST_PORT = 65535
# A head longer than this is none: services send a hundredth of it.
HEAD_BYTES = 64 * 1024
CHUNK_BYTES = 64 * 1024
# RFC 9110: 1xx come before the answer; 204 and 304 have no body.
FIRST_FINAL_STATUS = 200
WITHOUT_BODY = frozenset({204, 304})


class NotSent(Exception):
    """The request never left: the other side cannot have acted on it, so it is safe to try again."""


class Unanswered(Exception):
    """The request was sent, in whole or in part, and no whole answer came: the other side may have acted on it."""


class Incomplete(Exception):
    """What came is not a whole answer of HTTP/1.1."""


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
        scheme, _, rest = origin.partition("://")
        self._authority, _, prefix = rest.partition("/")
        self._host, colon, port = self._authority.partition(":")
        numbered = port.isascii() and port.isdigit() and int(port) <= HIGHEST_PORT
        if scheme not in PORTS or not self._host or not (numbered or not colon):
            raise ValueError(f"{origin!r} is no address to connect to: give one like https://example.org.")
        self._secure, self._port = scheme == "https", int(port or PORTS[scheme])
        self._prefix = f"/{prefix}".rstrip("/")
        self._open: socket.socket | None = None

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes, timeout: float) -> Response:
        """Send one request and return the whole answer, whatever its status.

        Args:
            method: such as `POST`; not `HEAD`.
            path: with its query string, from `/` on.
            headers: sent as they are, beside Host and Content-Length.
            body: sent as it is.
            timeout: seconds for the whole exchange, connecting included.

        Raises:
            NotSent: nothing reached the other side.
            Unanswered: something was sent and no whole answer came.
            ValueError: method, path or headers hold what would end their line; nothing was sent.
        """
        head = self._head(method, path, headers, len(body))
        deadline = time.monotonic() + timeout
        try:
            connection = self._kept() or self._connected(timeout)
            _limit(connection, deadline)
        except OSError as error:
            self.close()
            raise NotSent(_reason(error)) from None
        try:
            connection.sendall(head + body)
            answer, ends = _answer(_Incoming(connection, deadline))
        except (OSError, Incomplete) as error:
            self.close()
            raise Unanswered(_reason(error)) from None
        if ends:
            self.close()
        return answer

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _head(self, method: str, path: str, headers: dict[str, str], length: int) -> bytes:
        target = self._prefix + path
        own = {"Host": self._authority, "Accept-Encoding": "identity"}
        if length or method != "GET":
            own["Content-Length"] = str(length)
        given = {name.lower() for name in headers}
        fields = {name: value for name, value in own.items() if name.lower() not in given} | headers
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        if " " in target or not all(line.isascii() and line.isprintable() for line in lines):
            raise ValueError("A request's path or headers hold a sign that HTTP does not allow there: encode it.")
        return "\r\n".join([*lines, "", ""]).encode()

    def _kept(self) -> socket.socket | None:
        """The open connection, unless the other side has closed it meanwhile (it is then readable: end of file)."""
        if self._open is not None and select.select([self._open], [], [], 0)[0]:
            self.close()
        return self._open

    def _connected(self, timeout: float) -> socket.socket:
        self._open = socket.create_connection((self._host, self._port), timeout)
        # A request is sent in one piece: nothing is gained by waiting for more.
        self._open.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._secure:
            self._open = _trust().wrap_socket(self._open, server_hostname=self._host)
        return self._open


@cache
def _trust() -> ssl.SSLContext:
    """The certificates that are trusted: to read them takes longer than to open a connection."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _limit(connection: socket.socket, deadline: float) -> None:
    """Let the next operation on the socket take only what is left until the deadline."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    connection.settimeout(left)


class _Incoming:
    """What comes over a connection until a deadline. Its methods raise `OSError` and `Incomplete`."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection, self._deadline = connection, deadline
        self.waiting = bytearray()

    def _more(self) -> bool:
        """Wait for more; False if the other side has ended."""
        _limit(self._connection, self._deadline)
        received = self._connection.recv(CHUNK_BYTES)
        self.waiting += received
        return bool(received)

    def until(self, end: bytes) -> bytes:
        """All before a mark, which is passed over."""
        while (at := self.waiting.find(end)) < 0:
            if len(self.waiting) > HEAD_BYTES or not self._more():
                raise Incomplete
        found = bytes(self.waiting[:at])
        del self.waiting[: at + len(end)]
        return found

    def exactly(self, size: int) -> bytes:
        """So many bytes."""
        while len(self.waiting) < size:
            if not self._more():
                raise Incomplete
        found = bytes(self.waiting[:size])
        del self.waiting[:size]
        return found

    def rest(self) -> bytes:
        """All until the other side ends."""
        while self._more():
            pass
        return bytes(self.waiting)


def _answer(incoming: _Incoming) -> tuple[Response, bool]:
    """The answer, and whether the connection ends with it."""
    status = 0
    while status < FIRST_FINAL_STATUS:
        first, *lines = incoming.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        if not version.startswith("HTTP/1.") or not (rest[:3].isascii() and rest[:3].isdigit()):
            raise Incomplete
        status = int(rest[:3])
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    ends = version != "HTTP/1.1" or "close" in headers.get("connection", "").lower()
    length = headers.get("content-length")
    if status in WITHOUT_BODY:
        body = b""
    elif "chunked" in headers.get("transfer-encoding", "").lower():
        body = b"".join(iter(lambda: _chunk(incoming), b""))
    elif length is None:
        body, ends = incoming.rest(), True
    else:
        body = incoming.exactly(_number(length, 10))
    # Bytes that nobody asked for would be taken for the next answer.
    return Response(status, headers, body), ends or bool(incoming.waiting)


def _chunk(incoming: _Incoming) -> bytes:
    """One chunk of a body, the last of which is empty."""
    size = _number(incoming.until(b"\r\n").partition(b";")[0].decode("latin-1").strip(), 16)
    if not size:
        while incoming.until(b"\r\n"):
            pass  # fields after the body
        return b""
    content = incoming.exactly(size)
    if incoming.exactly(2) != b"\r\n":
        raise Incomplete
    return content


def _number(text: str, base: int) -> int:
    if not text.isalnum():  # int() takes signs and blanks too
        raise Incomplete
    try:
        return int(text, base)
    except ValueError:
        raise Incomplete from None


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
