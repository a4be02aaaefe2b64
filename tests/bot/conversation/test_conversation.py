import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot.conversation import PROFILE, bot
from bot.conversation.parcels import HOUR, Parcel, ParcelsUnavailable
from bot.dialogue.rules import Context
from bot.dialogue.testing import NOON, Chat
from bot.messenger.events import (
    Audio,
    Delivery,
    Echo,
    Edited,
    Event,
    File,
    Image,
    Notice,
    OptedIn,
    Postback,
    Reacted,
    Read,
    Referral,
    Referred,
    Sticker,
    TextMessage,
    ThreadPassed,
    UnsupportedMessage,
    parse,
)
from bot.messenger.messages import AskToNotify, Carousel, Notification, Text, Update

SCHEMAS = Path(__file__).parents[3] / "sandbox" / "facebook" / "schemas"
SEND_API = Draft202012Validator(json.loads((SCHEMAS / "send-api.json").read_text(encoding="utf-8")))


class Shelf:
    """A source with the one parcel 12345678, as far as the test has let it come."""

    def __init__(self, steps: int = 1) -> None:
        self.steps = steps

    def find(self, number: str, now: float) -> Parcel | None:
        return Parcel(number, (now,) * self.steps) if number == "12345678" else None


class Broken:
    def find(self, number: str, now: float) -> Parcel | None:
        raise ParcelsUnavailable(f"{number} at {now}")


def test_a_person_asks_for_the_status_and_gives_a_number() -> None:
    chat = Chat(bot, Shelf(3))
    assert chat.says("status") == ["Which parcel? Please send me its number of 8 digits."]
    overview = "Parcel 12345678: out for delivery\n✅ announced\n✅ in transit\n📍 out for delivery\n⬜ delivered"
    assert chat.says("12345678") == [overview]
    assert chat.says("Status?") == [overview]


@pytest.mark.parametrize("said", ["12345678", "1234 5678", "1234-5678", "Where is 12345678?", "Paket12345678"])
def test_a_number_is_found_in_what_was_said(said: str) -> None:
    assert "12345678" in Chat(bot, Shelf()).says(said)[0]


@pytest.mark.parametrize("said", ["1234567", "123456789", "١٢٣٤٥٦٧٨", "12 34 56 78"])
def test_what_is_no_number_of_8_digits_is_none(said: str) -> None:
    assert "did not understand" in Chat(bot, Shelf()).says(said)[0]


def test_an_unknown_parcel_is_said_to_be_unknown() -> None:
    assert Chat(bot, Shelf()).says("87654321") == ["I know no parcel 87654321. Please check the number."]


def test_the_whole_conversation_goes_in_german() -> None:
    chat = Chat(bot, Shelf(2))
    assert "Ich bin ein Bot" in chat.says("Hallo")[0]
    assert chat.says("status") == ["Welches Paket? Schicken Sie mir bitte seine Nummer mit 8 Ziffern."]
    overview = "Paket 12345678: unterwegs\n✅ angekündigt\n📍 unterwegs\n⬜ in Zustellung\n⬜ zugestellt"
    assert chat.says("12345678") == [overview]
    assert "kenne ich nicht" in chat.says("87654321")[0]
    assert "Sprachnachrichten" in chat.sends(Audio("audio"))[0]
    assert chat.says("english") == ["Let us speak English."]
    assert chat.says("status")[0].startswith("Parcel 12345678: in transit")
    assert chat.says("Deutsch!") == ["Sprechen wir Deutsch."]


@pytest.mark.parametrize(
    ("said", "german"), [("Wo ist es denn nur", True), ("Where is it then", False), ("asdf", False)]
)
def test_the_language_is_guessed_from_the_first_words(said: str, german: bool) -> None:
    assert ("Das habe ich nicht" in Chat(bot).says(said)[0]) is german


def test_a_new_person_is_greeted_by_a_bot_that_says_so() -> None:
    assert "I am a bot" in Chat(bot).taps("START")[0]


