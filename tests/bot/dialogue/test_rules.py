import functools
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.dialogue import Bot, Dialogue, Record, RuleError, ask
from bot.dialogue.bot import Registration
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

Rule = Callable[[Bot[Guest, None]], Registration[Guest, None, Any]]

# Which rule takes what


@pytest.mark.parametrize(
    ("phrase", "said", "taken"),
    [
        ("status", "  STATUS?! ", True),
        ("status", "\uff33\uff34\uff21\uff34\uff35\uff33\n", True),
        ("stop", "\u200bStop\ufeff!", True),
        ("hi  there", "Hi there", True),
        ("👍", "👍🏽", True),
        ("??", "??", True),
        ("??", "!", False),
        ("status", "status quo", False),
        ("status", "stat us", False),
        ("status", "", False),
        ("👍", "👎", False),
    ],
)
def test_a_text_matches_whatever_its_case_spaces_and_punctuation(phrase: str, said: str, taken: bool) -> None:
    bot = empty()
    bot.text(phrase)(says("here"))
    assert Chat(bot).says(said) == ["here"] * taken


def test_a_pattern_gives_its_groups_by_type_and_does_not_match_if_they_do_not_fit() -> None:
    bot = empty()

    class Order(Record):
        count: int
        thing: str = "stamps"
        price: float | None = None

    order = bot.pattern(r"(?P<count>[\d.]+)?(?: (?P<thing>[a-z]+))?(?: for (?P<price>[\d.]+))?$", Order)
    order(lambda _, found: repr(found))
    bot.pattern("1", Record)(lambda *_: "another pattern")
    chat = Chat(bot)
    assert chat.says("I want 3 CARDS for 2.50") == ["Order(count=3, thing='CARDS', price=2.5)"]
    assert chat.says("I want 1") == ["Order(count=1, thing='stamps', price=None)"]
    assert chat.says("1.2.3 cards") == chat.says("1, please") == ["another pattern"]


# Each takes an event by its name, reference, kind or topic. Without one, it takes any other.
NAMED: list[tuple[str, object, Event, Event]] = [
    ("postback", "GO", Postback("GO"), Postback("GONE")),
    ("quick_reply", "GO", QuickReplyTapped("GO"), QuickReplyTapped("GONE")),
    ("referral", "shop", Referred(Referral("shop")), Referred(Referral("shopping"))),
    ("opt_in", "NEWS", OptedIn(payload="NEWS"), OptedIn(payload="OLD")),
    ("account_linking", "linked", AccountLinked("linked"), AccountLinked("unlinked")),
    ("notice", "parcel", Notice("parcel"), Notice("other")),
    (
        "attachment",
        Image,
        AttachmentMessage((Fallback("fallback"), Audio("audio"), Image("image"))),
        AttachmentMessage((Fallback("fallback"), Sticker("image"))),
    ),
    ("reaction", "love", Reacted(reaction="love"), Reacted(reaction="love", action="unreact")),
]


@pytest.mark.parametrize(("rule", "name", "taken", "other"), NAMED)
def test_a_rule_takes_its_own_events_and_one_without_a_name_any_other(
    rule: str, name: object, taken: Event, other: Event
) -> None:
    bot = empty()
    getattr(bot, rule)(name)(says("named"))
    assert known(bot).does(taken) == ["named"]
    assert known(bot).does(other) == []
    getattr(bot, rule)()(says("any"))
    assert known(bot).does(taken) == ["named"]
    assert known(bot).does(other) == ["any"]


CASES: list[tuple[Rule, Event, Event]] = [
    (lambda bot: bot.attachment(Image, Audio), AttachmentMessage((Audio("audio"),)), AttachmentMessage(())),
    (lambda bot: bot.attachment(Image), TextMessage("look", attachments=(Image("image"),)), TextMessage("look")),
    (lambda bot: bot.attachment(Image), QuickReplyTapped("X", attachments=(Image("image"),)), QuickReplyTapped("X")),
    (  # the preview of a link is a part of the text
        lambda bot: bot.attachment(),
        TextMessage("look", attachments=(Fallback("fallback"), Image("image"))),
        TextMessage("see u", attachments=(Fallback("fallback"),)),
    ),
    (lambda bot: bot.text("yes"), QuickReplyTapped("X", "Yes"), QuickReplyTapped("X", "No")),
    (lambda bot: bot.referral("shop"), TextMessage("Hi", referral=Referral("shop")), TextMessage("Hi")),
    (lambda bot: bot.referral(), TextMessage("Hi", referral=Referral("shop")), TextMessage("Hi")),
    (lambda bot: bot.reaction("👍🏿"), Reacted(emoji="👍🏽"), Reacted(emoji="👎🏽")),
    (lambda bot: bot.reaction("❤️"), Reacted(emoji="❤"), Reacted(emoji="👍")),
    (lambda bot: bot.on(Edited), Edited("m1"), ThreadPassed()),
]


