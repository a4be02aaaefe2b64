from collections.abc import Callable

import pytest

from bot.dialogue import Bot, Context, Record, Reply, ReplyLike, RuleError
from bot.dialogue.testing import NOON, Chat
from bot.messenger.events import Comment, Event, Notice, Referral, Referred, TextMessage
from bot.messenger.messages import AskToNotify, Notification, PrivateReply, PublicReply, Refused, Text, Update
from bot.messenger.news import News, Utility, UtilityTemplate, Wording
from tests.bot.dialogue.guest import HOUR, Guest, GuestTurn, empty, known, says

# What a handler may return


def returning(value: ReplyLike[Guest]) -> Callable[[GuestTurn], ReplyLike[Guest]]:
    return lambda _: value


def test_a_handler_may_say_nothing_a_text_of_any_length_a_message_or_several() -> None:
    returns: list[tuple[ReplyLike[Guest], list[str]]] = [
        (None, []),
        ("", []),
        ("hi", ["hi"]),
        (Text("hi"), ["hi"]),
        (("hi", Text("there")), ["hi", "there"]),
        (Reply(["hi"]), ["hi"]),
        ("word " * 500, [("word " * 400).strip(), ("word " * 100).strip()]),
    ]
    for value, said in returns:
        bot = empty()
        bot.fallback(returning(value))
        assert [each.strip() for each in Chat(bot).says("x")] == said


@pytest.mark.parametrize(
    "kept", [None, 7, {"visits": "many", "name": "Ada"}, {"visits": True, "name": "Ada", "tags": 7, "old": 1}]
)
def test_kept_state_that_does_not_fit_is_left_out(kept: object) -> None:
    bot = empty()
    bot.text("hi")(lambda turn: f"{turn.state.name} {turn.state.visits}")
    chat = Chat(bot)
    chat.state = {"user": kept}
    assert chat.says("hi") == ["Ada 0" if isinstance(kept, dict) else " 0"]


def test_words_are_needed_in_every_language() -> None:
    bot = empty()
    bot.text("hi")(lambda turn: turn.words(en="hello"))
    with pytest.raises(LookupError, match="No words in de"):
        Chat(bot).says("hi")


def test_a_state_that_json_cannot_keep_is_refused() -> None:
    class NoDefault(Record):
        name: str

    class Odd(Record):
        names: frozenset[str] = frozenset()

    class Wrong(Record):
        name: str = 7  # type: ignore[assignment]  # what is tested

    for state in (NoDefault, Odd, Wrong):
        with pytest.raises(RuleError, match="Give every field a type of JSON and a default"):
            Bot(state)


def test_a_state_may_hold_records_and_be_empty() -> None:
    class Inner(Record):
        number: int = 0

    class Outer(Record):
        inner: Inner = Inner()
        many: tuple[Inner, ...] = ()
        maybe: float | None = None

    bot: Bot[Outer, None] = Bot(Outer)
    bot.text("hi")(lambda turn: Reply(repr(turn.state), state=Outer(Inner(1), (Inner(2),), 3)))
    bot.text("leave")(lambda _: Reply(state=Outer()))
    chat = Chat(bot)
    chat.says("hi")
    assert chat.state["user"] == {"inner": {"number": 1}, "many": [{"number": 2}], "maybe": 3}
    assert chat.says("hi") == [repr(Outer(Inner(1), (Inner(2),), 3.0))]
    chat.says("leave")
    assert "user" not in chat.state


def test_a_message_is_adapted_to_instagram_and_one_that_instagram_lacks_is_a_defect() -> None:
    bot = empty()
    bot.text("long")(says("x" * 1500))
    bot.text("news")(says(AskToNotify("News", "NEWS")))
    bot.error(lambda _, error: str(error))
    chat = Chat(bot)
    assert [len(piece) for piece in chat.does(TextMessage("long", platform="instagram"))] == [1000, 500]
    assert "does not exist on Instagram" in chat.does(TextMessage("news", platform="instagram"))[0]
    assert isinstance(chat.last.defect, Refused)


# The window


