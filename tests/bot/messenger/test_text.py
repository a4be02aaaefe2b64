import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from uniseg.graphemecluster import grapheme_clusters  # type: ignore[import-untyped]  # it comes without types

from bot.messenger.text import MOST, clusters, split

FAMILY = "👨‍👩‍👧‍👦"

# After GraphemeBreakTest.txt of the Unicode Character Database: one text, cut as it says.
UNICODE_CASES = {
    "a line end of two characters": ["\r\n", "a"],
    "line ends the other way round": ["\n", "\r"],
    "controls stand alone": ["a", "\x01", "\u0308"],
    "a letter with a combining mark": ["a\u0308", "b"],
    "a blank with a combining mark": [" \u0308", " "],
    "a mark before anything": ["\u0308", "a"],
    "Hangul from single letters": ["\u1100\u1160\u11a8", "\u1100"],
    "a Hangul syllable with another final": ["\uac00\u11a8", "\uac01\u11a8", "\u1100"],
    "three flags and a half": ["🇩🇪", "🇫🇷", "🇮🇹", "🇬"],
    "flags with a letter between": ["a", "🇦🇧", "🇨", "b"],
    "a flag after a joiner": ["🇦🇧\u200d", "🇨🇩"],
    "a flag of tags": ["🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "a"],
    "a family": [FAMILY, FAMILY],
    "skin tones": ["👶🏿", "👶"],
    "two joiners between pictures": ["👶\u200d\u200d", "👶"],
    "a joiner between letters": ["a\u200d", "👶"],
    "a picture, marks, a joiner, a picture": ["👶🏿\u0308\u200d👶🏿", "b"],
    "a keycap": ["1\ufe0f\u20e3", "2"],
    "a sign before a number": ["\u0600" + "1", "2"],
    "a spacing mark": ["a\u0903", "b"],
    "an Indic conjunct": ["\u0915\u094d\u0924", "\u0915"],
    "an Indic conjunct with a joiner": ["\u0915\u094d\u200d\u0924"],
    "an Indic conjunct with a nukta": ["\u0915\u093c\u094d\u0924", "\u0924"],
    "Indic consonants held apart": ["\u0915\u094d\u200c", "\u0924"],
    "a linker after a letter": ["a\u094d", "\u0924"],
    "Thai with its vowel": ["\u0e01\u0e33", "\u0e01"],
}


@pytest.mark.parametrize("expected", UNICODE_CASES.values(), ids=UNICODE_CASES)
def test_clusters_are_those_of_the_unicode_standard(expected: list[str]) -> None:
    assert list(clusters("".join(expected))) == expected


def test_nothing_has_no_clusters() -> None:
    assert list(clusters("")) == []


def _known(character: str) -> bool:
    """Whether this Python's tables have the character: the peer's are of a later version of Unicode."""
    return unicodedata.category(character) not in {"Cn", "Cs", "Co"}


TELLING = st.sampled_from(
    [
        *"aé \n\r\t.🇩🇪👨👩🏿❤",  # letters, blanks, halves of flags, pictures, a skin tone
        *"\u0308\u200c\u200d\ufe0f\U000e0067",  # marks, joiners, a selector, a tag
        *"\u0915\u0924\u094d\u093c\u0903\u0600",  # Indic consonants and signs, a sign before numbers
        *"\u1100\u1160\u11a8\uac00\uac01\u0e01\u0e33",  # Hangul by letters and syllables, Thai
    ]
)
ANY_TEXT = st.text(st.one_of(TELLING, st.characters(exclude_categories=["Cs", "Cn", "Co"]).filter(_known)))


SIMPLE = {"Lu", "Ll", "Lt", "Lm", "Lo", "Nd", "Nl", "No", "Po", "Pd", "Ps", "Pe", "Pi", "Pf", "Pc", "Sm", "Sc"}


def test_every_known_character_joins_its_neighbours_as_in_a_peer() -> None:
    known = (chr(code) for code in range(0x110000) if _known(chr(code)))
    # Letters and the like stand alone nearly everywhere: of the higher planes every thousandth is enough.
    telling = (
        each for each in known if ord(each) < 0x1200 or unicodedata.category(each) not in SIMPLE or not ord(each) % 997
    )
    text = "".join(f"a{each}a" for each in telling)
    assert list(clusters(text)) == list(grapheme_clusters(text))


@given(ANY_TEXT)
def test_clusters_are_those_of_a_peer(text: str) -> None:
    assert list(clusters(text)) == list(grapheme_clusters(text))


@pytest.mark.parametrize("most", [1, 2, 3, 7, 40])
@given(text=ANY_TEXT)
@example(text=f"{FAMILY}{FAMILY}")
@example(text=" \u0308 \u0308")
@example(text="a\u0600 ")
def test_pieces_hold_the_whole_text_but_blanks_and_cut_no_cluster_that_fits(most: int, text: str) -> None:
    pieces = split(text, most)
    assert all(0 < len(piece) <= most and piece.strip() for piece in pieces)
    assert _without_blanks("".join(pieces)) == _without_blanks(text)
    if len(text) > most:
        whole = [cluster for cluster in clusters(text) if not cluster.isspace()]
        if all(len(cluster) <= most for cluster in whole):
            assert [c for piece in pieces for c in clusters(piece) if not c.isspace()] == whole


def _without_blanks(text: str) -> str:
    return "".join(text.split())


def test_a_short_text_stays_as_it_is() -> None:
    assert split("  two\n\n lines ") == ["  two\n\n lines "]


def test_a_text_as_long_as_a_piece_keeps_the_blank_at_its_end() -> None:
    assert split("a word ", most=7) == ["a word "]


def test_all_blanks_at_a_cut_are_left_out() -> None:
    assert split("aaaa   bbbb", most=6) == ["aaaa", "bbbb"]


def test_a_blank_text_gives_no_piece() -> None:
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


def test_sentences_without_blanks_between_them_are_cut_after_their_full_stop() -> None:
    assert split("今日は晴れ。明日は雨です", 8) == ["今日は晴れ。", "明日は雨です"]


def test_a_line_end_of_two_characters_is_one_line_end() -> None:
    assert split("one two\r\nthree four five", 15) == ["one two", "three four five"]


def test_a_cluster_longer_than_a_piece_is_cut_for_it_could_not_be_sent_at_all() -> None:
    assert [len(piece) for piece in split("a" + "\u0301" * 4500)] == [1999, 1999, 503]


def test_emoji_at_the_cut_move_on_whole() -> None:
    assert split("x" * 1998 + FAMILY) == ["x" * 1998, FAMILY]


def test_a_piece_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="allow at least 1"):
        split("text", 0)
