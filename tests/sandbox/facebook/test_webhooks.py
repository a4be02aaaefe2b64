import hashlib
import hmac
import json
import time
from collections.abc import Iterator

import pytest

from sandbox.errors import SandboxError
from sandbox.facebook.webhooks import Facebook, text_item
from tests.bot.servers import Served, serve


class Webhook:
    """Takes webhooks, and answers with the next of its statuses, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.received: list[tuple[bytes, str]] = []

    def take(self, request: Served) -> tuple[int, bytes]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append((request.body, headers["x-hub-signature-256"]))
        return self.statuses.pop(0) if self.statuses else 200, b""


@pytest.fixture
def webhook() -> Webhook:
    return Webhook()


@pytest.fixture
def facebook(webhook: Webhook) -> Iterator[Facebook]:
    with serve(webhook.take) as url:
        sending = Facebook(f"{url}/webhook", "secret", "1000")
        yield sending
        sending.stop()


def test_what_belongs_to_another_app_comes_as_standby(facebook: Facebook, webhook: Webhook) -> None:
    facebook.elsewhere = lambda person: person == "7"
    back = {"sender": {"id": "7"}, "recipient": {"id": "1000"}, "pass_thread_control": {"new_owner_app_id": "1"}}
    heard, own = text_item("1000", "7", "to another app"), text_item("1000", "8", "to the bot")
    facebook.deliver([heard, own, back])

    ((body, _),) = webhook.received
    (entry,) = json.loads(body)["entry"]
    assert entry["messaging"] == [own, back]
    assert entry["standby"] == [heard]


def test_a_webhook_is_signed_over_its_escaped_bytes(facebook: Facebook, webhook: Webhook) -> None:
    facebook.deliver([text_item("1000", "7", "Grüße 😀")])

    ((body, signature),) = webhook.received
    assert body.isascii()
    assert b"Gr\\u00fc\\u00dfe \\ud83d\\ude00" in body
    assert signature == "sha256=" + hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    entry = json.loads(body)["entry"][0]
    assert (entry["id"], entry["messaging"][0]["message"]["text"]) == ("1000", "Grüße 😀")


def test_a_webhook_is_sent_again_unchanged_until_it_is_acknowledged(facebook: Facebook, webhook: Webhook) -> None:
    webhook.statuses = [503, 500]

    assert facebook.deliver([text_item("1000", "7", "x")]).attempts == 3
    assert len(set(webhook.received)) == 1

    webhook.statuses = [403] * 50
    with pytest.raises(SandboxError, match="last answer's status: 403"):
        facebook.deliver([text_item("1000", "7", "x")], seconds=0.2)


def test_echoes_are_sent_in_order_until_acknowledged_and_the_sender_is_idle_only_then(
    facebook: Facebook, webhook: Webhook
) -> None:
    webhook.statuses = [503]

    facebook.echo({"number": 2}, delay=0.3)
    assert not facebook.idle()
    assert webhook.received == []
    for number in (0, 1):
        facebook.echo({"number": number})
    deadline = time.monotonic() + 5
    while not facebook.idle():
        assert time.monotonic() < deadline
        time.sleep(0.005)

    accepted = webhook.received[1:]
    assert [item["number"] for body, _ in accepted for item in json.loads(body)["entry"][0]["messaging"]] == [0, 1, 2]
