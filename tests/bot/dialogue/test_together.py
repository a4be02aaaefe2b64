"""Texts that wait together are answered as one, where the conversation asks for it."""

from bot.dialogue import Bot, Dialogue, Record, Reply, Turn, ask
from bot.dialogue.testing import NOON, Chat
from bot.messenger.events import Event, Image, TextMessage
from tests.bot.dialogue.guest import Guest, GuestTurn, empty, says


class Found(Record):
    number: int


def talkative() -> Bot[Guest, None]:
    """A bot that takes greetings, numbers and anything else in bursts, and a command alone."""
    bot = empty()
    bot.always("stop it")(says("stopped"))
    bot.text("command")(says("done"))

    @bot.together
    @bot.text("hi", "hello", de="hallo")
    def greet(turn: GuestTurn) -> Reply[Guest]:
        return Reply(f"hello {len(turn.together)}", state=turn.state.replace(visits=turn.state.visits + 1))

    @bot.together
    @bot.pattern("(?P<number>[0-9]+)", Found)
    def number(turn: Turn[Guest, None, TextMessage], found: Found) -> str:
        return f"{found.number} in {turn.event.text!r}"

    @bot.together
    @bot.fallback
    def explain(turn: Turn[Guest, None, Event]) -> str:
        assert isinstance(turn.event, TextMessage)
        return f"what is {turn.event.text!r}"

    return bot


def test_texts_that_wait_together_reach_a_handler_as_one_turn() -> None:
    chat = Chat(talkative())
    assert chat.says("hi", "where is my parcel", "12") == ["12 in 'hi\\nwhere is my parcel\\n12'"]
    assert chat.last.together == 2
    assert chat.says("12") == ["12 in '12'"]


def test_words_that_say_nothing_together_go_to_the_rule_of_the_last_message_that_has_one() -> None:
    chat = Chat(talkative())
    assert chat.says("hello", "hi", "you there") == ["hello 3"]
    assert chat.state["user"] == {"visits": 1}
    assert chat.says("so", "what") == ["what is 'so\\nwhat'"]


def test_a_text_for_a_handler_that_takes_no_bursts_is_answered_alone_and_parts_them() -> None:
    chat = Chat(talkative())
    assert chat.says("one", "two", "command", "three", "four") == [
        "what is 'one\\ntwo'",
        "done",
        "what is 'three\\nfour'",
    ]
    assert chat.says("so", "stop it") == ["what is 'so'", "stopped"]


def test_words_that_only_together_are_a_command_join_no_burst() -> None:
    assert Chat(talkative()).says("stop", "it") == ["what is 'stop'", "what is 'it'"]


def test_the_answers_in_a_dialogue_are_taken_one_by_one() -> None:
    bot = empty()

    @bot.text("book")
    @bot.dialogue()
    def book(_: GuestTurn) -> Dialogue[Guest]:
        name = yield from ask("Name?")
        count = yield from ask("How many?")
        return f"{count} for {name}"

    bot.together(bot.fallback(says("what?")))
    chat = Chat(bot)
    chat.says("book")
    assert chat.says("Ada", "4") == ["How many?", "4 for Ada"]


def test_a_burst_keeps_its_attachments_its_last_time_and_the_language_of_its_phrases() -> None:
    bot = talkative()
    seen: list[Turn[Guest, None, Event]] = []
    bot.middleware(lambda turn, _: seen.append(turn))
    chat = Chat(bot)
    last = TextMessage("Hallo", timestamp=int(NOON * 1000) - 5)
    chat.does(TextMessage("hi", (last,), attachments=(Image("image"),)))
    (turn,) = seen
    assert isinstance(turn.event, TextMessage)
    assert (turn.event.attachments, turn.event.timestamp) == ((Image("image"),), last.timestamp)
    assert chat.state["session"]["language"] == "de"
