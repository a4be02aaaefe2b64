"""The proxy at the tunnel's end: whatever comes, only Facebook's webhooks pass."""

import http.client
import itertools
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest

from bot.messenger.signature import sign
from sandbox.background import Background
from sandbox.facebook.webhooks import Posted
from sandbox.tunnel import LARGEST_BODY, TunnelProxy
from tests.bot.servers import Served, serve

SECRET = "app-secret"
WEBHOOK = "/restapis/a1/live/_user_request_/webhook"
QUESTION = "hub.mode=subscribe&hub.verify_token=word&hub.challenge=42"
KEY = "AWS4-HMAC-SHA256 Credential=test/20261125/eu-central-1/{}/aws4_request, SignedHeaders=host, Signature=0"

# What opens the emulated AWS to whoever reaches it, as request lines and headers.
PATHS = (
    "/",
    "/_ministack/reset",
    "/_ministack/health",
    "/_localstack/state",
    "/webhook/",
    "//webhook",
    "/webhook/../_ministack/reset",
    "/webhook/..%2f_ministack/reset",
    "/../webhook",
    "/%77ebhook",
    "/webhook%00",
    "/webhook%2f..%2f_ministack%2freset",
    "/webhook;/../_ministack/reset",
    "/WEBHOOK",
    "/webhook.json",
    "/webhooks",
    "/2015-03-31/functions",
    "/2015-03-31/functions/bot/invocations",
    "/restapis",
    "/restapis/a1/live/_user_request_/webhook",
    "/000000000000/innolab-fbm-local-events-queue.fifo",
    "/_sandbox/requests",
    "/_sandbox/stack",
    "/api/memory?person=1",
    "http://127.0.0.1:4570/_ministack/reset",
    "http://127.0.0.1:4570/webhook",
)
METHODS = ("GET", "POST", "DELETE")
QUERIES = (
    "Action=ListUsers&Version=2010-05-08",
    "Action=DeleteQueue",
    "?/_ministack/reset",
    "X-Amz-Credential=test%2Fs3",
)
HEADERS = (
    ("X-Amz-Target", "DynamoDB_20120810.ListTables"),
    ("X-Amz-Target", "AmazonSSM.GetParametersByPath"),
    ("Authorization", KEY.format("iam")),
    ("Authorization", KEY.format("dynamodb")),
    ("Host", "bucket.s3.amazonaws.com"),
    ("Host", "a1.execute-api.localhost"),
    ("X-Forwarded-Host", "iam.amazonaws.com"),
    ("X-Original-URL", "/_ministack/reset"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("Content-Type", "application/x-www-form-urlencoded"),
    ("Connection", "Upgrade\r\nUpgrade: websocket"),
    ("Connection", "X-Hub-Signature-256"),
)
FORM = "Action=ListUsers&Version=2010-05-08"


def request(method: str, target: str, header: tuple[str, str] = ("Host", "bot.example.org"), body: str = "") -> bytes:
    host = "" if header[0] == "Host" else "Host: bot.example.org\r\n"
    head = f"{method} {target} HTTP/1.1\r\n{host}{header[0]}: {header[1]}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n{body}".encode("latin-1")


def to_other_paths() -> list[bytes]:
    return [request(method, path) for method, path in itertools.product(METHODS, PATHS)]


def to_the_webhook_and_more() -> Iterator[bytes]:
    for method, query in itertools.product(METHODS, QUERIES):
        yield request(method, f"/webhook?{query}", body=FORM)
    for method, header in itertools.product(("GET", "POST"), HEADERS):
        yield request(method, "/webhook", header, FORM)
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "CONNECT", "PROPFIND"):
        yield request(method, "/webhook", body=FORM)
    inner = "GET /_ministack/reset HTTP/1.1\r\nHost: x\r\n\r\n"
    for headers, body in (
        ("Content-Length: 0\r\nTransfer-Encoding: chunked", f"0\r\n\r\n{inner}"),
        (f"Content-Length: {len(inner)}\r\nContent-Length: 0", inner),
        ("X-Hub-Signature-256: a\nX-Amz-Target: AmazonSSM.GetParameter", inner),
        (f"Content-Length: {len(inner)}", inner + inner),
    ):
        yield f"POST /webhook HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{body}".encode()


