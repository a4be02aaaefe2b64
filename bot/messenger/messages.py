"""The messages that a page can send. A message that Facebook would refuse raises `Refused` when it is made.

Sources: Messenger Platform, "Send API Reference", "Quick Replies", "Buttons", "Templates", "Sender Actions".
"""

import math
import re
from typing import ClassVar, Literal, NoReturn, TypedDict
from urllib.parse import urlsplit

from bot.messenger.identity import USER_REF
from bot.messenger.record import Record
from bot.messenger.text import MOST, visible

QUICK_REPLIES = 13  # "Quick Replies"
QUICK_REPLY_TITLE = 20  # characters: "Quick Replies"
PAYLOAD = 1000  # characters: "Quick Replies", "Buttons"
BUTTONS = 3  # "Button Template", "Generic Template"
BUTTON_TITLE = 20  # characters: "Buttons"
BUTTONS_TEXT = 640  # characters: "Button Template"
CARDS = 10  # "Generic Template"
CARD_TITLE = 80  # characters: "Generic Template"
CARD_SUBTITLE = 80  # characters: "Generic Template"
RECEIPT_ITEMS = 100  # "Receipt Template"
PRODUCTS = 10  # "Product Template"
NOTIFICATION_TITLE = 65  # characters: "Marketing Messages"
GRID_IMAGES = range(2, 7)  # "Image grid template", 2026-06-30
GRID_TITLE = 45  # characters: "Image grid template", 2026-06-30
GRID_SUBTITLE = 80  # characters: "Image grid template", 2026-06-30
# Where recurring notifications still exist since 2026-02-10, as ISO 3166 has them: AU, JP, KR, GB and the EU.
# Source: "Changelog" and "Recurring notifications", 2026-02-10. New apps cannot get them since 2025-09-01.
_COUNTRIES = "AU JP KR GB AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE"
NOTIFICATION_COUNTRIES = frozenset(_COUNTRIES.split())
URL = 2000  # characters
PHONE = range(4, 16)  # digits: the longest number has 15 (ITU-T E.164)
FEEDBACK_DAYS = 7  # "Customer Feedback Template"

METADATA = 1000  # characters: "Conversation Control APIs (Conversation Routing)", metadata
_FACEBOOK = ("https://facebook.com/", "https://www.facebook.com/", "https://business.facebook.com/")

Json = dict[str, object]


class Request(TypedDict, total=False):
    """The body of a request to the Send API, with what a bot may put into it.

    It has no `tag`. The one that is left, HUMAN_AGENT, is for messages that a human wrote ("Policy Overview",
    2026-09-28), so only `ops` uses it.

    Attributes:
        otherwise: see `bot.messenger.news.OTHERWISE`.
        public_reply: the words of a reply under a comment, which is not a message; `path` says which edge takes it.
        control: the call of thread control, which is not a message either; with `target_app_id` and `metadata`.
    """

    recipient: Json
    messaging_type: Literal["RESPONSE", "UPDATE", "UTILITY"]
    message: Json
    sender_action: str
    payload: Json
    otherwise: bool
    public_reply: str
    path: str
    control: str
    target_app_id: str
    metadata: str


class Refused(ValueError):
    """A message that Facebook would refuse. The text says what is wrong, with what value, and what to do."""


class Message(Record, kw_only=True):
    """A message. `to_request` returns the exact body of the Send API's request.

    Attributes:
        needs_window: True if it may only be sent within the messaging window.
    """

    needs_window: ClassVar[bool] = True

    def to_request(self, recipient: str) -> Request:
        """The request's body.

        Args:
            recipient: an event's `user`.
        """
        raise NotImplementedError


def address(recipient: str) -> Json:
    """The request's `recipient`: a page-scoped id, or a plugin's reference to somebody without one.

    Source: "Send API Reference", recipient, 2021-10-06.
    """
    if recipient.startswith(USER_REF):
        return {"user_ref": recipient.removeprefix(USER_REF)}
    return {"id": recipient}


# Quick replies


