"""The events of a webhook, typed.

`parse` makes an event of any item and never raises: an unknown kind becomes `Unknown`, and a broken field is empty.
Source: Messenger Platform and Instagram Platform, "Webhook Events Reference".
"""

import re
from collections.abc import Callable
from typing import ClassVar

from bot.messenger.identity import CHANGES, Fields, author, clean, identify, owner_of
from bot.messenger.record import Record
from bot.messenger.text import visible


class Attachment(Record):
    """Something sent with a message.

    Attributes:
        type: the platform's name of the kind, such as `image`.
        url: where the content can be fetched for a while; "" if there is none.
        title: what Messenger shows beside it; "" if there is nothing.
        payload: the attachment's payload as received.
    """

    type: str
    url: str = ""
    title: str = ""
    payload: object = None


class Image(Attachment):
    """An image."""


class Sticker(Attachment, kw_only=True):
    """A sticker, such as Messenger's thumb.

    Source: "Changelog", 2026-06-01: until 2026-08-30 it came as an image with a sticker's id, and since then as this.
    """

    sticker_id: str = ""


class Audio(Attachment):
    """A voice message or another audio."""


class Video(Attachment):
    """A video."""


class File(Attachment):
    """A document."""


class Template(Attachment, kw_only=True):
    """Products that the user shared, or a structured message. `products` are the products' ids."""

    products: tuple[str, ...] = ()


class Fallback(Attachment):
    """A link that the user shared, with Messenger's preview of it, or something that Messenger does not pass on."""


class Post(Attachment):
    """A Facebook post that the user shared."""


class Reel(Attachment):
    """A Facebook reel."""


class InstagramPost(Attachment):
    """An Instagram post that the user shared."""


class InstagramReel(Attachment):
    """An Instagram reel."""


class InstagramStory(Attachment):
    """An Instagram story that the user shared."""


class StoryMention(Attachment):
    """An Instagram story that mentions the account."""


class Shared(Attachment):
    """A post that somebody shared on Instagram, in the form of before 2026-03."""


class Heart(Attachment):
    """A heart on Instagram."""


class Appointment(Attachment):
    """An appointment that the user asks for, or that the page confirmed. Its times are in the payload, in seconds."""


class Location(Attachment, kw_only=True):
    """A place. Only older versions of Messenger send one."""

    latitude: float | None = None
    longitude: float | None = None


class UnsupportedAttachment(Attachment):
    """Something that the platform does not pass to apps."""


class UnknownAttachment(Attachment):
    """A kind of attachment that this library does not know."""


class ReplyTo(Record):
    """What a message replies to: another message (`mid`), or an Instagram story (`story_id`, `story_url`)."""

    mid: str = ""
    story_id: str = ""
    story_url: str = ""


class Referral(Record):
    """How a user came: by an `m.me` link, an ad or a chat plugin.

    Attributes:
        ref: the text that the page's owner put in the link.
        source: such as `SHORTLINK` or `ADS`.
        type: such as `OPEN_THREAD`.
        ad_id: of the ad; "" if there was none.
        referer_uri: of the web page on which the chat was opened; "" if there was none.
        product: the id of the product that the user asks about; "" if there is none.
    """

    ref: str = ""
    source: str = ""
    type: str = ""
    ad_id: str = ""
    referer_uri: str = ""
    product: str = ""

    @property
    def by_ad(self) -> bool:
        """True if they came by an ad that opens a chat. Source: "messaging_referrals", 2026-03-27, source ADS."""
        return self.source == "ADS"


class Event(Record, kw_only=True):
    """One thing that happened.

    Attributes:
        id: the same for every delivery of the same event, of any length.
        page: the page's id (or that of the Instagram account).
        user: the user's page-scoped id, or `user_ref:` and a plugin's reference, if only that is known; "" if there is
            no user. Of an echo, the recipient.
        timestamp: when it happened, in milliseconds since 1970; None if unknown.
        raw: the item as received.
        platform: `page` or `instagram`.
        kind: the name of the event's class in logs.
        opens_window: True for a kind that opens the 24-hour messaging window.
    """

    kind: ClassVar[str] = "event"
    opens_window: ClassVar[bool] = False

    id: str = ""
    page: str = ""
    user: str = ""
    timestamp: int | None = None
    raw: object = None
    platform: str = "page"

    @property
    def owner(self) -> str:
        """See `owner_of`."""
        return owner_of(self.user, self.id)


class MessageEvent(Event, kw_only=True):
    """A message from a user.

    Attributes:
        mid: the message's id.
        attachments: what came with it, in any number and order. With a text alone, these are previews of its links.
        reply_to: the message or story that it replies to, if any.
        referral: the ad or product that it was written from, if any.
    """

    opens_window = True

    mid: str = ""
    attachments: tuple[Attachment, ...] = ()
    reply_to: ReplyTo | None = None
    referral: Referral | None = None