class Tunnel:
    """The proxy, and what reaches the emulated AWS behind it."""

    def __init__(self, background: Background) -> None:
        self.reached: list[Served] = []
        self.observed: list[Posted] = []
        self.answer = (200, b"")
        self._background = background

    def take(self, request: Served) -> tuple[int, bytes]:
        self.reached.append(request)
        return self.answer

    def open(self, aws: str) -> None:
        self.proxy = TunnelProxy(0, lambda: f"{aws}{WEBHOOK}", SECRET)
        self.proxy.observe = self.observed.append
        self._background.run(self.proxy.start())

    def close(self) -> None:
        self._background.run(self.proxy.stop())

    def ask(self, target: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self.proxy.url + target, body, sent), timeout=10
            ) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def throw(self, request: bytes) -> None:
        """Send bytes, and read whatever comes."""
        address = urlsplit(self.proxy.url)
        with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass


@pytest.fixture
def tunnel(background: Background) -> Iterator[Tunnel]:
    made = Tunnel(background)
    with serve(made.take) as aws:
        made.open(aws)
        yield made
        made.close()


def test_over_a_hundred_hostile_requests_reach_nothing_but_the_webhook(tunnel: Tunnel) -> None:
    elsewhere, to_the_webhook = to_other_paths(), list(to_the_webhook_and_more())
    assert len(elsewhere) + len(to_the_webhook) > 100

    for each in elsewhere:
        tunnel.throw(each)
    assert tunnel.reached == []

    for each in to_the_webhook:
        tunnel.throw(each)
    assert tunnel.reached, "some of them are webhooks with something beside it"
    for reached in tunnel.reached:
        path, _, query = reached.path.partition("?")
        assert (reached.method in ("GET", "POST"), path, query) == (True, WEBHOOK, "")
        names = {name.lower() for name in reached.headers}
        assert names <= {"host", "accept-encoding", "content-length", "content-type", "x-hub-signature-256"}
        assert reached.headers["Host"].startswith("127.0.0.1:")
        assert reached.headers.get("Content-Type", "application/json") == "application/json"
    assert tunnel.observed == []


def test_a_handshake_and_a_signed_webhook_pass_and_come_back_as_they_are(tunnel: Tunnel) -> None:
    tunnel.answer = 200, b"42"
    body = json.dumps({"object": "page", "entry": []}).encode()

    assert tunnel.ask(f"/webhook?{QUESTION}&Action=ListUsers") == (200, b"42")
    assert tunnel.ask("/webhook", body, x_hub_signature_256=sign(body, SECRET)) == (200, b"42")

    asked, posted = tunnel.reached
    assert parse_qsl(asked.path.partition("?")[2]) == parse_qsl(QUESTION)
    assert (posted.path, posted.body) == (WEBHOOK, body)
    assert {name.lower(): value for name, value in posted.headers.items()}["x-hub-signature-256"] == sign(body, SECRET)


def test_only_what_facebook_signed_is_shown_with_the_answer_it_got(tunnel: Tunnel) -> None:
    tunnel.answer = 503, b"{}"
    body = b'{"object":"page","entry":[]}'

    assert tunnel.ask("/webhook", body, x_hub_signature_256=sign(body, "another"))[0] == 503
    assert tunnel.ask("/webhook", body)[0] == 503
    assert tunnel.observed == []
    assert tunnel.ask("/webhook", body, x_hub_signature_256=sign(body, SECRET))[0] == 503

    assert [(each.body, each.status) for each in tunnel.observed] == [(body, 503)]


def test_a_body_beyond_what_a_rest_api_takes_is_refused_unread(tunnel: Tunnel) -> None:
    address = urlsplit(tunnel.proxy.url)
    connection = http.client.HTTPConnection(address.netloc, timeout=10)

    connection.request("POST", "/webhook", iter([b"x" * LARGEST_BODY, b"x"]))

    assert connection.getresponse().status == 413
    assert tunnel.reached == []
    connection.close()


def test_facebook_is_told_to_come_again_while_the_webhook_is_away(background: Background) -> None:
    away = Tunnel(background)
    away.open("http://127.0.0.1:9")

    assert away.ask("/webhook", b"{}")[0] == 503
    away.close()
