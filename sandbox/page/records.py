"""Makes what the bot stores in AWS readable: its ledger's items and its dead letters."""

import base64
import json
from typing import Any

Json = dict[str, Any]


def ledger_record(item: Json) -> Json:
    """A DynamoDB item as plain JSON; JSON that the bot stores as text is parsed."""
    return {name: _value(*next(iter(typed.items()))) for name, typed in item.items()}


def _value(kind: str, value: Any) -> object:
    match kind:
        case "N":
            return _number(value)
        case "NS":
            return sorted(map(_number, value))
        case "SS":
            return sorted(value)
        case "S" if value[:1] in ("{", "["):
            content = parsed(value)
            return value if content is None else content
        case _:
            return value


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def dead_letter(body: str) -> Json:
    """A dead letter's content. The bytes of a request that was no webhook are decoded."""
    letter = parsed(body)
    if not isinstance(letter, dict):
        return {"reason": "not readable", "body": body}
    if isinstance(letter.get("base64"), str):
        letter["text"] = base64.b64decode(letter.pop("base64")).decode("utf-8", "replace")
    return letter


def parsed(text: str | bytes) -> Any:
    """The JSON in a text; `None` if it is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None
