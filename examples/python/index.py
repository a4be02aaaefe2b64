"""A small bot: it says hello, and where a parcel is, in English and German."""

import re
from typing import Any, NamedTuple

from contract import Event, Reply, State, Turn


class Words(NamedTuple):
    """What the bot says in one language."""

    hello: str
    which: str
    wrong: str
    help: str
    parcel: str
    steps: tuple[str, ...]


WORDS = {
    "en": Words(
        hello="Hello! I am a bot, and I can tell you where your parcel is. Send me its 8-digit number.",
        which="Which parcel? Please send me its 8-digit number.",
        wrong="A parcel's number has 8 digits. Please send it again.",
        help="Send me the 8-digit number of a parcel, or write “status”.",
        parcel="Parcel",
        steps=("announced", "in transit", "out for delivery", "delivered"),
    ),
    "de": Words(
        hello="Hallo! Ich bin ein Bot und sage Ihnen, wo Ihr Paket ist. Schicken Sie mir seine Nummer mit 8 Ziffern.",
        which="Welches Paket? Schicken Sie mir bitte seine Nummer mit 8 Ziffern.",
        wrong="Eine Paketnummer hat 8 Ziffern. Schicken Sie sie bitte noch einmal.",
        help="Schicken Sie mir eine Paketnummer mit 8 Ziffern, oder schreiben Sie „Status“.",
        parcel="Paket",
        steps=("angekündigt", "unterwegs", "in Zustellung", "zugestellt"),
    ),
}
GREETINGS = {"hello": "en", "hi": "en", "english": "en", "hallo": "de", "moin": "de", "deutsch": "de"}


def handler(turn: Turn, _context: object) -> Reply:
    """Answer one event."""
    said = what_was_said(turn["event"])
    if said is None:
        return {}
    known = turn["session"]["language"] or ("de" if turn["locale"].startswith("de") else "en")
    language = GREETINGS.get(said, known)
    return {"language": language, **answer(said, turn["state"], WORDS["de" if language == "de" else "en"])}


def answer(said: str, state: State, words: Words) -> Reply:
    """The messages, and the new state."""
    if said == "start" or said in GREETINGS:
        return {"messages": [offer_status(words.hello)], "state": {}, "disclosed": True}
    if re.fullmatch("[0-9]{8}", said):
        return {"messages": [overview(said, words)], "state": {"parcel": said}}
    if said == "status" and "parcel" in state:
        return {"messages": [overview(state["parcel"], words)]}
    if said == "status":
        return {"messages": [words.which], "state": {"asked": "number"}}
    if state.get("asked") == "number":
        return {"messages": [words.wrong]}
    return {"messages": [offer_status(words.help)], "understood": said == "help"}


def what_was_said(event: Event) -> str | None:
    """The person's words, or the payload of what they tapped; None for anything else."""
    match event:
        case {"kind": "text", "text": text}:
            return text.strip().lower()
        case {"kind": "quick_reply" | "postback", "payload": payload}:
            return payload.lower()
    return None


def offer_status(text: str) -> dict[str, Any]:
    """A text with a quick reply below it."""
    return {"text": text, "quick_replies": [{"content_type": "text", "title": "Status", "payload": "STATUS"}]}


def overview(number: str, words: Words) -> str:
    """The four steps of a parcel. The parcels are made up: the number decides how far one is."""
    reached = int(number) % len(words.steps)
    marks = ["✅" if index < reached else "📍" if index == reached else "⬜" for index in range(len(words.steps))]
    lines = [f"{mark} {step}" for mark, step in zip(marks, words.steps, strict=True)]
    return "\n".join([f"{words.parcel} {number}: {words.steps[reached]}", *lines])
