"""A person's chat with a bot, so that a test of a dialogue reads like the dialogue."""

from collections.abc import Mapping
from typing import Any

from bot.conversation.parcels import DemonstrationParcels, ParcelSource
from bot.dialogue.rules import Answer, Bot, Context, Lex
from bot.messenger.events import Attachment, AttachmentMessage, Event, Postback, QuickReplyTapped, TextMessage
from bot.messenger.messages import Buttons, Carousel, Message, Text, Update
from bot.messenger.record import Record

NOON = 1_700_000_000.0


class Chat:
    """One person and a bot.

    Attributes:
        now: the time, in seconds since 1970; move it on by adding to it.
        last: the bot's last answer, whole.
        state: what the bot keeps of the person.
    """

    def __init__(
        self, bot: Bot[Any], parcels: ParcelSource | None = None, *, pictures: str = "", lex: Lex | None = None
    ) -> None:
        self._bot, self._parcels, self._pictures, self._lex = bot, parcels or DemonstrationParcels(), pictures, lex
        self.now, self.last = NOON, Answer((), {})
        self.state: Mapping[str, Any] = {}

    def says(self, text: str) -> list[str]:
        """The person types; what the bot says is returned."""
        return self.does(TextMessage(text))

    def taps(self, payload: str) -> list[str]:
        """The person taps a button or a menu item."""
        return self.does(Postback(payload))

    def chooses(self, payload: str) -> list[str]:
        """The person taps a quick reply."""
        return self.does(QuickReplyTapped(payload))

    def sends(self, *attachments: Attachment) -> list[str]:
        """The person sends pictures and the like."""
        return self.does(AttachmentMessage(attachments))

    def does(self, event: Event) -> list[str]:
        """Anything else happens."""
        event = event.replace(timestamp=int(self.now * 1000))
        self.last = self._bot.answer(event, self.state, Context(self.now, self._parcels, self._pictures, self._lex))
        self.state = self.last.state
        return [spoken(message) for message in self.last.messages]


def spoken(message: Message) -> str:
    """What a person reads of a message."""
    match message:
        case Update(message=inner):
            return spoken(inner)
        case Text(text=text) | Buttons(text=text):
            return text
        case Carousel(cards=cards):
            return "\n".join(f"{card.title}: {card.subtitle}" for card in cards)
    return type(message).__name__


class Nothing(Record):
    """The record of a bot that keeps nothing of a person."""
