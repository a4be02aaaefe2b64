import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue import Bot, Dialogue, Record, RuleError, ask
from bot.dialogue.bot import Registration
from bot.dialogue.rules import normal
from bot.dialogue.testing import Chat
from bot.messenger.events import (
    AccountLinked,
    AttachmentMessage,
    Audio,
    Echo,
    Edited,
    Event,
    Fallback,
    Image,
    Notice,
    OptedIn,
    Postback,
    QuickReplyTapped,
    Reacted,
    Read,
    Referral,
    Referred,
    ReplyTo,
    Sticker,
    Template,
    TextMessage,
    ThreadPassed,
    UnsupportedMessage,
)
from tests.bot.dialogue.guest import Guest, GuestTurn, empty, known, says

# Which rule takes what


@pytest.mark.parametrize(
    "said", ["status", "STATUS", "  Status?! ", "status.", "\uff33\uff34\uff21\uff34\uff35\uff33", "Status\n"]
)
def test_an_exact_text_matches_whatever_its_case_spaces_and_punctuation(said: str) -> None:
    bot = empty()
    bot.text("status")(says("here"))
    assert Chat(bot).says(said) == ["here"]


@pytest.mark.parametrize("said", ["status quo", "stat us", "", "?"])
def test_another_text_does_not_match(said: str) -> None:
    bot = empty()
    bot.text("status")(says("here"))
    assert Chat(bot).says(said) == []


def test_punctuation_alone_is_a_text_too() -> None:
    assert normal("??") == "??"
    assert normal(" Hi  there! ") == "hi there"


def test_a_phrase_of_one_language_sets_the_users_language() -> None:
    bot = empty()

    @bot.text("status", en="where", de=("wo", "wo ist es"))
    def status(turn: GuestTurn) -> str:
        return turn.words(en="here", de="hier")

    chat = Chat(bot)
    assert chat.says("status") == ["here"]
    assert chat.says("wo ist es?") == ["hier"]
    assert chat.says("status") == ["hier"]
    assert chat.says("where") == ["here"]


def test_a_pattern_gives_its_groups_by_type() -> None:
    bot = empty()

    class Order(Record):
        count: int
        thing: str
        price: float | None = None

    @bot.pattern(r"(?P<count>\d+) (?P<thing>[a-z]+)(?: for (?P<price>[\d.]+))?", Order)
    def order(_: GuestTurn, found: Order) -> str:
        return repr(found)

    chat = Chat(bot)
    assert chat.says("I want 3 STAMPS please") == ["Order(count=3, thing='STAMPS', price=None)"]
    assert chat.says("3 stamps for 2.50") == ["Order(count=3, thing='stamps', price=2.5)"]


def test_a_pattern_whose_groups_do_not_fit_does_not_match() -> None:
    bot = empty()

    class Count(Record):
        count: int

    class Name(Record):
        name: str = ""

    bot.pattern(r"^(?P<count>\S+)$", Count)(lambda _, found: str(found.count))
    bot.pattern(r"^(?P<name>x)?.*$", Name)(lambda _, found: f"name {found.name}")
    chat = Chat(bot)
    assert chat.says("12") == ["12"]
    assert chat.says("1.2.3") == ["name "]
    assert chat.says("xyz") == ["name x"]


def test_a_pattern_that_lacks_a_needed_group_does_not_match() -> None:
    bot = empty()

    class Need(Record):
        thing: str

    bot.pattern("want(?P<thing> [a-z]+)?", Need)(lambda _, found: found.thing)
    assert Chat(bot).says("want") == []
    assert Chat(bot).says("want tea") == [" tea"]


def test_the_first_pattern_that_matches_is_taken() -> None:
    bot = empty()
    bot.pattern("tea", Record)(lambda *_: "tea")
    bot.pattern("e", Record)(lambda *_: "e")
    assert Chat(bot).says("tea") == ["tea"]
    assert Chat(bot).says("e") == ["e"]