class QuickReply(Record):
    """A choice under a message. The choices disappear when one of them is tapped.

    Args:
        title: its text, at most 20 characters.
        payload: comes back with the tap, at most 1,000 characters. The default is the title.
        image: URL of a small image beside the title; "" for none.
    """

    title: str
    payload: str = ""
    image: str = ""

    def check(self) -> None:
        """Refuse what is empty or too long."""
        _title("quick reply", self.title, QUICK_REPLY_TITLE)
        _payload(f"quick reply {self.title!r}", self.payload or self.title)
        if self.image:
            check_url(f"The image of the quick reply {self.title!r}", self.image)

    def to_json(self) -> Json:
        """The quick reply as the Send API expects it."""
        picture = {"image_url": self.image} if self.image else {}
        return {"content_type": "text", "title": self.title, "payload": self.payload or self.title, **picture}


class AskPhone(Record):
    """A quick reply with the user's own phone number, if Facebook knows it."""

    def to_json(self) -> Json:
        """The quick reply as the Send API expects it."""
        return {"content_type": "user_phone_number"}


class AskEmail(Record):
    """A quick reply with the user's own e-mail address, if Facebook knows it."""

    def to_json(self) -> Json:
        """The quick reply as the Send API expects it."""
        return {"content_type": "user_email"}


# Buttons


class Button(Record):
    """A button: `Link`, `Tap`, `Call`, `LogIn`, `LogOut` or `Play`."""

    def to_json(self) -> Json:
        """The button as the Send API expects it."""
        raise NotImplementedError


class Link(Button):
    """Opens a web page.

    Args:
        title: at most 20 characters.
        url: of the web page.
        height: how much of the screen it takes: `compact`, `tall` or `full`.
    """

    title: str
    url: str
    height: str = "full"

    def check(self) -> None:
        _title("button", self.title, BUTTON_TITLE)
        check_url(f"The button {self.title!r}", self.url)
        if self.height not in {"compact", "tall", "full"}:
            refuse(f"The button {self.title!r} is {self.height!r} high", "choose compact, tall or full")

    def to_json(self) -> Json:
        height = {} if self.height == "full" else {"webview_height_ratio": self.height}
        return {"type": "web_url", "title": self.title, "url": self.url, **height}


class Tap(Button):
    """Sends a postback.

    Args:
        title: at most 20 characters.
        payload: comes back with the tap, at most 1,000 characters.
    """

    title: str
    payload: str

    def check(self) -> None:
        _title("button", self.title, BUTTON_TITLE)
        _payload(f"button {self.title!r}", self.payload)

    def to_json(self) -> Json:
        return {"type": "postback", "title": self.title, "payload": self.payload}


class Call(Button):
    """Calls a phone number.

    Args:
        title: at most 20 characters.
        number: `+`, country code and number, without spaces: `+491234567`.
    """

    title: str
    number: str

    def check(self) -> None:
        _title("button", self.title, BUTTON_TITLE)
        digits = self.number.removeprefix("+")
        if digits == self.number or not (digits.isascii() and digits.isdigit() and len(digits) in PHONE):
            refuse(f"The button {self.title!r} calls {self.number!r}", "write the number like +491234567, digits only")

    def to_json(self) -> Json:
        return {"type": "phone_number", "title": self.title, "payload": self.number}


class LogIn(Button):
    """Links the user's account. Facebook opens this URL, which must be https, where they log in."""

    url: str

    def check(self) -> None:
        check_url("The button to log in", self.url, schemes=("https://",))

    def to_json(self) -> Json:
        return {"type": "account_link", "url": self.url}


class LogOut(Button):
    """Unlinks the user's account."""

    def to_json(self) -> Json:
        return {"type": "account_unlink"}


class Play(Button):
    """Starts the page's instant game with this payload."""

    title: str
    payload: str = ""

    def check(self) -> None:
        _title("button", self.title, BUTTON_TITLE)
        if self.payload:
            _payload(f"button {self.title!r}", self.payload)

    def to_json(self) -> Json:
        payload = {"payload": self.payload} if self.payload else {}
        return {"type": "game_play", "title": self.title, **payload}


# Messages with content


