"""What a conversation says on the pages /privacy and /deletion, which `bot.privacy` makes."""

from collections.abc import Mapping

from bot.messenger.record import Record


class Words(Record):
    """The words of both pages in one language.

    Attributes:
        privacy: the title of the page about privacy.
        deletion: the title of the page about deletion.
        responsible: who is responsible; has `{organisation}`.
        kept: the heading over what is kept.
        columns: the heads of the table's two columns.
        stores: by the name of each of `bot.privacy.periods`, what it holds, and for how long; has `{days}`.
        remembers: before what this bot remembers.
        purpose: what it is used for, and who else gets it.
        ask: how to have it deleted by the contact; ends where the contact follows.
        write: how to have it deleted by writing to the bot; has `{phrase}`.
        deleted: what is then deleted, and what expires by itself.
        facebook: that Facebook keeps the conversation itself.
    """

    privacy: str
    deletion: str
    responsible: str
    kept: str
    columns: tuple[str, str]
    stores: Mapping[str, tuple[str, str]]
    remembers: str
    purpose: str
    ask: str
    write: str
    deleted: str
    facebook: str


class Kept(Record):
    """What a conversation adds to the pages, in one language. See `PRIVACY` in `bot/conversation/`.

    Attributes:
        remembers: what it keeps about a person, for the end of a sentence.
        phrase: what a person writes to the bot to have everything deleted; "" if no rule takes such a text.
        words: the pages' words, for a language that they do not have.
    """

    remembers: str
    phrase: str = ""
    words: Words | None = None
