"""The engine: what happens around every conversation, whether Python rules or another function decide what is said.

It says whether the messaging window is open, who the person is, who has the conversation, and that this is a bot.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from bot.dialogue.handover import after
from bot.dialogue.middleware import Disclosure
from bot.dialogue.reply import Answer, Reply, as_messages
from bot.dialogue.rules import RuleError, normal
from bot.dialogue.turn import Context, Person, Session, Turn
from bot.dialogue.typed import read, write
from bot.messenger.events import (
    Comment,
    Delivery,
    Echo,
    Event,
    Read,
    Referral,
    TemplateReviewed,
    TextMessage,
    ThreadRequested,
)
from bot.messenger.human import Human
from bot.messenger.identity import USER_REF
from bot.messenger.messages import Content, Message, PrivateReply, PublicReply, Refused
from bot.messenger.news import News
from bot.messenger.record import Record

# Seconds after which Facebook is asked again about a user: one whom it told about, and one whom it did not.
KNOWN, UNKNOWN = 30 * 24 * 3600.0, 3600.0
# Kinds that only report on the page's own messages and templates: no conversation gets them.
NEVER_ANSWERED = (Delivery, Echo, Read, TemplateReviewed)

S = TypeVar("S", bound=Record)
W = TypeVar("W")


class Engine(ABC, Generic[S, W]):
    """Answers events. A subclass decides what is said.

    Args:
        languages: that the conversation speaks, the default first.
        person: the fields of `Person` that Facebook is asked for. They are kept with the user's state.
        back: texts that call the bot back from a human, in any language.
        disclosure: says that this is a bot; None if the conversation says so by itself.

    Raises:
        RuleError: a person has no such field.
    """

    def __init__(
        self, languages: tuple[str, ...], person: tuple[str, ...], back: tuple[str, ...], disclosure: Disclosure | None
    ) -> None:
        if unknown := [name for name in person if name not in Person._fields]:
            raise RuleError(f"A person has no field {', '.join(unknown)}: choose from {', '.join(Person._fields)}.")
        self.languages, self.person, self._disclosure = languages, person, disclosure
        self._back = frozenset(normal(phrase) for phrase in back)

    @abstractmethod
    def _read_state(self, value: object) -> S:
        """The author's state in what is kept about the user."""

    @abstractmethod
    def _write_state(self, state: S) -> dict[str, Any]:
        """The author's state as JSON."""

    @abstractmethod
    def _begin(self, turn: Turn[S, W, Event]) -> Turn[S, W, Event]:
        """The turn, with what the conversation has to know of it before anything else happens."""

    @abstractmethod
    def _speak(self, turn: Turn[S, W, Event]) -> Reply[S]:
        """What the conversation says."""

    @abstractmethod
    def _stay_silent(self, turn: Turn[S, W, Event]) -> Reply[S]:
        """What changes while a human has the conversation. Words are only for bringing the bot back."""

    @abstractmethod
    def _excuse(self, turn: Turn[S, W, Event], error: Exception) -> Reply[S] | None:
        """What is said in place of a reply that failed; None if nothing is."""

    def answer(self, event: Event, state: Mapping[str, Any], context: Context[W]) -> Answer:
        """What the bot answers to an event.

        Args:
            event: what happened.
            state: the state of this user's last answer; empty for a new user.
            context: the time, and the world outside.

        Raises:
            Exception: what the conversation raised, unless it has an excuse.
        """
        if isinstance(event, NEVER_ANSWERED):
            return Answer((), dict(state))
        turn = self._begin(self._turn(event, state, context))
        if turn.event.opens_window:
            turn = turn.replace(session=self._acquainted(opened(turn, turn.event), turn.event, context))
        defect: Exception | None = None
        try:
            reply, messages = self._said(turn, self._reply(turn))
        except Exception as error:
            if (excuse := self._excuse(turn, error)) is None:
                raise
            reply, messages = self._said(turn, excuse)
            defect = error
        allowed = tuple(message for message in messages if turn.window_open or not message.needs_window)
        outside = len(messages) - len(allowed)
        if reply.forget:
            new: dict[str, Any] = {}
        else:
            session = reply.session or turn.session
            user = turn.state if reply.state is None else reply.state
            kept = {"user": self._write_state(user), "session": write(session.replace(human=Human()))}
            new = session.human.put({name: value for name, value in kept.items() if value})
        together = reply.together or len(turn.together[1:])
        unknown = turn.event.text if isinstance(turn.event, TextMessage) and reply.understood is False else ""
        return Answer(allowed, new, reply.forget, defect, outside, together, unknown)

    def _turn(self, event: Event, state: Mapping[str, Any], context: Context[W]) -> Turn[S, W, Event]:
        return Turn(
            event,
            self._read_state(state.get("user")),
            context.world,
            context.now,
            context.lex,
            read(Session, state.get("session")).replace(human=Human.of(state)),
            self.languages,
            human_hours=context.human_hours,
            disclose_days=context.disclose_days,
            inbox=context.inbox,
        )

    def _acquainted(self, session: Session, event: Event, context: Context[W]) -> Session:
        """The session with what Facebook says about the user, if the bot asks and does not know it yet.

        What is known is kept for a month, as pictures expire. Without an answer, Facebook is asked again in an hour.
        """
        kept = KNOWN if session.person else UNKNOWN
        somebody = event.user and not event.user.startswith(USER_REF)
        # Instagram's profiles have other fields.
        if not (self.person and context.people and somebody and event.platform == "page"):
            return session
        if context.now - session.asked < kept:
            return session
        found = context.people.read(event.user, self.person)
        return session.replace(person=read(Person, found) if found else session.person, asked=context.now)

    def _reply(self, turn: Turn[S, W, Event]) -> Reply[S]:
        """The conversation's reply, which has no words for the person while a human has the conversation."""
        before = turn.session.human
        turn = turn.replace(session=after(turn, self._back))
        human = turn.session.human
        heard = turn.always or isinstance(turn.event, ThreadRequested)
        if human.has(turn.now) and not (heard and not human.talks(turn.now)):
            return self._stay_silent(turn)
        reply = self._speak(turn)
        session = reply.session or turn.session
        if before.has(turn.now) and not human.has(turn.now) and session.human.has(turn.now):
            # Called back only to ask for a human, who has the conversation already.
            return reply.replace(said=(), session=session.replace(human=before.heard(turn.happened)))
        return reply

    def _said(self, turn: Turn[S, W, Event], reply: Reply[S]) -> tuple[Reply[S], tuple[Message, ...]]:
        """The reply with the disclosure, and its messages."""
        if self._disclosure:
            reply = self._disclosure(turn, lambda _: reply)
        messages = _addressed(as_messages(reply.said, turn.event.platform), turn.event)
        return reply, tuple(way for message in messages for way in _ways(message, turn))


def _addressed(messages: tuple[Message, ...], event: Event) -> tuple[Message, ...]:
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


def opened(turn: Turn[Any, Any, Event], event: Event) -> Session:
    """The turn's session after an event that opens the messaging window."""
    happened, referral = turn.replace(event=event).happened, getattr(event, "referral", None)
    session = turn.session.replace(opened=max(turn.session.opened, happened))
    if isinstance(referral, Referral) and referral.by_ad:
        session = session.replace(advertised=max(session.advertised, happened))
    return session
