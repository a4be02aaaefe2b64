"""A conversation in the terminal: what a person types, as an action, and what the bot sends, as lines."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.facebook.actions import Action

Json = Mapping[str, Any]
CHOICE = "#"


def shown(message: Json) -> list[str]:
    """A message of the Send API as lines, without its buttons and quick replies."""
    if "text" in message:
        return str(message["text"]).splitlines()
    payload = (message.get("attachment") or {}).get("payload") or {}
    lines = str(payload.get("text", "")).splitlines()
    for card in payload.get("elements", []):
        lines.append(": ".join(str(card[part]) for part in ("title", "subtitle") if part in card))
    return lines or [json.dumps(message, ensure_ascii=False)]


def choices(message: Json) -> list[Action]:
    """What a person can tap under a message."""
    payload = (message.get("attachment") or {}).get("payload") or {}
    buttons = [
        *payload.get("buttons", []),
        *(each for card in payload.get("elements", []) for each in card.get("buttons", [])),
    ]
    taps = [{"kind": "postback", **_named(each)} for each in buttons if each.get("type") == "postback"]
    replies = [each for each in message.get("quick_replies", []) if "payload" in each]
    return taps + [{"kind": "quick_reply", **_named(each)} for each in replies]


def _named(button: Json) -> dict[str, Any]:
    return {"title": button["title"], "payload": button["payload"]}


class Prompt:
    """Turns lines into actions: `#2` taps the second choice under the last answers, anything else is a text."""

    def __init__(self) -> None:
        self.offered: list[Action] = []

    def action(self, line: str) -> Action:
        """What a person does with this line."""
        number = line.removeprefix(CHOICE)
        if line.startswith(CHOICE) and number.isdigit() and 0 < int(number) <= len(self.offered):
            return self.offered[int(number) - 1]
        return {"kind": "text", "text": line}

    def answered(self, answers: Sequence[Json]) -> list[str]:
        """The answers as lines, with their choices numbered."""
        messages = [answer["message"] for answer in answers if answer.get("message")]
        self.offered = [choice for message in messages for choice in choices(message)]
        lines = [line for message in messages for line in shown(message)]
        numbered = "  ".join(f"{CHOICE}{number} {each['title']}" for number, each in enumerate(self.offered, 1))
        return [*lines, numbered] if numbered else lines
