"""A strict stand-in for the Graph API: it takes what Facebook takes, and refuses the rest with Facebook's errors.

Each edge is a row in a table. What a request may look like is in `schemas/`; the modules beside this one have the rules
that a schema cannot express. Below `/_sandbox` it has control endpoints of its own.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.http import Unanswered
from sandbox import assets
from sandbox.facebook.comments import EDGES, Comments
from sandbox.facebook.control import control_routes, read_faults, read_region
from sandbox.facebook.credentials import NAMES, SECRETS, Credentials, token_of
from sandbox.facebook.errors import GraphError, unknown_path
from sandbox.facebook.parameters import read
from sandbox.facebook.people import People
from sandbox.facebook.profile import MessengerProfile
from sandbox.facebook.request_log import GraphCall, RequestLog
from sandbox.facebook.send_api import MessagingWindows, SendApi, echo
from sandbox.facebook.subscriptions import AppSubscription, SubscribedApps
from sandbox.facebook.templates import MessageTemplates
from sandbox.facebook.threads import Threads
from sandbox.faults import Fault, Faults

# Each version lives for about two years after it appeared (Graph API changelog); v26.0 is the newest.
VERSIONS = {f"v{number}.0" for number in range(21, 27)}

Json = dict[str, Any]

Edge = Callable[[Json], Json]
"""Answers a request: takes its parameters without credentials, raises `GraphError`."""

Edges = Mapping[tuple[str, str], Edge]
"""HTTP method and edge → what answers it."""

Echo = Callable[[Json, float], None]
"""Takes an echo, and after how many seconds to send it."""

NO_FAULT = Fault({})
COMMENT, PSID = re.compile("[0-9]+(_[0-9]+)?"), re.compile("[0-9]{10,20}")


class Graph:
    """The stand-in, as an application to be served.

    Args:
        page_id: the page's id.
        app_id: the app's id.
        page_token: the page's access token.
        app_secret: the app's secret.
        echo: takes the echo of each message that was sent, and each change of the page.
        aws_faults: takes the faults between the function and AWS.

    Attributes:
        app: the ASGI application.
        instagram_account: the id of the Instagram account that is linked to the page; empty for none.
        credentials: what it accepts.
        windows: whom the page may write to.
        comments: under the page's posts.
        people: who people are.
        threads: which app has each conversation.
        page: more fields of the page.
        application: more fields of the app, such as its `privacy_policy_url`.
        send_api: takes its messages.
        templates: of its utility messages.
        subscribed_apps: the page's self.app_subscription.
        app_subscription: the app's.
        observe: takes each call, on the event loop that serves it.
    """

    def __init__(
        self,
        page_id: str,
        app_id: str,
        page_token: str,
        app_secret: str,
        *,
        echo: Echo = lambda *_: None,
        aws_faults: Callable[[object], None] = lambda _: None,
    ) -> None:
        self.page_id, self.app_id = page_id, app_id
        self._echo = echo
        self._log, self._faults = RequestLog(), Faults()
        self.instagram_account = ""
        self.credentials = Credentials(page_id, app_id, page_token, app_secret)
        self.windows = MessagingWindows()
        self.subscribed_apps, self.app_subscription = SubscribedApps(app_id), AppSubscription()
        self.templates = MessageTemplates(lambda change: echo(change, 0))
        self.comments, self.people, self.threads = Comments(page_id), People(), Threads()
        self.page: Json = {"is_published": True}
        self.application: Json = {}
        self._profile = MessengerProfile()
        self.send_api = SendApi(self.windows, self.templates, self.comments, self.threads)
        self._page_edges: Edges = {
            ("GET", ""): self._page,
            ("POST", "messages"): self.send_api.send,
            ("POST", "message_attachments"): self.send_api.upload,
            ("POST", "pass_thread_control"): self.threads.pass_on,
            ("POST", "take_thread_control"): self.threads.take,
            ("POST", "release_thread_control"): self.threads.release,
            ("POST", "request_thread_control"): self.threads.request,
            ("GET", "messenger_profile"): self._profile.read,
            ("POST", "messenger_profile"): self._profile.change,
            ("DELETE", "messenger_profile"): self._profile.delete,
            ("GET", "message_templates"): self.templates.read,
            ("POST", "message_templates"): self.templates.create,
            ("GET", "subscribed_apps"): self.subscribed_apps.read,
            ("POST", "subscribed_apps"): self.subscribed_apps.subscribe,
            ("DELETE", "subscribed_apps"): self.subscribed_apps.delete,
        }
        self._app_edges: Edges = {
            ("GET", "debug_token"): self._debug_token,
            ("GET", app_id): lambda given: _fields({"name": "Sandbox", "id": app_id} | self.application, given),
            ("GET", f"{app_id}/subscriptions"): self.app_subscription.read,
            ("POST", f"{app_id}/subscriptions"): self.app_subscription.subscribe,
            ("DELETE", f"{app_id}/subscriptions"): self.app_subscription.delete,
        }
        self.observe: Callable[[GraphCall], None] | None = None
        self.app = Starlette(
            routes=[
                *control_routes(self._log, self.set_faults, aws_faults, self._set_region),
                assets.ROUTE,
                Route("/{path:path}", self._serve, methods=["GET", "POST", "DELETE", "PUT", "PATCH"]),
            ]
        )

    # What the sandbox asks of it

    def note_message(self, psid: str, written: float | None = None, platform: str = "page", came_by: str = "") -> None:
        """A person wrote to the page: it may answer for 24 hours, or for 7 days if they came by an ad.

        Args:
            psid: their page-scoped id.
            written: when, in seconds since 1970; now if not given.
            platform: `page` or `instagram`.
            came_by: the source of their referral, such as `ADS`; "" for none.
        """
        self.windows.note(psid, time.time() if written is None else written, platform, came_by)

    def profile(self) -> Json:
        """The page's Messenger profile as it was last set."""
        return dict(self._profile.fields)

    def set_profile(self, profile: Mapping[str, Any]) -> None:
        """Set the profile directly: no rate limit, no rules."""
        self._profile.fields = dict(profile)

    def requests(self) -> list[Json]:
        """All requests received, in order: `time`, `method`, `path`, `status`, `body`."""
        return self._log.requests()

    def forget_requests(self) -> None:
        """Forget the requests received so far."""
        self._log.clear()

    def quiet_seconds(self) -> float:
        """How long ago the last request ended; 0 while one is being answered."""
        return self._log.quiet_seconds()

    def set_faults(self, described: object) -> None:
        """Set the faults from now on.

        Args:
            described: as the control endpoint takes them: an object or a list of objects; `{}` for none.

        Raises:
            SandboxError: it is something else.
        """
        self._faults.set([("*", each) for each in read_faults(described)])

    def _set_region(self, described: object) -> None:
        self.send_api.region.country, self.send_api.region.utility = read_region(described)

    # The Graph API

    async def _serve(self, request: Request) -> Response:
        began = time.time()
        raw = await request.body()
        self._log.begin()
        status, answer, parameters, lost = 0, {}, None, True
        fault = self._faults.meet("*") or NO_FAULT
        try:
            await asyncio.sleep(fault.get("delaySeconds", 0))
            try:
                parameters = read(request, raw)
                if fault.get("dropBefore"):
                    return _hang_up(request)
                if (error := fault.get("error")) is not None:
                    raise GraphError.of_fault(error)
                status, answer = 200, await self._answer(request, parameters)
                if "message_id" in answer and not fault.get("loseEchoes"):
                    self._send_echo(parameters, answer, fault.get("echoDelaySeconds", 0))
            except GraphError as error:
                status, answer = error.status, error.body
            except Unanswered:
                return _hang_up(request)
            if fault.get("dropAfter"):
                return _hang_up(request)
            lost = False
            return JSONResponse(answer, status_code=status)
        finally:
            shown = parameters and {name: value for name, value in parameters.items() if name not in SECRETS}
            seconds = time.time() - began
            call = GraphCall(request.method, request.url.path, shown, status, answer, began, seconds, lost)
            if self.observe:
                self.observe(call)
            self._log.end(call)

    async def _answer(self, request: Request, parameters: Json) -> Json:
        version, _, path = request.url.path.strip("/").partition("/")
        if not re.fullmatch(r"v\d+\.\d+", version):
            raise GraphError(400, 2500, "An unknown error occurred: name a version, such as /v26.0, in the path.")
        if version not in VERSIONS:
            raise unknown_path(f"{version}/{path}")
        token = token_of(request.headers.get("authorization", ""), parameters)
        given = {name: value for name, value in parameters.items() if name not in NAMES}
        if any(path == edge for _, edge in self._app_edges):
            self.credentials.check_app(token)
            # A subscription waits for the webhook's answer.
            return await asyncio.to_thread(_edge(self._app_edges, request.method, path), given)
        self.credentials.check_page(token, parameters)
        if path == "app":  # the token's own app
            return {"id": self.app_id}
        node, _, edge = path.partition("/")
        if self.templates.has(node) and (request.method, edge) == ("POST", ""):
            return self.templates.update(node, given)
        if edge in EDGES and COMMENT.fullmatch(node) and request.method in ("GET", "POST"):
            return self.comments.read(node, edge) if request.method == "GET" else self.comments.reply(node, given)
        if not edge and PSID.fullmatch(node) and node != self.page_id and request.method == "GET":
            return self.people.read(node, given)
        if node not in ("me", self.page_id):
            raise GraphError(
                400,
                100,
                f"Unsupported {request.method.lower()} request. Object with ID '{node}' does not exist, "
                "cannot be loaded due to missing permissions, or does not support this operation",
                subcode=33,
                kind="GraphMethodException",
            )
        return _edge(self._page_edges, request.method, edge)(given)

    def _send_echo(self, parameters: Json, answer: Json, delay: float) -> None:
        self._echo(echo(self.page_id, self.app_id, parameters, answer), delay)

    def _page(self, given: Json) -> Json:
        """`GET /{page}`. Source: Instagram Platform, "Get started" with Facebook Login, read on 2026-11-25."""
        linked = {"instagram_business_account": {"id": self.instagram_account}} if self.instagram_account else {}
        return _fields({"name": "Sandbox", "id": self.page_id} | self.page | linked, given)

    def _debug_token(self, parameters: Json) -> Json:
        return self.credentials.debug_token(parameters)


def _fields(node: Json, given: Json) -> Json:
    """The fields of an object that a request names; without a field, Facebook leaves out what is empty."""
    wanted = {"id", *str(given.get("fields", "id,name")).split(",")}
    return {name: value for name, value in node.items() if name in wanted}


def _edge(edges: Edges, method: str, name: str) -> Edge:
    found = edges.get((method, name))
    if found is None:
        raise unknown_path(name)
    return found


def _hang_up(request: Request) -> Response:
    """Close the connection without an answer."""
    request.scope["hang_up"]()
    return Response()
