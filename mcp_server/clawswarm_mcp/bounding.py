"""Replies that a model can read: a page of what fits, and texts that are cut where even one does not.

A reply may have 8,000 tokens. They are counted in bytes, which is on the safe side for every script: English
has about four bytes a token, Chinese three.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic_core import to_json

MOST_BYTES = 22_000
"""Bytes of rows in one reply; text, names and the envelope come on top."""

_CUTS = (8_000, 4_000, 2_000, 1_000, 400, 150)
"""Characters of a text, and a hundredth of it members of a list, tried until a row fits."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """Rows that fit, and whether the first of them had to be cut for that."""

    rows: list[dict[str, Any]]
    cut: bool


def fit(rows: Sequence[dict[str, Any]], most: int = MOST_BYTES) -> Fitting:
    """As many of `rows` as fit into `most` bytes; at least the first, if need be cut."""
    kept: list[dict[str, Any]] = []
    left = most
    for row in rows:
        left -= size(row)
        if left < 0:
            break
        kept.append(row)
    if kept or not rows:
        return Fitting(kept, cut=False)
    return Fitting([shortened(rows[0], most)], cut=True)


def shortened(row: dict[str, Any], most: int) -> dict[str, Any]:
    """The row with its long texts and lists cut, so that it fits into `most` bytes."""
    for longest in _CUTS:
        short = cast("dict[str, Any]", _cut(row, longest))
        if size(short) <= most:
            return short
    return {name: value for name, value in row.items() if isinstance(value, int | bool)}


def cut(text: str, longest: int) -> str:
    """The beginning of a text, and how much is left out."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… [cut: {longest:,} of {len(text):,} characters]"


def size(value: Any) -> int:
    """Bytes of the value as JSON."""
    return len(to_json(value, inf_nan_mode="null"))


def _cut(value: Any, longest: int) -> Any:
    if isinstance(value, str):
        return cut(value, longest)
    if isinstance(value, list):
        members = cast("list[Any]", value)
        return [_cut(each, longest) for each in members[: max(1, longest // 100)]]
    if isinstance(value, dict):
        return {name: _cut(each, longest) for name, each in cast("dict[str, Any]", value).items()}
    return value
