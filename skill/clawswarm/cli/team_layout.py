"""Sections of a screen in the room that there is: what matters most keeps its rows longest."""

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Lines that belong together.

    Attributes:
        head: what stays as long as there is any room.
        rows: what gives way when room is short, a whole row at a time.
        rank: sections with a low one keep their rows longest.
        tail: the last lines stay, not the first.
    """

    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    rank: int
    tail: bool = False

    @property
    def height(self) -> int:
        return len(self.head) + sum(len(row) for row in self.rows)

    def lines(self, room: int) -> list[str]:
        """As much as `room` lines hold. What is left out is counted, but for what lies further back."""
        if room <= 0:
            return []
        if self.height <= room:
            return [*self.head, *(line for row in self.rows for line in row)]
        left = room - len(self.head)
        if self.tail:
            return [*self.head, *_flat(self.rows)[-left:]] if left > 0 else list(self.head[:room])
        left -= 1  # for the note
        shown: list[Sequence[str]] = []
        for row in self.rows:
            if len(row) > left and shown:
                break
            shown.append(row[: max(0, left)])
            left -= len(row)
        hidden = len(self.rows) - sum(bool(row) for row in shown)
        note = [f"{_indent(self.rows[0])}… and {hidden} more"] if hidden else []
        return [*self.head, *_flat(shown), *note][:room]


def arranged(sections: Sequence[Section], room: int | None) -> list[str]:
    """Sections below each other, with an empty line between two where there is room for that.

    Args:
        room: lines that there are; None for as many as it takes.
    """
    there = [section for section in sections if section.height]
    whole = sum(section.height for section in there)
    airy = room is None or whole + len(there) - 1 <= room
    given = _given(there, whole if room is None else room)
    lines: list[str] = []
    for section, height in zip(there, given, strict=True):
        if airy and lines:
            lines.append("")
        lines += section.lines(height)
    return lines if room is None else lines[:room]


def _given(sections: Sequence[Section], room: int) -> list[int]:
    """Lines for each section: the heads of all, and then rows, by rank."""
    heads = [len(section.head) for section in sections]
    given = [0] * len(sections)
    for index in sorted(range(len(sections)), key=lambda index: sections[index].rank):
        later = sum(head for other, head in enumerate(heads) if sections[other].rank > sections[index].rank)
        given[index] = max(0, min(sections[index].height, max(heads[index], room - later)))
        room -= given[index]
    return [max(0, height) for height in given]


def fit(line: str, width: int) -> str:
    """`line` in at most `width` columns; what does not fit ends in an ellipsis."""
    return line if cell_len(line) <= width else f"{set_cell_size(line, width - 1).rstrip()}…"


def column(texts: Iterable[str], most: int) -> int:
    """The width of a column that holds these texts."""
    return min(most, max((cell_len(text) for text in texts), default=0))


def padded(text: str, width: int) -> str:
    """`text` in exactly that many columns."""
    return set_cell_size(fit(text, width), width)


def wrapped(
    text: str, width: int, *, first: str = "", then: str | None = None, most: int | None = None
) -> list[str]:
    """Words on as many lines as they need, or on `most`; then the last one ends in an ellipsis.

    Args:
        first, then: what the first line and the others begin with.
    """
    wide = max(1, cell_len(text)) / max(1, len(text))  # some signs take two columns
    indent = first if then is None else then
    lines = textwrap.wrap(text, max(20, int(width / wide)), initial_indent=first, subsequent_indent=indent)
    if most is not None and len(lines) > most:
        lines = [*lines[: most - 1], fit(f"{lines[most - 1]} …", width)]
    return [fit(line, width) for line in lines] or [first.rstrip()]


def _flat(rows: Iterable[Sequence[str]]) -> list[str]:
    return [line for row in rows for line in row]


def _indent(row: Sequence[str]) -> str:
    return row[0][: len(row[0]) - len(row[0].lstrip())]
