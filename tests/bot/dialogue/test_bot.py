from collections.abc import Callable

import pytest

from bot.dialogue import Bot, Context, Record, Reply, ReplyLike, RuleError, Turn
from bot.dialogue.testing import NOON, Chat
from bot.messenger.events import (
    Comment,
    Event,
    Notice,
    Postback,
    Referral,
    Referred,
    TextMessage,
)
from bot.messenger.messages import AskToNotify, Notification, PrivateReply, PublicReply, Refused, Text, Update
from bot.messenger.news import News, Otherwise, Utility, UtilityTemplate, Wording
from tests.bot.dialogue.guest import HOUR, Guest, GuestTurn, empty, says

# What a handler may return


def returning(value: ReplyLike[Guest]) -> Callable[[GuestTurn], ReplyLike[Guest]]:
    return lambda _: value


def test_a_handler_may_say_nothing_a_text_a_message_or_several() -> None:
    bot = empty()
    returns: dict[str, ReplyLike[Guest]] = {
        "nothing": None,
        "empty": "",
        "text": "hi",
        "message": Text("hi"),
        "several": ("hi", Text("there")),
        "reply": Reply(["hi"]),
    }
    for name, value in returns.items():
        bot.text(name)(returning(value))
    said = {name: Chat(bot).says(name) for name in returns}
    assert said == {
        "nothing": [],
        "empty": [],
        "text": ["hi"],
        "message": ["hi"],
        "several": ["hi", "there"],
        "reply": ["hi"],
    }


def test_a_long_text_is_split_into_messages() -> None:
    bot = empty()
    bot.text("long")(says("word " * 1000))
    pieces = Chat(bot).says("long")
    assert len(pieces) == 3
    assert all(len(piece) < 2000 for piece in pieces)


def test_state_is_a_typed_record_that_a_reply_changes() -> None:
    bot = empty()

    @bot.text("hi")
    def hi(turn: GuestTurn) -> ReplyLike[Guest]:
        visits = turn.state.visits + 1
        return Reply(f"visit {visits}", state=turn.state.replace(visits=visits, tags=(*turn.state.tags, "x")))

    @bot.text("leave")
    def leave(_: GuestTurn) -> ReplyLike[Guest]:
        return Reply(state=Guest())

    chat = Chat(bot)
    assert [chat.says("hi"), chat.says("hi")] == [["visit 1"], ["visit 2"]]
    assert chat.state["user"] == {"visits": 2, "tags": ["x", "x"]}
    chat.says("leave")
    assert "user" not in chat.state


