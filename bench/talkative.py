"""A conversation for the copy of the bot that answers often: as many texts as a person's text demands."""

from bot.dialogue import Bot, Record, Reply, Turn
from bot.environment import Environment
from bot.messenger.events import Event, TextMessage


class Nobody(Record):
    """Nothing is remembered."""


bot: Bot[Nobody, None] = Bot(Nobody, languages=("en",))
PROFILE = None


def world(_: Environment) -> None:
    """Nothing is needed from outside."""


@bot.fallback
def talk(turn: Turn[Nobody, None, Event]) -> Reply[Nobody]:
    """Answer so often."""
    if not isinstance(turn.event, TextMessage):
        return Reply()
    return Reply([f"This is answer {number}." for number in range(int(turn.event.text))])
