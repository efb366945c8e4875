"""A bound on what a server may send: a reply without an end must not fill the memory."""

from collections.abc import AsyncIterator
from typing import cast

import httpx2

MAX_REPLY_BYTES = 32 * 1024 * 1024
"""More than any model sends: 128k tokens of answer are about half a megabyte, and twenty when streamed."""


class TooLarge(httpx2.DecodingError):
    """A reply passed the bound."""


def within_limit(size: int) -> int:
    """`size`, unless it is too much."""
    if size > MAX_REPLY_BYTES:
        raise TooLarge(f"it is larger than {MAX_REPLY_BYTES >> 20} MiB")
    return size


class Bounded(httpx2.AsyncByteStream):
    """A body that ends, at the latest, at the bound."""

    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size = within_limit(size + len(chunk))
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


class BoundedTransport(httpx2.AsyncBaseTransport):
    """A transport whose replies end, at the latest, at the bound."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        response.stream = Bounded(cast("httpx2.AsyncByteStream", response.stream))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()
