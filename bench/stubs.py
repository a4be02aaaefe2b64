"""Stubs for AWS and Facebook, in a process of their own, that answer after a fixed time.

They refuse what AWS and Facebook would refuse: a wrong signature, a condition that does not hold, a wrong token.
DynamoDB is MiniStack's, so the ledger's conditions are really evaluated.
"""

import asyncio
import hmac
import json
import multiprocessing
import re
import selectors
import socket
import ssl
import time
import uuid
from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.request import urlopen

import uvicorn
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack.services import dynamodb
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bench.runtime import BenchError

Json = dict[str, Any]

HOST, REGION = "127.0.0.1", "eu-central-1"
KEY, SECRET, SESSION = "AKIDBENCH", "made-up-secret", "made-up-session"
PAGE, TOKEN, APP_SECRET = "104201", "made-up-token", "made-up-app-secret"
GRAPH_VERSION = "v26.0"
SECRET_VALUES = {"page-access-token": TOKEN, "app-secret": APP_SECRET, "verify-token": "made-up"}
TABLE, SECRETS_PATH = "bench-ledger", "/bench-secrets"
EVENTS = f"https://sqs.{REGION}.amazonaws.com/000000000000/bench-events.fifo"
# How long each service takes, in seconds; Facebook's Graph API is set as needed.
LATENCIES = {"ssm": 0.010, "sqs": 0.006, "dynamodb": 0.004}
TARGETS = {"AmazonSSM": "ssm", "AmazonSQS": "sqs", "DynamoDB_20120810": "dynamodb"}
BATCH_MESSAGES = 10
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/]+/\d{8}/[^/]+/[^/]+/aws4_request, "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
# The ledger asks with conditions, so one that does not hold is an answer like any other.
CONDITION = "ConditionalCheckFailedException"
PROOF = hmac.digest(APP_SECRET.encode(), TOKEN.encode(), "sha256").hex()


class Call(NamedTuple):
    """One call that a stub answered.

    Attributes:
        name: service and operation, such as `dynamodb:UpdateItem`, or `graph:send`.
        arrived: when its head had arrived, in seconds of the monotonic clock.
        answered: when its answer was sent.
        late: by how many seconds that was later than the service's latency.
        refusal: why, if it was refused.
        recipient: of a send, the person.
        metadata: of a sent message, which Facebook's echo brings back.
    """

    name: str
    arrived: float
    answered: float
    late: float
    refusal: str
    recipient: str = ""
    metadata: str = ""


class _Services:
    """All services; which one is asked follows from the request."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.messages: list[Json] = []
        self.graph_seconds = 0.0
        key = {"AttributeName": "id"}
        table = {"TableName": TABLE, "BillingMode": "PAY_PER_REQUEST", "KeySchema": [key | {"KeyType": "HASH"}]}
        _dynamodb("CreateTable", json.dumps(table | {"AttributeDefinitions": [key | {"AttributeType": "S"}]}).encode())

    async def answer(self, request: Request) -> Response:
        """Answer one call after its service's latency."""
        arrived, content = time.monotonic(), await request.body()
        prefix, _, operation = request.headers.get("x-amz-target", "").partition(".")
        service, about = TARGETS.get(prefix, "graph"), ("", "")
        if service == "graph":
            operation, asked = "send", json.loads(content)
            about = asked["recipient"]["id"], asked.get("message", {}).get("metadata", "")
            status, answer = _graph(request, asked)
        elif not _is_signed(service, request, content):
            status, answer = 403, {"__type": "InvalidSignatureException"}
        elif service == "dynamodb":
            status, answer = _dynamodb(operation, content)
        else:
            status, answer = self._aws(f"{service}:{operation}", json.loads(content))
        due = arrived + LATENCIES.get(service, self.graph_seconds)
        await asyncio.sleep(due - time.monotonic())
        now = time.monotonic()
        refusal = "" if status == 200 else json.dumps(answer)
        self.calls.append(Call(f"{service}:{operation}", arrived, now, now - due, refusal, *about))
        return JSONResponse(answer, status)

    def _aws(self, name: str, asked: Json) -> tuple[int, Json]:
        match name:
            case "ssm:GetParametersByPath" if asked == {"Path": SECRETS_PATH, "WithDecryption": True}:
                found = SECRET_VALUES.items()
                return 200, {"Parameters": [{"Name": f"{SECRETS_PATH}/{key}", "Value": value} for key, value in found]}
            case "sqs:SendMessageBatch" if asked["QueueUrl"] == EVENTS:
                entries = asked["Entries"]
                self.messages += [_delivered(entry) for entry in entries]
                return 200, {"Successful": [{"Id": each["Id"], "MessageId": str(uuid.uuid4())} for each in entries]}
        return 400, {"__type": "UnknownOperationException", "message": f"The stubs do not answer {name}: {asked}"}

    async def take_calls(self, _: Request) -> Response:
        """Show the calls since the last time."""
        taken, self.calls = self.calls, []
        return JSONResponse(taken)

    async def take_messages(self, _: Request) -> Response:
        """Take a batch from the event queue."""
        taken, self.messages = self.messages[:BATCH_MESSAGES], self.messages[BATCH_MESSAGES:]
        return JSONResponse(taken)

    async def set_graph(self, request: Request) -> Response:
        """Set the Graph API's latency."""
        self.graph_seconds = float(request.path_params["seconds"])
        return JSONResponse(self.graph_seconds)


