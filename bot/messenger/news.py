"""News: messages that answer nothing, in the order in which Facebook may take them, and the templates of one of them.

Sources: Messenger Platform, "Send a utility message", 2026-03-13; "Changelog", 2026-02-10.
"""

import re
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from bot.messenger.messages import (
    BUTTONS,
    Content,
    Json,
    Link,
    Message,
    Notification,
    Request,
    Tap,
    Update,
    address,
    readable,
    refuse,
    within,
)
from bot.messenger.record import Record

# WhatsApp's limits ("Template components", 2026-04-13): Messenger's page has none, and its templates are the same.
NAME = re.compile("[a-z0-9_]{1,512}")
BODY = 1024  # characters
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
# The one placeholder of a button has a number and no name ("Send a utility message").
IN_BUTTON = "{{1}}"
# Marks a request that is sent only if Facebook refused the one before it. It is not a part of the request.
OTHERWISE = "otherwise"

P = TypeVar("P", bound=Record)


class Wording(Record, Generic[P]):
    """What a template says in one language.

    Args:
        text: at most 1,024 characters. It has each field of the example as a placeholder, such as `{{number}}`, and
            neither begins nor ends with one.
        example: the placeholders filled in, for Facebook's review. Every other filling is of the same class.
        buttons: at most three. One `Tap` may have a payload that ends with a placeholder: `TRACK:{{number}}`.
    """

    text: str
    example: P
    buttons: tuple[Link | Tap, ...] = ()

    def check(self) -> None:
        """Refuse what Facebook would not accept for review."""
        readable("A template's text", self.text, "say what happened")
        within("A template's text", self.text, BODY, "shorten it")
        named, fields = set(PLACEHOLDER.findall(self.text)), set(self.example.fields())
        if named != fields:
            refuse(
                f"A template's text has the placeholders {_listed(named)}, its example the fields {_listed(fields)}",
                "give both the same names",
            )
        if re.match(r"\s*\{\{", self.text) or re.search(r"\}\}\s*$", self.text):
            refuse(f"The template's text {self.text!r:.80} begins or ends with a placeholder", "put words around it")
        if len(self.buttons) > BUTTONS:
            refuse(f"A template has {len(self.buttons)} buttons, and {BUTTONS} are allowed", "leave one out")
        open_ended = [each for each in self.buttons if PLACEHOLDER.search(_target(each))]
        for button in open_ended:
            found = PLACEHOLDER.findall(_target(button))
            ends = isinstance(button, Tap) and button.payload.endswith("}}") and len(found) == 1
            if not ends or found[0] not in fields or len(open_ended) > 1:
                refuse(
                    f"The button {button.title!r} has a placeholder in {_target(button)!r:.80}",
                    "end the payload of one Tap with one of the text's placeholders",
                )

    def filled(self, values: P) -> str:
        """The text with its placeholders filled in."""
        return PLACEHOLDER.sub(lambda found: str(getattr(values, found[1])), self.text)

    def to_components(self) -> list[Json]:
        """The parts of the template as Facebook's review gets them."""
        examples = [{"param_name": name, "example": str(value)} for name, value in self.example.fields().items()]
        parts: list[Json] = [{"type": "BODY", "text": self.text, "example": {"body_text_named_params": examples}}]
        if self.buttons:
            parts.append({"type": "BUTTONS", "buttons": [_button(each) for each in self.buttons]})
        return parts

    def to_parameters(self, values: P) -> list[Json]:
        """What fills the placeholders, as the Send API gets it."""
        given = [
            {"type": "text", "parameter_name": name, "text": str(value)} for name, value in values.fields().items()
        ]
        parts: list[Json] = [{"type": "body", "parameters": given}]
        for each in self.buttons:
            if isinstance(each, Tap) and (found := PLACEHOLDER.search(each.payload)):
                rest = [{"type": "POSTBACK", "payload": str(getattr(values, found[1]))}]
                parts.append({"type": "buttons", "parameters": rest})
        return parts


