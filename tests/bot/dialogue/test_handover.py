"""A human has the conversation, and the bot is silent."""

from collections.abc import Callable

import pytest

from bot.dialogue import Bot, Context, Dialogue, Reply, ask
from bot.dialogue.handover import handed_over
from bot.dialogue.middleware import Middleware, rate_limit
from bot.dialogue.testing import NOON, Chat
from bot.messenger.events import (
    AccountLinked,
    Comment,
    Event,
    Image,
    Notice,
    OptedIn,
    TextMessage,
    ThreadPassed,
    ThreadRequested,
    ThreadTaken,
)
from bot.messenger.human import HOUR, Human
from bot.messenger.messages import PassThread
from tests.bot.dialogue.guest import Guest, GuestTurn, says

PERSON, INBOX = "24", "263902037430900"


def desk(*middleware: Middleware[Guest, None]) -> Chat:
    """A bot that can be silenced. It remembers in the name what it hears of consent."""
    bot: Bot[Guest, None] = Bot(Guest, languages=("en", "de"), back=("bot", "zurück"), disclosure=None)
    for step in middleware:
        bot.middleware(step)
    for rule in (bot.always("stop"), bot.opt_in(), bot.account_linking()):
        rule(lambda turn: Reply(turn.event.kind, state=turn.state.replace(name=turn.event.kind)))
    bot.always("forget me")(lambda _: Reply("forgotten", forget=True))
    for asking in (bot.text("human"), bot.postback("HUMAN")):
        asking(lambda turn: handed_over(turn, "A human comes.", "help"))
    bot.text("hi", de="hallo")(lambda turn: Reply("hello", state=turn.state.replace(name="greeted")))
    bot.on(ThreadPassed)(says("back"))
    bot.comment()(says("privately"))
    bot.fallback(says("what?"))
    return Chat(bot)


def asked() -> Chat:
    """Somebody who asked for a human, and gets none yet."""
    chat = desk()
    assert chat.says("human") == ["A human comes."]
    return chat


def talking() -> Chat:
    """Somebody to whom a human wrote an hour ago."""
    chat = desk()
    chat.says("where is it")
    chat.state = Human().written(PERSON, chat.now, 12).put(chat.state)
    chat.now += HOUR
    return chat


def limited() -> Chat:
    """Somebody who wrote too much."""
    chat = desk(rate_limit(1, 60.0, says("slowly")))
    chat.state = {"session": {"opened": chat.now, "quiet_until": chat.now + HOUR}}
    return chat


def asleep() -> Chat:
    """Somebody whom the author's own middleware does not answer."""
    chat = desk(lambda _, __: None)
    chat.state = {"session": {"opened": chat.now}}
    return chat


def human(chat: Chat) -> Human:
    return Human.of(chat.state)


CALLS: list[Callable[[Chat], list[str]]] = [
    lambda chat: chat.says("Bot!"),
    lambda chat: chat.says("Zurück"),
    lambda chat: chat.taps("MENU"),
    lambda chat: chat.chooses("MENU"),
    lambda chat: chat.does(ThreadPassed("2002")),
]


@pytest.mark.parametrize("silent", [asked, talking])
@pytest.mark.parametrize("call", CALLS, ids=["a phrase", "another phrase", "the menu", "a quick reply", "the inbox"])
def test_the_bot_is_silent_while_a_human_has_the_conversation_until_it_is_called_back(
    silent: Callable[[], Chat], call: Callable[[Chat], list[str]]
) -> None:
    chat = silent()
    assert chat.says("hi") == chat.sends(Image("image")) == chat.does(Notice("news")) == []
    chat.now += 1
    assert len(call(chat)) == 1
    assert chat.says("hi") == ["hello"]


def test_the_bot_comes_back_when_the_time_of_the_human_is_over() -> None:
    chat = talking()
    chat.now += 11 * HOUR - 1
    assert chat.says("hi") == []
    chat.now += 1
    assert chat.says("hi") == ["hello"]


def test_how_long_the_bot_is_silent_and_which_app_gets_the_thread_are_settings() -> None:
    bot: Bot[Guest, None] = Bot(Guest, disclosure=None)
    bot.fallback(lambda turn: handed_over(turn, "A human comes.", "help"))
    answer = bot.answer(TextMessage("human"), {}, Context(NOON, None, human_hours=3, inbox=INBOX))
    assert Human.of(answer.state).until == NOON + 3 * HOUR
    assert answer.messages[1:] == (PassThread(INBOX, "help"),)


