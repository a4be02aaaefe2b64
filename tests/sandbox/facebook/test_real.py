"""The way to the real Graph API: the bot gets what Facebook answers."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.messenger.client import GraphApi
from bot.messenger.errors import Ambiguous, Rejected, SendError, Transient
from sandbox.background import Background
from sandbox.facebook.real import RealGraph
from sandbox.facebook.request_log import GraphCall
from sandbox.serving import Server
from tests.bot.servers import BreakOff, Served, serve
from tests.sandbox.conftest import APP, PAGE, SECRET, TOKEN

Json = dict[str, Any]
MESSAGE: Json = {"recipient": {"id": "7"}, "messaging_type": "RESPONSE", "message": {"text": "Hello"}}


@contextmanager
def relayed(background: Background, url: str) -> Iterator[tuple[GraphApi, RealGraph, list[GraphCall]]]:
    """The bot's client, the way to the real Graph API between, and what the chat page is shown."""
    graph, shown = RealGraph(url, PAGE, APP, TOKEN, SECRET), list[GraphCall]()
    graph.observe = shown.append
    server = Server(graph.app, 0, "a test")
    background.run(server.start())
    try:
        yield GraphApi(server.url, "v26.0", PAGE, TOKEN, SECRET), graph, shown
    finally:
        background.run(server.stop())


def error(status: int, code: int, message: str) -> Callable[[Served], tuple[int, bytes]]:
    body = {"error": {"message": message, "code": code, "fbtrace_id": "A1"}}
    return lambda _: (status, json.dumps(body).encode())


def break_off(_: Served) -> tuple[int, bytes]:
    raise BreakOff


def test_a_call_arrives_as_the_bot_made_it_and_is_shown_without_its_secrets(background: Background) -> None:
    received: list[Served] = []

    def answer(request: Served) -> tuple[int, bytes]:
        received.append(request)
        return 200, b'{"recipient_id": "7", "message_id": "m_1"}'

    with serve(answer) as url, relayed(background, url) as (api, graph, shown):
        assert api.send(MESSAGE) == "m_1"

    (request,) = received
    assert request.path.startswith(f"/v26.0/{PAGE}/messages?appsecret_proof=")
    assert (json.loads(request.body), request.headers["authorization"]) == (MESSAGE, f"Bearer {TOKEN}")
    assert [(each.status, each.answer["message_id"], each.lost) for each in shown] == [(200, "m_1", False)]
    assert TOKEN not in json.dumps(graph.requests())
    assert "appsecret_proof" not in json.dumps(graph.requests())


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (error(400, 100, "(#100) Param message is not valid."), Rejected, 400),
        (error(200, 2, "Service temporarily unavailable"), Transient, 200),
        (lambda _: (502, b"<html>Bad gateway</html>"), Transient, 502),
        (lambda _: (200, b"<html>Hello</html>"), Ambiguous, 0),
        (break_off, Ambiguous, 0),
    ],
)
def test_the_bot_reads_an_error_as_if_nothing_were_between(
    background: Background, answer: Callable[[Served], tuple[int, bytes]], kind: type[SendError], status: int
) -> None:
    with serve(answer) as url, relayed(background, url) as (api, _, shown), pytest.raises(kind):
        api.send(MESSAGE)

    assert [each.status for each in shown] == [status]


def test_a_call_that_could_not_be_sent_can_be_repeated(background: Background) -> None:
    with relayed(background, "http://127.0.0.1:9") as (api, _, _), pytest.raises(Transient):
        api.send(MESSAGE)


def test_a_fault_keeps_a_call_from_facebook(background: Background) -> None:
    received: list[Served] = []

    def answer(request: Served) -> tuple[int, bytes]:
        received.append(request)
        return 200, b'{"message_id": "m_1"}'

    with serve(answer) as url, relayed(background, url) as (api, graph, _):
        graph.set_faults({"dropBefore": True})
        with pytest.raises(Ambiguous):
            api.send(MESSAGE)

    assert received == []