@pytest.mark.parametrize(
    "kept", [None, 7, {"visits": "many", "name": "Ada"}, {"visits": True, "name": "Ada", "old": 1}]
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

    @bot.text("hi")
    def hi(turn: Turn[Outer, None, Event]) -> Reply[Outer]:
        return Reply(repr(turn.state), state=Outer(Inner(1), (Inner(2),), 3))

    chat = Chat(bot)
    chat.says("hi")
    assert chat.says("hi") == [repr(Outer(Inner(1), (Inner(2),), 3.0))]


def test_a_message_is_adapted_to_instagram_and_one_that_instagram_lacks_is_a_defect() -> None:
    bot = empty()
    bot.text("long")(says("x" * 1500))
    bot.text("news")(lambda _: AskToNotify("News", "NEWS"))
    bot.error(lambda _, error: str(error))
    chat = Chat(bot)
    assert len(chat.says("long")) == 1
    assert [len(piece) for piece in chat.does(TextMessage("long", platform="instagram"))] == [1000, 500]
    assert chat.says("news") == ["AskToNotify"]
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


AD, LINK = Referral("r", "ADS"), Referral("r", "SHORTLINK")


@pytest.mark.parametrize(
    ("first", "days"),
    [
        (TextMessage("hi", referral=AD), 7),
        (Postback("START", referral=AD), 7),
        (Referred(AD), 7),
        (TextMessage("hi", referral=LINK), 1),
        (Referred(LINK), 1),
    ],
)
def test_after_a_click_to_messenger_ad_the_window_is_open_for_seven_days(first: Event, days: int) -> None:
    bot = empty()
    bot.notice("news")(lambda _: Update(Text("update")))
    chat = Chat(bot)
    chat.does(first)
    chat.says("thanks")
    chat.now += days * 24 * HOUR - 1
    assert chat.does(Notice("news")) == ["update"]
    chat.now += 1
    assert chat.does(Notice("news")) == []


def test_a_comment_is_answered_by_one_private_message() -> None:
    bot = empty()
    bot.comment()(lambda turn: [f"{turn.event.text} at {turn.event.post}"] * int(turn.event.comment_id))
    chat = Chat(bot)
    assert chat.does(Comment("1", "Price?", "p1", "77")) == ["Price? at p1"]
    assert chat.last.messages == (PrivateReply(Text("Price? at p1"), "1"),)
    with pytest.raises(Refused, match="one is allowed"):
        chat.does(Comment("2", "Price?"))


def test_a_comment_goes_to_the_rule_for_its_post_before_that_for_its_words() -> None:
    bot = empty()
    bot.comment("price", "how much")(says("words"))
    bot.comment(post="7")(says("here"))
    bot.comment(post="9")(says("there"))
    bot.comment("price", "how much", post="7")(says("words here"))
    bot.comment()(says("any"))
    chat = Chat(bot)
    said = {
        "What PRICE?": ("words", "words here"),
        "Ah, how  much?": ("words", "words here"),
        "priceless": ("any", "here"),
        "": ("any", "here"),
    }
    for words, (elsewhere, here) in said.items():
        assert chat.does(Comment("c", words, "4711_8")) == [elsewhere]
        assert chat.does(Comment("c", words, "4711_7")) == chat.does(Comment("c", words, "7")) == [here]
        assert chat.does(Comment("c", words, "4711_9")) == ["there"]


def test_comments_of_which_no_rule_speaks_are_left_alone() -> None:
    bot = empty()
    bot.comment("price")(says("9"))
    assert Chat(bot).does(Comment("c", "nice", "7")) == []
    with pytest.raises(RuleError, match="a comment with 'Price' is taken twice"):
        bot.comment("Price")(says("10"))


@pytest.mark.parametrize("platform", ["page", "instagram"])
def test_a_comment_is_answered_in_public_only_if_the_handler_says_so(platform: str) -> None:
    bot = empty()
    bot.comment("price")(returning((Text("9"), PublicReply("See your messages."))))
    bot.text("hi")(returning(PublicReply("hi")))
    chat = Chat(bot)
    assert chat.does(Comment("c", "price?", platform=platform)) == ["9", "in public: See your messages."]
    assert chat.last.messages == (PrivateReply(Text("9"), "c"), PublicReply("See your messages.", "c", platform))
    with pytest.raises(Refused, match="answers a comment"):
        chat.says("hi")
    bot.comment()(returning((PublicReply("one"), PublicReply("two"))))
    with pytest.raises(Refused, match="in public, and one is allowed"):
        chat.does(Comment("c", "nice"))


# Who the user is


def greeter(*fields: str) -> Bot[Guest, None]:
    bot: Bot[Guest, None] = Bot(Guest, languages=("en", "de"), person=fields, disclosure=None)
    bot.always("forget me")(returning(Reply("forgotten", forget=True)))
    bot.fallback(lambda turn: turn.words(en="Hello", de="Hallo") + f" {turn.person.first_name}")
    return bot


def test_a_bot_knows_the_fields_of_a_person_that_it_asks_for() -> None:
    ada = {"first_name": "Ada", "last_name": "Byron", "locale": "de_DE"}
    chat = Chat(greeter("first_name"), person=ada)
    assert chat.says("hi") == ["Hello Ada"]
    assert chat.state["session"]["person"] == {"first_name": "Ada"}
    assert Chat(greeter("first_name", "locale"), person=ada).says("hi") == ["Hallo Ada"]
    assert Chat(greeter(), person=ada).says("hi") == ["Hello "]
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
    assert chat.says("hi") == ["Hello "]
    ada["first_name"] = "Ada"
    chat.now += HOUR - 1
    assert chat.says("hi") == ["Hello "]
    chat.now += 1
    assert chat.says("hi") == ["Hello Ada"]


@pytest.mark.parametrize("event", [TextMessage("hi", user="user_ref:1"), TextMessage("hi", platform="instagram")])
def test_only_people_with_an_id_of_messenger_are_asked_for(event: Event) -> None:
    assert Chat(greeter("first_name"), person={"first_name": "Ada"}).does(event) == ["Hello "]


def test_the_window_opens_when_the_user_wrote_not_when_the_event_is_handled() -> None:
    bot = empty()
    bot.text("hi")(says("hello"))
    context = Context(NOON, None)

    def answered(timestamp: int | None) -> bool:
        return bool(bot.answer(TextMessage("hi", timestamp=timestamp), {}, context).messages)

    assert answered(int((NOON - 24 * HOUR + 1) * 1000))
    assert not answered(int((NOON - 24 * HOUR) * 1000))
    assert answered(None)


def test_a_timestamp_older_than_the_queues_can_hold_is_ignored() -> None:
    bot = empty()
    bot.text("hi")(says("hello"))
    context = Context(NOON, None)
    for days, expected in ((29, 0), (30, 1), (1000, 1)):
        event = TextMessage("hi", timestamp=int((NOON - days * 24 * HOUR) * 1000))
        assert len(bot.answer(event, {}, context).messages) == expected


def test_a_clock_that_is_ahead_does_not_keep_the_window_open() -> None:
    bot = empty()
    bot.text("hi")(says("hello"))
    ahead = TextMessage("hi", timestamp=int((NOON + 1000 * HOUR) * 1000))
    state = bot.answer(ahead, {}, Context(NOON, None)).state
    assert state["session"]["opened"] == NOON


# Errors


def test_a_handlers_error_is_raised_without_an_error_handler() -> None:
    bot = empty()
    bot.text("hi")(lambda _: str(1 / 0))
    with pytest.raises(ZeroDivisionError):
        Chat(bot).says("hi")


def test_the_error_handler_replies_and_the_state_stays() -> None:
    bot = empty()

    @bot.text("hi")
    def hi(_: GuestTurn) -> ReplyLike[Guest]:
        return Reply(Text("x" * 2000), state=Guest("Ada"))

    @bot.error
    def sorry(_: GuestTurn, error: Exception) -> str:
        return f"sorry: {type(error).__name__}"

    chat = Chat(bot)
    assert chat.says("hi") == ["sorry: Refused"]
    assert isinstance(chat.last.defect, ValueError)
    assert "user" not in chat.state


class Here(Record):
    number: str


HERE = UtilityTemplate("here", {"en": Wording("Parcel {{number}} is here.", Here("1"))})


@pytest.mark.parametrize(
    ("hours", "platform", "kinds"),
    [
        (1, "page", [Update, Otherwise, Otherwise]),
        (25, "page", [Utility, Otherwise]),
        (1, "instagram", [Update]),
        (25, "instagram", []),
    ],
)
def test_news_has_the_ways_of_its_platform_and_of_the_time(hours: int, platform: str, kinds: list[type]) -> None:
    bot = empty()
    bot.text("hi")(says("hi"))
    bot.notice("here")(returning(News(Text("It is here."), Utility(HERE, "en", Here("7")), "token")))
    chat = Chat(bot)
    chat.says("hi")
    chat.now += hours * HOUR
    read = chat.does(Notice("here", platform=platform))
    assert read == ([["It is here."], ["Parcel 7 is here."]][hours > 24] if kinds else [])
    assert [type(each) for each in chat.last.messages] == kinds
    assert (chat.last.outside_window, chat.last.defect) == (0, None)
