"""The control API of a running stack, beside the stand-in for the Graph API.

``POST /_sandbox/update`` and ``POST /_sandbox/destroy`` take an ``Order``. The answer is ``{"outputs": …, "done":
{logical name: what was done}}``, or ``{"error": sentence}`` with status 409. ``GET /_sandbox/stack`` answers
``{"stack": name}``.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

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
    from sandbox.stack import Stack


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


def read_order(body: bytes) -> Order:
    """The order in a request's body.

    Raises:
        SandboxError: it is not a JSON object, or has a key or a value that the control API does not take.
    """
    try:
        return Order.model_validate_json(body or b"{}")
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, each['loc'])) or 'the body'}: {each['msg']}" for each in error.errors())
        raise SandboxError(f"The control API does not take this order: {'; '.join(wrong)}.") from None


def controlled(app: ASGIApp, stack: "Stack") -> Starlette:
    """The control API of a stack, and another application for everything else."""

    def key_of(order: Order) -> Key:
        if order.user is None:
            return OWNER
        return stack.session_of(order.user) if order.mfa else stack.key_of(order.user)

    def update(order: Order) -> Deployed:
        return stack.update(order.settings, stack=order.stack, key=key_of(order))

    def destroy(order: Order) -> Deployed:
        return stack.destroy(stack=order.stack, key=key_of(order))

    def name(_: Request) -> JSONResponse:
        return JSONResponse({"stack": stack.stack})

    return Starlette(
        routes=[
            Route("/_sandbox/stack", name),
            _order("/_sandbox/update", update),
            _order("/_sandbox/destroy", destroy),
            Mount("/", app),
        ]
    )


def _order(path: str, carry_out: Callable[[Order], Deployed]) -> Route:
    async def answer(request: Request) -> JSONResponse:
        try:
            order = read_order(await request.body())
            # It runs for seconds, and the stack calls what this event loop serves.
            deployed = await run_in_threadpool(carry_out, order)
        except SandboxError as error:
            return JSONResponse({"error": str(error)}, 409)
        return JSONResponse({"outputs": deployed.shown_outputs, "done": deployed.done})

    return Route(path, answer, methods=["POST"])
