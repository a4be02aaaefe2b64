"""What Facebook tells the webhook, as typed, frozen events.

`parse` is total: any item gives an event; an unknown kind gives `Unknown`, a broken field an empty one, and nothing an
exception.
Source: Messenger Platform and Instagram Platform, "Webhook Events Reference".
"""

import hashlib
import json
from collections.abc import Callable
from typing import ClassVar

from bot.messenger.record import Record

# A canonical form deeper than this says nothing more about which item it is, and Python's own depth is bounded.
_DEPTH = 50


class Attachment(Record):
    """Something sent along with a message.

    Attributes:
        type: the platform's name of the kind, such as `image`.
        url: where the content is for a while, "" if there is none.
        title: what Messenger shows beside it, "" if nothing.
        payload: the attachment's payload as received.
    """

    type: str
    url: str = ""
    title: str = ""
    payload: object = None


class Image(Attachment):
    """A picture."""


class Sticker(Attachment, kw_only=True):
    """A sticker: the thumb of Messenger, among others; it comes as an image with an id."""

    sticker_id: str = ""


class Audio(Attachment):
    """A voice message or another sound."""


class Video(Attachment):
    """A film."""


class File(Attachment):
    """A document."""


class Template(Attachment):
    """A structured message, in an echo of what the page sent."""


class Fallback(Attachment):
    """A link that the person shared, with Messenger's preview of it."""


class Reel(Attachment):
    """A reel of Facebook or Instagram."""


class Location(Attachment, kw_only=True):
    """A place; today's Messenger sends none, older clients do."""

    latitude: float | None = None
    longitude: float | None = None


class Shared(Attachment):
    """A post that somebody shared on Instagram."""


class StoryMention(Attachment):
    """An Instagram story that mentions the account."""


class UnknownAttachment(Attachment):
    """A kind of attachment that this library does not know."""


class ReplyTo(Record):
    """Which message an answer refers to: one of the chat (`mid`), or an Instagram story (`story_id`, `story_url`)."""

    mid: str = ""
    story_id: str = ""
    story_url: str = ""


class Referral(Record):
    """What led a person here: an `m.me` link, an advertisement, a customer chat plugin.

    Attributes:
        ref: the text that the page's owner put into the link.
        source: such as `SHORTLINK` or `ADS`.
        type: such as `OPEN_THREAD`.
        ad_id: the advertisement, "" if it was none.
        referer_uri: the web page on which the chat was opened, "" if none.
    """

    ref: str = ""
    source: str = ""
    type: str = ""
    ad_id: str = ""
    referer_uri: str = ""


class Event(Record, kw_only=True):
    """One thing that happened.

    Attributes:
        id: the same for every delivery of the same happening, of any length.
        page: the page's id (or that of the Instagram account).
        user: the person's page-scoped id, "" if the event is of no person; for an echo the person written to.
        timestamp: when it happened, in milliseconds since 1970, None if unknown.
        raw: the item as received.
        standby: True if another app has the thread, and this one only listens.
        platform: `page` or `instagram`.
        kind: the name of the event's class in logs.
        opens_window: True for kinds by which a person opens the 24 hours in which the page may write to them.
    """

    kind: ClassVar[str] = "event"
    opens_window: ClassVar[bool] = False

    id: str = ""
    page: str = ""
    user: str = ""
    timestamp: int | None = None
    raw: object = None
    standby: bool = False
    platform: str = "page"


class MessageEvent(Event, kw_only=True):
    """A message by the person, of any content.

    Attributes:
        mid: the message's id.
        reply_to: the message or story that this one answers, None if it answers none in particular.
        referral: the advertisement or product from which the message was written, None if from none.
    """

    opens_window = True

    mid: str = ""
    reply_to: ReplyTo | None = None
    referral: Referral | None = None


class TextMessage(MessageEvent):
    """A text that was typed. `attachments` holds previews of the links in it."""

    kind = "text"

    text: str
    attachments: tuple[Attachment, ...] = ()


