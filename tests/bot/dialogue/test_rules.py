import re
from collections.abc import Callable
from typing import Any

import pytest

from bot.conversation.parcels import HOUR, DemonstrationParcels
from bot.dialogue.middleware import guess_language
from bot.dialogue.rules import (
    Bot,
    Context,
    Dialogue,
    Invalid,
    Middleware,
    Registration,
    Reply,
    RuleError,
    Said,
    Turn,
    ask,
    normal,
)
from bot.dialogue.testing import NOON, Chat, Nothing
from bot.messenger.events import (
    AccountLinked,
    Attachment,
    AttachmentMessage,
    Audio,
    Echo,
    Edited,
    Event,
    Image,
    Notice,
    OptedIn,
    Postback,
    QuickReplyTapped,
    Reacted,
    Read,
    Referral,
    Referred,
    Sticker,
    TextMessage,
    ThreadPassed,
    UnsupportedMessage,
)
from bot.messenger.messages import HumanAgent, QuickReply, Text, Update
from bot.messenger.record import Record


class Guest(Record):
    name: str = ""
    visits: int = 0
    tags: tuple[str, ...] = ()


Asked = Turn[Guest, Event]


def empty() -> Bot[Guest]:
    return Bot(Guest, languages=("en", "de"))


def says(words: str) -> Callable[[Asked], str]:
    return lambda _: words


def known(bot: Bot[Guest]) -> Chat:
    """A chat with somebody who has just written, so that they may be written to."""
    chat = Chat(bot)
    chat.state = {"session": {"opened": NOON}}
    return chat


# Which rule takes what


@pytest.mark.parametrize(
    "said", ["status", "STATUS", "  Status?! ", "status.", "\uff33\uff34\uff21\uff34\uff35\uff33", "Status\n"]
)
def test_an_exact_text_is_taken_whatever_its_case_blanks_and_punctuation(said: str) -> None:
    bot = empty()
    bot.text("status")(says("here"))
    assert Chat(bot).says(said) == ["here"]


@pytest.mark.parametrize("said", ["status quo", "stat us", "", "?"])
def test_another_text_is_not(said: str) -> None:
    bot = empty()
    bot.text("status")(says("here"))
    assert Chat(bot).says(said) == []


def test_punctuation_alone_is_a_text_too() -> None:
    assert normal("??") == "??"
    assert normal(" Hi  there! ") == "hi there"


def test_a_phrase_of_one_language_shows_which_one_is_spoken() -> None:
    bot = empty()

    @bot.text("status", en="where", de=("wo", "wo ist es"))
    def status(turn: Asked) -> str:
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
    def order(_: Asked, found: Order) -> str:
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
    bot.pattern("tea", Nothing)(lambda *_: "tea")
    bot.pattern("e", Nothing)(lambda *_: "e")
    assert Chat(bot).says("tea") == ["tea"]
    assert Chat(bot).says("e") == ["e"]


CASES: list[tuple[Callable[[Bot[Guest]], Registration[Guest, Any]], Event, Event]] = [
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
    (lambda bot: bot.reaction("❤️"), Reacted(emoji="❤"), Reacted(emoji="👍")),
    (lambda bot: bot.reaction("love"), Reacted(reaction="love"), Reacted(reaction="love", action="unreact")),
    (lambda bot: bot.on(Edited), Edited("m1"), ThreadPassed()),
    (lambda bot: bot.on(UnsupportedMessage), UnsupportedMessage(), AttachmentMessage(())),
]


@pytest.mark.parametrize(("rule", "taken", "left"), CASES)
def test_a_rule_takes_its_own_and_leaves_the_rest(
    rule: Callable[[Bot[Guest]], Registration[Guest, Any]], taken: Event, left: Event
) -> None:
    bot = empty()
    rule(bot)(says("taken"))
    assert known(bot).does(taken) == ["taken"]
    assert known(bot).does(left) == []


