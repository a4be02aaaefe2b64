"""A bot: rules in decorators. An event comes in, the rules pick a handler, and the handler says what goes out.

Handlers are pure: they get a turn and return a reply. They send nothing and read no clock. So answers can be stored
before they are sent, and the test of a dialogue reads like the dialogue. Recipes are in docs/conversation.md.
"""

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar, overload

from bot.dialogue.dialogues import Dialogue, leave, resume
from bot.dialogue.handover import after, passed_on
from bot.dialogue.middleware import Disclosure, Go, Middleware, disclose
from bot.dialogue.reply import Answer, Reply, Words, as_messages, as_reply
from bot.dialogue.rules import Match, Rule, RuleError, Rules, compiled, normal
from bot.dialogue.turn import Context, Person, Progress, Session, Turn
from bot.dialogue.typed import Mismatch, read, read_strictly, write
from bot.messenger.events import (
    AccountLinked,
    Attachment,
    AttachmentMessage,
    Comment,
    Delivery,
    Echo,
    Event,
    MessageEvent,
    Notice,
    OptedIn,
    Postback,
    QuickReplyTapped,
    Reacted,
    Read,
    Referral,
    Referred,
    TemplateReviewed,
    TextMessage,
    ThreadRequested,
    UnsupportedMessage,
)
from bot.messenger.human import Human
from bot.messenger.identity import USER_REF
from bot.messenger.messages import Content, Message, PrivateReply, PublicReply, Refused
from bot.messenger.news import News
from bot.messenger.record import Record
from bot.messenger.text import plain

# Seconds after which Facebook is asked again about a user: one whom it told about, and one whom it did not.
KNOWN, UNKNOWN = 30 * 24 * 3600.0, 3600.0

S = TypeVar("S", bound=Record)
W = TypeVar("W")
E = TypeVar("E", bound=Event)
G = TypeVar("G", bound=Record)
R = TypeVar("R", bound=Reply[Any] | Words | None)
H = TypeVar("H", bound=Callable[..., Any])

DISCLOSURE = disclose()
NEVER_ANSWERED = (Delivery, Echo, Read, TemplateReviewed)
# What a user does and expects an answer to. Anything else is answered only if a rule takes it.
_ANSWER_EXPECTED = (TextMessage, QuickReplyTapped, AttachmentMessage, UnsupportedMessage, Postback, Referred)
# Kinds that change what the bot may do. They are heard even while somebody else has the conversation.
_ALWAYS_HEARD = (OptedIn, AccountLinked)
# What ends a dialogue if a rule takes it: the user turned to something else.
_ENDS_DIALOGUE = (TextMessage, QuickReplyTapped, Postback, Referred)


