"""The Send API: what may be sent, to whom, when and how often. Sources: Messenger Platform, "Send API", "Policy"."""

import json
import math
import re
import secrets
import threading
import time
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.messenger.messages import NOTIFICATION_COUNTRIES
from sandbox import assets
from sandbox.facebook.comments import Comments
from sandbox.facebook.errors import GraphError, invalid_parameter
from sandbox.facebook.rate_limit import RateLimit
from sandbox.facebook.schema import Schema
from sandbox.facebook.templates import MessageTemplates
from sandbox.facebook.threads import Threads

DAY_SECONDS = 24 * 3600
# How long after a person's last message each type of message may be sent (Messenger Platform, "Policy Overview").
WINDOW_SECONDS: Mapping[str, float] = {
    "RESPONSE": DAY_SECONDS,
    "UPDATE": DAY_SECONDS,
    "MESSAGE_TAG": 7 * DAY_SECONDS,  # the one tag that is left is HUMAN_AGENT
    "UTILITY": float("inf"),
}
ATTACHMENT_SECONDS = 90 * DAY_SECONDS  # Saving assets (2026-04-22)
ATTACHMENT_ID = re.compile("[0-9]{10,}")
IMAGE_BYTES = 8 * 1024 * 1024  # of an image by URL: Saving assets (2026-04-22)
INSTAGRAM_TEXT_BYTES = 1000  # in UTF-8: Instagram Messaging API, "Send a Message"
# Instagram Messaging API: the quick replies user_phone_number and user_email are off since 2026-10-05, PDF files are
# taken since 2025-12-19 (both: Changelog), and only these templates exist.
INSTAGRAM_TEMPLATES = frozenset({"generic", "button", "product"})
AD_SECONDS = 7 * DAY_SECONDS  # after a Click-to-Messenger ad: Messenger Platform Policy (2026-09-28)
OPT_IN_SECONDS = 7 * DAY_SECONDS  # between two requests with one title: "Marketing messages" (2025-09-01)
MESSAGES_A_SECOND = 300  # Send API, "Rate limits": text messages of a page

Json = dict[str, Any]


class MessagingWindows:
    """Who has written to the page, and when last. They may be answered for so long; of others nothing is known.

    Attributes:
        written: page-scoped id → when that person last wrote, in seconds since 1970.
        came: page-scoped id → when that person last wrote after an ad.
        on_instagram: the ids of people on Instagram.
    """

    def __init__(self) -> None:
        self.written: dict[str, float] = {}
        self.came: dict[str, float] = {}
        self.on_instagram: set[str] = set()
        self._lock = threading.Lock()

    def note(self, psid: str, written: float, platform: str, came_by: str) -> None:
        """A person wrote to the page.

        Args:
            psid: their page-scoped id.
            written: when, in seconds since 1970.
            platform: `page` or `instagram`.
            came_by: the source of their referral; "" for none.
        """
        with self._lock:
            if came_by == "ADS":
                self.came[psid] = written
            self.written[psid] = max(self.written.get(psid, 0.0), written)
            if platform == "instagram":
                self.on_instagram.add(psid)

    def move_back(self, psid: str, seconds: float) -> None:
        """Let a person's last message be so many seconds older."""
        with self._lock:
            for times in (self.written, self.came):
                if psid in times:
                    times[psid] -= seconds

    def check(self, psid: str, messaging_type: str) -> None:
        """Check whether the page may send to a person now.

        Raises:
            GraphError: they wrote too long ago, or nobody has this id.
        """
        if psid == "0":
            raise invalid_parameter("Parameter error: You cannot send messages to this id")
        with self._lock:
            written, instagram = self.written.get(psid, math.inf), psid in self.on_instagram
            came = self.came.get(psid, -math.inf)
        if time.time() - written > WINDOW_SECONDS[messaging_type] and time.time() - came > AD_SECONDS:
            subcode = 2534022 if instagram else 2018278
            raise GraphError(400, 10, "(#10) This message is sent outside of allowed window.", subcode=subcode)


