"""Serves an application on loopback, on an event loop that others share."""

import asyncio
import socket
from functools import partial

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.aws.cloud import HOST
from sandbox.errors import SandboxError


class Server:
    """One application on one port. The scope of a request has ``hang_up``: it closes the connection without an answer.

    Args:
        app: the ASGI application.
        port: where to listen; 0 for a free port.
        purpose: what it is, for the message when the port is taken.

    Raises:
        SandboxError: the port is taken.
    """

    def __init__(self, app: ASGIApp, port: int, purpose: str) -> None:
        # With the protocol named, asyncio turns Nagle's algorithm off. Otherwise some answers wait 40 ms for an ACK.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
        except OSError:
            self._socket.close()
            raise SandboxError(f"Port {port}, meant for {purpose}, is taken: end what listens there.") from None
        self._app = app
        config = uvicorn.Config(
            self._answer,
            interface="asgi3",
            http=H11Protocol,
            loop="none",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._task: asyncio.Task[None] | None = None

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["hang_up"] = partial(self._hang_up, scope["client"])
        await self._app(scope, receive, send)

    def _hang_up(self, client: tuple[str, int]) -> None:
        for connection in self._server.server_state.connections:
            if isinstance(connection, H11Protocol) and connection.client == client:
                connection.transport.abort()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    async def start(self) -> None:
        """Answer from now on; a request that comes before the server is ready waits in the socket."""
        self._socket.listen(1024)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        """Stop listening, and end the requests under way."""
        self._server.should_exit = self._server.force_exit = True
        if self._task:
            await self._task
        self._socket.close()
