"""What the pages about privacy say of this bot is true of it."""

import pytest

from bot.conversation.answers import Customer, bot
from bot.conversation.privacy import PRIVACY
from bot.dialogue.testing import Chat

# Every field of the author's record, and the words that name it.
REMEMBERED = {
    "parcel": "the number of the parcel that you last asked about",
    "watched": "the parcel whose changes you want to hear about",
    "asked": "the parcel whose changes you want to hear about",
    "token": "your consent",
    "ahead": "",  # of a demonstration, which only the sandbox offers
}


def test_the_page_names_everything_that_this_bot_remembers_in_each_of_its_languages() -> None:
    assert Customer._fields == tuple(REMEMBERED)
    assert all(words in PRIVACY["en"].remembers for words in REMEMBERED.values())
    assert tuple(PRIVACY) == bot.languages


@pytest.mark.parametrize("language", PRIVACY)
def test_the_words_on_the_page_make_the_bot_forget(chat: Chat, language: str) -> None:
    chat.says("12345678")

    chat.says(PRIVACY[language].phrase)

    assert chat.last.forget