ANY: list[tuple[Callable[[Bot[Guest]], Registration[Guest, Any]], Event]] = [
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
    rule: Callable[[Bot[Guest]], Registration[Guest, Any]], event: Event
) -> None:
    bot = empty()
    rule(bot)(says("any"))
    assert known(bot).does(event) == ["any"]


def test_what_follows_a_payloads_name_is_its_argument() -> None:
    bot = empty()

    @bot.postback("TRACK")
    def track(turn: Asked) -> str:
        return f"<{turn.argument}>"

    bot.postback("TRACK:all")(says("all"))
    bot.postback()(lambda turn: f"any {turn.argument}")
    chat = Chat(bot)
    assert chat.taps("TRACK:1:2") == ["<1:2>"]
    assert chat.taps("TRACK") == ["<>"]
    assert chat.taps("TRACK:all") == ["all"]
    assert chat.taps("OTHER:1") == ["any OTHER:1"]


def test_a_new_persons_first_tap_goes_where_the_link_leads_only_if_a_rule_knows_it() -> None:
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
    def go(_: Asked) -> str:
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
def test_the_fallback_leaves_what_expects_none(event: Event) -> None:
    bot = empty()
    bot.fallback(says("what?"))
    assert known(bot).does(event) == []


# What a handler may return


def returning(value: Said[Guest]) -> Callable[[Asked], Said[Guest]]:
    return lambda _: value


