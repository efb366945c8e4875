"""A request as it arrived and an answer ready to send."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.common import obj


def _no_headers() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived. Header names match in any case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    at: float
    number: int = 0

    @property
    def json(self) -> dict[str, Any]:
        """The body, or an empty object where it is none."""
        return obj(self.body)

    @property
    def bearer(self) -> str | None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token else None


@dataclass(frozen=True, slots=True)
class Wire:
    """An HTTP answer ready to send; `tail` is what only a stream that ends well has."""

    status: int
    head: tuple[bytes, ...]
    tail: tuple[bytes, ...] = ()
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=_no_headers)
    stream: bool = False

    @property
    def pieces(self) -> tuple[bytes, ...]:
        return self.head + self.tail


async def forever() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()


def bytes_of(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """The same bytes, one at a time."""
    for piece in pieces:
        for place in range(len(piece)):
            yield piece[place : place + 1]


def whole_response(wire: Wire, extra: Mapping[str, str]) -> web.Response:
    """The answer in one go, with its length."""
    headers = {**extra, **wire.headers, "Content-Type": wire.content_type}
    return web.Response(status=wire.status, body=b"".join(wire.pieces), headers=headers)
