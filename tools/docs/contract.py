"""The contract with a conversation in any language, from the classes: JSON Schemas, and an example of each event."""

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from bot.dialogue import contract
from bot.dialogue.send_form import EACH, ONLY, Form, forms_of
from bot.dialogue.typed import annotations
from bot.messenger.events import Attachment, Event, parse
from bot.messenger.messages import Carousel, Receipt
from bot.messenger.record import Record

Json = dict[str, Any]

_PLAIN: dict[object, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    object: {},
}
_FIELD = re.compile(r"^ {4}(?P<name>\w+): (?P<text>.*(?:\n {5,}.*)*)", re.MULTILINE)
# Where the Send API has another type than the class.
_OTHERWISE: dict[tuple[type[Record], str], Json] = {
    (Carousel, "square"): {"enum": ["square", "horizontal"]},
    (Receipt, "ordered"): {"type": ["string", "integer"]},
}


def turn_schema() -> str:
    """The JSON Schema of a turn."""
    return _Schema("A turn: what the function gets").written(contract.Turn)


def reply_schema() -> str:
    """The JSON Schema of a reply."""
    return _Schema("A reply: what the function returns").written(contract.Reply)


def event_kinds() -> list[type[Event]]:
    """The classes of events that reach a conversation, in the order of their module."""
    return [kind for kind in _subclasses(Event) if "kind" in vars(kind) and kind.kind not in contract.NEVER_SEEN]


def examples(data: Path) -> str:
    """An example of each kind of event, as Markdown.

    Args:
        data: the collection of webhook requests.
    """
    found = example_events(data)
    return "\n".join(
        f"### `{kind.kind}`\n\n{' '.join((kind.__doc__ or '').split(chr(10) * 2)[0].split())}\n\n"
        f"```json\n{json.dumps(contract.plain(found[kind.kind].replace(raw={})), indent=1, ensure_ascii=False)}\n```\n"
        for kind in event_kinds()
    )


def example_events(data: Path) -> dict[str, Event]:
    """The first event of each kind in a collection of webhook requests, by its kind."""
    found: dict[str, Event] = {}
    for case in json.loads(data.read_text(encoding="utf-8"))["cases"]:
        for entry in case["body"].get("entry", ()) if isinstance(case["body"], dict) else ():
            for item in (*entry.get("messaging", ()), *entry.get("changes", ())) if isinstance(entry, dict) else ():
                event = parse(item, str(entry.get("id", "")), platform=case["object"])
                if event.user or event.kind not in found:
                    found.setdefault(event.kind, event)
    notice = {
        "sender": {"id": "7203948561203847"},
        "notice": {"id": "n1", "topic": "order", "data": {"number": "12345678"}},
    }
    return found | {"notice": parse(notice, "104873920561834")}


class _Schema:
    """Collects the definitions of one schema."""

    def __init__(self, title: str) -> None:
        self._title, self._definitions = title, dict[str, Json]()

    def written(self, kind: type[Record]) -> str:
        """The schema of this class, as a file's text."""
        whole = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self._title,
            **self._record(kind),
            "$defs": self._definitions,
        }
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"

    def _of(self, wanted: object) -> Json:
        """The schema of an annotation."""
        origin, inside = get_origin(wanted), get_args(wanted)
        if origin in (Union, UnionType):
            return {"anyOf": [each for choice in inside for each in self._choices(choice)]}
        if origin is dict:
            return {"type": "object"}
        if origin is tuple and inside[1:] == (...,):
            return {"type": "array", "items": self._of(inside[0])}
        if origin is tuple:
            return {"type": "array", "prefixItems": [self._of(each) for each in inside], "items": False}
        choices = self._choices(wanted)
        return choices[0] if len(choices) == 1 else {"anyOf": choices}

    def _choices(self, wanted: Any) -> list[Json]:
        if wanted in _PLAIN:
            return [_PLAIN[wanted]]
        if get_origin(wanted):
            return [self._of(wanted)]
        if wanted is Event:
            return [self._named(kind) for kind in event_kinds()]
        if wanted is Attachment:
            kinds: list[type[Record]] = [Attachment, *_subclasses(Attachment)]
            return [self._named(kind) for kind in kinds if kind.__annotations__]
        return [self._named(form.kind) for form in forms_of(wanted)]

    def _named(self, kind: type[Record]) -> Json:
        if kind.__name__ not in self._definitions:
            self._definitions[kind.__name__] = {}  # keeps its place, above what it uses
            self._definitions[kind.__name__] = self._record(kind)
        return {"$ref": f"#/$defs/{kind.__name__}"}

    def _record(self, kind: type[Record]) -> Json:
        if issubclass(kind, (Event, Attachment)) or kind.__module__.endswith("events"):
            return self._event(kind)
        return next(self._form(form) for form in forms_of(kind) if form.kind is kind)

    def _event(self, kind: type[Record]) -> Json:
        """Everything that it has is there. Whoever reads it leaves room for more fields."""
        told, wanted = _described(kind), annotations(kind)
        fields = {name: self._of(wanted[name]) | _description(told.get(name)) for name in kind._fields}
        if issubclass(kind, Event):
            fields = {"kind": {"const": kind.kind}} | fields
        return _description(_summary(kind)) | {"type": "object", "properties": fields, "required": list(fields)}

    def _form(self, form: Form) -> Json:
        told, wanted = _described(form.kind), annotations(form.kind)
        whole = _description(_summary(form.kind)) | _object()
        for path, allowed in (*form.fixed.items(), *form.optional.items()):
            if None not in allowed:
                _put(whole, path, {"enum": list(allowed)}, required=path in form.fixed)
        for path, name in form.fields.items():
            schema = _OTHERWISE.get((form.kind, name)) or self._of(wanted[name])
            if path.endswith(f"{EACH}.id"):
                schema = schema["items"]
            if path not in form.fixed:
                _put(whole, path, schema | _description(told.get(name)), required=not hasattr(form.kind, name))
        return whole


def _object() -> Json:
    return {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def _put(whole: Json, path: str, schema: Json, *, required: bool) -> None:
    """Put a schema at a path, with the objects and lists that lead there."""
    *way, last = path.split(".")
    for number, part in enumerate(way):
        if part in (ONLY, EACH):
            continue
        if required and part not in whole["required"]:
            whole["required"].append(part)
        following = [*way, last][number + 1]
        fresh = {"type": "array", "items": _object()} if following in (ONLY, EACH) else _object()
        if following == ONLY:
            fresh |= {"minItems": 1, "maxItems": 1}
        whole = whole["properties"].setdefault(part, fresh)
        whole = whole.get("items", whole)
    whole["properties"][last] = schema
    if required:
        whole["required"].append(last)


def _described(kind: type[Record]) -> dict[str, str]:
    """The description of each field, from the docstrings of a class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, Record):
            text = inspect.cleandoc(base.__doc__ or "")
            found |= {each["name"]: " ".join(each["text"].split()) for each in _FIELD.finditer(text)}
    return found


def _summary(kind: type[Record]) -> str:
    return " ".join(inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0].split())


def _description(text: str | None) -> Json:
    return {"description": text} if text else {}


def _subclasses(kind: type[Record]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)
