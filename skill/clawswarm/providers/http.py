"""The one HTTP client of a process: keep-alive, aiohttp underneath, no limit of its own on connections.

How many calls run at once is decided by the engine's slots. A call that is cancelled closes its socket.
Failures of the transport become `TaskError`s here, so that adapters only read status, headers and bytes.
"""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import aiohttp
import httpx2
from httpx_aiohttp.httpx2 import AiohttpTransport
from pydantic_core import from_json

from clawswarm.errors import TaskError
from clawswarm.providers.bounded import Bounded, within_limit
from clawswarm.providers.failures import FAILURES, failure
from clawswarm.providers.refusals import short

CONNECT_TIMEOUT = 15.0
"""Seconds to reach a server. Past that it is not slow, it is not there."""

_TIMEOUTS = {"connect": CONNECT_TIMEOUT}
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")

Headers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HttpReply:
    """A whole answer."""

    status: int
    headers: Headers
    body: bytes

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            TaskError: `invalid_reply`, the body is something else (an HTML error page, half a document).
        """
        return parse_json(self.body, self.headers)


def parse_json(body: bytes | str, headers: Headers) -> Any:
    """`body` as JSON, or a `TaskError` `invalid_reply` that shows its beginning."""
    try:
        return from_json(body)
    except ValueError:
        text = body.decode(errors="replace") if isinstance(body, bytes) else body
        kind = headers.get("content-type", "no content type")
        raise TaskError(
            "invalid_reply",
            f"the reply is not JSON ({kind}, {len(body)} bytes): {short(text, 120)!r}",
            hint="check the base URL: a proxy or a login page may have answered instead of the model",
            billed=None,
        ) from None


class HttpStream:
    """An answer that is still coming in. However it is read, no more than `MAX_REPLY_BYTES` of it are,
    unless it comes from a server of our own."""

    def __init__(self, response: httpx2.Response, *, bounded: bool = True) -> None:
        if bounded:
            response.stream = Bounded(cast("httpx2.AsyncByteStream", response.stream))
        self._response = response
        self._bounded = bounded
        self.status = response.status_code
        self.headers: Headers = response.headers

    async def read(self) -> HttpReply:
        """The rest of the answer as a whole."""
        chunks = [chunk async for chunk in self._chunks()]
        return HttpReply(self.status, self.headers, chunks[0] if len(chunks) == 1 else b"".join(chunks))

    async def lines(self) -> AsyncIterator[bytes]:
        """Lines without their ends, empty ones left out. Only a line feed ends a line: JSON text may hold
        the other characters that Python takes for one."""
        pending: list[bytes] = []
        async for chunk in self._chunks():
            first, *more = chunk.split(b"\n")
            pending.append(first)
            for begun in more:
                if line := b"".join(pending).strip():
                    yield line
                pending = [begun]
        if line := b"".join(pending).strip():
            yield line

    async def events(self) -> AsyncIterator[str]:
        """The data of each server-sent event; comments are left out."""
        with _transport_errors():
            async for event in httpx2.EventSource(self._response):
                if event.data:
                    yield event.data

    async def _chunks(self) -> AsyncIterator[bytes]:
        size = 0
        with _transport_errors():
            async for (
                chunk
            ) in self._response.aiter_bytes():  # unpacked, so that packed bombs are counted, too
                size = within_limit(size + len(chunk)) if self._bounded else 0
                yield chunk


class _Post(httpx2.Request):
    """A POST with its headers as they are. The base class works out `Host` and `Content-Length` for each
    request, which aiohttp does again: a tenth of the time a call takes."""

    def __init__(self, url: httpx2.URL, headers: httpx2.Headers, body: bytes) -> None:
        self.method = "POST"
        self.url = url
        self.headers = headers
        self.extensions = {"timeout": _TIMEOUTS}
        self._body = body

    @property
    def content(self) -> bytes:
        return self._body


class Http:
    """Sends requests over the shared transport."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self.transport = transport

    async def post(self, url: httpx2.URL, headers: httpx2.Headers, body: bytes) -> HttpReply:
        """POST `body` and return the whole answer, whatever its status.

        This is the hot path: no context managers, and bytes straight from the transport where the server
        did not compress them.

        Raises:
            TaskError: `connection_failed` or `invalid_reply`.
        """
        try:
            response = await self.transport.handle_async_request(_Post(url, headers, body))
            try:
                plain = "content-encoding" not in response.headers
                stream = cast("httpx2.AsyncByteStream", response.stream) if plain else response.aiter_bytes()
                chunks: list[bytes] = []
                size = 0
                async for chunk in stream:
                    size = within_limit(size + len(chunk))
                    chunks.append(chunk)
            finally:
                await response.aclose()
        except FAILURES as error:
            raise failure(error) from error
        return HttpReply(response.status_code, response.headers, b"".join(chunks))

    async def get(self, url: httpx2.URL, headers: httpx2.Headers) -> HttpReply:
        """GET `url` and return the whole answer, whatever its status."""
        async with self.stream("GET", url, headers) as stream:
            return await stream.read()

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: httpx2.URL,
        headers: httpx2.Headers,
        body: bytes | None = None,
        *,
        bounded: bool = True,
    ) -> AsyncGenerator[HttpStream]:
        """Send a request; the answer's body is read by the caller, and its socket closed at the end.

        Raises:
            TaskError: `connection_failed` or `invalid_reply`.
        """
        request = httpx2.Request(
            method, url, headers=headers, content=body, extensions={"timeout": _TIMEOUTS}
        )
        with _transport_errors():
            response = await self.transport.handle_async_request(request)
        try:
            yield HttpStream(response, bounded=bounded)
        finally:
            await response.aclose()


@asynccontextmanager
async def open_http(environ: Mapping[str, str]) -> AsyncGenerator[Http]:
    """Open the shared client. Proxies are used when the environment names them."""
    context = _trusted()
    lowered = {name.lower() for name, value in environ.items() if value}
    transport = AiohttpTransport(
        verify=context, client=_sessions(context, trust_env=not lowered.isdisjoint(_PROXY_VARIABLES))
    )
    try:
        yield Http(transport)
    finally:
        await transport.aclose()


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates this machine trusts: read once, as that takes longer than all the rest of opening."""
    return httpx2.create_ssl_context()


def _sessions(context: ssl.SSLContext, *, trust_env: bool) -> Callable[[], aiohttp.ClientSession]:
    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, ssl=context, keepalive_timeout=30, ttl_dns_cache=60)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=trust_env,
            skip_auto_headers=("User-Agent",),
        )

    return session


@contextmanager
def _transport_errors() -> Generator[None]:
    """Failures below HTTP as `TaskError`s."""
    try:
        yield
    except FAILURES as error:
        raise failure(error) from error
