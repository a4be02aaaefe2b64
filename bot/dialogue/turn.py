"""A turn: one event, with everything that a handler may look at."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from bot.messenger.events import Event, TextMessage
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


class People(Protocol):
    """The User Profile API, as a conversation uses it."""

    def read(self, psid: str, fields: Sequence[str]) -> Mapping[str, str]:
        """These fields of a person's profile; empty if Facebook does not say.

        Args:
            psid: their page-scoped id.
            fields: names of `Person`'s fields.
        """


class Context(Record, Generic[W]):
    """What a conversation needs from outside. It is passed in, so the conversation stays pure.

    Args:
        now: seconds since 1970.
        world: whatever this bot's handlers need from the outside world; None if they need nothing.
        lex: understands what no rule takes; None for a bot without Lex.
        people: says who users are; None if nobody can say.
        human_hours: for how long the bot is silent after a human has written, or was asked for.
        disclose_days: after how many days the bot says again that it is one.
        inbox: the app to which the conversation is passed when the person wants a human; "" if no other app has one.
    """

    now: float
    world: W
    lex: Lex | None = None
    people: People | None = None
    human_hours: float = 12.0
    disclose_days: float = 30.0
    inbox: str = ""


class Person(Record):
    """What Facebook says about a user. A field is "" if the bot does not ask for it, or Facebook does not say.

    Source: "User Profile API", 2026-03-18. It needs the feature Business Asset User Profile Access.

    Attributes:
        first_name: the first name.
        last_name: the last name.
        profile_pic: the URL of their picture, which expires.
        locale: such as `de_DE`; it also needs the permission `pages_user_locale`.
    """

    first_name: str = ""
    last_name: str = ""
    profile_pic: str = ""
    locale: str = ""


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
        person: what Facebook says about the user, if the bot asks.
        asked: when Facebook was last asked, in seconds since 1970.
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
    person: Person | None = None
    asked: float = 0.0


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
        together: the messages that this turn answers as one, if they are several; see `Bot.together`.
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
    together: tuple[TextMessage, ...] = ()
    human_hours: float = 12.0
    disclose_days: float = 30.0
    inbox: str = ""

    @property
    def language(self) -> str:
        """The language to answer in: that of the user's phrases, else that of their locale."""
        spoken = self.person.locale.partition("_")[0]
        return self.session.language or (spoken if spoken in self.languages else self.languages[0])

    @property
    def person(self) -> Person:
        """What Facebook says about the user, if the bot asks for it."""
        return self.session.person or Person()

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
