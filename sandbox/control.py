"""The side door to a running sandbox's stack, beside Facebook's stand-in: update it, or destroy it, as some user.

``POST /_sandbox/update`` and ``POST /_sandbox/destroy``, with an object of which each key is optional: ``as``, a user
(else the account's owner); ``mfa``, true for a session that began with an MFA code; ``stack`` (else the sandbox's own);
``settings``, those to change, as text. The answer is ``{"outputs": …, "done": {logical name: what was done}}``, or
``{"error": sentence}`` with status 409.
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

PATHS = {"/_sandbox/update", "/_sandbox/destroy"}
KNOWN = {"as": str, "mfa": bool, "stack": str, "settings": dict}


class Stacks(Protocol):
    """What the door opens to."""

    def update(
        self, settings: Mapping[str, str] | None = None, *, stack: str | None = None, key: tuple[str, ...] = OWNER
    ) -> Deployed:
        """Deploy again, in place."""

    def destroy(self, *, stack: str | None = None, key: tuple[str, ...] = OWNER) -> Deployed:
        """Delete all that a stack holds."""

    def key_of(self, user: str) -> tuple[str, ...]:
        """An access key of a user's."""

    def session_of(self, user: str) -> tuple[str, ...]:
        """The key of a session that a user began with an MFA code."""


class Door:
    """An ASGI application: the door's two paths, and behind them another application.

    Args:
        app: answers everything else.
        stacks: what the door opens to.
    """

    def __init__(self, app: ASGIApp, stacks: Stacks) -> None:
        self._app, self._stacks = app, stacks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] not in PATHS or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        try:
            asked = wanted(await Request(scope, receive).body())
            # It runs for seconds, and the stack calls what this very loop serves.
            deployed = await run_in_threadpool(self._carry_out, scope["path"], asked)
        except SandboxError as error:
            answer = JSONResponse({"error": str(error)}, 409)
        else:
            answer = JSONResponse({"outputs": deployed.shown_outputs, "done": deployed.done})
        await answer(scope, receive, send)

    def _carry_out(self, path: str, asked: Mapping[str, Any]) -> Deployed:
        user, stack = asked.get("as"), asked.get("stack")
        key: tuple[str, ...] = OWNER
        if user:
            key = self._stacks.session_of(user) if asked.get("mfa") else self._stacks.key_of(user)
        if path == "/_sandbox/destroy":
            return self._stacks.destroy(stack=stack, key=key)
        return self._stacks.update(asked.get("settings"), stack=stack, key=key)


def wanted(body: bytes) -> dict[str, Any]:
    """What a request asks for.

    Raises:
        SandboxError: it is no JSON object, or holds what the door does not know.
    """
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise SandboxError("The side door takes a JSON object.")
    for name, value in asked.items():
        if name not in KNOWN:
            raise SandboxError(f"The side door does not know {name!r}: choose of {', '.join(sorted(KNOWN))}.")
        if not isinstance(value, KNOWN[name]):
            raise SandboxError(f"The side door does not take {value!r} as {name!r}.")
    if not all(isinstance(each, str) for each in asked.get("settings", {}).values()):
        raise SandboxError("Each setting is text; what is not text is written as JSON in it.")
    return asked
