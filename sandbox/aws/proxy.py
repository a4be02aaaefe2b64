"""A proxy between the functions and the emulated AWS, so that AWS can be slow, refuse, or lose an answer on demand.

It passes on method, path, headers (the Host header too, so that signatures stay valid) and body as they are. It reads
only as much of a request as it needs to know which call it is.
"""

import asyncio
import http.client
import re
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from sandbox.aws.cloud import HOST
from sandbox.errors import Refused, SandboxError
from sandbox.facebook import lex
from sandbox.faults import Fault, Faults, fault
from sandbox.serving import Server

EFFECTS: Mapping[str, type | tuple[type, ...]] = {
    "status": int,
    "code": str,
    "message": str,
    "delaySeconds": (int, float),
    "after": bool,
}
LEX = "/bots/"  # how the path of a request to Lex begins; the emulated AWS has no Lex
ANSWER_SECONDS = 60.0
# What belongs to one connection, and not to the answer that it carries.
OF_THE_CONNECTION = {"connection", "content-length", "transfer-encoding"}

NO_FAULT = Fault({})

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")


def call_of(method: str, headers: Mapping[str, str], body: bytes) -> str:
    """The AWS call of a request: ``service:Action``, or ``service:METHOD`` for services without action names."""
    scope = _SCOPE.search(headers.get("authorization", ""))
    service = scope.group(1) if scope else ""
    if target := headers.get("x-amz-target"):
        return f"{service}:{target.rpartition('.')[2]}"
    if query := re.search(rb"(?:^|&)Action=(\w+)", body):
        return f"{service}:{query.group(1).decode()}"
    if service == "lambda" and method == "POST":  # the path names it, and a function makes no other call of Lambda
        return "lambda:Invoke"
    return f"{service}:{method}"


def refusal(status: int, code: str, message: str) -> Response:
    """An error answer, in the form of the AWS services that speak JSON."""
    fault_of = "Sender" if status < http.client.INTERNAL_SERVER_ERROR else "Receiver"
    headers = {"x-amzn-errortype": code, "x-amzn-query-error": f"{code};{fault_of}"}
    return JSONResponse({"__type": code, "message": message}, status, headers)


class Called(NamedTuple):
    """One AWS call of a function.

    Attributes:
        name: as `service:Action`.
        request: its body.
        status: the answer's.
        answer: the answer's body.
        began: when, in seconds since 1970.
        seconds: how long it took.
        connection: identifies the connection, and so the instance of the function.
        lost: AWS carried it out, and the answer was lost on purpose.
    """

    name: str
    request: bytes
    status: int
    answer: bytes
    began: float
    seconds: float
    connection: int
    lost: bool


class Proxy(Server):
    """The proxy: ``start`` it on an event loop, then set ``upstream_port`` to the cloud's.

    Attributes:
        upstream_port: the emulated AWS's.
        before: takes each call's name and body, before AWS does.
        observe: takes each call, once it is answered.
    """

    def __init__(self) -> None:
        super().__init__(self._serve, 0, "the proxy to the emulated AWS")
        self.upstream_port = 0
        self.before: Callable[[str, bytes], None] = lambda *_: None
        self.observe: Callable[[Called], None] | None = None
        self._faults = Faults()

    def set_faults(self, described: object) -> None:
        """Set the faults from now on.

        Args:
            described: ``{"sqs:SendMessageBatch": {…}, "dynamodb:*": {…}}``: for each call an object, or a list of
                objects.

        Raises:
            SandboxError: it is something else.
        """
        if not isinstance(described, Mapping):
            raise SandboxError('AWS faults are a JSON object by call, such as {"sqs:*": {"status": 503}}.')
        faults: list[tuple[str, Fault]] = []
        for call, each in described.items():
            faults += [(str(call), fault(one, EFFECTS)) for one in (each if isinstance(each, list) else [each])]
        self._faults.set(faults)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = await self._respond(request, await request.body())
        await answer(scope, receive, send)

    async def _respond(self, request: Request, body: bytes) -> Response:
        name, began = call_of(request.method, request.headers, body), time.time()
        self.before(name, body)
        met = self._faults.meet(name) or NO_FAULT
        await asyncio.sleep(met.get("delaySeconds", 0))
        lost, status = bool(met.get("after")), met.get("status")
        answer = Response()
        if lost or not status:
            answer = await run_in_threadpool(self._carry_out, request, body)
        if status:
            answer = refusal(status, met.get("code", "ServiceUnavailable"), met.get("message", "A fault was set."))
        if self.observe:
            seconds, connection = time.time() - began, request.scope["client"][1]
            content = bytes(answer.body)
            self.observe(Called(name, body, answer.status_code, content, began, seconds, connection, lost))
        if lost and not status:
            request.scope["hang_up"]()
        return answer

    def _carry_out(self, request: Request, body: bytes) -> Response:
        """What the emulated AWS answers, or the stand-in for Lex."""
        path = request.scope["raw_path"].decode()
        if path.startswith(LEX):
            try:
                return JSONResponse(lex.recognize(path, body))
            except Refused as refused:
                return refusal(http.client.BAD_REQUEST, refused.code, str(refused))
        upstream = http.client.HTTPConnection(HOST, self.upstream_port, timeout=ANSWER_SECONDS)
        try:
            query = request.scope["query_string"].decode()
            target = f"{path}?{query}" if query else path
            upstream.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
            for header, value in request.headers.items():
                upstream.putheader(header, value)
            upstream.endheaders(body)
            answered = upstream.getresponse()
            headers = {key: value for key, value in answered.getheaders() if key.lower() not in OF_THE_CONNECTION}
            return Response(answered.read(), answered.status, headers)
        finally:
            upstream.close()
