"""Which item it is, and whose: all that must be known before it is acknowledged.

`events` reads the whole item. Its many classes are loaded only where items are answered.
"""

import hashlib
import json
from typing import NamedTuple

# A deeper canonical form does not make an item more distinct, and Python limits recursion.
_DEPTH = 50
_DIGITS = 18  # they fit in 64 bits; Python and DynamoDB refuse very long numbers

# The field in an item shows its kind.
# Source: "Webhook Events Reference", 2026-03-27; `policy-enforcement` is how SDKs' test data spell it.
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
# Two kinds of change have their content in `value`.
CHANGES = frozenset({"comment", "template"})
# The page on utility messages (2026-03-13) spells it the first way, the list of webhook fields the second.
TEMPLATE_FIELDS = frozenset({"message_template_status_update", "messenger_template_status_update"})

# Before a plugin's reference to a person whose page-scoped id is unknown. It addresses them, and nobody else.
# Source: "Send API Reference", recipient.user_ref, 2021-10-06; "messaging_optins Webhook Event Reference", 2025-09-03.
USER_REF = "user_ref:"


class Identity(NamedTuple):
    """What identifies an item.

    Attributes:
        field: its one of `FIELDS` or `CHANGES`; "" if it has none.
        echo: True if the page itself wrote.
        id: the same for every delivery of the same event, of any length.
        page: the page's id (or that of the Instagram account).
        user: the user's page-scoped id, or `USER_REF` and a plugin's reference; "" if there is no user. Of an echo,
            the recipient.
    """

    field: str
    echo: bool
    id: str
    page: str
    user: str

    @property
    def owner(self) -> str:
        """See `owner_of`."""
        return owner_of(self.user, self.id)


def owner_of(user: str, event_id: str) -> str:
    """Whose order and state an event belongs to: its user's, or its own if there is no user."""
    return user or event_id


def identify(item: object, entry_id: str) -> Identity:
    """Identify an item of a webhook request's `messaging` or `standby`, or a change. Never raises.

    Args:
        item: the item, as parsed from JSON.
        entry_id: the `id` of its entry, which is the page's.
    """
    event, page = Fields(item), clean(entry_id)
    sender, recipient = (event.object(name).id("id") for name in ("sender", "recipient"))
    kinds = kinds_of(item)
    field = kinds[0] if kinds else _change(event, page)
    content = event.object("value" if field in CHANGES else field)
    echo = field == "message" and content.value.get("is_echo") is True
    if recipient and page == sender and not echo:
        # Source: "Using ig.me Links" (Instagram), 2026-11-25: its examples have the person's id as the entry's.
        page = recipient
    # In some echoes the person is the sender. Source: echoes in the tests of widely used SDKs, 2026-08-11.
    received = sender if recipient == page else recipient
    user = received if echo else sender or _reference(event)
    return Identity(field, echo, _named(field, content, event, user) or _fingerprint(item, page), page, user)


def kinds_of(item: object) -> list[str]:
    """Those of `FIELDS` that an item has. Each is an event: an item with several is split (see `apart`)."""
    event = Fields(item)
    return [name for name in FIELDS if event.has(name)]


def apart(item: object) -> list[object]:
    """The item as items with one kind each, so that nothing is lost that comes together."""
    kinds = kinds_of(item)
    if len(kinds) < 2 or not isinstance(item, dict):
        return [item]
    return [{name: value for name, value in item.items() if name == kind or name not in kinds} for kind in kinds]


def _change(change: "Fields", page: str) -> str:
    if change.text("field") in TEMPLATE_FIELDS and change.object("value").text("message_template_name"):
        return "template"
    return "comment" if comment_id(change, page) else ""


def comment_id(change: "Fields", page: str) -> str:
    """The id of the comment that a change reports as new; "" if it reports something else, or the page's own comment.

    Source: "Webhooks Reference: Page", feed; "Instagram Platform Webhook Notification Examples", 2025-11-24.
    """
    field, value = change.text("field"), change.object("value")
    new = field in {"comments", "live_comments"} or (
        field == "feed" and (value.text("item"), value.text("verb")) == ("comment", "add")
    )
    return (value.id("comment_id") or value.id("id")) if new and author(value) != page else ""


def author(value: "Fields") -> str:
    """The id of whoever wrote a comment; "" if unknown. Older changes have it as `sender_id`."""
    return value.object("from").id("id") or value.id("sender_id")


def _reference(event: "Fields") -> str:
    reference = event.object("sender").id("user_ref") or event.object("optin").id("user_ref")
    return reference and USER_REF + reference


def _named(field: str, content: "Fields", event: "Fields", sender: str) -> str:
    """The id in the item itself; "" if it has none."""
    if field == "notice":  # its sender's own id, which several users' notices may share
        identity = content.text("id")
        return identity and f"notice:{sender}:{identity}"
    if field == "comment":  # Instagram reports a comment under a boosted post twice
        return f"comment:{content.id('comment_id') or content.id('id')}"
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
        canonical = json.dumps([entry_id, _shallow(item, _DEPTH)], sort_keys=True, default=repr)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def _shallow(value: object, depth: int) -> object:
    """The value down to this depth, with texts as keys."""
    if isinstance(value, dict):
        return {repr(key): _shallow(each, depth - 1) for key, each in value.items()} if depth else "…"
    if isinstance(value, list):
        return [_shallow(each, depth - 1) for each in value] if depth else "…"
    return value
