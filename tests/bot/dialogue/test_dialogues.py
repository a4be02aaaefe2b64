import re
from collections.abc import Callable

import pytest

from bot.dialogue import Bot, Dialogue, Invalid, Reply, ReplyLike, ask
from bot.dialogue.testing import Chat
from bot.messenger.events import (
    Attachment,
    Reacted,
    UnsupportedMessage,
)
from bot.messenger.messages import QuickReply, Text
from tests.bot.dialogue.guest import Guest, GuestTurn, empty, says


def dinner() -> Bot[Guest, None]:
    bot = empty()

    @bot.always("help")
    def help_(_: GuestTurn) -> str:
        return "help!"

    @bot.cancel("cancel", de="abbrechen")
    def cancelled(turn: GuestTurn) -> str:
        return turn.words(en="cancelled", de="abgebrochen")

    def people(answer: str) -> int:
        if not answer.isdigit():
            raise Invalid("A number, please.")
        return int(answer)

    @bot.text("table")
    @bot.postback("TABLE")
    @bot.dialogue(minutes=10)
    def table(turn: GuestTurn) -> Dialogue[Guest]:
        name = yield from ask("Your name?")
        count = yield from ask(Text("How many?", quick_replies=(QuickReply("2"),)), people)
        if count > 8:
            when = yield from ask(
                "That is many! When?", lambda answer: (re.fullmatch(r"\d\d", answer) and answer) or int("x")
            )
            return f"{name}, {count} at {when}"
        return Reply(f"{name}, {count}", state=turn.state.replace(name=name, visits=count))

    bot.text("hi")(says("hello"))
    bot.postback("GO")(says("gone"))
    bot.quick_reply("GO")(says("gone"))
    bot.reaction()(says("nice"))
    bot.fallback(says("what?"))
    return bot


def test_a_dialogue_asks_and_ends_with_what_was_answered() -> None:
    chat = Chat(dinner())
    assert chat.says("table") == ["Your name?"]
    assert chat.says("Ada") == ["How many?"]
    assert chat.says("2") == ["Ada, 2"]
    assert chat.state["user"] == {"name": "Ada", "visits": 2}
    assert chat.says("2") == ["what?"]


def test_a_dialogue_asks_again_until_the_answer_is_right() -> None:
    chat = Chat(dinner())
    chat.taps("TABLE")
    chat.says("Ada")
    assert chat.says("some") == ["A number, please.", "How many?"]
    assert chat.says("many") == ["A number, please.", "How many?"]
    assert chat.state["session"]["dialogue"]["answers"] == ["Ada"]
    assert chat.says("9") == ["That is many! When?"]
    assert chat.says("late") == ["That is many! When?"]
    assert chat.says("20") == ["Ada, 9 at 20"]


def test_of_a_kept_dialogue_only_what_does_not_fit_is_left_out() -> None:
    chat = Chat(dinner())
    chat.says("table")
    chat.state["session"]["dialogue"]["answers"] = [7]
    assert chat.says("Ada") == ["How many?"]


def test_an_answer_may_be_tapped() -> None:
    chat = Chat(dinner())
    chat.says("table")
    chat.says("Ada")
    assert chat.chooses("2") == ["Ada, 2"]


def test_an_answer_may_be_a_text_that_has_a_rule() -> None:
    chat = Chat(dinner())
    chat.says("table")
    assert chat.says("hi") == ["How many?"]
    assert chat.says("2") == ["hi, 2"]


def test_a_dialogue_is_cancelled_and_without_one_there_is_nothing_to_cancel() -> None:
    chat = Chat(dinner())
    assert chat.says("cancel") == ["what?"]
    chat.says("table")
    assert chat.says("Abbrechen") == ["abgebrochen"]
    assert chat.says("hi") == ["hello"]


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda chat: chat.says("help"), "help!"),
        (lambda chat: chat.taps("GO"), "gone"),
        (lambda chat: chat.chooses("GO"), "gone"),
        (lambda chat: chat.taps("TABLE"), "Your name?"),
    ],
)
def test_a_dialogue_ends_when_the_user_turns_to_something_else(act: Callable[[Chat], list[str]], expected: str) -> None:
    chat = Chat(dinner())
    chat.says("table")
    chat.says("Ada")
    assert act(chat) == [expected]
    assert chat.says("hi") != ["A number, please.", "How many?"]


def test_a_dialogue_survives_events_that_answer_nothing() -> None:
    chat = Chat(dinner())
    chat.says("table")
    assert chat.does(Reacted(emoji="👍")) == ["nice"]
    assert chat.sends(Attachment("image")) == ["Your name?"]
    assert chat.does(UnsupportedMessage()) == ["Your name?"]
    assert chat.says("Ada") == ["How many?"]


def test_a_dialogue_times_out() -> None:
    chat = Chat(dinner())
    chat.says("table")
    chat.now += 600
    assert chat.says("Ada") == ["How many?"]
    chat.now += 601
    assert chat.says("2") == ["what?"]


def test_a_dialogue_that_the_bot_does_not_have_is_over() -> None:
    chat = Chat(dinner())
    chat.says("table")
    other = empty()
    other.fallback(says("new bot"))
    changed = Chat(other)
    changed.state = chat.state
    assert changed.says("Ada") == ["new bot"]


def test_a_dialogue_that_became_shorter_ends_at_its_end() -> None:
    chat = Chat(dinner())
    chat.says("table")
    chat.says("Ada")
    shorter = empty()

    @shorter.dialogue()
    def table(_: GuestTurn) -> Dialogue[Guest]:
        name = yield from ask("Your name?")
        return f"hello {name}"

    changed = Chat(shorter)
    changed.state = chat.state
    assert changed.says("2") == ["hello Ada"]


def test_a_handler_may_start_a_dialogue() -> None:
    bot = empty()

    @bot.dialogue()
    def poll(_: GuestTurn) -> Dialogue[Guest]:
        answer = yield from ask("Well?")
        return answer

    @bot.text("hi")
    def hi(turn: GuestTurn) -> ReplyLike[Guest]:
        return poll(turn)

    chat = Chat(bot)
    assert chat.says("hi") == ["Well?"]
    assert chat.says("Fine") == ["Fine"]
