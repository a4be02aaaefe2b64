"""A person who writes to the page of a sandbox: everything they do is sent as a signed webhook."""

import json
import secrets
import time
from typing import Any

from bot.aws.queues import fingerprint
from sandbox.local import Sandbox, new_person

Json = dict[str, Any]
DAY_SECONDS = 24 * 60 * 60


class Person:
    """A new person.

    Attributes:
        id: their page-scoped id.
        token: of their consent to notifications; "" before they give it.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.id, self.token = new_person(), ""
        self._sandbox = sandbox

    def item(self, **parts: object) -> Json:
        """An item of a webhook."""
        head = {"sender": {"id": self.id}, "recipient": {"id": self._sandbox.page_id}}
        return {**head, "timestamp": round(time.time() * 1000), **parts}

    def message(self, **parts: object) -> Json:
        """The item of a message."""
        return self.item(message={"mid": "m_" + secrets.token_urlsafe(60), **parts})

    def does(self, item: Json) -> list[Json]:
        """They do something; the Send API's request bodies that answer it."""
        before = len(self._sandbox.requests())
        self._sandbox.deliver([item])
        return self.received(before)

    def received(self, before: int) -> list[Json]:
        """What they were sent, once the bot is done, after the first ``before`` requests to the Graph API."""
        self._sandbox.settle()
        # Including what was refused: the bot must not try to send what Facebook refuses.
        sent = [each["body"] for each in self._sandbox.requests()[before:] if each["path"].endswith("/messages")]
        mine = ({"id": self.id}, {"notification_messages_token": self.token})
        return [body for body in sent if body["recipient"] in mine]

    def says(self, text: str) -> list[Json]:
        """They write."""
        return self.does(self.message(text=text))

    def chooses(self, payload: str) -> list[Json]:
        """They tap a quick reply."""
        return self.does(self.message(text="(tapped)", quick_reply={"payload": payload}))

    def taps(self, payload: str, **more: object) -> list[Json]:
        """They tap a button, or an item of the menu."""
        mid = "m_" + secrets.token_urlsafe(60)
        return self.does(self.item(postback={"mid": mid, "title": "(tapped)", "payload": payload, **more}))

    def sends(self, kind: str, **payload: object) -> list[Json]:
        """They send an attachment."""
        return self.does(
            self.message(attachments=[{"type": kind, "payload": {"url": "https://x.example/", **payload}}])
        )

    def consents(self, payload: str) -> list[Json]:
        """They consent to notifications on a topic."""
        self.token = "token-" + secrets.token_hex(8)
        given = {
            "type": "notification_messages",
            "payload": payload,
            "notification_messages_token": self.token,
            "notification_messages_status": "RESUME_NOTIFICATIONS",
        }
        return self.does(self.item(optin=given))

    def falls_silent(self, seconds: float = DAY_SECONDS + 60) -> None:
        """Time passes: it is as if everything they did was so much longer ago."""
        self._sandbox.graph.windows.written[self.id] -= seconds
        record = self.record()
        state = json.loads(record["state"]["S"])
        for part, name in (("session", "opened"), ("session", "disclosed"), ("human", "until"), ("human", "wrote")):
            if name in state.get(part, {}):
                state[part][name] -= seconds
        self._dynamodb().put_item(
            TableName=self._sandbox.outputs["ledgerTable"], Item=record | {"state": {"S": json.dumps(state)}}
        )

    def record(self) -> Json:
        """The ledger's record of them."""
        key = {"id": {"S": f"user#{fingerprint(self._sandbox.page_id, self.id)}"}}
        answer = self._dynamodb().get_item(TableName=self._sandbox.outputs["ledgerTable"], Key=key, ConsistentRead=True)
        record: Json = answer.get("Item", {})
        return record

    def _dynamodb(self) -> Any:
        return self._sandbox.client("dynamodb")


def texts(answers: list[Json]) -> list[str]:
    """What one reads of each answer: its text, a line for each card of a carousel, or the type of its template."""
    return [_text(each["message"]) for each in answers]


def _text(message: Json) -> str:
    if "text" in message:
        return str(message["text"])
    form = message["attachment"]["payload"]
    if "elements" in form:
        return "\n".join(f"{each['title']}: {each.get('subtitle', '')}" for each in form["elements"])
    return str(form["template_type"])
