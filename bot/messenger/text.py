"""Splits a text where a reader would, and never inside a character as a reader sees it.

Such a character can be many code points: an emoji family, a flag, a letter with accents. Source: Unicode Standard Annex
29, "Grapheme Cluster Boundaries". Of its rules, these are kept: line ends, combining marks, joiners, variation
selectors, skin tones, tags and pairs that make a flag.
"""

import unicodedata
from collections.abc import Iterator

MOST = 1999  # characters: "Send API Reference", message.text has fewer than 2,000

# Letters, marks and symbols that show nothing: fillers of Hangul, variation selectors, Braille without dots.
# Source: Unicode 16.0, DerivedCoreProperties, Default_Ignorable_Code_Point; 2800 is "BRAILLE PATTERN BLANK".
_SELECTORS = (0x180B, 0x180C, 0x180D, 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
_BLANKS = frozenset(map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *_SELECTORS)))
# Those, and skin tones: Unicode Technical Standard 51, "Emoji Modifiers".
_LOOKS = _BLANKS | set(map(chr, range(0x1F3FB, 0x1F400)))
_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # categories
_MARKS = {
    "Mn",
    "Me",
    "Mc",
    "Cf",
}  # categories: marks (variation selectors too); joiners, tags and other format characters
_JOINER = "\u200d"
_REGIONAL_INDICATORS = range(0x1F1E6, 0x1F200)  # two of them are a flag

_SENTENCE_ENDS = ".!?…"
_FULL_WIDTH_ENDS = "\u3002\uff01\uff1f"  # Chinese and Japanese write no space after them
_CLOSING = "\"'\u201d\u2019»)]"
_PARAGRAPH, _LINE, _SENTENCE, _WORD = range(4)


def visible(text: str) -> bool:
    """Whether a reader sees anything of the text."""
    return any(unicodedata.category(each) not in _UNSEEN and each not in _BLANKS for each in text)


def plain(text: str) -> str:
    """The text as it is compared: without what only changes how a character looks, such as its skin tone."""
    if text.isascii():
        return text
    return "".join(each for each in text if unicodedata.category(each) != "Cf" and each not in _LOOKS)


def split(text: str, most: int = MOST) -> list[str]:
    """Split a text into pieces that can each be sent.

    A piece ends between paragraphs, or else lines, sentences or words, as late as possible in its second half. Spaces
    between two pieces are dropped. A word longer than half a piece stays whole if the next piece can hold it. A
    character as a reader sees it is cut only if it alone is longer than a piece.

    Args:
        text: of any length.
        most: how many characters a piece may have.

    Returns:
        The pieces, each with something to see. A text that is short enough is one piece; a blank text has none.
    """
    if most < 1:
        raise ValueError(f"A piece of {most} characters is empty: allow at least 1.")
    if len(text) <= most:
        return [text] if visible(text) else []
    units = [cluster[at : at + most] for cluster in clusters(text) for at in range(0, len(cluster), most)]
    pieces: list[str] = []
    start = 0
    while start < len(units):
        if units[start].isspace():
            start += 1
            continue
        end, length = start, 0
        while end < len(units) and length + len(units[end]) <= most:
            length += len(units[end])
            end += 1
        if end < len(units):
            end = _cut(units, start, end)
        pieces.append("".join(units[start:end]))
        start = end
    return [piece for piece in pieces if visible(piece)]


def _cut(units: list[str], start: int, end: int) -> int:
    """Where to cut: before `end` at the latest."""
    latest: dict[int, int] = {}
    for at in range(end, start, -1):
        kind = _boundary(units, at)
        if kind is not None:
            latest.setdefault(kind, at)
            if kind == _PARAGRAPH:
                break
    half = start + (end - start) // 2
    for kind in (_PARAGRAPH, _LINE, _SENTENCE, _WORD):
        if kind in latest and latest[kind] >= half:
            return latest[kind]
    return max(latest.values(), default=end)


def _boundary(units: list[str], at: int) -> int | None:
    """What ends before this unit; None if nothing does."""
    before = units[at - 1]
    if not units[at].isspace():
        return _SENTENCE if before in _FULL_WIDTH_ENDS else None
    if before.isspace():
        return None
    lines = 0
    while at < len(units) and units[at].isspace():
        lines += units[at] in {"\n", "\r\n", "\r", "\u2028", "\u2029"}
        at += 1
    if lines:
        return _LINE if lines == 1 else _PARAGRAPH
    return _SENTENCE if before in _SENTENCE_ENDS + _CLOSING else _WORD


def clusters(text: str) -> Iterator[str]:
    """The characters of a text as a reader sees them. Joined, they are the text again."""
    if text.isascii() and "\r" not in text:
        yield from text
        return
    start = 0
    for at in range(1, len(text)):
        before, after = text[at - 1], text[at]
        completes_flag = _in_flag(before) and at - start == 1
        if not (completes_flag if _in_flag(after) else _joined(before, after)):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _in_flag(character: str) -> bool:
    return ord(character) in _REGIONAL_INDICATORS


def _joined(before: str, after: str) -> bool:
    if unicodedata.category(before) == "Cc":
        return before + after == "\r\n"
    category = unicodedata.category(after)
    skin_tone = category == "Sk" and unicodedata.name(after, "").startswith("EMOJI MODIFIER")
    return before == _JOINER or category in _MARKS or skin_tone
