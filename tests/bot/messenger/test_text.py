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
    "line ends the other way round": ["\n", "\r"],
    "controls stand alone": ["a", "\x01", "\u0308"],
    "a letter with a combining mark": ["a\u0308", "b"],
    "a blank with a combining mark": [" \u0308", " "],
    "a mark before anything": ["\u0308", "a"],
    "three flags and a half": ["🇩🇪", "🇫🇷", "🇮🇹", "🇬"],
    "flags with a letter between": ["a", "🇦🇧", "🇨", "b"],
    "a flag after a joiner": ["🇦🇧\u200d", "🇨🇩"],
    "a flag of tags": ["🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "a"],
    "a family": [FAMILY, FAMILY],
    "skin tones": ["👶🏿", "👶"],
    "a picture, marks, a joiner, a picture": ["👶🏿\u0308\u200d👶🏿", "b"],
    "a keycap": ["1\ufe0f\u20e3", "2"],
    "a spacing mark": ["a\u0903", "b"],
}


@pytest.mark.parametrize("expected", UNICODE_CASES.values(), ids=UNICODE_CASES)
def test_clusters_are_those_of_the_unicode_standard(expected: list[str]) -> None:
    assert list(clusters("".join(expected))) == expected


def test_nothing_has_no_clusters() -> None:
    assert list(clusters("")) == []


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


INVISIBLE = [
    "",
    " ",
    "\u200b",
    "\ufeff\u2060",
    "\u00ad",
    "\u3164",
    "\u2800",
    "\u115f\u1160",
    "\ufe0f",
    "\x08",
    "\u200e\u200f",
]


@pytest.mark.parametrize("text", INVISIBLE, ids=ascii)
def test_a_text_of_invisible_characters_shows_nothing(text: str) -> None:
    assert not visible(text)
    assert split(text) == []
    assert all(map(visible, split("x" * MOST + text)))
    assert visible(text + "a")


@pytest.mark.parametrize("text", ["a", "👍🏽", "\u0301", "字", "ـ", "\U0001fadf"], ids=ascii)
def test_what_a_reader_sees_is_visible_even_if_it_is_newer_than_the_library(text: str) -> None:
    assert visible(text)


def test_a_short_text_stays_as_it_is() -> None:
    assert split("  two\n\n lines ") == ["  two\n\n lines "]


def test_a_text_as_long_as_a_piece_keeps_the_space_at_its_end() -> None:
    assert split("a word ", most=7) == ["a word "]


def test_all_spaces_between_two_pieces_are_dropped() -> None:
    assert split("aaaa   bbbb", most=6) == ["aaaa", "bbbb"]


def test_a_blank_text_has_no_piece() -> None:
    assert split("") == split(" \n ") == split(" " * 5000) == []


def test_a_text_just_under_the_limit_is_one_piece_and_one_more_character_makes_two() -> None:
    assert [len(piece) for piece in split("x" * MOST)] == [1999]
    assert [len(piece) for piece in split("x" * (MOST + 1))] == [1999, 1]


def test_paragraphs_come_before_sentences_and_sentences_before_words() -> None:
    assert split("One two. Three four.\n\nFive six. Seven", 32) == ["One two. Three four.", "Five six. Seven"]
    assert split("One two three. Four five six seven", 24) == ["One two three.", "Four five six seven"]
    assert split("one two three four five", 12) == ["one two", "three four", "five"]
    assert split("- one two\n- three four", 14) == ["- one two", "- three four"]


def test_a_paragraph_comes_before_a_later_line() -> None:
    assert split("aaaa aaaa\n\nbb\ncc dd ee", 16) == ["aaaa aaaa", "bb\ncc dd ee"]


def test_a_break_in_the_first_half_does_not_make_a_tiny_piece() -> None:
    assert split("Yes.\n\nThat is what it looks like today", 24) == ["Yes.\n\nThat is what it", "looks like today"]


def test_a_long_word_stays_whole_if_the_next_piece_can_hold_it() -> None:
    link = "https://example.org/a-long-address"
    assert split(f"See {link} now", 36) == ["See", link, "now"]


def test_a_quotation_ends_its_sentence() -> None:
    assert split("He said “no.” And then he went away", 24) == ["He said “no.”", "And then he went away"]


def test_sentences_without_spaces_between_them_are_cut_after_their_full_stop() -> None:
    assert split("今日は晴れ。明日は雨です", 8) == ["今日は晴れ。", "明日は雨です"]


def test_a_line_end_of_two_characters_is_one_line_end() -> None:
    assert split("one two\r\nthree four five", 15) == ["one two", "three four five"]


def test_a_cluster_longer_than_a_piece_is_cut() -> None:
    assert [len(piece) for piece in split("a" + "\u0301" * 4500)] == [1999, 1999, 503]


def test_emoji_at_the_cut_move_on_whole() -> None:
    assert split("x" * 1998 + FAMILY) == ["x" * 1998, FAMILY]


def test_a_piece_has_at_least_one_character() -> None:
    with pytest.raises(ValueError, match="allow at least 1"):
        split("text", 0)
