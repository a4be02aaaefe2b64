"""The conversation engine. It knows the Messenger Platform, and nothing about what a bot says."""

from bot.dialogue.bot import Bot
from bot.dialogue.dialogues import Dialogue, Invalid, ask
from bot.dialogue.reply import Answer, Reply, ReplyLike
from bot.dialogue.rules import RuleError
from bot.dialogue.turn import Context, Lex, Turn
from bot.messenger.events import Event
from bot.messenger.record import Record

__all__ = [
    "Answer",
    "Bot",
    "Context",
    "Dialogue",
    "Event",
    "Invalid",
    "Lex",
    "Record",
    "Reply",
    "ReplyLike",
    "RuleError",
    "Turn",
    "ask",
]
