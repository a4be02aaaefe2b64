"""The contract with the bot that receives and sends: what this function gets, and what it returns.

A time is in milliseconds since 1970. docs/any-language.md lists all kinds of events with their fields.
"""

from typing import Any, TypedDict


class Event(TypedDict, total=False):
    """One thing that the person did; `kind` says which of the other fields it has."""

    kind: str
    id: str
    page: str
    user: str
    timestamp: int | None
    platform: str
    text: str
    waiting: "list[Event]"
    payload: str
    attachments: list[dict[str, Any]]
    token: str
    comment_id: str
    post: str
    author: str
    topic: str
    data: list[list[str]]


class Human(TypedDict):
    """A human who has the conversation, or is asked for. A time is 0 if it never came."""

    since: int
    until: int
    wrote: int
    waiting: int


class Session(TypedDict):
    """What the bot itself keeps.

    `language` is as an earlier reply set it. `human` is None while the bot has the conversation. `disclose` is true if
    the bot has to say that it is one.
    """

    language: str
    windowOpenUntil: int
    human: Human | None
    disclose: bool


class Person(TypedDict):
    """What the setting `conversationPerson` asks Facebook for; "" if it is unknown."""

    firstName: str
    lastName: str
    profilePic: str


class State(TypedDict, total=False):
    """What this bot keeps about a person; empty for somebody new."""

    asked: str
    parcel: str


class Turn(TypedDict):
    """What the function gets: one event, with everything that it may look at."""

    version: int
    event: Event
    state: State
    session: Session
    now: int
    person: Person
    locale: str


class OptIn(TypedDict):
    """A message to somebody who opted in to notifications."""

    token: str
    message: str | dict[str, Any]


class Template(TypedDict, total=False):
    """A template that Facebook has approved, with its placeholders filled in; `payload` is for that of its button."""

    name: str
    language: str
    values: dict[str, str]
    payload: str


class News(TypedDict, total=False):
    """A message that may be sent outside the messaging window, by a template or with the token of an opt-in."""

    message: str | dict[str, Any]
    template: Template
    token: str


class Reply(TypedDict, total=False):
    """What the function returns; `{}` is silence.

    `messages` are texts, messages as the Send API has them, or sender actions. `state` replaces the state. `disclosed`
    says that the messages say themselves that this is a bot. `understood` is false if the bot did not understand what
    the person wrote. `together` is how many messages this answers: the event, and the first of those in its `waiting`.
    `handOver` gives the conversation to a human, for `reason`, or takes it back. `always` sends the messages also while
    the person waits for a human. `publicReply` answers a comment.
    """

    messages: list[str | dict[str, Any]]
    state: State
    language: str
    disclosed: bool
    understood: bool
    together: int
    handOver: bool
    reason: str
    always: bool
    forget: bool
    publicReply: str
    news: list[News]
    optIns: list[OptIn]
