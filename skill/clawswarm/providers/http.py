"""The one HTTP client of a process: keep-alive, aiohttp underneath, no limit of its own on connections.

How many calls run at once is decided by the engine's slots. A call that is cancelled closes its socket.
Failures of the transport become `TaskError`s here, so that adapters only read status, headers and bytes.
"""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx2
from httpx_aiohttp.httpx2 import AiohttpTransport
from pydantic_core import from_json

from clawswarm.errors import TaskError

MAX_REPLY_BYTES = 64 * 1024 * 1024
"""More than any model sends: 128k tokens of answer are about half a megabyte."""

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
            f"the reply is not JSON ({kind}, {len(body)} bytes): {_excerpt(text)}",
            hint="check the base URL: a proxy or a login page may have answered instead of the model",
            billed=None,
        ) from None


class HttpStream:
    """An answer that is still coming in."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.headers: Headers = response.headers

    async def read(self) -> HttpReply:
        """The rest of the answer as a whole."""
        return HttpReply(self.status, self.headers, await _read(self._response))

    async def lines(self) -> AsyncIterator[str]:
        """Text lines without their ends, empty ones left out."""
        with _transport_errors():
            async for line in self._response.aiter_lines():
                if line:
                    yield line

    async def events(self) -> AsyncIterator[str]:
        """The data of each server-sent event; comments are left out."""
        with _transport_errors():
            async for event in httpx2.EventSource(self._response):
                if event.data:
                    yield event.data


class Http:
    """Sends requests over the shared transport."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self.transport = transport

    async def post(self, url: httpx2.URL, headers: httpx2.Headers, body: bytes) -> HttpReply:
        """POST `body` and return the whole answer, whatever its status."""
        async with self.stream("POST", url, headers, body) as stream:
            return await stream.read()

    async def get(self, url: httpx2.URL, headers: httpx2.Headers) -> HttpReply:
        """GET `url` and return the whole answer, whatever its status."""
        async with self.stream("GET", url, headers) as stream:
            return await stream.read()

    @asynccontextmanager
    async def stream(
        self, method: str, url: httpx2.URL, headers: httpx2.Headers, body: bytes | None = None
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
            yield HttpStream(response)
        finally:
            await response.aclose()


@asynccontextmanager
async def open_http(environ: Mapping[str, str]) -> AsyncGenerator[Http]:
    """Open the shared client. Proxies are used when the environment names them."""
    context = httpx2.create_ssl_context()
    lowered = {name.lower() for name, value in environ.items() if value}
    transport = AiohttpTransport(
        verify=context, client=_sessions(context, trust_env=not lowered.isdisjoint(_PROXY_VARIABLES))
    )
    try:
        yield Http(transport)
    finally:
        await transport.aclose()


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


async def _read(response: httpx2.Response) -> bytes:
    chunks: list[bytes] = []
    size = 0
    with _transport_errors():
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > MAX_REPLY_BYTES:
                raise TaskError(
                    "invalid_reply", f"the reply is larger than {MAX_REPLY_BYTES >> 20} MiB", billed=None
                )
            chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


@contextmanager
def _transport_errors() -> Any:
    """Failures below HTTP as `TaskError`s."""
    try:
        yield
    except httpx2.ConnectError as error:
        if isinstance(
            error.__cause__, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError
        ):
            raise TaskError(
                "connection_failed",
                f"no secure connection: {error}",
                hint="check the base URL (http or https), the server's certificate, and this machine's clock",
            ) from error
        raise TaskError(
            "connection_failed",
            f"no connection: {error}",
            hint="check that the server runs and that the base URL and port are right",
            retryable=True,
        ) from error
    except (httpx2.DecodingError, httpx2.SSEError) as error:
        raise TaskError("invalid_reply", f"the reply cannot be read: {error}", billed=None) from error
    except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
        raise TaskError("bad_request", f"the base URL cannot be used: {error}") from error
    except (httpx2.HTTPError, aiohttp.ClientError, OSError) as error:
        raise TaskError(
            "connection_failed",
            f"the connection broke before the reply was complete: {error or type(error).__name__}",
            hint="the server or a proxy closed it; this is tried again by itself",
            retryable=True,
            billed=None,
        ) from error


def _excerpt(text: str, limit: int = 120) -> str:
    flat = " ".join(text.split())
    return repr(flat[:limit] + ("…" if len(flat) > limit else ""))
