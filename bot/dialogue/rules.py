"""The rules of a conversation, in decorators: what came in picks a handler, the handler says what goes out.

Handlers are pure: a turn in, a reply out; nothing is sent, and no clock is read. So answers can be stored before they
are sent, and a test of a dialogue reads like the dialogue. Mistakes in the rules are found when the conversation is
imported. Recipes are in docs/conversation.md.
"""

import re
import unicodedata
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar, overload

from bot.conversation.parcels import ParcelSource
from bot.dialogue.typed import Mismatch, read, write
from bot.messenger.events import (
    AccountLinked,
    Attachment,
    AttachmentMessage,
    Delivery,
    Echo,
    Event,
    Notice,
    OptedIn,
    Postback,
    QuickReplyTapped,
    Reacted,
    Read,
    Referral,
    Referred,
    TextMessage,
    UnsupportedMessage,
)
from bot.messenger.instagram import adapt
from bot.messenger.messages import Message, Text
from bot.messenger.record import Record
from bot.messenger.text import split

# Seconds: the event queue and the dead-letter queue keep an event for 14 days each, so none is older.
OLDEST = 30 * 24 * 3600.0
WINDOW = 24 * 3600.0  # seconds: Messenger Platform, "Messenger Platform Policy", the standard messaging window

S = TypeVar("S", bound=Record)
T = TypeVar("T")
F = TypeVar("F", bound=Record)
E = TypeVar("E", bound=Event)
E_co = TypeVar("E_co", bound=Event, covariant=True)


class RuleError(Exception):
    """A mistake in the rules of a conversation, found at import: what is wrong, and where both sides of it stand."""


class LexUnavailable(Exception):
    """Lex did not answer, or not in time; the bot answers in its own words."""


class Lex(Protocol):
    """What a conversation needs of Amazon Lex, where there is one; `bot.dialogue.lex` makes messages of its answers."""

    def recognize(self, session: str, text: str) -> Mapping[str, Any]:
        """What RecognizeText answers.

        Args:
            session: the user's: 2 to 100 characters.
            text: 1 to 1,024 characters.

        Raises:
            LexUnavailable: there is no answer.
        """


class Context(Record):
    """What a conversation needs of the world; handed in, so that it stays pure.

    Args:
        now: seconds since 1970.
        parcels: where parcels are looked up.
        pictures: address of a folder with the pictures `step-1.png` to `step-4.png`, "" to do without.
        lex: understands what no rule takes; None to do without.
    """

    now: float
    parcels: ParcelSource
    pictures: str = ""
    lex: Lex | None = None


class Progress(Record):
    """How far a dialogue has come.

    Attributes:
        name: the dialogue's.
        answers: those taken so far.
        asked: when the last question was asked, in seconds since 1970.
    """

    name: str
    answers: tuple[str, ...] = ()
    asked: float = 0.0


class Session(Record):
    """What is kept of a user beside the author's own record.

    Attributes:
        language: in which the user is answered, "" until it is known.
        opened: when the user last did what lets the page write to them for 24 hours, in seconds since 1970.
        silent_until: a human has the conversation until then.
        pace: how many events the user is ahead of the rate limit, as of the time `paced`.
        quiet_until: the user did too much and is not answered until then.
        dialogue: the one that is going on.
    """

    language: str = ""
    opened: float = 0.0
    silent_until: float = 0.0
    pace: float = 0.0
    paced: float = 0.0
    quiet_until: float = 0.0
    dialogue: Progress | None = None


class Turn(Record, Generic[S, E_co]):
    """One event with all that a handler may look at.

    Attributes:
        event: what happened.
        state: the author's own record of this user.
        context: the time, the parcels.
        session: what the engine keeps of the user.
        languages: those that the bot speaks, the default one first.
        argument: what follows the name in a payload: `12345678` in `TRACK:12345678`.
        always: True for a text that a rule of `always` takes.
    """

    event: E_co
    state: S
    context: Context
    session: Session = Session()
    languages: tuple[str, ...] = ("en",)
    argument: str = ""
    always: bool = False

    @property
    def language(self) -> str:
        """The language to answer in."""
        return self.session.language or self.languages[0]

    @property
    def window_open(self) -> bool:
        """True if the user may be written to without having opted in."""
        return self.context.now - self.session.opened < WINDOW

    def words(self, **by_language: str) -> str:
        """The text in the user's language: `turn.words(en="Hello", de="Hallo")`."""
        missing = [language for language in self.languages if language not in by_language]
        if missing:
            raise LookupError(
                f"No words in {', '.join(missing)} for {by_language}: give them in each of the bot's languages."
            )
        return by_language[self.language]


