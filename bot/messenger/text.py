"""Cutting text where a reader would."""

from collections.abc import Iterator

_MOST = 1999  # characters: Send API Reference, message.text is under 2,000


def split(text: str, most: int = _MOST) -> list[str]:
    """Cut a text into pieces."""
    return [text[at : at + most] for at in range(0, len(text), most)] or []


def clusters(text: str) -> Iterator[str]:
    yield from text
