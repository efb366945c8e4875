"""Moments as a team writes them: always in UTC, so that agents and people on other machines agree."""

from datetime import UTC, datetime
from typing import Any, cast

from clawswarm.team.documents import as_json
from clawswarm.types.team import Document

_MOMENTS = frozenset(
    {"at", "opened", "since", "ended", "seen", "deadline", "closed", "resolved", "acknowledged"}
)
"""Fields of documents that hold one."""

_FACTS = frozenset({"saw", "trouble", "rules"})
"""Fields whose content is not ours to read."""


def shown(at: float) -> str:
    """As the operations guide's views have it: 2026-01-28 03:45:00."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def iso(at: float) -> str:
    """As the operations guide's messages have it (ISO 8601): 2026-01-28T03:45:00Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def dated(document: Document) -> dict[str, Any]:
    """A document as JSON for programs: its moments are ISO 8601, everything else is as it is stored."""
    return {"id": document.id, **{name: _dated(name, value) for name, value in as_json(document).items()}}


def _dated(name: str, value: Any) -> Any:
    if name in _FACTS:
        return value
    if isinstance(value, dict):
        return {key: _dated(key, each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_dated("", each) for each in cast("list[Any]", value)]
    return iso(value) if name in _MOMENTS and isinstance(value, float | int) else value
