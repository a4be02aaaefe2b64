"""Cutting a text where a reader would, and never inside a character as one sees it.

What one sees as a character can be many code points: an emoji family, a flag, a letter with accents, a Hangul syllable.
Source: Unicode Standard Annex 29, "Grapheme Cluster Boundaries", of Unicode 16. `unicodedata` knows the categories;
what the annex adds to them is listed here.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

MOST = 1999  # characters: Send API Reference, message.text is under 2,000

_OTHER, _CR, _LF, _CONTROL, _EXTEND, _ZWJ, _FLAG, _PREPEND, _SPACING, _L, _V, _T, _LV, _LVT, _PICTURE = range(15)
_BREAKING = frozenset({_CR, _LF, _CONTROL})
_JOINING = frozenset({_EXTEND, _ZWJ, _SPACING})

# Characters whose class does not follow from their category (GraphemeBreakProperty.txt, emoji-data.txt,
# DerivedCoreProperties.txt): hexadecimal ranges.
_EXCEPTIONS = {
    _PREPEND: "600-605 6DD 70F 890-891 8E2 D4E 110BD 110CD 111C2-111C3 113D1 1193F 11941 11A3A 11A84-11A89 11D46 11F02",
    _EXTEND: "9BE 9D7 B3E B57 BBE BD7 CC0 CC2 CC7-CC8 CCA-CCB CD5-CD6 D3E D57 DCF DDF 1715 1734 1B35 1B3B 1B3D "
    "1B43-1B44 1BAA 1BF2-1BF3 200C 302E-302F A953 A9C0 FF9E-FF9F 111C0 11235 1133E 1134D 11357 114B0 "
    "114BD 115AF 116B6 11930 1193D 16FF0-16FF1 1D165-1D166 1D16D-1D172 1F3FB-1F3FF E0020-E007F",
    _SPACING: "E33 EB3 1171E",
    _OTHER: "102B-102C 1038 1062-1064 1067-106D 1083 1087-108C 108F 109A-109C 1A61 1A63-1A64 AA7B AA7D 11720-11721",
    _L: "1100-115F A960-A97C",
    _V: "1160-11A7 D7B0-D7C6 16D63 16D67-16D6A",
    _T: "11A8-11FF D7CB-D7FB",
    _FLAG: "1F1E6-1F1FF",
    _ZWJ: "200D",
    _CR: "D",
    _LF: "A",
    _PICTURE: "A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 2388 23CF 23E9-23F3 23F8-23FA 24C2 "
    "25AA-25AB 25B6 25C0 25FB-25FE 2600-2605 2607-2612 2614-2685 2690-2705 2708-2712 2714 2716 271D 2721 "
    "2728 2733-2734 2744 2747 274C 274E 2753-2755 2757 2763-2767 2795-2797 27A1 27B0 27BF 2934-2935 "
    "2B05-2B07 2B1B-2B1C 2B50 2B55 3030 303D 3297 3299 1F000-1F0FF 1F10D-1F10F 1F12F 1F16C-1F171 "
    "1F17E-1F17F 1F18E 1F191-1F19A 1F1AD-1F1E5 1F201-1F20F 1F21A 1F22F 1F232-1F23A 1F23C-1F23F "
    "1F249-1F3FA 1F400-1F53D 1F546-1F64F 1F680-1F6FF 1F774-1F77F 1F7D5-1F7FF 1F80C-1F80F 1F848-1F84F "
    "1F85A-1F85F 1F888-1F88F 1F8AE-1F8FF 1F90C-1F93A 1F93C-1F945 1F947-1FAFF 1FC00-1FFFD",
}
_BY_CATEGORY = {
    **dict.fromkeys(("Mn", "Me"), _EXTEND),
    "Mc": _SPACING,
    **dict.fromkeys(("Cc", "Cf", "Zl", "Zp"), _CONTROL),
}
# Rule GB9c: consonants of Indic scripts that a linker (virama) joins to the next one.
_CONSONANTS = (
    "915-939 958-95F 978-97F 995-9A8 9AA-9B0 9B2 9B6-9B9 9DC-9DD 9DF 9F0-9F1 A95-AA8 AAA-AB0 AB2-AB3 AB5-AB9 AF9 "
    "B15-B28 B2A-B30 B32-B33 B35-B39 B5C-B5D B5F B71 C15-C28 C2A-C39 C58-C5A D15-D3A"
)
_LINKERS = frozenset("\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d")
_ZERO_WIDTH_NON_JOINER = "\u200c"
_HANGUL, _HANGUL_END, _TRAILING = 0xAC00, 0xD7A3, 28  # syllables, and how many of them share lead and vowel

_SENTENCE_ENDS = ".!?…"
_FULL_WIDTH_ENDS = "\u3002\uff01\uff1f"  # of Chinese and Japanese: no blank is written after them
_CLOSING = "\"'\u201d\u2019»)]"
_PARAGRAPH, _LINE, _SENTENCE, _WORD = range(4)


def split(text: str, most: int = MOST) -> list[str]:
    """Cut a text into pieces that can each be sent.

    A cut is made between paragraphs, else lines, else sentences, else words, as late as possible in the second half of
    a piece; blanks at the cut are left out. A word longer than half a piece stays whole if it fits into the next. A
    character as one sees it is only ever cut if it alone is longer than a piece.

    Args:
        text: of any length.
        most: characters that a piece may have.

    Returns:
        The pieces, none of them blank: none at all for a blank text, the text itself if it is short enough.
    """
    if most < 1:
        raise ValueError(f"A piece of {most} characters holds nothing: allow at least 1.")
    if len(text) <= most:
        return [text] if text.strip() else []
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
    return pieces


def _cut(units: list[str], start: int, end: int) -> int:
    """Where to cut, at the latest before `end`."""
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
    """What ends before the unit at that place, None if nothing does."""
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
    """The text's grapheme clusters: its characters as one sees them. Joined, they are the text again."""
    if text.isascii() and "\r" not in text:
        yield from text
        return
    start, flags, picture, consonant, linked = 0, 0, _OTHER, False, False
    previous = None
    for at, character in enumerate(text):
        kind = _kind(character)
        if previous is not None and not (
            _joined(previous, kind)
            or (kind == _PICTURE and picture == _ZWJ)
            or (kind == _FLAG and previous == _FLAG and flags % 2 == 1)
            or (linked and _is_consonant(character))
        ):
            yield text[start:at]
            start, flags, picture, consonant, linked = at, 0, _OTHER, False, False
        flags = flags + 1 if kind == _FLAG else 0
        # Rule GB11: a picture, extensions, a joiner, a picture.
        if kind == _PICTURE or (picture == _PICTURE and kind == _ZWJ):
            picture = kind
        elif picture != _PICTURE or kind != _EXTEND:
            picture = _OTHER
        # Rule GB9c: a consonant, then extensions with a linker among them, then a consonant.
        if _is_consonant(character):
            consonant, linked = True, False
        elif kind not in {_EXTEND, _ZWJ} or character == _ZERO_WIDTH_NON_JOINER:
            consonant, linked = False, False
        else:
            linked = linked or (consonant and character in _LINKERS)
        previous = kind
    yield text[start:]


