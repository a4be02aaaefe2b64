"""A restaurant's bot: it takes the place of bot/conversation, and nothing else changes."""

from bot import dialogue
from bot.dialogue import Bot, Dialogue, Invalid, Record, ask
from bot.environment import Environment
from bot.messenger.events import Comment, Event
from bot.messenger.messages import Message, PublicReply, Text
from bot.messenger.profile import IceBreaker, Profile


class Guest(Record):
    """What the bot remembers about a guest."""

    name: str = ""


class Party(Record):
    """How many guests want to come."""

    count: int


class Kitchen(Record):
    """What the handlers need from the outside world: today's dishes, with their prices."""

    dishes: dict[str, float]


Turn = dialogue.Turn[Guest, Kitchen, Event]
Reply = dialogue.Reply[Guest]

bot: Bot[Guest, Kitchen] = Bot(Guest, languages=("fr",), person=("first_name", "locale"))

PROFILE = Profile(get_started="START", ice_breakers={"default": (IceBreaker("La carte ?", "CARTE"),)})


def world(environment: Environment) -> Kitchen:
    """Today's kitchen."""
    return Kitchen({"Soupe": 6.5, "Tarte": 4.0} if environment.page_id else {})


@bot.text("bonjour")
def greet(turn: Turn) -> str:
    """Greet the guest by name, if Facebook says it."""
    return f"Bonjour {turn.person.first_name or 'et bienvenue'} !"


@bot.comment("la carte", post="1001")
def in_public(turn: dialogue.Turn[Guest, Kitchen, Comment]) -> tuple[Message, ...]:
    """Send the dishes to whoever asks for them under the post, and say so there."""
    return Text(_dishes(turn.world)), PublicReply("Nous vous avons écrit.")


@bot.together
@bot.pattern(r"table\s+pour\s+(?P<count>[0-9]+)", Party)
def propose(turn: Turn, found: Party) -> str:
    """Propose a table to somebody who asks for one, in one message or in several."""
    return f"Une table pour {found.count} ? ({len(turn.together) or 1})"


@bot.postback("CARTE")
@bot.text("la carte")
def menu(turn: Turn) -> str:
    """Show today's dishes."""
    return _dishes(turn.world)


def _dishes(kitchen: Kitchen) -> str:
    return "\n".join(f"{dish}: {price:.2f} €" for dish, price in kitchen.dishes.items())


def seats(answer: str) -> int:
    """The number of guests."""
    if not answer.isdigit():
        raise Invalid("Un nombre, s'il vous plaît.")
    return int(answer)


@bot.text("réserver")
@bot.dialogue()
def reserve(turn: Turn) -> Dialogue[Guest]:
    """Reserve a table."""
    count = yield from ask("Pour combien de personnes ?", seats)
    name = turn.state.name or (yield from ask("À quel nom ?"))
    return Reply(f"Une table pour {count}, {name} !", state=Guest(name))


@bot.together
@bot.fallback
def explain(_: Turn) -> str:
    """Say what the bot understands."""
    return "Écrivez « la carte » ou « réserver »."
