"""A turn: one event, with everything that a handler may look at."""

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from bot.messenger.events import Event
from bot.messenger.human import Human
from bot.messenger.record import Record

# Seconds: the standard messaging window, and that of a user who comes by a Click-to-Messenger ad.
# Source: "Messenger Platform Policy", 2026-09-28.
WINDOW, AD_WINDOW = 24 * 3600.0, 7 * 24 * 3600.0
# Seconds: the event queue and the dead-letter queue keep an event for 14 days each, so none is older.
OLDEST = 30 * 24 * 3600.0

S = TypeVar("S", bound=Record)
W = TypeVar("W")
E_co = TypeVar("E_co", bound=Event, covariant=True)


class Lex(Protocol):
    """Amazon Lex, as a conversation uses it. `bot.dialogue.lex` turns its answers into messages."""

    def recognize(self, session: str, text: str) -> Mapping[str, Any]:
        """What RecognizeText answers; empty if Lex does not answer.

        Args:
            session: the user's session id, 2 to 100 characters.
            text: 1 to 1,024 characters.
        """


class Context(Record, Generic[W]):
    """What a conversation needs from outside. It is passed in, so the conversation stays pure.

    Args:
        now: seconds since 1970.
        world: whatever this bot's handlers need from the outside world; None if they need nothing.
        lex: understands what no rule takes; None for a bot without Lex.
        human_hours: for how long the bot is silent after a human has written, or was asked for.
        disclose_days: after how many days the bot says again that it is one.
        inbox: the app to which the conversation is passed when the person wants a human; "" if no other app has one.
    """

    now: float
    world: W
    lex: Lex | None = None
    human_hours: float = 12.0
    disclose_days: float = 30.0
    inbox: str = ""


class Progress(Record):
    """How far a user is in a dialogue.

    Attributes:
        name: the dialogue's name.
        answers: the answers so far.
        asked: when the last question was asked, in seconds since 1970.
    """

    name: str
    answers: tuple[str, ...] = ()
    asked: float = 0.0


class Session(Record):
    """What the engine keeps about a user, beside the author's own record.

    Attributes:
        language: the language to answer in; "" until it is known.
        opened: when the user last opened the messaging window, in seconds since 1970.
        advertised: when the user last came by an ad, in seconds since 1970.
        disclosed: when the bot last said that it is one, in seconds since 1970; 0 if it has to say so.
        human: whether a human has the conversation. In the state it stands beside the session.
        pace: how many events the user is ahead of the rate limit, at the time `paced`.
        paced: when `pace` was worked out, in seconds since 1970.
        quiet_until: the user exceeded the rate limit and gets no answer until then.
        dialogue: the dialogue in progress.
    """

    language: str = ""
    opened: float = 0.0
    advertised: float = 0.0
    disclosed: float = 0.0
    human: Human = Human()
    pace: float = 0.0
    paced: float = 0.0
    quiet_until: float = 0.0
    dialogue: Progress | None = None


class Turn(Record, Generic[S, W, E_co]):
    """One event, with everything that a handler may look at.

    Attributes:
        event: what happened.
        state: the author's record of this user.
        world: what this bot's handlers need from the outside world.
        now: the time, in seconds since 1970.
        lex: Amazon Lex, if this bot has it.
        session: what the engine keeps about the user.
        languages: the bot's languages, the default first.
        argument: what follows the name in a payload: `12345678` in `TRACK:12345678`.
        always: True for a text that a rule of `always` takes.
        human_hours: see `Context`, as for the next two.
        disclose_days: see there.
        inbox: see there.
    """

    event: E_co
    state: S
    world: W
    now: float
    lex: Lex | None = None
    session: Session = Session()
    languages: tuple[str, ...] = ("en",)
    argument: str = ""
    always: bool = False
    human_hours: float = 12.0
    disclose_days: float = 30.0
    inbox: str = ""

    @property
    def language(self) -> str:
        """The language to answer in."""
        return self.session.language or self.languages[0]

    @property
    def happened(self) -> float:
        """When the event happened, in seconds since 1970; now if its timestamp is missing or impossible."""
        if self.event.timestamp is None or not self.now - OLDEST < self.event.timestamp / 1000 < self.now:
            return self.now
        return self.event.timestamp / 1000

    @property
    def window_open(self) -> bool:
        """True while the page may write to the user without an opt-in."""
        return self.now - self.session.opened < WINDOW or self.now - self.session.advertised < AD_WINDOW

    def words(self, **by_language: str) -> str:
        """The text in the user's language: `turn.words(en="Hello", de="Hallo")`.

        Raises:
            LookupError: one of the bot's languages is missing.
        """
        missing = [language for language in self.languages if language not in by_language]
        if missing:
            raise LookupError(
                f"No words in {', '.join(missing)} for {by_language}: give them in each of the bot's languages."
            )
        return by_language[self.language]
