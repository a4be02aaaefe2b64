"""Media that are sent again and again are uploaded first."""

import json
from typing import Any

import pytest

from tests.sandbox.conftest import PAGE, Api

PATH = f"/v26.0/{PAGE}/message_attachments"


def attachment(**payload: object) -> dict[str, object]:
    return {"attachment": {"type": "image", "payload": {"is_reusable": True, **payload}}}


def fields(**parts: bytes) -> bytes:
    """The body of a form with the boundary `b`."""
    head = b'--b\r\nContent-Disposition: form-data; name="%s"%s\r\n'
    return b"".join(head % (name.encode(), part) for name, part in parts.items()) + b"--b--\r\n"


@pytest.mark.parametrize(
    "body",
    [
        {"message": attachment()},
        {"message": attachment(url="example.org/a.png")},
        {"message": attachment(url="https://example.org/a.png", is_reusable=False)},
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
        (fields(message=written(attachment()), filedata=FILE).removesuffix(b"--b--\r\n"), 400),
    ],
)
def test_only_a_valid_form_uploads_a_file(api: Api, body: bytes, status: int) -> None:
    assert api.call("POST", PATH, body, content_type="multipart/form-data; boundary=b").status == status
