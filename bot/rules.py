"""The rules of a conversation, in decorators: what came in picks a handler, the handler says what goes out.

Handlers are pure: a turn in, a reply out; nothing is sent, and no clock is read. So answers can be stored before they
are sent, and a test of a dialogue reads like the dialogue. Mistakes in the rules are found when the conversation is
imported.
"""

import re
import unicodedata
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, Generic, TypeVar

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
from bot.messenger.messages import Message, Text
from bot.messenger.record import Record
from bot.messenger.text import split
from bot.parcels import ParcelSource
from bot.typed import Mismatch, read, write

WINDOW = 24 * 3600.0  # seconds: Messenger Platform, "Messenger Platform Policy", the standard messaging window

S = TypeVar("S", bound=Record)
T = TypeVar("T")
F = TypeVar("F", bound=Record)
E_co = TypeVar("E_co", bound=Event, covariant=True)


class RuleError(Exception):
    """A mistake in the rules of a conversation, found at import: what is wrong, and where both sides of it stand."""


class Context(Record):
    """What a conversation needs of the world; handed in, so that it stays pure.

    Args:
        now: seconds since 1970.
        parcels: where parcels are looked up.
        pictures: address of a folder with the pictures `step-1.png` to `step-4.png`, "" to do without.
    """

    now: float
    parcels: ParcelSource
    pictures: str = ""


class Progress(Record):
    """How far a dialogue has come: its name, the answers taken so far, and when the last question was asked."""

    name: str
    answers: tuple[str, ...] = ()
    asked: float = 0.0


class Session(Record):
    """What is kept of a user beside the author's own record.

    Attributes:
        language: in which the user is answered, "" until it is known.
        opened: when the user last did something that lets the page write to them for 24 hours, in seconds since 1970.
        silent_until: a human has the conversation until then.
        recent: when the user's last events came, for the rate limit.
        dialogue: the dialogue that is going on.
    """

    language: str = ""
    opened: float = 0.0
    silent_until: float = 0.0
    recent: tuple[float, ...] = ()
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
    """

    event: E_co
    state: S
    context: Context
    session: Session = Session()
    languages: tuple[str, ...] = ("en",)
    argument: str = ""

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
                f"No words in {', '.join(missing)} for {by_language}: give them in every language of the bot."
            )
        return by_language[self.language]


class Reply(Record, Generic[S]):
    """What a handler answers with when it changes something: `Reply("Noted.", state=turn.state.replace(parcel=number))`.

    Args:
        said: a text, a message, or several of them.
        state: the author's record of the user from now on; None leaves it.
        session: the engine's; None leaves it.
        forget: everything that is known of the user is to be removed.
    """

    said: "str | Message | Iterable[str | Message]" = ()
    state: S | None = None
    session: Session | None = None
    forget: bool = False


Said = str | Message | Iterable[str | Message] | Reply[S] | None
Handler = Callable[[Turn[S, E_co]], Said[S]]
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
    state: dict[str, object]
    forget: bool = False
    defect: Exception | None = None


class Question(Record):
    """A dialogue's question; `again` if the answer to it was not understood."""

    said: "str | Message | Iterable[str | Message]"
    again: bool = False


Dialogue = Generator[Question, str, Said[S]]


class Invalid(ValueError):
    """An answer that a dialogue cannot take; its text says why, and the question is asked again."""