class Region:
    """Where people live, and what Facebook takes for them there.

    Attributes:
        country: as ISO 3166 has it.
        utility: the countries in which it takes utility messages; None for all. In the beta of 2025 they were US, VN,
            TH and PH; the page of 2026-03-13 names no limit.
    """

    def __init__(self) -> None:
        self.country = "DE"
        self.utility: frozenset[str] | None = None

    def check(self, parameters: Json, payload: Json) -> None:
        """Check a message that exists in some countries only.

        Raises:
            GraphError: it does not exist here.
        """
        by_consent = "notification_messages_token" in parameters["recipient"]
        if by_consent or payload.get("template_type") == "notification_messages":
            exists = self.country in NOTIFICATION_COUNTRIES
        elif parameters.get("messaging_type") == "UTILITY":
            exists = self.utility is None or self.country in self.utility
        else:
            exists = True
        if not exists:
            # Facebook documents no error for it. This one is for features that the rules of a region exclude.
            raise GraphError(400, 10, "(#10) This message is not available in this region.", subcode=2018336)


class SavedAttachments:
    """The attachments that were uploaded to be sent again."""

    def __init__(self) -> None:
        self.uploaded: dict[str, float] = {}

    def keep(self) -> str:
        """Keep an attachment and return its id."""
        identity = str(10**15 + secrets.randbelow(9 * 10**15))
        self.uploaded[identity] = time.time()
        return identity

    def check(self, identity: str) -> None:
        """Check whether an attachment can still be sent; one that was not uploaded here may be known elsewhere.

        Raises:
            GraphError: it has expired, or is not the id of one.
        """
        age = time.time() - self.uploaded.get(identity, math.inf)
        if age > ATTACHMENT_SECONDS or not ATTACHMENT_ID.fullmatch(identity):
            raise GraphError(400, 100, "(#100) Possible invalid ID or you do not own the attachment.", subcode=2018074)


class SendApi:
    """Takes messages and sender actions.

    Args:
        windows: whom the page may write to.
        templates: of the page's utility messages.
        comments: those that a private message may follow.
        threads: which app has each conversation.

    Attributes:
        attachments: what was uploaded.
        region: where the people live.
    """

    def __init__(
        self, windows: MessagingWindows, templates: MessageTemplates, comments: Comments, threads: Threads
    ) -> None:
        self._windows, self._templates, self._comments, self._threads = windows, templates, comments, threads
        self.attachments, self.region = SavedAttachments(), Region()
        self._asked: dict[tuple[str, str], float] = {}
        self._request, self._attachment = Schema("send-api"), Schema("message-attachments")
        self._rate = RateLimit(MESSAGES_A_SECOND, 1.0)

    def send(self, parameters: Json) -> Json:
        """`POST /messages`. The answer has a `message_id` if a message was sent.

        Raises:
            GraphError: the platform would refuse it.
        """
        if "message" in parameters and "sender_action" in parameters:
            raise GraphError(400, 100, "(#100) Cannot send both message and state at the same time.", subcode=2018014)
        payload = _payload(parameters)
        comment = _comment(parameters)
        recipient = self._comments.author(comment) or _recipient(parameters)
        on_instagram = recipient in self._windows.on_instagram
        _check_template(payload, on_instagram=on_instagram)
        self._request.check(parameters)
        self._threads.check(recipient)
        if not comment:  # it has a window of its own
            self._windows.check(recipient, parameters.get("messaging_type", "RESPONSE"))
        self._check_utility(parameters, payload)
        if on_instagram:
            check_instagram(parameters.get("message", {}))
        for holder in (payload, *payload.get("elements", ())):
            if "attachment_id" in holder:
                self.attachments.check(holder["attachment_id"])
        check_size(parameters)
        answer = {"recipient_id": recipient} if recipient else {}
        if "sender_action" in parameters:
            return answer
        self._rate.count()
        if payload.get("template_type") == "notification_messages":
            self._ask(recipient, payload["title"])
        if comment:
            self._comments.answer_privately(comment)
        if payload.get("is_reusable"):
            answer["attachment_id"] = self.attachments.keep()
        return answer | {"message_id": "m_" + secrets.token_urlsafe(60)}

    def _check_utility(self, parameters: Json, payload: Json) -> None:
        """Refuse what may not be sent where the people live, and a template that is not approved."""
        self.region.check(parameters, payload)
        if template := parameters.get("message", parameters).get("template"):
            self._templates.check(template)

    def _ask(self, recipient: str, title: str) -> None:
        """Ask for an opt-in, once a week for each title."""
        if time.time() - self._asked.get((recipient, title), -math.inf) < OPT_IN_SECONDS:
            sentence = "Scope of service exceeded: You may not send multiple opt-in requests with the same topic."
            raise GraphError(400, 613, sentence, subcode=1893016)
        self._asked[recipient, title] = time.time()

    def upload(self, parameters: Json) -> Json:
        """`POST /message_attachments`."""
        self._attachment.check(parameters)
        check_size(parameters)
        return {"attachment_id": self.attachments.keep()}


