from collections.abc import Callable

import pytest

from bot.dialogue import Reply, ReplyLike
from bot.dialogue.middleware import Middleware, guess_language, handed_over, human_handover, rate_limit
from bot.dialogue.testing import Chat
from bot.messenger.events import AccountLinked, Event, Image, OptedIn, Postback, TextMessage, ThreadPassed
from tests.bot.dialogue.guest import HOUR, Guest, GuestTurn, empty, says


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


def test_middleware_may_reply_without_the_rules() -> None:
    bot = empty()

    @bot.middleware
    def closed(_: GuestTurn, __: Callable[[GuestTurn], Reply[Guest]]) -> str:
        return "closed"

    bot.fallback(says("open"))
    assert Chat(bot).says("hi") == ["closed"]


def test_the_language_is_guessed_once_and_only_from_words() -> None:
    bot = empty()
    bot.middleware(guess_language(en="the is", de="das ist"))
    bot.fallback(lambda turn: turn.language)
    chat = Chat(bot)
    assert chat.taps("X") == ["en"]
    assert chat.says("Was ist das?") == ["de"]
    assert chat.says("What is the matter") == ["de"]


# A human takes over


def helpdesk() -> Chat:
    """A chat that a human has just taken over, for 12 hours."""
    bot = empty()
    bot.middleware(human_handover("bot"))
    bot.always("forget me")(lambda _: Reply("forgotten", forget=True))
    bot.text("human")(lambda turn: handed_over(turn, "A human comes."))
    bot.on(ThreadPassed)(says("back"))
    bot.fallback(says("hello"))
    chat = Chat(bot)
    assert chat.says("human") == ["A human comes."]
    assert chat.says("hi") == chat.sends(Image("image")) == chat.taps("MENU") == []
    return chat


CALLS: list[Callable[[Chat], list[str]]] = [
    lambda chat: chat.says("Bot!"),
    lambda chat: chat.taps("BOT"),
    lambda chat: chat.chooses("BOT"),
    lambda chat: chat.does(ThreadPassed("2002")),
]


@pytest.mark.parametrize("call", CALLS, ids=["a phrase", "a button", "a quick reply", "the inbox"])
def test_the_bot_is_silent_until_it_is_called_back(call: Callable[[Chat], list[str]]) -> None:
    chat = helpdesk()
    assert len(call(chat)) == 1
    assert chat.says("hi") == ["hello"]


def test_the_bot_comes_back_when_the_time_of_the_human_is_over() -> None:
    chat = helpdesk()
    chat.now += 12 * HOUR - 1
    assert chat.says("hi") == []
    chat.now += 1
    assert chat.says("hi") == ["hello"]


def test_a_user_is_forgotten_even_while_a_human_has_the_conversation() -> None:
    chat = helpdesk()
    assert chat.says("forget me") == ["forgotten"]
    assert chat.last.forget


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


# Whatever silences the bot: consent, account links, language, and what works always


def silenced(silence: Middleware[Guest, None]) -> Chat:
    """A chat in which the bot is silent, and remembers what it hears as the guest's name."""
    bot = empty()
    bot.middleware(silence)
    for rule in (bot.always("forget this"), bot.opt_in(), bot.account_linking(), bot.postback("NAME")):
        rule(lambda turn: Reply(turn.event.kind, state=turn.state.replace(name=turn.event.kind)))
    bot.text("hi", de="hallo")(lambda turn: Reply("hello", state=turn.state.replace(name="hello")))
    bot.fallback(says("hello"))
    chat = Chat(bot)
    chat.state = {"session": {"opened": chat.now, "silent_until": chat.now + HOUR, "quiet_until": chat.now + HOUR}}
    return chat


def asleep(_: GuestTurn, __: Callable[[GuestTurn], Reply[Guest]]) -> ReplyLike[Guest]:
    return None


SILENCES: dict[str, Middleware[Guest, None]] = {
    "a human": human_handover("bot"),
    "a limit": rate_limit(1, 60.0, says("slowly")),
    "the author": asleep,
}


@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES)
@pytest.mark.parametrize(
    ("event", "kept"),
    [
        (OptedIn(token="t"), "opt_in"),
        (OptedIn(token="t", status="STOP_NOTIFICATIONS"), "opt_in"),
        (AccountLinked("unlinked"), "account_linking"),
        (TextMessage("Forget this"), "text"),
        (TextMessage("hi"), ""),
        (Postback("NAME"), ""),
    ],
)
def test_a_silent_bot_keeps_consent_and_accounts_up_to_date(
    silence: Middleware[Guest, None], event: Event, kept: str
) -> None:
    chat = silenced(silence)
    said = chat.does(event)
    assert chat.state.get("user", {}).get("name", "") == kept
    # What opens no window is not limited, and a human gives way to what works always.
    assert said == [] or (silence is not asleep and kept)


@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES)
def test_a_silent_bot_learns_the_language(silence: Middleware[Guest, None]) -> None:
    chat = silenced(silence)
    assert chat.says("Hallo") == []
    assert chat.state["session"]["language"] == "de"
    assert "user" not in chat.state


@pytest.mark.parametrize(("inbox", "said"), [("263902037430900", []), ("1217981644879628", []), ("2002", ["back"])])
def test_passing_the_thread_to_an_inbox_does_not_call_the_bot_back(inbox: str, said: list[str]) -> None:
    assert helpdesk().does(ThreadPassed(inbox)) == said
