"""A small bot to try rules on."""

from collections.abc import Callable

from bot.dialogue import Bot, Record, Turn
from bot.dialogue.testing import NOON, Chat
from bot.messenger.events import Event
from bot.messenger.messages import Message

HOUR = 3600.0


class Guest(Record):
    name: str = ""
    visits: int = 0
    tags: tuple[str, ...] = ()


GuestTurn = Turn[Guest, None, Event]


def empty() -> Bot[Guest, None]:
    return Bot(Guest, languages=("en", "de"), disclosure=None)


def says(*words: str | Message) -> Callable[[GuestTurn], tuple[str | Message, ...]]:
    return lambda _: words


def known(bot: Bot[Guest, None]) -> Chat:
    """A chat with a user who has just written, so the bot may write to them."""
    chat = Chat(bot)
    chat.state = {"session": {"opened": NOON}}
    return chat