class QuickReplyTapped(MessageEvent):
    """One of the offered quick replies was tapped."""

    kind = "quick_reply"

    payload: str
    text: str = ""


class AttachmentMessage(MessageEvent):
    """A message of attachments, with or without a text."""

    kind = "attachment"

    attachments: tuple[Attachment, ...]
    text: str = ""


class DeletedMessage(MessageEvent):
    """A message was taken back (Instagram): what is stored of it is to be removed."""

    kind = "deleted"
    opens_window = False


class UnsupportedMessage(MessageEvent):
    """A message of a kind that the platform does not hand on to apps."""

    kind = "unsupported"


class Postback(Event):
    """A button, a menu item, an ice breaker or "Get started" was tapped.

    Attributes:
        payload: what the button carries; "" in standby, where Facebook leaves it out.
        title: what was written on it.
        referral: how the person came, if this is the first tap.
        mid: the tap's id.
    """

    kind = "postback"
    opens_window = True

    payload: str
    title: str = ""
    referral: Referral | None = None
    mid: str = ""


class Referred(Event):
    """A person who has a thread already came by a link or an advertisement."""

    kind = "referral"
    opens_window = True

    referral: Referral


class OptedIn(Event):
    """A person agreed to be notified, stopped it, or ticked a plugin's box.

    Attributes:
        type: `notification_messages`, `one_time_notif_req`, "" for a plugin.
        payload: what the request for it carried.
        token: with which the person can be notified outside the window.
        status: `STOP_NOTIFICATIONS`, `RESUME_NOTIFICATIONS`, or "" for a fresh consent.
        ref: the plugin's data.
        user_ref: the person, for a plugin that does not tell their page-scoped id.
    """

    kind = "opt_in"

    type: str = ""
    payload: str = ""
    token: str = ""
    status: str = ""
    ref: str = ""
    user_ref: str = ""

    @property
    def stops(self) -> bool:
        """True if the person does not want to be notified any longer."""
        return self.status.replace(" ", "_").upper().startswith("STOP")


class Reacted(Event):
    """A reaction was put on a message or taken away.

    Attributes:
        action: `react` or `unreact`.
        emoji: the sign itself, "" when taken away.
        reaction: the platform's name of it, such as `love`.
        mid: the message that it is on.
    """

    kind = "reaction"
    opens_window = True

    action: str = "react"
    emoji: str = ""
    reaction: str = ""
    mid: str = ""


class Edited(Event):
    """A person changed a message that they had sent. `number` counts the changes of that message, from 1."""

    kind = "edit"

    mid: str
    text: str = ""
    number: int = 0


class AccountLinked(Event):
    """An account was linked (`status` is `linked`, with the authorization code) or `unlinked`."""

    kind = "account_linking"
    opens_window = True

    status: str
    authorization_code: str = ""


class GamePlayed(Event):
    """A round of an instant game was played."""

    kind = "game_play"

    game_id: str = ""
    payload: str = ""


class ThreadPassed(Event):
    """The thread was passed to this app."""

    kind = "thread_passed"

    new_owner: str = ""
    previous_owner: str = ""
    metadata: str = ""


class ThreadTaken(Event):
    """Another app took the thread from this one."""

    kind = "thread_taken"

    new_owner: str = ""
    previous_owner: str = ""
    metadata: str = ""


class ThreadRequested(Event):
    """Another app asks for the thread."""

    kind = "thread_requested"

    requested_owner: str = ""
    metadata: str = ""


class AppRolesChanged(Event):
    """An app's roles on the page were changed: app id and its roles."""

    kind = "app_roles"

    roles: tuple[tuple[str, tuple[str, ...]], ...] = ()


class PolicyEnforced(Event):
    """Facebook warned, blocked or unblocked the page."""

    kind = "policy_enforcement"

    action: str = ""
    reason: str = ""


class FeedbackGiven(Event):
    """A person filled in a feedback template. `screens` are the answers as received."""

    kind = "feedback"
    opens_window = True

    screens: object = None


class ResponseRated(Event):
    """A person rated an answer as good or bad."""

    kind = "response_feedback"

    feedback: str = ""
    mid: str = ""


