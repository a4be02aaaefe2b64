"""What a person does on the page, as the webhook item that Facebook would make of it.

Source: Messenger Platform, "Webhook Events Reference".
"""

import base64
import json
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.errors import SandboxError
from sandbox.facebook.webhooks import Item

LIKE_STICKER = 369239263222822  # the thumb of Messenger, in its small size
REACTIONS = {"❤": "love", "😆": "smile", "😮": "wow", "😢": "sad", "😠": "angry", "👍": "like", "👎": "dislike"}
ATTACHMENTS = ("image", "audio", "video", "file")
LONGEST_TEXT = 20_000  # what a person can type into Messenger

Act = Mapping[str, Any]


def item(page: str, person: str, act: Act) -> Item:
    """The webhook item for what somebody did.

    Args:
        page: the page's id.
        person: their page-scoped id.
        act: ``{"kind": …}`` with what belongs to the kind.

    Raises:
        SandboxError: there is no such act, or it lacks something.
    """
    kind = _text(act, "kind")
    if kind not in ACTS:
        raise SandboxError(f"There is no act {kind!r}: choose of {', '.join(sorted(ACTS))}.")
    head = {"sender": {"id": person}, "recipient": {"id": page}, "timestamp": int(time.time() * 1000)}
    return head | ACTS[kind](act)


def receipts(page: str, person: str, mids: list[str], read: bool) -> list[Item]:
    """The items which tell that messages of the page's arrived, and were read."""
    now = int(time.time() * 1000)
    head = {"sender": {"id": person}, "recipient": {"id": page}, "timestamp": now}
    items = [head | {"delivery": {"mids": mids, "watermark": now}}] if mids else []
    return items + ([head | {"read": {"watermark": now}}] if read else [])


def _text(act: Act, name: str, longest: int = LONGEST_TEXT) -> str:
    value = act.get(name)
    if not isinstance(value, str) or not value:
        raise SandboxError(f"The act lacks {name!r}: give it as a text.")
    if len(value) > longest:
        raise SandboxError(f"The act's {name!r} has {len(value)} characters, and {longest} are allowed: shorten it.")
    return value


def _mid() -> str:
    return "m_" + secrets.token_urlsafe(60)


def _message(act: Act, **content: object) -> Item:
    reply = {"reply_to": {"mid": act["replyTo"]}} if isinstance(act.get("replyTo"), str) else {}
    return {"message": {"mid": _mid(), **content, **reply}}


def _said(act: Act) -> Item:
    return _message(act, text=_text(act, "text"))


def _quick_reply(act: Act) -> Item:
    return _message(act, text=_text(act, "title"), quick_reply={"payload": _text(act, "payload")})


def _postback(act: Act) -> Item:
    content: Item = {"title": _text(act, "title"), "payload": _text(act, "payload"), "mid": _mid()}
    if isinstance(act.get("ref"), str) and act["ref"]:
        content["referral"] = {"ref": act["ref"], "source": "SHORTLINK", "type": "OPEN_THREAD"}
    return {"postback": content}


def _attachment(act: Act) -> Item:
    kind = _text(act, "type")
    if kind not in ATTACHMENTS:
        raise SandboxError(f"An attachment cannot be {kind!r}: choose of {', '.join(ATTACHMENTS)}.")
    return _message(act, attachments=[{"type": kind, "payload": {"url": _text(act, "url")}}])


def _sticker(act: Act) -> Item:
    payload = {"url": _text(act, "url"), "sticker_id": LIKE_STICKER}
    return _message(act, sticker_id=LIKE_STICKER, attachments=[{"type": "image", "payload": payload}])


def _reaction(act: Act) -> Item:
    emoji, action = _text(act, "emoji"), _text(act, "action")
    if action not in ("react", "unreact"):
        raise SandboxError(f"A reaction's action cannot be {action!r}: choose react or unreact.")
    told = {"reaction": REACTIONS.get(emoji, "other"), "emoji": emoji} if action == "react" else {}
    return {"reaction": {"mid": _text(act, "mid"), "action": action, **told}}


def _referral(act: Act) -> Item:
    return {"referral": {"ref": _text(act, "ref"), "source": "SHORTLINK", "type": "OPEN_THREAD"}}


def _opt_in(act: Act) -> Item:
    return {
        "optin": {
            "type": "notification_messages",
            "payload": _text(act, "payload"),
            "notification_messages_token": secrets.token_hex(10),
            "notification_messages_timezone": "UTC",
            "token_expiry_timestamp": int((time.time() + 365 * 24 * 3600) * 1000),
            "user_token_status": "REFRESHED",
            **({"title": act["title"]} if isinstance(act.get("title"), str) else {}),
        }
    }


def _edit(act: Act) -> Item:
    return {
        "message_edit": {"mid": _text(act, "mid"), "text": _text(act, "text"), "num_edit": int(act.get("number", 1))}
    }


def _account(act: Act) -> Item:
    linked = act.get("linked") is True
    code = {"authorization_code": secrets.token_hex(8)} if linked else {}
    return {"account_linking": {"status": "linked" if linked else "unlinked", **code}}


def _feedback(act: Act) -> Item:
    question, kind, score = _text(act, "question"), _text(act, "type"), _text(act, "score")
    answer: Item = {"type": kind, "payload": score}
    if isinstance(act.get("comment"), str) and act["comment"]:
        answer["follow_up"] = {"type": "free_form", "payload": act["comment"]}
    return {"messaging_feedback": {"feedback_screens": [{"screen_id": 0, "questions": {question: answer}}]}}


ACTS: dict[str, Callable[[Act], Item]] = {
    "text": _said,
    "quick_reply": _quick_reply,
    "postback": _postback,
    "attachment": _attachment,
    "sticker": _sticker,
    "reaction": _reaction,
    "referral": _referral,
    "opt_in": _opt_in,
    "edit": _edit,
    "account": _account,
    "feedback": _feedback,
}


def letter(body: str) -> dict[str, Any]:
    """A dead letter as it can be read: its bytes, if it is of what never was an event, as text."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return {"reason": "not readable", "body": body}
    if not isinstance(parsed, dict):
        return {"reason": "not readable", "body": body}
    if isinstance(parsed.get("base64"), str):
        parsed["text"] = base64.b64decode(parsed.pop("base64")).decode("utf-8", "replace")
    return parsed
