from collections.abc import Callable

import pytest

from bot.dialogue import Bot, Reply, ReplyLike, RuleError
from bot.dialogue.middleware import DAY, Middleware, disclose, guess_language, rate_limit
from bot.dialogue.testing import Chat
from bot.messenger.events import Comment, Event, Notice, OptedIn, Postback, TextMessage
from bot.messenger.human import HOUR, Human
from bot.messenger.messages import Action, Buttons, Card, Carousel, Notification, Tap, Text, Update
from tests.bot.dialogue.guest import Guest, GuestTurn, empty, says


def test_middleware_runs_in_its_order_and_may_change_turn_and_reply() -> None:
    bot = empty()

    def wrapped(mark: str) -> Middleware[Guest, None]:
        def step(turn: GuestTurn, go: Callable[[GuestTurn], Reply[Guest]]) -> ReplyLike[Guest]:
            reply = go(turn.replace(state=turn.state.replace(name=turn.state.name + mark)))
            return reply.replace(said=f"{mark}{reply.said}{mark}")

        return step

    bot.middleware(wrapped("a"))
    bot.middleware(wrapped("b"))
    bot.text("hi")(lambda turn: turn.state.name)
    assert Chat(bot).says("hi") == ["ababba"]


def test_the_language_is_guessed_once_and_only_from_words() -> None:
    bot = empty()
    bot.middleware(guess_language(en="the is", de="das ist"))
    bot.fallback(lambda turn: turn.language)
    chat = Chat(bot)
    assert chat.taps("X") == ["en"]
    assert chat.says("Was ist das?") == ["de"]
    assert chat.says("What is the matter") == ["de"]


# It says that it is a bot


SENTENCE = "You are chatting with a bot."


def newcomer() -> Chat:
    """Somebody who has never heard from a bot with the default disclosure."""
    bot: Bot[Guest, None] = Bot(Guest, languages=("en", "de"))
    bot.text("hi", de="hallo")(says("hello"))
    bot.text("show")(says(Carousel((Card("title", "subtitle"),))))
    bot.text("choose")(says(Buttons("Which?", (Tap("This", "THIS"),))))
    bot.text("long")(says(Text("x" * 1990)))
    bot.text("type")(says(Action("typing_on"), Text("typed")))
    bot.text("fail")(lambda _: str(1 / 0))
    bot.text("nothing")(lambda _: None)
    bot.text("forget me")(lambda _: Reply("gone", forget=True))
    bot.notice()(says(Update(Text("news"))))
    bot.comment()(says("a private answer"))
    bot.error(lambda _, __: "sorry")
    bot.fallback(says("what?"))
    chat = Chat(bot)
    chat.state = {}
    return chat


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (TextMessage("hi"), [f"{SENTENCE}\n\nhello"]),
        (TextMessage("hallo"), ["Sie schreiben mit einem Bot.\n\nhello"]),
        (TextMessage("choose"), [f"{SENTENCE}\n\nWhich?"]),
        (TextMessage("show"), [SENTENCE, "title: subtitle"]),
        (TextMessage("long"), [SENTENCE, "x" * 1990]),
        (TextMessage("type"), ["Action", f"{SENTENCE}\n\ntyped"]),
        (TextMessage("fail"), [f"{SENTENCE}\n\nsorry"]),
        (Postback("ANY"), [f"{SENTENCE}\n\nwhat?"]),
        (Comment("c1", "a comment"), [f"{SENTENCE}\n\na private answer"]),
    ],
    ids=repr,
)
def test_the_bot_says_what_it_is_at_the_beginning_whatever_the_first_message_was(event: Event, said: list[str]) -> None:
    chat = newcomer()
    assert chat.does(event) == said
    assert chat.says("hi") == ["hello"]


def test_a_silence_does_not_count_as_a_beginning_and_whoever_was_forgotten_has_a_new_one() -> None:
    chat = newcomer()
    assert chat.says("nothing") == []
    assert chat.says("forget me") == [f"{SENTENCE}\n\ngone"]
    assert chat.says("hi") == [f"{SENTENCE}\n\nhello"]


def test_a_disclosure_that_the_first_message_has_no_room_for_comes_with_the_next() -> None:
    bot: Bot[Guest, None] = Bot(Guest)
    bot.comment()(says(Carousel((Card("title", "subtitle"),))))
    bot.opt_in()(says(Notification(Carousel((Card("news", "today"),)), "token")))
    bot.fallback(says("hello"))
    chat = Chat(bot)
    for first in (Comment("c1", "a comment"), OptedIn(token="token")):
        chat.state = {}
        assert SENTENCE not in chat.does(first)
        assert chat.last.outside_window == 0
        assert chat.says("hi") == [f"{SENTENCE}\n\nhello"]


def test_the_bot_says_what_it_is_again_after_some_days() -> None:
    chat = newcomer()
    chat.says("hi")
    chat.now += 30 * DAY - 1
    assert chat.says("hi") == ["hello"]
    chat.now += 1
    assert chat.does(Notice("news")) == [f"{SENTENCE}\n\nnews"]
    assert chat.says("hi") == ["hello"]


@pytest.mark.parametrize(("hours", "said"), [(0.5, "bot"), (13, "huh")], ids=["called back", "the time is over"])
def test_the_bot_says_what_it_is_when_a_human_hands_back(hours: float, said: str) -> None:
    chat = newcomer()
    chat.says("hi")
    chat.state = Human().written("7", chat.now, 12).put(chat.state)
    chat.now += hours * HOUR
    assert chat.says(said) == [f"{SENTENCE}\n\nwhat?"]
    assert chat.says("hi") == ["hello"]


def test_a_language_without_a_sentence_is_refused_at_the_start() -> None:
    with pytest.raises(RuleError, match=r"cannot say in tlh that it is one: pass disclosure=disclose\(tlh="):
        Bot(Guest, languages=("en", "tlh"))
    Bot(Guest, languages=("en", "tlh"), disclosure=disclose(tlh="qoq jIH."))


# Somebody writes too much


def test_a_user_over_the_rate_limit_hears_so_once() -> None:
    bot = empty()
    bot.middleware(rate_limit(3, 60.0, lambda turn: turn.words(en="slow down", de="langsam")))
    bot.fallback(says("hello"))
    chat = Chat(bot)
    assert [chat.says("hi") for _ in range(6)] == [["hello"]] * 3 + [["slow down"], [], []]
    chat.now += 59
    assert chat.says("hi") == []
    chat.now += 1
    assert [chat.says("hi") for _ in range(4)] == [["hello"]] * 3 + [["slow down"]]
    chat.now += 60
    for _ in range(9):
        chat.now += 20
        assert chat.says("hi") == ["hello"]
