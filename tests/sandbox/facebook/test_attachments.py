"""Uploading attachments to send several times: the bot's client against the stand-in."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.messenger.client import UPLOAD, GraphApi
from bot.messenger.errors import Rejected
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


@pytest.fixture
def client(url: str) -> GraphApi:
    return GraphApi(url, "v26.0", PAGE, TOKEN, SECRET)


def test_every_upload_by_url_gets_an_id_of_its_own(client: GraphApi) -> None:
    ids = {client.upload(Media("image", "https://example.org/a.png")) for _ in range(2)}

    assert len(ids) == 2
    assert all(each.isdigit() for each in ids)


def test_a_file_of_any_bytes_is_uploaded_whole_and_sent_by_its_id(graph: Graph, client: GraphApi) -> None:
    content = bytes(range(256)) * 3 + b"\r\n--b--\r\n\n\r\x00"
    kept = client.upload_file("image", "label.png", "image/png", content)

    (request,) = graph.requests()
    file = {"filename": "label.png", "contentType": "image/png", "bytes": len(content)}
    assert request["body"] == {"message": attachment(), "filedata": file}
    graph.note_message("7")
    assert client.send(Media("image", attachment_id=kept).to_request("7"))


def test_a_file_of_25_mb_is_taken(client: GraphApi) -> None:
    assert client.upload_file("file", "a.bin", "application/octet-stream", bytes(UPLOAD))


def test_an_empty_file_is_refused(client: GraphApi) -> None:
    with pytest.raises(Rejected):
        client.upload_file("file", "a.bin", "application/octet-stream", b"")


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


FILE = b'; filename="a.png"\r\nContent-Type: image/png\r\n\r\nx\r\n'


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (fields(message=written(attachment()), filedata=FILE), 200),
        (fields(message=written(attachment(url="https://e.org")), filedata=FILE), 400),
        (fields(message=b"\r\n\r\nnot JSON\r\n", filedata=FILE), 400),
        (fields(filedata=FILE), 400),
        (b"not a form", 400),
        (fields(message=written(attachment()), filedata=FILE).removesuffix(b"--b--\r\n"), 400),
    ],
)
def test_an_invalid_form_is_refused(url: str, body: bytes, status: int) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Authorization": f"Bearer {TOKEN}"}
    connection.request("POST", f"{PATH}?appsecret_proof={PROOF}", body, headers)

    assert connection.getresponse().status == status
    connection.close()
