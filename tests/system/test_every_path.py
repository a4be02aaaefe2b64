"""Every path of the sample bot, by signed webhooks through the whole stack, in both languages."""

import json
import secrets
import struct
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.aws.queues import fingerprint
from bot.conversation import PROFILE
from bot.conversation.parcels import DemonstrationParcels, Step
from sandbox.chat import ChatSandbox
from sandbox.local import new_person
from tests.system.person import Json, Person, texts

pytestmark = pytest.mark.long

STICKER = 369239263222822
STEPS = {
    "en": ("announced", "in transit", "out for delivery", "delivered"),
    "de": ("angekündigt", "unterwegs", "in Zustellung", "zugestellt"),
}


@pytest.fixture(scope="module")
def running() -> Iterator[ChatSandbox]:
    """The `local` stack with the chat page, and so with images."""
    with ChatSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def person(running: ChatSandbox) -> Person:
    return Person(running)


def parcel_at(step: Step) -> str:
    """The number of a parcel that is at this step, and stays there while the tests run."""
    parcels, now = DemonstrationParcels(), time.time()

    def stays(number: str) -> bool:
        found = [parcels.find(number, then) for then in (now, now + 600)]
        return all(parcel is not None and parcel.step is step for parcel in found)

    return next(filter(stays, (str(10**7 + secrets.randbelow(9 * 10**7)) for _ in range(10_000))))


def only_text(answers: list[Json]) -> str:
    (text,) = texts(answers)
    return text


# Hello, and what the bot can do


def test_get_started_greets_and_offers_what_a_person_wants_next(person: Person) -> None:
    (answer,) = person.taps("START")

    assert texts([answer])[0].startswith("You are chatting with a bot.\n\nHello!")
    for reply in answer["message"]["quick_replies"]:
        assert "did not understand" not in only_text(person.chooses(reply["payload"]))


@pytest.mark.parametrize(("said", "answered"), [("help", "Send me the 8-digit number"), ("Hilfe", "Schicken Sie mir")])
def test_help_is_given_in_the_language_of_the_question(person: Person, said: str, answered: str) -> None:
    assert answered in only_text(person.says(said))
    assert answered in only_text(person.taps("HELP"))


def test_every_item_of_the_menu_and_every_ice_breaker_is_answered(running: ChatSandbox) -> None:
    items = [item for each in (PROFILE.menu, PROFILE.ice_breakers) for some in each.values() for item in some]
    for payload in {item.payload for item in items if hasattr(item, "payload")}:
        assert "did not understand" not in only_text(Person(running).taps(payload))


def test_a_person_can_change_the_language(person: Person) -> None:
    assert "Deutsch" in only_text(person.says("deutsch"))
    assert "Welches Paket?" in only_text(person.says("status"))
    assert "English" in only_text(person.says("in English"))
    assert "Which parcel?" in only_text(person.says("status"))


# Where is my parcel?


@pytest.mark.parametrize(
    ("step", "language", "asked", "question"),
    [
        (Step.ANNOUNCED, "en", "status", "Which parcel?"),
        (Step.IN_TRANSIT, "de", "Wo ist mein Paket?", "Welches Paket?"),
        (Step.OUT_FOR_DELIVERY, "en", "Where is my parcel?", "Which parcel?"),
        (Step.DELIVERED, "de", "Sendung verfolgen", "Welches Paket?"),
    ],
)
def test_the_status_is_asked_by_typing_and_shown_as_four_steps(
    running: ChatSandbox, step: Step, language: str, asked: str, question: str
) -> None:
    person, number = Person(running), parcel_at(step)

    assert question in only_text(person.says(asked))
    (answer,) = person.says(number)
    cards = answer["message"]["attachment"]["payload"]["elements"]
    marks = ["✅"] * step + ["📍"] + ["⬜"] * (3 - step)
    assert [card["title"] for card in cards] == [
        f"{mark} {said}" for mark, said in zip(marks, STEPS[language], strict=True)
    ]
    assert all(number in card["subtitle"] and STEPS[language][step] in card["subtitle"] for card in cards)
    # The bot remembers the parcel.
    assert texts(person.says("status")) == texts([answer])


