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
    payload: str
    attachments: list[dict[str, Any]]


class Session(TypedDict):
    """What the bot itself keeps: the language as an earlier reply set it, and whether a human has the conversation."""

    language: str
    windowOpenUntil: int
    human: bool


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
    locale: str


class OptIn(TypedDict):
    """A message to somebody who opted in to notifications."""

    token: str
    message: str | dict[str, Any]


class Reply(TypedDict, total=False):
    """What the function returns; `{}` is silence.

    `messages` are texts, messages as the Send API has them, or sender actions. `state` replaces the state.
    """

    messages: list[str | dict[str, Any]]
    state: State
    language: str
    handOver: bool
    forget: bool
    optIns: list[OptIn]
