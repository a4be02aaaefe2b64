"""Each documented webhook, signed and sent to the running stack."""

import json
import re
from urllib.request import Request, urlopen

from bot.dialogue.middleware import DISCLOSURES
from bot.messenger.signature import sign
from sandbox.local import Sandbox, new_person
from tests.examples import EXAMPLES, PAGES, PEOPLE, Json, body
from tests.system.planted import letters


def test_every_documented_webhook_is_answered_as_it_should_be(sandbox: Sandbox) -> None:
    described, before = sandbox.described(), len(sandbox.requests())
    dead = letters(sandbox)
    wrong, names = [], {}
    for example in EXAMPLES:
        here = {page: sandbox.page_id.encode() for page in PAGES} | {each: new_person().encode() for each in PEOPLE}
        names[example["id"]] = here
        signed = replaced(body(example), here)
        headers = {"X-Hub-Signature-256": sign(signed, described["appSecret"])}
        with urlopen(Request(described["webhookUrl"], signed, headers), timeout=20) as answer:
            assert answer.status == 200, example["id"]
    sandbox.settle()

    sent = [
        each for each in sandbox.requests()[before:] if each["path"].endswith(("/messages", "/pass_thread_control"))
    ]
    assert {each["status"] for each in sent} == {200}
    for example in EXAMPLES:
        expected = json.loads(replaced(json.dumps(example["expected"]["answers"]).encode(), names[example["id"]]))
        for recipient in {json.dumps(each[0]): each[0] for each in expected}.values():
            got = [shown(each) for each in sent if each["body"]["recipient"] == recipient]
            if got != [text for address, text in expected if address == recipient]:
                wrong.append((example["id"], recipient, got))
    assert not wrong
    assert len(sent) == sum(len(example["expected"]["answers"]) for example in EXAMPLES)
    unusable = [letter for example in EXAMPLES for letter in example["expected"].get("letters", [])]
    assert letters(sandbox) - dead == len(unusable) > 0


def shown(request: Json) -> str:
    """The beginning of a message, without the sentence that says that this is a bot; the name of another call."""
    if "message" not in request["body"]:
        return str(request["path"].rpartition("/")[2])
    text = str(request["body"]["message"]["text"])
    for sentence in DISCLOSURES.values():
        text = text.removeprefix(f"{sentence}\n\n")
    return text[:16]


def replaced(content: bytes, names: dict[bytes, bytes]) -> bytes:
    """The content with the page and the people of this test."""
    return re.sub(b"|".join(names), lambda found: names[found[0]], content)