class TextMessage(MessageEvent):
    """A message with words.

    Attributes:
        text: the words.
        waiting: the same user's next messages, in order, if they are texts that wait right behind this one.
    """

    kind = "text"

    text: str
    waiting: "tuple[TextMessage, ...]" = ()


class QuickReplyTapped(MessageEvent):
    """The user tapped a quick reply. `text` is its title."""

    kind = "quick_reply"

    payload: str
    text: str = ""


class AttachmentMessage(MessageEvent):
    """A message with attachments and no words."""

    kind = "attachment"

    attachments: tuple[Attachment, ...]


class DeletedMessage(MessageEvent):
    """The user deleted a message (Instagram). Whatever is stored of it must be deleted."""

    kind = "deleted"
    opens_window = False


class UnsupportedMessage(MessageEvent):
    """A message of a kind that the platform does not pass to apps."""

    kind = "unsupported"


class Postback(Event):
    """The user tapped a button, a menu item, an ice breaker or "Get started".

    Attributes:
        payload: the button's payload; "" if Facebook leaves it out.
        title: the button's title.
        referral: how the user came, if this is their first tap.
        mid: the id of the tap.
    """

    kind = "postback"
    opens_window = True

    payload: str
    title: str = ""
    referral: Referral | None = None
    mid: str = ""


class Referred(Event):
    """A user who already has a thread came by a link or an ad."""

    kind = "referral"
    opens_window = True

    referral: Referral