@pytest.mark.parametrize("payload", ["STATUS", "HELP", "HUMAN", "BOT"])
def test_menu_and_quick_replies_lead_to_the_same_place(payload: str) -> None:
    assert Chat(bot).taps(payload) == Chat(bot).chooses(payload) != []
    assert "did not understand" not in Chat(bot).taps(payload)[0]


def test_every_payload_that_is_offered_is_understood() -> None:
    offered = {PROFILE.get_started}
    offered |= {item.payload for items in PROFILE.menu.values() for item in items}
    offered |= {item.payload for items in PROFILE.ice_breakers.values() for item in items}
    for payload in offered:
        assert "did not understand" not in Chat(bot).taps(payload)[0]
    for said in ("hello", "12345678"):
        chat = Chat(bot, Shelf())
        chat.says(said)
        message = chat.last.messages[0]
        assert isinstance(message, Text)
        for reply in message.to_request("24")["message"]["quick_replies"]:  # type: ignore[index]  # it is JSON
            assert "did not understand" not in chat.chooses(reply["payload"])[0]


def test_a_link_leads_to_its_parcel_for_those_who_know_the_bot_and_those_who_do_not() -> None:
    link = Referral("TRACK:12345678", "SHORTLINK")
    known, new = Chat(bot, Shelf()).does(Referred(link)), Chat(bot, Shelf()).does(Postback("START", referral=link))
    assert known == new == Chat(bot, Shelf()).taps("TRACK:12345678")
    assert known[0].startswith("Parcel 12345678")


@pytest.mark.parametrize("ref", ["TRACK", "TRACK:", "TRACK:1234567x", "TRACK:١٢٣٤٥٦٧٨"])
def test_a_link_without_a_number_greets(ref: str) -> None:
    assert Chat(bot).does(Referred(Referral(ref))) == Chat(bot).taps("START")


def test_a_link_to_something_else_is_not_understood_and_a_new_person_is_greeted() -> None:
    assert "did not understand" in Chat(bot).does(Referred(Referral("POSTER")))[0]
    assert Chat(bot).does(Postback("START", referral=Referral("POSTER"))) == Chat(bot).taps("START")


def test_steps_are_cards_with_pictures_where_there_are_pictures() -> None:
    chat = Chat(bot, Shelf(2), pictures="https://example.org/steps")
    chat.says("12345678")
    (carousel,) = chat.last.messages
    assert isinstance(carousel, Carousel)
    assert [card.title for card in carousel.cards] == [
        "✅ announced",
        "📍 in transit",
        "⬜ out for delivery",
        "⬜ delivered",
    ]
    assert carousel.cards[3].image == "https://example.org/steps/step-4.png"


# News


def watching(shelf: Shelf) -> Chat:
    chat = Chat(bot, shelf)
    chat.says("12345678")
    said = chat.chooses("WATCH:12345678")
    promise = "I will tell you when parcel 12345678 gets further within a day. May I also do so later?"
    assert said == [promise, "AskToNotify"]
    return chat


CHANGE = Notice("parcel", (("number", "12345678"),))


def test_a_change_is_told_within_the_window() -> None:
    shelf = Shelf()
    chat = watching(shelf)
    chat.now += 23 * HOUR
    shelf.steps = 2
    assert chat.does(CHANGE)[0].startswith("Parcel 12345678: in transit")
    assert isinstance(chat.last.messages[0], Update)


def test_a_change_is_not_told_outside_the_window_without_consent() -> None:
    chat = watching(Shelf(2))
    chat.now += 24 * HOUR
    assert chat.does(CHANGE) == []


def test_a_change_is_told_once_outside_the_window_by_consent() -> None:
    chat = watching(Shelf(2))
    assert isinstance(chat.last.messages[1], AskToNotify)
    assert chat.does(OptedIn("notification_messages", "WATCH:12345678", "token-1")) == []
    chat.now += 48 * HOUR
    assert chat.does(CHANGE) == ["Notification"]
    (message,) = chat.last.messages
    assert isinstance(message, Notification)
    assert message.token == "token-1"
    assert chat.does(CHANGE) == []


