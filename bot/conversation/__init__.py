"""What the bot says: the author's own folder. Everything else uses only the names it offers.

`bot` answers, `PROFILE` is its Messenger profile, and `world` makes what its handlers need from the outside world.
`TEMPLATES` are for news outside the messaging window, and `DEMONSTRATIONS` is what the sandbox's page offers to show;
both can be left out.
"""

from bot.conversation.answers import DEMONSTRATIONS, bot
from bot.conversation.news import TEMPLATES
from bot.conversation.parcels import world
from bot.conversation.profile import PROFILE

__all__ = ["DEMONSTRATIONS", "PROFILE", "TEMPLATES", "bot", "world"]
