"""A real HTTP server for tests of clients: it answers as a function says, or breaks off."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Served(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class BreakOff(Exception):
    """Raised by an answering function to close the connection, with what was written until then."""

    def __init__(self, written: bytes = b"") -> None:
        super().__init__()
        self.written = written


@contextlib.contextmanager
def serve(answer: Callable[[Served], tuple[int, bytes]]) -> Iterator[str]:
    """Serve on a free port of this machine and give the origin."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            served = Served(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
            try:
                status, body = answer(served)
            except BreakOff as broken:
                self.wfile.write(broken.written)
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = respond

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