def test_a_handler_may_say_nothing_a_text_a_message_or_several() -> None:
    bot = empty()
    returns: dict[str, Said[Guest]] = {
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


def test_a_long_text_is_cut_into_messages() -> None:
    bot = empty()
    bot.text("long")(says("word " * 1000))
    pieces = Chat(bot).says("long")
    assert len(pieces) == 3
    assert all(len(piece) < 2000 for piece in pieces)


def test_state_is_a_typed_record_that_a_reply_changes() -> None:
    bot = empty()

    @bot.text("hi")
    def hi(turn: Asked) -> Said[Guest]:
        visits = turn.state.visits + 1
        return Reply(f"visit {visits}", state=turn.state.replace(visits=visits, tags=(*turn.state.tags, "x")))

    @bot.text("leave")
    def leave(_: Asked) -> Said[Guest]:
        return Reply(state=Guest())

    chat = Chat(bot)
    assert [chat.says("hi"), chat.says("hi")] == [["visit 1"], ["visit 2"]]
    assert chat.state["user"] == {"visits": 2, "tags": ["x", "x"]}
    chat.says("leave")
    assert "user" not in chat.state


@pytest.mark.parametrize(
    "kept", [None, 7, {"visits": "many", "name": "Ada"}, {"visits": True, "name": "Ada", "old": 1}]
)
def test_kept_state_that_fits_no_longer_is_left_out(kept: object) -> None:
    bot = empty()
    bot.text("hi")(lambda turn: f"{turn.state.name} {turn.state.visits}")
    chat = Chat(bot)
    chat.state = {"user": kept}
    assert chat.says("hi") == ["Ada 0" if isinstance(kept, dict) else " 0"]


def test_words_must_be_there_in_every_language() -> None:
    bot = empty()
    bot.text("hi")(lambda turn: turn.words(en="hello"))
    with pytest.raises(LookupError, match="No words in de"):
        Chat(bot).says("hi")


# The window


def test_outside_the_window_only_what_is_allowed_there_is_planned() -> None:
    bot = empty()
    bot.notice("news")(lambda turn: ("text", Update(Text("update")), HumanAgent(Text("human")), str(turn.window_open)))
    bot.text("hi")(says("hello"))
    chat = Chat(bot)
    assert chat.does(Notice("news")) == ["HumanAgent"]
    assert chat.says("hi") == ["hello"]
    chat.now += 24 * HOUR - 1
    assert chat.does(Notice("news")) == ["text", "update", "HumanAgent", "True"]
    chat.now += 1
    assert chat.does(Notice("news")) == ["HumanAgent"]


def test_the_window_opens_when_the_person_wrote_not_when_it_is_worked_on() -> None:
    bot = empty()
    bot.text("hi")(says("hello"))
    context = Context(NOON, DemonstrationParcels())

    def answered(timestamp: int | None) -> bool:
        return bool(bot.answer(TextMessage("hi", timestamp=timestamp), {}, context).messages)

    assert answered(int((NOON - 24 * HOUR + 1) * 1000))
    assert not answered(int((NOON - 24 * HOUR) * 1000))
    assert answered(None)


def test_a_time_before_anything_the_queues_could_hold_is_no_time() -> None:
    bot = empty()
    bot.text("hi")(says("hello"))
    context = Context(NOON, DemonstrationParcels())
    for days, expected in ((29, 0), (30, 1), (1000, 1)):
        event = TextMessage("hi", timestamp=int((NOON - days * 24 * HOUR) * 1000))
        assert len(bot.answer(event, {}, context).messages) == expected


def test_a_clock_that_is_ahead_does_not_keep_the_window_open() -> None:
    bot = empty()
    bot.text("hi")(says("hello"))
    ahead = TextMessage("hi", timestamp=int((NOON + 1000 * HOUR) * 1000))
    state = bot.answer(ahead, {}, Context(NOON, DemonstrationParcels())).state
    assert state["session"]["opened"] == NOON


# Errors


def test_a_handlers_error_is_raised_if_nobody_takes_it() -> None:
    bot = empty()
    bot.text("hi")(lambda _: 1 / 0)  # type: ignore[arg-type,return-value]  # what is tested
    with pytest.raises(ZeroDivisionError):
        Chat(bot).says("hi")


def test_the_error_handler_answers_and_the_state_stays() -> None:
    bot = empty()

    @bot.text("hi")
    def hi(_: Asked) -> Said[Guest]:
        return Reply(Text("x" * 2000), state=Guest("Ada"))

    @bot.error
    def sorry(_: Asked, error: Exception) -> str:
        return f"sorry: {type(error).__name__}"

    chat = Chat(bot)
    assert chat.says("hi") == ["sorry: Refused"]
    assert isinstance(chat.last.defect, ValueError)
    assert "user" not in chat.state


# Middleware


def test_middleware_runs_in_its_order_and_may_change_turn_and_reply() -> None:
    bot = empty()

    def wrapped(mark: str) -> Middleware[Guest]:
        def step(turn: Asked, go: Callable[[Asked], Reply[Guest]]) -> Said[Guest]:
            reply = go(turn.replace(state=turn.state.replace(name=turn.state.name + mark)))
            return reply.replace(said=f"{mark}{reply.said}{mark}")

        return step

    bot.middleware(wrapped("a"))
    bot.middleware(wrapped("b"))
    bot.text("hi")(lambda turn: turn.state.name)
    assert Chat(bot).says("hi") == ["ababba"]


def test_middleware_may_answer_by_itself() -> None:
    bot = empty()

    @bot.middleware
    def closed(_: Asked, __: Callable[[Asked], Reply[Guest]]) -> str:
        return "closed"

    bot.fallback(says("open"))
    assert Chat(bot).says("hi") == ["closed"]


def test_a_language_is_guessed_once_and_only_from_words() -> None:
    bot = empty()
    bot.middleware(guess_language(en="the is", de="das ist"))
    bot.fallback(lambda turn: turn.language)
    chat = Chat(bot)
    assert chat.taps("X") == ["en"]
    assert chat.says("Was ist das?") == ["de"]
    assert chat.says("What is the matter") == ["de"]


# Dialogues


def dinner() -> Bot[Guest]:
    bot = empty()

    @bot.always("help")
    def help_(_: Asked) -> str:
        return "help!"

    @bot.cancel("cancel", de="abbrechen")
    def cancelled(turn: Asked) -> str:
        return turn.words(en="cancelled", de="abgebrochen")

    def people(answer: str) -> int:
        if not answer.isdigit():
            raise Invalid("A number, please.")
        return int(answer)

    @bot.text("table")
    @bot.postback("TABLE")
    @bot.dialogue(minutes=10)
    def table(turn: Asked) -> Dialogue[Guest]:
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
    assert chat.says("9") == ["That is many! When?"]
    assert chat.says("late") == ["That is many! When?"]
    assert chat.says("20") == ["Ada, 9 at 20"]


def test_an_answer_may_be_tapped() -> None:
    chat = Chat(dinner())
    chat.says("table")
    chat.says("Ada")
    assert chat.chooses("2") == ["Ada, 2"]


def test_an_answer_is_an_answer_even_if_it_is_a_command_elsewhere() -> None:
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
def test_a_dialogue_ends_when_the_person_turns_to_something_else(
    act: Callable[[Chat], list[str]], expected: str
) -> None:
    chat = Chat(dinner())
    chat.says("table")
    chat.says("Ada")
    assert act(chat) == [expected]
    assert chat.says("hi") != ["A number, please.", "How many?"]


def test_a_dialogue_stays_while_something_happens_beside_it() -> None:
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


def test_a_dialogue_that_is_no_longer_there_is_over() -> None:
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
    def table(_: Asked) -> Dialogue[Guest]:
        name = yield from ask("Your name?")
        return f"hello {name}"

    changed = Chat(shorter)
    changed.state = chat.state
    assert changed.says("2") == ["hello Ada"]


def test_a_handler_may_start_a_dialogue() -> None:
    bot = empty()

    @bot.dialogue()
    def poll(_: Asked) -> Dialogue[Guest]:
        answer = yield from ask("Well?")
        return answer

    @bot.text("hi")
    def hi(turn: Asked) -> Said[Guest]:
        return poll(turn)

    chat = Chat(bot)
    assert chat.says("hi") == ["Well?"]
    assert chat.says("Fine") == ["Fine"]


# Mistakes found at import


def place_of(error: pytest.ExceptionInfo[RuleError]) -> list[str]:
    return re.findall(r"test_rules\.py:\d+", str(error.value))


DUPLICATES: list[Callable[[Bot[Guest]], Registration[Guest, Any]]] = [
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
def test_the_same_twice_is_refused_naming_both_places(second: Callable[[Bot[Guest]], Registration[Guest, Any]]) -> None:
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
def test_nothing_comes_after_the_fallback(late: Callable[[Bot[Guest]], Registration[Guest, Any]]) -> None:
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
        bot.pattern("x", Nothing)(lambda *_: "2")
    with pytest.raises(RuleError, match="twice"):
        bot.fallback(says("2"))
    bot.error(lambda *_: "sorry")
    with pytest.raises(RuleError, match="twice"):
        bot.error(lambda *_: "sorry")


def test_two_dialogues_of_one_name_are_refused_with_the_authors_places() -> None:
    bot = empty()

    def poll(_: Asked) -> Dialogue[Guest]:
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

    with pytest.raises(RuleError, match="no regular expression"):
        bot.pattern("(", Nothing)
    with pytest.raises(RuleError, match=r"groups \['number'\], and Order the fields \['count'\]"):
        bot.pattern("(?P<number>x)", Order)
    with pytest.raises(RuleError, match="does not speak fr"):
        bot.text(fr="bonjour")
    with pytest.raises(RuleError, match="takes no text"):
        bot.text()(says("x"))
    with pytest.raises(RuleError, match="Echo is never answered"):
        bot.on(Echo)


def test_a_place_is_named_even_for_what_has_none() -> None:
    class Odd:
        def __call__(self, _: Asked) -> str:
            return "odd"

    bot = empty()
    bot.text("x")(Odd())
    with pytest.raises(RuleError, match="Odd object"):
        bot.text("x")(Odd())


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

    bot = Bot(Outer)

    @bot.text("hi")
    def hi(turn: Turn[Outer, Event]) -> Said[Outer]:
        return Reply(repr(turn.state), state=Outer(Inner(1), (Inner(2),), 3))

    chat = Chat(bot)
    chat.says("hi")
    assert chat.says("hi") == [repr(Outer(Inner(1), (Inner(2),), 3.0))]