def _payload(parameters: Json) -> Json:
    """The payload of a message's attachment, if it has one."""
    found: object = parameters
    for name in ("message", "attachment", "payload"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _comment(parameters: Json) -> str:
    """The comment that a private message follows; "" for any other message."""
    recipient = parameters.get("recipient")
    return str(recipient.get("comment_id", "")) if isinstance(recipient, dict) else ""


def _recipient(parameters: Json) -> str:
    """The page-scoped id of a message's recipient: Facebook knows it, unless it is known by other things only."""
    recipient = parameters.get("recipient")
    if not isinstance(recipient, dict) or "user_ref" in recipient or "phone_number" in recipient:
        return ""
    if "id" in recipient:
        return str(recipient["id"])
    return str(10**15 + zlib.crc32(json.dumps(recipient).encode()))


def _check_template(payload: Json, *, on_instagram: bool) -> None:
    """Refuse what Facebook refuses with numbers of its own (Messenger Platform, "Media template", "Error Codes")."""
    template = payload.get("template_type", "generic")
    if on_instagram and template not in INSTAGRAM_TEMPLATES:
        raise GraphError(400, 100, "(#100) Invalid message data", subcode=2534015)
    for element in payload.get("elements", ()) if template == "media" else ():
        if element.get("media_type") not in ("image", "video"):
            raise GraphError(400, 2018182, "Media type not valid")
        if not {"url", "attachment_id"} & element.keys():
            raise GraphError(400, 2018187, "Either URL or attachment ID is required")


def check_size(parameters: Json) -> None:
    """Refuse an image that Facebook would fetch and that is too large; only the sandbox's own images can be looked at.

    Raises:
        GraphError: it has more than 8 MB.
    """
    attachment = parameters.get("message", {}).get("attachment", {})
    found = assets.file(str(_payload(parameters).get("url", "")))
    if attachment.get("type") == "image" and found and found.stat().st_size > IMAGE_BYTES:
        raise GraphError(400, 100, "(#100) Attachment size exceeds allowable limit", subcode=2018109)


def check_instagram(message: Json) -> None:
    """Refuse what Instagram does not take.

    Raises:
        GraphError: the message is for Messenger only.
    """
    attachment = message.get("attachment", {})
    payload = attachment.get("payload", {})
    kinds = {each["content_type"] for each in message.get("quick_replies", ())}
    file = urlsplit(payload.get("url", "")).path if attachment.get("type") == "file" else ".pdf"
    if len(message.get("text", "").encode()) > INSTAGRAM_TEXT_BYTES:
        raise invalid_parameter(f"Length of param message[text] must be at most {INSTAGRAM_TEXT_BYTES} bytes")
    if kinds - {"text"} or not file.lower().endswith(".pdf"):
        raise GraphError(400, 100, "(#100) Invalid message data", subcode=2534015)


def echo(page_id: str, app_id: str, parameters: Json, answer: Json) -> Json:
    """The webhook item with which Facebook echoes a message that it took (Messenger Platform, `message_echoes`).

    Args:
        page_id: the page.
        app_id: the app that sent it.
        parameters: the message's request.
        answer: what `SendApi.send` answered.
    """
    message = parameters.get("message", {})
    echoed: Json = {"mid": answer["message_id"], "is_echo": True, "app_id": int(app_id)}
    echoed |= {key: message[key] for key in ("text", "metadata") if key in message}
    if attachment := message.get("attachment"):
        echoed["attachments"] = [attachment]
    return {
        "sender": {"id": page_id},
        "recipient": {"id": answer["recipient_id"]} if "recipient_id" in answer else parameters["recipient"],
        "timestamp": int(time.time() * 1000),
        "message": echoed,
    }
