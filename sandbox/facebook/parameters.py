"""Reads the parameters of a Graph API request: from its query, and from its JSON, form or multipart body."""

import ast
import contextlib
import email
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from sandbox.facebook.errors import invalid_parameter

Json = dict[str, Any]


def read(request: Request, body: bytes) -> Json:
    """All parameters of a request.

    Args:
        request: the request.
        body: its body.

    Raises:
        GraphError: the body is not what its content type says, or its content type is not accepted.
    """
    parameters: Json = dict(request.query_params)
    if not body:
        return parameters
    content_type = request.headers.get("content-type", "")
    for kind, parse in BODIES.items():
        if content_type.startswith(kind):
            parameters |= parse(content_type, body)
            break
    else:
        raise invalid_parameter("The content type must be application/json")
    try:
        json.dumps(parameters, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise invalid_parameter("A parameter must be valid UTF-8: it holds half of a character") from None
    return parameters


def _json(_: str, body: bytes) -> Json:
    try:
        parsed = json.loads(body)
    except ValueError:
        raise invalid_parameter("The body is not valid JSON") from None
    if not isinstance(parsed, dict):
        raise invalid_parameter("The body must be a JSON object")
    return parsed


def _form(_: str, body: bytes) -> Json:
    return {name: _field(text) for name, text in parse_qsl(body.decode("utf-8", "replace"))}


def _field(text: str) -> object:
    """A form's field: an object or a list if it holds one, also in the single quotes of Facebook's example."""
    for parse in (json.loads, ast.literal_eval):
        with contextlib.suppress(ValueError, SyntaxError, RecursionError):
            found = parse(text)
            return found if isinstance(found, (dict, list)) else text
    return text


def _multipart(content_type: str, body: bytes) -> Json:
    """The form's fields: an object where a field holds one; name, type and size where it holds a file."""
    form = email.message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode("latin-1") + body)
    if not form.is_multipart() or form.defects:
        raise invalid_parameter("The body is not a valid form")
    fields: Json = {}
    for part in form.walk():
        name, content = str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True)
        if part.is_multipart() or not isinstance(content, bytes):
            continue
        if part.get_filename() is not None:
            file = {"filename": part.get_filename(), "contentType": part.get_content_type(), "bytes": len(content)}
            fields[name] = file
            continue
        fields[name] = _field(content.decode("utf-8", "replace"))
    return fields


BODIES: Mapping[str, Callable[[str, bytes], Json]] = {
    "application/json": _json,
    "application/x-www-form-urlencoded": _form,
    "multipart/form-data": _multipart,
}