class UtilityTemplate(Record, Generic[P]):
    """A text that Facebook approves once, and that may then be sent outside the messaging window.

    It says what became of an order, an account or an appointment. Facebook approves nothing promotional.
    `python -m ops templates` creates it, and shows whether Facebook approved it.

    Args:
        name: lower-case letters, digits and `_`.
        wordings: by language, such as `en` or `de`. They have the same placeholders.
    """

    name: str
    wordings: Mapping[str, Wording[P]]

    def check(self) -> None:
        """Refuse a name that Facebook would, and wordings that differ in their placeholders."""
        if not NAME.fullmatch(self.name):
            refuse(f"A template is called {self.name!r:.80}", "use lower-case letters, digits and _")
        if not self.wordings:
            refuse(f"The template {self.name} has no wording", "give one for each language of the bot")
        if len(kinds := {type(each.example).__name__ for each in self.wordings.values()}) > 1:
            refuse(f"The wordings of {self.name} have examples of {_listed(kinds)}", "use one class for all of them")

    def to_request(self, language: str) -> Json:
        """The request that creates the template in one language."""
        return {
            "name": self.name,
            "language": language,
            "category": "UTILITY",
            "parameter_format": "NAMED",
            "components": self.wordings[language].to_components(),
        }


class Utility(Message, Generic[P]):
    """A template with its placeholders filled in: it may be sent at any time, once Facebook has approved the template.

    Args:
        template: the template.
        language: one of the template's.
        values: the placeholders, each with something to see and without line breaks.
    """

    needs_window = False

    template: UtilityTemplate[P]
    language: str
    values: P

    def check(self) -> None:
        """Refuse a language that the template lacks, and placeholders that are not its own or that Facebook refuses."""
        name, wordings = self.template.name, self.template.wordings
        if self.language not in wordings:
            refuse(f"The template {name} does not exist in {self.language!r}", f"choose from {_listed(wordings)}")
        if type(self.values) is not (kind := type(wordings[self.language].example)):
            refuse(f"The template {name} is filled with a {type(self.values).__name__}", f"give a {kind.__name__}")
        for field, value in self.values.fields().items():
            readable(f"The placeholder {field} of {name}", str(value), "fill it in")
            # "Template components" of WhatsApp, 2026-04-13: no line break, no tab, no more than four spaces together.
            if re.search(r"[\n\r\t]| {5}", str(value)):
                refuse(f"The placeholder {field} of {name} has line breaks, tabs or many spaces", "give one line")
        within(f"The filled template {name}", self.text, BODY, "shorten its placeholders")

    @property
    def text(self) -> str:
        """What the user reads."""
        return self.template.wordings[self.language].filled(self.values)

    def to_request(self, recipient: str) -> Request:
        """The request's body: see `Message.to_request`."""
        template = {
            "name": self.template.name,
            "language": {"code": self.language},
            "components": self.template.wordings[self.language].to_parameters(self.values),
        }
        return {"recipient": address(recipient), "messaging_type": "UTILITY", "message": {"template": template}}


class News(Message):
    """News for a user, sent in the first of these ways that is open; in none, if none is.

    Within the messaging window it is an update. Outside it, it is a utility message where Facebook has approved the
    template and takes it for this user, and else a notification that the user consented to.

    Args:
        message: the news.
        utility: the same as a template; None if there is none.
        token: the user's consent, from the `OptedIn` event; "" if there is none.
    """

    needs_window = False

    message: Content
    utility: Utility[Any] | None = None
    token: str = ""

    def ways(self, *, window_open: bool) -> tuple[Message, ...]:
        """The messages to try, in this order, until Facebook takes one.

        The window can close between this and the sending, so an update is not the only way even while it is open.
        """
        update = [Update(self.message)] if window_open else []
        utility = [self.utility] if self.utility else []
        consent = [Notification(self.message, self.token)] if self.token else []
        found: list[Message] = [*update, *utility, *consent]
        return (*found[:1], *(Otherwise(each) for each in found[1:]))


class Otherwise(Message):
    """A message that is sent only if Facebook refused the one before it."""

    needs_window = False

    message: Message

    def to_request(self, recipient: str) -> Request:
        """The request's body: see `Message.to_request`. It is marked with `OTHERWISE`."""
        return self.message.to_request(recipient) | {"otherwise": True}


def _target(button: Link | Tap) -> str:
    return button.url if isinstance(button, Link) else button.payload


def _button(button: Link | Tap) -> Json:
    if isinstance(button, Link):
        return {"type": "URL", "text": button.title, "url": button.url}
    return {"type": "POSTBACK", "text": button.title, "payload": PLACEHOLDER.sub(IN_BUTTON, button.payload)}


def _listed(names: object) -> str:
    return ", ".join(sorted(map(str, names))) if isinstance(names, (set, Mapping)) else str(names)
