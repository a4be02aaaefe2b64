import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bot.dialogue import Bot, Lex, Record, Reply, Turn
from bot.dialogue.lex import session_id, to_messages, understand
from bot.dialogue.testing import Chat
from bot.messenger.events import Event, TextMessage
from bot.messenger.messages import Carousel, QuickReply, Text
from sandbox.facebook.lex import SESSION

SCHEMA = Path(__file__).parents[3] / "sandbox" / "facebook" / "schemas" / "send-api.json"
SEND_API = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


class FixedLex:
    """A Lex with one answer, which records what it was asked."""

    def __init__(self, *messages: dict[str, Any], intent: str = "Opening", action: str = "Close") -> None:
        self.answer = {
            "messages": list(messages),
            "sessionState": {"intent": {"name": intent}, "dialogAction": {"type": action}},
        }
        self.asked: list[tuple[str, str]] = []

    def recognize(self, session: str, text: str) -> Mapping[str, Any]:
        self.asked.append((session, text))
        return self.answer


def chat(lex: Lex | None) -> Chat:
    """A chat with a bot that asks Lex about anything."""
    bot: Bot[Record, None] = Bot(Record)

    @bot.fallback
    def ask_lex(turn: Turn[Record, None, Event]) -> Reply[Record]:
        text = turn.event.text if isinstance(turn.event, TextMessage) else ""
        return Reply(understand(turn, text, yes="Yes", no="No") or "not understood")

    return Chat(bot, lex=lex)


def plain(text: str) -> dict[str, Any]:
    return {"contentType": "PlainText", "content": text}


def card(**parts: object) -> dict[str, Any]:
    return {"contentType": "ImageResponseCard", "imageResponseCard": {"title": "Choose", **parts}}


def choices(number: int) -> list[dict[str, str]]:
    return [{"text": f"Choice {n}", "value": f"v{n}"} for n in range(1, number + 1)]


def test_what_no_rule_takes_is_answered_by_lex() -> None:
    lex = FixedLex(plain("We open at 9."), plain("Till then!"))
    talk = chat(lex)
    talk.does(TextMessage("when do you open", page="1001", user="24"))
    assert talk.last.messages == (Text("We open at 9."), Text("Till then!"))
    assert lex.asked == [("1001:24", "when do you open")]


@pytest.mark.parametrize("lex", [None, FixedLex(), FixedLex(plain("Eh"), intent="FallbackIntent")])
def test_the_bot_uses_its_own_words_if_lex_has_no_answer(lex: Lex | None) -> None:
    assert chat(lex).says("when do you open") == ["not understood"]


def test_a_card_keeps_three_whole_buttons_and_offers_the_rest_as_quick_replies() -> None:
    buttons = [{"text": " ", "value": "v"}, {"text": "Choice 0"}, *choices(5)]
    (carousel,) = messages(FixedLex(card(buttons=buttons, imageUrl="https://example.org/a.png", subtitle="s")))
    assert isinstance(carousel, Carousel)
    assert [button.to_json()["title"] for button in carousel.cards[0].buttons] == ["Choice 1", "Choice 2", "Choice 3"]
    assert carousel.quick_replies == (QuickReply("Choice 4", "LEX:v4"), QuickReply("Choice 5", "LEX:v5"))


def test_what_is_too_long_for_messenger_is_cut_between_characters() -> None:
    long = {"text": "👨‍👩‍👧‍👦" * 7, "value": "v"}
    (carousel,) = messages(FixedLex(card(title="t" * 250, subtitle="s" * 250, buttons=[long])))
    assert isinstance(carousel, Carousel)
    shown = carousel.cards[0]
    assert shown.title == "t" * 79 + "…"
    assert shown.subtitle == "s" * 79 + "…"
    assert shown.buttons[0].to_json()["title"] == "👨‍👩‍👧‍👦" * 2 + "…"


@pytest.mark.parametrize("parts", [{}, {"imageUrl": "ftp://x", "subtitle": "Well?"}])
def test_a_card_that_messenger_refuses_becomes_a_text(parts: dict[str, str]) -> None:
    (text,) = messages(FixedLex(card(**parts)))
    assert isinstance(text, Text)
    assert text.text.startswith("Choose")


def test_a_confirmation_gets_a_yes_and_a_no() -> None:
    (text,) = messages(FixedLex(plain("Sure?"), action="ConfirmIntent"))
    assert text == Text("Sure?", quick_replies=(QuickReply("Yes", "LEX:yes"), QuickReply("No", "LEX:no")))
    (carousel,) = messages(FixedLex(card(buttons=choices(2)), action="ConfirmIntent"))
    assert isinstance(carousel, Carousel)


def test_a_long_text_is_cut_to_what_lex_takes() -> None:
    lex = FixedLex(plain("ok"))
    chat(lex).says("x" * 1990)
    assert len(lex.asked[0][1]) == 1024


@pytest.mark.parametrize(("page", "user"), [("1001", "24"), ("p", "x" * 200), ("", ""), ("ä", "😀")])
def test_a_session_has_an_id_that_lex_accepts(page: str, user: str) -> None:
    name = session_id(page, user)
    assert SESSION.fullmatch(name)
    assert name != session_id(page, user + "1")


LEAVES = st.none() | st.integers() | st.text(max_size=30) | st.sampled_from(["ImageResponseCard", "ConfirmIntent"])
NAMES = st.sampled_from(
    ["messages", "contentType", "content", "imageResponseCard", "title", "subtitle", "buttons", "text", "value"]
)
INNER = (
    LEAVES
    | st.dictionaries(NAMES, LEAVES, max_size=3)
    | st.lists(st.dictionaries(NAMES, LEAVES, max_size=2), max_size=3)
)
PARTS = st.dictionaries(NAMES, INNER, max_size=4)
STATES = LEAVES | st.dictionaries(st.sampled_from(["intent", "dialogAction"]), PARTS | LEAVES)
BUTTON = st.fixed_dictionaries({"text": st.text(max_size=50), "value": st.text(max_size=50)})
CARDS = st.fixed_dictionaries(
    {
        "title": st.text(max_size=250),
        "subtitle": st.text(max_size=250),
        "imageUrl": st.text(max_size=250) | st.just("https://example.org/a.png"),
        "buttons": st.lists(BUTTON, max_size=20),
    }
).map(lambda parts: card(**parts))


@given(
    st.fixed_dictionaries({"messages": st.lists(CARDS | PARTS | LEAVES, max_size=4), "sessionState": STATES}) | PARTS
)
def test_any_answer_of_lex_becomes_valid_messages_or_nothing(answer: dict[str, Any]) -> None:
    for message in to_messages(answer, yes="Yes", no="No") or ():
        SEND_API.validate(json.loads(json.dumps(message.to_request("24"))))


def messages(lex: FixedLex) -> tuple[Any, ...]:
    return to_messages(lex.answer, yes="Yes", no="No") or ()
