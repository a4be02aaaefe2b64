import itertools
import unicodedata
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from uniseg.graphemecluster import grapheme_clusters  # type: ignore[import-untyped]  # it comes without types

from bot.messenger.text import MOST, clusters, split, visible

FAMILY = "👨‍👩‍👧‍👦"

# From GraphemeBreakTest.txt of the Unicode Character Database: the clusters of a text.
UNICODE_CASES = {
    "a line end of two characters": ["\r\n", "a"],
    "a letter with a combining mark": ["a\u0308", "b"],
    "a mark before anything": ["\u0308", "a"],
    "three flags and a half": ["🇩🇪", "🇫🇷", "🇮🇹", "🇬"],
    "a flag after a joiner": ["🇦🇧\u200d", "🇨🇩"],
    "a flag of tags": ["🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "a"],
    "a family": [FAMILY, FAMILY],
    "a picture, marks, a joiner, a picture": ["👶🏿\u0308\u200d👶🏿", "b"],
    "a keycap": ["1\ufe0f\u20e3", "2"],
    "a spacing mark": ["a\u0903", "b"],
}


@pytest.mark.parametrize("expected", UNICODE_CASES.values(), ids=UNICODE_CASES)
def test_clusters_are_those_of_the_unicode_standard(expected: list[str]) -> None:
    assert list(clusters("".join(expected))) == expected


TELLING = st.sampled_from(
    [
        *"aé \n\r\t.🇩🇪👨👩🏿❤字",  # letters, spaces, halves of flags, emoji, a skin tone
        *"\u0308\u200d\ufe0f\u0903\U000e0067\u20e3",  # combining marks, a joiner, a variation selector, a tag, a keycap
    ]
)
ANY_TEXT = st.text(TELLING)


def ends(pieces: Iterable[str]) -> set[int]:
    """Where the pieces of a text end."""
    return set(itertools.accumulate(map(len, pieces)))


@given(ANY_TEXT)
def test_no_cluster_ends_inside_one_of_a_peer(text: str) -> None:
    assert "".join(clusters(text)) == text
    assert ends(clusters(text)) <= ends(grapheme_clusters(text))


def test_every_combining_mark_and_every_emoji_joins_as_in_a_peer() -> None:
    marks = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in {"Mn", "Me"}]
    emoji = [chr(code) for code in range(0x1F300, 0x1FA00) if unicodedata.category(chr(code)) in {"So", "Sk"}]
    text = "".join(f"a{each}a" for each in marks + emoji)
    assert list(clusters(text)) == list(grapheme_clusters(text))


@pytest.mark.parametrize("most", [1, 2, 3, 7, 40])
@given(text=ANY_TEXT)
@example(text=f"{FAMILY}{FAMILY}")
@example(text=" \u0308 \u0308")
def test_pieces_contain_the_whole_text_but_spaces_and_no_cluster_that_fits_is_cut(most: int, text: str) -> None:
    pieces = split(text, most)
    assert all(0 < len(piece) <= most and visible(piece) for piece in pieces)
    assert list(filter(visible, "".join(pieces))) == list(filter(visible, text))
    if len(text) > most:
        whole = list(filter(visible, clusters(text)))
        if all(len(cluster) <= most for cluster in whole):
            assert [c for piece in pieces for c in filter(visible, clusters(piece))] == whole


INVISIBLE = ["", " ", "\u200b", "\ufeff\u2060", "\u00ad", "\u3164", "\u2800", "\u115f\u1160", "\ufe0f", "\x08"]


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_a_text_of_invisible_characters_shows_nothing(text: str) -> None:
    assert not visible(text)
    assert split(text) == []
    assert all(map(visible, split("x" * MOST + text)))
    assert visible(text + "a")


@pytest.mark.parametrize("text", ["a", "👍🏽", "\u0301", "字", "ـ", "\U0001fadf"], ids=ascii)
def test_what_a_reader_sees_is_visible_even_if_it_is_newer_than_the_library(text: str) -> None:
    assert visible(text)


SPLIT: dict[str, tuple[str, int, list[str]]] = {
    "a short text stays as it is": ("  two\n\n lines ", 20, ["  two\n\n lines "]),
    "a text as long as a piece keeps the space at its end": ("a word ", 7, ["a word "]),
    "all spaces between two pieces are dropped": ("aaaa   bbbb", 6, ["aaaa", "bbbb"]),
    "a blank text has no piece": (" " * 5000, 1999, []),
    "paragraphs come before sentences": (
        "One two. Three four.\n\nFive six. Seven",
        32,
        ["One two. Three four.", "Five six. Seven"],
    ),
    "lines come before words": ("- one two\n- three four", 14, ["- one two", "- three four"]),
    "paragraphs come before later lines": ("aaaa aaaa\n\nbb\ncc dd ee", 16, ["aaaa aaaa", "bb\ncc dd ee"]),
    "a break in the first half makes no tiny piece": (
        "Yes.\n\nThat is what it looks like",
        24,
        ["Yes.\n\nThat is what it", "looks like"],
    ),
    "a long word stays whole if a piece can hold it": (
        "See https://example.org/a-long-address now",
        36,
        ["See", "https://example.org/a-long-address", "now"],
    ),
    "a quotation ends its sentence": (
        "He said “no.” And then he went away",
        24,
        ["He said “no.”", "And then he went away"],
    ),
    "sentences without spaces end with their full stop": (
        "今日は晴れ。明日は雨です",
        8,
        ["今日は晴れ。", "明日は雨です"],
    ),
    "two characters may be one line end": ("one two\r\nthree four five", 15, ["one two", "three four five"]),
    "a cluster longer than a piece is cut": ("a" + "\u0301" * 9, 4, ["a" + "\u0301" * 3, "\u0301" * 4, "\u0301" * 2]),
}


@pytest.mark.parametrize(("text", "most", "pieces"), SPLIT.values(), ids=SPLIT)
def test_a_text_is_split_where_a_reader_would(text: str, most: int, pieces: list[str]) -> None:
    assert split(text, most) == pieces


def test_a_piece_has_at_least_one_character() -> None:
    with pytest.raises(ValueError, match="allow at least 1"):
        split("text", 0)
