"""What Facebook tells the webhook, as typed, frozen events.

`parse` is total: any item gives an event; an unknown kind gives `Unknown`, a broken field an empty one, and nothing an
exception.
Source: Messenger Platform and Instagram Platform, "Webhook Events Reference".
"""

from collections.abc import Callable
from typing import ClassVar

from bot.messenger.identity import Fields, clean, identify
from bot.messenger.record import Record


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
        topic: what it is about, such as `order`.
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
    event, who = Fields(item), identify(item, entry_id)
    made = _BUILDERS[who.field](event.object(who.field)) if who.field else Unknown(keys=event.keys())
    return made.replace(
        id=who.id,
        page=who.page,
        user=who.user,
        timestamp=event.number("timestamp"),
        raw=item,
        standby=standby,
        platform=clean(platform),
    )


def _message(fields: Fields) -> Event:
    mid = fields.text("mid")
    attachments = tuple(_attachment(each) for each in fields.objects("attachments"))
    text = fields.text("text")
    if fields.value.get("is_echo") is True:
        return Echo(metadata=fields.text("metadata"), app_id=fields.id("app_id"), mid=mid, text=text)
    reply_to = _reply_to(fields.object("reply_to")) if fields.has("reply_to") else None
    referral = _referral(fields.object("referral")) if fields.has("referral") else None
    quick_reply = fields.object("quick_reply")
    if fields.value.get("is_deleted") is True:
        return DeletedMessage(mid=mid)
    if quick_reply.value.get("payload") is not None:
        return QuickReplyTapped(quick_reply.text("payload"), text, mid=mid, reply_to=reply_to, referral=referral)
    if attachments and not (text and all(isinstance(each, Fallback) for each in attachments)):
        return AttachmentMessage(attachments, text, mid=mid, reply_to=reply_to, referral=referral)
    if text:
        return TextMessage(text, attachments, mid=mid, reply_to=reply_to, referral=referral)
    return UnsupportedMessage(mid=mid, reply_to=reply_to, referral=referral)


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


def _attachment(fields: Fields) -> Attachment:
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


def _reply_to(fields: Fields) -> ReplyTo:
    story = fields.object("story")
    return ReplyTo(fields.text("mid"), story.id("id"), story.text("url"))


def _referral(fields: Fields) -> Referral:
    return Referral(
        fields.text("ref"), fields.text("source"), fields.text("type"), fields.id("ad_id"), fields.text("referer_uri")
    )


def _postback(fields: Fields) -> Event:
    referral = _referral(fields.object("referral")) if fields.has("referral") else None
    return Postback(fields.text("payload"), fields.text("title"), referral, fields.text("mid"))


def _referred(fields: Fields) -> Event:
    return Referred(_referral(fields))


def _opted_in(fields: Fields) -> Event:
    return OptedIn(
        type=fields.text("type"),
        payload=fields.text("payload"),
        token=fields.text("notification_messages_token") or fields.text("one_time_notif_token"),
        status=fields.text("notification_messages_status"),
        ref=fields.text("ref"),
        user_ref=fields.id("user_ref"),
    )


def _reacted(fields: Fields) -> Event:
    action = fields.text("action") or "react"
    return Reacted(action, fields.text("emoji"), fields.text("reaction"), fields.text("mid"))


def _edited(fields: Fields) -> Event:
    return Edited(fields.text("mid"), fields.text("text"), fields.number("num_edit") or 0)


def _account_linked(fields: Fields) -> Event:
    return AccountLinked(fields.text("status"), fields.text("authorization_code"))


def _game_played(fields: Fields) -> Event:
    return GamePlayed(fields.id("game_id"), fields.text("payload"))


def _thread_passed(fields: Fields) -> Event:
    return ThreadPassed(fields.id("new_owner_app_id"), fields.id("previous_owner_app_id"), fields.text("metadata"))


def _thread_taken(fields: Fields) -> Event:
    return ThreadTaken(fields.id("new_owner_app_id"), fields.id("previous_owner_app_id"), fields.text("metadata"))


def _thread_requested(fields: Fields) -> Event:
    return ThreadRequested(fields.id("requested_owner_app_id"), fields.text("metadata"))


def _app_roles(fields: Fields) -> Event:
    roles = tuple(
        (clean(app), tuple(clean(role) for role in granted if isinstance(role, str)))
        for app, granted in fields.value.items()
        if isinstance(app, str) and isinstance(granted, list)
    )
    return AppRolesChanged(roles)


def _policy_enforced(fields: Fields) -> Event:
    return PolicyEnforced(fields.text("action"), fields.text("reason"))


def _feedback_given(fields: Fields) -> Event:
    return FeedbackGiven(fields.value.get("feedback_screens"))


def _response_rated(fields: Fields) -> Event:
    return ResponseRated(fields.text("feedback"), fields.text("mid"))


def _delivery(fields: Fields) -> Event:
    mids = fields.value.get("mids")
    known = tuple(clean(mid) for mid in mids if isinstance(mid, str)) if isinstance(mids, list) else ()
    return Delivery(known, fields.number("watermark"))


def _read(fields: Fields) -> Event:
    return Read(fields.number("watermark"), fields.text("mid"))


def _notice(fields: Fields) -> Event:
    data = fields.object("data")
    names = data.keys()
    return Notice(fields.text("topic"), tuple((name, data.text(name)) for name in names))


# One for each of `identity.FIELDS`.
_BUILDERS: dict[str, Callable[[Fields], Event]] = {
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
