"""Records to JSON and back, checked against the types of their fields."""

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


def read(kind: type[R], value: object, *, strictly: bool = False) -> R:
    """The record in a JSON value.

    Args:
        kind: the record's class. A field is a text, number, boolean, record, a tuple of one of these, or None.
        value: the parsed JSON.
        strictly: raise where a value does not fit its field, and convert texts to numbers. Otherwise such a value is
            left out.

    Raises:
        Mismatch: a field does not fit (only if `strictly`).
    """
    given = value if isinstance(value, dict) else {}
    fitting: dict[str, object] = {}
    for name, wanted in _annotations(kind).items():
        if name in given:
            try:
                fitting[name] = _fit(given[name], wanted, strictly=strictly)
            except Mismatch:
                if strictly:
                    raise
    try:
        return kind(**fitting)
    except TypeError:  # a field without a default is missing
        raise Mismatch(f"{value!r} lacks fields of {kind.__name__}.") from None


def _annotations(kind: type[Record]) -> dict[str, object]:
    found: dict[str, object] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, Record):
            found |= {name: wanted for name, wanted in base.__annotations__.items() if name in kind._fields}
    return found


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return write(value)
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _fit(value: object, wanted: object, *, strictly: bool) -> object:
    """The value as the annotation of a field wants it; raises Mismatch."""
    origin = get_origin(wanted)
    if origin in (Union, UnionType):
        return _first_fit(value, get_args(wanted), strictly=strictly)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_fit(each, get_args(wanted)[0], strictly=strictly) for each in value)
    if isinstance(wanted, type) and issubclass(wanted, Record) and isinstance(value, dict):
        return read(wanted, value, strictly=strictly)
    if strictly and isinstance(value, str) and (wanted is int or wanted is float):
        try:
            return wanted(value)
        except ValueError:
            raise Mismatch(f"{value!r} is not a number.") from None
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted in (str, int, float, bool, NoneType) and type(value) is wanted:
        return value
    raise Mismatch(f"{value!r} is not a {wanted}.")


def _first_fit(value: object, choices: tuple[Any, ...], *, strictly: bool) -> object:
    for choice in choices:
        try:
            return _fit(value, choice, strictly=strictly)
        except Mismatch:
            continue
    raise Mismatch(f"{value!r} is not one of {choices}.")