class Echo(Event):
    """The page itself wrote, by this app, another one or a human.

    Attributes:
        metadata: what this app put into the message that it sent.
        app_id: the app that sent it, "" if the page's inbox did.
        mid: the message's id.
        text: its text.
    """

    kind = "echo"

    metadata: str = ""
    app_id: str = ""
    mid: str = ""
    text: str = ""


class Delivery(Event):
    """Messages of the page arrived."""

    kind = "delivery"

    mids: tuple[str, ...] = ()
    watermark: int | None = None


class Read(Event):
    """Messages of the page were read: all up to `watermark`, or (Instagram) that of `mid`."""

    kind = "read"

    watermark: int | None = None
    mid: str = ""


class Notice(Event):
    """Something happened on the page owner's side, of which the person wants to know.

    The one kind that does not come from Facebook: the owner's own systems put it on the queue (docs/operations.md).

    Attributes:
        topic: what it is about, such as `parcel`.
        data: texts by name.
    """

    kind = "notice"

    topic: str
    data: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The text of that name, "" if there is none."""
        return dict(self.data).get(name, "")


class Unknown(Event):
    """A kind that this library does not know, or a broken one: `raw` has it all. `keys` names what it holds."""

    kind = "unknown"

    keys: tuple[str, ...] = ()


def parse(item: object, entry_id: str, *, standby: bool = False, platform: str = "page") -> Event:
    """Make one item of a webhook request's `messaging` or `standby` an event. Never raises.

    Args:
        item: the item, as parsed from JSON.
        entry_id: the `id` of the entry that it is in: the page's.
        standby: True for an item of `standby`.
        platform: the request's `object`: `page` or `instagram`.
    """
    event = _Fields(item)
    sender, recipient = event.object("sender").id("id"), event.object("recipient").id("id")
    for name, build in _BUILDERS.items():
        if event.has(name):
            made, identity = build(event.object(name))
            break
    else:
        made, identity = Unknown(keys=event.keys()), ""
    timestamp = event.number("timestamp")
    if identity and isinstance(made, Reacted):
        identity = f"{identity}:{timestamp}"
    if identity and isinstance(made, Notice):  # its sender's own, who may tell several people the same
        identity = f"notice:{sender}:{identity}"
    return made.replace(
        id=identity or _fingerprint(item, entry_id),
        page=_clean(entry_id),
        user=recipient if isinstance(made, Echo) else sender,
        timestamp=timestamp,
        raw=item,
        standby=standby,
        platform=_clean(platform),
    )


class _Fields:
    """Reads a JSON object of which nothing is certain: what is absent or of another type reads as empty."""

    def __init__(self, value: object) -> None:
        self.value: dict[object, object] = value if isinstance(value, dict) else {}

    def has(self, name: str) -> bool:
        return isinstance(self.value.get(name), dict)

    def keys(self) -> tuple[str, ...]:
        return tuple(_clean(name) for name in self.value if isinstance(name, str))

    def object(self, name: str) -> "_Fields":
        return _Fields(self.value.get(name))

    def objects(self, name: str) -> "list[_Fields]":
        value = self.value.get(name)
        return [_Fields(each) for each in value if isinstance(each, dict)] if isinstance(value, list) else []

    def text(self, name: str) -> str:
        value = self.value.get(name)
        return _clean(value) if isinstance(value, str) else ""

    def id(self, name: str) -> str:
        """An id: a text, though some senders write it as a number."""
        value = self.value.get(name)
        return str(value) if _whole(value) else self.text(name)

    def number(self, name: str) -> int | None:
        """A whole number: some fields hold it as a text."""
        value = self.value.get(name)
        if isinstance(value, str) and len(value) <= _DIGITS and value.isascii() and value.isdigit():
            return int(value)
        return int(value) if _whole(value) and isinstance(value, int) else None

    def real(self, name: str) -> float | None:
        value = self.value.get(name)
        return float(value) if isinstance(value, float) or (_whole(value) and isinstance(value, int)) else None


_DIGITS = 18  # what fits in 64 bits: Python refuses to write, and DynamoDB to store, numbers without end


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_DIGITS


def _clean(text: str) -> str:
    r"""The text as it can be written in UTF-8: halves of a surrogate pair (`\ud83d` alone in JSON) become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _fingerprint(item: object, entry_id: str) -> str:
    """The identity of an item without an id of its own: a hash of its canonical form."""
    try:
        canonical = json.dumps([entry_id, item], sort_keys=True, separators=(",", ":"), default=repr)
    except (RecursionError, TypeError, ValueError):
        canonical = json.dumps([entry_id, _shallow(item, _DEPTH)], default=repr)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


