"""The proxy at the tunnel's end: it passes `/webhook` on to the emulated AWS, and nothing else.

The emulated AWS does for anyone whatever they ask, and reads what they ask from paths, headers, queries and bodies. So
the proxy copies no request. It makes one of its own, which holds only what Facebook's webhooks have.
Source: Messenger Platform, "Webhooks", read on 2026-11-25.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.http import Connection, NotSent, Unanswered
from bot.http import Response as Answer
from bot.messenger.signature import verify
from sandbox.errors import SandboxError
from sandbox.facebook.webhooks import ANSWER_SECONDS, Posted
from sandbox.serving import Server

PORT = 4600
PATH = "/webhook"
SIGNATURE = "x-hub-signature-256"
HANDSHAKE = ("hub.mode", "hub.verify_token", "hub.challenge")
THREADS = 16  # its own, so that whatever else the sandbox waits for never keeps a webhook waiting
LARGEST_BODY = 10 * 1024 * 1024  # "Amazon API Gateway quotas": the payload of a REST API


class TunnelProxy(Server):
    """The proxy: ``start`` it on an event loop.

    Args:
        port: where it listens; 0 for a free port.
        webhook_url: gives the webhook's address in the emulated AWS, which an update can change.
        app_secret: signs the webhooks.

    Attributes:
        observe: takes each signed webhook, on the event loop, once it is answered.
    """

    def __init__(self, port: int, webhook_url: Callable[[], str], app_secret: str) -> None:
        super().__init__(self._serve, port, "the tunnel")
        self._webhook_url, self._app_secret = webhook_url, app_secret
        self._threads = ThreadPoolExecutor(THREADS, "sandbox-tunnel")
        self.observe: Callable[[Posted], None] | None = None

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._respond(Request(scope, receive))
        await answer(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        if request.scope["raw_path"] != PATH.encode():
            return Response(status_code=HTTPStatus.NOT_FOUND)
        match request.method:
            case "GET":
                query = urlencode(
                    {name: request.query_params[name] for name in HANDSHAKE if name in request.query_params}
                )
                return await self._passed_on("GET", f"?{query}", {}, b"")
            case "POST":
                return await self._posted(request)
        return Response(status_code=HTTPStatus.METHOD_NOT_ALLOWED)

    async def _posted(self, request: Request) -> Response:
        received, began = bytearray(), time.time()
        try:
            async for part in request.stream():
                received += part
                if len(received) > LARGEST_BODY:
                    return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except ClientDisconnect:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        body = bytes(received)
        signature = request.headers.get(SIGNATURE)
        headers = {"Content-Type": "application/json"} | ({SIGNATURE: signature} if signature else {})
        answer = await self._passed_on("POST", "", headers, body)
        if self.observe and verify(body, signature, [self._app_secret]):
            self.observe(Posted(body, str(signature), began, answer.status_code, time.time() - began))
        return answer

    async def _passed_on(self, method: str, query: str, headers: dict[str, str], body: bytes) -> Response:
        try:
            url, loop = self._webhook_url(), asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._threads, _call, url, method, query, headers, body)
        except (NotSent, Unanswered, ValueError, SandboxError):
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        return Response(answer.body, answer.status, media_type=answer.headers.get("content-type"))


def _call(url: str, method: str, query: str, headers: dict[str, str], body: bytes) -> Answer:
    connection = Connection(url)
    try:
        return connection.request(method, query, headers, body, ANSWER_SECONDS)
    finally:
        connection.close()