def test_outside_the_window_only_what_is_allowed_there_is_planned() -> None:
    bot = empty()
    notified = Notification(Text("notification"), "token")
    bot.notice("news")(lambda turn: ("text", Update(Text("update")), notified, str(turn.window_open)))
    bot.text("hi")(says("hello"))
    chat = Chat(bot)
    assert chat.does(Notice("news")) == ["Notification"]
    assert chat.says("hi") == ["hello"]
    chat.now += 24 * HOUR - 1
    assert chat.does(Notice("news")) == ["text", "update", "Notification", "True"]
    assert chat.last.outside_window == 0
    chat.now += 1
    assert chat.does(Notice("news")) == ["Notification"]
    assert chat.last.outside_window == 3


@pytest.mark.parametrize(
    ("first", "days"),
    [
        (TextMessage("hi", referral=Referral("r", "ADS")), 7),
        (Referred(Referral("r", "ADS")), 7),
        (Referred(Referral("r", "SHORTLINK")), 1),
    ],
)
def test_after_a_click_to_messenger_ad_the_window_is_open_for_seven_days(first: Event, days: int) -> None:
    bot = empty()
    bot.notice("news")(says(Update(Text("update"))))
    chat = Chat(bot)
    chat.does(first)
    chat.says("thanks")
    chat.now += days * 24 * HOUR - 1
    assert chat.does(Notice("news")) == ["update"]
    chat.now += 1
    assert chat.does(Notice("news")) == []


@pytest.mark.parametrize(
    ("hours_ago", "window_open", "opened"),
    [
        (23, True, 23),
        (24, False, 24),
        (29 * 24, False, 29 * 24),
        (30 * 24, True, 0),  # older than the queues can hold: it cannot be true
        (-1000, True, 0),  # a clock that is ahead
        (None, True, 0),
    ],
)
def test_the_window_opens_when_the_user_wrote_unless_the_time_is_impossible(
    hours_ago: int | None, window_open: bool, opened: int
) -> None:
    bot = empty()
    bot.text("hi")(says("hello"))
    wrote = None if hours_ago is None else int((NOON - hours_ago * HOUR) * 1000)
    answer = bot.answer(TextMessage("hi", timestamp=wrote), {}, Context(NOON, None))
    assert bool(answer.messages) == window_open
    assert answer.state["session"]["opened"] == NOON - opened * HOUR


def test_a_comment_goes_to_the_rule_for_its_post_before_that_for_its_words() -> None:
    bot = empty()
    bot.comment("price", "how much")(says("words"))
    bot.comment(post="7")(says("here"))
    bot.comment("price", "how much", post="7")(says("words here"))
    chat = Chat(bot)
    for words, elsewhere, here in (
        ("What PRICE?", ["words"], ["words here"]),
        ("Ah, how  much?", ["words"], ["words here"]),
        ("priceless", [], ["here"]),
        ("", [], ["here"]),
    ):
        assert chat.does(Comment("c", words, "4711_8")) == elsewhere
        assert chat.does(Comment("c", words, "4711_7")) == chat.does(Comment("c", words, "7")) == here
    bot.comment()(says("any"))
    assert chat.does(Comment("c", "nice", "8")) == ["any"]
    with pytest.raises(RuleError, match="a comment with 'Price' is taken twice"):
        bot.comment("Price")(says("10"))


@pytest.mark.parametrize("platform", ["page", "instagram"])
def test_a_comment_is_answered_by_one_private_message(platform: str) -> None:
    bot = empty()
    bot.comment("price")(says(Text("9"), PublicReply("See your messages.")))
    bot.comment("private")(says("one", "two"))
    bot.comment("public")(says(PublicReply("one"), PublicReply("two")))
    bot.text("hi")(says(PublicReply("hi")))
    chat = Chat(bot)
    assert chat.does(Comment("c", "price?", platform=platform)) == ["9", "in public: See your messages."]
    assert chat.last.messages == (PrivateReply(Text("9"), "c"), PublicReply("See your messages.", "c", platform))
    with pytest.raises(Refused, match="answers a comment"):
        chat.says("hi")
    with pytest.raises(Refused, match="privately, and one is allowed"):
        chat.does(Comment("c", "private"))
    with pytest.raises(Refused, match="in public, and one is allowed"):
        chat.does(Comment("c", "public"))


# Who the user is