def _shallow(value: object, depth: int) -> object:
    """The value cut at a depth, with text as keys."""
    if isinstance(value, dict):
        return {repr(key): _shallow(each, depth - 1) for key, each in value.items()} if depth else "…"
    if isinstance(value, list):
        return [_shallow(each, depth - 1) for each in value] if depth else "…"
    return value


_Built = tuple[Event, str]


def _message(fields: _Fields) -> _Built:
    mid = fields.text("mid")
    attachments = tuple(_attachment(each) for each in fields.objects("attachments"))
    text = fields.text("text")
    if fields.value.get("is_echo") is True:
        echo = Echo(metadata=fields.text("metadata"), app_id=fields.id("app_id"), mid=mid, text=text)
        return echo, mid
    reply_to = _reply_to(fields.object("reply_to")) if fields.has("reply_to") else None
    referral = _referral(fields.object("referral")) if fields.has("referral") else None
    quick_reply = fields.object("quick_reply")
    if fields.value.get("is_deleted") is True:
        return DeletedMessage(mid=mid), mid and f"{mid}:deleted"
    made: MessageEvent
    if quick_reply.value.get("payload") is not None:
        made = QuickReplyTapped(quick_reply.text("payload"), text, mid=mid, reply_to=reply_to, referral=referral)
    elif attachments and not (text and all(isinstance(each, Fallback) for each in attachments)):
        made = AttachmentMessage(attachments, text, mid=mid, reply_to=reply_to, referral=referral)
    elif text:
        made = TextMessage(text, attachments, mid=mid, reply_to=reply_to, referral=referral)
    else:
        made = UnsupportedMessage(mid=mid, reply_to=reply_to, referral=referral)
    return made, mid


_ATTACHMENTS: dict[str, type[Attachment]] = {
    "image": Image,
    "audio": Audio,
    "video": Video,
    "file": File,
    "template": Template,
    "fallback": Fallback,
    "reel": Reel,
    "ig_reel": Reel,
    "share": Shared,
    "ig_post": Shared,
    "story_mention": StoryMention,
}


def _attachment(fields: _Fields) -> Attachment:
    kind, payload = fields.text("type"), fields.object("payload")
    # A shared link's address and title stand beside its payload, which is null.
    url, title = payload.text("url") or fields.text("url"), payload.text("title") or fields.text("title")
    everything = fields.value.get("payload")
    if kind == "image" and (sticker := payload.id("sticker_id")):
        return Sticker(kind, url, title, everything, sticker_id=sticker)
    if kind == "location":
        place = payload.object("coordinates")
        return Location(kind, url, title, everything, latitude=place.real("lat"), longitude=place.real("long"))
    return _ATTACHMENTS.get(kind, UnknownAttachment)(kind, url, title, everything)


def _reply_to(fields: _Fields) -> ReplyTo:
    story = fields.object("story")
    return ReplyTo(fields.text("mid"), story.id("id"), story.text("url"))


def _referral(fields: _Fields) -> Referral:
    return Referral(
        fields.text("ref"), fields.text("source"), fields.text("type"), fields.id("ad_id"), fields.text("referer_uri")
    )


def _postback(fields: _Fields) -> _Built:
    referral = _referral(fields.object("referral")) if fields.has("referral") else None
    mid = fields.text("mid")
    return Postback(fields.text("payload"), fields.text("title"), referral, mid), mid


