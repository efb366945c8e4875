"""The web, opened: pages and search services, chosen when the first research asks."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import anyio.to_thread
from aiohttp.abc import AbstractResolver

from clawswarm.clock import Clock
from clawswarm.config.model import Research, SearchName, Settings
from clawswarm.config.paths import Paths
from clawswarm.providers.http import Http, open_http
from clawswarm.web import choose_search
from clawswarm.web.address_guard import PageError
from clawswarm.web.extract import PageText, read_page
from clawswarm.web.fetch import PageFetcher, open_fetcher
from clawswarm.web.search import SearchBackend
from clawswarm.web.search_duckduckgo import Ask

PARSED_AT_ONCE = 2
PARSING = 20.0
"""Seconds that the text of one page may take to be found."""


@dataclass(slots=True, kw_only=True)
class Web:
    """Reads pages and names who searches. Shared by all researches of a process."""

    settings: Research
    clock: Clock
    _environ: Mapping[str, str]
    _paths: Paths
    _http: Http
    _fetcher: PageFetcher
    _duckduckgo: Ask | None
    _threads: anyio.CapacityLimiter
    _searches: dict[SearchName, SearchBackend] = field(default_factory=dict[SearchName, SearchBackend])

    @property
    def secrets(self) -> tuple[str, ...]:
        """Keys of search services, for redaction."""
        return choose_search.secrets(self._environ, self._paths.keys)

    def search_name(self, provider: str) -> SearchName:
        """Which service a research with this provider asks; raises as `choose_search.search_name`."""
        return choose_search.search_name(self.settings, provider, self._environ, self._paths.keys)

    def search(self, name: SearchName) -> SearchBackend:
        """A service; raises as `choose_search.open_search`."""
        if name not in self._searches:
            self._searches[name] = choose_search.open_search(
                name,
                self.settings,
                self._environ,
                self._paths.keys,
                http=self._http,
                clock=self.clock,
                duckduckgo=self._duckduckgo,
            )
        return self._searches[name]

    async def read(self, address: str, most: int) -> PageText:
        """At most `most` characters of the text of a page.

        Raises:
            PageError: it cannot be had, may not be asked for, or holds no text.
        """
        page = await self._fetcher.fetch(address)
        async with self._threads:
            with anyio.CancelScope() as scope:
                timer = self.clock.call_at(self.clock.monotonic() + PARSING, scope.cancel)
                try:
                    return await anyio.to_thread.run_sync(read_page, page, most, abandon_on_cancel=True)
                finally:
                    timer.cancel()
        raise PageError(f"its text was not found within {PARSING:g} s")


@asynccontextmanager
async def open_web(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    clock: Clock,
    resolver: AbstractResolver | None = None,
    duckduckgo: Ask | None = None,
) -> AsyncGenerator[Web]:
    """The web, until the block ends; its sockets are closed then.

    Args:
        resolver: how names of pages are looked up; None: as this machine does.
        duckduckgo: how DuckDuckGo is asked; None: by the library.
    """
    async with (
        open_http(environ) as http,
        open_fetcher(settings.research, clock, resolver=resolver) as fetcher,
    ):
        yield Web(
            settings=settings.research,
            clock=clock,
            _environ=environ,
            _paths=Paths.of(environ),
            _http=http,
            _fetcher=fetcher,
            _duckduckgo=duckduckgo,
            _threads=anyio.CapacityLimiter(PARSED_AT_ONCE),
        )
