"""What the bot says: the author's own folder. Everything else uses only the three names it offers.

`bot` answers, `PROFILE` is its Messenger profile, and `world` makes what its handlers need from the outside world.
"""

from bot.conversation.answers import bot
from bot.conversation.parcels import world
from bot.conversation.profile import PROFILE

__all__ = ["PROFILE", "bot", "world"]
