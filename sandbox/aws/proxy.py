"""A proxy between the functions and the emulated AWS, so that AWS can be slow, refuse, or lose an answer on demand.

It passes on every byte as it is (the Host header too, so that signatures stay valid), over connections that it keeps
open. It reads only as much of a request as it needs to know which call it is.
"""

import asyncio
import http.client
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sandbox.aws.cloud import HOST
from sandbox.errors import Refused, SandboxError
from sandbox.facebook import lex
from sandbox.faults import Fault, Faults, fault

EFFECTS: Mapping[str, type | tuple[type, ...]] = {
    "status": int,
    "code": str,
    "message": str,
    "delaySeconds": (int, float),
    "after": bool,
}
LONGEST_HEAD = 64 * 1024
LEX = b"POST /bots/"  # how a request to Lex begins; the emulated AWS has no Lex

NO_FAULT = Fault({})

Message = tuple[bytes, dict[bytes, bytes], bytes]
"""An HTTP message: its head, its headers with names in lower case, and its raw body."""

_HEADER = re.compile(rb"\r\n([^:\r\n]+):[ \t]*([^\r\n]*)")
_SCOPE = re.compile(rb"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")


class Closed(Exception):
    """The other side has closed the connection."""


async def read_message(reader: asyncio.StreamReader) -> Message:
    """Read one HTTP/1.1 message.

    Raises:
        Closed: the connection was closed.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        headers = {name.lower(): value for name, value in _HEADER.findall(head)}
        if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
            return head, headers, await _read_chunks(reader)
        return head, headers, await reader.readexactly(int(headers.get(b"content-length", b"0")))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError) as error:
        raise Closed from error


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    raw = bytearray()
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        raw += line + await reader.readexactly(size + 2)
        if size == 0:
            return bytes(raw)


def call_of(head: bytes, headers: Mapping[bytes, bytes], body: bytes) -> str:
    """The AWS call of a request: ``service:Action``, or ``service:METHOD`` for services without action names."""
    scope = _SCOPE.search(headers.get(b"authorization", b""))
    service = scope.group(1).decode() if scope else ""
    if target := headers.get(b"x-amz-target"):
        return f"{service}:{target.decode().rpartition('.')[2]}"
    if query := re.search(rb"(?:^|&)Action=(\w+)", body):
        return f"{service}:{query.group(1).decode()}"
    return f"{service}:{head.split(b' ', 1)[0].decode()}"


def refusal(status: int, code: str, message: str) -> bytes:
    """An error answer, in the form of the AWS services that speak JSON."""
    body = json.dumps({"__type": code, "message": message}).encode()
    phrase = http.client.responses.get(status, "Error")
    return (
        f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/x-amz-json-1.0\r\nx-amzn-errortype: {code}\r\n"
        f"x-amzn-query-error: {code};{'Sender' if status < http.client.INTERNAL_SERVER_ERROR else 'Receiver'}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    ).encode() + body


def lex_answer(head: bytes, body: bytes) -> bytes:
    """The HTTP answer of the stand-in for Lex."""
    try:
        content = json.dumps(lex.recognize(head.split(b" ", 2)[1].decode(), body)).encode()
    except Refused as refused:
        return refusal(http.client.BAD_REQUEST, refused.code, str(refused))
    return (
        f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n".encode()
        + content
    )


class Called(NamedTuple):
    """One AWS call of a function.

    Attributes:
        name: as `service:Action`.
        request: its body.
        status: the answer's.
        answer: the answer's body.
        began: when, in seconds since 1970.
        seconds: how long it took.
        connection: identifies the connection, and so the instance of the function.
        lost: AWS carried it out, and the answer was lost on purpose.
    """

    name: str
    request: bytes
    status: int
    answer: bytes
    began: float
    seconds: float
    connection: int
    lost: bool


class Proxy:
    """The proxy: ``start`` it on an event loop, then set ``upstream_port`` to the cloud's."""

    def __init__(self) -> None:
        self.upstream_port = 0
        self.url = ""
        self._faults = Faults()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.before: Callable[[str, bytes], None] = lambda *_: None
        """Takes each call's name and body, before AWS does."""
        self.observe: Callable[[Called], None] | None = None
        """Takes each call, once it is answered."""

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        self._server = await asyncio.start_server(self._accept, HOST, 0, limit=LONGEST_HEAD)
        self.url = f"http://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Stop listening, and end the calls under way."""
        if self._server:
            self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def set_faults(self, described: object) -> None:
        """Set the faults from now on.

        Args:
            described: ``{"sqs:SendMessageBatch": {…}, "dynamodb:*": {…}}``: for each call an object, or a list of
                objects.

        Raises:
            SandboxError: it is something else.
        """
        if not isinstance(described, Mapping):
            raise SandboxError('AWS faults are a JSON object by call, such as {"sqs:*": {"status": 503}}.')
        faults: list[tuple[str, Fault]] = []
        for call, each in described.items():
            faults += [(str(call), fault(one, EFFECTS)) for one in (each if isinstance(each, list) else [each])]
        self._faults.set(faults)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream = Upstream(self.upstream_port)
        try:
            while answer := await self._answer(await read_message(reader), upstream, id(writer)):
                writer.write(answer)
                await writer.drain()
        except (Closed, ConnectionError, asyncio.CancelledError):
            pass  # it is cancelled only when the sandbox ends
        finally:
            writer.close()
            upstream.close()

    async def _answer(self, request: Message, upstream: "Upstream", connection: int) -> bytes:
        """The answer to one call; empty if it is lost."""
        head, headers, body = request
        name, began = call_of(head, headers, body), time.time()
        self.before(name, body)
        met = self._faults.meet(name) or NO_FAULT
        await asyncio.sleep(met.get("delaySeconds", 0))
        lost, refused = bool(met.get("after")), b""
        if status := met.get("status"):
            refused = refusal(status, met.get("code", "ServiceUnavailable"), met.get("message", "A fault was set."))
        answer = refused
        if lost or not refused:
            carried_out = await upstream.call(head, body)
            answer = refused or carried_out
        if self.observe:
            status, content = _parted(answer)
            self.observe(Called(name, body, status, content, began, time.time() - began, connection, lost))
        return b"" if lost and not refused else answer


class Upstream:
    """The emulated AWS, over one connection that is kept open; and the stand-in for Lex.

    Args:
        port: the emulated AWS's.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, head: bytes, body: bytes) -> bytes:
        """Pass a request on, and return the answer."""
        if head.startswith(LEX):
            return lex_answer(head, body)
        if self._streams is None or self._streams[1].is_closing() or self._streams[0].at_eof():
            self._streams = await asyncio.open_connection(HOST, self._port, limit=LONGEST_HEAD)
        reader, writer = self._streams
        writer.write(head + body)
        answered, _, content = await read_message(reader)
        return answered + content

    def close(self) -> None:
        """Close the connection."""
        if self._streams:
            self._streams[1].close()


def _parted(answer: bytes) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), content
