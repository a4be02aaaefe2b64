"""A conversation in a function of its own, in any language: see `bot.dialogue.contract`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

from bot.dialogue import contract
from bot.dialogue.engine import Engine, opened
from bot.dialogue.handover import handed_over, passed_on, taken_back
from bot.dialogue.middleware import DISCLOSURES, Disclosure, disclose
from bot.dialogue.reply import Answer, Reply
from bot.dialogue.rules import normal
from bot.dialogue.send_form import BadReply
from bot.dialogue.turn import AD_WINDOW, WINDOW, Context, Session
from bot.dialogue.turn import Turn as GeneralTurn
from bot.messenger.events import Event, TextMessage, ThreadRequested
from bot.messenger.messages import Content, Message, Notification, PublicReply, Refused, Text
from bot.messenger.news import News
from bot.messenger.record import Record

# The languages in which the bot can say that it is one. It is English for any other.
LANGUAGES = ("en", *(language for language in DISCLOSURES if language != "en"))
BACK = ("bot",)


class Kept(Record):
    """What the function keeps about a person, as it returned it."""

    state: dict[str, Any]


Turn = GeneralTurn[Kept, None, Event]


class RemoteConversation(Engine[Kept, None]):
    """Answers events with the replies of a function.

    Args:
        ask: calls the function with a turn and returns its reply, both as JSON.
        person: the fields of `bot.dialogue.turn.Person` that Facebook is asked for.
    """

    def __init__(self, ask: Callable[[bytes], bytes], person: tuple[str, ...] = ()) -> None:
        super().__init__(LANGUAGES, person, BACK, disclose())
        self._ask = ask

    def answer(self, event: Event, state: Mapping[str, Any], context: Context[None]) -> Answer:
        """What the function answers to an event; see `Engine.answer`.

        Raises:
            BadReply: it returned something that is not a reply, or that Facebook would refuse.
        """
        try:
            return super().answer(event, state, context)
        except Refused as refusal:
            raise BadReply("reply.messages", str(refusal)) from None

    def _read_state(self, value: object) -> Kept:
        return Kept(value if isinstance(value, dict) else {})

    def _write_state(self, state: Kept) -> dict[str, Any]:
        return state.state

    def _begin(self, turn: Turn) -> Turn:
        """The turn without the texts that wait behind one that calls the bot back, and without that one."""
        event = turn.event
        if not isinstance(event, TextMessage):
            return turn
        texts = takewhile(lambda each: normal(each.text) not in self._back, (event, *event.waiting))
        return turn.replace(event=event.replace(waiting=tuple(texts)[1:]))

    def _speak(self, turn: Turn) -> Reply[Kept]:
        returned = self._returned(turn)
        reply, event = _as_reply(returned, turn), turn.event
        undecided = not reply.said and returned.hand_over is None
        if isinstance(event, ThreadRequested) and event.requested_owner and undecided:
            passed = passed_on(turn, event.requested_owner, event.metadata)
            return reply.replace(said=passed.said, session=passed.session)
        return reply

    def _stay_silent(self, turn: Turn) -> Reply[Kept]:
        returned = self._returned(turn)
        reply = _as_reply(returned, turn)
        human = (reply.session or turn.session).human
        speaks = not human.has(turn.now) or (returned.always and not human.talks(turn.now))
        return reply if speaks else reply.replace(said=(), understood=None)

    def _excuse(self, turn: Turn, error: Exception) -> None:  # noqa: ARG002  a function makes its own excuses
        return None

    def _returned(self, turn: Turn) -> contract.Reply:
        session, person, human = turn.session, turn.person, turn.session.human
        asked = contract.Turn(
            version=contract.VERSION,
            event=turn.event,
            state=turn.state.state,
            session=contract.Session(
                language=session.language,
                window_open_until=_window_open_until(session),
                human=contract.Human(*map(_ms, (human.since, human.until, human.wrote, human.waiting)))
                if human.has(turn.now)
                else None,
                disclose=Disclosure.due(turn),
            ),
            now=_ms(turn.now),
            person=contract.Person(person.first_name, person.last_name, person.profile_pic),
            locale=person.locale,
        )
        return contract.read_reply(self._ask(contract.write_turn(asked)))


def _as_reply(returned: contract.Reply, turn: Turn) -> Reply[Kept]:
    """The reply that the engine goes on with."""
    event, session = turn.event, turn.session
    answered = (event, *(event.waiting if isinstance(event, TextMessage) else ()))[: returned.together]
    if not 0 < returned.together == len(answered):
        raise BadReply("reply.together", f"is {returned.together}: answer the event and those that wait behind it.")
    if event.opens_window:
        session = opened(turn, answered[-1])
    if returned.language is not None:
        session = session.replace(language=returned.language)
    turn = turn.replace(session=session)
    reply = Reply[Kept]((*returned.messages, *_others(returned)), session=session)
    if returned.hand_over:
        with _refused_at("reply.reason"):
            reply = handed_over(turn, reply.said, returned.reason)
    elif returned.hand_over is False and session.human.until and turn.happened > session.human.wrote:
        reply = reply.replace(session=taken_back(turn))
    if returned.disclosed:
        reply = reply.replace(session=(reply.session or session).replace(disclosed=turn.now))
    return reply.replace(
        state=None if returned.state is None else Kept(returned.state),
        forget=returned.forget,
        together=len(answered) - 1,
        understood=returned.understood,
    )


def _others(returned: contract.Reply) -> Iterator[Message]:
    """The messages that follow those of `messages`."""
    if returned.public_reply:
        with _refused_at("reply.publicReply"):
            yield PublicReply(returned.public_reply)
    for news in returned.news:
        with _refused_at("reply.news"):
            yield News(_content(news.message), news.template, news.token)
    for each in returned.opt_ins:
        with _refused_at("reply.optIns"):
            yield Notification(_content(each.message), each.token)


def _content(message: str | Content) -> Content:
    return Text(message) if isinstance(message, str) else message


@contextmanager
def _refused_at(place: str) -> Iterator[None]:
    """Say where in the reply a message is that Facebook would refuse."""
    try:
        yield
    except Refused as refusal:
        raise BadReply(place, str(refusal)) from None


def _window_open_until(session: Session) -> int:
    """In milliseconds since 1970; 0 if it never was open."""
    ends = [since + length for since, length in ((session.opened, WINDOW), (session.advertised, AD_WINDOW)) if since]
    return _ms(max(ends, default=0.0))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
