"""The contract with a conversation in any language: one JSON turn goes in, and one JSON reply comes out.

The classes here are the contract: `docs/contract/` has the JSON Schemas that are generated from them. A time is in
milliseconds since 1970, as Facebook has it.
"""

import json
from typing import Any

from bot.dialogue.send_form import BadReply, camel, read
from bot.messenger.events import Event
from bot.messenger.identity import clean
from bot.messenger.messages import Action, Content, React
from bot.messenger.record import Record

VERSION = 1
# Kinds that only report on the page's own messages: no conversation gets them.
NEVER_SEEN = frozenset({"delivery", "echo", "read"})


class Session(Record):
    """What the bot keeps about the person, beside the function's own state.

    Attributes:
        language: as an earlier reply set it; "" until then.
        window_open_until: until when the page may write to them without an opt-in; 0 if they never wrote.
        human: true while a human has the conversation. Messages are then not sent, unless the reply takes it back.
    """

    language: str
    window_open_until: int
    human: bool


class Turn(Record):
    """What the function gets: one event, with everything that it may look at.

    Attributes:
        version: of this contract; 1.
        event: what happened. Its `kind` says which fields it has.
        state: what the last reply kept about this person; empty for somebody new.
        session: what the bot itself keeps.
        now: the time, in milliseconds since 1970.
        locale: the person's locale as Facebook knows it, such as `de_DE`; "" if it is unknown.
    """

    version: int
    event: Event
    state: dict[str, Any]
    session: Session
    now: int
    locale: str


class OptIn(Record):
    """A message to somebody who opted in to notifications. It may be sent outside the messaging window.

    Attributes:
        token: from the event `opt_in`.
        message: the message.
    """

    token: str
    message: str | Content


class Reply(Record):
    """What the function returns. Everything may be left out: `{}` is silence.

    Attributes:
        messages: sent in this order: each a text, which is split if it is too long, or a message as the Send API has
            it, or a sender action.
        state: the new state, which replaces the old one. Without it, the old one stays.
        language: kept in the session, for the next turns.
        hand_over: true gives the conversation to a human, and the bot is silent for 12 hours. false takes it back.
        forget: true deletes everything that is known about the person.
        opt_ins: messages for somebody who opted in to notifications, sent after the others.
    """

    messages: tuple[str | Content | Action | React, ...] = ()
    state: dict[str, Any] | None = None
    language: str | None = None
    hand_over: bool | None = None
    forget: bool = False
    opt_ins: tuple[OptIn, ...] = ()


def write_turn(turn: Turn) -> bytes:
    """The turn as JSON."""
    return json.dumps(plain(turn), separators=(",", ":")).encode()


def read_reply(body: bytes) -> Reply:
    """The reply in what a function returned.

    Raises:
        BadReply: it is not a reply, or Facebook would refuse one of its messages.
    """
    try:
        value = json.loads(body)
        # Neither NaN, nor a number too large, nor half of a character may reach the ledger or the next turn.
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadReply("reply", f"is not JSON ({type(error).__name__}): return plain values.") from None
    if value is None:
        raise BadReply("reply", "is null: return {} for silence.")
    return read(Reply, value, "reply")


def plain(value: object) -> object:
    """A value as JSON. The fields of events keep the library's names; those of the contract are in camel case."""
    if isinstance(value, Record):
        name = camel if type(value).__module__ == __name__ else str
        kind = {"kind": value.kind} if isinstance(value, Event) else {}
        return kind | {name(field): plain(each) for field, each in value.fields().items()}
    if isinstance(value, dict):
        return {clean(str(key)): plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    return clean(value) if isinstance(value, str) else value