Words = str | Message | Iterable[str | Message]


class Reply(Record, Generic[S]):
    """What a handler answers with when it changes something: `Reply("Noted.", state=turn.state.replace(name=name))`.

    Args:
        said: a text, a message, or several of them.
        state: the author's record of the user from now on; None leaves it.
        session: the engine's; None leaves it.
        forget: everything that is known of the user is to be removed.
    """

    said: Words = ()
    state: S | None = None
    session: Session | None = None
    forget: bool = False


Said = Words | Reply[S] | None
Handler = Callable[[Turn[S, E]], Said[S]]
Middleware = Callable[[Turn[S, Event], Callable[[Turn[S, Event]], Reply[S]]], Said[S]]


class Answer(Record):
    """What comes of an event: what to send, in order, and the user's state from now on.

    Attributes:
        messages: all of them may be sent now: none is outside the window.
        state: to be kept, as JSON.
        forget: everything that is known of the person is to be removed.
        defect: what a handler raised, where the error handler answered instead.
    """

    messages: tuple[Message, ...]
    state: dict[str, Any]
    forget: bool = False
    defect: Exception | None = None


class Question(Record):
    """A dialogue's question; `again` if the answer to it was not understood."""

    said: Words
    again: bool = False


Dialogue = Generator[Question, str, Said[S]]


class Invalid(ValueError):
    """An answer that a dialogue cannot take; its text says why, and the question is asked again."""


def anything(answer: str) -> str:
    """The check of a question to which every answer is right."""
    return answer


@overload
def ask(question: str | Message) -> Generator[Question, str, str]: ...
@overload
def ask(question: str | Message, check: Callable[[str], T]) -> Generator[Question, str, T]: ...
def ask(question: str | Message, check: Callable[[str], Any] = anything) -> Generator[Question, str, Any]:
    """Put a question in a dialogue.

    `name = yield from ask("What is your name?")`

    Args:
        question: what is said.
        check: makes the answer (a text, or a quick reply's payload) a value; raises `Invalid`, or any ValueError, to
            have the question asked again.

    Returns:
        What `check` made of the answer.
    """
    answer = yield Question(question)
    while True:
        try:
            return check(answer)
        except Invalid as problem:
            answer = yield Question((str(problem), question), again=True)
        except ValueError:
            answer = yield Question(question, again=True)


