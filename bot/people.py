"""What Facebook says about people, for conversations that ask."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.aws.client import AwsError
from bot.aws.secrets import SecretMissing
from bot.log import log
from bot.messenger.errors import SendError

# An event waits for no longer than this: a name is worth less than an answer.
SECONDS = 1.0


class Profiles(Protocol):
    """What is needed of the Graph API."""

    def person(self, psid: str, fields: Sequence[str], timeout: float, /) -> Mapping[str, str]:
        """A person's profile; see `bot.messenger.client.GraphApi`."""


class Source(Protocol):
    """Gives the Graph API with the page's token; see `bot.responder.Senders`."""

    def get(self) -> Profiles:
        """With the token as it was last read."""


class People:
    """Reads profiles; see `bot.dialogue.turn.People`.

    Args:
        source: gives the Graph API.
    """

    def __init__(self, source: Source) -> None:
        self._source = source

    def read(self, psid: str, fields: Sequence[str]) -> Mapping[str, str]:
        """These fields of a person's profile; empty if Facebook does not say within a second, for whatever reason."""
        try:
            return self._source.get().person(psid, fields, SECONDS)
        except (SendError, AwsError, SecretMissing) as error:
            log("WARN", "profile_not_read", reason=str(error))
            return {}
