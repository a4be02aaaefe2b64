"""The contract with a conversation in any language: one JSON turn goes in, and one JSON reply comes out.

The classes here are the contract: `docs/contract/` has the JSON Schemas that are generated from them. A time is in
milliseconds since 1970, as Facebook has it.
"""

import json
from typing import Any

from bot.dialogue.send_form import BadReply, camel, read
from bot.messenger.events import Event
from bot.messenger.identity import clean
from bot.messenger.messages import Action, Content, React, ThreadControl
from bot.messenger.news import ApprovedTemplate
from bot.messenger.record import Record

VERSION = 1


class Human(Record):
    """A human who has the conversation, or is asked for.

    Attributes:
        since: since when.
        until: the bot is silent until then.
        wrote: when the human last wrote; 0 if they have not.
        waiting: since when the person waits for the human's words; 0 if they do not.
    """

    since: int
    until: int
    wrote: int
    waiting: int


class Person(Record):
    """What Facebook says about the person; see the setting `conversationPerson`. A field is "" if it is unknown.

    Attributes:
        first_name: the first name.
        last_name: the last name.
        profile_pic: the URL of their picture, which expires.
    """

    first_name: str
    last_name: str
    profile_pic: str


class Session(Record):
    """What the bot keeps about the person, beside the function's own state.

    Attributes:
        language: as an earlier reply set it; "" until then.
        window_open_until: until when the page may write to them without an opt-in; 0 if they never wrote.
        human: who has the conversation in place of the bot; null while the bot has it.
        disclose: true if the bot has to say that it is one: the next message then begins with that sentence.
    """

    language: str
    window_open_until: int
    human: Human | None
    disclose: bool


class Turn(Record):
    """What the function gets: one event, with everything that it may look at.

    Attributes:
        version: of this contract; 1.
        event: what happened. Its `kind` says which fields it has.
        state: what the last reply kept about this person; empty for somebody new.
        session: what the bot itself keeps.
        now: the time, in milliseconds since 1970.
        person: what Facebook says about the person, if the bot asks.
        locale: the person's locale, such as `de_DE`; "" if it is unknown, as for the fields of `person`.
    """

    version: int
    event: Event
    state: dict[str, Any]
    session: Session
    now: int
    person: Person
    locale: str


class OptIn(Record):
    """A message to somebody who opted in to notifications. It may be sent outside the messaging window.

    Attributes:
        token: from the event `opt_in`.
        message: the message.
    """

    token: str
    message: str | Content


class News(Record):
    """News for the person, sent in the first way that is open.

    Attributes:
        message: sent within the messaging window.
        template: sent outside it, if Facebook has approved the template.
        token: from the event `opt_in`: the message is sent with it if the template is not taken, or there is none.
    """

    message: str | Content
    template: ApprovedTemplate | None = None
    token: str = ""


class Reply(Record):
    """What the function returns. Everything may be left out: `{}` is silence.

    Attributes:
        messages: sent in this order: each a text, which is split if it is too long, or a message as the Send API has
            it, or a sender action, or a call of the Conversation Control API with its name as `control`.
        state: the new state, which replaces the old one. Without it, the old one stays.
        language: kept in the session, for the next turns.
        disclosed: true if the messages say themselves that this is a bot.
        understood: false if what the person wrote was not understood: such texts are counted, see `unknownDays`.
        together: how many messages this answers: the event, and the first of those in its `waiting`.
        hand_over: true gives the conversation to a human, and the bot is silent. false takes it back.
        reason: why it is given to a human, for the app in the setting `inboxAppId`; at most 1,000 characters.
        always: true sends the messages also while the person waits for a human who has not written yet.
        forget: true deletes everything that is known about the person.
        public_reply: a reply to a comment that everybody can read; "" for none.
        news: sent after the messages, inside the messaging window or outside it.
        opt_ins: messages for somebody who opted in to notifications, sent after the others.
    """

    messages: tuple[str | Content | Action | React | ThreadControl, ...] = ()
    state: dict[str, Any] | None = None
    language: str | None = None
    disclosed: bool = False
    understood: bool = True
    together: int = 1
    hand_over: bool | None = None
    reason: str = ""
    always: bool = False
    forget: bool = False
    public_reply: str = ""
    news: tuple[News, ...] = ()
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