def greeter(*fields: str) -> Bot[Guest, None]:
    bot: Bot[Guest, None] = Bot(Guest, languages=("en", "de"), person=fields, disclosure=None)
    bot.always("forget me")(returning(Reply("forgotten", forget=True)))
    bot.fallback(lambda turn: turn.words(en="Hello", de="Hallo") + f" {turn.person.first_name}")
    return bot


def test_a_bot_knows_the_fields_of_a_person_that_it_asks_for() -> None:
    chat = Chat(greeter("first_name"), person={"first_name": "Ada", "last_name": "Byron", "locale": "de_DE"})
    assert chat.says("hi") == ["Hello Ada"]
    assert chat.state["session"]["person"] == {"first_name": "Ada"}
    with pytest.raises(RuleError, match="no field age: choose from first_name"):
        greeter("age")


def test_a_person_is_kept_for_a_month_and_forgotten_with_the_state() -> None:
    ada = {"first_name": "Ada"}
    chat = Chat(greeter("first_name"), person=ada)
    chat.says("hi")
    ada["first_name"] = "Augusta"
    chat.now += 30 * 24 * HOUR - 1
    assert chat.says("hi") == ["Hello Ada"]
    chat.now += 1
    assert chat.says("hi") == ["Hello Augusta"]
    ada.clear()
    chat.now += 31 * 24 * HOUR
    assert chat.says("hi") == ["Hello Augusta"]
    chat.says("forget me")
    assert chat.state == {}


def test_facebook_is_asked_again_an_hour_after_it_did_not_answer() -> None:
    ada: dict[str, str] = {}
    chat = Chat(greeter("first_name"), person=ada)
    chat.says("hi")
    ada["first_name"] = "Ada"
    chat.now += HOUR - 1
    assert chat.says("hi") == ["Hello "]
    chat.now += 1
    assert chat.says("hi") == ["Hello Ada"]


@pytest.mark.parametrize("event", [TextMessage("hi", user="user_ref:1"), TextMessage("hi", platform="instagram")])
def test_only_people_with_an_id_of_messenger_are_asked_for(event: Event) -> None:
    assert Chat(greeter("first_name"), person={"first_name": "Ada"}).does(event) == ["Hello "]


# Errors


def test_the_error_handler_replies_and_the_state_stays_and_without_one_the_error_is_raised() -> None:
    bot = empty()
    bot.text("hi")(returning(Reply(PublicReply("x"), state=Guest("Ada"))))
    chat = Chat(bot)
    with pytest.raises(Refused):
        chat.says("hi")
    bot.error(lambda _, error: f"sorry: {type(error).__name__}")
    assert chat.says("hi") == ["sorry: Refused"]
    assert isinstance(chat.last.defect, Refused)
    assert "user" not in chat.state


class Here(Record):
    number: str


HERE = UtilityTemplate("here", {"en": Wording("Parcel {{number}} is here.", Here("1"))})


def test_news_on_instagram_is_an_update_within_the_window_and_nothing_outside_it() -> None:
    bot = empty()
    bot.notice("here")(says(News(Text("It is here."), Utility(HERE, "en", Here("7")), "token")))
    chat = known(bot)
    assert chat.does(Notice("here", platform="instagram")) == ["It is here."]
    assert [type(each) for each in chat.last.messages] == [Update]
    chat.now += 24 * HOUR
    assert chat.does(Notice("here", platform="instagram")) == []
    assert (chat.last.outside_window, chat.last.defect) == (0, None)


# What the bot does not understand


def test_a_text_is_not_understood_if_only_the_fallback_takes_it_unless_the_reply_says_otherwise() -> None:
    def said(turn: GuestTurn) -> str:
        return turn.event.text if isinstance(turn.event, TextMessage) else ""

    bot = empty()
    bot.middleware(lambda turn, go: None if said(turn) == "for a human" else go(turn))
    bot.text("hi")(says("hello"))
    bot.text("hm")(returning(Reply("What?", understood=False)))
    bot.fallback(lambda turn: Reply("I see.", understood=True) if said(turn) == "by Lex" else Reply("What?"))
    chat = Chat(bot)
    texts = {"hi": "", "Hm!": "Hm!", "a unicorn": "a unicorn", "by Lex": "", "for a human": ""}
    for text, not_understood in texts.items():
        chat.says(text)
        assert chat.last.not_understood == not_understood
    chat.taps("UNKNOWN")
    assert chat.last.not_understood == ""
