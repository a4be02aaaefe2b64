"""Records to JSON and back, checked against the types of their fields."""

import contextlib
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from bot.messenger.record import Record

R = TypeVar("R", bound=Record)


class Mismatch(ValueError):
    """A value does not fit its field's type."""


def write(record: Record) -> dict[str, object]:
    """The record as JSON. Records become objects, tuples become lists, and fields with their default are left out."""
    kind = type(record)
    fields = record.fields().items()
    return {name: _plain(value) for name, value in fields if not hasattr(kind, name) or getattr(kind, name) != value}


def read(kind: type[R], value: object) -> R:
    """The record in a JSON value. What does not fit its field is left out.

    Args:
        kind: the record's class. A field is a text, number, boolean, record, a tuple of one of these, or None.
        value: the parsed JSON.

    Raises:
        Mismatch: a field without a default is missing.
    """
    fitting: dict[str, object] = {}
    for name, given, wanted in _given(kind, value):
        with contextlib.suppress(Mismatch):
            fitting[name] = _fit(given, wanted, read)
    return _made(kind, fitting)


def read_strictly(kind: type[R], value: object) -> R:
    """The record in a JSON value. Everything must fit, and a text becomes the number that its field wants.

    Args:
        kind: the record's class, as for `read`.
        value: the parsed JSON.

    Raises:
        Mismatch: a field does not fit, or one without a default is missing.
    """
    given = _given(kind, value)
    return _made(kind, {name: _fit(_as_number(each, wanted), wanted, read_strictly) for name, each, wanted in given})


def _given(kind: type[Record], value: object) -> list[tuple[str, object, object]]:
    """The record's fields that a JSON value has: name, value and annotation."""
    given = value if isinstance(value, dict) else {}
    return [(name, given[name], wanted) for name, wanted in annotations(kind).items() if name in given]


def _made(kind: type[R], fitting: dict[str, object]) -> R:
    try:
        return kind(**fitting)
    except TypeError:  # a field without a default is missing
        raise Mismatch(f"{fitting!r} lacks fields of {kind.__name__}.") from None


def annotations(kind: type[Record]) -> dict[str, object]:
    """The annotation of each field of a record."""
    found: dict[str, object] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, Record):
            found |= {name: wanted for name, wanted in base.__annotations__.items() if name in kind._fields}
    return found


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return write(value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _as_number(value: object, wanted: object) -> object:
    """A text as the number that its field wants; anything else unchanged."""
    choices = get_args(wanted) or (wanted,)
    if isinstance(value, str) and str not in choices:
        for number in (int, float):
            if number in choices:
                with contextlib.suppress(ValueError):
                    return number(value)
    return value


def _fit(value: object, wanted: object, reader: Callable[[type[Record], object], Record]) -> object:
    """The value as the annotation of a field wants it, with records made by `reader`; raises Mismatch."""
    origin = get_origin(wanted)
    if origin in (Union, UnionType):
        return _first_fit(value, get_args(wanted), reader)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_fit(each, get_args(wanted)[0], reader) for each in value)
    if isinstance(wanted, type) and issubclass(wanted, Record) and isinstance(value, dict):
        return reader(wanted, value)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted in (str, int, float, bool, NoneType) and type(value) is wanted:
        return value
    raise Mismatch(f"{value!r} is not a {wanted}.")


def _first_fit(value: object, choices: tuple[Any, ...], reader: Callable[[type[Record], object], Record]) -> object:
    for choice in choices:
        with contextlib.suppress(Mismatch):
            return _fit(value, choice, reader)
    raise Mismatch(f"{value!r} is not one of {choices}.")