class Registration(Generic[S, W, E]):
    """A decorator that registers a handler and returns it unchanged, so that decorators can be stacked."""

    def __init__(self, add: Callable[[Callable[..., Any]], None]) -> None:
        self._add = add

    @overload
    def __call__(self, handler: Callable[[Turn[S, W, Event]], R]) -> Callable[[Turn[S, W, Event]], R]: ...
    @overload
    def __call__(self, handler: Callable[[Turn[S, W, E]], R]) -> Callable[[Turn[S, W, E]], R]: ...
    def __call__(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Register a handler of any event, or of events of this decorator's kind."""
        self._add(handler)
        return handler


class Bot(Generic[S, W]):
    """A conversation: register handlers with the decorators, then let it `answer`.

    These rules take an event, the first that fits: a text of `always`; the dialogue in progress; the exact text; the
    first pattern found in the text; then the rules for what came with it. Other events go to the rule of the exact
    payload, reference, kind or topic, then to the rule for any. Last comes the fallback.

    While a human has the conversation, the bot is silent. A phrase of `back`, a tap on the menu or a button, another
    app that passes the thread, or the end of `humanHours` brings it back, and that event is routed as usual.

    Whatever silences the bot, consent, account links, texts of `always` and the language change the state.

    Args:
        state: the author's record of one user. Every field has a default.
        languages: the bot's languages, the default first.
        person: the fields of `Person` that the bot asks Facebook for. They are kept with the user's state.
        back: texts that call the bot back from a human, in any language.
        disclosure: says that this is a bot; None for a bot that says so by itself.

    Raises:
        RuleError: the record cannot be kept as JSON, a person has no such field, or the disclosure lacks a language.
    """

    def __init__(
        self,
        state: type[S],
        languages: tuple[str, ...] = ("en",),
        person: tuple[str, ...] = (),
        *,
        back: tuple[str, ...] = ("bot",),
        disclosure: Disclosure | None = DISCLOSURE,
    ) -> None:
        if unknown := [name for name in person if name not in Person._fields]:
            raise RuleError(f"A person has no field {', '.join(unknown)}: choose from {', '.join(Person._fields)}.")
        # A field without a default, or of a type that JSON does not have, would fail at a user's first message.
        try:
            kept = read_strictly(state, {name: _json(value) for name, value in state().fields().items()})
        except (TypeError, Mismatch) as error:
            raise RuleError(
                f"{state.__name__} cannot be kept: {error} Give every field a type of JSON and a default."
            ) from None
        if disclosure and (missing := [each for each in languages if each not in disclosure.sentences]):
            raise RuleError(
                f"The bot cannot say in {', '.join(missing)} that it is one: pass disclosure=disclose({missing[0]}=…)."
            )
        self._state, self.languages, self._person = type(kept), languages, person
        self._back, self._disclosure = frozenset(normal(phrase) for phrase in back), disclosure
        self._rules = Rules()
        self._middleware: list[Middleware[S, W]] = []
        self._dialogues: dict[str, tuple[Rule, float]] = {}
        self._together: set[Callable[..., Any]] = set()

    # Registering

    def text(self, *phrases: str, **by_language: str | tuple[str, ...]) -> Registration[S, W, TextMessage]:
        """Take a text that is one of the phrases. Case, spaces and punctuation around it do not matter.

        Args:
            phrases: the same in all languages. They leave the user's language as it is.
            by_language: phrases of one language: `de=("hilfe", "hallo")`. They set the user's language.
        """
        return self._phrases("text", phrases, by_language)

    def always(self, *phrases: str, **by_language: str | tuple[str, ...]) -> Registration[S, W, TextMessage]:
        """Like `text`, but also within a dialogue, which it ends."""
        return self._phrases("always", phrases, by_language)

    def cancel(self, *phrases: str, **by_language: str | tuple[str, ...]) -> Registration[S, W, TextMessage]:
        """End the dialogue in progress. Without one, the text is an ordinary text."""
        return self._phrases("cancel", phrases, by_language)

    def pattern(
        self, expression: str, groups: type[G]
    ) -> Callable[[Callable[[Turn[S, W, TextMessage], G], R]], Callable[[Turn[S, W, TextMessage], G], R]]:
        """Take a text in which the regular expression is found, whatever its case.

        Args:
            expression: its named groups are the fields of `groups`.
            groups: a record that the handler gets as its second argument. Each group is converted to the type of its
                field. If that fails, the pattern does not match.
        """
        pattern = compiled(expression, groups)

        def register(
            handler: Callable[[Turn[S, W, TextMessage], G], R],
        ) -> Callable[[Turn[S, W, TextMessage], G], R]:
            self._rules.add_pattern(pattern, groups, handler)
            return handler

        return register

    def postback(self, payload: str = "") -> Registration[S, W, Postback]:
        """Take a tap on a button or menu item with this payload, or `payload:argument`. Empty takes any other."""
        return self._named(Postback, payload)

    def quick_reply(self, payload: str = "") -> Registration[S, W, QuickReplyTapped]:
        """Take a tap on a quick reply with this payload, or `payload:argument`. Empty takes any other."""
        return self._named(QuickReplyTapped, payload)

    def referral(self, ref: str = "") -> Registration[S, W, Event]:
        """Take a user who comes by a link with this `ref`, or `ref:argument`. Empty takes any other link.

        The event is a `Referred`. For a new user it is the first `Postback` or message, which carries the referral.
        """
        return self._named(Referred, ref)

    def opt_in(self, payload: str = "") -> Registration[S, W, OptedIn]:
        """Take an opt-in to notifications with this payload, or `payload:argument`. Empty takes any other."""
        return self._named(OptedIn, payload)

    def account_linking(self, status: str = "") -> Registration[S, W, AccountLinked]:
        """Take an account linking event with this status, `linked` or `unlinked`. Empty takes both."""
        return self._named(AccountLinked, status)

    def notice(self, topic: str = "") -> Registration[S, W, Notice]:
        """Take a notice of this topic from the page owner's systems. Empty takes any other topic."""
        return self._named(Notice, topic)

    def attachment(self, *kinds: type[Attachment]) -> Registration[S, W, MessageEvent]:
        """Take a message with an attachment of one of these classes. Without a class, take any other.

        If several attachments have a rule, the first one counts. A message with words goes to their rule first.
        """
        return self._values(AttachmentMessage.kind, kinds)

    def reaction(self, *reactions: str) -> Registration[S, W, Reacted]:
        """Take one of these reactions when it is added, by emoji or name (`love`). Without one, take any change."""
        return self._values(Reacted.kind, tuple(plain(reaction) for reaction in reactions))

    def comment(self, *phrases: str, post: str = "") -> Registration[S, W, Comment]:
        """Take a comment on a post of the page. Facebook allows one message in answer, which only its author reads.

        Nothing is written in public, unless the handler returns a `PublicReply`. The page must subscribe to the field
        `feed` (on Instagram, `comments`). A rule for a post goes before one for words, and both before one for any.

        Args:
            phrases: words of which the comment must have one, in any case; without them, any words will do.
            post: the id of the post, with or without the page's id before it; "" for any post.
        """

        def add(handler: Callable[..., Any]) -> None:
            for phrase in phrases or ("",):
                value = (post, normal(phrase)) if post or phrase else None
                shown = f"a comment {f'with {phrase!r}' if phrase else ''} {f'on {post}' if post else ''}"
                self._rules.add(Comment.kind, value, handler, " ".join(shown.split()))

        return Registration(add)

    def on(self, kind: type[E]) -> Registration[S, W, E]:
        """Take any other kind of event, such as `Edited` or `ThreadPassed`."""
        if issubclass(kind, NEVER_ANSWERED):
            raise RuleError(f"{kind.__name__} is never answered: it only reports on the page's own messages.")
        return self._values(kind.kind, ())

    def fallback(self, handler: Callable[[Turn[S, W, Event]], R]) -> Callable[[Turn[S, W, Event]], R]:
        """Take what the user wrote, sent or tapped and no other rule took. Register it last."""
        self._rules.add("fallback", None, handler, "the fallback")
        return handler

    def together(self, handler: H) -> H:
        """Let a handler answer a burst of texts as one. Write it above or below the rules that the handler takes.

        Texts of one user that wait together become one turn if each of them alone would go to such a handler. The
        event then has the words of all, a line for each message, and `turn.together` has the single messages. The words
        go to the first pattern found in them, else to the rule of the last message that has one, else to the fallback.
        """
        self._together.add(handler)
        return handler

    def error(
        self, handler: Callable[[Turn[S, W, Event], Exception], R]
    ) -> Callable[[Turn[S, W, Event], Exception], R]:
        """Reply in place of a handler that raised. The state stays as it was, and the answer holds the defect."""
        self._rules.add("error", None, handler, "the error handler")
        return handler

    def middleware(self, step: Middleware[S, W]) -> Middleware[S, W]:
        """Take part in every turn, in the order of registration.

        `step(turn, go)` may change the turn, reply without calling `go(turn)`, or change the reply of `go(turn)`.
        """
        self._middleware.append(step)
        return step

    def dialogue(
        self, minutes: float = 30.0
    ) -> Callable[[Callable[[Turn[S, W, Event]], Dialogue[S]]], Callable[[Turn[S, W, Event]], Reply[S]]]:
        """Make a handler of a generator of questions. What starts the dialogue is registered above this decorator.

        Args:
            minutes: after this time without an answer the dialogue is over, and the next message is an ordinary one.
        """

        def register(
            questions: Callable[[Turn[S, W, Event]], Dialogue[S]],
        ) -> Callable[[Turn[S, W, Event]], Reply[S]]:
            name = questions.__name__
            rule = self._rules.add("dialogue", name, questions, f"the dialogue {name}")
            self._dialogues[name] = rule, minutes * 60

            @functools.wraps(questions)
            def start(turn: Turn[S, W, Event]) -> Reply[S]:
                return resume(questions(turn), turn, Progress(name), ())

            return start

        return register

    # Answering

    def answer(self, event: Event, state: Mapping[str, Any], context: Context[W]) -> Answer:
        """What the bot answers to an event.

        Args:
            event: what happened.
            state: the state of this user's last answer; empty for a new user. Whatever does not fit the present bot is
                left out.
            context: the time, and the world outside.

        Raises:
            Exception: what a handler raised, unless an error handler is registered.
        """
        if isinstance(event, NEVER_ANSWERED):
            return Answer((), dict(state))
        user, session = read(self._state, state.get("user")), read(Session, state.get("session"))
        turn: Turn[S, W, Event] = Turn(
            event,
            user,
            context.world,
            context.now,
            context.lex,
            session.replace(human=Human.of(state)),
            self.languages,
            always=isinstance(event, TextMessage) and self._rules.get("always", normal(event.text)) is not None,
            human_hours=context.human_hours,
            disclose_days=context.disclose_days,
            inbox=context.inbox,
        )
        if isinstance(event, TextMessage) and event.waiting:
            turn = self._as_one(turn, event)
            event = turn.event
        if event.opens_window:
            turn = turn.replace(session=self._acquainted(opened(turn), event, context))
        together = len(turn.together[1:])
        defect: Exception | None = None
        try:
            reply = self._disclosed(turn, self._reply(turn))
            messages = addressed(as_messages(reply.said, event.platform), event)
        except Exception as error:
            rule = self._rules.get("error")
            if rule is None:
                raise
            defect = error
            reply = self._disclosed(turn, as_reply(rule.handler(turn, error), turn))
            messages = addressed(as_messages(reply.said, event.platform), event)
        messages = tuple(way for message in messages for way in _ways(message, turn))
        allowed = tuple(message for message in messages if turn.window_open or not message.needs_window)
        outside = len(messages) - len(allowed)
        if reply.forget:
            return Answer(allowed, {}, forget=True, defect=defect, outside_window=outside, together=together)
        session = reply.session or turn.session
        kept = {"user": write(reply.state or user), "session": write(session.replace(human=Human()))}
        state = session.human.put({name: value for name, value in kept.items() if value})
        return Answer(allowed, state, defect=defect, outside_window=outside, together=together)

    def _acquainted(self, session: Session, event: Event, context: Context[W]) -> Session:
        """The session with what Facebook says about the user, if the bot asks and does not know it yet.

        What is known is kept for a month, as pictures expire. Without an answer, Facebook is asked again in an hour.
        """
        kept = KNOWN if session.person else UNKNOWN
        somebody = event.user and not event.user.startswith(USER_REF)
        # Instagram's profiles have other fields.
        if not (self._person and context.people and somebody and event.platform == "page"):
            return session
        if context.now - session.asked < kept:
            return session
        found = context.people.read(event.user, self._person)
        return session.replace(person=read(Person, found) if found else session.person, asked=context.now)

    def _as_one(self, turn: Turn[S, W, Event], event: TextMessage) -> Turn[S, W, Event]:
        """The turn of a text and of those that wait behind it, as far as the conversation answers them as one."""
        alone = event.replace(waiting=())
        said: tuple[TextMessage, ...] = ()
        if not self._in_progress(turn):
            said = tuple(itertools.takewhile(lambda each: self._joins(each, ()), (alone, *event.waiting)))
        if len(said) > 1:
            attachments = tuple(attachment for each in said for attachment in each.attachments)
            words = "\n".join(each.text for each in said)
            whole = alone.replace(text=words, attachments=attachments, timestamp=said[-1].timestamp)
            if self._joins(whole, said):
                return turn.replace(event=whole, together=said)
        return turn.replace(event=alone)

    def _joins(self, event: TextMessage, together: tuple[TextMessage, ...]) -> bool:
        """Whether a text goes to a handler that answers a burst as one; arguments as of `_for_words`."""
        if normal(event.text) in self._back:
            return False
        rule = self._rules.get("always", normal(event.text))
        match = self._for_words(event, together)
        rule = rule or (match.rule if match else self._rules.get("fallback"))
        return rule is not None and rule.handler in self._together

    def _for_words(self, event: TextMessage, together: tuple[TextMessage, ...]) -> Match | None:
        """The rule for a text outside a dialogue.

        Args:
            event: the text.
            together: the messages that it is made of, if they are several.
        """
        for each in (event, *reversed(together)):
            if match := self._rules.for_text(each.text) or self._rules.for_event(each):
                return match
        return None

    def _disclosed(self, turn: Turn[S, W, Event], reply: Reply[S]) -> Reply[S]:
        return self._disclosure(turn, lambda _: reply) if self._disclosure else reply

    def _reply(self, turn: Turn[S, W, Event]) -> Reply[S]:
        """The reply of the middleware and the rules; without words if a human has the conversation."""
        before = turn.session.human
        turn = turn.replace(session=after(turn, self._back))
        human = turn.session.human
        heard = turn.always or isinstance(turn.event, ThreadRequested)
        if human.has(turn.now) and not (heard and not human.talks(turn.now)):
            return self._through_middleware(turn, self._silently).replace(said=())
        reply = self._through_middleware(turn, self._route)
        session = reply.session or turn.session
        if before.has(turn.now) and not human.has(turn.now) and session.human.has(turn.now):
            # Called back only to ask for a human, who has the conversation already.
            return reply.replace(said=(), session=session.replace(human=before.heard(turn.happened)))
        return reply

    def _silently(self, turn: Turn[S, W, Event]) -> Reply[S]:
        return self._kept_up_to_date(turn, as_reply(None, turn))

    def _through_middleware(self, turn: Turn[S, W, Event], go: Go[S, W]) -> Reply[S]:
        """The reply of the middleware, and of `go` if the middleware lets the turn through."""
        heard = False

        def through(turn: Turn[S, W, Event], step: int) -> Reply[S]:
            nonlocal heard
            if step == len(self._middleware):
                heard = True
                return go(turn)
            return as_reply(self._middleware[step](turn, lambda changed: through(changed, step + 1)), turn)

        reply = through(turn, 0)
        return reply if heard else self._kept_up_to_date(turn, reply)

    def _kept_up_to_date(self, turn: Turn[S, W, Event], reply: Reply[S]) -> Reply[S]:
        """The reply to a turn that does not reach the rules, with the state that the event leads to."""
        event = turn.event
        turn = turn.replace(state=reply.state or turn.state, session=reply.session or turn.session)
        if turn.always or isinstance(event, _ALWAYS_HEARD):
            return self._route(turn).replace(said=reply.said)
        for each in reversed(turn.together or (event,)):
            rule = self._rules.get("text", normal(each.text)) if isinstance(each, TextMessage) else None
            if rule and rule.language:
                return reply.replace(session=turn.session.replace(language=rule.language))
        return reply

    def _route(self, turn: Turn[S, W, Event]) -> Reply[S]:
        event, progress = turn.event, self._in_progress(turn)
        if isinstance(event, TextMessage):
            said = normal(event.text)
            rule = self._rules.get("always", said) or (self._rules.get("cancel", said) if progress else None)
            if progress and not rule:
                return self._resume(turn, progress, (event.text,))
            match = Match(rule) if rule else self._for_words(event, turn.together)
        else:
            match = self._rules.for_event(event)
            if progress and not match and isinstance(event, QuickReplyTapped):
                return self._resume(turn, progress, (event.payload,))
            if progress and isinstance(event, (AttachmentMessage, UnsupportedMessage)):
                return self._resume(turn, progress, ())
            if isinstance(event, QuickReplyTapped):
                match = match or self._rules.for_text(event.text) or self._rules.for_attachments(event)
        if match is None and isinstance(event, _ANSWER_EXPECTED) and (fallback := self._rules.get("fallback")):
            match = Match(fallback)
        if match is None and isinstance(event, ThreadRequested) and event.requested_owner:
            return passed_on(turn, event.requested_owner, event.metadata)
        return self._run(match, turn) if match else as_reply(None, turn)

    def _run(self, match: Match, turn: Turn[S, W, Event]) -> Reply[S]:
        turn = turn.replace(argument=match.argument)
        if match.rule.language:
            turn = turn.replace(session=turn.session.replace(language=match.rule.language))
        if isinstance(turn.event, _ENDS_DIALOGUE):
            turn = leave(turn)
        return as_reply(match.rule.handler(turn, *match.groups), turn)

    def _in_progress(self, turn: Turn[S, W, Event]) -> Progress | None:
        progress = turn.session.dialogue
        if progress is None or progress.name not in self._dialogues:
            return None
        _, seconds = self._dialogues[progress.name]
        return progress if turn.now - progress.asked <= seconds else None

    def _resume(self, turn: Turn[S, W, Event], progress: Progress, given: tuple[str, ...]) -> Reply[S]:
        rule, _ = self._dialogues[progress.name]
        return resume(rule.handler(turn), turn, progress, given)

    # The decorators' common parts

    def _phrases(
        self, table: str, phrases: tuple[str, ...], by_language: Mapping[str, str | tuple[str, ...]]
    ) -> Registration[S, W, TextMessage]:
        if unknown := [language for language in by_language if language not in self.languages]:
            raise RuleError(f"The bot does not speak {', '.join(unknown)}: it speaks {', '.join(self.languages)}.")
        everything = [("", phrase) for phrase in phrases]
        for language, own in by_language.items():
            everything += [(language, phrase) for phrase in ((own,) if isinstance(own, str) else own)]
        if not everything:
            raise RuleError(f"A rule of {table!r} takes no text: name at least one phrase.")

        def add(handler: Callable[..., Any]) -> None:
            for language, phrase in everything:
                self._rules.add(table, normal(phrase), handler, f"the text {phrase!r}", language)

        return Registration(add)

    def _named(self, kind: type[E], name: str) -> Registration[S, W, E]:
        return self._values(kind.kind, (name,) if name else ())

    def _values(self, table: str, values: tuple[object, ...]) -> Registration[S, W, E]:
        def add(handler: Callable[..., Any]) -> None:
            for value in values:
                shown = value.__name__ if isinstance(value, type) else repr(value)
                self._rules.add(table, value, handler, f"the {table} {shown}")
            if not values:
                self._rules.add(table, None, handler, f"any {table}")

        return Registration(add)


def addressed(messages: tuple[Message, ...], event: Event) -> tuple[Message, ...]:
    """The messages as this event can be answered: a comment with one message privately, and with one in public."""
    if not isinstance(event, Comment):
        if any(isinstance(each, PublicReply) for each in messages):
            raise Refused(f"A public reply answers a comment, and this event is a {event.kind}: send a Text.")
        return messages
    replies = tuple(_under(event, each) for each in messages)
    for kind, how in ((PrivateReply, "privately"), (PublicReply, "in public")):
        if sum(isinstance(each, kind) for each in replies) > 1:
            raise Refused(f"A comment is answered with several messages {how}, and one is allowed: say it in one.")
    return replies


def _under(comment: Comment, message: Message) -> Message:
    """The message as an answer to this comment."""
    if isinstance(message, PublicReply):
        return message.replace(comment_id=comment.comment_id, platform=comment.platform)
    return PrivateReply(message, comment.comment_id) if isinstance(message, Content) else message


def _ways(message: Message, turn: Turn[Any, Any, Event]) -> tuple[Message, ...]:
    """The message, or the ways in which news may reach this user."""
    if not isinstance(message, News):
        return (message,)
    if turn.event.platform == "instagram":  # it has no templates, and no such consent
        message = message.replace(utility=None, token="")
    return message.ways(window_open=turn.window_open)


def opened(turn: Turn[Any, Any, Event]) -> Session:
    """The session after an event that opens the messaging window."""
    happened, referral = turn.happened, getattr(turn.event, "referral", None)
    session = turn.session.replace(opened=max(turn.session.opened, happened))
    if isinstance(referral, Referral) and referral.by_ad:
        session = session.replace(advertised=max(session.advertised, happened))
    return session


def _json(value: object) -> object:
    return write(value) if isinstance(value, Record) else value
