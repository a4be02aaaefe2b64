"""A conversation in a function of its own, in any language: see `bot.dialogue.contract`."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.dialogue import contract
from bot.dialogue.bot import NEVER_ANSWERED, addressed, opened
from bot.dialogue.reply import Answer, as_messages
from bot.dialogue.send_form import BadReply
from bot.dialogue.turn import AD_WINDOW, WINDOW, Session, Turn
from bot.dialogue.typed import read, write
from bot.messenger.events import Event
from bot.messenger.human import Human
from bot.messenger.messages import Message, Notification, Refused, Text
from bot.messenger.record import Record

HUMAN_HOURS = 12.0


class RemoteConversation:
    """Answers events with the replies of a function.

    Args:
        ask: calls the function with a turn and returns its reply, both as JSON.
    """

    def __init__(self, ask: Callable[[bytes], bytes]) -> None:
        self._ask = ask

    def answer(self, event: Event, state: Mapping[str, Any], now: float) -> Answer:
        """What the function answers to an event; see `bot.dialogue.Bot.answer`.

        Args:
            event: what happened.
            state: the state of this user's last answer; empty for a new user.
            now: seconds since 1970.

        Raises:
            BadReply: it returned something that is not a reply, or that Facebook would refuse.
        """
        if isinstance(event, NEVER_ANSWERED):
            return Answer((), dict(state))
        user, session = state.get("user"), read(Session, state.get("session"))
        user = user if isinstance(user, dict) else {}
        kept = Human.of(state)
        if event.opens_window:
            session = opened(Turn(event, Record(), None, now, session=session))
        human = kept.has(now)
        turn = contract.Turn(
            version=contract.VERSION,
            event=event,
            state=user,
            session=contract.Session(
                language=session.language, window_open_until=_window_open_until(session), human=human
            ),
            now=round(now * 1000),
            locale="",
        )
        reply = contract.read_reply(self._ask(contract.write_turn(turn)))
        messages = () if human and reply.hand_over is not False else _messages(reply, event)
        if reply.language is not None:
            session = session.replace(language=reply.language)
        if reply.hand_over is not None:
            kept = kept.asked(event.user, now, HUMAN_HOURS) if reply.hand_over else kept.back(now)
        window_open = Turn(event, Record(), None, now, session=session).window_open
        allowed = tuple(message for message in messages if window_open or not message.needs_window)
        outside = len(messages) - len(allowed)
        if reply.forget:
            return Answer(allowed, {}, forget=True, outside_window=outside)
        parts = {"user": user if reply.state is None else reply.state, "session": write(session)}
        new = kept.put({name: value for name, value in parts.items() if value})
        return Answer(allowed, new, outside_window=outside)


def _messages(reply: contract.Reply, event: Event) -> tuple[Message, ...]:
    try:
        messages = addressed(as_messages(reply.messages, event.platform), event)
    except Refused as refusal:
        raise BadReply("reply.messages", str(refusal)) from None
    try:
        by_opt_in = tuple(
            Notification(Text(each.message) if isinstance(each.message, str) else each.message, each.token)
            for each in reply.opt_ins
        )
    except Refused as refusal:
        raise BadReply("reply.optIns", str(refusal)) from None
    return (*messages, *by_opt_in)


def _window_open_until(session: Session) -> int:
    """In milliseconds since 1970; 0 if it never was open."""
    ends = [since + length for since, length in ((session.opened, WINDOW), (session.advertised, AD_WINDOW)) if since]
    return round(max(ends, default=0.0) * 1000)
