"""A small website on loopback: articles, and everything that a page can do to whoever fetches it.

async with FakeSite() as site:
    site.page("/a", article("Ferries", "The ferry was built in 1987."))
    site.url("/a")                        # http://127.0.0.1:…/a
    site.url("/a", host="news.example")   # for a resolver that leads that name to 127.0.0.1
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import urlsplit

from aiohttp import web

from tests.fakes.behaviours import Waitable
from tests.fakes.wire import forever

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived; `host` is the name that was asked for, without its port."""

    path: str
    host: str
    headers: Mapping[str, str]


Answering = Callable[[web.BaseRequest, Asked], Awaitable[web.StreamResponse]]


class _Server(web.Server):
    """Tells when connections come and go."""

    def __init__(self, site: FakeSite, handle: Callable[[web.BaseRequest], Any]) -> None:
        super().__init__(handle, handler_cancellation=True, access_log=None)
        self._site = site

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._site.connections += 1
        self._site.touch()

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._site.closed += 1
        self._site.touch()


class FakeSite:
    """Serves what it was given, by path; anything else is a 404.

    Attributes:
        requests: what was asked for, in order.
        connections: how many were opened so far; `closed`: how many of them are closed.
        left: how many clients went away before their answer was complete.
        sent: bytes of body handed to the network, by path, of pages that are sent in pieces.
        in_flight, peak: requests being answered, now and at most.
    """

    def __init__(self) -> None:
        self.base = ""
        self.requests: list[Asked] = []
        self.connections = 0
        self.closed = 0
        self.left = 0
        self.in_flight = 0
        self.peak = 0
        self.sent: dict[str, int] = {}
        self._pages: dict[str, Answering] = {}
        self._handlers: set[asyncio.Task[Any]] = set()
        self._closing = False

    # What a test puts there.

    def page(
        self,
        path: str,
        body: str | bytes,
        *,
        kind: str = HTML,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        until: Waitable | None = None,
    ) -> str:
        """An ordinary page, sent once `until` is set; its URL."""
        data = body.encode() if isinstance(body, str) else body

        async def answer(request: web.BaseRequest, asked: Asked) -> web.StreamResponse:
            if until is not None:
                await until.wait()
            response = web.StreamResponse(status=status, headers=_headers(kind, headers))
            response.content_length = len(data)
            await response.prepare(request)
            await self._write(response, asked.path, data)
            return response

        return self.answer(path, answer)

    def redirect(self, path: str, to: str | None, *, status: int = 302) -> str:
        """A redirect, `to` exactly as it is given; None: without a Location."""

        async def answer(request: web.BaseRequest, asked: Asked) -> web.StreamResponse:
            headers = {} if to is None else {"Location": to}
            return web.Response(status=status, headers=headers, text="moved")

        return self.answer(path, answer)

    def packed(self, path: str, data: bytes, encoding: str = "gzip", *, kind: str = HTML) -> str:
        """A body that is packed already, or is said to be."""
        return self.page(path, data, kind=kind, headers={"Content-Encoding": encoding})

    def endless(
        self, path: str, *, piece: bytes = b"<p>more</p>\n" * 4096, headers: Mapping[str, str] | None = None
    ) -> str:
        """A page that goes on until its reader leaves."""

        async def pieces() -> AsyncGenerator[bytes]:
            while True:
                yield piece
                await asyncio.sleep(0)

        return self.pieces(path, pieces, headers=headers)

    def drip(self, path: str, *, every: float = 0.005, first: bytes = b"<p>") -> str:
        """A page that comes one byte at a time, without end."""

        async def pieces() -> AsyncGenerator[bytes]:
            yield first
            while True:
                await asyncio.sleep(every)
                yield b"."

        return self.pieces(path, pieces)

    def stall(self, path: str, first: bytes = b"") -> str:
        """Headers and the first bytes, then silence."""

        async def pieces() -> AsyncGenerator[bytes]:
            yield first
            await forever()

        return self.pieces(path, pieces)

    def silent(self, path: str) -> str:
        """Nothing at all, not even headers."""

        async def answer(request: web.BaseRequest, asked: Asked) -> web.StreamResponse:
            await forever()
            raise AssertionError("forever ended")

        return self.answer(path, answer)

    def pieces(
        self,
        path: str,
        pieces: Callable[[], AsyncGenerator[bytes]],
        *,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """A page whose length nobody states."""

        async def answer(request: web.BaseRequest, asked: Asked) -> web.StreamResponse:
            response = web.StreamResponse(headers=_headers(HTML, headers))
            response.enable_chunked_encoding()
            await response.prepare(request)
            async for piece in pieces():
                await self._write(response, asked.path, piece)
            return response

        return self.answer(path, answer)

    def raw(self, path: str, *data: bytes, endless: bytes = b"") -> str:
        """Exactly these bytes in place of an HTTP answer, then `endless` for ever, or the end."""

        async def answer(request: web.BaseRequest, asked: Asked) -> web.StreamResponse:
            assert request.transport is not None
            request.transport.write(b"".join(data))
            while endless:
                request.transport.write(endless)
                self.sent[asked.path] = self.sent.get(asked.path, 0) + len(endless)
                await request.writer.drain()
                await asyncio.sleep(0)
            request.transport.close()
            return web.Response()

        return self.answer(path, answer)

    def answer(self, path: str, answer: Answering) -> str:
        """Whatever a handler does."""
        self._pages[path] = answer
        return self.url(path)

    # What a test asks.

    def url(self, path: str, *, host: str | None = None) -> str:
        """The address of a page; `host` is another name for this site."""
        return f"http://{host or '127.0.0.1'}:{self.port}{path}"

    @property
    def port(self) -> int:
        return urlsplit(self.base).port or 0

    @property
    def open(self) -> int:
        """Connections that stand."""
        return self.connections - self.closed

    def count(self, path: str) -> int:
        """How often a page was asked for."""
        return sum(asked.path == path for asked in self.requests)

    async def wait_until(self, condition: Callable[[], bool], timeout: float = 4) -> None:
        """Wait for a condition on this site's attributes.

        Raises:
            TimeoutError: it did not come true in time.
        """
        async with asyncio.timeout(timeout):
            while not condition():
                await self._changed.wait()

    async def wait_closed(self) -> None:
        """Wait until no connection is open, and nothing is answered any more."""
        await self.wait_until(lambda: self.open == self.in_flight == 0)

    async def __aenter__(self) -> Self:
        self._changed = asyncio.Event()
        self._runner = web.ServerRunner(_Server(self, self._handle), shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        address = cast("tuple[str, int]", self._runner.addresses[0])
        self.base = f"http://{address[0]}:{address[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        for task in self._handlers:
            task.cancel()
        await self._runner.cleanup()

    # How a request is served.

    def touch(self) -> None:
        """Wake whoever waits for a condition."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        name = (urlsplit(f"//{request.headers.get('Host', '')}").hostname or "").rstrip(".")
        asked = Asked(request.rel_url.raw_path, name, request.headers)
        self.requests.append(asked)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        self.touch()
        try:
            if (answer := self._pages.get(asked.path)) is None:
                return web.Response(status=404, text="<h1>Not found</h1>", content_type="text/html")
            return await answer(request, asked)
        except (asyncio.CancelledError, ConnectionError):
            self.left += not self._closing
            raise
        finally:
            self.in_flight -= 1
            self._handlers.discard(task)
            self.touch()

    async def _write(self, response: web.StreamResponse, path: str, data: bytes) -> None:
        if data:
            await response.write(data)
            self.sent[path] = self.sent.get(path, 0) + len(data)


def article(title: str, *paragraphs: str, head: str = "", body: str = "") -> str:
    """A page as sites make them: navigation, an article, a footer.

    Args:
        paragraphs: text of the article, taken literally.
        head: markup for the head; `body`: markup that follows the article's text.
    """
    text = "\n".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs)
    return f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{html.escape(title)}</title>{head}</head>
<body>
<nav><ul><li><a href="/">Home</a></li><li><a href="/about">About us</a></li></ul></nav>
<main><article><h1>{html.escape(title)}</h1>
{text}
{body}
</article></main>
<footer><p>All rights reserved. <a href="/imprint">Imprint</a></p></footer>
</body></html>
"""


def _headers(kind: str, headers: Mapping[str, str] | None) -> dict[str, str]:
    return {"Content-Type": kind, **(headers or {})}
