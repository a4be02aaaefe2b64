"""The control API of a running stack, beside the stand-in for the Graph API.

``POST /_sandbox/update`` and ``POST /_sandbox/destroy`` take an ``Order``. The answer is ``{"outputs": …, "done":
{logical name: what was done}}``, or ``{"error": sentence}`` with status 409. ``POST /_sandbox/act`` takes an ``Act``,
and answers ``{"answers": [Send API request bodies]}`` once nothing is left to do. ``GET /_sandbox/stack`` says where
everything is, without secrets.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from sandbox.aws.cloud import OWNER
from sandbox.engine.deployment import Deployed
from sandbox.errors import SandboxError
from sandbox.users import Key

if TYPE_CHECKING:
    from sandbox.local import Sandbox

M = TypeVar("M", bound=BaseModel)
Json = dict[str, Any]
ACT = "/_sandbox/act"
SECRETS = ("appSecret", "verifyToken")
"""Programs need these to sign webhooks. A person looking over somebody's shoulder does not."""


class Order(BaseModel, extra="forbid", strict=True):
    """What to do as whom: a JSON object whose keys are all optional.

    Attributes:
        user: who does it, ``as`` in JSON; the account's owner if not given.
        mfa: true for a session of this user that started with an MFA code.
        stack: which stack; the sandbox's own if not given.
        settings: the settings to change, as text; what is not text is JSON in it.
    """

    user: str | None = Field(None, alias="as")
    mfa: bool = False
    stack: str | None = None
    settings: dict[str, str] | None = None


class Act(BaseModel, extra="forbid", strict=True):
    """Something that a person does.

    Attributes:
        person: their page-scoped id.
        action: what they do; see ``sandbox.facebook.actions``.
    """

    person: str
    action: dict[str, Any]


def read_order(kind: type[M], body: bytes) -> M:
    """The order in a request's body.

    Raises:
        SandboxError: it is not a JSON object, or has a key or a value that the control API does not take.
    """
    try:
        return kind.model_validate_json(body or b"{}")
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, each['loc'])) or 'the body'}: {each['msg']}" for each in error.errors())
        raise SandboxError(f"The control API does not take this order: {'; '.join(wrong)}.") from None


def controlled(app: ASGIApp, sandbox: "Sandbox") -> Starlette:
    """The control API of a sandbox, and another application for everything else."""

    def key_of(order: Order) -> Key:
        if order.user is None:
            return OWNER
        return sandbox.session_of(order.user) if order.mfa else sandbox.key_of(order.user)

    def update(order: Order) -> Json:
        return _summary(sandbox.update(order.settings, stack=order.stack, key=key_of(order)))

    def destroy(order: Order) -> Json:
        return _summary(sandbox.destroy(stack=order.stack, key=key_of(order)))

    def act(order: Act) -> Json:
        return {"answers": sandbox.act(order.person, order.action)}

    def places(_: Request) -> JSONResponse:
        return JSONResponse({name: each for name, each in sandbox.described().items() if name not in SECRETS})

    return Starlette(
        routes=[
            Route("/_sandbox/stack", places),
            _order("/_sandbox/update", Order, update),
            _order("/_sandbox/destroy", Order, destroy),
            _order(ACT, Act, act),
            Mount("/", app),
        ]
    )


def _summary(deployed: Deployed) -> Json:
    return {"outputs": deployed.shown_outputs, "done": deployed.done}


def _order(path: str, kind: type[M], carry_out: Callable[[M], Json]) -> Route:
    async def answer(request: Request) -> JSONResponse:
        try:
            order = read_order(kind, await request.body())
            # It runs for seconds, and the stack calls what this event loop serves.
            return JSONResponse(await run_in_threadpool(carry_out, order))
        except SandboxError as error:
            return JSONResponse({"error": str(error)}, 409)

    return Route(path, answer, methods=["POST"])
