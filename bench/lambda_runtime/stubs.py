"""Stubs for AWS and Facebook, in a process of their own, that answer after a fixed time.

They refuse what AWS and Facebook would refuse: a wrong signature, a wrong condition, a wrong token. DynamoDB is
MiniStack's, so the ledger's conditions are really evaluated.
"""

import collections
import hashlib
import hmac
import json
import multiprocessing
import multiprocessing.connection
import re
import signal
import ssl
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack.services import dynamodb

from bench.lambda_runtime.errors import BenchError
from bench.lambda_runtime.loopback import Handler, Server, serving

REGION = "eu-central-1"
KEY, SECRET, SESSION = "AKIDBENCH", "made-up-secret", "made-up-session"
PAGE, TOKEN, APP_SECRET, VERIFY_TOKEN = "104201", "made-up-token", "made-up-app-secret", "made-up-verify-token"
GRAPH_VERSION = "v26.0"
SECRET_VALUES = {"page-access-token": TOKEN, "app-secret": APP_SECRET, "verify-token": VERIFY_TOKEN}
TABLE, SECRETS_PATH = "bench-ledger", "/bench-secrets"
EVENTS = "https://sqs.eu-central-1.amazonaws.com/000000000000/bench-events.fifo"
DEAD_LETTERS = "https://sqs.eu-central-1.amazonaws.com/000000000000/bench-dead-letters.fifo"
# How long each service takes, in seconds; Facebook's Graph API is set as needed.
LATENCIES = {"ssm": 0.010, "sqs": 0.006, "dynamodb": 0.004}
# "Message quotas" in the SQS developer guide.
BATCH_MESSAGES, ID_CHARACTERS = 10, 128
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request, "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
# The ledger asks with conditions, so one that does not hold is an answer like any other.
CONDITION = "ConditionalCheckFailedException"
START_SECONDS, ANSWER_SECONDS = 20.0, 10.0
# Threads of a stub take turns this often, so that none is late because another works.
SWITCH_SECONDS = 0.0005

Json = dict[str, Any]


class Call(NamedTuple):
    """One call that a stub answered.

    Attributes:
        service: `ssm`, `sqs`, `dynamodb` or `graph`.
        operation: such as `UpdateItem`; of the Graph API `send`.
        recipient: of a send, the person; otherwise empty.
        metadata: of a sent message; Facebook's echo brings it back.
        arrived: when its head had arrived, in seconds of the monotonic clock.
        answered: when its answer was sent.
        refusal: why, if it was refused.
    """

    service: str
    operation: str
    recipient: str
    metadata: str
    arrived: float
    answered: float
    refusal: str

    @property
    def name(self) -> str:
        """Service and operation."""
        return f"{self.service}:{self.operation}"


class Refusal(Exception):
    """What a stub answers instead: HTTP's status, the service's error code, and the rest of its body."""

    def __init__(self, status: int, code: str, reason: str, **rest: object) -> None:
        super().__init__(reason)
        self.status, self.code, self.rest = status, code, rest


class Request(NamedTuple):
    """A request as a stub received it; the headers have lower-case names."""

    path: str
    headers: Mapping[str, str]
    content: bytes


class _StubHandler(Handler):
    server: "_Stub"

    def do_POST(self) -> None:
        stub, request = self.server, Request(self.path, self.fields, self.content())
        labels, refusal = ("", "", ""), ""
        try:
            labels = stub.labels(request)
            status, answer = 200, stub.respond(request)
        except Refusal as error:
            status, answer, refusal = error.status, stub.refused(error), f"{error.code}: {error}"
        due = self.arrived + stub.latency()
        time.sleep(max(0.0, due - time.monotonic()))
        # Noted before it is sent: whoever has the answer finds the call in the list.
        now = time.monotonic()
        stub.calls.append(Call(stub.service, *labels, self.arrived, now, refusal))
        stub.late.append(now - due)
        types = {"Content-Type": stub.content_type, "x-amzn-RequestId": str(uuid.uuid4())}
        self.answer(status, json.dumps(answer).encode(), types)