@pytest.mark.parametrize(("rule", "taken", "left"), CASES)
def test_a_rule_leaves_other_events(rule: Rule, taken: Event, left: Event) -> None:
    bot = empty()
    rule(bot)(says("taken"))
    assert known(bot).does(taken) == ["taken"]
    assert known(bot).does(left) == []


TOGETHER: dict[str, Any] = {
    "attachments": (Image("image"), Template("template", products=("1",)), Fallback("fallback")),
    "reply_to": ReplyTo("m0"),
    "referral": Referral("", "ADS"),
}


@given(st.sampled_from(("stop", "human", "12345678")), st.sets(st.sampled_from(sorted(TOGETHER))))
def test_words_are_understood_whatever_comes_with_them(said: str, beside: set[str]) -> None:
    bot = empty()
    bot.always("stop")(says("stop"))
    bot.text("human")(says("human"))
    bot.pattern("[0-9]{8}", Record)(lambda turn, _: turn.event.text)
    bot.attachment()(says("an attachment"))
    bot.referral()(says("a link"))
    assert known(bot).does(TextMessage(said, **{name: TOGETHER[name] for name in beside})) == [said]


def test_what_follows_a_payloads_name_is_its_argument() -> None:
    bot = empty()
    bot.postback("TRACK")(lambda turn: f"<{turn.argument}>")
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


def test_the_fallback_takes_what_expects_an_answer_and_nothing_else() -> None:
    bot = empty()
    bot.fallback(says("what?"))
    expecting = TextMessage("x"), QuickReplyTapped("x"), Postback("x"), Referred(Referral()), UnsupportedMessage()
    others = Reacted(), Edited("m1"), OptedIn(), Notice("x")
    assert [known(bot).does(event) for event in (*expecting, AttachmentMessage(()))] == [["what?"]] * 6
    assert [known(bot).does(event) for event in others] == [[]] * 4


# Mistakes found at import


def place_of(error: pytest.ExceptionInfo[RuleError]) -> list[str]:
    return re.findall(r"\w+\.py:\d+", str(error.value))


def refused(register: Callable[[], Registration[Guest, None, Any]], reason: str) -> None:
    """The rule is refused, and the reason names both places."""
    with pytest.raises(RuleError, match=reason) as error:
        register()(says("2"))
    assert len(place_of(error)) == 2


@pytest.mark.parametrize(("rule", "name"), [each[:2] for each in NAMED])
def test_what_an_earlier_rule_takes_is_refused(rule: str, name: object) -> None:
    def register(bot: Bot[Guest, None], *names: object) -> Registration[Guest, None, Any]:
        registration: Registration[Guest, None, Any] = getattr(bot, rule)(*names)
        return registration

    twice, late, last = empty(), empty(), empty()
    register(twice, name)(says("1"))
    refused(lambda: register(twice, name), "twice")
    register(twice)(says("1"))
    refused(lambda: register(twice), "twice")
    register(late)(says("1"))
    refused(lambda: register(late, name), "put it before")
    last.fallback(says("1"))
    refused(lambda: register(last, name), "put it before")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (lambda bot: bot.text("status"), lambda bot: bot.text("x", de="Status!")),
        (lambda bot: bot.text("status"), lambda bot: bot.always("status")),
        (lambda bot: bot.always("stop"), lambda bot: bot.text("stop")),
        (lambda bot: bot.always("stop"), lambda bot: bot.cancel("stop")),
        (lambda bot: bot.cancel("stop"), lambda bot: bot.always("stop")),
        (lambda bot: bot.reaction("❤"), lambda bot: bot.reaction("❤️")),
        (lambda bot: bot.attachment(Image), lambda bot: bot.attachment(Audio, Image)),
        (lambda bot: bot.on(Edited), lambda bot: bot.on(Edited)),
    ],
)
def test_the_same_twice_is_refused(first: Rule, second: Rule) -> None:
    bot = empty()
    first(bot)(says("1"))
    refused(lambda: second(bot), "twice")


def test_a_phrase_may_cancel_a_dialogue_and_mean_something_else_without_one() -> None:
    bot = empty()
    bot.cancel("stop")(says("cancelled"))
    bot.text("stop")(says("stopped"))
    assert Chat(bot).says("stop") == ["stopped"]


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
        return (yield from ask("Well?"))

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
    bot = empty()
    handler = functools.partial(lambda _: "odd")
    bot.text("x")(handler)
    with pytest.raises(RuleError, match=r"functools\.partial"):
        bot.text("x")(handler)