def test_the_images_of_the_steps_are_served_to_the_stand_in_and_to_the_chat_page(
    running: ChatSandbox, person: Person
) -> None:
    _, answer = person.says(parcel_at(Step.ANNOUNCED))
    urls = [card["image_url"] for card in answer["message"]["attachment"]["payload"]["elements"]]

    assert len(set(urls)) == 4
    for url in urls:
        for origin in (running.graph_url, running.chat_url):
            with closing(urllib.request.urlopen(origin.rstrip("/") + url.removeprefix(running.graph_url))) as found:
                content = found.read()
            assert content.startswith(b"\x89PNG")
            width, height = struct.unpack(">II", content[16:24])
            assert width / height == pytest.approx(1.91, abs=0.01)
            assert len(content) < 100_000


def test_the_status_is_the_same_by_the_menu_by_a_link_and_by_a_quick_reply(
    running: ChatSandbox, person: Person
) -> None:
    number = parcel_at(Step.IN_TRANSIT)
    by_link = texts(person.does(person.item(referral={"ref": f"TRACK:{number}", "source": "SHORTLINK"})))

    assert number in by_link[1]
    assert by_link[1:] == texts(person.taps("STATUS")) == texts(person.chooses("STATUS"))
    assert by_link == texts(Person(running).taps("START", referral={"ref": f"TRACK:{number}", "source": "SHORTLINK"}))
    assert by_link == texts(Person(running).taps(f"TRACK:{number}"))


# Notifications


def test_a_person_who_consents_is_notified_after_the_window_closed_and_not_after_stop(
    running: ChatSandbox, person: Person
) -> None:
    number = parcel_at(Step.OUT_FOR_DELIVERY)
    _, answer = person.says(number)
    (watch,) = (each["payload"] for each in answer["message"]["quick_replies"] if "WATCH" in each["payload"])
    promise, request = person.chooses(watch)
    assert number in texts([promise])[0]
    form = request["message"]["attachment"]["payload"]
    assert form["template_type"] == "notification_messages"
    assert person.consents(form["payload"]) == []

    def notice() -> list[Json]:
        before = len(running.requests())
        news = {"id": secrets.token_hex(8), "topic": "parcel", "data": {"number": number}}
        body = {"object": "page", "page": running.page_id, "received": round(time.time() * 1000)}
        running.client("sqs").send_message(
            QueueUrl=running.outputs["queueUrl"],
            MessageBody=json.dumps({**body, "items": [person.item(notice=news)]}),
            MessageGroupId=fingerprint(running.page_id, person.id),
            MessageDeduplicationId=news["id"],
        )
        return person.received(before)

    assert [each["messaging_type"] for each in notice()] == ["UPDATE"]
    person.falls_silent()
    assert [each["messaging_type"] for each in notice()] == ["UTILITY"]
    running.graph.send_api.region.utility = frozenset({"US"})
    by_consent = {"notification_messages_token": person.token}
    assert [each["recipient"] for each in notice()] == [{"id": person.id}, by_consent]
    running.graph.send_api.region.utility = None
    assert "only write to you when you write" in only_text(person.says("stop"))
    assert notice() == []
    person.chooses(watch)
    person.consents(form["payload"])
    assert "A human will answer" in only_text(person.says("human"))
    assert person.withdraws(form["payload"]) == []
    person.falls_silent()
    assert notice() == []


# A human, and back


def test_a_human_takes_over_and_the_bot_comes_back_when_it_is_called(person: Person) -> None:
    assert "A human will answer" in only_text(person.says("human"))
    assert person.says("My parcel is wet") == []
    assert person.sends("image") == []
    assert "I am back" in only_text(person.says("bot"))
    assert "did not understand" in only_text(person.says("My parcel is wet"))
    assert "A human will answer" in only_text(person.taps("HUMAN"))
    assert person.says("hello") == []
    assert "I am back" in only_text(person.taps("BOT"))


