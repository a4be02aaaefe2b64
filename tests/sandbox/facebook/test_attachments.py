"""Media that are sent again and again are uploaded first."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.messenger.messages import Media
from sandbox.background import Background
from sandbox.facebook.graph import Graph
from sandbox.serving import Server
from tests.sandbox.conftest import APP, PAGE, PROOF, SECRET, TOKEN, Api

PATH = f"/v26.0/{PAGE}/message_attachments"


def attachment(**payload: object) -> dict[str, object]:
    return {"attachment": {"type": "image", "payload": {"is_reusable": True, **payload}}}


def fields(**parts: bytes) -> bytes:
    """The body of a form with the boundary `b`."""
    head = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n'
    return b"".join(head % (name.encode(), part) for name, part in parts.items()) + b"--b--\r\n"


@pytest.fixture
def graph() -> Graph:
    return Graph(PAGE, APP, TOKEN, SECRET)


@pytest.fixture
def url(graph: Graph, background: Background) -> Iterator[str]:
    server = Server(graph.app, 0, "a test")
    background.run(server.start())
    yield server.url
    background.run(server.stop())


def test_a_medium_is_uploaded_by_its_url_and_sent_by_its_id(api: Api) -> None:
    kept = api.call("POST", PATH, {"message": attachment(url="https://example.org/a.png")}).body["attachment_id"]

    assert kept.isdigit()
    assert api.send(message=Media("image", attachment_id=kept).content()).status == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"message": {}},
        {"message": attachment()},
        {"message": attachment(url="example.org/a.png")},
        {"message": attachment(url="https://example.org/a.png", is_reusable=False)},
        {"message": attachment(url="https://example.org/a.png", surprise=1)},
        {"message": {"attachment": {"type": "template", "payload": {"is_reusable": True, "url": "https://e.org"}}}},
    ],
)
def test_an_upload_that_the_platform_does_not_allow_is_refused(api: Api, body: dict[str, Any]) -> None:
    answered = api.call("POST", PATH, body)

    assert (answered.status, api.error(answered)) == (400, (100, None))


def written(message: dict[str, object]) -> bytes:
    return b"\r\n\r\n" + json.dumps(message).encode() + b"\r\n"


FILE = b'; filename="a.png"\r\nContent-Type: image/png\r\n\r\nx'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (fields(message=written(attachment()), filedata=FILE), 200),
        (fields(message=written(attachment()), filedata=FILE.replace(b"x", bytes(25 * 1024 * 1024))), 200),
        (fields(message=written(attachment()), filedata=FILE.replace(b"x", b"")), 400),
        (fields(message=written(attachment(url="https://e.org")), filedata=FILE), 400),
        (fields(message=b"\r\n\r\nnot JSON\r\n", filedata=FILE), 400),
        (fields(filedata=FILE), 400),
        (b"not a form", 400),
        (fields(message=written(attachment()), filedata=FILE).removesuffix(b"--b--\r\n"), 400),
    ],
)
def test_only_a_valid_form_uploads_a_file(url: str, body: bytes, status: int) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Authorization": f"Bearer {TOKEN}"}
    connection.request("POST", f"{PATH}?appsecret_proof={PROOF}", body, headers)

    assert connection.getresponse().status == status
    connection.close()
