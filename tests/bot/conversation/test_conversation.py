import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot.conversation import PROFILE, bot, world
from bot.conversation.parcels import HOUR, Parcel, ParcelSource, ParcelsUnavailable, World
from bot.dialogue.testing import Chat
from bot.environment import Environment, read
from bot.messenger import events
from bot.messenger.human import Human
from bot.messenger.messages import Carousel, Notification, Text
from bot.messenger.news import Otherwise, Utility

SCHEMA = Path(__file__).parents[3] / "sandbox" / "facebook" / "schemas" / "send-api.json"
SEND_API = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


class OneParcel:
    """A source with one parcel, 12345678, which has reached so many steps."""

    def __init__(self, steps: int = 1) -> None:
        self.steps = steps

    def find(self, number: str, now: float) -> Parcel | None:
        return Parcel(number, (now,) * self.steps) if number == "12345678" else None


class Broken:
    def find(self, number: str, now: float) -> Parcel | None:
        raise ParcelsUnavailable(f"{number} at {now}")


def chat(parcels: ParcelSource | None = None) -> Chat:
    return Chat(bot, World(parcels or OneParcel(), "DE"))


def test_a_person_asks_for_the_status_and_gives_a_number() -> None:
    person = chat(OneParcel(3))
    assert person.says("status") == ["Which parcel? Please send me its 8-digit number."]
    overview = "Parcel 12345678: out for delivery\n✅ announced\n✅ in transit\n📍 out for delivery\n⬜ delivered"
    assert person.says("12345678") == [overview]
    assert person.says("Status?") == [overview]


@pytest.mark.parametrize("said", ["1234 5678", "1234-5678", "Where is 12345678?", "Paket12345678"])
def test_a_number_is_found_in_what_was_said(said: str) -> None:
    assert "12345678" in chat().says(said)[0]


@pytest.mark.parametrize("said", ["1234567", "123456789", "١٢٣٤٥٦٧٨", "12 34 56 78"])
def test_anything_but_8_digits_is_not_a_number(said: str) -> None:
    assert "did not understand" in chat().says(said)[0]


def test_the_whole_conversation_goes_in_german() -> None:
    person = chat(OneParcel(2))
    assert "Ich sage Ihnen, wo Ihr Paket ist" in person.says("Hallo")[0]
    assert person.says("status") == ["Welches Paket? Schicken Sie mir bitte seine Nummer mit 8 Ziffern."]
    overview = "Paket 12345678: unterwegs\n✅ angekündigt\n📍 unterwegs\n⬜ in Zustellung\n⬜ zugestellt"
    assert person.says("12345678") == [overview]
    assert "kenne ich nicht" in person.says("87654321")[0]
    assert "Sprachnachrichten" in person.sends(events.Audio("audio"))[0]
    assert person.says("english") == ["Let us speak English."]
    assert person.says("status")[0].startswith("Parcel 12345678: in transit")
    assert person.says("Deutsch!") == ["Sprechen wir Deutsch."]
    assert "Das habe ich nicht verstanden" in chat().says("Wo ist es denn nur")[0]


def test_every_payload_that_is_offered_is_understood() -> None:
    offered = {PROFILE.get_started}
    offered |= {item.payload for items in PROFILE.menu.values() for item in items}
    offered |= {item.payload for items in PROFILE.ice_breakers.values() for item in items}
    for payload in offered:
        assert "did not understand" not in chat().taps(payload)[0]
    for said in ("hello", "12345678"):
        person = chat()
        person.says(said)
        message = person.last.messages[0]
        assert isinstance(message, Text)
        for reply in message.to_request("24")["message"]["quick_replies"]:  # type: ignore[attr-defined]  # it is JSON
            assert "did not understand" not in person.chooses(reply["payload"])[0]


def test_a_link_leads_to_its_parcel_for_those_who_know_the_bot_and_those_who_do_not() -> None:
    link = events.Referral("TRACK:12345678", "SHORTLINK")
    known, new = chat().does(events.Referred(link)), chat().does(events.Postback("START", referral=link))
    assert known == new == chat().taps("TRACK:12345678")
    assert known[0].startswith("Parcel 12345678")


@pytest.mark.parametrize("ref", ["TRACK:", "TRACK:1234567x", "TRACK:١٢٣٤٥٦٧٨"])
def test_a_link_without_a_number_greets(ref: str) -> None:
    assert chat().does(events.Referred(events.Referral(ref))) == chat().taps("START")