class Registration(Generic[S, E]):
    """A decorator that registers a handler and leaves it as it is, so that several can be stacked."""

    def __init__(self, add: Callable[[Callable[..., Any]], None]) -> None:
        self._add = add

    @overload
    def __call__(self, handler: Handler[S, Event]) -> Handler[S, Event]: ...
    @overload
    def __call__(self, handler: Handler[S, E]) -> Handler[S, E]: ...
    def __call__(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Register the handler: one for any event, or for events of this decorator's kind."""
        self._add(handler)
        return handler


class _Rule(Record):
    """A handler, what it is for in words, where it was written, and the language that it shows the user to speak."""

    handler: Callable[..., Any]
    what: str
    place: str
    language: str = ""


_Key = tuple[str, object]
_FALLBACK: _Key = ("fallback", None)
_ERROR: _Key = ("error", None)
# Where one phrase cannot stand twice: what is always taken never reaches the others.
_RIVALS = {"text": ("text", "always"), "always": ("text", "always", "cancel"), "cancel": ("cancel", "always")}
_UNANSWERED = (Delivery, Echo, Read)
# What a person does and expects an answer to; all else is answered only if a rule says so.
_EXPECTING = (TextMessage, QuickReplyTapped, AttachmentMessage, UnsupportedMessage, Postback, Referred)
# What ends a dialogue when a rule takes it: the person turned to something else.
_TURNING = (TextMessage, QuickReplyTapped, Postback, Referred)


class Bot(Generic[S]):
    """A conversation: register handlers with its decorators, then let it `answer`.

    Which rule takes an event: a text of `always`; the dialogue that is going on; the exact text; the first pattern that
    matches; for all else the rule of the exact payload, reference, kind or topic, then that for any; at last the
    fallback.

    Args:
        state: the author's record of one user: every field has a default.
        languages: those that the bot speaks, the default one first.
    """

    def __init__(self, state: type[S], languages: tuple[str, ...] = ("en",)) -> None:
        # A field without a default, or of a type that JSON does not hold, would fail at a user's first message.
        try:
            kept = read(state, {name: _json(value) for name, value in state().fields().items()}, strictly=True)
        except (TypeError, Mismatch) as error:
            raise RuleError(
                f"{state.__name__} cannot be kept: {error} Give every field a type of JSON and a default."
            ) from None
        self._state, self.languages = type(kept), languages
        self._rules: dict[_Key, _Rule] = {}
        self._patterns: list[tuple[re.Pattern[str], type[Record], _Rule]] = []
        self._middleware: list[Middleware[S]] = []
        self._dialogues: dict[str, tuple[_Rule, float]] = {}

    # Registering

    def text(self, *phrases: str, **by_language: str | tuple[str, ...]) -> Registration[S, TextMessage]:
        """Take a text that is exactly one of the phrases, but for case, blanks and punctuation around it.

        Args:
            phrases: the same in all languages: they leave the user's language as it is.
            by_language: phrases of one language: they show which one the user speaks, `de=("hilfe", "hallo")`.
        """
        return self._phrases("text", phrases, by_language)

    def always(self, *phrases: str, **by_language: str | tuple[str, ...]) -> Registration[S, TextMessage]:
        """Like `text`, and also in the middle of a dialogue, which ends by it."""
        return self._phrases("always", phrases, by_language)

    def cancel(self, *phrases: str, **by_language: str | tuple[str, ...]) -> Registration[S, TextMessage]:
        """End the dialogue that is going on, if there is one; without one the text is as any other."""
        return self._phrases("cancel", phrases, by_language)

    def pattern(
        self, expression: str, groups: type[F]
    ) -> Callable[[Callable[[Turn[S, TextMessage], F], Said[S]]], Callable[[Turn[S, TextMessage], F], Said[S]]]:
        """Take a text in which the regular expression is found, whatever its case.

        Args:
            expression: its named groups are the fields of `groups`.
            groups: a record that the handler gets as its second argument, each field converted to its type; what cannot
                be converted does not match.
        """
        try:
            compiled = re.compile(expression, re.IGNORECASE)
        except re.error as error:
            raise RuleError(f"The pattern {expression!r} is no regular expression: {error}.") from None
        if set(compiled.groupindex) != set(groups._fields):
            raise RuleError(
                f"The pattern {expression!r} has the groups {sorted(compiled.groupindex)}, and {groups.__name__} the "
                f"fields {sorted(groups._fields)}: name both alike."
            )

        def register(
            handler: Callable[[Turn[S, TextMessage], F], Said[S]],
        ) -> Callable[[Turn[S, TextMessage], F], Said[S]]:
            rule = self._add(("pattern", expression), handler, f"the pattern {expression!r}")
            self._patterns.append((compiled, groups, rule))
            return handler

        return register

    def postback(self, payload: str = "") -> Registration[S, Postback]:
        """Take a tap on a button or menu item with this payload, or with `payload:argument`; any other if empty."""
        return self._values(Postback, (payload,) if payload else ())

    def quick_reply(self, payload: str = "") -> Registration[S, QuickReplyTapped]:
        """Take a tapped quick reply with this payload, or with `payload:argument`; any other if empty."""
        return self._values(QuickReplyTapped, (payload,) if payload else ())

    def referral(self, ref: str = "") -> Registration[S, Event]:
        """Take whoever comes by a link with this `ref`, or with `ref:argument`; by any other if empty.

        The event is a `Referred`, or for somebody new the first `Postback` or message, which carries the referral.
        """
        return self._values(Referred, (ref,) if ref else ())

    def opt_in(self, payload: str = "") -> Registration[S, OptedIn]:
        """Take a consent to notifications with this payload, or with `payload:argument`; any other if empty."""
        return self._values(OptedIn, (payload,) if payload else ())

    def account_linking(self, status: str = "") -> Registration[S, AccountLinked]:
        """Take the linking of an account with this status, `linked` or `unlinked`; either if empty."""
        return self._values(AccountLinked, (status,) if status else ())

    def notice(self, topic: str = "") -> Registration[S, Notice]:
        """Take a notice of the page owner's systems about this topic; any other if empty."""
        return self._values(Notice, (topic,) if topic else ())

    def attachment(self, *kinds: type[Attachment]) -> Registration[S, AttachmentMessage]:
        """Take a message whose first attachment is of one of these classes; any other if none is given."""
        return self._values(AttachmentMessage, kinds)

    def reaction(self, *signs: str) -> Registration[S, Reacted]:
        """Take one of these reactions when it is put on, by emoji or name (`love`); any, on or off, if none given."""
        return self._values(Reacted, tuple(_sign(sign) for sign in signs))

    def on(self, kind: type[E]) -> Registration[S, E]:
        """Take any other kind of event, such as `Edited` or `ThreadPassed`."""
        if issubclass(kind, _UNANSWERED):
            raise RuleError(f"{kind.__name__} is never answered: it tells only what became of the page's own messages.")
        return self._values(kind, ())

    def fallback(self, handler: Handler[S, Event]) -> Handler[S, Event]:
        """Take what the user wrote, sent or tapped and no rule before it took. It comes last."""
        self._add(_FALLBACK, handler, "the fallback")
        return handler

    def error(
        self, handler: Callable[[Turn[S, Event], Exception], Said[S]]
    ) -> Callable[[Turn[S, Event], Exception], Said[S]]:
        """Answer instead of a handler that raised; the state stays as it was, and the answer tells the defect."""
        self._add(_ERROR, handler, "the error handler")
        return handler

    def middleware(self, step: Middleware[S]) -> Middleware[S]:
        """Have a say in every turn, in the order of registration.

        `step(turn, go)` may change the turn, answer without `go(turn)`, or change its reply.
        """
        self._middleware.append(step)
        return step

    def dialogue(self, minutes: float = 30.0) -> Callable[[Callable[[Turn[S, Event]], Dialogue[S]]], Handler[S, Event]]:
        """Make a generator of questions a handler: register what starts it above this decorator.

        The generator is run anew at each answer, with the answers so far: it reads as a conversation, and nothing but
        the answers is kept.

        Args:
            minutes: after so long without an answer the dialogue is over, and the next message is as any other.
        """

        def register(questions: Callable[[Turn[S, Event]], Dialogue[S]]) -> Handler[S, Event]:
            name = questions.__name__
            rule = self._add(("dialogue", name), questions, f"the dialogue {name}")
            self._dialogues[name] = rule, minutes * 60

            def start(turn: Turn[S, Event]) -> Said[S]:
                return self._step(turn, Progress(name), ())

            start.__wrapped__ = questions  # type: ignore[attr-defined]  # as functools.wraps does, for `_place`
            return start

        return register

    # Answering

    def answer(self, event: Event, state: Mapping[str, Any], context: Context) -> Answer:
        """What to say to an event.

        Args:
            event: what happened.
            state: what the last answer to this user had as its state; empty for somebody new. What does not fit any
                longer, since the bot was changed meanwhile, is left out.
            context: the world as it is now.

        Raises:
            Exception: what a handler raised, unless an error handler is registered.
        """
        if isinstance(event, _UNANSWERED) or event.standby:
            return Answer((), dict(state))
        user, session = read(self._state, state.get("user")), read(Session, state.get("session"))
        if event.opens_window:
            session = session.replace(opened=max(session.opened, _happened(event, context.now)))
        always = isinstance(event, TextMessage) and ("always", normal(event.text)) in self._rules
        turn: Turn[S, Event] = Turn(event, user, context, session, self.languages, always=always)
        defect: Exception | None = None
        try:
            reply = self._through(turn, 0)
            messages = _messages(reply.said, event.platform)
        except Exception as error:
            rule = self._rules.get(_ERROR)
            if rule is None:
                raise
            defect = error
            reply = _reply(rule.handler(turn, error), turn)
            messages = _messages(reply.said, event.platform)
        if not turn.window_open:
            messages = tuple(message for message in messages if not message.needs_window)
        if reply.forget:
            return Answer(messages, {}, forget=True, defect=defect)
        kept = {"user": write(reply.state or user), "session": write(reply.session or session)}
        return Answer(messages, {name: value for name, value in kept.items() if value}, defect=defect)

    def _through(self, turn: Turn[S, Event], step: int) -> Reply[S]:
        """The middleware from that step on, and at its end the rules."""
        if step == len(self._middleware):
            return self._route(turn)

        def go(changed: Turn[S, Event]) -> Reply[S]:
            return self._through(changed, step + 1)

        return _reply(self._middleware[step](turn, go), turn)

    def _route(self, turn: Turn[S, Event]) -> Reply[S]:
        event = turn.event
        if isinstance(event, TextMessage):
            return self._route_text(turn, event)
        rule, argument = self._rule(event)
        going_on = self._going_on(turn)
        if going_on and isinstance(event, QuickReplyTapped) and rule is None:
            return self._step(turn, going_on, (event.payload,))
        if going_on and isinstance(event, (AttachmentMessage, UnsupportedMessage)):
            return self._step(turn, going_on, ())
        if rule is not None:
            return self._run(rule, turn.replace(argument=argument))
        return self._fall_back(turn) if isinstance(event, _EXPECTING) else _reply(None, turn)

    def _route_text(self, turn: Turn[S, Event], event: TextMessage) -> Reply[S]:
        said = normal(event.text)
        rule = self._rules.get(("always", said))
        if rule is None and (going_on := self._going_on(turn)):
            rule = self._rules.get(("cancel", said))
            if rule is None:
                return self._step(turn, going_on, (event.text,))
        rule = rule or self._rules.get(("text", said))
        if rule is not None:
            return self._run(rule, turn)
        return self._matched(turn, event) or self._fall_back(turn)

    def _matched(self, turn: Turn[S, Event], event: TextMessage) -> Reply[S] | None:
        for compiled, groups, rule in self._patterns:
            if found := compiled.search(event.text):
                given = {name: value for name, value in found.groupdict().items() if value is not None}
                try:
                    record = read(groups, given, strictly=True)
                except Mismatch:
                    continue
                return self._run(rule, turn, record)
        return None

    def _rule(self, event: Event) -> tuple[_Rule | None, str]:
        """The rule for an event that is no text, and what follows the name in its payload."""
        referral = getattr(event, "referral", None)
        if isinstance(referral, Referral):
            rule, argument = self._named(Referred, referral.ref)
            # A new person's first tap carries the link by which they came: what the link is for says more.
            if rule is not None and (isinstance(event, Referred) or rule is not self._rules.get((Referred.kind, None))):
                return rule, argument
        match event:
            case Postback(payload=name) | QuickReplyTapped(payload=name) | OptedIn(payload=name) | Notice(topic=name):
                return self._named(type(event), name)
            case AccountLinked(status=name):
                return self._named(type(event), name)
            case AttachmentMessage(attachments=(first, *_)):
                values: tuple[object, ...] = (type(first),)
            case Reacted(action="react"):
                values = (_sign(event.emoji), _sign(event.reaction))
            case _:
                values = ()
        found = (self._rules.get((event.kind, value)) for value in (*values, None))
        return next(filter(None, found), None), ""

    def _named(self, kind: type[Event], name: str) -> tuple[_Rule | None, str]:
        if rule := self._rules.get((kind.kind, name)):
            return rule, ""
        start, _, argument = name.partition(":")
        if rule := self._rules.get((kind.kind, start)):
            return rule, argument
        return self._rules.get((kind.kind, None)), name

    def _run(self, rule: _Rule, turn: Turn[S, Event], *found: Record) -> Reply[S]:
        if rule.language:
            turn = turn.replace(session=turn.session.replace(language=rule.language))
        if isinstance(turn.event, _TURNING):
            turn = _without_dialogue(turn)
        return _reply(rule.handler(turn, *found), turn)

    def _fall_back(self, turn: Turn[S, Event]) -> Reply[S]:
        rule = self._rules.get(_FALLBACK)
        return self._run(rule, turn) if rule else _reply(None, turn)

    # Dialogues

    def _going_on(self, turn: Turn[S, Event]) -> Progress | None:
        progress = turn.session.dialogue
        if progress is None or progress.name not in self._dialogues:
            return None
        _, seconds = self._dialogues[progress.name]
        return progress if turn.context.now - progress.asked <= seconds else None

    def _step(self, turn: Turn[S, Event], progress: Progress, given: tuple[str, ...]) -> Reply[S]:
        """The dialogue's next words: it is run with the answers so far and the one given, if one was."""
        rule, _ = self._dialogues[progress.name]
        questions: Dialogue[S] = rule.handler(turn)
        answers = progress.answers + given
        try:
            question = next(questions)
            for answer in answers:
                question = questions.send(answer)
        except StopIteration as end:
            return _reply(end.value, _without_dialogue(turn))
        taken = progress.answers if question.again else answers
        session = turn.session.replace(dialogue=progress.replace(answers=taken, asked=turn.context.now))
        return Reply(question.said, session=session)

    # Registering, inside

    def _phrases(
        self, table: str, phrases: tuple[str, ...], by_language: Mapping[str, str | tuple[str, ...]]
    ) -> Registration[S, TextMessage]:
        if strange := [language for language in by_language if language not in self.languages]:
            raise RuleError(f"The bot does not speak {', '.join(strange)}: it speaks {', '.join(self.languages)}.")
        everything = [("", phrase) for phrase in phrases]
        for language, own in by_language.items():
            everything += [(language, phrase) for phrase in ((own,) if isinstance(own, str) else own)]

        def add(handler: Callable[..., Any]) -> None:
            if not everything:
                raise RuleError(f"{_place(handler)} takes no text: name at least one phrase.")
            for language, phrase in everything:
                self._add((table, normal(phrase)), handler, f"the text {phrase!r}", language)

        return Registration(add)

    def _values(self, kind: type[E], values: tuple[object, ...]) -> Registration[S, E]:
        def add(handler: Callable[..., Any]) -> None:
            for value in values:
                shown = value.__name__ if isinstance(value, type) else repr(value)
                self._add((kind.kind, value), handler, f"the {kind.kind} {shown}")
            if not values:
                self._add((kind.kind, None), handler, f"any {kind.kind}")

        return Registration(add)

    def _add(self, key: _Key, handler: Callable[..., Any], what: str, language: str = "") -> _Rule:
        rule = _Rule(handler, what, _place(handler), language)
        table, value = key
        for rival in _RIVALS.get(table, (table,)):
            if earlier := self._rules.get((rival, value)):
                raise RuleError(f"{what} is taken twice: at {earlier.place} and at {rule.place}. Take one away.")
        for catch_all in (self._rules.get((table, None)), self._rules.get(_FALLBACK)):
            if catch_all and table not in {"error", "dialogue"}:
                raise RuleError(
                    f"{what} at {rule.place} comes after {catch_all.what} at {catch_all.place}, which takes "
                    "everything: put it before."
                )
        self._rules[key] = rule
        return rule


def _happened(event: Event, now: float) -> float:
    """When the event happened, in seconds since 1970; now if it does not say so, or says what cannot be."""
    if event.timestamp is None or not now - OLDEST < event.timestamp / 1000 < now:
        return now
    return event.timestamp / 1000


def normal(text: str) -> str:
    """A text as it is compared: without case, punctuation around it and doubled blanks."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.strip(" .,!?¿¡…:;") or folded


def _sign(emoji: str) -> str:
    """A reaction as it is compared: with or without the selector that asks for its coloured form."""
    return emoji.replace("\ufe0f", "")


def _place(function: Callable[..., Any]) -> str:
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)


def _json(value: object) -> object:
    return write(value) if isinstance(value, Record) else value


def _without_dialogue(turn: Turn[S, Event]) -> Turn[S, Event]:
    return turn.replace(session=turn.session.replace(dialogue=None)) if turn.session.dialogue else turn


def _reply(said: Said[S], turn: Turn[S, Event]) -> Reply[S]:
    """What a handler returned as a reply, with the turn's session unless it has one of its own."""
    if isinstance(said, Reply):
        return said if said.session else said.replace(session=turn.session)
    return Reply(() if said is None else said, session=turn.session)


def _messages(said: Words, platform: str) -> tuple[Message, ...]:
    """What was said as messages of the platform; a text of any length is cut."""
    each = (said,) if isinstance(said, (str, Message)) else tuple(said)
    messages = tuple(
        message
        for one in each
        for message in ((one,) if isinstance(one, Message) else (Text(piece) for piece in split(one)))
    )
    if platform == "instagram":
        return tuple(adapted for message in messages for adapted in adapt(message))
    return messages
