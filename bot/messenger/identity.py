"""Which item it is, and whose: all that must be known before it is acknowledged.

`events` reads the whole item. Its many classes are loaded only where items are answered.
"""

import hashlib
import json
from typing import NamedTuple

# A deeper canonical form does not make an item more distinct, and Python limits recursion.
_DEPTH = 50
_DIGITS = 18  # they fit in 64 bits; Python and DynamoDB refuse very long numbers

# The field in an item shows its kind. An item has one of them.
FIELDS = (
    "message",
    "postback",
    "reaction",
    "read",
    "delivery",
    "message_edit",
    "optin",
    "account_linking",
    "game_play",
    "pass_thread_control",
    "take_thread_control",
    "request_thread_control",
    "app_roles",
    "policy_enforcement",
    "policy-enforcement",
    "messaging_feedback",
    "response_feedback",
    "referral",
    "notice",
)


class Identity(NamedTuple):
    """What identifies an item.

    Attributes:
        field: its one of `FIELDS`; "" if it has none.
        echo: True if the page itself wrote.
        id: the same for every delivery of the same event, of any length.
        page: the page's id (or that of the Instagram account).
        user: the user's page-scoped id; "" if there is no user. Of an echo, the recipient.
    """

    field: str
    echo: bool
    id: str
    page: str
    user: str


def identify(item: object, entry_id: str) -> Identity:
    """Identify an item of a webhook request's `messaging` or `standby`. Never raises.

    Args:
        item: the item, as parsed from JSON.
        entry_id: the `id` of its entry, which is the page's.
    """
    event = Fields(item)
    field = next((name for name in FIELDS if event.has(name)), "")
    content = event.object(field)
    echo = field == "message" and content.value.get("is_echo") is True
    sender = event.object("sender").id("id")
    user = event.object("recipient").id("id") if echo else sender
    identity = _named(field, content, event, sender) or _fingerprint(item, entry_id)
    return Identity(field, echo, identity, clean(entry_id), user)


def _named(field: str, content: "Fields", event: "Fields", sender: str) -> str:
    """The id in the item itself; "" if it has none."""
    if field == "notice":  # its sender's own id, which several users' notices may share
        identity = content.text("id")
        return identity and f"notice:{sender}:{identity}"
    if field not in {"message", "postback", "reaction", "message_edit"} or not (mid := content.text("mid")):
        return ""
    if field == "reaction":
        # With the message's id alone, love, unreact and love again would be one event.
        action = content.text("action") or "react"
        return f"{mid}:{action}:{content.text('emoji')}:{event.number('timestamp')}"
    if field == "message_edit":
        return f"{mid}:edit:{content.number('num_edit') or 0}"
    deleted = content.value.get("is_deleted") is True and content.value.get("is_echo") is not True
    return f"{mid}:deleted" if field == "message" and deleted else mid


class Fields:
    """Reads a JSON object that may hold anything. A field that is missing or of another type is empty."""

    def __init__(self, value: object) -> None:
        self.value: dict[object, object] = value if isinstance(value, dict) else {}

    def has(self, name: str) -> bool:
        """Whether it has an object with this name."""
        return isinstance(self.value.get(name), dict)

    def keys(self) -> tuple[str, ...]:
        """The names of its fields."""
        return tuple(clean(name) for name in self.value if isinstance(name, str))

    def object(self, name: str) -> "Fields":
        """An object."""
        return Fields(self.value.get(name))

    def objects(self, name: str) -> "list[Fields]":
        """The objects of a list."""
        value = self.value.get(name)
        return [Fields(each) for each in value if isinstance(each, dict)] if isinstance(value, list) else []

    def text(self, name: str) -> str:
        """A text."""
        value = self.value.get(name)
        return clean(value) if isinstance(value, str) else ""

    def id(self, name: str) -> str:
        """An id: a text, or a number with some senders."""
        value = self.value.get(name)
        return str(value) if _whole(value) else self.text(name)

    def number(self, name: str) -> int | None:
        """A whole number, which some fields have as a text."""
        value = self.value.get(name)
        if isinstance(value, str) and len(value) <= _DIGITS and value.isascii() and value.isdigit():
            return int(value)
        return int(value) if _whole(value) and isinstance(value, int) else None

    def real(self, name: str) -> float | None:
        """A number, whole or not."""
        value = self.value.get(name)
        return float(value) if isinstance(value, float) or (_whole(value) and isinstance(value, int)) else None


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_DIGITS


def clean(text: str) -> str:
    r"""The text as valid UTF-8: half of a surrogate pair (`\ud83d` alone in JSON) becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _fingerprint(item: object, entry_id: str) -> str:
    """The id of an item that has none of its own: a hash of its canonical form."""
    try:
        canonical = json.dumps([entry_id, item], sort_keys=True, separators=(",", ":"), default=repr)
    except (RecursionError, TypeError, ValueError):
        canonical = json.dumps([entry_id, _shallow(item, _DEPTH)], default=repr)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def _shallow(value: object, depth: int) -> object:
    """The value down to this depth, with texts as keys."""
    if isinstance(value, dict):
        return {repr(key): _shallow(each, depth - 1) for key, each in value.items()} if depth else "…"
    if isinstance(value, list):
        return [_shallow(each, depth - 1) for each in value] if depth else "…"
    return value
