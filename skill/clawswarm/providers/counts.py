"""Token counts as servers send them, taken only where they make sense: what is odd is not known."""

from typing import Any

from clawswarm.providers.shape import JsonDict
from clawswarm.types.result import Usage

MOST = 10**9
"""Tokens that no single call has. Anything above is a mistake, and would overflow the ledger."""


def count(parent: JsonDict, name: str) -> int | None:
    """The count under `name`: 0 when there is none, None when it cannot be a count."""
    value: Any = parent.get(name)
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        return None
    return int(value)


def total(*counts: int | None) -> int | None:
    """The sum; None when a part is not known."""
    known = [number for number in counts if number is not None]
    return sum(known) if len(known) == len(counts) else None


def usage(
    input_tokens: int | None, output_tokens: int | None, cached: int | None = 0, written: int | None = 0
) -> Usage | None:
    """A `Usage`; None when a part of it is not known, or the parts are more than the whole."""
    if input_tokens is None or output_tokens is None or cached is None or written is None:
        return None
    if cached + written > input_tokens:
        return None
    return Usage(input_tokens, output_tokens, cached, written)
