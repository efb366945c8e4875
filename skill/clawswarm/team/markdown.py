"""Text of agents in Markdown: words that a reader sees, and nothing that a renderer or a `grep` acts on.

What an agent wrote stays on one line, in one cell or behind quotation marks, and every character that could
begin a heading, a list, a table, a link, an image, HTML, code or an entity is escaped. Whoever reads the
plain file is not fooled either: no line of it begins with what an agent wrote.
"""

import re
from collections.abc import Sequence

from clawswarm.team.texts import harmless, said

MOST_CELL = 200
MOST_ITEM = 400
MOST_QUOTED = 4_000
MOST_LINES = 60
"""Characters of a cell, a list item and a quotation, and lines of a quotation, that are shown."""

_DEEPEST = 16
"""Columns of indentation that a quotation keeps."""

_ACTIVE = re.compile(r"[\\`*\[\]<|~]|(?<!\w)_++|_++(?!\w)|&(?=[#A-Za-z])")
"""What means something in a line. An underscore between letters means nothing: names of files keep it."""
_OPENING = re.compile(r"[#>+=:-]|\d+(?=[.)])")
"""What means something at the beginning of a line, besides."""
_NO_BREAK_SPACE = "\u00a0"


def inline(text: str, most: int = MOST_ITEM) -> str:
    """`text` on one line of at most `most` characters (without the escapes), for after words of ours."""
    return _escaped(said(text, most))


def item(text: str, most: int = MOST_ITEM) -> str:
    """As `inline`, for the beginning of a list item."""
    return _opened(inline(text, most))


def cell(text: str, most: int = MOST_CELL) -> str:
    """As `inline`, for a table; a dash for nothing."""
    return inline(text, most) or "-"


def quote(text: str, most: int = MOST_QUOTED) -> list[str]:
    """The lines of `text` as a quotation, which keeps their indentation; none for no text."""
    lines = harmless(text).strip().splitlines()
    kept = shortened("\n".join(lines[:MOST_LINES]), most).splitlines()
    if len(lines) > MOST_LINES and kept[-1] != "…":
        kept.append("…")
    return [f"> {_quoted(line)}".rstrip(" ") for line in kept]


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table. Headings are ours; cells are any text."""
    return [
        _row(headings),
        f"|{'|'.join('-' * (len(heading) + 2) for heading in headings)}|",
        *(_row([cell(text) for text in row]) for row in rows),
    ]


def page(*parts: str | Sequence[str]) -> str:
    """Lines and groups of lines as a file."""
    lines: list[str] = []
    for part in parts:
        lines += [part] if isinstance(part, str) else part
    return "\n".join(lines) + "\n"


def shortened(text: str, most: int) -> str:
    """`text`, or its beginning and an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def _quoted(line: str) -> str:
    words = line.expandtabs(4)
    depth = min(len(words) - len(words.lstrip()), _DEEPEST)
    return _NO_BREAK_SPACE * depth + _opened(_escaped(words.strip()))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    return _ACTIVE.sub(lambda found: "".join(f"\\{character}" for character in found[0]), text)


def _opened(line: str) -> str:
    """A line that begins nothing. The dot or bracket behind a number is escaped, a digit cannot be."""
    opening = _OPENING.match(line)
    if opening is None:
        return line
    at = opening.end() if opening[0].isdigit() else 0
    return f"{line[:at]}\\{line[at:]}"