class OptedIn(Event):
    """A user opted in to notifications, stopped them, or ticked a plugin's box.

    Attributes:
        type: `notification_messages`, `one_time_notif_req`, "" for a plugin.
        payload: of the message that asked.
        token: allows notifications outside the messaging window.
        status: `STOP_NOTIFICATIONS`, `RESUME_NOTIFICATIONS`, or "" for a first opt-in.
        ref: the plugin's data.
        user_ref: stands for the user if a plugin does not give their page-scoped id.
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
        """True if the user stopped the notifications."""
        return self.status.replace(" ", "_").upper().startswith("STOP")


class Reacted(Event):
    """A reaction to a message was added or removed.

    Attributes:
        action: `react` or `unreact`.
        emoji: such as ❤; "" if it was removed.
        reaction: the platform's name for it, such as `love`.
        mid: the message's id.
    """

    kind = "reaction"
    opens_window = True

    action: str = "react"
    emoji: str = ""
    reaction: str = ""
    mid: str = ""


class Edited(Event):
    """A user edited a message. `number` counts the edits of that message, from 1."""

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
    """A user played a round of an instant game."""

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
    """The roles of apps on the page changed: each app id with its roles."""

    kind = "app_roles"

    roles: tuple[tuple[str, tuple[str, ...]], ...] = ()


class PolicyEnforced(Event):
    """Facebook warned, blocked or unblocked the page."""

    kind = "policy_enforcement"

    action: str = ""
    reason: str = ""


class FeedbackGiven(Event):
    """A user filled in a feedback form. `screens` are the answers as received."""

    kind = "feedback"
    opens_window = True

    screens: object = None


class ResponseRated(Event):
    """A user rated an answer as good or bad."""

    kind = "response_feedback"

    feedback: str = ""
    mid: str = ""


class Echo(Event):
    """The page sent a message: through this app, through another one, or by a human.

    Attributes:
        metadata: what the sending app put in the message.
        app_id: of the app that sent it; "" if the page's inbox did.
        mid: the message's id.
        text: its text.
    """

    kind = "echo"

    metadata: str = ""
    app_id: str = ""
    mid: str = ""
    text: str = ""


class Delivery(Event):
    """Messages of the page were delivered."""

    kind = "delivery"

    mids: tuple[str, ...] = ()
    watermark: int | None = None


class Read(Event):
    """Messages of the page were read: all up to `watermark`, or (Instagram) the one of `mid`."""

    kind = "read"

    watermark: int | None = None
    mid: str = ""


class Notice(Event):
    """News for a user from the page owner's own systems.

    It is the one kind that does not come from Facebook: those systems put it on the queue (docs/operations.md).

    Attributes:
        topic: such as `order`.
        data: names and texts.
    """

    kind = "notice"

    topic: str
    data: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """The text with this name; "" if there is none."""
        return dict(self.data).get(name, "")


class Comment(Event):
    """Somebody commented on a post of the page. It can be answered once, privately, within 7 days.

    Attributes:
        comment_id: the comment's id.
        text: its words.
        post: the id of the post (of the medium on Instagram).
        author: who wrote it; "" if unknown. This is not an id to which messages can be sent.
    """

    kind = "comment"

    comment_id: str
    text: str = ""
    post: str = ""
    author: str = ""


class TemplateReviewed(Event):
    """Facebook approved a template of the page, refused it, or no longer takes it. There is no user.

    Attributes:
        name: the template's name.
        language: the wording's language.
        status: such as `APPROVED`, `REJECTED` or `PAUSED`.
        reason: why it is not approved; "" if it is, or if Facebook gives none.
    """

    kind = "template_reviewed"

    name: str
    language: str = ""
    status: str = ""
    reason: str = ""


class Unknown(Event):
    """An event of an unknown kind, or a broken one. `keys` are the names in it; `raw` has everything."""

    kind = "unknown"

    keys: tuple[str, ...] = ()


def parse(item: object, entry_id: str, *, platform: str = "page") -> Event:
    """One item of a webhook request's `messaging` or `standby`, or a change, as an event. Never raises.

    Args:
        item: the item, as parsed from JSON, with one kind of event.
        entry_id: the `id` of its entry, which is the page's.
        platform: the request's `object`: `page` or `instagram`.
    """
    event, who = Fields(item), identify(item, entry_id)
    content = event.object("value" if who.field in CHANGES else who.field)
    made = _BUILDERS[who.field](content) if who.field else Unknown(keys=event.keys())
    return made.replace(
        id=who.id,
        page=who.page,
        user=who.user,
        timestamp=event.number("timestamp"),
        raw=item,
        platform=clean(platform),
    )


def _message(fields: Fields) -> Event:
    mid, referral, attachments = fields.text("mid"), _referral(fields), _attachments(fields)
    if fields.value.get("is_echo") is True:
        metadata, app_id = fields.text("metadata"), fields.id("app_id")
        return Echo(metadata=metadata, app_id=app_id, mid=mid, text=fields.text("text"))
    made = _written(fields, attachments)
    if isinstance(made, UnsupportedMessage) and referral:  # source: "Using ig.me Links" (Instagram), 2026-11-25
        return Referred(referral)
    reply_to = _reply_to(fields.object("reply_to")) if fields.has("reply_to") else None
    return made.replace(mid=mid, attachments=attachments, reply_to=reply_to, referral=referral)


def _written(message: Fields, attachments: tuple[Attachment, ...]) -> MessageEvent:
    """What a message is: its tap counts before its words, and words count before what comes with them."""
    text = message.text("text")
    if message.value.get("is_deleted") is True:
        return DeletedMessage()
    if payload := message.object("quick_reply").text("payload"):
        return QuickReplyTapped(payload, text)
    if visible(text):
        return TextMessage(text)
    return AttachmentMessage(attachments=attachments) if attachments else UnsupportedMessage()


# Sources: "messages Webhook Event Reference", 2026-03-27, and "Webhooks for Instagram Messaging", 2026-11-25;
# `like_heart`, `location`: public test data of 2026-08-11 and 2019-04-07; `ig_story`: "Changelog", 2026-06-30.
_ATTACHMENTS: dict[str, type[Attachment]] = {
    "image": Image,
    "sticker": Sticker,
    "audio": Audio,
    "video": Video,
    "file": File,
    "template": Template,
    "fallback": Fallback,
    "post": Post,
    "reel": Reel,
    "ig_post": InstagramPost,
    "ig_reel": InstagramReel,
    "ig_story": InstagramStory,
    "story_mention": StoryMention,
    "share": Shared,
    "like_heart": Heart,
    "appointment_booking": Appointment,
    "location": Location,
    "unsupported_type": UnsupportedAttachment,
}


def _attachments(message: Fields) -> tuple[Attachment, ...]:
    """The attachments of a message. Older apps of Facebook's say beside them that the image is a sticker."""
    sticker = message.id("sticker_id")
    found = tuple(_attachment(each, sticker) for each in message.objects("attachments"))
    named = not sticker or any(isinstance(each, Sticker) for each in found)
    return found if named else (*found, Sticker("sticker", sticker_id=sticker))


def _attachment(fields: Fields, sticker: str) -> Attachment:
    kind, payload = fields.text("type"), fields.object("payload")
    # Of a shared link, URL and title are beside the payload, which is null.
    url = payload.text("url") or fields.text("url") or fields.text("URL")
    title = payload.text("title") or fields.text("title")
    everything = fields.value.get("payload")
    made = _ATTACHMENTS.get(kind, UnknownAttachment)
    sticker = payload.id("sticker_id") or (sticker if made in {Image, Sticker} else "")
    if sticker or made is Sticker:
        return Sticker(kind, url, title, everything, sticker_id=sticker)
    if made is Template:
        products = (each.id("id") for each in payload.object("product").objects("elements"))
        return Template(kind, url, title, everything, products=tuple(filter(None, products)))
    if made is Location:
        place = payload.object("coordinates")
        return Location(kind, url, title, everything, latitude=place.real("lat"), longitude=place.real("long"))
    return made(kind, url, title, everything)