class Content(Message, kw_only=True):
    """A message that the user sees in the chat.

    Args:
        quick_replies: choices under it, at most 13.
    """

    quick_replies: tuple[QuickReply | AskPhone | AskEmail, ...] = ()

    def check(self) -> None:
        _at_most(
            "A message",
            "quick replies",
            len(self.quick_replies),
            QUICK_REPLIES,
            "offer the likeliest, and one for more",
        )

    def to_request(self, recipient: str) -> Request:
        message = self.content()
        if self.quick_replies:
            message["quick_replies"] = [reply.to_json() for reply in self.quick_replies]
        return {"recipient": address(recipient), "messaging_type": "RESPONSE", "message": message}

    def content(self) -> Json:
        """The request's `message`, without quick replies."""
        raise NotImplementedError


class Text(Content):
    """A text.

    Args:
        text: fewer than 2,000 characters; `bot.messenger.text.split` splits a longer one.
    """

    text: str

    def check(self) -> None:
        super().check()
        readable("A text", self.text, "say something, or return no message at all")
        if len(self.text) > MOST:
            refuse(
                f"A text has {len(self.text)} characters, and {MOST} are allowed",
                "split it with bot.messenger.text.split, or return a plain str, which the bot splits for you",
            )

    def content(self) -> Json:
        return {"text": self.text}


class Media(Content):
    """An image, an audio, a video or a file, of at most 25 MB; an image by URL of at most 8 MB.

    Source: "Saving assets", 2026-04-22.

    Args:
        type: `image`, `audio`, `video` or `file`.
        url: from which Facebook fetches it.
        attachment_id: of a medium that was uploaded or sent in the last 90 days, instead of `url`.
        reusable: Facebook keeps the medium, and returns its attachment id.
    """

    type: str
    url: str = ""
    attachment_id: str = ""
    reusable: bool = False

    def check(self) -> None:
        super().check()
        if self.type not in {"image", "audio", "video", "file"}:
            refuse(f"A medium of type {self.type!r} does not exist", "choose image, audio, video or file")
        _one_source(f"The {self.type}", self.url, self.attachment_id)

    def content(self) -> Json:
        payload: Json = {"attachment_id": self.attachment_id} if self.attachment_id else {"url": self.url}
        if self.reusable and self.url:
            payload["is_reusable"] = True
        return {"attachment": {"type": self.type, "payload": payload}}


class Template(Content):
    """A structured message."""

    def content(self) -> Json:
        return {"attachment": {"type": "template", "payload": self.form()}}

    def form(self) -> Json:
        """The template's payload."""
        raise NotImplementedError


class Buttons(Template):
    """A text with buttons.

    Args:
        text: at most 640 characters.
        buttons: one to three.
    """

    text: str
    buttons: tuple[Button, ...]

    def check(self) -> None:
        super().check()
        readable("A text with buttons", self.text, "say what the buttons are for")
        within("A text with buttons", self.text, BUTTONS_TEXT, "send a Text before, and keep the question here")
        if not self.buttons:
            refuse("A text with buttons has no button", "give one to three, or send a Text")
        _buttons("A text", self.buttons)

    def form(self) -> Json:
        return {"template_type": "button", "text": self.text, "buttons": [each.to_json() for each in self.buttons]}


class Card(Record):
    """One card of a carousel. It has a title and at least one other field.

    Args:
        title: at most 80 characters.
        subtitle: at most 80 characters.
        image: URL of an image.
        link: URL that a tap on the card opens.
        buttons: at most three.
    """

    title: str
    subtitle: str = ""
    image: str = ""
    link: str = ""
    buttons: tuple[Button, ...] = ()

    def check(self) -> None:
        _title("card", self.title, CARD_TITLE)
        within(
            f"The subtitle of the card {self.title!r}", self.subtitle, CARD_SUBTITLE, "shorten it, or link to the rest"
        )
        if self.image:
            check_url(f"The image of the card {self.title!r}", self.image)
        if self.link:
            check_url(f"The card {self.title!r}", self.link)
        _buttons(f"The card {self.title!r}", self.buttons)
        if not (self.subtitle or self.image or self.link or self.buttons):
            refuse(f"The card {self.title!r} has only a title", "add a subtitle, an image, a link or a button")

    def to_json(self) -> Json:
        """The card as the Send API expects it."""
        card: Json = {"title": self.title}
        if self.subtitle:
            card["subtitle"] = self.subtitle
        if self.image:
            card["image_url"] = self.image
        if self.link:
            card["default_action"] = {"type": "web_url", "url": self.link}
        if self.buttons:
            card["buttons"] = [each.to_json() for each in self.buttons]
        return card


