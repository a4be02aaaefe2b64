"""An emulated AWS with nothing deployed, and a stand-in for the Graph API."""

import hashlib
import hmac
import http.client
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest
from starlette.types import Receive, Scope, Send

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import OWNER, Cloud
from sandbox.background import Background
from sandbox.facebook.graph import Graph
from sandbox.provider.account import Account
from sandbox.serving import Server
from tests.system.facebook import PlayedFacebook, old_webhook, played

REGION = "eu-central-1"
PAGE, APP, TOKEN, SECRET = "1000", "2000", "page-token", "app-secret"
PROOF = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    running = Cloud(REGION)
    try:
        running.start()
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def owner(cloud: Cloud) -> Clients:
    return Clients(cloud.url, REGION, OWNER)


@pytest.fixture
def account(cloud: Cloud, owner: Clients) -> Account:
    return Account(cloud.url, REGION, owner, owner)


@pytest.fixture
def name() -> str:
    return f"t{secrets.token_hex(4)}"


@pytest.fixture
def role(owner: Clients, name: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return str(owner("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])


@pytest.fixture
def facebook(background: Background) -> Iterator[PlayedFacebook]:
    with played(background) as playing:
        yield playing


@pytest.fixture
def old(facebook: PlayedFacebook) -> Iterator[str]:
    """The webhook of another bot, which the page has."""
    with old_webhook() as url:
        facebook.register(url)
        yield url


class Answered(NamedTuple):
    status: int
    body: dict[str, Any]


class Api:
    """Calls a stand-in as the bot does."""

    def __init__(self, graph: Graph, url: str) -> None:
        self.graph, self.url = graph, url
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        token: str = TOKEN,
        proof: str = PROOF,
        content_type: str = "application/json",
    ) -> Answered:
        headers = {"content-type": content_type} | ({"authorization": f"Bearer {token}"} if token else {})
        query = ("&" if "?" in path else "?") + urlencode({"appsecret_proof": proof}) if proof else ""
        content = body if body is None or content_type != "application/json" else json.dumps(body)
        self._connection.request(method, path + query, content, headers)  # type: ignore[arg-type]  # text or nothing
        answer = self._connection.getresponse()
        return Answered(answer.status, json.loads(answer.read() or b"{}"))

    def send(self, **changes: object) -> Answered:
        body = {"recipient": {"id": "7"}, "messaging_type": "RESPONSE", "message": {"text": "Hello"}, **changes}
        return self.call(
            "POST", f"/v26.0/{PAGE}/messages", {key: value for key, value in body.items() if value is not None}
        )

    def error(self, answered: Answered) -> tuple[int, int | None]:
        return answered.body["error"]["code"], answered.body["error"].get("error_subcode")

    def put_faults(self, faults: object) -> int:
        return self.call("PUT", "/_sandbox/faults", faults).status

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    running = Background()
    yield running
    running.stop()


@pytest.fixture
def echoes() -> list[tuple[Mapping[str, Any], float]]:
    return []


@contextmanager
def served(background: Background) -> Iterator[Api]:
    """A stand-in that answers, as long as it has the same `graph` or another; person 7 has written to the page."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asking.graph.app(scope, receive, send)

    server = Server(app, 0, "a test")
    background.run(server.start())
    asking = Api(graph_of_person_7(), server.url)
    yield asking
    asking.close()
    background.run(server.stop())


def graph_of_person_7(echo: Callable[[Mapping[str, Any], float], None] = lambda *_: None) -> Graph:
    graph = Graph(PAGE, APP, TOKEN, SECRET, echo=echo)
    graph.note_message("7")
    return graph


@pytest.fixture(scope="session")
def stand_in(background: Background) -> Iterator[Api]:
    """Served once: to start and stop a server takes longer than most tests."""
    with served(background) as asking:
        yield asking


@pytest.fixture
def api(echoes: list[tuple[Mapping[str, Any], float]], stand_in: Api) -> Iterator[Api]:
    stand_in.graph = graph_of_person_7(lambda item, delay: echoes.append((item, delay)))
    asking = Api(stand_in.graph, stand_in.url)
    yield asking
    asking.close()
