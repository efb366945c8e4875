"""Agents' text in Markdown: what is written is what is read, and nothing else comes of it."""

import pytest
from hypothesis import given

from clawswarm.team.markdown import MOST_CELL, MOST_QUOTED, cell, inline, item, page, quote, table
from clawswarm.team.texts import harmless, said
from tests.team.markdown import HIDDEN, cells, forgeries, skeleton, tokens, words


@given(text=forgeries)
def test_a_line_is_read_as_it_was_written(text: str) -> None:
    found = tokens(f"Topic: {inline(text)}")
    assert [token.type for token in found] == ["paragraph_open", "inline", "text", "paragraph_close"]
    assert words(found[1]) == f"Topic: {said(text, 400)}"


@given(text=forgeries)
def test_a_list_item_holds_the_words_and_nothing_else(text: str) -> None:
    page = f"- {item(text)}\n- next\n"
    assert skeleton(page) == skeleton("- benign\n- next\n")
    assert [words(token) for token in tokens(page) if token.type == "inline"] == [said(text, 400), "next"]


@given(text=forgeries, other=forgeries)
def test_a_table_keeps_its_rows_and_cells(text: str, other: str) -> None:
    lines = table(("One", "Two"), [(text, other), (other, text)])
    first, second = said(text, MOST_CELL), said(other, MOST_CELL)
    assert len(lines) == 4
    assert cells(page(lines)) == [["One", "Two"], [first, second], [second, first]]


@given(text=forgeries)
def test_a_quotation_is_one_whatever_it_quotes(text: str) -> None:
    lines = quote(text)
    found = page("## Before", lines, "", "After")
    assert all(line.startswith(">") for line in lines)
    assert skeleton(found) == skeleton("## Before\n> benign\n\nAfter\n")
    quoted = [words(token) for token in tokens(found) if token.type == "inline"][1:-1]
    seen = " ".join(quoted).split()
    assert seen == harmless(text).split()


@given(text=forgeries)
def test_nothing_is_left_that_cannot_be_seen(text: str) -> None:
    for shown in (inline(text), cell(text), item(text), "".join(quote(text))):
        assert not HIDDEN.search(shown)
        assert shown.encode().decode() == shown


@pytest.mark.parametrize(
    "plain",
    [
        "Choice between REST vs GraphQL",
        "tests/team/test_views.py",
        "Scout's research: 3 of 4",
        "a_b_c (50 %)",
    ],
)
def test_plain_words_stay_as_they_are(plain: str) -> None:
    assert inline(plain) == cell(plain) == item(plain) == plain


def test_what_is_long_is_cut() -> None:
    assert inline("a" * 500, 10) == "a" * 9 + "…"
    assert cell("*" * 500) == "\\*" * (MOST_CELL - 1) + "…"
    assert len("".join(quote("b" * 9000))) <= MOST_QUOTED + 2
    assert quote("line\n" * 500)[-2:] == ["> line", "> …"]


def test_nothing_is_a_dash_in_a_table() -> None:
    assert cell(" \n\u200b") == "-"
    assert inline("") == item("") == ""
    assert quote(" \n ") == []


def test_a_quotation_keeps_how_code_is_indented() -> None:
    assert quote("if x:\n    y()\n\tz()") == [
        "> if x:",
        "> \u00a0\u00a0\u00a0\u00a0y()",
        "> \u00a0\u00a0\u00a0\u00a0z()",
    ]