CASES: list[tuple[Callable[[Bot[Guest, None]], Registration[Guest, None, Any]], Event, Event]] = [
    (lambda bot: bot.postback("GO"), Postback("GO"), Postback("GONE")),
    (lambda bot: bot.quick_reply("GO"), QuickReplyTapped("GO"), Postback("GO")),
    (lambda bot: bot.referral("shop"), Referred(Referral("shop")), Referred(Referral("shopping"))),
    (lambda bot: bot.referral("shop"), Postback("X", referral=Referral("shop")), Postback("shop")),
    (lambda bot: bot.opt_in("NEWS"), OptedIn(payload="NEWS"), OptedIn(payload="OLD")),
    (lambda bot: bot.account_linking("linked"), AccountLinked("linked"), AccountLinked("unlinked")),
    (lambda bot: bot.notice("parcel"), Notice("parcel"), Notice("other")),
    (
        lambda bot: bot.attachment(Image, Audio),
        AttachmentMessage((Audio("audio"),)),
        AttachmentMessage((Sticker("image"),)),
    ),
    (
        lambda bot: bot.attachment(Image),
        AttachmentMessage((Fallback("fallback"), Audio("audio"), Image("image"))),
        AttachmentMessage((Fallback("fallback"), Audio("audio"))),
    ),
    (
        lambda bot: bot.attachment(Image),
        TextMessage("look", attachments=(Image("image"),)),
        TextMessage("look", attachments=(Audio("audio"),)),
    ),
    (lambda bot: bot.attachment(Image), QuickReplyTapped("X", attachments=(Image("image"),)), QuickReplyTapped("X")),
    (
        lambda bot: bot.attachment(),
        TextMessage("look", attachments=(Fallback("fallback"), Image("image"))),
        TextMessage("see u", attachments=(Fallback("fallback"),)),
    ),
    (lambda bot: bot.text("yes"), QuickReplyTapped("X", "Yes"), QuickReplyTapped("X", "No")),
    (lambda bot: bot.text("👍"), TextMessage("👍🏽"), TextMessage("👎")),
    (lambda bot: bot.text("stop"), TextMessage("\u200bStop\ufeff!"), TextMessage("stopper")),
    (
        lambda bot: bot.referral("shop"),
        TextMessage("Hi", referral=Referral("shop")),
        TextMessage("Hi", referral=Referral("other")),
    ),
    (lambda bot: bot.referral(), TextMessage("Hi", referral=Referral("shop")), TextMessage("Hi")),
    (lambda bot: bot.reaction("👍"), Reacted(emoji="👍🏽"), Reacted(emoji="👎🏽")),
    (lambda bot: bot.reaction("👍🏿"), Reacted(emoji="👍"), Reacted(emoji="👎")),
    (lambda bot: bot.reaction("❤️"), Reacted(emoji="❤"), Reacted(emoji="👍")),
    (lambda bot: bot.reaction("love"), Reacted(reaction="love"), Reacted(reaction="love", action="unreact")),
    (lambda bot: bot.on(Edited), Edited("m1"), ThreadPassed()),
    (lambda bot: bot.on(UnsupportedMessage), UnsupportedMessage(), AttachmentMessage(())),
]


@pytest.mark.parametrize(("rule", "taken", "left"), CASES)
def test_a_rule_takes_its_own_events_only(
    rule: Callable[[Bot[Guest, None]], Registration[Guest, None, Any]], taken: Event, left: Event
) -> None:
    bot = empty()
    rule(bot)(says("taken"))
    assert known(bot).does(taken) == ["taken"]
    assert known(bot).does(left) == []


TOGETHER: dict[str, Any] = {
    "attachments": (Image("image"), Template("template", products=("1",)), Fallback("fallback")),
    "reply_to": ReplyTo("m0"),
    "referral": Referral("", "ADS"),
}


@pytest.mark.parametrize("said", ["stop", "human", "status", "12345678"])
@given(beside=st.sets(st.sampled_from(sorted(TOGETHER))))
def test_words_are_understood_whatever_comes_with_them(said: str, beside: set[str]) -> None:
    bot = empty()
    bot.always("stop")(says("stop"))
    bot.text("human", "status")(lambda turn: turn.event.text)
    bot.pattern("[0-9]{8}", Record)(lambda turn, _: turn.event.text)
    bot.attachment()(says("an attachment"))
    bot.referral()(says("a link"))
    assert known(bot).does(TextMessage(said, **{name: TOGETHER[name] for name in beside})) == [said]


