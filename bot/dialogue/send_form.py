"""Reads messages from the Send API's own JSON, so that a conversation in any language is held to the same limits.

One table says which path in the JSON is which field of which class. The classes themselves check the values. Whatever
the table does not know is refused: it would otherwise be lost without a word.
"""

from collections.abc import Callable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, Union, cast, get_args, get_origin

from bot.dialogue.typed import annotations
from bot.fault import ConversationFault
from bot.messenger import messages
from bot.messenger.record import Record

R = TypeVar("R", bound=Record)

# A list with exactly one element, and every element of a list, as parts of a path.
ONLY, EACH = "0", "*"
_MISSING = object()
# Longer numbers are nobody's amount or time, and Python refuses to convert some of them.
DIGITS = 15
MOST = 10**DIGITS


class BadReply(ConversationFault):
    """A conversation's reply that is not what it should be, or that Facebook would refuse.

    Args:
        at: where in the reply.
        message: what is wrong, and what to do.
    """

    def __init__(self, at: str, message: str) -> None:
        super().__init__("BadReply", at, message)


class Form(NamedTuple):
    """How a record looks as JSON.

    Attributes:
        kind: the record's class.
        fields: path in the JSON → name of the field.
        fixed: path → the values that tell this form from others; None stands for a missing one.
        optional: like `fixed`, for parts that may be missing.
    """

    kind: type[Record]
    fields: Mapping[str, str]
    fixed: Mapping[str, tuple[str | None, ...]] = {}
    optional: Mapping[str, tuple[str, ...]] = {}


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _template(
    kind: type[messages.Template], name: str, fields: Mapping[str, str], optional: Mapping[str, tuple[str, ...]] = {}
) -> Form:
    at = "attachment.payload."
    return Form(
        kind,
        {at + path: field for path, field in fields.items()} | _same("quick_replies"),
        {"attachment.type": ("template",), at + "template_type": (name,)},
        {at + path: values for path, values in optional.items()},
    )


