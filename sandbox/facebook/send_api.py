"""The Send API: what may be sent, to whom, when and how often. Sources: Messenger Platform, "Send API", "Policy"."""

import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any

from sandbox.facebook.errors import GraphError
from sandbox.facebook.rate_limit import RateLimit
from sandbox.facebook.schema import Schema

DAY_SECONDS = 24 * 3600
# How long after a person's last message each type of message may be sent (Messenger Platform, "Policy Overview").
WINDOW_SECONDS: Mapping[str, float] = {
    "RESPONSE": DAY_SECONDS,
    "UPDATE": DAY_SECONDS,
    "MESSAGE_TAG": 7 * DAY_SECONDS,  # the one tag that is left is HUMAN_AGENT
    "UTILITY": float("inf"),
}
MESSAGES_A_SECOND = 300  # Send API, "Rate limits": text messages of a page

Json = dict[str, Any]


class MessagingWindows:
    """Who has written to the page, and when last: only they may be answered, and only for so long.

    Attributes:
        written: page-scoped id → when that person last wrote, in seconds since 1970.
    """

    def __init__(self) -> None:
        self.written: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, psid: str, written: float) -> None:
        """A person wrote to the page.

        Args:
            psid: their page-scoped id.
            written: when, in seconds since 1970.
        """
        with self._lock:
            self.written[psid] = max(self.written.get(psid, 0.0), written)

    def move_back(self, psid: str, seconds: float) -> None:
        """Let a person's last message be so many seconds older."""
        with self._lock:
            if psid in self.written:
                self.written[psid] -= seconds

    def check(self, psid: str, messaging_type: str) -> None:
        """Check whether the page may send to a person now.

        Raises:
            GraphError: they never wrote, or too long ago.
        """
        with self._lock:
            written = self.written.get(psid)
        if written is None:
            raise GraphError(400, 100, "(#100) No matching user found", subcode=2018001)
        if time.time() - written > WINDOW_SECONDS[messaging_type]:
            raise GraphError(400, 10, "(#10) This message is sent outside of allowed window.", subcode=2018278)


class SendApi:
    """Takes messages and sender actions.

    Args:
        windows: whom the page may write to.
    """

    def __init__(self, windows: MessagingWindows) -> None:
        self._windows = windows
        self._request, self._attachment = Schema("send-api"), Schema("message-attachments")
        self._rate = RateLimit(MESSAGES_A_SECOND, 1.0)

    def send(self, parameters: Json) -> Json:
        """`POST /messages`. The answer has a `message_id` if a message was sent.

        Raises:
            GraphError: the platform would refuse it.
        """
        self._request.check(parameters)
        recipient = str(parameters["recipient"].get("id", ""))
        if recipient:
            self._windows.check(recipient, parameters.get("messaging_type", "RESPONSE"))
        if "sender_action" in parameters:
            return {"recipient_id": recipient}
        self._rate.count()
        return {"recipient_id": recipient, "message_id": "m_" + secrets.token_urlsafe(60)}

    def upload(self, parameters: Json) -> Json:
        """`POST /message_attachments`."""
        self._attachment.check(parameters)
        return {"attachment_id": str(10**15 + secrets.randbelow(9 * 10**15))}


def echo(page_id: str, app_id: str, parameters: Json, answer: Json) -> Json:
    """The webhook item with which Facebook echoes a message that it took (Messenger Platform, `message_echoes`).

    Args:
        page_id: the page.
        app_id: the app that sent it.
        parameters: the message's request.
        answer: what `SendApi.send` answered.
    """
    message = parameters["message"]
    echoed: Json = {"mid": answer["message_id"], "is_echo": True, "app_id": int(app_id)}
    echoed |= {key: message[key] for key in ("text", "metadata") if key in message}
    if attachment := message.get("attachment"):
        echoed["attachments"] = [attachment]
    return {
        "sender": {"id": page_id},
        "recipient": {"id": answer["recipient_id"]},
        "timestamp": int(time.time() * 1000),
        "message": echoed,
    }
