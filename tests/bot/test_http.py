"""Kept connections, against a real server: what an error says about what the other side got."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from bot import http
from bot.http import Connection, NotSent, Pool, Unanswered
from tests.bot.servers import Served, serve

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def next_request(received: BinaryIO) -> tuple[bytes, bytes]:
    """Head and body of the next request, whose body is one byte; both are empty at the end."""
    head = b""
    while (line := received.readline()) not in {b"\r\n", b""}:
        head += line
    return head, received.read(1) if line else b""


class Server:
    """Answers each request with the next of some bytes; an answer followed by None ends its connection.

    Attributes:
        origin: where it listens.
        bodies: of the requests, each with the number of its connection.
        head: of the last request.
    """

    def __init__(self, listening: socket.socket, answers: list[bytes | None]) -> None:
        self.origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.bodies: list[tuple[int, bytes]] = []
        self.head = b""
        self.closed = threading.Event()
        self._listening, self._answers = listening, answers

    def run(self) -> None:
        number = 0
        with contextlib.suppress(OSError):
            while True:
                client, _address = self._listening.accept()
                number += 1
                with client, client.makefile("rb") as received:
                    while (request := next_request(received))[1]:
                        self.head, body = request
                        self.bodies.append((number, body))
                        client.sendall(self._answers.pop(0) or b"")
                        if self._answers[:1] == [None]:
                            self._answers.pop(0)
                            break
                self.closed.set()


@contextlib.contextmanager
def answering(*answers: bytes | None) -> Iterator[Server]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(listening, list(answers))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@pytest.mark.parametrize(
    ("written", "status", "body", "connections"),
    [
        ([OK], 200, b"ok", 1),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nT: 1\r\n\r\n"], 200, b"ok", 1),
        ([b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno"], 400, b"no", 1),
        ([b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok"], 200, b"ok", 2),
        ([b"HTTP/1.1 200 OK\r\n\r\nuntil the end", None], 200, b"until the end", 2),
    ],
    ids=["length", "chunks", "continue", "close", "without length"],
)
def test_an_answer_is_read_however_it_is_framed_and_its_connection_kept_if_possible(
    written: list[bytes | None], status: int, body: bytes, connections: int
) -> None:
    with answering(*written, OK) as server:
        connection = Connection(server.origin)
        first = connection.request("POST", "/", {}, b"1", 5.0)
        second = connection.request("POST", "/", {}, b"2", 5.0)
        connection.close()

    assert (first.status, first.body, second.body) == (status, body, b"ok")
    assert server.bodies == [(1, b"1"), (connections, b"2")]


def test_a_host_that_does_not_listen_got_nothing_and_the_error_quotes_nothing() -> None:
    with pytest.raises(NotSent, match="ConnectionRefusedError") as caught:
        Connection("http://127.0.0.1:1").request("POST", "/the-secret", {"x": "the-secret"}, b"the-secret", 1.0)
    assert "the-secret" not in repr(caught.value)


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"not HTTP\r\n\r\n",
        b"HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
    ],
)
def test_a_request_without_a_whole_answer_may_have_arrived(written: bytes) -> None:
    with answering(written, None) as server, pytest.raises(Unanswered):
        Connection(server.origin).request("POST", "/", {}, b"x", 5.0)


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_an_exchange_ends_with_its_time_even_if_the_answer_trickles(begin: bytes) -> None:
    released = threading.Event()

    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            client, _address = server.accept()
            with client, contextlib.suppress(OSError):
                client.sendall(begin)
                while not released.wait(0.02):
                    client.sendall(b".")

        thread = threading.Thread(target=trickle)
        thread.start()
        began = time.monotonic()
        with pytest.raises(Unanswered, match="TimeoutError"):
            Connection(f"http://127.0.0.1:{server.getsockname()[1]}").request("POST", "/", {}, b"x", 0.3)
        took = time.monotonic() - began
        released.set()
        thread.join()
    assert 0.3 <= took < 5


def test_a_request_that_is_never_read_ends_with_its_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(Unanswered, match="TimeoutError"):
        Connection(f"http://127.0.0.1:{server.getsockname()[1]}").request("POST", "/", {}, bytes(20_000_000), 0.3)


def test_addresses_that_do_not_answer_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        reached = server.getsockname()
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            with socket.create_connection(full.getsockname()):
                kind = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
                found = [(*kind, full.getsockname())] * 3
                monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
                began = time.monotonic()
                with pytest.raises(NotSent, match="TimeoutError"):
                    Connection("http://bot.test").request("POST", "/", {}, b"x", 0.6)
                assert 0.5 < time.monotonic() - began < 1.0
                found[2:] = [(*kind, reached)]
                with pytest.raises(Unanswered, match="TimeoutError"):
                    Connection("http://bot.test").request("POST", "/", {}, b"x", 0.6)


def test_a_connection_that_the_other_side_closed_is_replaced_before_it_is_used() -> None:
    with answering(OK, None, OK) as server:
        connection = Connection(server.origin)
        connection.request("POST", "/", {}, b"1", 1.0)
        assert server.closed.wait(5)
        assert connection.request("POST", "/", {}, b"2", 1.0).body == b"ok"
        connection.close()
    assert server.bodies == [(1, b"1"), (2, b"2")]


@pytest.mark.parametrize(("idle", "connections"), [(9.0, 1), (11.0, 2), (-1.0, 2)])
def test_a_connection_that_was_idle_for_long_by_the_clock_is_replaced(
    monkeypatch: pytest.MonkeyPatch, idle: float, connections: int
) -> None:
    """Lambda freezes a function between its runs: the monotonic clock and the socket notice nothing."""
    with answering(OK, OK) as server:
        connection = Connection(server.origin)
        connection.request("POST", "/", {}, b"1", 1.0)
        now = time.time() + idle
        monkeypatch.setattr(time, "time", lambda: now)
        connection.request("POST", "/", {}, b"2", 1.0)
        connection.close()
    assert server.bodies == [(1, b"1"), (connections, b"2")]


@pytest.mark.parametrize(
    "origin", ["graph.facebook.com", "ftp://host", "https://", "https://host:x", "https://host:70000"]
)
def test_an_invalid_address_is_refused_with_an_example(origin: str) -> None:
    with pytest.raises(ValueError, match="give one like https://"):
        Connection(origin)


def test_a_pool_serves_several_threads_at_once_and_keeps_their_connections() -> None:
    both = threading.Barrier(2, timeout=5)

    def answer(request: Served) -> tuple[int, bytes]:
        if request.path == "/together":
            both.wait()
        return 200, b""

    with serve(answer) as origin:
        pool = Pool(origin)
        threads = [threading.Thread(target=pool.request, args=("GET", "/together", {}, b"", 5.0)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert pool.request("GET", "/alone", {}, b"", 5.0).status == 200
        assert len(pool._idle) == 2
        for connection in pool._idle:
            connection.close()


@pytest.mark.parametrize(("path", "headers"), [("/a b", {}), ("/", {"x": "the-secret\r\ny: z"}), ("/", {"x": "€"})])
def test_a_line_that_a_header_would_break_is_not_sent(path: str, headers: dict[str, str]) -> None:
    with answering(OK) as server:
        connection = Connection(server.origin)
        with pytest.raises(ValueError, match="does not allow") as caught:
            connection.request("POST", path, headers, b"x", 1.0)
        assert connection.request("POST", "/", {}, b"2", 1.0).body == b"ok"
        connection.close()
    assert "the-secret" not in repr(caught.value)
    assert [body for _, body in server.bodies] == [b"2"]


def test_a_request_has_the_path_of_the_origin_before_its_own_and_a_header_that_is_given_once() -> None:
    with answering(OK) as server:
        connection = Connection(f"{server.origin}/graph/")
        connection.request("POST", "/v26.0/me?x=1", {"host": "sqs.example.org"}, b"x", 1.0)
        connection.close()
    request, *headers = server.head.decode().splitlines()
    assert request == "POST /graph/v26.0/me?x=1 HTTP/1.1"
    assert sorted(headers) == ["Accept-Encoding: identity", "Content-Length: 1", "host: sqs.example.org"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_secure_connection_trusts_only_known_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make.split(), *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(times: int) -> None:
            client, _address = server.accept()
            try:
                secured = context.wrap_socket(client, server_side=True)
            except OSError:
                return  # the other side does not trust this one
            with secured, secured.makefile("rb") as received:
                for _ in range(times):
                    next_request(received)
                    secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        def asked(host: str, times: int) -> list[bytes]:
            thread = threading.Thread(target=answer, args=(times,))
            thread.start()
            connection = Connection(f"https://{host}:{server.getsockname()[1]}")
            try:
                return [connection.request("POST", "/", {}, b"x", 5.0).body for _ in range(times)]
            finally:
                connection.close()
                thread.join()

        http._trust.cache_clear()
        with pytest.raises(NotSent, match="SSLCertVerificationError"):
            asked("localhost", 1)
        http._trust.cache_clear()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert asked("localhost", 2) == [b"ok", b"ok"]
        with pytest.raises(NotSent, match="SSLCertVerificationError"):
            asked("127.0.0.1", 1)
    http._trust.cache_clear()