def _reply_to(fields: Fields) -> ReplyTo:
    story = fields.object("story")
    return ReplyTo(fields.text("mid"), story.id("id"), story.text("url"))


def _referral(fields: Fields) -> Referral | None:
    return _link(fields.object("referral")) if fields.has("referral") else None


def _link(fields: Fields) -> Referral:
    return Referral(
        fields.text("ref"),
        fields.text("source"),
        fields.text("type"),
        fields.id("ad_id"),
        fields.text("referer_uri"),
        fields.object("product").id("id"),
    )


def _opted_in(fields: Fields) -> Event:
    return OptedIn(
        type=fields.text("type"),
        payload=fields.text("payload"),
        token=fields.text("notification_messages_token") or fields.text("one_time_notif_token"),
        status=fields.text("notification_messages_status"),
        ref=fields.text("ref"),
        user_ref=fields.id("user_ref"),
    )


def _app_roles(fields: Fields) -> Event:
    roles = tuple(
        (clean(app), tuple(clean(role) for role in granted if isinstance(role, str)))
        for app, granted in fields.value.items()
        if isinstance(app, str) and isinstance(granted, list)
    )
    return AppRolesChanged(roles)


def _delivery(fields: Fields) -> Event:
    mids = fields.value.get("mids")
    known = tuple(clean(mid) for mid in mids if isinstance(mid, str)) if isinstance(mids, list) else ()
    return Delivery(known, fields.number("watermark"))


def _notice(fields: Fields) -> Event:
    data = fields.object("data")
    names = data.keys()
    return Notice(fields.text("topic"), tuple((name, data.text(name)) for name in names))


def _thread(kind: type[ThreadPassed] | type[ThreadTaken], fields: Fields) -> Event:
    return kind(fields.id("new_owner_app_id"), fields.id("previous_owner_app_id"), fields.text("metadata"))


def _policy_enforced(fields: Fields) -> Event:
    return PolicyEnforced(fields.text("action"), fields.text("reason"))


def _reaction(fields: Fields) -> Event:
    # Instagram's page prints the emoji's code points. Source: "Webhook Notification Examples", 2025-11-24.
    emoji = re.sub(r"\\u\{([0-9A-Fa-f]{1,5})\}", lambda found: clean(chr(int(found[1], 16))), fields.text("emoji"))
    return Reacted(fields.text("action") or "react", emoji, fields.text("reaction"), fields.text("mid"))


def _comment(fields: Fields) -> Event:
    return Comment(
        fields.id("comment_id") or fields.id("id"),
        fields.text("message") or fields.text("text"),
        fields.id("post_id") or fields.object("media").id("id"),
        author(fields),
    )


def _template_reviewed(fields: Fields) -> Event:
    name, language = fields.text("message_template_name"), fields.text("message_template_language")
    reason = fields.text("reason")
    return TemplateReviewed(name, language, fields.text("event"), "" if reason == "NONE" else reason)


# One for each of `identity.FIELDS` and `identity.CHANGES`.
_BUILDERS: dict[str, Callable[[Fields], Event]] = {
    "message": _message,
    "postback": lambda each: Postback(each.text("payload"), each.text("title"), _referral(each), each.text("mid")),
    "reaction": _reaction,
    "read": lambda each: Read(each.number("watermark"), each.text("mid")),
    "delivery": _delivery,
    "message_edit": lambda each: Edited(each.text("mid"), each.text("text"), each.number("num_edit") or 0),
    "optin": _opted_in,
    "account_linking": lambda each: AccountLinked(each.text("status"), each.text("authorization_code")),
    "game_play": lambda each: GamePlayed(each.id("game_id"), each.text("payload")),
    "pass_thread_control": lambda each: _thread(ThreadPassed, each),
    "take_thread_control": lambda each: _thread(ThreadTaken, each),
    "request_thread_control": lambda each: ThreadRequested(each.id("requested_owner_app_id"), each.text("metadata")),
    "app_roles": _app_roles,
    "policy_enforcement": _policy_enforced,
    "policy-enforcement": _policy_enforced,
    "messaging_feedback": lambda each: FeedbackGiven(each.value.get("feedback_screens")),
    "response_feedback": lambda each: ResponseRated(each.text("feedback"), each.text("mid")),
    "referral": lambda each: Referred(_link(each)),
    "notice": _notice,
    "comment": _comment,
    "template": _template_reviewed,
}