class Carousel(Template):
    """Cards side by side.

    Args:
        cards: one to ten.
        square: the images are square instead of 1.91 to 1.
    """

    cards: tuple[Card, ...]
    square: bool = False

    def check(self) -> None:
        super().check()
        if not self.cards:
            refuse("A carousel has no card", "give one to ten, or send a Text")
        _at_most(
            "A carousel", "cards", len(self.cards), CARDS, "show the first ones, and a last one with a link to more"
        )

    def form(self) -> Json:
        shape = {"image_aspect_ratio": "square"} if self.square else {}
        return {"template_type": "generic", "elements": [card.to_json() for card in self.cards], **shape}


class MediaCard(Template):
    """An image or video with buttons.

    Args:
        type: `image` or `video`.
        url: of a Facebook post that shows it. Other URLs are not allowed here.
        attachment_id: of a medium that was uploaded or sent before, instead of `url`.
        buttons: at most three.
    """

    type: str
    url: str = ""
    attachment_id: str = ""
    buttons: tuple[Button, ...] = ()

    def check(self) -> None:
        super().check()
        if self.type not in {"image", "video"}:
            refuse(f"A media card of type {self.type!r} does not exist", "choose image or video")
        _one_source("A media card", self.url, self.attachment_id)
        if self.url and not self.url.startswith(_FACEBOOK):
            refuse(f"A media card shows {self.url!r}", "upload it and give its attachment_id, or send it as Media")
        _buttons("A media card", self.buttons)

    def form(self) -> Json:
        card: Json = {"media_type": self.type}
        card |= {"attachment_id": self.attachment_id} if self.attachment_id else {"url": self.url}
        if self.buttons:
            card["buttons"] = [each.to_json() for each in self.buttons]
        return {"template_type": "media", "elements": [card]}


class GridImage(Record):
    """One image of a grid. A tap opens a web page, sends a postback, or does nothing.

    Args:
        url: of the image.
        link: URL of the web page that a tap opens, instead of `payload`.
        payload: comes back with a tap, as a `Postback`.
        text: what the user is shown to have said by the tap; a payload needs it.
        hero: shown larger than the others; at most one of a grid is.
    """

    url: str
    link: str = ""
    payload: str = ""
    text: str = ""
    hero: bool = False

    def check(self) -> None:
        check_url("An image of a grid", self.url)
        if self.link and self.payload:
            refuse(f"The image {self.url!r} has a link and a payload", "give one of them")
        if self.link:
            check_url(f"The image {self.url!r}", self.link)
        if self.payload:
            _payload(f"image {self.url!r}", self.payload)
            readable(f"The text of the tap on the image {self.url!r}", self.text, "say what the tap means")

    def to_json(self) -> Json:
        """The image as the Send API expects it."""
        image: Json = {"url": self.url}
        if self.hero:
            image["is_hero_image"] = True
        if self.link:
            image["action"] = {"type": "web_url", "url": self.link}
        if self.payload:
            image["action"] = {"type": "postback", "text": self.text, "payload": self.payload}
        return image


class ImageGrid(Template):
    """Images in a grid. Source: "Image grid template", 2026-06-30.

    Args:
        images: two to six.
        title: at most 45 characters.
        subtitle: at most 80 characters.
        buttons: at most three, each a `Link` or a `Tap`.
    """

    images: tuple[GridImage, ...]
    title: str = ""
    subtitle: str = ""
    buttons: tuple[Button, ...] = ()

    def check(self) -> None:
        super().check()
        if len(self.images) not in GRID_IMAGES:
            refuse(f"A grid has {len(self.images)} images", "give two to six, or send a Media or a Carousel")
        if sum(image.hero for image in self.images) > 1:
            refuse("A grid has several hero images", "choose one")
        within("The title of a grid", self.title, GRID_TITLE, "shorten it")
        within("The subtitle of a grid", self.subtitle, GRID_SUBTITLE, "shorten it")
        _buttons("A grid", self.buttons)
        for button in self.buttons:
            if not isinstance(button, (Link, Tap)):
                refuse(f"A grid has a {type(button).__name__} button", "use a Link or a Tap")

    def form(self) -> Json:
        grid: Json = {"images": [image.to_json() for image in self.images]}
        grid |= {name: value for name, value in (("title", self.title), ("subtitle", self.subtitle)) if value}
        if self.buttons:
            grid["buttons"] = [button.to_json() for button in self.buttons]
        return {"template_type": "image_grid", "elements": [grid]}


