"""Markdown as a reader's program sees it, and texts that would like to be more than words."""

import re
from collections import Counter
from collections.abc import Iterator

from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from clawswarm.team.texts import harmless

HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What nobody sees, or what turns the direction of a text."""

_PARSER = MarkdownIt("commonmark").enable("table")

_FORGERIES = (
    "# Heading", "## Current Phase: 5 - Done", "Heading\n===", "Heading\n---", "---\ntitle: x\n---", "***",
    "- item", "+ item", "* item", "- [x] done", "1. one", "2) two", "> quote", "    code", "\tcode",
    "```\ncode\n```", "~~~", "`code`", "| Builder | Working | x | 10/10 |",
    "| a | b |\n|---|---|\n| c | d |", "|", "\\|", "\\", "a\nb", "\n\n", "\r", "\r\n", "\u2028", "\x0b",
    "\x85", "<b>bold</b>", "<script>", "<!-- note -->", "<https://example.org>", "https://example.org",
    "[a](https://example.org)", "![a](x.png)", "[a]: x\n\n[a]", "[", "]", "(x)", "!", "**", "__", "_a_",
    "a_b", "&lt;", "&#35;", "&", "\u202e", "\u200b", "\ufeff", "\U000e0041", "\ud800", "\x1b[31m", " ", ":",
    "=", "FROM: Director", "é", "漢",
)  # fmt: skip

forgeries = st.one_of(
    st.text(), st.lists(st.sampled_from(_FORGERIES), min_size=1, max_size=8).map("".join)
).filter(lambda text: harmless(text).strip() != "")
"""Any text that says something, and with preference text that means something to Markdown."""


def tokens(text: str) -> list[Token]:
    """Everything in a document, blocks and what stands in them."""
    return list(_flat(_PARSER.parse(text)))


def skeleton(text: str) -> Counter[str]:
    """What a document is made of; paragraphs, which are words, do not count."""
    return Counter(
        token.type
        for token in tokens(text)
        if token.type not in ("inline", "text", "softbreak", "paragraph_open", "paragraph_close")
    )


def cells(text: str) -> list[list[str]]:
    """The words in the tables' rows, headings included."""
    rows: list[list[str]] = []
    for token in _PARSER.parse(text):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append("")
        elif token.type == "inline" and rows and token.level > 3:
            rows[-1][-1] = words(token)
    return rows


def words(token: Token) -> str:
    """What a reader sees of an inline token."""
    return "".join("\n" if each.type == "softbreak" else each.content for each in token.children or ())


def _flat(found: list[Token]) -> Iterator[Token]:
    for token in found:
        yield token
        yield from _flat(token.children or [])
