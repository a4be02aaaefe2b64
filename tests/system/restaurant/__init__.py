"""A restaurant's bot: it takes the place of bot/conversation, and nothing else changes."""

from bot import dialogue
from bot.dialogue import Bot, Dialogue, Invalid, Record, ask
from bot.environment import Environment
from bot.messenger.events import Event
from bot.messenger.profile import IceBreaker, Profile


class Guest(Record):
    """What the bot remembers about a guest."""

    name: str = ""


class Kitchen(Record):
    """What the handlers need from the outside world: today's dishes, with their prices."""

    dishes: dict[str, float]


Turn = dialogue.Turn[Guest, Kitchen, Event]
Reply = dialogue.Reply[Guest]

bot: Bot[Guest, Kitchen] = Bot(Guest, languages=("fr",))

PROFILE = Profile(get_started="START", ice_breakers={"default": (IceBreaker("La carte ?", "CARTE"),)})


def world(environment: Environment) -> Kitchen:
    """Today's kitchen."""
    return Kitchen({"Soupe": 6.5, "Tarte": 4.0} if environment.page_id else {})


@bot.postback("CARTE")
@bot.text("la carte")
def menu(turn: Turn) -> str:
    """Show today's dishes."""
    return "\n".join(f"{dish}: {price:.2f} €" for dish, price in turn.world.dishes.items())


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


@bot.fallback
def explain(_: Turn) -> str:
    """Say what the bot understands."""
    return "Écrivez « la carte » ou « réserver »."