class _Stub(Server):
    service: str
    content_type = "application/x-amz-json-1.0"

    def __init__(self, calls: collections.deque[Call], tls: ssl.SSLContext | None) -> None:
        super().__init__(_StubHandler, tls)
        self.calls = calls
        # By how many seconds each answer was later than it should be.
        self.late: list[float] = []

    def latency(self) -> float:
        return LATENCIES[self.service]

    def labels(self, request: Request) -> tuple[str, str, str]:
        """The operation; of a send also the person and the message's metadata."""
        raise NotImplementedError

    def respond(self, request: Request) -> Json:
        """The answer; raises `Refusal`."""
        raise NotImplementedError

    def refused(self, error: Refusal) -> Json:
        """The body of a refusal."""
        return {"__type": error.code, "message": str(error), **error.rest}


class _Aws(_Stub):
    """A service of AWS that speaks AWS JSON."""

    def labels(self, request: Request) -> tuple[str, str, str]:
        return request.headers.get("x-amz-target", "").rpartition(".")[2], "", ""

    def respond(self, request: Request) -> Json:
        _check_signature(self.service, request)
        return self.perform(self.labels(request)[0], request.content)

    def perform(self, operation: str, content: bytes) -> Json:
        """Carry out a signed request; raises `Refusal`."""
        found = self.operations().get(operation)
        if found is None:
            raise Refusal(400, "UnknownOperationException", f"The stub of {self.service} does not know {operation}.")
        return found(json.loads(content))

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        """What it can do, by AWS's names."""
        return {}


class _Ssm(_Aws):
    service, content_type = "ssm", "application/x-amz-json-1.1"

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        return {"GetParametersByPath": self._parameters}

    def _parameters(self, request: Json) -> Json:
        if request["Path"] != SECRETS_PATH or request.get("WithDecryption") is not True:
            raise Refusal(400, "ValidationException", "Ask for the secrets' path, with decryption.")
        found = [
            {"Name": f"{SECRETS_PATH}/{name}", "Type": "SecureString", "Value": value, "Version": 1}
            for name, value in SECRET_VALUES.items()
        ]
        return {"Parameters": found}


class _Sqs(_Aws):
    service = "sqs"

    def __init__(self, calls: collections.deque[Call], tls: ssl.SSLContext | None) -> None:
        super().__init__(calls, tls)
        self.queues: dict[str, list[Json]] = {EVENTS: [], DEAD_LETTERS: []}
        self._seen: set[tuple[str, str]] = set()

    def operations(self) -> Mapping[str, Callable[[Json], Json]]:
        return {"SendMessageBatch": self._send, "ChangeMessageVisibilityBatch": self._hide}

    def _send(self, request: Json) -> Json:
        url, entries = request["QueueUrl"], request["Entries"]
        if url not in self.queues:
            raise Refusal(400, "QueueDoesNotExist", f"There is no queue {url}.")
        if not 1 <= len(entries) <= BATCH_MESSAGES or len({each["Id"] for each in entries}) != len(entries):
            raise Refusal(400, "InvalidBatchEntryId", "A batch holds 1 to 10 entries with distinct ids.")
        return {"Successful": [self._sent(url, each) for each in entries], "Failed": []}

    def _hide(self, request: Json) -> Json:
        return {"Successful": [{"Id": each["Id"]} for each in request["Entries"]], "Failed": []}

    def take(self) -> list[Json]:
        """The messages of the event queue as Lambda passes them to a function, at most ten; they leave the queue."""
        events = self.queues[EVENTS]
        taken, events[:] = events[:BATCH_MESSAGES], events[BATCH_MESSAGES:]
        return taken

    def _sent(self, url: str, entry: Json) -> Json:
        group, deduplication = entry.get("MessageGroupId", ""), entry.get("MessageDeduplicationId", "")
        if not all(1 <= len(each) <= ID_CHARACTERS for each in (group, deduplication)):
            raise Refusal(400, "MissingParameter", "A FIFO queue needs a message group and a de-duplication id.")
        message, digest = str(uuid.uuid4()), hashlib.md5(entry["MessageBody"].encode(), usedforsecurity=False)
        sent = {"Id": entry["Id"], "MessageId": message, "MD5OfMessageBody": digest.hexdigest()}
        if (url, deduplication) in self._seen:
            return sent
        self._seen.add((url, deduplication))
        now = str(round(time.time() * 1000))
        attributes = {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": now,
            "SequenceNumber": f"{len(self._seen):020}",
            "MessageGroupId": group,
            "SenderId": "AROABENCH:bench",
            "MessageDeduplicationId": deduplication,
            "ApproximateFirstReceiveTimestamp": now,
        }
        self.queues[url].append(
            {
                "messageId": message,
                "receiptHandle": uuid.uuid4().hex,
                "body": entry["MessageBody"],
                "attributes": attributes,
                "messageAttributes": {},
                "md5OfBody": digest.hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:000000000000:{url.rpartition('/')[2]}",
                "awsRegion": REGION,
            }
        )
        return sent


