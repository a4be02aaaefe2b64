"""What the bot says: the one file that a bot author edits.

Recipes are in docs/conversation.md.
"""

from bot.messenger.events import Event
from bot.messenger.messages import QuickReply, Text
from bot.messenger.record import Record
from bot.parcels import Parcel, Step
from bot.rules import Bot, Reply, Said, Turn


class Customer(Record):
    """What the bot remembers of a person.

    Attributes:
        parcel: the number last asked about.
    """

    parcel: str = ""


class ParcelNumber(Record):
    """What the pattern of a parcel number finds."""

    number: str


bot = Bot(Customer, languages=("en", "de"))

Now = Turn[Customer, Event]
Answered = Said[Customer]


@bot.text("status", en=("where is my parcel", "track"), de=("wo ist mein paket", "sendung"))
def status(turn: Now) -> Answered:
    """Tell where the parcel is that was asked about last, or ask for a number."""
    if not turn.state.parcel:
        return turn.words(
            en="Which parcel? Please send me its number of 8 digits.",
            de="Welches Paket? Schicken Sie mir bitte seine Nummer mit 8 Ziffern.",
        )
    return _tell(turn, turn.state.parcel)


@bot.pattern(r"(?<![0-9])(?P<number>[0-9]{4}[ -]?[0-9]{4})(?![0-9])", ParcelNumber)
def number(turn: Now, found: ParcelNumber) -> Answered:
    """Tell where the parcel of that number is."""
    return _tell(turn, found.number.replace(" ", "").replace("-", ""))


@bot.fallback
def explain(turn: Now) -> Answered:
    """Say what the bot can do."""
    return Text(
        turn.words(
            en="I am a bot and answer questions about parcels. Send me a parcel's number of 8 digits, or write “status”.",
            de="Ich bin ein Bot und beantworte Fragen zu Paketen. Schicken Sie mir eine Paketnummer mit 8 Ziffern, "
            "oder schreiben Sie „Status“.",
        ),
        quick_replies=(QuickReply("Status"),),
    )


def _tell(turn: Now, number: str) -> Answered:
    parcel = turn.context.parcels.find(number, turn.context.now)
    if parcel is None:
        return turn.words(
            en=f"I know no parcel {number}. Please check the number.",
            de=f"Ein Paket {number} kenne ich nicht. Bitte prüfen Sie die Nummer.",
        )
    return Reply(_overview(turn, parcel), state=turn.state.replace(parcel=number))


def _overview(turn: Now, parcel: Parcel) -> str:
    names = {
        Step.ANNOUNCED: turn.words(en="announced", de="angekündigt"),
        Step.IN_TRANSIT: turn.words(en="in transit", de="unterwegs"),
        Step.OUT_FOR_DELIVERY: turn.words(en="out for delivery", de="in Zustellung"),
        Step.DELIVERED: turn.words(en="delivered", de="zugestellt"),
    }
    lines = [turn.words(en=f"Parcel {parcel.number}:", de=f"Paket {parcel.number}:")]
    lines += [("✅ " if step <= parcel.step else "▫️ ") + name for step, name in names.items()]
    return "\n".join(lines)