def ask(question: str | Message, check: Callable[[str], T] = str) -> Generator[Question, str, T]:  # type: ignore[assignment]  # str is a check for T = str
    """Ask in a dialogue: `name = yield from ask("What is your name?")`.

    Args:
        question: what is said.
        check: makes the answer (a text, or a quick reply's payload) a value; raises `Invalid`, or any ValueError, to have the question asked
            again.

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


class _Rule(Record):
    """A handler, where it was written, and what it is for in words."""

    handler: Callable[..., Any]
    what: str
    place: str
    language: str = ""


class Bot(Generic[S]):
    """A conversation: register handlers with its decorators, then let it `answer`.

    Which rule takes an event: texts of `always`; the dialogue that is going on; the exact text; the first pattern that
    matches; for all else the rule of the exact payload, reference, kind or topic, then the one for any; at last the fallback.

    Args:
        state: the author's record of one user: every field has a default.
        languages: those that the bot speaks, the default one first.
    """

    def __init__(self, state: type[S], languages: tuple[str, ...] = ("en",)) -> None:
        self._state, self.languages = state, languages
        # A field without a default, or of a type that JSON does not hold, would fail at a user's first message.
        if read(state, write(state())) != state():
            raise RuleError(
                f"{state.__name__} cannot be kept as JSON: use texts, numbers, truth values, tuples and records."
            )
        self._rules: dict[tuple[str, object], _Rule] = {}
        self._patterns: list[tuple[re.Pattern[str], type[Record], _Rule]] = []
        self._middleware: list[_Rule] = []
        self._dialogues: dict[str, tuple[_Rule, float]] = {}

    # Registering

    def text(
        self, *phrases: str, **by_language: str | tuple[str, ...]
    ) -> Callable[[Handler[S, TextMessage]], Handler[S, TextMessage]]:
        """Take a text that is exactly one of the phrases, but for case, blanks and punctuation around it.

        Args:
            phrases: the same in all languages: they leave the user's language as it is.
            by_language: phrases of one language: they show which one the user speaks, `de=("hilfe", "hallo")`.
        """
        return self._phrases("text", phrases, by_language)

    def always(
        self, *phrases: str, **by_language: str | tuple[str, ...]
    ) -> Callable[[Handler[S, TextMessage]], Handler[S, TextMessage]]:
        """Like `text`, and also in the middle of a dialogue, which ends by it."""
        return self._phrases("always", phrases, by_language)

    def cancel(
        self, *phrases: str, **by_language: str | tuple[str, ...]
    ) -> Callable[[Handler[S, TextMessage]], Handler[S, TextMessage]]:
        """End the dialogue that is going on, if there is one; without one the text is as any other."""
        return self._phrases("cancel", phrases, by_language)

    def pattern(
        self, expression: str, groups: type[F]
    ) -> Callable[[Callable[[Turn[S, TextMessage], F], Said[S]]], Callable[[Turn[S, TextMessage], F], Said[S]]]:
        """Take a text in which the regular expression is found, whatever its case.

        Args:
            expression: its named groups are the fields of `groups`.
            groups: a record that the handler gets as its second argument, each field converted to its type; what cannot be converted does
                not match.
        """
        try:
            compiled = re.compile(expression, re.IGNORECASE)
        except re.error as error:
            raise RuleError(f"The pattern {expression!r} is no regular expression: {error}.") from None
        if set(compiled.groupindex) != set(groups._fields):
            raise RuleError(
                f"The pattern {expression!r} has the groups {sorted(compiled.groupindex)}, and {groups.__name__} the fields "
                f"{sorted(groups._fields)}: name both alike."
            )

        def register(
            handler: Callable[[Turn[S, TextMessage], F], Said[S]],
        ) -> Callable[[Turn[S, TextMessage], F], Said[S]]:
            rule = self._add(("pattern", expression), handler, f"the pattern {expression!r}")
            self._patterns.append((compiled, groups, rule))
            return handler

        return register

    def postback(self, payload: str = "") -> Callable[[Handler[S, Postback]], Handler[S, Postback]]:
        """Take a tap on a button or menu item with this payload, or with `payload:argument`; any other if none is given."""
        return self._single(Postback, payload, "the postback")

    def quick_reply(self, payload: str = "") -> Callable[[Handler[S, QuickReplyTapped]], Handler[S, QuickReplyTapped]]:
        """Take a tapped quick reply with this payload, or with `payload:argument`; any other if none is given."""
        return self._single(QuickReplyTapped, payload, "the quick reply")

    def referral(self, ref: str = "") -> Callable[[Handler[S, Event]], Handler[S, Event]]:
        """Take whoever comes by a link with this `ref`, or with `ref:argument`; by any other if none is given.

        The event is a `Referred`, or for somebody new the first `Postback` or message, which carries the referral.
        """
        return self._single(Referred, ref, "the referral")

    def opt_in(self, payload: str = "") -> Callable[[Handler[S, OptedIn]], Handler[S, OptedIn]]:
        """Take a consent to notifications with this payload; any other if none is given."""
        return self._single(OptedIn, payload, "the opt-in")

    def account_linking(self, status: str = "") -> Callable[[Handler[S, AccountLinked]], Handler[S, AccountLinked]]:
        """Take the linking of an account with this status, `linked` or `unlinked`; either if none is given."""
        return self._single(AccountLinked, status, "the account linking")

    def notice(self, topic: str = "") -> Callable[[Handler[S, Notice]], Handler[S, Notice]]:
        """Take a notice of ours about this topic; any other if none is given."""
        return self._single(Notice, topic, "the notice")

    def attachment(
        self, *kinds: type[Attachment]
    ) -> Callable[[Handler[S, AttachmentMessage]], Handler[S, AttachmentMessage]]:
        """Take a message whose first attachment is of one of these classes; any other if none is given."""
        return self._several(AttachmentMessage, kinds, "the attachment")

    def reaction(self, *signs: str) -> Callable[[Handler[S, Reacted]], Handler[S, Reacted]]:
        """Take one of these reactions, by its emoji or its name (`love`), when it is put on; any, on or off, if none is given."""
        return self._several(Reacted, tuple(_sign(sign) for sign in signs), "the reaction")

    def on(self, kind: type[Event]) -> Callable[[Handler[S, Any]], Handler[S, Any]]:
        """Take any other kind of event, such as `Edited` or `ThreadPassed`."""
        if kind in _UNANSWERED:
            raise RuleError(f"{kind.__name__} is never answered: it tells only what became of the page's own messages.")
        return self._several(kind, (), kind.__name__)

    def fallback(self, handler: Handler[S, Event]) -> Handler[S, Event]:
        """Take what the user wrote, sent or tapped and no rule before it took. It comes last."""
        self._add(("fallback", None), handler, "the fallback")
        return handler

    def error(
        self, handler: Callable[[Turn[S, Event], Exception], Said[S]]
    ) -> Callable[[Turn[S, Event], Exception], Said[S]]:
        """Answer instead of a handler that raised; the state stays as it was, and the answer tells the defect."""
        self._add(("error", None), handler, "the error handler")
        return handler

    def middleware(self, step: Middleware[S]) -> Middleware[S]:
        """Have a say in every turn: `step(turn, go)` may change the turn, answer without `go(turn)`, or change its reply.

        They run in the order of registration.
        """
        self._middleware.append(_Rule(step, "middleware", _place(step)))
        return step

    def dialogue(self, minutes: float = 30.0) -> Callable[[Callable[[Turn[S, Event]], Dialogue[S]]], Handler[S, Event]]:
        """Make a generator of questions a handler: register what starts it above this decorator.

        The generator is run anew at each answer, with the answers so far: it reads as a conversation, and keeps nothing but them.

        Args:
            minutes: after so long without an answer the dialogue is over, and the next message is as any other.
        """

        def register(questions: Callable[[Turn[S, Event]], Dialogue[S]]) -> Handler[S, Event]:
            name = questions.__name__
            rule = self._add(("dialogue", name), questions, f"the dialogue {name}")
            self._dialogues[name] = rule, minutes * 60

            def start(turn: Turn[S, Event]) -> Reply[S]:
                return self._step(turn, Progress(name), questions(turn), ())

            start.__wrapped__ = questions  # type: ignore[attr-defined]  # as functools.wraps does: errors name the author's function
            return start

        return register

    # Answering

    def answer(self, event: Event, state: Mapping[str, object], context: Context) -> Answer:
        """What to say to an event.

        Args:
            event: what happened.
            state: what the last answer to this user had as its state; empty for somebody new. What does not fit any longer, since the bot was
                changed meanwhile, is left out.
            context: the world as it is now.
        """
        kept = Answer((), dict(state))
        if isinstance(event, _UNANSWERED) or event.standby:
            return kept
        user, session = read(self._state, state.get("user")), read(Session, state.get("session"))
        if event.opens_window:
            happened = context.now if event.timestamp is None else min(event.timestamp / 1000, context.now)
            session = session.replace(opened=max(session.opened, happened))
        turn = Turn(event, user, context, session, self.languages)
        defect: Exception | None = None
        try:
            reply, messages = self._messages(self._through(turn, 0))
        except Exception as error:
            rule = self._rules.get(("error", None))
            if rule is None:
                raise
            defect = error
            reply, messages = self._messages(_reply(rule.handler(turn, error)))
        session = reply.session or session
        if not context.now - session.opened < WINDOW:
            messages = tuple(message for message in messages if not message.needs_window)
        if reply.forget:
            return Answer(messages, {}, forget=True, defect=defect)
        return Answer(messages, {"user": write(reply.state or user), "session": write(session)}, defect=defect)

    def _messages(self, reply: Reply[S]) -> tuple[Reply[S], tuple[Message, ...]]:
        said = (reply.said,) if isinstance(reply.said, (str, Message)) else tuple(reply.said)
        return reply, tuple(
            message
            for each in said
            for message in ((each,) if isinstance(each, Message) else tuple(Text(piece) for piece in split(each)))
        )

    def _through(self, turn: Turn[S, Event], step: int) -> Reply[S]:
        """The middleware from that step on, and at its end the rules."""
        if step == len(self._middleware):
            return self._route(turn)

        def go(changed: Turn[S, Event]) -> Reply[S]:
            return self._through(changed, step + 1)

        return _reply(self._middleware[step].handler(turn, go), turn)

    def _route(self, turn: Turn[S, Event]) -> Reply[S]:
        event = turn.event
        going_on = self._going_on(turn)
        if isinstance(event, TextMessage):
            said = normal(event.text)
            if rule := self._rules.get(("always", said)):
                return self._run(rule, turn)
            if going_on:
                if rule := self._rules.get(("cancel", said)):
                    return self._run(rule, turn)
                if reply := self._answered(turn, going_on, (event.text,)):
                    return reply
            if rule := self._rules.get(("text", said)):
                return self._run(rule, turn)
            if reply := self._matched(turn, event):
                return reply
            return self._fall_back(turn)
        rule, argument = self._rule(event)
        if going_on and isinstance(event, (QuickReplyTapped, AttachmentMessage, UnsupportedMessage)):
            given = (event.payload,) if isinstance(event, QuickReplyTapped) else ()
            if (not given or rule is None) and (reply := self._answered(turn, going_on, given)):
                return reply
        if rule is not None:
            return self._run(rule, turn.replace(argument=argument))
        return self._fall_back(turn) if isinstance(event, _EXPECTING) else Reply()

    def _rule(self, event: Event) -> tuple[_Rule | None, str]:
        """The rule for an event that is no text, and what follows the name in its payload."""
        referral = _referral(event)
        if referral is not None and not isinstance(event, Referred):
            rule, argument = self._named(Referred, referral.ref)
            if rule is not None and rule is not self._rules.get((Referred.kind, None)):
                return rule, argument
        match event:
            case Postback(payload=name) | QuickReplyTapped(payload=name) | OptedIn(payload=name) | Notice(topic=name):
                return self._named(type(event), name)
            case AccountLinked(status=name) | Referred(referral=Referral(ref=name)):
                return self._named(type(event), name)
            case AttachmentMessage(attachments=(first, *_)):
                value: object = type(first)
            case Reacted(action="react"):
                by_name = self._rules.get((Reacted.kind, _sign(event.reaction)))
                if by_name is not None:
                    return by_name, ""
                value = _sign(event.emoji)
            case _:
                value = None
        return self._rules.get((event.kind, value)) or self._rules.get((event.kind, None)), ""

    def _named(self, kind: type[Event], name: str) -> tuple[_Rule | None, str]:
        if rule := self._rules.get((kind.kind, name)):
            return rule, ""
        start, _, argument = name.partition(":")
        if rule := self._rules.get((kind.kind, start)):
            return rule, argument
        return self._rules.get((kind.kind, None)), name

    def _matched(self, turn: Turn[S, Event], event: TextMessage) -> Reply[S] | None:
        for compiled, groups, rule in self._patterns:
            if found := compiled.search(event.text):
                given = {name: value for name, value in found.groupdict().items() if value is not None}
                try:
                    record = read(groups, given, strictly=True)
                except Mismatch:
                    continue
                return _reply(rule.handler(_without_dialogue(turn), record), _without_dialogue(turn))
        return None

    def _run(self, rule: _Rule, turn: Turn[S, Event]) -> Reply[S]:
        if rule.language:
            turn = turn.replace(session=turn.session.replace(language=rule.language))
        if isinstance(turn.event, (TextMessage, QuickReplyTapped, Postback, Referred)):
            turn = _without_dialogue(turn)
        return _reply(rule.handler(turn), turn)

    def _fall_back(self, turn: Turn[S, Event]) -> Reply[S]:
        rule = self._rules.get(("fallback", None))
        return self._run(rule, turn) if rule else Reply()

    # Dialogues

    def _going_on(self, turn: Turn[S, Event]) -> Progress | None:
        progress = turn.session.dialogue
        if progress is None or progress.name not in self._dialogues:
            return None
        _, seconds = self._dialogues[progress.name]
        return progress if turn.context.now - progress.asked <= seconds else None

    def _answered(self, turn: Turn[S, Event], progress: Progress, given: tuple[str, ...]) -> Reply[S] | None:
        """The dialogue's next words; None if the answers so far do not fit its questions any longer."""
        rule, _ = self._dialogues[progress.name]
        return self._step(turn, progress, rule.handler(turn), given)

    def _step(
        self, turn: Turn[S, Event], progress: Progress, questions: Dialogue[S], given: tuple[str, ...]
    ) -> Reply[S]:
        answers = progress.answers + given
        try:
            question = next(questions)
            for answer in answers:
                question = questions.send(answer)
        except StopIteration as end:
            return _reply(end.value, _without_dialogue(turn))
        taken = answers[:-1] if question.again and given else answers
        session = turn.session.replace(dialogue=progress.replace(answers=taken, asked=turn.context.now))
        return Reply(question.said, session=session)

    # Registering, inside

    def _phrases(
        self, table: str, phrases: tuple[str, ...], by_language: Mapping[str, str | tuple[str, ...]]
    ) -> Callable[[Handler[S, TextMessage]], Handler[S, TextMessage]]:
        if strange := [language for language in by_language if language not in self.languages]:
            raise RuleError(f"The bot does not speak {', '.join(strange)}: it speaks {', '.join(self.languages)}.")

        def register(handler: Handler[S, TextMessage]) -> Handler[S, TextMessage]:
            everything = [("", phrase) for phrase in phrases]
            for language, own in by_language.items():
                everything += [(language, phrase) for phrase in ((own,) if isinstance(own, str) else own)]
            if not everything:
                raise RuleError(f"{_place(handler)} takes no text: name at least one phrase.")
            for language, phrase in everything:
                self._add((table, normal(phrase)), handler, f"the text {phrase!r}", language)
            return handler

        return register

    def _single(self, kind: type[Event], name: str, what: str) -> Callable[[Handler[S, Any]], Handler[S, Any]]:
        return self._several(kind, (name,) if name else (), what)

    def _several(
        self, kind: type[Event], values: tuple[object, ...], what: str
    ) -> Callable[[Handler[S, Any]], Handler[S, Any]]:
        def register(handler: Handler[S, Any]) -> Handler[S, Any]:
            for value in values:
                shown = value.__name__ if isinstance(value, type) else repr(value)
                self._add((kind.kind, value), handler, f"{what} {shown}")
            if not values:
                self._add((kind.kind, None), handler, f"{what}, whatever it is,")
            return handler

        return register

    def _add(self, key: tuple[str, object], handler: Callable[..., Any], what: str, language: str = "") -> _Rule:
        rule = _Rule(handler, what, _place(handler), language)
        table, value = key
        tables = ("text", "always") if table in {"text", "always"} else (table,)
        for earlier in (self._rules.get((name, value)) for name in tables):
            if earlier:
                raise RuleError(f"{what} is taken twice: at {earlier.place} and at {rule.place}. Take one away.")
        for catch_all in (self._rules.get((table, None)), self._rules.get(("fallback", None))):
            if catch_all and table not in {"error", "dialogue"}:
                raise RuleError(
                    f"{what} at {rule.place} comes after {catch_all.what} at {catch_all.place}, which takes everything: "
                    "put it before."
                )
        self._rules[key] = rule
        return rule


