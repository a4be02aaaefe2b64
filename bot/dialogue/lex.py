"""Amazon Lex V2, for what no rule takes: its answers become messages.

Nothing here calls AWS: a conversation reaches Lex through its turn's `lex`. Sources: Amazon Lex V2, "RecognizeText";
Messenger's limits as in `bot.messenger.messages`.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, TypeVar

from bot.dialogue.turn import Turn
from bot.messenger.events import Event
from bot.messenger.identity import Fields
from bot.messenger.messages import (
    BUTTON_TITLE,
    BUTTONS,
    CARD_SUBTITLE,
    CARD_TITLE,
    QUICK_REPLIES,
    QUICK_REPLY_TITLE,
    Card,
    Carousel,
    Message,
    QuickReply,
    Refused,
    Tap,
    Text,
)
from bot.messenger.record import Record
from bot.messenger.text import clusters, split, visible

TEXT = 1024  # characters: RecognizeText, text
SESSION = range(2, 101)  # characters: RecognizeText, sessionId
_SESSION_CHARACTERS = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._:-")
_NOT_UNDERSTOOD = "FallbackIntent"  # the built-in intent AMAZON.FallbackIntent
PAYLOAD = "LEX"

S = TypeVar("S", bound=Record)
W = TypeVar("W")


def session_id(page: str, user: str) -> str:
    """The id of the user's session. An id that Lex would refuse is hashed."""
    name = f"{page}:{user}"
    if len(name) in SESSION and _SESSION_CHARACTERS.issuperset(name):
        return name
    return hashlib.sha256(name.encode()).hexdigest()


def understand(turn: Turn[S, W, Event], text: str, *, yes: str, no: str) -> tuple[Message, ...] | None:
    """What Lex answers to a text; None without Lex, or if it does not answer or understand.

    Args:
        turn: its `lex` is asked.
        text: what the user wrote, or what follows `LEX:` in a payload.
        yes: title of the quick reply for yes, when Lex asks for a confirmation.
        no: title of the quick reply for no.
    """
    text = _beginning(text.strip(), TEXT)
    if turn.lex is None or not text:
        return None
    answer = turn.lex.recognize(session_id(turn.event.page, turn.event.user), text)
    return to_messages(answer, yes=yes, no=no)


def to_messages(answer: Mapping[str, Any], *, yes: str, no: str) -> tuple[Message, ...] | None:
    """RecognizeText's answer as messages; None if it has no message, or if Lex did not understand.

    Args:
        answer: as received. Whatever is not as documented is ignored.
        yes: title of the quick reply for yes.
        no: title of the quick reply for no.
    """
    received = Fields(answer)
    state = received.object("sessionState")
    if state.object("intent").text("name") == _NOT_UNDERSTOOD:
        return None
    said: list[Message] = []
    for message in received.objects("messages"):
        said.extend(_message(message))
    confirming = state.object("dialogAction").text("type") == "ConfirmIntent"
    if confirming and said and isinstance(last := said[-1], Text) and not last.quick_replies:
        said[-1] = last.replace(quick_replies=(_choice(yes, "yes"), _choice(no, "no")))
    return tuple(said) or None


def _message(message: Fields) -> list[Message]:
    card = message.object("imageResponseCard")
    if message.text("contentType") == "ImageResponseCard" and card.value:
        return [_card(card)]
    return [Text(piece) for piece in split(message.text("content"))]


def _card(card: Fields) -> Message:
    """A response card: its first three buttons stay, the others become quick replies."""
    title, subtitle = _shown(card, "title") or "…", _shown(card, "subtitle")
    choices = [
        (_shown(each, "text"), _shown(each, "value"))
        for each in card.objects("buttons")
        if _shown(each, "text") and _shown(each, "value")
    ]
    replies = tuple(_choice(text, value) for text, value in choices[BUTTONS:][:QUICK_REPLIES])
    buttons = tuple(Tap(_short(text, BUTTON_TITLE), f"{PAYLOAD}:{value}") for text, value in choices[:BUTTONS])
    try:
        shown = Card(
            _short(title, CARD_TITLE), _short(subtitle, CARD_SUBTITLE), _shown(card, "imageUrl"), buttons=buttons
        )
    except Refused:  # the card has only a title, or an image URL that Messenger refuses
        replies = tuple(_choice(*each) for each in choices[:QUICK_REPLIES])
        return Text(_short(f"{title}\n{subtitle}".strip(), TEXT), quick_replies=replies)
    return Carousel((shown,), quick_replies=replies)


def _choice(text: str, value: str) -> QuickReply:
    return QuickReply(_short(text, QUICK_REPLY_TITLE), f"{PAYLOAD}:{value}")


def _short(text: str, most: int) -> str:
    """The text, or its beginning with an ellipsis."""
    return text if len(text) <= most else _beginning(text, most - 1).rstrip() + "…"


def _beginning(text: str, most: int) -> str:
    """The whole characters, as a reader sees them, that fit into this length."""
    taken = ""
    for cluster in clusters(text):
        if len(taken) + len(cluster) > most:
            break
        taken += cluster
    return taken


def _shown(fields: Fields, name: str) -> str:
    """A text without blanks around it; "" if it shows nothing."""
    text = fields.text(name).strip()
    return text if visible(text) else ""
