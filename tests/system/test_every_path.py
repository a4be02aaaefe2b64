"""Every path of the sample bot, by signed webhooks through the whole stack, in both languages."""

import secrets
import struct
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from bot.conversation import PROFILE
from bot.conversation.parcels import DemonstrationParcels, Step
from sandbox.chat import ChatSandbox
from tests.system.person import Json, Person, texts
from tests.system.planted import letters

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


def test_get_started_greets_and_offers_what_a_person_wants_next(person: Person) -> None:
    (answer,) = person.taps("START")

    assert texts([answer])[0].startswith("You are chatting with a bot.\n\nHello!")
    for reply in answer["message"]["quick_replies"]:
        assert "did not understand" not in only_text(person.chooses(reply["payload"]))


def test_every_item_of_the_menu_and_every_ice_breaker_is_answered(running: ChatSandbox) -> None:
    items = [item for each in (PROFILE.menu, PROFILE.ice_breakers) for some in each.values() for item in some]
    for payload in {item.payload for item in items if hasattr(item, "payload")}:
        assert "did not understand" not in only_text(Person(running).taps(payload))


ANSWERS: tuple[tuple[Callable[[Person], list[Json]], str], ...] = (
    (lambda person: person.says("help"), "Send me the 8-digit number"),
    (lambda person: person.says("Hilfe"), "Schicken Sie mir"),
    (lambda person: person.says("deutsch"), "Deutsch"),
    (lambda person: person.says("Wherefore art thou?"), "did not understand"),
    (lambda person: person.chooses("FORGOTTEN"), "did not understand"),
    (lambda person: person.says("stop"), "only write to you when you write"),
    (lambda person: person.says("Delete my data!"), "I have deleted everything"),
    (lambda person: person.sends("image"), "cannot look at pictures"),
    (lambda person: person.sends("audio"), "cannot listen"),
    (lambda person: person.sends("of-the-future"), ""),
    (lambda person: person.sends("sticker", sticker_id=STICKER), "👍"),
    (lambda person: person.does(person.item(reaction={"mid": "m_1", "action": "react", "reaction": "love"})), "Glad"),
)


@pytest.mark.parametrize(("deed", "answer"), ANSWERS)
def test_whatever_people_do_has_its_answer(person: Person, deed: Callable[[Person], list[Json]], answer: str) -> None:
    assert answer in only_text(deed(person))


def test_receipts_edits_and_unknown_events_are_not_answered(running: ChatSandbox, person: Person) -> None:
    for parts in (
        {"delivery": {"mids": ["m_1"], "watermark": 1}},
        {"read": {"watermark": 1}},
        {"message_edit": {"mid": "m_1", "text": "status", "num_edit": 1}},
        {"reaction": {"mid": "m_1", "action": "unreact"}},
        {"of_the_future": {"x": 1}},
    ):
        assert person.does(person.item(**parts)) == []
    assert letters(running) == 0


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


def test_a_human_takes_over_and_the_bot_comes_back_when_it_is_called(person: Person) -> None:
    assert "A human will answer" in only_text(person.says("human"))
    assert person.says("My parcel is wet") == []
    assert person.sends("image") == []
    assert "I am back" in only_text(person.says("bot"))
    assert "did not understand" in only_text(person.says("My parcel is wet"))
    assert "A human will answer" in only_text(person.taps("HUMAN"))
    assert person.says("hello") == []
    assert "I am back" in only_text(person.taps("BOT"))
