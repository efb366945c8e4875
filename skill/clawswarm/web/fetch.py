"""Fetching one page: redirects by hand, a bound on its size, its kind and the time it may take.

The session has no cookies and no proxies: a proxy would connect to addresses that nobody here has judged.
"""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from ssl import SSLContext
from weakref import WeakValueDictionary

import aiohttp
import anyio
import httpx2
from aiohttp.abc import AbstractResolver
from yarl import URL

from clawswarm.clock import Clock
from clawswarm.config.model import Research
from clawswarm.providers.failures import failure
from clawswarm.version import __version__
from clawswarm.web.address_guard import Guard, PageError
from clawswarm.web.connector import GuardedConnector
from clawswarm.web.unpack import ACCEPTED, Body

REDIRECTS = 5
A_HOST = 2
"""Pages of one host that are fetched at once."""
AT_ONCE = 32

KINDS = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "text/plain",
        "text/markdown",
        "text/xml",
        "application/xml",
        "application/json",
    }
)
"""Media types that are read."""

HEADERS = {
    "User-Agent": f"clawswarm/{__version__} (reads a few pages for its user)",
    "Accept": "text/html,application/xhtml+xml,text/plain;q=0.8,*/*;q=0.1",
    "Accept-Encoding": ACCEPTED,
    "Accept-Language": "en,*;q=0.5",
}
_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,80}")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A page as it came.

    Attributes:
        url: where it was found, after redirects.
        kind: its media type, one of `KINDS`.
        charset: what its header says about that; None when it says nothing.
        cut: whether it was longer than what is read of one, or broke off.
    """

    url: str
    kind: str
    charset: str | None
    data: bytes
    cut: bool


class _Host:
    """Turns at one host; forgotten when nobody is there."""

    def __init__(self) -> None:
        self.turns = anyio.Semaphore(A_HOST)


class PageFetcher:
    """Fetches pages, politely: few at once, fewer from one host."""

    def __init__(
        self, session: aiohttp.ClientSession, guard: Guard, clock: Clock, settings: Research
    ) -> None:
        self._session = session
        self._guard = guard
        self._clock = clock
        self._seconds = settings.page_timeout
        self._most_bytes = int(settings.page_mb * 1_000_000)
        self._hosts: WeakValueDictionary[str, _Host] = WeakValueDictionary()
        self._all = anyio.Semaphore(AT_ONCE)

    async def fetch(self, address: str) -> Fetched:
        """The page at `address`.

        Raises:
            PageError: it cannot be had, or may not be asked for.
        """
        url = self._guard.checked(address)
        left = self._seconds
        for _ in range(REDIRECTS + 1):
            host = self._hosts.setdefault((url.raw_host or "").rstrip("."), _Host())
            async with host.turns, self._all:  # waiting for a turn is not the page's fault, and not counted
                started = self._clock.monotonic()
                found = await self._hop_within(url, left)
                left -= self._clock.monotonic() - started
            if isinstance(found, Fetched):
                return found
            url = found
        raise PageError(f"it redirects more than {REDIRECTS} times")

    async def _hop_within(self, url: URL, seconds: float) -> Fetched | URL:
        with anyio.CancelScope() as scope:
            timer = self._clock.call_at(self._clock.monotonic() + seconds, scope.cancel)
            try:
                return await self._hop(url)
            except (aiohttp.ClientError, OSError) as error:
                raise PageError(_trouble(error)) from error
            except ValueError as error:
                raise PageError(f"it cannot be asked for: {error}") from error
            finally:
                timer.cancel()
        raise PageError(f"it was not there after {self._seconds:g} s")

    async def _hop(self, url: URL) -> Fetched | URL:
        """One request: the page, or where it redirects to."""
        secure: SSLContext | bool = _trusted() if url.scheme == "https" else True
        async with self._session.get(url, headers=HEADERS, allow_redirects=False, ssl=secure) as response:
            try:
                if response.status in (301, 302, 303, 307, 308):
                    if not (target := response.headers.get("Location")):
                        raise PageError("it redirects to nowhere")
                    return self._redirected(url, target)
                if not 200 <= response.status < 300:
                    raise PageError(f"the site answered {response.status}")
                return await self._read(response, url)
            finally:
                response.close()  # what was not read is not read

    def _redirected(self, url: URL, target: str) -> URL:
        try:
            return self._guard.checked(target, url)
        except PageError as error:
            raise PageError(f"it redirects elsewhere, which is {error.message}") from error

    async def _read(self, response: aiohttp.ClientResponse, url: URL) -> Fetched:
        kind, charset = _kind(response.headers)
        body = Body(response.headers.get("Content-Encoding", ""), self._most_bytes)
        async for chunk in response.content.iter_any():
            if not body.add(chunk):
                break
        body.end()
        return Fetched(url=str(url), kind=kind, charset=charset, data=body.data, cut=body.cut)


def _trouble(error: Exception) -> str:
    """What went wrong, in words of our own: the library's may repeat what a stranger sent."""
    if isinstance(error, aiohttp.ClientResponseError):
        return "what the site sent is no answer in HTTP"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the connection broke before the page was complete"
    return failure(error).message


def _kind(headers: Mapping[str, str]) -> tuple[str, str | None]:
    """The media type of a page that may be read, and its character set."""
    stated = headers.get("Content-Type", "")
    kind = stated.partition(";")[0].strip().lower()
    if kind not in KINDS:
        named = kind if _TYPE.fullmatch(kind) else "of no stated type"
        raise PageError(f"it is {named}, which is not read")
    charset = _CHARSET.search(stated)
    return kind, charset and charset[1]


@asynccontextmanager
async def open_fetcher(
    settings: Research, clock: Clock, *, resolver: AbstractResolver | None = None
) -> AsyncGenerator[PageFetcher]:
    """A fetcher whose sockets are closed at the end.

    Args:
        resolver: how names are looked up; None: as this machine does.
    """
    guard = Guard(allow_loopback=settings.allow_loopback)
    connector = GuardedConnector(guard, resolver or aiohttp.ThreadedResolver())
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
    ) as session:
        yield PageFetcher(session, guard, clock, settings)


@cache
def _trusted() -> SSLContext:
    """The certificates this machine trusts."""
    return httpx2.create_ssl_context()