def test_consent_can_be_taken_back() -> None:
    chat = watching(Shelf(2))
    chat.does(OptedIn("notification_messages", "WATCH:12345678", "token-1"))
    chat.does(OptedIn("notification_messages", "WATCH:12345678", "token-1", "STOP_NOTIFICATIONS"))
    chat.now += 48 * HOUR
    assert chat.does(CHANGE) == []


@pytest.mark.parametrize("said", ["stop", "Stopp!"])
def test_stop_ends_the_news_but_not_the_answers(said: str) -> None:
    chat = watching(Shelf(2))
    assert len(chat.says(said)) == 1
    assert chat.does(CHANGE) == []
    assert "12345678" in chat.says("status")[0]


def test_a_delivered_parcel_is_not_watched_any_longer() -> None:
    shelf = Shelf(2)
    chat = watching(shelf)
    shelf.steps = 4
    assert "delivered" in chat.does(CHANGE)[0]
    assert chat.does(CHANGE) == []
    assert "Tell me" not in str(chat.last.messages)


def test_a_delivered_parcel_is_told_of_by_consent_and_then_not_watched() -> None:
    shelf = Shelf(2)
    chat = watching(shelf)
    chat.does(OptedIn("notification_messages", "WATCH:12345678", "token-1"))
    chat.now += 48 * HOUR
    shelf.steps = 4
    assert chat.does(CHANGE) == ["Notification"]
    assert chat.state["user"] == {"parcel": "12345678"}


def test_nobody_hears_of_what_they_do_not_watch() -> None:
    assert Chat(bot, Shelf()).does(CHANGE) == []
    assert watching(Shelf()).does(Notice("parcel", (("number", "87654321"),))) == []


def test_to_watch_without_a_number_asks_for_one() -> None:
    assert "Which parcel?" in Chat(bot).chooses("WATCH")[0]


# A human


def test_a_human_takes_over_until_the_bot_is_called_back() -> None:
    chat = Chat(bot, Shelf())
    assert "A human will answer you" in chat.says("human")[0]
    assert chat.says("My parcel is wet") == []
    assert chat.sends(Image("image")) == []
    assert chat.says("Bot") == ["I am back. What can I do?"]
    assert "12345678" in chat.says("12345678")[0]


@pytest.mark.parametrize(
    "back", [lambda chat: chat.taps("BOT"), lambda chat: chat.chooses("BOT"), lambda chat: chat.says("zurück")]
)
def test_a_tap_calls_the_bot_back_too(back: Callable[[Chat], list[str]]) -> None:
    chat = Chat(bot)
    chat.taps("HUMAN")
    assert back(chat) != []
    assert chat.says("help") != []


def test_the_inbox_gives_the_conversation_back() -> None:
    chat = Chat(bot)
    chat.taps("HUMAN")
    assert chat.does(ThreadPassed("2002")) == []
    assert chat.says("help") != []


def test_the_bot_comes_back_by_itself_after_half_a_day() -> None:
    chat = Chat(bot)
    chat.taps("HUMAN")
    chat.now += 12 * HOUR - 1
    assert chat.says("help") == []
    chat.now += 1
    assert chat.says("help") != []


def test_data_is_deleted_even_while_a_human_answers() -> None:
    chat = Chat(bot)
    chat.taps("HUMAN")
    assert "deleted" in chat.says("delete my data")[0]
    assert chat.last.forget


# Data


@pytest.mark.parametrize("said", ["Delete my data!", "forget me", "Lösche meine Daten", "VERGISS MICH"])
def test_a_person_is_forgotten_when_they_wish(said: str) -> None:
    chat = Chat(bot, Shelf())
    chat.says("12345678")
    assert len(chat.says(said)) == 1
    assert chat.last.forget
    assert chat.state == {}
    assert "Which parcel?" in chat.says("status")[0]


# Anything else