def test_a_call_from_before_the_human_wrote_does_not_bring_the_bot_back() -> None:
    chat = talking()
    late = TextMessage("bot", timestamp=int((chat.now - 2 * HOUR) * 1000))
    answer = chat._bot.answer(late, chat.state, Context(chat.now, None))
    assert answer.messages == ()
    assert Human.of(answer.state).talks(chat.now)


def test_whoever_asks_again_for_the_human_who_has_the_conversation_gets_no_answer() -> None:
    chat = talking()
    before = human(chat)
    assert chat.taps("HUMAN") == chat.says("human") == []
    assert human(chat) == before.heard(chat.now)


def test_it_is_known_who_waits_and_since_when() -> None:
    chat = desk()
    chat.does(TextMessage("human", user=PERSON))
    began = chat.now
    chat.now += 60
    chat.does(TextMessage("hello?", user=PERSON))
    assert (human(chat).person, human(chat).since, human(chat).waiting) == (PERSON, began, began)
    chat.state = human(chat).written(PERSON, chat.now, 12).put(chat.state)
    chat.now += 60
    chat.does(TextMessage("thanks, and the other one?", user=PERSON))
    assert human(chat).waiting == chat.now


def test_a_dialogue_in_progress_ends_when_a_human_hands_back() -> None:
    bot: Bot[Guest, None] = Bot(Guest, disclosure=None)

    @bot.text("order")
    @bot.dialogue()
    def order(_: GuestTurn) -> Dialogue[Guest]:
        return (yield from ask("What?"))

    bot.fallback(says("hello"))
    chat = Chat(bot)
    assert chat.says("order") == ["What?"]
    chat.state = Human().written(PERSON, chat.now, 12).put(chat.state)
    chat.now += 60
    assert chat.says("bot") == ["hello"]


# What is kept up to date meanwhile


@pytest.mark.parametrize("silent", [asked, talking, limited, asleep])
@pytest.mark.parametrize(
    ("event", "kept"),
    [
        (OptedIn(token="t"), "opt_in"),
        (OptedIn(token="t", status="STOP_NOTIFICATIONS"), "opt_in"),
        (AccountLinked("unlinked"), "account_linking"),
        (TextMessage("Stop"), "text"),
        (TextMessage("hi"), ""),
    ],
)
def test_a_silent_bot_keeps_consent_and_accounts_up_to_date(
    silent: Callable[[], Chat], event: Event, kept: str
) -> None:
    chat = silent()
    said = chat.does(event)
    assert chat.state.get("user", {}).get("name", "") == kept
    # Whoever still waits for a human gets an answer to what works always; what opens no window is not limited.
    answered = (silent is asked and kept == "text") or (silent is limited and not event.opens_window)
    assert said == [kept] * answered


@pytest.mark.parametrize("silent", [asked, talking, limited, asleep])
def test_a_silent_bot_learns_the_language(silent: Callable[[], Chat]) -> None:
    chat = silent()
    assert chat.says("Hallo") == []
    assert chat.state["session"]["language"] == "de"


def test_middleware_takes_part_while_the_bot_is_silent_and_says_nothing() -> None:
    chat = desk(
        lambda turn, go: go(turn.replace(session=turn.session.replace(language="en"))),
        rate_limit(1, 60.0, says("slow down")),
    )
    chat.state = Human().written(PERSON, chat.now, 12).put({})
    assert [chat.says("x") for _ in range(3)] == [[], [], []]
    assert chat.state["session"]["language"] == "en"


def test_a_person_is_forgotten_even_while_a_human_talks_to_them() -> None:
    chat = talking()
    assert chat.says("forget me") == []
    assert chat.last.forget
    assert chat.state == {}


def test_a_comment_is_answered_whoever_has_other_conversations() -> None:
    assert desk().does(Comment("c1", "hi")) == ["privately"]


# Which of the page's apps has the thread


@pytest.mark.parametrize(
    "event", [ThreadPassed(INBOX), ThreadPassed("1217981644879628"), ThreadTaken("2002"), ThreadTaken(INBOX)], ids=repr
)
def test_a_thread_that_goes_to_a_human_silences_the_bot(event: Event) -> None:
    chat = desk()
    assert chat.does(event) == []
    assert chat.says("hi") == []
    assert human(chat).talks(chat.now)


def test_another_app_that_asks_for_the_thread_gets_it_unless_the_author_decides_otherwise() -> None:
    chat = desk()
    chat.does(ThreadRequested("2002", "refunds"))
    assert chat.last.messages == (PassThread("2002", "refunds"),)
    assert chat.says("hi") == []

    bot: Bot[Guest, None] = Bot(Guest, disclosure=None)
    bot.on(ThreadRequested)(lambda _: None)
    chat = Chat(bot)
    assert chat.does(ThreadRequested("2002")) == []
    assert not human(chat).has(chat.now)