# News


def watching(source: OneParcel) -> Chat:
    person = chat(source)
    person.says("12345678")
    assert "WATCH:12345678" in str(person.last.messages)
    said = person.chooses("WATCH:12345678")
    promise = "I will tell you when parcel 12345678 moves on within a day. May I also do that later?"
    assert said == [promise, "AskToNotify"]
    return person


CHANGE = events.Notice("parcel", (("number", "12345678"),))


def test_a_change_is_reported_within_the_window_and_outside_it_by_a_template_in_the_customers_language() -> None:
    person = watching(OneParcel(2))
    person.says("Deutsch")
    person.now += 23 * HOUR
    assert person.does(CHANGE)[0].startswith("Paket 12345678: unterwegs")
    person.now += HOUR
    assert person.does(CHANGE) == [
        "Es gibt Neues von Ihrem Paket 12345678: unterwegs. Sie wollten, dass wir uns melden."
    ]
    assert [type(message) for message in person.last.messages] == [Utility]


def test_where_facebook_refuses_the_template_a_change_is_reported_by_the_opt_in_as_often_as_there_is_one() -> None:
    person = watching(OneParcel(2))
    assert person.does(events.OptedIn("notification_messages", "WATCH:12345678", "token-1")) == []
    person.now += 48 * HOUR
    for _ in range(2):
        person.does(CHANGE)
        _, otherwise = person.last.messages
        assert isinstance(otherwise, Otherwise)
        assert isinstance(otherwise.message, Notification)
        assert otherwise.message.token == "token-1"


def test_a_customer_is_asked_to_opt_in_once_for_each_parcel() -> None:
    person = watching(OneParcel(2))
    assert len(person.chooses("WATCH:12345678")) == 1
    assert len(person.chooses("WATCH:87654321")) == 2


def test_a_consent_withdrawn_while_a_human_has_the_conversation_is_withdrawn() -> None:
    person = watching(OneParcel(2))
    person.does(events.OptedIn("notification_messages", "WATCH:12345678", "token-1"))
    person.says("human")
    assert person.does(events.OptedIn("notification_messages", "WATCH:12345678", "token-1", "STOP_NOTIFICATIONS")) == []
    person.now += 26 * HOUR
    assert person.does(CHANGE) == []


@pytest.mark.parametrize(("country", "offered"), [("DE", True), ("KR", True), ("US", False), ("CH", False)])
def test_notifications_are_offered_only_where_they_still_exist(country: str, offered: bool) -> None:
    person = Chat(bot, World(OneParcel(), country))
    person.says("12345678")
    said = person.chooses("WATCH:12345678")
    assert said[0].startswith("I will tell you when parcel 12345678 moves on within a day.")
    assert said[1:] == (["AskToNotify"] if offered else [])


def test_a_number_in_a_comment_is_answered_privately_and_anything_else_is_not() -> None:
    person = chat()
    assert person.does(events.Comment("c1", "Where is 1234 5678?"))[0].startswith("Parcel 12345678: announced")
    assert person.does(events.Comment("c2", "Nice!")) == person.does(events.Comment("c3", "1234567")) == []


@pytest.mark.parametrize("said", ["stop", "Stopp!"])
def test_stop_ends_the_news_but_not_the_answers(said: str) -> None:
    person = watching(OneParcel(2))
    assert len(person.says(said)) == 1
    assert person.does(CHANGE) == []
    assert "12345678" in person.says("status")[0]


def test_a_delivered_parcel_is_reported_outside_the_window_and_then_no_longer_watched() -> None:
    source = OneParcel(2)
    person = watching(source)
    person.does(events.OptedIn("notification_messages", "WATCH:12345678", "token-1"))
    person.now += 48 * HOUR
    source.steps = 4
    assert "delivered" in person.does(CHANGE)[0]
    assert person.state["user"] == {"parcel": "12345678", "asked": "12345678"}
    person.says("status")
    assert "WATCH" not in str(person.last.messages)


def test_nobody_hears_about_a_parcel_that_they_do_not_watch() -> None:
    assert chat().does(CHANGE) == []
    assert watching(OneParcel()).does(events.Notice("parcel", (("number", "87654321"),))) == []


# A human


def test_a_human_takes_over_until_the_bot_is_called_back() -> None:
    person = chat()
    assert "A human will answer you" in person.says("human")[0]
    assert person.says("My parcel is wet") == []
    assert person.sends(events.Image("image")) == []
    assert person.says("Bot") == ["You are chatting with a bot.\n\nI am back. What can I do?"]
    assert person.taps("BOT") == person.chooses("BOT") == ["I am back. What can I do?"]