class _DynamoDb(_Aws):
    """MiniStack's DynamoDB, with one table whose key is `id`."""

    service = "dynamodb"

    def __init__(self, calls: collections.deque[Call], tls: ssl.SSLContext | None) -> None:
        super().__init__(calls, tls)
        self._one = threading.Lock()
        table = {
            "TableName": TABLE,
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        self.perform("CreateTable", json.dumps(table).encode())

    def perform(self, operation: str, content: bytes) -> Json:
        headers = {"x-amz-target": f"DynamoDB_20120810.{operation}"}
        with self._one:
            # It is a coroutine for the sake of MiniStack's server and waits for nothing.
            try:
                dynamodb.handle_request("POST", "/", headers, content, {}).send(None)
            except StopIteration as done:
                status, _, answered = done.value
        answer: Json = json.loads(answered)
        if status != 200:
            code, reason = answer.pop("__type", "Unknown"), answer.pop("message", "")
            raise Refusal(status, code, reason, **answer)
        return answer


class _Graph(_Stub):
    """The Send API."""

    service, content_type = "graph", "application/json"
    takes = 0.0
    proof = hmac.digest(APP_SECRET.encode(), TOKEN.encode(), "sha256").hex()

    def latency(self) -> float:
        return self.takes

    def labels(self, request: Request) -> tuple[str, str, str]:
        try:
            body = json.loads(request.content)
            return "send", str(body["recipient"]["id"]), str(body.get("message", {}).get("metadata", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refusal(400, "100", "A send is JSON with a recipient.") from None

    def respond(self, request: Request) -> Json:
        url, body = urlsplit(request.path), json.loads(request.content)
        proof = parse_qs(url.query).get("appsecret_proof")
        if request.headers.get("authorization") != f"Bearer {TOKEN}" or proof != [self.proof]:
            raise Refusal(400, "190", "The token or its proof is wrong.")
        if url.path != f"/{GRAPH_VERSION}/{PAGE}/messages" or not ("message" in body or "sender_action" in body):
            raise Refusal(400, "100", "This is not a call of the Send API.")
        answer = {"recipient_id": body["recipient"]["id"]}
        return answer | ({"message_id": f"m_{uuid.uuid4().hex}"} if "message" in body else {})

    def refused(self, error: Refusal) -> Json:
        return {"error": {"message": str(error), "type": "OAuthException", "code": int(error.code)}}


def _check_signature(service: str, request: Request) -> None:
    """Sign the request once more, with botocore, and compare; raises `Refusal`."""
    headers = request.headers
    found = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    if found is None or (found["key"], found["region"], found["service"]) != (KEY, REGION, service):
        raise Refusal(403, "IncompleteSignatureException", "The request is not signed, or not for this service.")
    signed = {name: headers.get(name, "") for name in found["names"].split(";")}
    if not {"host", "x-amz-date"} <= signed.keys() or signed.get("x-amz-security-token") != SESSION:
        raise Refusal(403, "UnrecognizedClientException", "The signature covers too little, or another session.")
    # No clock is compared: both sides are one machine.
    again = AWSRequest("POST", f"http://{headers['host']}{request.path}", headers=signed, data=request.content)
    again.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(Credentials(KEY, SECRET), service, REGION)
    expected = auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again)
    if not hmac.compare_digest(expected, found["signature"]):
        raise Refusal(403, "InvalidSignatureException", "The signature does not match.")


def _run(pipe: multiprocessing.connection.Connection, certificate: tuple[str, str] | None) -> None:
    """Serve until the other end of the pipe closes, and answer what it asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(SWITCH_SECONDS)
    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*certificate)
    calls: collections.deque[Call] = collections.deque()
    ssm, sqs, ledger, graph = _Ssm(calls, tls), _Sqs(calls, tls), _DynamoDb(calls, tls), _Graph(calls, tls)

    def take_calls() -> list[Call]:
        taken = list(calls)
        calls.clear()
        return taken

    def graph_takes(seconds: float) -> None:
        graph.takes = seconds

    asked: dict[str, Callable[..., object]] = {
        "take_calls": take_calls,
        "take_messages": sqs.take,
        "dead_letters": lambda: sqs.queues[DEAD_LETTERS],
        "graph_takes": graph_takes,
        "late": lambda: [seconds for each in (ssm, sqs, ledger, graph) for seconds in each.late],
    }
    with ExitStack() as ending:
        for each in (ssm, sqs, ledger, graph):
            ending.enter_context(serving(each))
        pipe.send({each.service: each.url for each in (ssm, sqs, ledger, graph)})
        while True:
            try:
                name, arguments = pipe.recv()
            except EOFError:
                return
            pipe.send(asked[name](*arguments))


class Stubs:
    """The stubs' process.

    Args:
        certificate: files with the certificate and the key that they show, if they speak TLS.

    Attributes:
        urls: the origin of each service.
    """

    def __init__(self, certificate: tuple[str, str] | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_run, args=(other, certificate), daemon=True)
        self._process.start()
        other.close()
        self.urls: dict[str, str] = self._received(START_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pipe.close()
        self._process.join(ANSWER_SECONDS)
        self._process.kill()

    def graph_takes(self, seconds: float) -> None:
        """Let the Graph API answer after so many seconds from now on."""
        self._ask("graph_takes", seconds)

    def take_calls(self) -> Sequence[Call]:
        """The calls since the last time, in the order of their answers.

        Raises:
            BenchError: one was refused for another reason than the ledger's own condition: what is measured is then
                not what should be.
        """
        calls: list[Call] = self._ask("take_calls")
        for call in calls:
            if call.refusal and not call.refusal.startswith(CONDITION):
                raise BenchError(f"A stub refused {call.name}: {call.refusal}")
        return calls

    def take_messages(self) -> list[Json]:
        """Up to ten messages of the event queue, which leave it, as Lambda passes them to a function."""
        messages: list[Json] = self._ask("take_messages")
        return messages

    def dead_letters(self) -> list[Json]:
        """What the dead-letter queue holds."""
        letters: list[Json] = self._ask("dead_letters")
        return letters

    def late(self) -> list[float]:
        """By how many seconds each answer so far was later than its service's latency."""
        late: list[float] = self._ask("late")
        return late

    def _ask(self, name: str, *arguments: object) -> Any:
        self._pipe.send((name, arguments))
        return self._received(ANSWER_SECONDS)

    def _received(self, seconds: float) -> Any:
        try:
            if self._pipe.poll(seconds):
                return self._pipe.recv()
        except EOFError:
            pass
        raise BenchError("The stubs do not answer: look for an error above.")