class Item(Record):
    """One item of a receipt.

    Args:
        title: what it is.
        price: in the receipt's currency; 0 for free.
        subtitle: more about it.
        quantity: how many.
        image: URL of an image.
    """

    title: str
    price: float
    subtitle: str = ""
    quantity: int = 1
    image: str = ""

    def check(self) -> None:
        readable("An item of a receipt", self.title, "say what was bought")
        _amount(f"The price of {self.title!r}", self.price)
        if self.quantity < 1:
            refuse(f"{self.quantity} of {self.title!r} were bought", "leave out what was not")
        if self.image:
            check_url(f"The image of {self.title!r}", self.image)

    def to_json(self) -> Json:
        """The item as the Send API expects it."""
        more = {"subtitle": self.subtitle, "image_url": self.image}
        return {
            "title": self.title,
            "price": self.price,
            "quantity": self.quantity,
            **{name: value for name, value in more.items() if value},
        }


class Address(Record):
    """A shipping address."""

    street: str
    city: str
    postal_code: str
    state: str
    country: str
    street_2: str = ""

    def check(self) -> None:
        for name, value in self.fields().items():
            if not value and name != "street_2":
                refuse(f"The address has no {name}", "give it, or leave the address out")

    def to_json(self) -> Json:
        """The address as the Send API expects it."""
        second = {"street_2": self.street_2} if self.street_2 else {}
        return {
            "street_1": self.street,
            "city": self.city,
            "postal_code": self.postal_code,
            "state": self.state,
            "country": self.country,
            **second,
        }


class Adjustment(Record):
    """An amount taken off a receipt's total, such as a discount."""

    name: str
    amount: float

    def check(self) -> None:
        readable("An adjustment", self.name, "say what it is for")
        _amount(f"The adjustment {self.name!r}", self.amount)

    def to_json(self) -> Json:
        """The adjustment as the Send API expects it."""
        return {"name": self.name, "amount": self.amount}


class Receipt(Template):
    """The confirmation of an order.

    Args:
        recipient_name: who ordered.
        order_number: a different one for each order.
        currency: of all amounts, as three letters of ISO 4217, such as `EUR`.
        payment_method: such as `Visa 1234`.
        total: the amount paid.
        items: at most 100.
        subtotal: before shipping and tax. None leaves it out, as with `shipping` and `tax`.
        adjustments: what was taken off.
        address: where the order is shipped.
        order_url: URL of the order.
        ordered: when it was ordered, in seconds since 1970.
        merchant_name: shown instead of the page's.
    """

    recipient_name: str
    order_number: str
    currency: str
    payment_method: str
    total: float
    items: tuple[Item, ...] = ()
    subtotal: float | None = None
    shipping: float | None = None
    tax: float | None = None
    adjustments: tuple[Adjustment, ...] = ()
    address: Address | None = None
    order_url: str = ""
    ordered: int | None = None
    merchant_name: str = ""

    def check(self) -> None:
        super().check()
        readable("The recipient's name", self.recipient_name, "say who ordered")
        readable("The order's number", self.order_number, "give each order its own")
        readable("The payment's method", self.payment_method, "say how it was paid, such as Visa 1234")
        if not re.fullmatch("[A-Z]{3}", self.currency):
            refuse(f"The currency is {self.currency!r}", "give its three letters, such as EUR")
        for name in ("total", "subtotal", "shipping", "tax"):
            if (amount := getattr(self, name)) is not None:
                _amount(f"The {name}", amount)
        _at_most("A receipt", "items", len(self.items), RECEIPT_ITEMS, "sum up the rest in one")
        if self.order_url:
            check_url("The order", self.order_url)
        if self.ordered is not None and self.ordered < 0:
            refuse(f"The order was made at {self.ordered}", "give seconds since 1970")

    def form(self) -> Json:
        costs = {
            "subtotal": self.subtotal,
            "shipping_cost": self.shipping,
            "total_tax": self.tax,
            "total_cost": self.total,
        }
        optional: Json = {
            "elements": [each.to_json() for each in self.items],
            "adjustments": [each.to_json() for each in self.adjustments],
            "address": self.address and self.address.to_json(),
            "order_url": self.order_url,
            "timestamp": None if self.ordered is None else str(self.ordered),
            "merchant_name": self.merchant_name,
        }
        return {
            "template_type": "receipt",
            "recipient_name": self.recipient_name,
            "order_number": self.order_number,
            "currency": self.currency,
            "payment_method": self.payment_method,
            "summary": {name: amount for name, amount in costs.items() if amount is not None},
            **{name: value for name, value in optional.items() if value},
        }