# Anything else


def test_everything_that_is_sent_gets_a_suitable_answer() -> None:
    assert chat().sends(events.Sticker("sticker", sticker_id="1")) == chat().sends(events.Heart("like_heart")) == ["👍"]
    assert "pictures" in chat().sends(events.Image("image"))[0]
    assert "listen" in chat().sends(events.Audio("audio"))[0]
    assert "did not understand" in chat().sends(events.File("file"))[0]
    assert "did not understand" in chat().does(events.UnsupportedMessage())[0]
    assert chat().says("Thank you!") == chat().does(events.Reacted(emoji="👍")) == ["Glad to help!"]
    assert chat().does(events.Reacted(reaction="love")) == ["Glad to help!"]
    assert chat().does(events.Reacted(reaction="love", action="unreact")) == []
    assert chat().does(events.Reacted(emoji="😡")) == []
    assert "calls a human" in chat().says("help")[0]


@pytest.mark.parametrize("event", [events.Delivery(), events.Read(), events.Echo("key"), events.Edited("m1")])
def test_an_event_that_expects_no_answer_gets_none(event: events.Event) -> None:
    person = chat()
    person.says("hello")
    before = person.state
    assert person.does(event) == []
    assert person.state == before


class Odd:
    def find(self, number: str, now: float) -> Parcel | None:
        return Parcel(number, (now,) * 7)


@pytest.mark.parametrize(
    ("source", "said", "defect"),
    [(Broken(), "cannot look up", ParcelsUnavailable), (Odd(), "went wrong", ValueError)],
    ids=["an outage", "a defect"],
)
def test_the_bot_apologises_and_the_operator_learns_why(
    source: ParcelSource, said: str, defect: type[Exception]
) -> None:
    person = chat(source)
    assert said in person.says("12345678")[0]
    assert isinstance(person.last.defect, defect)
    assert "user" not in person.state


@pytest.mark.parametrize("event", [CHANGE, events.Comment("c1", "Where is 12345678?")])
def test_nobody_gets_an_apology_for_what_they_did_not_ask_the_bot_for(event: events.Event) -> None:
    person = chat(Broken())
    person.state = watching(OneParcel()).state
    with pytest.raises(ParcelsUnavailable):
        person.does(event)


def test_somebody_who_writes_too_much_is_asked_to_slow_down() -> None:
    person = chat()
    answers = [person.says("help") for _ in range(61)]
    assert all(answers[:60])
    assert "a lot at once" in answers[60][0]


def test_the_same_bot_answers_on_instagram_without_what_instagram_lacks() -> None:
    mention = {"message": {"mid": "m", "attachments": [{"type": "story_mention"}]}}
    person = chat()
    for event in (events.TextMessage("12345678"), events.TextMessage("help"), events.parse(mention, "1")):
        assert person.does(event.replace(platform="instagram"))
        assert person.last.defect is None
    promise = "I will tell you when parcel 12345678 moves on within a day."
    assert person.does(events.QuickReplyTapped("WATCH:12345678", platform="instagram")) == [promise]


SAID = st.text(max_size=20) | st.sampled_from(["status", "12345678", "human", "bot", "stop", "Deutsch"])


@settings(max_examples=40)
@given(st.lists(SAID, max_size=8))
def test_whatever_is_said_is_answered_with_what_facebook_takes(said: list[str]) -> None:
    person = chat()
    for text in said:
        raw = {"sender": {"id": "24"}, "message": {"mid": "m", "text": text}}
        answers = person.does(events.parse(raw, "1001"))
        assert answers or Human.of(person.state).has(person.now)
        assert person.last.defect is None
        for message in person.last.messages:
            SEND_API.validate(json.loads(json.dumps(message.to_request("24"))))
        assert json.loads(json.dumps(person.state)) == person.state


def test_the_deployed_bot_looks_up_made_up_parcels_and_shows_its_assets() -> None:
    variables = {name.upper(): "1" for name in Environment._fields} | {"ASSETS_URL": "https://example.org/steps"}
    person = Chat(bot, world(read(variables)))
    person.says("12345678")
    (carousel,) = person.last.messages
    assert isinstance(carousel, Carousel)
    assert carousel.cards[0].image == "https://example.org/steps/step-1.png"