ANY: list[tuple[Callable[[Bot[Guest, None]], Registration[Guest, None, Any]], Event]] = [
    (lambda bot: bot.postback(), Postback("GO")),
    (lambda bot: bot.quick_reply(), QuickReplyTapped("GO")),
    (lambda bot: bot.referral(), Referred(Referral("shop"))),
    (lambda bot: bot.opt_in(), OptedIn(payload="NEWS")),
    (lambda bot: bot.account_linking(), AccountLinked("linked")),
    (lambda bot: bot.notice(), Notice("parcel")),
    (lambda bot: bot.attachment(), AttachmentMessage((Audio("audio"),))),
    (lambda bot: bot.reaction(), Reacted(action="unreact")),
]


@pytest.mark.parametrize(("rule", "event"), ANY)
def test_a_rule_without_a_name_takes_any_of_its_kind(
    rule: Callable[[Bot[Guest, None]], Registration[Guest, None, Any]], event: Event
) -> None:
    bot = empty()
    rule(bot)(says("any"))
    assert known(bot).does(event) == ["any"]


def test_what_follows_a_payloads_name_is_its_argument() -> None:
    bot = empty()

    @bot.postback("TRACK")
    def track(turn: GuestTurn) -> str:
        return f"<{turn.argument}>"

    bot.postback("TRACK:all")(says("all"))
    bot.postback()(lambda turn: f"any {turn.argument}")
    chat = Chat(bot)
    assert chat.taps("TRACK:1:2") == ["<1:2>"]
    assert chat.taps("TRACK") == ["<>"]
    assert chat.taps("TRACK:all") == ["all"]
    assert chat.taps("OTHER:1") == ["any OTHER:1"]


def test_a_new_users_first_tap_goes_to_the_rule_of_the_link_if_there_is_one() -> None:
    bot = empty()
    bot.postback("START")(says("welcome"))
    bot.referral("shop")(says("shop"))
    bot.referral()(says("some link"))
    assert Chat(bot).does(Postback("START", referral=Referral("shop:7"))) == ["shop"]
    assert Chat(bot).does(Postback("START", referral=Referral("poster"))) == ["welcome"]
    assert Chat(bot).does(Referred(Referral("poster"))) == ["some link"]


def test_one_handler_can_be_stacked_under_several_rules() -> None:
    bot = empty()

    @bot.text("go")
    @bot.postback("GO")
    @bot.quick_reply("GO")
    @bot.reaction("👍")
    def go(_: GuestTurn) -> str:
        return "gone"

    chat = Chat(bot)
    assert chat.says("go") == chat.taps("GO") == chat.chooses("GO") == chat.does(Reacted(emoji="👍")) == ["gone"]


@pytest.mark.parametrize(
    "event",
    [
        TextMessage("x"),
        QuickReplyTapped("x"),
        Postback("x"),
        Referred(Referral()),
        UnsupportedMessage(),
        AttachmentMessage((Image("image"),)),
    ],
)
def test_the_fallback_takes_what_expects_an_answer(event: Event) -> None:
    bot = empty()
    bot.fallback(says("what?"))
    assert Chat(bot).does(event) == ["what?"]


@pytest.mark.parametrize("event", [Reacted(), Edited("m1"), OptedIn(), Notice("x"), Echo(), Read()])
def test_the_fallback_ignores_what_expects_no_answer(event: Event) -> None:
    bot = empty()
    bot.fallback(says("what?"))
    assert known(bot).does(event) == []


# Mistakes found at import


def place_of(error: pytest.ExceptionInfo[RuleError]) -> list[str]:
    return re.findall(r"\w+\.py:\d+", str(error.value))


DUPLICATES: list[Callable[[Bot[Guest, None]], Registration[Guest, None, Any]]] = [
    lambda bot: bot.text("Status"),
    lambda bot: bot.text("x", de="status!"),
    lambda bot: bot.always("status"),
    lambda bot: bot.postback("GO"),
    lambda bot: bot.postback(),
    lambda bot: bot.quick_reply("GO"),
    lambda bot: bot.referral("shop"),
    lambda bot: bot.attachment(Image),
    lambda bot: bot.attachment(Image, Audio),
    lambda bot: bot.attachment(),
    lambda bot: bot.reaction("❤️"),
    lambda bot: bot.opt_in("NEWS"),
    lambda bot: bot.account_linking("linked"),
    lambda bot: bot.notice("parcel"),
    lambda bot: bot.on(Edited),
]