class Products(Template):
    """One to ten products of the page's catalogue, by their ids. Messenger adds image, title and price."""

    ids: tuple[str, ...]

    def check(self) -> None:
        super().check()
        if not self.ids or not all(self.ids):
            refuse("A list of products is empty, or has an empty id", "give one to ten ids of the catalogue")
        _at_most("A list of products", "products", len(self.ids), PRODUCTS, "show the first ones")

    def form(self) -> Json:
        return {"template_type": "product", "elements": [{"id": each} for each in self.ids]}


class Coupon(Template):
    """An offer with a code to reveal, a URL to shop at, or both.

    Args:
        title: the offer.
        code: the code that the user enters.
        url: where they enter it.
        subtitle: the terms.
        image: URL of an image.
        payload: comes back when the code is revealed.
    """

    title: str
    code: str = ""
    url: str = ""
    subtitle: str = ""
    image: str = ""
    payload: str = ""

    def check(self) -> None:
        super().check()
        readable("A coupon's title", self.title, "say what is offered")
        if not (self.code or self.url):
            refuse(f"The coupon {self.title!r} has neither a code nor a URL", "give at least one")
        for what, address in (("The coupon", self.url), ("The image of the coupon", self.image)):
            if address:
                check_url(f"{what} {self.title!r}", address)

    def form(self) -> Json:
        optional = {
            "subtitle": self.subtitle,
            "coupon_code": self.code,
            "coupon_url": self.url,
            "image_url": self.image,
            "payload": self.payload,
        }
        return {
            "template_type": "coupon",
            "title": self.title,
            **{name: value for name, value in optional.items() if value},
        }


class Feedback(Template):
    """A form that asks for feedback. The answer comes as a `FeedbackGiven`.

    Args:
        title: above the form.
        subtitle: below the title.
        button: title of the button that opens the form.
        question_id: comes back with the answer.
        score: `csat` (satisfaction), `nps` (recommendation) or `ces` (effort).
        privacy_url: URL of the page's privacy policy.
        question: replaces Facebook's own wording.
        comment: placeholder of a field for free text; "" for no such field.
        days: how long the form is open, 1 to 7.
    """

    title: str
    subtitle: str
    button: str
    question_id: str
    score: str
    privacy_url: str
    question: str = ""
    comment: str = ""
    days: int = 1

    def check(self) -> None:
        super().check()
        for name in ("title", "subtitle", "button", "question_id"):
            readable(f"The feedback's {name}", getattr(self, name), "fill it in")
        if self.score not in {"csat", "nps", "ces"}:
            refuse(f"The feedback's score is {self.score!r}", "choose csat, nps or ces")
        check_url("The privacy policy", self.privacy_url)
        if not 1 <= self.days <= FEEDBACK_DAYS:
            refuse(f"The feedback is open for {self.days} days", f"choose 1 to {FEEDBACK_DAYS}")

    def form(self) -> Json:
        question: Json = {"id": self.question_id, "type": self.score}
        if self.question:
            question["title"] = self.question
        if self.comment:
            question["follow_up"] = {"type": "free_form", "placeholder": self.comment}
        return {
            "template_type": "customer_feedback",
            "title": self.title,
            "subtitle": self.subtitle,
            "button_title": self.button,
            "feedback_screens": [{"questions": [question]}],
            "business_privacy": {"url": self.privacy_url},
            "expires_in_days": self.days,
        }


