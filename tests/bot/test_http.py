"""Kept connections, against a real server: what an error tells about what the other side got."""

import socket
import threading
import time

import pytest

from bot.http import Connection, NotSent, Pool, Unanswered
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


@pytest.mark.parametrize("origin", ["graph.facebook.com", "ftp://host", "https://"])
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
