from collections.abc import Callable

import pytest

from bot.dialogue import Dialogue, Invalid, Reply, ask
from bot.dialogue.testing import Chat
from bot.messenger.events import Attachment, Reacted, UnsupportedMessage
from bot.messenger.messages import QuickReply, Text
from tests.bot.dialogue.guest import Guest, GuestTurn, empty, says


def dinner() -> Chat:
    """Somebody who began to order a table."""
    bot = empty()
    bot.always("help")(says("help!"))
    bot.cancel("cancel", de="abbrechen")(lambda turn: turn.words(en="cancelled", de="abgebrochen"))

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
            hour = yield from ask("That is many! When?", int)
            return f"{name}, {count} at {hour}"
        return Reply(f"{name}, {count}", state=turn.state.replace(name=name, visits=count))

    bot.text("hi")(says("hello"))
    bot.postback("GO")(says("gone"))
    bot.quick_reply("GO")(says("gone"))
    bot.reaction()(says("nice"))
    bot.fallback(says("what?"))
    chat = Chat(bot)
    assert chat.says("table") == ["Your name?"]
    return chat


def test_a_dialogue_asks_until_the_answer_is_right_and_ends_with_what_was_answered() -> None:
    chat = dinner()
    assert chat.says("Ada") == ["How many?"]
    assert chat.says("some") == ["A number, please.", "How many?"]
    assert chat.says("many") == ["A number, please.", "How many?"]
    assert chat.state["session"]["dialogue"]["answers"] == ["Ada"]
    assert chat.says("9") == ["That is many! When?"]
    assert chat.says("late") == ["That is many! When?"]
    assert chat.says("20") == ["Ada, 9 at 20"]
    assert chat.says("20") == ["what?"]


def test_an_answer_may_be_tapped_or_be_a_text_that_has_a_rule() -> None:
    chat = dinner()
    assert chat.says("hi") == ["How many?"]
    assert chat.chooses("2") == ["hi, 2"]
    assert chat.state["user"] == {"name": "hi", "visits": 2}
    assert chat.says("2") == ["what?"]


def test_a_dialogue_is_cancelled_and_without_one_there_is_nothing_to_cancel() -> None:
    chat = dinner()
    assert chat.says("Abbrechen") == ["abgebrochen"]
    assert chat.says("cancel") == ["what?"]


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
    chat = dinner()
    chat.says("Ada")
    assert act(chat) == [expected]
    assert chat.says("hi") != ["A number, please.", "How many?"]


def test_a_dialogue_survives_events_that_answer_nothing() -> None:
    chat = dinner()
    assert chat.does(Reacted(emoji="👍")) == ["nice"]
    assert chat.sends(Attachment("image")) == ["Your name?"]
    assert chat.does(UnsupportedMessage()) == ["Your name?"]
    assert chat.says("Ada") == ["How many?"]


def test_a_dialogue_times_out() -> None:
    chat = dinner()
    chat.now += 600
    assert chat.says("Ada") == ["How many?"]
    chat.now += 601
    assert chat.says("2") == ["what?"]


def test_a_dialogue_that_changed_ends_at_its_end_and_one_that_the_bot_no_longer_has_is_over() -> None:
    chat = dinner()
    chat.says("Ada")
    shorter, other = empty(), empty()

    @shorter.dialogue()
    def table(_: GuestTurn) -> Dialogue[Guest]:
        name = yield from ask("Your name?")
        return f"hello {name}"

    other.fallback(says("new bot"))
    for bot, said in ((shorter, "hello Ada"), (other, "new bot")):
        changed = Chat(bot)
        changed.state = chat.state
        assert changed.says("2") == [said]
