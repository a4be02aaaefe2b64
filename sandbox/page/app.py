"""The chat page's server: its files, one stream of what happens, and the few things that one can ask and do.

It answers on loopback only, to its own name only, and takes nothing from another site's page: whoever can reach it
could else use a person's browser to do so (DNS rebinding, cross-site requests).
"""

import asyncio
import json
import mimetypes
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox import assets as pictures
from sandbox.errors import SandboxError
from sandbox.page.journal import Journal
from sandbox.page.memory import UNREADABLE

STATIC = Path(__file__).with_name("static")
LARGEST_MEDIUM = 25 * 1024 * 1024  # Messenger Platform, "Attachments"
LARGEST_ACT = 256 * 1024
MOST_MEDIA = 50
SHOWN_MEDIA = ("image/", "audio/", "video/", "application/pdf", "text/plain")

Json = dict[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Model(Protocol):
    """What the server needs of the page."""

    journal: Journal

    def described(self) -> Json:
        """What a page is told first."""

    async def act(self, person: str, act: Json) -> Json:
        """Somebody did something."""

    async def seen(self, person: str, mids: list[str], read: bool) -> None:
        """Messages arrived at somebody's, or were read."""

    async def add_person(self, name: str) -> Json:
        """Somebody new."""

    async def switch(self, names: list[str]) -> None:
        """Break exactly this."""

    async def memory(self, person: str) -> Json:
        """What AWS holds of somebody, and in the queues."""

    async def record(self, key: str) -> Json | None:
        """The ledger's record of an event."""

    async def picture(self) -> Json:
        """The stack's picture."""


class Guard:
    """Refuses requests under another name, or by another site's page, and adds the headers that keep the page safe.

    Args:
        app: what is guarded.
        hosts: gives the names, with port, that it answers to.
    """

    def __init__(self, app: Application, hosts: Callable[[], frozenset[str]]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if refusal := self._refusal(scope["method"], scope["path"], headers):
            await JSONResponse({"error": refusal}, 403)(scope, receive, send)
            return

        async def guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                added = {
                    b"content-security-policy": policy(b"media=web" in scope["query_string"]).encode(),
                    b"x-content-type-options": b"nosniff",
                    b"referrer-policy": b"no-referrer",
                    b"cross-origin-resource-policy": b"same-origin",
                    b"cross-origin-opener-policy": b"same-origin",
                    b"cache-control": b"no-store",
                }
                kept = [(name, value) for name, value in added.items() if name not in own]
                message["headers"] = [*message["headers"], *kept]
            await send(message)

        await self._app(scope, receive, guarded)

    def _refusal(self, method: str, path: str, headers: dict[str, str]) -> str:
        if headers.get("host", "") not in self._hosts():
            return "This server answers to its own address only."
        origin = headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in self._hosts()}:
            return "This server takes nothing from another site's page."
        site = headers.get("sec-fetch-site", "none")
        if site not in ("none", "same-origin") and (method != "GET" or path.startswith(("/api/", "/media/"))):
            return "This server takes nothing from another site's page."
        return ""


def policy(web_media: bool) -> str:
    """The page's content security policy: its own files only, and pictures of the web only if asked for."""
    media = "'self' blob: data:" + (" https: http:" if web_media else "")
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
        f"img-src {media}; media-src {media}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class Site:
    """The routes.

    Args:
        model: what they ask.

    Attributes:
        url: where it answers; known once it listens.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._media: dict[str, tuple[str, str, bytes]] = {}
        self.url = ""
        routes = [
            Route("/", self._index),
            Route("/static/{name}", self._static),
            Route("/api/stream", self._stream),
            Route("/api/act", self._told(self._act), methods=["POST"]),
            Route("/api/seen", self._told(self._seen), methods=["POST"]),
            Route("/api/people", self._told(self._people), methods=["POST"]),
            Route("/api/switches", self._told(self._switches), methods=["POST"]),
            Route("/api/media", self._upload, methods=["POST"]),
            Route("/media/{name}", self._medium),
            pictures.ROUTE,
            Route("/api/memory", self._memory),
            Route("/api/record", self._record),
            Route("/api/stack", self._stack),
        ]
        self.app = Guard(Starlette(routes=routes), self._hosts)

    def _hosts(self) -> frozenset[str]:
        port = self.url.rpartition(":")[2]
        return frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})

    # Its files

    async def _index(self, _: Request) -> Response:
        return FileResponse(STATIC / "index.html", media_type="text/html")

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        known = {path.name for path in STATIC.iterdir()}
        if name not in known:
            return Response(status_code=404)
        return FileResponse(STATIC / name, media_type=mimetypes.guess_type(name)[0] or "application/octet-stream")

    # The stream

    async def _stream(self, request: Request) -> Response:
        instance, _, number = request.query_params.get("after", "").partition(".")
        after = int(number) if instance == self._model.journal.instance and number.isdigit() else 0
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(self._events(after), media_type="text/event-stream", headers=headers)

    async def _events(self, after: int) -> AsyncIterator[str]:
        journal = self._model.journal
        hello = journal.masked(json.dumps({"instance": journal.instance, **self._model.described()}))
        yield f"retry: 500\nevent: hello\ndata: {hello}\n\n"
        async for number, notes in journal.follow(after):
            if notes:
                yield f"id: {journal.instance}.{number}\nevent: notes\ndata: [{','.join(notes)}]\n\n"
            else:
                yield ": still here\n\n"

    # What one can do

    def _told(self, handler: Callable[[Json], Awaitable[object]]) -> Callable[[Request], Awaitable[Response]]:
        """Take a JSON object, and answer what is wrong with it as a sentence."""

        async def serve(request: Request) -> Response:
            try:
                return JSONResponse(await handler(await _body(request)) or {})
            except SandboxError as error:
                return JSONResponse({"error": str(error)}, 400)

        return serve

    async def _act(self, body: Json) -> Json:
        return await self._model.act(str(body.get("person", "")), body)

    async def _seen(self, body: Json) -> None:
        mids = [mid for mid in body.get("mids", []) if isinstance(mid, str)]
        await self._model.seen(str(body.get("person", "")), mids, body.get("read") is True)

    async def _people(self, body: Json) -> Json:
        return await self._model.add_person(str(body.get("name", "")))

    async def _switches(self, body: Json) -> None:
        await self._model.switch([str(name) for name in body.get("on", [])])

    # What one can send

    async def _upload(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0]
        if "x-sandbox" not in request.headers:  # a header that another site's page cannot set without asking
            return JSONResponse({"error": "The header X-Sandbox is missing."}, 400)
        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > LARGEST_MEDIUM:
                return JSONResponse({"error": "A file may have 25 MB: choose a smaller one."}, 413)
        name = secrets.token_hex(8)
        self._media[name] = (kind, request.query_params.get("name", "")[:200], bytes(content))
        while len(self._media) > MOST_MEDIA:
            self._media.pop(next(iter(self._media)))
        return JSONResponse({"url": f"{self.url}/media/{name}"})

    async def _medium(self, request: Request) -> Response:
        kind, _, content = self._media.get(request.path_params["name"], ("", "", b""))
        if not kind:
            return Response(status_code=404)
        shown = kind if kind.startswith(SHOWN_MEDIA) else "application/octet-stream"
        # A picture can be a script too (SVG): whoever opens it by itself gets it without rights.
        return Response(content, media_type=shown, headers={"content-security-policy": "default-src 'none'; sandbox"})

    # What one can ask

    async def _memory(self, request: Request) -> Response:
        return await self._shown(self._model.memory(request.query_params.get("person", "")))

    async def _record(self, request: Request) -> Response:
        return await self._shown(self._model.record(request.query_params.get("key", "")))

    async def _stack(self, _: Request) -> Response:
        return await self._shown(self._model.picture())

    async def _shown(self, reading: Awaitable[object]) -> Response:
        try:
            text = json.dumps(await reading, default=str)
        except SandboxError as error:
            return JSONResponse({"error": str(error)}, 400)
        except UNREADABLE:
            return JSONResponse({"error": "The stack cannot be read just now: it is being changed, or deleted."}, 503)
        return Response(self._model.journal.masked(text), media_type="application/json")


async def _body(request: Request) -> Json:
    """The JSON object that a request brings; SandboxError if it brings something else."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise SandboxError("The content type must be application/json.")
    if int(request.headers.get("content-length", "0")) > LARGEST_ACT:
        raise SandboxError(f"A request may have {LARGEST_ACT} bytes: send less.")
    try:
        body = await request.json()
    except ValueError:
        raise SandboxError("The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise SandboxError("The body must be a JSON object.")
    return body


async def cancelled(task: asyncio.Task[None] | None) -> None:
    """Cancel a task, and wait for its end."""
    if task:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
