"""The client with which the bot calls AWS: signed JSON over kept connections.

SQS, SSM and DynamoDB all take a JSON body and name the operation in a header; Lex and Lambda name it in the path. So
one small function serves all of them. It is not boto3 because a client object of boto3 takes longer to start than the
whole bot. Signatures follow "Signature Version 4" of the AWS General Reference.
"""

import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from bot.http import NotSent, Pool, Requester, Response, Unanswered


class Protocol(NamedTuple):
    """How to call a service.

    Attributes:
        host: the first part of its own endpoint's name.
        setting: the last part of the environment variable that names another endpoint.
        content_type: of its requests.
        target: precedes the operation's name in a header; empty where the path names the operation.
    """

    host: str
    setting: str
    content_type: str
    target: str


PROTOCOLS = {
    "dynamodb": Protocol("dynamodb", "DYNAMODB", "application/x-amz-json-1.0", "DynamoDB_20120810"),
    "lambda": Protocol("lambda", "LAMBDA", "application/json", ""),
    "lex": Protocol("runtime-v2-lex", "LEX_RUNTIME_V2", "application/json", ""),
    "sqs": Protocol("sqs", "SQS", "application/x-amz-json-1.0", "AmazonSQS"),
    "ssm": Protocol("ssm", "SSM", "application/x-amz-json-1.1", "AmazonSSM"),
}

# Codes that say "later", whatever their HTTP status: "Common errors" of each service's API reference.
THROTTLED = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
OK, SERVER_ERROR = 200, 500
RETRY_PAUSE_SECONDS = 0.1
# A function signs for five services; yesterday's keys go as new ones come.
SIGNING_KEYS = 8


class AwsError(Exception):
    """A call that AWS refused or did not answer.

    The text names the operation and AWS's error code and never repeats what was sent or received: that may be a secret.

    Attributes:
        code: AWS's error code without its namespace, such as `ConditionalCheckFailedException`; `NotSent` or
            `Unanswered` where no answer came.
        status: the HTTP status, 0 without an answer.
        reasons: for a cancelled transaction, the code of each of its parts.
    """

    def __init__(self, operation: str, code: str, status: int, reasons: tuple[str, ...] = ()) -> None:
        super().__init__(f"{operation}: AWS answered {status} {code}." if status else f"{operation}: {code}.")
        self.code, self.status, self.reasons = code, status, reasons

    @property
    def transient(self) -> bool:
        """Whether the same call may work later."""
        return self.status == 0 or self.status >= SERVER_ERROR or self.code in THROTTLED

    @property
    def invalid(self) -> bool:
        """Whether the request itself is wrong, as one is with an item larger than DynamoDB takes."""
        return self.code == "ValidationException" or "ValidationError" in self.reasons

    @property
    def refused(self) -> bool:
        """Whether AWS certainly did nothing."""
        return self.code == "NotSent" or (self.status != 0 and self.status < SERVER_ERROR)


class Credentials(NamedTuple):
    """What a request is signed with."""

    key: str
    secret: str
    token: str