class AskToNotify(Template):
    """Asks for an opt-in to notifications outside the messaging window. A yes comes as an `OptedIn`.

    Only the countries of `NOTIFICATION_COUNTRIES` still have it.

    Args:
        title: what the notifications are about, at most 65 characters.
        payload: comes back with the opt-in, at most 1,000 characters.
        image: URL of an image.
    """

    title: str
    payload: str
    image: str = ""

    def check(self) -> None:
        super().check()
        _title("request to notify", self.title, NOTIFICATION_TITLE)
        _payload(f"request to notify {self.title!r}", self.payload)
        if self.image:
            check_url(f"The image of the request to notify {self.title!r}", self.image)

    def form(self) -> Json:
        picture = {"image_url": self.image} if self.image else {}
        return {"template_type": "notification_messages", "title": self.title, "payload": self.payload, **picture}


# Sender actions


class Action(Message):
    """A sender action: `typing_on`, `typing_off` or `mark_seen`."""

    name: str

    def check(self) -> None:
        if self.name not in {"typing_on", "typing_off", "mark_seen"}:
            refuse(
                f"The action {self.name!r} does not exist", "choose typing_on, typing_off or mark_seen, or use React"
            )

    def to_request(self, recipient: str) -> Request:
        return {"recipient": address(recipient), "sender_action": self.name}


class React(Message):
    """A reaction to a message of the user. An empty emoji removes it.

    Args:
        mid: the message's id.
        emoji: such as ❤.
    """

    mid: str
    emoji: str = ""

    def check(self) -> None:
        readable("A reaction's message id", self.mid, "take it from the event")

    def to_request(self, recipient: str) -> Request:
        payload: Json = {"message_id": self.mid}
        if self.emoji:
            payload["reaction"] = self.emoji
        return {
            "recipient": address(recipient),
            "sender_action": "react" if self.emoji else "unreact",
            "payload": payload,
        }


# Thread control


class ThreadControl(Message):
    """Says which of the page's apps has the conversation. Only a page with several apps needs it.

    Source: "Conversation Control APIs (Conversation Routing)", 2026-11-25.

    Attributes:
        call: the name of the call.
    """

    needs_window = False
    call: ClassVar[str]

    def to_request(self, recipient: str) -> Request:
        """The call's body, with its name as `control`."""
        return {"control": self.call, "recipient": address(recipient)}


class PassThread(ThreadControl):
    """Passes the conversation to another app.

    Args:
        app: the other app's id; the page's inbox is 263902037430900.
        reason: for the other app, at most 1,000 characters.
    """

    call = "pass_thread_control"

    app: str
    reason: str = ""

    def check(self) -> None:
        readable("The app to which a thread is passed", self.app, "give its id; the page's inbox is 263902037430900")
        within("The reason for passing a thread", self.reason, METADATA, "shorten it")

    def to_request(self, recipient: str) -> Request:
        request = super().to_request(recipient)
        request["target_app_id"] = self.app
        if self.reason:
            request["metadata"] = self.reason
        return request


class _OwnThread(ThreadControl):
    reason: str = ""

    def check(self) -> None:
        within(f"The reason of {type(self).__name__}", self.reason, METADATA, "shorten it")

    def to_request(self, recipient: str) -> Request:
        request = super().to_request(recipient)
        if self.reason:
            request["metadata"] = self.reason
        return request


class TakeThread(_OwnThread):
    """Takes the conversation from another app. Only the page's default app may. `reason` is for the other app."""

    call = "take_thread_control"


class ReleaseThread(_OwnThread):
    """Gives the conversation back to the page's default app. `reason` is for that app."""

    call = "release_thread_control"


class RequestThread(_OwnThread):
    """Asks the app that has the conversation for it. `reason` is for that app."""

    call = "request_thread_control"


# Messages outside a response


class Update(Message):
    """A message that responds to nothing, within the messaging window."""

    message: Content

    def to_request(self, recipient: str) -> Request:
        return self.message.to_request(recipient) | {"messaging_type": "UPDATE"}


class Notification(Message):
    """A message to a user who opted in, at any time.

    Args:
        message: the content.
        token: from the `OptedIn` event.
    """

    needs_window = False

    message: Content
    token: str

    def check(self) -> None:
        readable("The token of a notification", self.token, "take it from the OptedIn event")

    def to_request(self, recipient: str) -> Request:
        """The request's body: see `Message.to_request`. The token stands for the user."""
        body = self.message.to_request(recipient)
        return body | {"recipient": {"notification_messages_token": self.token}, "messaging_type": "UPDATE"}


