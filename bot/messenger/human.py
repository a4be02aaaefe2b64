"""Whether a human has the conversation: a part of a person's state, under the name `human`.

The worker writes it when a human writes to the person, and the conversation when the person asks for a human or calls
the bot back. Everybody else only reads it.
"""

from collections.abc import Mapping
from typing import Any, Self

from bot.messenger.record import Record

NAME = "human"
# The metadata of a message that a human sent through the bot's own app (`ops reply`): this, and who it was.
METADATA = "human:"
HOUR = 3600.0
# The apps of the page's and of Instagram's inbox: whoever gets the thread there is a human.
# Source: "Conversation Control APIs (Conversation Routing)", 2026-11-25.
INBOXES = frozenset({"263902037430900", "1217981644879628"})


class Human(Record):
    """Whether, and since when, a human has the conversation with a person. All times are seconds since 1970.

    Attributes:
        person: the person's page-scoped id, which the state's key does not show.
        since: when the person was passed to a human, or the human wrote first.
        until: the bot is silent until then.
        wrote: when the human last wrote; 0 if none has, since the person was passed on.
        waiting: since when the person waits for a human's words; 0 if they do not.
        returned: when the bot was last called back; what a human wrote before then no longer silences it.
    """

    person: str = ""
    since: float = 0.0
    until: float = 0.0
    wrote: float = 0.0
    waiting: float = 0.0
    returned: float = 0.0

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Self:
        """From a person's state. Whatever does not fit is left out."""
        kept = state.get(NAME)
        fitting: dict[str, Any] = {}
        for name, value in kept.items() if isinstance(kept, dict) else ():
            if name == "person" and isinstance(value, str):
                fitting[name] = value
            elif name in cls._fields and name != "person" and type(value) in (int, float):
                fitting[name] = float(value)
        return cls(**fitting)

    def put(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """A person's state with this in it."""
        kept = {name: value for name, value in self.fields().items() if value}
        others = {name: value for name, value in state.items() if name != NAME}
        return others | ({NAME: kept} if kept else {})

    def has(self, now: float) -> bool:
        """Whether the bot is silent now, for a human who writes or is asked for."""
        return now < self.until

    def talks(self, now: float) -> bool:
        """Whether a human has written and still has the conversation."""
        return self.wrote > 0 and self.has(now)

    def asked(self, person: str, now: float, hours: float) -> Self:
        """After the person asked for a human."""
        since, wrote = (self.since, self.wrote) if self.has(now) else (now, 0.0)
        until = max(self.until, now + hours * HOUR)
        return type(self)(person, since, until, wrote, waiting=self.waiting or now, returned=self.returned)

    def written(self, person: str, when: float, hours: float) -> Self:
        """After a human wrote. The words of before the bot was called back change nothing."""
        if when <= self.returned:
            return self
        return self.replace(
            person=person,
            since=self.since if self.has(when) else when,
            until=max(self.until, when + hours * HOUR),
            wrote=max(self.wrote, when),
            waiting=self.waiting if self.waiting > when else 0.0,
        )

    def heard(self, when: float) -> Self:
        """After the person wrote to the human."""
        return self if self.waiting else self.replace(waiting=when)

    def back(self, now: float) -> Self:
        """After the bot came back."""
        return type(self)(returned=now)
