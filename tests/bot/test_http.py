"""Kept connections, against a real server: what an error tells about what the other side got."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from bot import http
from bot.http import Connection, NotSent, Pool, Response, Unanswered
from tests.bot.servers import BreakOff, Served, serve


def test_one_connection_serves_many_requests() -> None:
    ports = []

    def answer(request: Served) -> tuple[int, bytes]:
        ports.append(request.headers["Host"])
        return 201, request.body

    with serve(answer) as origin:
        connection = Connection(origin)
        answers = [connection.request("POST", "/", {}, text, 1.0) for text in (b"a", b"", b"c")]
        connection.close()

    assert [(each.status, each.body) for each in answers] == [(201, b"a"), (201, b""), (201, b"c")]


def test_a_path_in_the_origin_stands_before_each_request_s() -> None:
    with serve(lambda request: (200, request.path.encode())) as origin:
        connection = Connection(f"{origin}/graph/")
        assert connection.request("GET", "/v26.0/me?x=1", {}, b"", 1.0).body == b"/graph/v26.0/me?x=1"
        connection.close()


def test_who_does_not_listen_got_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(NotSent, match="ConnectionRefusedError"):
            Connection(f"http://127.0.0.1:{unused.getsockname()[1]}").request("POST", "/", {}, b"x", 1.0)


def test_a_connection_broken_after_the_request_may_have_delivered_it() -> None:
    def answer(_request: Served) -> tuple[int, bytes]:
        raise BreakOff

    with serve(answer) as origin, pytest.raises(Unanswered):
        Connection(origin).request("POST", "/", {}, b"x", 1.0)


def test_half_an_answer_is_none() -> None:
    def answer(_request: Served) -> tuple[int, bytes]:
        raise BreakOff(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    with serve(answer) as origin, pytest.raises(Unanswered):
        Connection(origin).request("POST", "/", {}, b"x", 1.0)


def test_a_slow_answer_ends_with_the_time_out_even_if_it_trickles() -> None:
    released = threading.Event()

    with socket.create_server(("127.0.0.1", 0)) as server:

        def trickle() -> None:
            client, _address = server.accept()
            with client:
                client.recv(1000)
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not released.wait(0.02):
                    client.sendall(b".")

        thread = threading.Thread(target=trickle)
        thread.start()
        began = time.monotonic()
        with pytest.raises(Unanswered):
            Connection(f"http://127.0.0.1:{server.getsockname()[1]}").request("POST", "/", {}, b"x", 0.3)
        took = time.monotonic() - began
        released.set()
        thread.join()
    assert 0.3 <= took < 5


def test_a_connection_that_the_other_side_closed_meanwhile_is_replaced_before_it_is_used() -> None:
    served = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = threading.Event()

        def once_each() -> None:
            for _ in range(2):
                client, _address = server.accept()
                served.append(client.recv(1000))
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                client.close()
                closed.set()

        thread = threading.Thread(target=once_each)
        thread.start()
        connection = Connection(f"http://127.0.0.1:{server.getsockname()[1]}")
        assert connection.request("POST", "/1", {}, b"", 1.0).body == b"ok"
        closed.wait(5)
        assert connection.request("POST", "/2", {}, b"", 1.0).body == b"ok"
        connection.close()
        thread.join()
    assert [each.split()[1] for each in served] == [b"/1", b"/2"]


def test_an_error_says_nothing_of_what_was_sent() -> None:
    with pytest.raises(NotSent) as caught:
        Connection("http://127.0.0.1:1").request("POST", "/the-secret", {"x": "the-secret"}, b"the-secret", 1.0)
    assert "the-secret" not in repr(caught.value)


@pytest.mark.parametrize(
    "origin", ["graph.facebook.com", "ftp://host", "https://", "https://host:x", "https://host:70000"]
)
def test_what_is_no_address_is_refused_with_an_example(origin: str) -> None:
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


def answered(written: bytes) -> tuple[Response, list[bytes], int]:
    """The answer that a server writes to the first request, what it got in all, and over how many connections."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def twice() -> None:
            for count in (1, 2):
                client, _address = server.accept()
                with client:
                    got.append(client.recv(1000))
                    client.sendall(written)
                    if b"content-length" not in written.lower() and b"chunked" not in written:
                        continue  # such an answer ends with its connection
                    if count == 2 or not (more := client.recv(1000)):
                        continue
                    got.append(more)
                    client.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                    return

        thread = threading.Thread(target=twice)
        thread.start()
        connection = Connection(f"http://127.0.0.1:{server.getsockname()[1]}")
        try:
            first = connection.request("POST", "/", {}, b"x", 5.0)
            before = connection._open
            connection.request("POST", "/", {}, b"y", 5.0)
            return first, got, 1 if before is not None and connection._open is before else 2
        finally:
            connection.close()
            thread.join()


@pytest.mark.parametrize(
    ("written", "status", "body", "connections"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
         200, b"ok0123456789", 1),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno", 400, b"no", 1),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok", 2),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, b"until the end", 2),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", 200, b"ok", 2),
    ],
    ids=["length", "chunks", "continue", "close", "old", "without length", "more than was asked for"],
)  # fmt: skip
def test_an_answer_is_read_however_it_is_framed(written: bytes, status: int, body: bytes, connections: int) -> None:
    answer, got, used = answered(written)
    assert (answer.status, answer.body, used) == (status, body, connections)
    assert [each.split(b"\r\n\r\n")[1] for each in got] == [b"x", b"y"]


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"no HTTP\r\n\r\n",
        b"HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
    ],
)
def test_what_is_no_whole_answer_is_none(written: bytes) -> None:
    def answer(_request: Served) -> tuple[int, bytes]:
        raise BreakOff(written)

    with serve(answer) as origin, pytest.raises(Unanswered, match=r"Incomplete|ConnectionResetError"):
        Connection(origin).request("POST", "/", {}, b"x", 5.0)


@pytest.mark.parametrize(("path", "headers"), [("/a b", {}), ("/", {"x": "the-secret\r\ny: z"}), ("/", {"x": "ä"})])
def test_what_would_end_its_line_is_not_sent(path: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="does not allow") as caught:
        Connection("http://127.0.0.1:1").request("POST", path, headers, b"", 1.0)
    assert "the-secret" not in repr(caught.value)


def test_a_header_that_is_given_is_sent_once() -> None:
    seen = []

    def answer(request: Served) -> tuple[int, bytes]:
        seen.append(request.headers)
        return 200, b""

    with serve(answer) as origin:
        connection = Connection(origin)
        connection.request("POST", "/", {"host": "sqs.example.org"}, b"", 1.0)
        connection.close()
    assert seen == [{"Accept-Encoding": "identity", "Content-Length": "0", "host": "sqs.example.org"}]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_secure_connection_trusts_only_whom_it_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer(times: int) -> None:
            client, _address = server.accept()
            try:
                secured = context.wrap_socket(client, server_side=True)
            except OSError:
                return  # the other side does not trust this one
            with secured:
                for _ in range(times):
                    secured.recv(1000)
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