def _referred(fields: _Fields) -> _Built:
    return Referred(_referral(fields)), ""


def _opted_in(fields: _Fields) -> _Built:
    opted_in = OptedIn(
        type=fields.text("type"),
        payload=fields.text("payload"),
        token=fields.text("notification_messages_token") or fields.text("one_time_notif_token"),
        status=fields.text("notification_messages_status"),
        ref=fields.text("ref"),
        user_ref=fields.id("user_ref"),
    )
    return opted_in, ""


def _reacted(fields: _Fields) -> _Built:
    action, emoji, mid = fields.text("action") or "react", fields.text("emoji"), fields.text("mid")
    # The message's id alone would make love, unreact and love again one event; `parse` adds the time.
    return Reacted(action, emoji, fields.text("reaction"), mid), mid and f"{mid}:{action}:{emoji}"


def _edited(fields: _Fields) -> _Built:
    mid, number = fields.text("mid"), fields.number("num_edit") or 0
    return Edited(mid, fields.text("text"), number), mid and f"{mid}:edit:{number}"


def _account_linked(fields: _Fields) -> _Built:
    return AccountLinked(fields.text("status"), fields.text("authorization_code")), ""


def _game_played(fields: _Fields) -> _Built:
    return GamePlayed(fields.id("game_id"), fields.text("payload")), ""


def _thread_passed(fields: _Fields) -> _Built:
    passed = ThreadPassed(fields.id("new_owner_app_id"), fields.id("previous_owner_app_id"), fields.text("metadata"))
    return passed, ""


def _thread_taken(fields: _Fields) -> _Built:
    taken = ThreadTaken(fields.id("new_owner_app_id"), fields.id("previous_owner_app_id"), fields.text("metadata"))
    return taken, ""


def _thread_requested(fields: _Fields) -> _Built:
    return ThreadRequested(fields.id("requested_owner_app_id"), fields.text("metadata")), ""


def _app_roles(fields: _Fields) -> _Built:
    roles = tuple(
        (_clean(app), tuple(_clean(role) for role in granted if isinstance(role, str)))
        for app, granted in fields.value.items()
        if isinstance(app, str) and isinstance(granted, list)
    )
    return AppRolesChanged(roles), ""


def _policy_enforced(fields: _Fields) -> _Built:
    return PolicyEnforced(fields.text("action"), fields.text("reason")), ""


def _feedback_given(fields: _Fields) -> _Built:
    return FeedbackGiven(fields.value.get("feedback_screens")), ""


def _response_rated(fields: _Fields) -> _Built:
    return ResponseRated(fields.text("feedback"), fields.text("mid")), ""


def _delivery(fields: _Fields) -> _Built:
    mids = fields.value.get("mids")
    known = tuple(_clean(mid) for mid in mids if isinstance(mid, str)) if isinstance(mids, list) else ()
    return Delivery(known, fields.number("watermark")), ""


def _read(fields: _Fields) -> _Built:
    return Read(fields.number("watermark"), fields.text("mid")), ""


def _notice(fields: _Fields) -> _Built:
    data = fields.object("data")
    names = data.keys()
    return Notice(fields.text("topic"), tuple((name, data.text(name)) for name in names)), fields.text("id")


# In this order: an item holds one of them, but for a postback's referral, which is inside it.
_BUILDERS: dict[str, Callable[[_Fields], _Built]] = {
    "message": _message,
    "postback": _postback,
    "reaction": _reacted,
    "read": _read,
    "delivery": _delivery,
    "message_edit": _edited,
    "optin": _opted_in,
    "account_linking": _account_linked,
    "game_play": _game_played,
    "pass_thread_control": _thread_passed,
    "take_thread_control": _thread_taken,
    "request_thread_control": _thread_requested,
    "app_roles": _app_roles,
    "policy_enforcement": _policy_enforced,
    "policy-enforcement": _policy_enforced,
    "messaging_feedback": _feedback_given,
    "response_feedback": _response_rated,
    "referral": _referred,
    "notice": _notice,
}
