"""A user's chat with a bot, so that the test of a dialogue reads like the dialogue."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, overload

from bot.dialogue.bot import Bot
from bot.dialogue.reply import Answer
from bot.dialogue.turn import Context, Lex
from bot.messenger.events import Attachment, AttachmentMessage, Event, Postback, QuickReplyTapped, TextMessage
from bot.messenger.messages import Buttons, Carousel, Message, PrivateReply, PublicReply, Text, Update
from bot.messenger.news import Otherwise, Utility

NOON = 1_700_000_000.0  # seconds since 1970

W = TypeVar("W")
Fields = Mapping[str, str]


class Chat:
    """One user and a bot: `Chat(bot).says("hi")`.

    The bot has already said that it is one. Set `state` to {} for somebody who has never heard from it.

    Args:
        bot: the bot.
        world: what its handlers need from the outside world, if they need anything.
        lex: Amazon Lex, or what stands in for it.
        person: what Facebook says about the user, such as `{"first_name": "Ada"}`.

    Attributes:
        now: the time, in seconds since 1970. Add to it to let time pass.
        last: the bot's last answer in full.
        state: what the bot keeps about the user.
    """

    @overload
    def __init__(self, bot: Bot[Any, None], *, lex: Lex | None = None, person: Fields | None = None) -> None: ...
    @overload
    def __init__(self, bot: Bot[Any, W], world: W, *, lex: Lex | None = None, person: Fields | None = None) -> None: ...
    def __init__(
        self, bot: Bot[Any, Any], world: object = None, *, lex: Lex | None = None, person: Fields | None = None
    ) -> None:
        self._bot, self._world, self._lex, self._person = bot, world, lex, {} if person is None else person
        self.now, self.last = NOON, Answer((), {})
        self.state: Mapping[str, Any] = {"session": {"disclosed": NOON}}

    def says(self, text: str, *more: str) -> list[str]:
        """The user types a text, or several that wait together. Returns what they read in answer."""
        waiting, read = tuple(map(TextMessage, (text, *more))), []
        while waiting:
            first, *rest = waiting
            read += self.does(first.replace(waiting=tuple(rest)))
            waiting = tuple(rest[self.last.together :])
        return read

    def taps(self, payload: str) -> list[str]:
        """The user taps a button or a menu item."""
        return self.does(Postback(payload))

    def chooses(self, payload: str) -> list[str]:
        """The user taps a quick reply."""
        return self.does(QuickReplyTapped(payload))

    def sends(self, *attachments: Attachment) -> list[str]:
        """The user sends attachments, such as images."""
        return self.does(AttachmentMessage(attachments))

    def does(self, event: Event) -> list[str]:
        """Any other event happens."""
        event = event.replace(timestamp=int(self.now * 1000), user=event.user or ("1" if event.opens_window else ""))
        self.last = self._bot.answer(event, self.state, Context(self.now, self._world, self._lex, self))
        self.state = self.last.state
        return [readable(message) for message in self.last.messages if not isinstance(message, Otherwise)]

    def read(self, _psid: str, fields: Sequence[str]) -> Fields:
        """What Facebook says about the user; see `bot.dialogue.turn.People`."""
        return {name: self._person[name] for name in fields if name in self._person}


def readable(message: Message) -> str:
    """What a user reads of a message; the name of its class if it is more than text."""
    match message:
        case Update(message=inner) | PrivateReply(message=inner):
            return readable(inner)
        case PublicReply(text=text):
            return f"in public: {text}"
        case Text(text=text) | Buttons(text=text) | Utility(text=text):
            return text
        case Carousel(cards=cards):
            return "\n".join(f"{card.title}: {card.subtitle}" for card in cards)
    return type(message).__name__
