"""What the bot says: the author's own folder. It offers the bot and its Messenger profile."""

from bot.conversation.answers import PROFILE, bot

__all__ = ["PROFILE", "bot"]