@pytest.mark.parametrize("second", DUPLICATES)
def test_the_same_twice_is_refused_naming_both_places(
    second: Callable[[Bot[Guest, None]], Registration[Guest, None, Any]],
) -> None:
    bot = empty()
    bot.text("status")(says("1"))
    for register in (bot.postback("GO"), bot.quick_reply("GO"), bot.referral("shop"), bot.attachment(Image)):
        register(says("1"))
    for other in (
        bot.reaction("❤"),
        bot.opt_in("NEWS"),
        bot.account_linking("linked"),
        bot.notice("parcel"),
        bot.on(Edited),
    ):
        other(says("1"))
    bot.attachment()(says("1"))
    bot.postback()(says("1"))
    with pytest.raises(RuleError, match="twice") as error:
        second(bot)(says("2"))
    assert len(place_of(error)) == 2


def test_what_is_always_taken_cannot_cancel() -> None:
    bot = empty()
    bot.always("stop")(says("1"))
    with pytest.raises(RuleError, match="twice"):
        bot.cancel("stop")(says("2"))


def test_a_phrase_may_cancel_a_dialogue_and_mean_something_else_without_one() -> None:
    bot = empty()
    bot.cancel("stop")(says("cancelled"))
    bot.text("stop")(says("stopped"))
    assert Chat(bot).says("stop") == ["stopped"]


@pytest.mark.parametrize("late", DUPLICATES)
def test_nothing_comes_after_the_fallback(late: Callable[[Bot[Guest, None]], Registration[Guest, None, Any]]) -> None:
    bot = empty()
    bot.fallback(says("1"))
    with pytest.raises(RuleError, match="put it before") as error:
        late(bot)(says("2"))
    assert len(place_of(error)) == 2


def test_nothing_named_comes_after_the_rule_for_any() -> None:
    bot = empty()
    bot.postback()(says("1"))
    with pytest.raises(RuleError, match="put it before") as error:
        bot.postback("GO")(says("2"))
    assert len(place_of(error)) == 2


def test_a_pattern_and_a_second_fallback_come_too_late_and_the_error_handler_does_not() -> None:
    bot = empty()
    bot.fallback(says("1"))
    with pytest.raises(RuleError, match="put it before"):
        bot.pattern("x", Record)(lambda *_: "2")
    with pytest.raises(RuleError, match="twice"):
        bot.fallback(says("2"))
    bot.error(lambda *_: "sorry")
    with pytest.raises(RuleError, match="twice"):
        bot.error(lambda *_: "sorry")


def test_two_dialogues_of_one_name_are_refused_with_the_authors_places() -> None:
    bot = empty()

    def poll(_: GuestTurn) -> Dialogue[Guest]:
        answer = yield from ask("Well?")
        return answer

    bot.text("poll")(bot.dialogue()(poll))
    with pytest.raises(RuleError, match="the dialogue poll is taken twice") as error:
        bot.dialogue()(poll)
    first, second = place_of(error)
    assert first == second
    with pytest.raises(RuleError, match="twice") as again:
        bot.text("poll")(says("2"))
    assert place_of(again)[0] == first


def test_rules_that_cannot_work_are_refused() -> None:
    bot = empty()

    class Order(Record):
        count: int

    with pytest.raises(RuleError, match="not a regular expression"):
        bot.pattern("(", Record)
    with pytest.raises(RuleError, match=r"groups \['number'\], and Order the fields \['count'\]"):
        bot.pattern("(?P<number>x)", Order)
    with pytest.raises(RuleError, match="does not speak fr"):
        bot.text(fr="bonjour")
    with pytest.raises(RuleError, match="takes no text"):
        bot.text()
    with pytest.raises(RuleError, match="Echo is never answered"):
        bot.on(Echo)


def test_an_error_names_a_handler_that_has_no_place() -> None:
    class Odd:
        def __call__(self, _: GuestTurn) -> str:
            return "odd"

    bot = empty()
    bot.text("x")(Odd())
    with pytest.raises(RuleError, match="Odd object"):
        bot.text("x")(Odd())