# Everything else that people do


def test_each_kind_of_attachment_has_an_answer(person: Person) -> None:
    assert "cannot look at pictures" in only_text(person.sends("image"))
    assert "cannot listen" in only_text(person.sends("audio"))
    assert only_text(person.sends("sticker", sticker_id=STICKER)) == "👍"
    for kind in ("file", "location", "of-the-future"):
        assert len(person.sends(kind)) == 1


def test_a_message_that_is_not_understood_is_answered_with_what_the_bot_can_do(person: Person) -> None:
    assert "did not understand" in only_text(person.says("Wherefore art thou?"))
    assert "did not understand" in only_text(person.chooses("FORGOTTEN"))
    assert "nicht verstanden" in only_text(person.says("Das ist ein Rätsel und kein Paket"))


def test_only_a_kind_reaction_is_answered(person: Person) -> None:
    def reacts(action: str, **sign: str) -> list[Json]:
        return person.does(person.item(reaction={"mid": "m_1", "action": action, **sign}))

    assert "Glad to help" in only_text(reacts("react", emoji="❤", reaction="love"))
    assert reacts("unreact") == []
    assert reacts("react", emoji="😠", reaction="angry") == []


def test_receipts_edits_and_unknown_events_are_accepted_and_not_answered(running: ChatSandbox, person: Person) -> None:
    for parts in (
        {"delivery": {"mids": ["m_1"], "watermark": 1}},
        {"read": {"watermark": 1}},
        {"message_edit": {"mid": "m_1", "text": "status", "num_edit": 1}},
        {"of_the_future": {"x": 1}},
    ):
        assert person.does(person.item(**parts)) == []
    letters = running.client("sqs").get_queue_attributes(
        QueueUrl=running.outputs["deadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    assert letters["Attributes"]["ApproximateNumberOfMessages"] == "0"


def test_a_person_who_asks_to_be_forgotten_leaves_nothing_in_the_ledger(running: ChatSandbox, person: Person) -> None:
    number = parcel_at(Step.IN_TRANSIT)
    person.says(number)
    person.chooses(f"WATCH:{number}")
    person.consents(f"WATCH:{number}")
    about = (person.id, fingerprint(running.page_id, person.id), number, person.token)

    def kept() -> str:
        pages = running.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=running.outputs["ledgerTable"], ConsistentRead=True)
        return json.dumps([item for page in found for item in page["Items"]])

    assert [each for each in about if each in kept()] == [*about[1:]]
    assert "I have deleted everything" in only_text(person.says("Delete my data!"))
    assert [each for each in about if each in kept()] == []
    assert "Which parcel?" in only_text(person.says("status"))


# Instagram


def test_a_person_on_instagram_is_answered_by_the_same_bot_with_what_instagram_has(
    running: ChatSandbox,
) -> None:
    account, somebody, number = "17841400000000001", new_person(), parcel_at(Step.IN_TRANSIT)
    assert running.facebook is not None

    def says(**message: object) -> list[Json]:
        before = len(running.requests())
        item = {
            "sender": {"id": somebody},
            "recipient": {"id": account},
            "timestamp": round(time.time() * 1000),
            "message": {"mid": secrets.token_urlsafe(120), **message},
        }
        entry = {"id": account, "time": round(time.time() * 1000), "messaging": [item]}
        assert running.facebook is not None
        assert running.facebook.post(json.dumps({"object": "instagram", "entry": [entry]}).encode())[0] == 200
        running.settle()
        return [each["body"] for each in running.requests()[before:] if each["body"]["recipient"] == {"id": somebody}]

    assert "Which parcel?" in only_text(says(text="status"))
    assert number in only_text(says(text=number))
    # Instagram has no consent to notifications.
    assert number in only_text(says(text="(tapped)", quick_reply={"payload": f"WATCH:{number}"}))
    assert len(says(attachments=[{"type": "share", "payload": {"url": "https://x.example/"}}])) == 1