# Sources: those of `bot.messenger.messages`.
_FORMS = (
    Form(messages.Text, _same("text", "quick_replies"), {"attachment": (None,), "sender_action": (None,)}),
    Form(
        messages.Media,
        {
            "attachment.type": "type",
            "attachment.payload.url": "url",
            "attachment.payload.attachment_id": "attachment_id",
            "attachment.payload.is_reusable": "reusable",
            **_same("quick_replies"),
        },
        {"attachment.type": ("image", "audio", "video", "file")},
    ),
    _template(messages.Buttons, "button", _same("text", "buttons")),
    _template(
        messages.Carousel,
        "generic",
        {"elements": "cards", "image_aspect_ratio": "square"},
    ),
    _template(
        messages.MediaCard,
        "media",
        {
            "elements.0.media_type": "type",
            "elements.0.url": "url",
            "elements.0.attachment_id": "attachment_id",
            "elements.0.buttons": "buttons",
        },
    ),
    _template(
        messages.ImageGrid,
        "image_grid",
        {f"elements.0.{name}": name for name in ("images", "title", "subtitle", "buttons")},
    ),
    _template(
        messages.Receipt,
        "receipt",
        {
            "summary.subtotal": "subtotal",
            "summary.shipping_cost": "shipping",
            "summary.total_tax": "tax",
            "summary.total_cost": "total",
            "elements": "items",
            "timestamp": "ordered",
            **_same(
                "recipient_name",
                "order_number",
                "currency",
                "payment_method",
                "adjustments",
                "address",
                "order_url",
                "merchant_name",
            ),
        },
    ),
    _template(messages.Products, "product", {"elements.*.id": "ids"}),
    _template(
        messages.Coupon,
        "coupon",
        {"coupon_code": "code", "coupon_url": "url", "image_url": "image", **_same("title", "subtitle", "payload")},
    ),
    _template(
        messages.Feedback,
        "customer_feedback",
        {
            "button_title": "button",
            "feedback_screens.0.questions.0.id": "question_id",
            "feedback_screens.0.questions.0.type": "score",
            "feedback_screens.0.questions.0.title": "question",
            "feedback_screens.0.questions.0.follow_up.placeholder": "comment",
            "business_privacy.url": "privacy_url",
            "expires_in_days": "days",
            **_same("title", "subtitle"),
        },
        {"feedback_screens.0.questions.0.follow_up.type": ("free_form",)},
    ),
    _template(messages.AskToNotify, "notification_messages", {"image_url": "image", **_same("title", "payload")}),
    Form(messages.Action, {"sender_action": "name"}, {"sender_action": ("typing_on", "typing_off", "mark_seen")}),
    Form(
        messages.React,
        {"payload.message_id": "mid", "payload.reaction": "emoji"},
        {"sender_action": ("react", "unreact")},
    ),
    Form(messages.QuickReply, {"image_url": "image", **_same("title", "payload")}, {"content_type": ("text",)}),
    Form(messages.AskPhone, {}, {"content_type": ("user_phone_number",)}),
    Form(messages.AskEmail, {}, {"content_type": ("user_email",)}),
    Form(messages.Link, {"webview_height_ratio": "height", **_same("title", "url")}, {"type": ("web_url",)}),
    Form(messages.Tap, _same("title", "payload"), {"type": ("postback",)}),
    Form(messages.Call, {"payload": "number", **_same("title")}, {"type": ("phone_number",)}),
    Form(messages.LogIn, _same("url"), {"type": ("account_link",)}),
    Form(messages.LogOut, {}, {"type": ("account_unlink",)}),
    Form(messages.Play, _same("title", "payload"), {"type": ("game_play",)}),
    Form(
        messages.Card,
        {"image_url": "image", "default_action.url": "link", **_same("title", "subtitle", "buttons")},
        optional={"default_action.type": ("web_url",)},
    ),
    Form(
        messages.GridImage,
        {
            "is_hero_image": "hero",
            "action.url": "link",
            "action.payload": "payload",
            "action.text": "text",
            **_same("url"),
        },
        optional={"action.type": ("web_url", "postback")},
    ),
    Form(messages.Item, {"image_url": "image", **_same("title", "price", "subtitle", "quantity")}),
    Form(
        messages.Address,
        {"street_1": "street", **_same("street_2", "city", "postal_code", "state", "country")},
    ),
)
# Fields whose values differ from the class's own.
_CONVERTED: dict[tuple[type[Record], str], Callable[[object], object]] = {
    (messages.Carousel, "square"): lambda given: {"square": True, "horizontal": False}.get(str(given), given),
    (messages.Receipt, "ordered"): lambda given: (
        int(given) if isinstance(given, str) and given.isdecimal() and len(given) <= DIGITS else given
    ),
}


def forms_of(kind: type[Record]) -> tuple[Form, ...]:
    """The forms of a class and its subclasses; of a class that has none, its fields with names like `handOver`."""
    found = tuple(form for form in _FORMS if issubclass(form.kind, kind))
    return found or (Form(kind, {camel(name): name for name in kind._fields}),)