class PrivateReply(Message):
    """The one message that may follow a comment on the page's post, within 7 days.

    Source: "Private Replies", 2026-11-25.

    Args:
        message: the content.
        comment_id: from the `Comment` event.
    """

    needs_window = False

    message: Content
    comment_id: str

    def check(self) -> None:
        readable("The comment's id", self.comment_id, "take it from the Comment event")

    def to_request(self, recipient: str) -> Request:
        """The request's body: see `Message.to_request`. The comment stands for the user."""
        return self.message.to_request(recipient) | {"recipient": {"comment_id": self.comment_id}}


class PublicReply(Message):
    """A reply under the comment that is being answered, which everybody can read.

    It needs the permissions `pages_manage_engagement` and `pages_read_engagement` (on Instagram,
    `instagram_manage_comments`). Sources: "Graph API Reference, Object Comments", 2026-11-25; "IG Comment Replies".

    Args:
        text: the words.
        comment_id: the comment's id; the engine fills it in.
        platform: the comment's platform; the engine fills it in.
    """

    needs_window = False

    text: str
    comment_id: str = ""
    platform: str = "page"

    def check(self) -> None:
        readable("A public reply", self.text, "say something")

    def to_request(self, recipient: str) -> Request:  # noqa: ARG002  the comment stands for the user
        """The words, and the edge of the Graph API that takes them; see `bot.messenger.client.GraphApi.send`."""
        path = f"{self.comment_id}/{'replies' if self.platform == 'instagram' else 'comments'}"
        return {"recipient": {"comment_id": self.comment_id}, "public_reply": self.text, "path": path}


# The checks


def refuse(what: str, fix: str) -> NoReturn:
    """Refuse a message, and say what to do."""
    raise Refused(f"{what}: {fix}.")


def readable(what: str, text: str, fix: str) -> None:
    """Refuse a text with nothing to see, or with half of a character."""
    if not visible(text):
        refuse(f"{what} is empty, or has nothing to see", fix)
    try:
        text.encode()
    except UnicodeEncodeError:
        refuse(
            f"{what} contains half of a character ({text!a:.80})", "split it with bot.messenger.text, not by position"
        )


def within(what: str, text: str, limit: int, fix: str) -> None:
    """Refuse a text that is too long; "" is allowed."""
    if text:
        readable(what, text, "leave it out")
    if len(text) > limit:
        refuse(f"{what} has {len(text)} characters, and {limit} are allowed", fix)


def _title(what: str, title: str, limit: int) -> None:
    readable(f"The title of a {what}", title, "fill it in")
    within(f"The title {title!r:.120} of a {what}", title, limit, "shorten it, and put the rest in the text above")


def _payload(what: str, payload: str) -> None:
    readable(f"The payload of the {what}", payload, "say what a tap on it means")
    within(f"The payload of the {what}", payload, PAYLOAD, "keep longer data in the state, and only its name here")


def _at_most(what: str, things: str, number: int, limit: int, fix: str) -> None:
    if number > limit:
        refuse(f"{what} has {number} {things}, and {limit} are allowed", fix)


def _buttons(what: str, buttons: tuple[Button, ...]) -> None:
    _at_most(what, "buttons", len(buttons), BUTTONS, "use quick replies for more choices")


def check_url(what: str, url: str, schemes: tuple[str, ...] = ("https://", "http://")) -> None:
    """Refuse an incomplete or impossible URL."""
    if not url.startswith(schemes) or not url.isprintable() or " " in url or not host(url):
        refuse(f"{what} has the URL {url!a:.120}", f"write it in full, beginning with {schemes[0]}, without spaces")
    within(f"{what}'s URL", url, URL, "use a shorter one that redirects there")


def host(url: str) -> str:
    """The host in a URL; "" if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _one_source(what: str, url: str, attachment_id: str) -> None:
    if bool(url) == bool(attachment_id):
        refuse(f"{what} has {'two sources' if url else 'no source'}", "give either its url or its attachment_id")
    if url:
        check_url(what, url)


def _amount(what: str, amount: float) -> None:
    if not math.isfinite(amount) or amount < 0:
        refuse(f"{what} is {amount}", "give an amount of at least 0")