def _joined(before: int, after: int) -> bool:
    """Whether two neighbours belong together by their classes alone: rules GB3 to GB9b."""
    if before in _BREAKING or after in _BREAKING:
        return before == _CR and after == _LF
    return (
        after in _JOINING
        or before == _PREPEND
        or (before == _L and after in {_L, _V, _LV, _LVT})
        or (before in {_LV, _V} and after in {_V, _T})
        or (before in {_LVT, _T} and after == _T)
    )


@lru_cache(maxsize=4096)
def _kind(character: str) -> int:
    code = ord(character)
    if _HANGUL <= code <= _HANGUL_END:
        return _LVT if (code - _HANGUL) % _TRAILING else _LV
    kind = _exceptions().get(code)
    return _BY_CATEGORY.get(unicodedata.category(character), _OTHER) if kind is None else kind


@lru_cache(maxsize=1)
def _exceptions() -> dict[int, int]:
    """Made when first needed: most messages are short, and most bots never cut one."""
    return {code: kind for kind, ranges in _EXCEPTIONS.items() for code in _codes(ranges)}


@lru_cache(maxsize=1)
def _consonants() -> frozenset[int]:
    return frozenset(_codes(_CONSONANTS))


def _is_consonant(character: str) -> bool:
    return ord(character) in _consonants()


def _codes(ranges: str) -> Iterator[int]:
    for each in ranges.split():
        first, _, last = each.partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)
