"""A reply: what a handler returns. An answer: what the engine makes of it, ready to be stored and sent."""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from bot.dialogue.turn import Session, Turn
from bot.messenger.events import Event
from bot.messenger.instagram import adapt
from bot.messenger.messages import Message, Text
from bot.messenger.record import Record
from bot.messenger.text import split

S = TypeVar("S", bound=Record)
W = TypeVar("W")

Words = str | Message | Iterable[str | Message]


class Reply(Record, Generic[S]):
    """What a handler returns. The words alone are enough for a handler that changes nothing.

    `Reply("Noted.", state=turn.state.replace(name=name))`

    Args:
        said: a text, a message, or several of them.
        state: the author's new record of the user; None keeps the old one.
        session: the engine's new record of the user; None keeps the turn's.
        forget: delete everything that is known about the user.
    """

    said: Words = ()
    state: S | None = None
    session: Session | None = None
    forget: bool = False


# What a handler may return: a reply, only its words, or None for silence.
ReplyLike = Reply[S] | Words | None


class Answer(Record):
    """What the bot answers to an event.

    Attributes:
        messages: to be sent in this order; none of them is outside the messaging window.
        state: the user's new state, as JSON.
        forget: delete everything that is known about the user.
        defect: what a handler raised, if the error handler replied in its place.
        outside_window: how many messages are left out, because the messaging window is closed.
        together: how many of the messages that waited behind the event this answers as well.
    """

    messages: tuple[Message, ...]
    state: dict[str, Any]
    forget: bool = False
    defect: Exception | None = None
    outside_window: int = 0
    together: int = 0


def as_reply(returned: ReplyLike[S], turn: Turn[S, W, Event]) -> Reply[S]:
    """What a handler returned, as a reply with a session: its own, or else the turn's."""
    if isinstance(returned, Reply):
        return returned if returned.session else returned.replace(session=turn.session)
    return Reply(() if returned is None else returned, session=turn.session)


def as_messages(said: Words, platform: str) -> tuple[Message, ...]:
    """The words as messages of a platform. A text of any length is split."""
    each = (said,) if isinstance(said, (str, Message)) else tuple(said)
    messages = tuple(
        message
        for one in each
        for message in ((one,) if isinstance(one, Message) else (Text(piece) for piece in split(one)))
    )
    if platform == "instagram":
        return tuple(adapted for message in messages for adapted in adapt(message))
    return messages