def test_everything_that_is_sent_gets_a_fitting_answer() -> None:
    assert Chat(bot).sends(Sticker("image", sticker_id="1")) == ["👍"]
    assert "pictures" in Chat(bot).sends(Image("image"))[0]
    assert "listen" in Chat(bot).sends(Audio("audio"))[0]
    assert "did not understand" in Chat(bot).sends(File("file"))[0]
    assert "did not understand" in Chat(bot).does(UnsupportedMessage())[0]
    assert Chat(bot).says("Thank you!") == Chat(bot).does(Reacted(emoji="👍")) == ["Glad to help!"]
    assert Chat(bot).does(Reacted(reaction="love")) == ["Glad to help!"]
    assert Chat(bot).does(Reacted(reaction="love", action="unreact")) == []
    assert Chat(bot).does(Reacted(emoji="😡")) == []
    assert "8 digits" in Chat(bot).says("help")[0]


@pytest.mark.parametrize("event", [Delivery(), Read(), Echo("key"), Edited("m1"), TextMessage("hi", standby=True)])
def test_what_asks_for_no_answer_gets_none(event: Event) -> None:
    chat = Chat(bot)
    chat.says("hello")
    before = chat.state
    assert chat.does(event) == []
    assert chat.state == before


def test_parcels_that_cannot_be_looked_up_are_no_silence() -> None:
    chat = Chat(bot, Broken())
    assert "cannot look up" in chat.says("12345678")[0]
    assert isinstance(chat.last.defect, ParcelsUnavailable)


def test_a_defect_is_apologised_for_and_told_to_the_operator() -> None:
    class Odd:
        def find(self, number: str, now: float) -> Parcel | None:
            return Parcel(number, (now,) * 7)

    chat = Chat(bot, Odd())
    assert "went wrong" in chat.says("12345678")[0]
    assert isinstance(chat.last.defect, ValueError)
    assert "status" not in chat.state.get("user", {})


def test_who_writes_very_much_is_told_once() -> None:
    chat = Chat(bot)
    answers = [chat.says("help") for _ in range(70)]
    assert all(answers[:60])
    assert "a lot at once" in answers[60][0]
    assert not any(answers[61:])
    chat.now += 60
    assert "8 digits" in chat.says("help")[0]


def test_an_answer_that_comes_too_late_is_not_planned() -> None:
    chat = Chat(bot)
    late = TextMessage("help", timestamp=int((NOON - 24 * HOUR) * 1000))
    answer = bot.answer(late, {}, Context(chat.now, Shelf()))
    assert answer.messages == ()


SAID = st.text(max_size=20) | st.sampled_from(["status", "12345678", "human", "bot", "stop", "Deutsch"])


@settings(max_examples=40)
@given(st.lists(SAID, max_size=8))
def test_whatever_is_said_is_answered_with_what_facebook_takes(said: list[str]) -> None:
    chat = Chat(bot)
    for text in said:
        raw = {"sender": {"id": "24"}, "message": {"mid": "m", "text": text}}
        answers = chat.does(parse(raw, "1001"))
        assert answers or chat.state["session"].get("silent_until")
        assert chat.last.defect is None
        for message in chat.last.messages:
            SEND_API.validate(json.loads(json.dumps(message.to_request("24"))))
        assert json.loads(json.dumps(chat.state)) == chat.state


NAMES = st.sampled_from(["parcel", "watched", "language", "opened", "dialogue", "name", "answers"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text()
INNER = LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(NAMES, LEAVES, max_size=4)
KEPT = INNER | st.dictionaries(NAMES, INNER, max_size=4)


@settings(max_examples=40)
@given(st.dictionaries(st.sampled_from(["user", "session", "other"]), KEPT))
def test_any_kept_state_is_survived(state: dict[str, object]) -> None:
    answer = bot.answer(TextMessage("help"), state, Context(NOON, Shelf()))
    assert answer.messages
    assert answer.defect is None


def test_the_profile_is_taken_by_facebook() -> None:
    schema = json.loads((SCHEMAS / "messenger-profile.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(PROFILE.to_json())