def _is_signed(service: str, request: Request, content: bytes) -> bool:
    """Sign the request again, with botocore, and compare. No clock is compared: both sides are one machine."""
    found = AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        return False
    headers = {name: request.headers.get(name, "") for name in found["names"].split(";")}
    again = AWSRequest("POST", f"http://{headers['host']}{request.url.path}", headers=headers, data=content)
    again.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(Credentials(KEY, SECRET), service, REGION)
    signature = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
    return bool(signature == found["signature"]) and headers["x-amz-security-token"] == SESSION


def _dynamodb(operation: str, content: bytes) -> tuple[int, Json]:
    # MiniStack's answer is a coroutine for the sake of its server, and waits for nothing.
    try:
        dynamodb.handle_request("POST", "/", {"x-amz-target": f"DynamoDB_20120810.{operation}"}, content, {}).send(None)
    except StopIteration as done:
        return done.value[0], json.loads(done.value[2])
    raise AssertionError("MiniStack's DynamoDB waits for something.")


def _graph(request: Request, asked: Json) -> tuple[int, Json]:
    shown = request.headers.get("authorization"), request.query_params.get("appsecret_proof")
    if shown != (f"Bearer {TOKEN}", PROOF):
        return 400, {"error": {"message": "The token or its proof is wrong.", "code": 190}}
    if request.url.path != f"/{GRAPH_VERSION}/{PAGE}/messages":
        return 400, {"error": {"message": "This is not the Send API.", "code": 100}}
    return 200, {"recipient_id": asked["recipient"]["id"], "message_id": f"m_{uuid.uuid4().hex}"}


def _delivered(entry: Json) -> Json:
    """An entry of a batch as Lambda later passes it to a function."""
    return {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": uuid.uuid4().hex,
        "body": entry["MessageBody"],
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(round(time.time() * 1000)),
            "MessageGroupId": entry["MessageGroupId"],
        },
    }


def _serve(sockets: list[socket.socket], certificate: tuple[str, str] | None) -> None:
    services = _Services()
    routes = [
        Route("/_bench/calls", services.take_calls),
        Route("/_bench/messages", services.take_messages),
        Route("/_bench/graph/{seconds}", services.set_graph),
        Route("/{path:path}", services.answer, methods=["POST"]),
    ]
    shown, key = certificate or (None, None)
    app = Starlette(routes=routes)
    config = uvicorn.Config(
        app, loop="none", lifespan="off", log_config=None, access_log=False, ssl_certfile=shown, ssl_keyfile=key
    )
    # Unlike epoll, select waits for parts of a millisecond.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        runner.run(uvicorn.Server(config).serve(sockets))


def _listening() -> socket.socket:
    # With the protocol named, asyncio turns Nagle's algorithm off. Otherwise some answers wait 40 ms for an ACK.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind((HOST, 0))
    listening.listen(128)
    return listening


class Stubs:
    """The stubs' process.

    Args:
        certificate: files with the certificate and the key that they show, if they speak TLS.

    Attributes:
        urls: the origin of each service.
    """

    def __init__(self, certificate: tuple[str, str] | None = None) -> None:
        sockets = {name: _listening() for name in ("ssm", "sqs", "dynamodb", "graph")}
        scheme = "https" if certificate else "http"
        self.urls = {name: f"{scheme}://{HOST}:{each.getsockname()[1]}" for name, each in sockets.items()}
        self._trust = ssl.create_default_context(cafile=certificate[0]) if certificate else None
        served = list(sockets.values()), certificate
        self._process = multiprocessing.get_context("spawn").Process(target=_serve, args=served, daemon=True)
        self._process.start()
        for each in served[0]:
            each.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.join()

    def graph_takes(self, seconds: float) -> None:
        """Let the Graph API answer after so many seconds from now on."""
        self._ask(f"graph/{seconds}")

    def take_calls(self) -> Sequence[Call]:
        """The calls since the last time, in the order of their answers.

        Raises:
            BenchError: one was refused for another reason than the ledger's own condition, so what is measured is not
                what should be.
        """
        calls = [Call(*each) for each in self._ask("calls")]
        if refused := [each for each in calls if each.refusal and CONDITION not in each.refusal]:
            raise BenchError(f"A stub refused {refused[0].name}: {refused[0].refusal}")
        return calls

    def take_messages(self) -> list[Json]:
        """Up to ten messages of the event queue, which leave it, as Lambda passes them to a function."""
        messages: list[Json] = self._ask("messages")
        return messages

    def _ask(self, what: str) -> Any:
        with urlopen(f"{self.urls['graph']}/_bench/{what}", timeout=20, context=self._trust) as answer:
            return json.load(answer)
