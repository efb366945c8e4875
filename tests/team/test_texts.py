"""What agents write: cleaned of what cannot be seen, and of a size."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.errors import InputError
from clawswarm.team.texts import clean, harmless, line, said

any_text = st.text(st.characters(exclude_categories=()))
"""Halves of characters too: JSON carries them."""


@pytest.mark.parametrize(
    ("wrote", "kept"),
    [
        ("tab\tand\nnewline", "tab\tand\nnewline"),
        ("1\r\n2\r3\x854\u20285\u20296\x0b7\x0c8", "1\n2\n3\n4\n5\n6\n7\n8"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("nul\x00 bell\x07 del\x7f c1\x9b", "nul bell del c1"),
        ("\u202etxet\u202c \u2066in\u2069", "txet in"),
        ("zero\u200bwidth\u200d\ufeff \u2060joined", "zerowidth joined"),
        ("hidden\U000e0041\U000e007f", "hidden"),
        ("half \ud800 a character", "half ? a character"),
        ("Zoë, 漢字, שלום, 🦀", "Zoë, 漢字, שלום, 🦀"),
    ],
)
def test_what_cannot_be_seen_is_gone(wrote: str, kept: str) -> None:
    assert harmless(wrote) == kept


@given(any_text)
def test_what_is_kept_can_be_stored_and_shown(wrote: str) -> None:
    kept = harmless(wrote)
    assert kept.encode().decode() == kept
    assert not [c for c in kept if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert kept.splitlines() == kept.removesuffix("\n").split("\n") or not kept
    assert harmless(kept) == kept


def test_a_text_is_measured_in_bytes_after_it_was_cleaned() -> None:
    assert clean("the goal", "  " + "é" * 5 + "\x00" * 9 + "\n", 10) == "é" * 5
    with pytest.raises(InputError, match=r"the goal has 12 bytes; at most 10 are allowed") as caught:
        clean("the goal", "é" * 6, 10)
    assert "file" in (caught.value.hint or "")


def test_a_megabyte_is_refused_by_its_size() -> None:
    with pytest.raises(InputError, match="has 1,048,576 bytes; at most 65,536 are allowed"):
        clean("the content", "x" * 2**20, 65_536)


@pytest.mark.parametrize("nothing", ["", " \n\t ", "\u200b\u2060", "\x00"])
def test_nothing_is_enough_only_where_nothing_is_needed(nothing: str) -> None:
    assert clean("the context", nothing, 10) == ""
    with pytest.raises(InputError, match="the reason is empty"):
        clean("the reason", nothing, 10, required=True)
    with pytest.raises(InputError, match="the title is empty"):
        line("the title", nothing, 10, required=True)


def test_a_line_is_one_line() -> None:
    assert line("the title", " a\r\nb\t c\u2028d ", 10) == "a b c d"
    with pytest.raises(InputError, match="11 bytes"):
        line("the title", "x" * 11, 10)


@given(any_text, st.integers(1, 50))
def test_the_journal_quotes_one_short_line(wrote: str, most: int) -> None:
    quoted = said(wrote, most)
    assert len(quoted) <= most
    assert "\n" not in quoted
    assert quoted == " ".join(harmless(wrote).split()) or quoted.endswith("…")


def test_a_long_text_is_cut_at_200_characters() -> None:
    assert said("x" * 200) == "x" * 200
    assert said("x" * 201) == "x" * 199 + "…"