class Aws:
    """Calls to AWS in one region, with the function's own credentials.

    Args:
        environ: the function's environment: region, credentials, and endpoints where they are not AWS's own.
        now: the clock, in seconds since the epoch.
        connect: makes the connections to an origin.
        pause: waits so many seconds.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        now: Callable[[], float] = time.time,
        connect: Callable[[str], Requester] = Pool,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._environ, self._now, self._connect, self._pause = environ, now, connect, pause
        self._region = environ["AWS_REGION"]
        self._credentials = Credentials(
            environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], environ.get("AWS_SESSION_TOKEN", "")
        )
        self._connections: dict[str, Requester] = {}

    def call(
        self,
        service: str,
        operation: str,
        request: dict[str, Any],
        *,
        path: str = "/",
        timeout: float = 2.0,
        repeatable: bool = True,
    ) -> dict[str, Any]:
        """Call one operation with its parameters, as `post` does; the result as a JSON object."""
        body = json.dumps(request, separators=(",", ":")).encode()
        return _parsed(self.post(service, operation, body, path=path, timeout=timeout, repeatable=repeatable))

    def post(
        self, service: str, operation: str, body: bytes, *, path: str, timeout: float, repeatable: bool
    ) -> Response:
        """Call one operation, with one more try after a pause with jitter where that is safe.

        Args:
            service: one of `PROTOCOLS`; as it is named in signatures.
            operation: as the API reference names it, such as `SendMessageBatch`.
            body: the request.
            path: with every part percent-encoded, where it names the operation.
            timeout: seconds for each of at most two tries.
            repeatable: whether doing it twice is the same as doing it once. If not, it is tried again only where AWS
                certainly did nothing the first time.

        Raises:
            AwsError: AWS refused, or no answer came.
        """
        try:
            return self._once(service, operation, body, path, timeout)
        except AwsError as error:
            if not error.transient or not (repeatable or error.refused):
                raise
        self._pause(RETRY_PAUSE_SECONDS * os.urandom(1)[0] / 255)
        return self._once(service, operation, body, path, timeout)

    def _once(self, service: str, operation: str, body: bytes, path: str, timeout: float) -> Response:
        protocol = PROTOCOLS[service]
        origin = endpoint(service, self._region, self._environ)
        headers = {"content-type": protocol.content_type, "host": origin.split("://", 1)[1]}
        if protocol.target:
            headers["x-amz-target"] = f"{protocol.target}.{operation}"
        by, now = self._credentials, self._now()
        signed = sign(headers, body, path=path, service=service, region=self._region, by=by, now=now)
        if origin not in self._connections:
            self._connections[origin] = self._connect(origin)
        try:
            answer = self._connections[origin].request("POST", path, signed, body, timeout)
        except (NotSent, Unanswered) as error:
            raise AwsError(operation, type(error).__name__, 0) from None
        if answer.status != OK:
            raise _refusal(operation, answer, _parsed(answer))
        return answer


def endpoint(service: str, region: str, environ: Mapping[str, str]) -> str:
    """The origin of a service: the one that the environment names, or AWS's own.

    Source: "Service-specific endpoints" in the AWS SDKs and Tools Reference Guide.
    """
    protocol = PROTOCOLS[service]
    named = environ.get(f"AWS_ENDPOINT_URL_{protocol.setting}") or environ.get("AWS_ENDPOINT_URL")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return (named or f"https://{protocol.host}.{region}.{suffix}").rstrip("/")


def sign(
    headers: dict[str, str], body: bytes, *, path: str, service: str, region: str, by: Credentials, now: float
) -> dict[str, str]:
    """The headers of a POST without a query string, with AWS's signature (version 4) and what it covers.

    Args:
        headers: what is sent, `host` among them, with lower-case names.
        body: what is sent.
        path: as it is sent.
        service: such as `sqs`.
        region: such as `eu-central-1`.
        by: the credentials to sign with.
        now: seconds since the epoch.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    covered = headers | {"x-amz-date": stamp}
    if by.token:
        covered["x-amz-security-token"] = by.token
    names = ";".join(sorted(covered))
    lines = "".join(f"{name}:{covered[name].strip()}\n" for name in sorted(covered))
    # The path is encoded once more than it is sent: all services but S3 want it so.
    canonical = "\n".join(["POST", quote(path, safe="/-_.~"), "", lines, names, hashlib.sha256(body).hexdigest()])
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.digest(_signing_key(by.secret, scope), to_sign.encode(), "sha256").hex()
    authorization = f"AWS4-HMAC-SHA256 Credential={by.key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return covered | {"authorization": authorization}


@lru_cache(SIGNING_KEYS)
def _signing_key(secret: str, scope: str) -> bytes:
    """Good for a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _parsed(answer: Response) -> dict[str, Any]:
    try:
        result = json.loads(answer.body or b"{}")
    except ValueError:
        return {}
    return result if isinstance(result, dict) else {}


def _refusal(operation: str, answer: Response, result: dict[str, Any]) -> AwsError:
    # DynamoDB and SSM put the code into the body, SQS the one of its API reference into a header, Lex and
    # Lambda into another.
    headers = answer.headers
    named = headers.get("x-amzn-query-error", "").split(";")[0] or headers.get("x-amzn-errortype", "").split(":")[0]
    named = named or str(result.get("__type", "Unknown"))
    reasons = tuple(str(part.get("Code")) for part in result.get("CancellationReasons", []))
    return AwsError(operation, named.rsplit("#", 1)[-1].rsplit(".", 1)[-1], answer.status, reasons)
