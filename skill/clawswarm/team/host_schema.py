"""Which of the host's settings an installed host knows.

It refuses to start with a key that it does not know, so that none is ever written on a guess: OpenClaw tells
its own schema; Clawdbot, and an OpenClaw that cannot be asked, are known from what was read of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from clawswarm.providers.shape import children, is_object
from clawswarm.team.host import Host
from clawswarm.team.host_settings import KEYS, TIMEOUT, Key
from clawswarm.team.programs import run_program

KNOWN_SINCE = (2026, 9, 6)
"""The OpenClaw whose schema was read; it knows every key."""

SECONDS = 30.0
"""Time that the host may take to tell about itself."""

_NOT_IN_CLAWDBOT = frozenset({TIMEOUT})
"""Clawdbot 2026.1.24 takes it as an argument of `sessions_spawn` only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Which keys a host takes.

    Attributes:
        source: where that is known from, in words.
        version: of the host; None where it is not known.
        unknown: those that it does not take, or that nobody knows it takes.
    """

    source: str
    version: str | None
    unknown: frozenset[Key]


async def ask_host(host: Host, environ: Mapping[str, str]) -> Known | None:
    """What the host's own program says that it takes; None where it does not say."""
    if host.command is None or host.name != "openclaw":
        return None
    ran = await run_program(host.command, "config", "schema", "--json", environ=environ, seconds=SECONDS)
    try:
        schema: Any = from_json(ran.out) if ran is not None and ran.status == 0 else None
    except ValueError:
        return None
    if not is_object(schema) or not is_object(schema.get("properties")):
        return None
    told = await run_program(host.command, "--version", environ=environ, seconds=SECONDS)
    words = told.out.split() if told is not None and told.status == 0 else []
    version = next((word for word in words if word[:1].isdigit()), None)
    missing = frozenset(key for key in KEYS if not _has(schema, key))
    return Known(source=f"the schema of {host.command}", version=version, unknown=missing)


def from_reading(host: Host, touched: str | None) -> Known:
    """What is known of a host that cannot be asked.

    Args:
        touched: the version that its configuration says was the last to write it.
    """
    if host.name == "clawdbot":
        return Known(source="what was read of Clawdbot 2026.1.24", version=touched, unknown=_NOT_IN_CLAWDBOT)
    sure = _numbers(touched) >= KNOWN_SINCE
    source = "what was read of OpenClaw 2026.9.6" + ("" if sure else "; this one may be older")
    return Known(source=source, version=touched, unknown=frozenset() if sure else _NOT_IN_CLAWDBOT)


def of_no_host() -> Known:
    """Where no host is installed, the newest that was read is the one that will be."""
    return Known(source="what was read of OpenClaw 2026.9.6", version=None, unknown=frozenset())


def _has(schema: Mapping[str, Any], key: Iterable[str]) -> bool:
    """Whether a JSON Schema names the key; alternatives are all looked at."""
    shapes: list[Mapping[str, Any]] = [schema]
    for part in key:
        below = [shape.get("properties", {}).get(part) for shape in _alternatives(shapes)]
        shapes = [shape for shape in below if is_object(shape)]
    return bool(shapes)


def _alternatives(shapes: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for shape in shapes:
        yield shape
        yield from _alternatives([*children(dict(shape), "anyOf"), *children(dict(shape), "allOf")])


def _numbers(version: str | None) -> tuple[int, ...]:
    parts = (version or "").partition("-")[0].split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()
