"""The control API of a running stack, beside the stand-in for the Graph API.

``POST /_sandbox/update`` and ``POST /_sandbox/destroy`` take a JSON object, whose keys are all optional: ``as``, a user
(default: the account's owner); ``mfa``, true for a session that started with an MFA code; ``stack`` (default: the
sandbox's own); ``settings`` to change, as text. The answer is ``{"outputs": …, "done": {logical name: what was
done}}``, or ``{"error": sentence}`` with status 409.

``POST /_sandbox/act`` takes ``{"person": id, "action": …}``, an action of ``sandbox.facebook.actions``, and answers
``{"answers": [Send API request bodies]}`` once nothing is left to do. ``GET /_sandbox/stack`` says where everything is,
without secrets.
"""

import json
from collections.abc import Mapping
from typing import Any, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.aws.cloud import OWNER
from sandbox.engine.deployment import Deployed
from sandbox.errors import SandboxError
from sandbox.facebook.actions import Action
from sandbox.users import Key

ACT = "/_sandbox/act"
ORDERS = {("POST", "/_sandbox/update"), ("POST", "/_sandbox/destroy"), ("POST", ACT)}
KNOWN = {"as": str, "mfa": bool, "stack": str, "settings": dict, "person": str, "action": dict}
SECRETS = ("appSecret", "verifyToken")
"""Programs need these to sign webhooks. A person looking over somebody's shoulder does not."""


class Controlled(Protocol):
    """What the control API acts on; see ``sandbox.local.Sandbox``."""

    def described(self) -> dict[str, Any]:
        """Where everything is."""

    def act(self, person: str, action: Action) -> list[dict[str, Any]]:
        """Do something as a person, and wait for the answers."""

    def update(
        self, settings: Mapping[str, str] | None = None, *, stack: str | None = None, key: Key = OWNER
    ) -> Deployed:
        """Deploy again, in place."""

    def destroy(self, *, stack: str | None = None, key: Key = OWNER) -> Deployed:
        """Delete everything that a stack consists of."""

    def key_of(self, user: str) -> Key:
        """The access key of a user."""

    def session_of(self, user: str) -> Key:
        """The key of a session that a user started with an MFA code."""


class ControlApi:
    """An ASGI application: the control API, and another application for everything else.

    Args:
        app: answers everything else.
        controlled: the stack.
    """

    def __init__(self, app: ASGIApp, controlled: Controlled) -> None:
        self._app, self._controlled = app, controlled

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        wanted = (scope["method"], scope["path"])
        if wanted == ("GET", "/_sandbox/stack"):
            places = {name: each for name, each in self._controlled.described().items() if name not in SECRETS}
            await JSONResponse(places)(scope, receive, send)
        elif wanted in ORDERS:
            await (await self._answer(Request(scope, receive)))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, request: Request) -> JSONResponse:
        try:
            order = read_order(await request.body())
            # It runs for seconds, and the stack calls what this event loop serves.
            answer = await run_in_threadpool(self._carry_out, request.url.path, order)
        except SandboxError as error:
            return JSONResponse({"error": str(error)}, 409)
        return JSONResponse(answer)

    def _carry_out(self, path: str, order: Mapping[str, Any]) -> dict[str, Any]:
        if path == ACT:
            return {"answers": self._controlled.act(order.get("person", ""), order.get("action", {}))}
        deployed = self._deploy(path, order)
        return {"outputs": deployed.shown_outputs, "done": deployed.done}

    def _deploy(self, path: str, order: Mapping[str, Any]) -> Deployed:
        user, stack = order.get("as"), order.get("stack")
        key: Key = OWNER
        if user:
            key = self._controlled.session_of(user) if order.get("mfa") else self._controlled.key_of(user)
        if path.endswith("/destroy"):
            return self._controlled.destroy(stack=stack, key=key)
        return self._controlled.update(order.get("settings"), stack=stack, key=key)


def read_order(body: bytes) -> dict[str, Any]:
    """The order in a request's body.

    Raises:
        SandboxError: it is not a JSON object, or has a key or a value that the control API does not take.
    """
    try:
        order = json.loads(body or b"{}")
    except ValueError:
        order = None
    if not isinstance(order, dict):
        raise SandboxError("The control API takes a JSON object.")
    for name, value in order.items():
        if name not in KNOWN:
            raise SandboxError(f"The control API does not know {name!r}: choose from {', '.join(sorted(KNOWN))}.")
        if not isinstance(value, KNOWN[name]):
            raise SandboxError(f"The control API does not take {value!r} as {name!r}.")
    if not all(isinstance(each, str) for each in order.get("settings", {}).values()):
        raise SandboxError("Each setting is text; write what is not text as JSON in it.")
    return order
