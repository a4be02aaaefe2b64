"""The chat page's server: its files, one stream of what happens, and the few things that a browser can ask and do.

It answers on loopback only, and only under its own name, and it accepts nothing from another site: otherwise any site
that a person visits could control the sandbox through their browser (DNS rebinding, cross-site requests).
"""

import asyncio
import json
import mimetypes
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sandbox import assets
from sandbox.errors import SandboxError
from sandbox.page.aws_reader import UNREADABLE
from sandbox.page.feed import Feed

STATIC = Path(__file__).with_name("static")
LARGEST_MEDIUM = 25 * 1024 * 1024  # Messenger Platform, "Attachments"
LARGEST_BODY = 256 * 1024
MOST_MEDIA = 50
OWN_MEDIA = "'self' blob: data:"
WEB_MEDIA = f"{OWN_MEDIA} https: http:"  # where the page is opened with ?media=web
GONE = "The stack cannot be read just now: it is being changed, or was deleted."
SHOWN_MEDIA = ("image/", "audio/", "video/", "application/pdf", "text/plain")

Json = dict[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Model(Protocol):
    """What the server needs of the chat page."""

    feed: Feed

    def described(self) -> Json:
        """What a browser is sent first."""

    async def act(self, person: str, action: Json) -> Json:
        """A person did something."""

    async def received(self, person: str, mids: list[str]) -> None:
        """Messages arrived at a person's."""

    async def read(self, person: str) -> None:
        """A person has read everything so far."""

    async def add_person(self, name: str) -> Json:
        """Add a person."""

    async def set_faults(self, names: list[str]) -> None:
        """Switch exactly these faults on."""

    async def replay(self, key: str) -> Json:
        """Deliver an event once more, as another event."""

    async def notify(self, person: str, topic: str, data: Mapping[str, str]) -> Json:
        """Send the bot a notice about a person."""

    async def answer_as_human(self, person: str, text: str) -> None:
        """Answer a person from the page's inbox."""

    async def reply(self, person: str, text: str) -> None:
        """Answer a person as `ops reply` does."""

    async def day_later(self, person: str) -> None:
        """Let a day pass for one person."""

    async def forget(self, person: str) -> Json:
        """Delete what is kept about a person."""

    async def redrive(self, letter: str) -> None:
        """Send a dead letter's events back to the queue."""

    async def drop(self, letter: str) -> None:
        """Delete a dead letter."""

    async def start_over(self) -> None:
        """Begin again with one person."""

    async def memory(self, person: str) -> Json:
        """What AWS holds of a person, and in the queues."""

    async def record(self, key: str) -> Json | None:
        """The ledger's record of an event."""

    async def diagram(self) -> Json:
        """The diagram of the stack."""


class Guard:
    """Refuses requests under another name or from another site, and adds the headers that keep the page safe.

    Args:
        app: the application to guard.
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
                    b"content-security-policy": policy(
                        WEB_MEDIA if b"media=web" in scope["query_string"] else OWN_MEDIA
                    ).encode(),
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
            return "This server answers only under its own address."
        origin = headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in self._hosts()}:
            return "This server accepts nothing from another site."
        site = headers.get("sec-fetch-site", "none")
        if site not in ("none", "same-origin") and (method != "GET" or path.startswith(("/api/", "/media/"))):
            return "This server accepts nothing from another site."
        return ""


def policy(media: str) -> str:
    """The page's content security policy: its own files only, and these sources of media."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; "
        f"img-src {media}; media-src {media}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class Site:
    """The routes.

    Args:
        model: the chat page.

    Attributes:
        url: where it answers; set it once it listens.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._media: dict[str, tuple[str, str, bytes]] = {}
        self.url = ""
        routes = [
            Route("/", self._index),
            Route("/static/{name}", self._static),
            Route("/api/stream", self._stream),
            *(Route(f"/api/{name}", _command(command), methods=["POST"]) for name, command in self._commands()),
            Route("/api/media", self._upload, methods=["POST"]),
            Route("/media/{name}", self._medium),
            assets.ROUTE,
            Route("/api/memory", self._memory),
            Route("/api/record", self._record),
            Route("/api/diagram", self._diagram),
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
        after = int(number) if instance == self._model.feed.instance and number.isdigit() else 0
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(self._events(after), media_type="text/event-stream", headers=headers)

    async def _events(self, after: int) -> AsyncIterator[str]:
        feed = self._model.feed
        hello = feed.masked(json.dumps({"instance": feed.instance, **self._model.described()}))
        yield f"retry: 500\nevent: hello\ndata: {hello}\n\n"
        async for number, notes in feed.follow(after):
            if notes:
                yield f"id: {feed.instance}.{number}\nevent: notes\ndata: [{','.join(notes)}]\n\n"
            else:
                yield ": still here\n\n"

    # What a browser can do

    def _commands(self) -> Iterator[tuple[str, Callable[[Json], Awaitable[object]]]]:
        """Name and meaning of each; every one takes a JSON object."""
        model = self._model
        yield "actions", lambda body: model.act(_text(body, "person"), body)
        yield "receipts", self._receive
        yield "people", lambda body: model.add_person(_text(body, "name"))
        yield "faults", lambda body: model.set_faults([str(name) for name in body.get("on", [])])
        yield "replay", lambda body: model.replay(_text(body, "key"))
        yield "notices", lambda body: model.notify(_text(body, "person"), _text(body, "topic"), _data(body))
        yield "inbox", lambda body: model.answer_as_human(_text(body, "person"), _text(body, "text"))
        yield "reply", lambda body: model.reply(_text(body, "person"), _text(body, "text"))
        yield "day-later", lambda body: model.day_later(_text(body, "person"))
        yield "forget", lambda body: model.forget(_text(body, "person"))
        yield "redrive", lambda body: model.redrive(_text(body, "letter"))
        yield "drop", lambda body: model.drop(_text(body, "letter"))
        yield "start-over", lambda _: model.start_over()

    async def _receive(self, body: Json) -> None:
        person = _text(body, "person")
        if mids := [mid for mid in body.get("mids", []) if isinstance(mid, str)]:
            await self._model.received(person, mids)
        if body.get("read") is True:
            await self._model.read(person)

    async def _upload(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "").partition(";")[0]
        if "x-sandbox" not in request.headers:  # another site cannot set this header without permission
            return JSONResponse({"error": "The header X-Sandbox is missing."}, 400)
        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > LARGEST_MEDIUM:
                return JSONResponse({"error": "A file can have at most 25 MB: choose a smaller one."}, 413)
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
        # An SVG image can hold a script: opened on its own, it may do nothing.
        return Response(content, media_type=shown, headers={"content-security-policy": "default-src 'none'; sandbox"})

    # What a browser can ask

    async def _memory(self, request: Request) -> Response:
        return await self._shown(self._model.memory(request.query_params.get("person", "")))

    async def _record(self, request: Request) -> Response:
        return await self._shown(self._model.record(request.query_params.get("key", "")))

    async def _diagram(self, _: Request) -> Response:
        return await self._shown(self._model.diagram())

    async def _shown(self, reading: Awaitable[object]) -> Response:
        try:
            text = json.dumps(await reading, default=str)
        except SandboxError as error:
            return JSONResponse({"error": str(error)}, 400)
        except UNREADABLE:
            return JSONResponse({"error": GONE}, 503)
        return Response(self._model.feed.masked(text), media_type="application/json")


def _command(handler: Callable[[Json], Awaitable[object]]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that takes a JSON object; it answers a mistake with a sentence."""

    async def serve(request: Request) -> Response:
        try:
            return JSONResponse(await handler(await _body(request)) or {})
        except SandboxError as error:
            return JSONResponse({"error": str(error)}, 400)
        except UNREADABLE:
            return JSONResponse({"error": GONE}, 503)

    return serve


def _text(body: Json, name: str) -> str:
    return str(body.get(name, ""))


def _data(body: Json) -> dict[str, str]:
    data = body.get("data", {})
    return {str(name): str(value) for name, value in data.items()} if isinstance(data, dict) else {}


async def _body(request: Request) -> Json:
    """The JSON object in a request's body.

    Raises:
        SandboxError: it is something else.
    """
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise SandboxError("The content type must be application/json.")
    if int(request.headers.get("content-length", "0")) > LARGEST_BODY:
        raise SandboxError(f"A request can have at most {LARGEST_BODY} bytes: send less.")
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
