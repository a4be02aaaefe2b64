"""The ledger as an operator needs it: taking *dead* back, and finding what is kept about a person."""

from enum import Enum

from bot.aws.ledger import DEAD, SETTLED, Key, Record, Stale
from bot.aws.ledger import Ledger as BotLedger
from ops.errors import OpsError


class Fate(Enum):
    """What becomes of an event that is redriven."""

    ANEW = "its answers are worked out anew"
    ON = "goes on where it stopped"
    DONE = "was dealt with already"


def fate(record: Record) -> Fate:
    """What a redrive would do with an event of which the ledger has this record."""
    if record.outcome == SETTLED:
        return Fate.DONE
    if record.answers is None or (record.outcome == DEAD and record.untouched):
        return Fate.ANEW
    return Fate.ON


class Ledger(BotLedger):
    """The bot's ledger, with an operator's errors."""

    def record(self, key: Key, page: str) -> Record:
        """What the ledger knows of an event."""
        return self.read(key, page).record

    def revive(self, key: Key, page: str) -> Record:
        """See the bot's ledger.

        Raises:
            OpsError: others keep changing the record.
        """
        try:
            return super().revive(key, page)
        except Stale:
            raise OpsError(
                "The ledger's record of an event keeps changing: is someone else redriving? Try again."
            ) from None
