"""Requests from Meta's own pages and from the test suites of well-known SDKs: `tests/data/send-examples.json`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from bot.messenger import errors
from bot.messenger.client import GraphApi
from sandbox.background import Background
from tests.bot.servers import Served, serve
from tests.sandbox.conftest import APP, PAGE, SECRET, TOKEN, Answered, Api, served

Example = dict[str, Any]

EXAMPLES: list[Example] = json.loads(Path("tests/data/send-examples.json").read_text("utf-8"))
ON_INSTAGRAM = "1029384756102938"
# Only the state of a person, a page or a file on the internet makes Facebook refuse the others.
REFUSED_FOR_THEIR_BODY = {
    "err-100-cannot-send-to-id",
    "err-100-empty",
    "err-100-2018014",
    "err-100-2018074",
    "err-100-2534015",
    "err-100-tag-account-update",
    "err-100-tag-post-purchase-update",
    "err-media-2018182",
    "err-media-2018187",
}


# The templates that examples send. Those that create a template leave it as it is.
TEMPLATES = [each["body"] for each in EXAMPLES if each["id"].startswith("template-create-")]
TEMPLATES.append(TEMPLATES[0] | {"name": "order_confirmation", "components": [TEMPLATES[0]["components"][1]]})


def named(*examples: Example) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("example", [pytest.param(each, id=each["id"]) for each in examples])


@pytest.fixture(scope="module")
def api(background: Background) -> Iterator[Api]:
    """One stand-in for all examples: a server for each would take longer than they do."""
    with served(background) as asking:
        asking.graph.note_message(ON_INSTAGRAM, platform="instagram")
        for each in TEMPLATES:
            asking.graph.templates.create(each)
        yield asking


@pytest.fixture(scope="module")
def webhook() -> Iterator[str]:
    """The URL of a webhook that answers the handshake."""

    def confirm(request: Served) -> tuple[int, bytes]:
        return 200, parse_qs(urlsplit(request.path).query)["hub.challenge"][0].encode()

    with serve(confirm) as url:
        yield f"{url}/webhook"


def call(api: Api, example: Example, webhook: str) -> Answered:
    """Make the example's call to the stand-in, encoded as the example is."""
    path, body = example["endpoint"].partition(" ")[0], example["body"]
    of_app = path.startswith("/APP_ID")
    if of_app:
        body = body | {"callback_url": webhook}
    if path.endswith("message_templates"):
        api.graph.templates.replace(each for each in TEMPLATES if each["name"] != body["name"])
    path = "/v26.0" + path.replace("PAGE_ID", PAGE).replace("APP_ID", APP)
    if "filedata" in (body or {}):
        named = {name: (f'"{name}"', text) for name, text in body.items()}
        named["filedata"] = '"filedata"; filename="a.png"', "x"
        head = "--b\r\nContent-Disposition: form-data; name="
        parts = [f"{head}{name}\r\n\r\n{content}\r\n" for name, content in named.values()]
        return api.call("POST", path, "".join(parts) + "--b--\r\n", content_type="multipart/form-data; boundary=b")
    if isinstance((body or {}).get("message"), str):
        return api.call("POST", path, urlencode(body), content_type="application/x-www-form-urlencoded")
    return api.call(example["method"], path, body, token=f"{APP}|{SECRET}" if of_app else TOKEN)


@named(*(each for each in EXAMPLES if each["accepted"]))
def test_an_accepted_request_is_accepted_and_answered_with_the_same_fields(
    api: Api, webhook: str, example: Example
) -> None:
    answered = call(api, example, webhook)

    assert answered.status == 200, answered.body
    if "message_id" in (example["answer"] or ()):
        assert answered.body.keys() == example["answer"].keys()


@named(*(each for each in EXAMPLES if each["id"].startswith("limit-") or each["id"] in REFUSED_FOR_THEIR_BODY))
def test_a_request_that_is_wrong_in_itself_is_refused_with_the_documented_code(
    api: Api, webhook: str, example: Example
) -> None:
    error = call(api, example, webhook).body["error"]

    documented = (example["answer"] or {"error": {"code": 100}})["error"]
    assert (error["code"], error.get("error_subcode")) == (documented["code"], documented.get("error_subcode"))


@named(*(each for each in EXAMPLES if "class" in each))
def test_a_documented_error_is_sorted_by_what_to_do_about_it(api: Api, example: Example) -> None:
    documented = example["answer"]["error"]
    fault = {"status": 200 if "in-200" in example["id"] else 400, "message": documented.get("message", "")}
    fault |= {"code": documented["code"], "subcode": documented.get("error_subcode")}
    api.put_faults({"error": fault, "count": 1})

    with pytest.raises(errors.SendError) as refused:
        GraphApi(api.url, "v26.0", PAGE, TOKEN, SECRET).send({"recipient": {"id": "7"}, "message": {"text": "Hello"}})

    # Of what may be the person or the token, the token is asked about, and here it is valid.
    expected = "Unreachable" if example["class"] == "PersonOrToken" else example["class"]
    assert type(refused.value).__name__ == expected, example["why"]
