"""What a person does in Messenger, as the webhook item that Facebook makes of it.

Source: Messenger Platform, "Webhook Events Reference".
"""

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.errors import SandboxError
from sandbox.facebook.webhooks import Item
from sandbox.platforms import APP_ID

LIKE_STICKER = 369239263222822  # the thumb of Messenger, in its small size
REACTIONS = {"❤": "love", "😆": "smile", "😮": "wow", "😢": "sad", "😠": "angry", "👍": "like", "👎": "dislike"}
INBOX_APP = 263902037430900  # the page inbox: Messenger Platform, "Conversation Routing"
DEFAULT_POST = "1001"
ATTACHMENTS = ("image", "audio", "video", "file")
LONGEST_TEXT = 20_000  # what a person can type into Messenger

Action = Mapping[str, Any]


def item(page: str, person: str, action: Action) -> Item:
    """The webhook item for what a person did.

    Args:
        page: the page's id.
        person: their page-scoped id.
        action: ``{"kind": …}`` and what else the kind needs.

    Raises:
        SandboxError: there is no such action, or something is missing or too long.
    """
    kind = _text(action, "kind")
    if kind == "comment":
        return _comment(page, action)
    if kind not in ACTIONS:
        raise SandboxError(f"There is no action {kind!r}: choose from comment, {', '.join(sorted(ACTIONS))}.")
    return _item(page, person, **ACTIONS[kind](action))


def delivery(page: str, person: str, mids: list[str]) -> Item:
    """The item that says that messages of the page have arrived."""
    return _item(page, person, delivery={"mids": mids, "watermark": int(time.time() * 1000)})


def read(page: str, person: str) -> Item:
    """The item that says that a person has read everything so far."""
    return _item(page, person, read={"watermark": int(time.time() * 1000)})


def _item(page: str, person: str, **content: object) -> Item:
    return {"sender": {"id": person}, "recipient": {"id": page}, "timestamp": int(time.time() * 1000), **content}


def _text(action: Action, name: str) -> str:
    value = action.get(name)
    if not isinstance(value, str) or not value:
        raise SandboxError(f"The action has no {name!r}: give it as text.")
    if len(value) > LONGEST_TEXT:
        raise SandboxError(f"The action's {name!r} has {len(value)} characters: at most {LONGEST_TEXT} are allowed.")
    return value


def _mid() -> str:
    return "m_" + secrets.token_urlsafe(60)


def _message(**content: object) -> Item:
    return {"message": {"mid": _mid(), **content}}


def _typed(action: Action) -> Item:
    return _message(text=_text(action, "text"))


def _quick_reply(action: Action) -> Item:
    return _message(text=_text(action, "title"), quick_reply={"payload": _text(action, "payload")})


def _postback(action: Action) -> Item:
    return {"postback": {"title": _text(action, "title"), "payload": _text(action, "payload"), "mid": _mid()}}


def _attachment(action: Action) -> Item:
    kind = _text(action, "type")
    if kind not in ATTACHMENTS:
        raise SandboxError(f"An attachment cannot be {kind!r}: choose from {', '.join(ATTACHMENTS)}.")
    return _message(attachments=[{"type": kind, "payload": {"url": _text(action, "url")}}])


def _sticker(action: Action) -> Item:
    payload = {"url": _text(action, "url"), "sticker_id": LIKE_STICKER}
    return _message(attachments=[{"type": "sticker", "payload": payload}])  # "Changelog", 2026-06-01


def _reaction(action: Action) -> Item:
    emoji, what = _text(action, "emoji"), _text(action, "action")
    if what not in ("react", "unreact"):
        raise SandboxError(f"A reaction's action cannot be {what!r}: choose react or unreact.")
    reaction = {"reaction": REACTIONS.get(emoji, "other"), "emoji": emoji} if what == "react" else {}
    return {"reaction": {"mid": _text(action, "mid"), "action": what, **reaction}}


def _referral(action: Action) -> Item:
    return {"referral": {"ref": _text(action, "ref"), "source": "SHORTLINK", "type": "OPEN_THREAD"}}


def _opt_in(action: Action) -> Item:
    return {
        "optin": {
            "type": "notification_messages",
            "payload": _text(action, "payload"),
            "notification_messages_token": secrets.token_hex(10),
            "notification_messages_timezone": "UTC",
            "token_expiry_timestamp": int((time.time() + 365 * 24 * 3600) * 1000),
            "user_token_status": "REFRESHED",
            **({"title": action["title"]} if isinstance(action.get("title"), str) else {}),
        }
    }


def _edit(action: Action) -> Item:
    number = int(action.get("number", 1))
    return {"message_edit": {"mid": _text(action, "mid"), "text": _text(action, "text"), "num_edit": number}}


def _account(action: Action) -> Item:
    if action.get("linked") is True:
        return {"account_linking": {"status": "linked", "authorization_code": secrets.token_hex(8)}}
    return {"account_linking": {"status": "unlinked"}}


def _feedback(action: Action) -> Item:
    answer = {"type": _text(action, "type"), "payload": _text(action, "score")}
    questions = {_text(action, "question"): answer}
    return {"messaging_feedback": {"feedback_screens": [{"screen_id": 0, "questions": questions}]}}


def _hand_back(_: Action) -> Item:
    """The inbox passes the conversation on: Messenger Platform, "Conversation Routing"."""
    return {"pass_thread_control": {"new_owner_app_id": APP_ID, "previous_owner_app_id": str(INBOX_APP)}}


def _comment(page: str, action: Action) -> Item:
    """A comment on a post of the page. Its author's id is not one to write to. "Webhooks Reference: Page", feed."""
    post = action.get("post") or DEFAULT_POST
    if not re.fullmatch("[0-9]{1,30}", str(post)):
        raise SandboxError(f"A post's id cannot be {post!r}: give digits.")
    value = {
        "item": "comment",
        "verb": "add",
        "comment_id": f"{post}_{secrets.randbelow(10**15)}",
        "post_id": f"{page}_{post}",
        "message": _text(action, "text"),
        "from": {"id": str(secrets.randbelow(10**15)), "name": "Somebody"},
        "created_time": int(time.time()),
    }
    return {"field": "feed", "value": value}


def inbox_echo(page: str, person: str, text: str) -> Item:
    """The echo of a message that a human sent from the page's inbox: Messenger Platform, `message_echoes`.

    Args:
        page: the page's id.
        person: whom the human answered.
        text: what they wrote.
    """
    message = {**_message(text=text)["message"], "is_echo": True, "app_id": INBOX_APP}
    return {
        "sender": {"id": page},
        "recipient": {"id": person},
        "timestamp": int(time.time() * 1000),
        "message": message,
    }


def again(item: Item) -> Item:
    """The same event once more, as Facebook would send it if the person did the same now: with ids of its own."""
    copy: Item = json.loads(json.dumps(item))
    for name in ("message", "postback"):
        if "mid" in copy.get(name, {}):
            copy[name]["mid"] = _mid()
    if "field" in copy:
        copy["value"]["comment_id"] += str(secrets.randbelow(10))
        return copy
    return copy | {"timestamp": int(time.time() * 1000)}


ACTIONS: dict[str, Callable[[Action], Item]] = {
    "text": _typed,
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
    "hand_back": _hand_back,
}
