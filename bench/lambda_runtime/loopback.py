"""HTTP servers on loopback, a thread per connection, for the Runtime API and the stubs."""

import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
# How soon a server notices that it should end.
POLL_SECONDS = 0.02


class Handler(BaseHTTPRequestHandler):
    """One connection, kept open between requests.

    It reads and writes heads itself: the base's way, with a parser of e-mail, would take a third of a stub's latency.

    Attributes:
        arrived: when the request's first line had arrived, in seconds of the monotonic clock.
        fields: the request's headers, with lower-case names.
    """

    # An answer leaves as one piece and at once.
    wbufsize = -1
    disable_nagle_algorithm = True
    raw_requestline: bytes
    arrived: float
    fields: dict[str, str]

    def parse_request(self) -> bool:
        """Read a request's head."""
        self.arrived = time.monotonic()
        self.command, self.path, self.request_version = self.raw_requestline.decode("latin-1").split()
        self.fields = {}
        while line := self.rfile.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            self.fields[name.lower()] = value.strip()
        self.close_connection = self.fields.get("connection", "").lower() == "close"
        if self.fields.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()
        return True

    def content(self) -> bytes:
        """The request's body; a runtime client may send it in chunks."""
        if self.fields.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.fields.get("content-length", 0)))
        parts = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def answer(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        """Answer the request."""
        fields = {**headers, "Content-Length": str(len(content))}
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {fields[name]}" for name in fields)]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + content)


class Server(ThreadingHTTPServer):
    """A server on a free port of the loopback interface."""

    daemon_threads = True
    block_on_close = False
    # Ten callers connect at once: those for whom there is no room would wait for a second.
    request_queue_size = 128

    def __init__(self, handler: type[Handler], tls: ssl.SSLContext | None = None) -> None:
        super().__init__((HOST, 0), handler)
        self.address = f"{HOST}:{self.server_port}"
        self.url = f"{'https' if tls else 'http'}://{self.address}"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """A killed function leaves its connection without a word."""


@contextmanager
def serving(server: Server) -> Iterator[None]:
    """Let a server answer until the block ends."""
    thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