def camel(name: str) -> str:
    """`hand_over` as `handOver`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def read(kind: type[R], value: object, at: str) -> R:
    """The record in a JSON value.

    Args:
        kind: the record's class.
        value: the parsed JSON.
        at: what the value is called in an error, such as `reply`.

    Raises:
        BadReply: it is not such a record, or Facebook would refuse it.
    """
    return cast("R", _read((kind,), value, at))


def _read(kinds: tuple[type[Record], ...], value: object, at: str) -> Record:
    if not isinstance(value, dict):
        raise BadReply(at, f"is {_named(value)}, not an object.")
    candidates = [form for kind in kinds for form in forms_of(kind)]
    form = next((form for form in candidates if _fits(form, value)), None)
    if form is None:
        paths = sorted({path for form in candidates for path in form.fixed})
        raise BadReply(at, f"is of no known kind: look at {', '.join(paths)}.")
    for path in _leaves(form, value):
        raise BadReply(f"{at}.{path}", "is not known here: leave it out, or check its name.")
    wanted, given = annotations(form.kind), {}
    for path, name in form.fields.items():
        if (found := _get(value, path, at)) is not _MISSING:
            convert = _CONVERTED.get((form.kind, name))
            given[name] = _fit(convert(found) if convert else found, wanted[name], f"{at}.{path}")
    if lacking := [path for path, name in form.fields.items() if name not in given and not hasattr(form.kind, name)]:
        raise BadReply(at, f"lacks {', '.join(lacking)}.")
    try:
        return form.kind(**given)
    except messages.Refused as refusal:
        raise BadReply(at, str(refusal)) from None


def _fits(form: Form, value: object) -> bool:
    for path, allowed in form.fixed.items():
        found = _get(value, path, "")
        if (None if found is _MISSING else found) not in allowed:
            return False
    return True


def _get(value: object, path: str, at: str) -> object:
    """What is at a path; `_MISSING` if nothing is."""
    for number, part in enumerate(parts := path.split(".")):
        if part in (ONLY, EACH) and not isinstance(value, list):
            return _MISSING
        if part == EACH and isinstance(value, list):
            return [_get(each, ".".join(parts[number + 1 :]), at) for each in value]
        if part == ONLY and isinstance(value, list):
            value = value[0] if len(value) == 1 else _MISSING
        else:
            value = value.get(part, _MISSING) if isinstance(value, dict) else _MISSING
        if value is _MISSING:
            return _MISSING
    return value


def _leaves(form: Form, value: object, path: str = "") -> Iterator[str]:
    """The paths in a value that the form does not know."""
    for name, each in value.items() if isinstance(value, dict) else ():
        yield from _unknown(form, each, f"{path}.{name}" if path else name)


def _unknown(form: Form, value: object, path: str) -> Iterator[str]:
    if path in form.fields:
        return
    known = form.fixed.get(path) or form.optional.get(path)
    inside = any(each.startswith(path + ".") for each in form.fields)
    if known is not None:
        if value not in known:
            yield path
    elif inside and isinstance(value, dict):
        yield from _leaves(form, value, path)
    elif inside and isinstance(value, list):
        each = any(name.startswith(f"{path}.{EACH}.") for name in form.fields)
        if not each and len(value) != 1:
            yield path
        for element in value:
            yield from _unknown(form, element, f"{path}.{EACH if each else ONLY}")
    else:
        yield path


def _fit(value: object, wanted: object, at: str) -> Any:
    """The value as the annotation of a field wants it."""
    choices = get_args(wanted) if get_origin(wanted) in (Union, UnionType) else (wanted,)
    records = tuple(each for each in choices if isinstance(each, type) and issubclass(each, Record))
    if isinstance(value, dict) and records:
        return _read(records, value, at)
    for choice in choices:
        if get_origin(choice) is tuple and isinstance(value, list):
            return tuple(_fit(each, get_args(choice)[0], f"{at}[{number}]") for number, each in enumerate(value))
        if get_origin(choice) is dict and isinstance(value, dict):
            return value
        if choice is float and type(value) is int and abs(value) < MOST:
            return float(value)
        if choice in (str, int, float, bool, NoneType) and type(value) is choice:
            return value
    raise BadReply(at, f"is {_named(value)}, not {' or '.join(map(_expected, choices))}.")


_NAMES = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a whole number"}
_NAMES |= {float: "a number", NoneType: "null", tuple: "a list"}


def _named(value: object) -> str:
    return "missing" if value is _MISSING else _NAMES[type(value)]


def _expected(choice: object) -> str:
    kind = get_origin(choice) or choice
    return _NAMES.get(kind, "an object") if isinstance(kind, type) else str(kind)