_UNANSWERED = (Delivery, Echo, Read)
# What a person does and expects an answer to; the rest is answered only if a rule says so.
_EXPECTING = (TextMessage, QuickReplyTapped, AttachmentMessage, UnsupportedMessage, Postback, Referred)


def normal(text: str) -> str:
    """A text as it is compared: without case, punctuation around it and doubled blanks."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.strip(" .,!?¿¡…:;") or folded


def _sign(emoji: str) -> str:
    """A reaction as it is compared: with or without the selector that asks for its coloured form."""
    return emoji.replace("\ufe0f", "")


def _referral(event: Event) -> Referral | None:
    found = getattr(event, "referral", None)
    return found if isinstance(found, Referral) else None


def _place(function: Callable[..., Any]) -> str:
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)


def _without_dialogue(turn: Turn[S, Event]) -> Turn[S, Event]:
    return turn.replace(session=turn.session.replace(dialogue=None)) if turn.session.dialogue else turn


def _reply(said: Said[S], turn: Turn[S, Event] | None = None) -> Reply[S]:
    """What a handler returned as a reply, with the turn's session unless it has one of its own."""
    if isinstance(said, Reply):
        return said if said.session or turn is None else said.replace(session=turn.session)
    reply: Reply[S] = Reply(said if said is not None else ())
    return reply if turn is None else reply.replace(session=turn.session)
