"""Serves an application on loopback, on an event loop that others share."""

import asyncio
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.aws.cloud import HOST
from sandbox.errors import SandboxError


class _Protocol(HttpToolsProtocol):
    """Hands the application its connection, so that it can close it without an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["transport"] = self.transport  # type: ignore[typeddict-unknown-key]  # a key of our own


class Server:
    """One application on one port.

    Args:
        app: the ASGI application.
        port: where to listen; 0 for a free port.
        purpose: what it is, for the message when the port is taken.

    Raises:
        SandboxError: the port is taken.
    """

    def __init__(self, app: Any, port: int, purpose: str) -> None:  # noqa: ANN401 - an ASGI application has no type here
        # Named TCP, or asyncio leaves Nagle's algorithm on, and each answer waits 40 ms for an acknowledgement.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
        except OSError:
            self._socket.close()
            raise SandboxError(f"Port {port}, meant for {purpose}, is taken: end what listens there.") from None
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=_Protocol,
                loop="none",
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    async def start(self) -> None:
        """Answer from now on; who comes before the server has started waits in the socket."""
        self._socket.listen(1024)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))

    async def stop(self) -> None:
        """Listen no more, and end what is under way."""
        self._server.should_exit = self._server.force_exit = True
        if self._task:
            await self._task
        self._socket.close()
