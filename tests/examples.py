"""Webhooks as Facebook sends them, each with its public source, and what the sample bot makes of it."""

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

PAGES = (b"104873920561834", b"48201937561")
PEOPLE = (b"7203948561203847", b"730194826351", b"6918237450192836", b"1029384756102938", b"xyz4821", b"ref_8405")
EXAMPLES: list[Json] = json.loads(
    (Path(__file__).parent / "data" / "webhook-examples.json").read_text(encoding="utf-8")
)["cases"]


def body(example: Json) -> bytes:
    """The request's body; escaped as Facebook escapes it."""
    return str(example.get("raw") or json.dumps(example["body"])).encode()


def page_of(example: Json) -> str:
    """The page that the bot of an example answers for."""
    return next((page.decode() for page in PAGES if page in body(example)), PAGES[0].decode())
