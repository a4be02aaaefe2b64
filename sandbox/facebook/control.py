"""The stand-in's control endpoints: what it received, and the faults that it and AWS are to show."""

import re
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.errors import SandboxError
from sandbox.facebook.errors import FAULT_FIELDS
from sandbox.facebook.request_log import RequestLog
from sandbox.faults import Fault, fault

EFFECTS: Mapping[str, type | tuple[type, ...]] = {
    "delaySeconds": (int, float),
    "error": dict,
    "dropBefore": bool,
    "dropAfter": bool,
    "loseEchoes": bool,
    "echoDelaySeconds": (int, float),
}

SetFaults = Callable[[object], None]


def read_faults(described: object) -> list[Fault]:
    """Faults of the Graph API.

    Args:
        described: a JSON object or a list of them; `{}` for none.

    Raises:
        SandboxError: it is something else.
    """
    faults = [
        fault(each, EFFECTS) for each in (described if isinstance(described, list) else [described]) if each != {}
    ]
    for each in faults:
        if unknown := set(each.get("error") or ()) - FAULT_FIELDS:
            raise SandboxError(
                f"An error cannot have {', '.join(sorted(unknown))}: choose from {', '.join(sorted(FAULT_FIELDS))}."
            )
    return faults


def read_region(described: object) -> tuple[str, frozenset[str] | None]:
    """Where people live, and where Facebook takes utility messages: see `sandbox.facebook.send_api.Region`.

    Args:
        described: such as `{"country": "BR", "utility": ["US", "VN"]}`; without `utility`, they are taken everywhere.

    Raises:
        SandboxError: it is something else.
    """
    fields = described if isinstance(described, dict) else {}
    country, utility = fields.get("country"), fields.get("utility")
    codes = [country, *(utility if isinstance(utility, list) else [])]
    known = all(isinstance(each, str) and re.fullmatch("[A-Z]{2}", each) for each in codes)
    if not known or fields.keys() - {"country", "utility"} or not isinstance(utility, list | None):
        raise SandboxError('A region is written like {"country": "BR", "utility": ["US", "VN"]}.')
    return str(country), None if utility is None else frozenset(utility)


def control_routes(
    log: RequestLog, set_faults: SetFaults, set_aws_faults: SetFaults, set_region: SetFaults
) -> list[Route]:
    """The routes below `/_sandbox`.

    Args:
        log: what was received.
        set_faults: sets the faults of the Graph API.
        set_aws_faults: sets the faults between the function and AWS.
        set_region: sets where people live, and what is taken there.
    """

    async def requests(_: Request) -> Response:
        return JSONResponse(log.requests())

    async def clear(_: Request) -> Response:
        log.clear()
        return Response(status_code=204)

    return [
        Route("/_sandbox/requests", requests, methods=["GET"]),
        Route("/_sandbox/requests", clear, methods=["DELETE"]),
        Route("/_sandbox/faults", _setter(set_faults), methods=["PUT"]),
        Route("/_sandbox/aws-faults", _setter(set_aws_faults), methods=["PUT"]),
        Route("/_sandbox/region", _setter(set_region), methods=["PUT"]),
    ]


def _setter(set_faults: SetFaults) -> Callable[[Request], Awaitable[Response]]:
    async def put(request: Request) -> Response:
        try:
            set_faults(await request.json())
        except (SandboxError, ValueError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return Response(status_code=204)

    return put
