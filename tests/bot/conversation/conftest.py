"""A customer who writes to the bot."""

import pytest

from bot.conversation import bot, world
from bot.dialogue.testing import Chat
from tests.bot.environment import ENVIRONMENT


@pytest.fixture
def chat() -> Chat:
    return Chat(bot, world(ENVIRONMENT))
