"""The way from the bot to the real Graph API: each call is passed on as it is, and noted for the chat page."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from starlette.requests import Request

from bot.http import NotSent, Pool, Unanswered
from sandbox.facebook.errors import GraphError
from sandbox.facebook.graph import Graph

ANSWER_SECONDS = 30.0  # longer than the bot waits, so that it is the bot who gives up
THREADS = 32  # its own: a slow Facebook must not keep anything else waiting
PASSED_ON = ("authorization", "content-type", "accept")

Json = dict[str, Any]


class RealGraph(Graph):
    """Stands where the stand-in would, and lets the real Graph API answer.

    Faults work as they do in the stand-in, except those of echoes: these come from Facebook itself.

    Args:
        url: of the real Graph API.
        page_id: the page's id.
        app_id: the app's id.
        page_token: the page's access token.
        app_secret: the app's secret.
    """

    def __init__(self, url: str, page_id: str, app_id: str, page_token: str, app_secret: str) -> None:
        super().__init__(page_id, app_id, page_token, app_secret)
        self._pool, self._threads = Pool(url), ThreadPoolExecutor(THREADS, "sandbox-graph")

    async def _answer(self, request: Request, parameters: Json) -> Json:  # noqa: ARG002 - passed on as they came
        body = await request.body()
        target = request.scope["raw_path"].decode()
        if query := request.scope["query_string"].decode():
            target += f"?{query}"
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        try:
            answer = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._pool.request, request.method, target, headers, body, ANSWER_SECONDS
            )
        except NotSent:
            raise GraphError(HTTPStatus.SERVICE_UNAVAILABLE, 2, "Facebook cannot be reached.", transient=True) from None
        return _read(answer.status, answer.body)

    def _send_echo(self, parameters: Json, answer: Json, delay: float) -> None:
        """Nothing: Facebook sends it."""


def _read(status: int, body: bytes) -> Json:
    """The JSON object of an answer.

    Raises:
        GraphError: it is an error.
        Unanswered: it says neither.
    """
    try:
        content = json.loads(body)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unanswered
        content = {}
    if status != HTTPStatus.OK:
        raise GraphError.of_answer(status, content)
    return content
