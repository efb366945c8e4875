"""What the tests of the web share: a web that may reach this machine, names that lead where a test says."""

import socket
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from clawswarm.clock import Clock, SystemClock
from clawswarm.config.model import Research, Settings
from clawswarm.web.address_guard import PageError
from clawswarm.web.extract import PageText, read_page
from clawswarm.web.fetch import Fetched, PageFetcher, open_fetcher
from clawswarm.web.search_duckduckgo import Ask
from clawswarm.web.web import Web, open_web
from tests.fakes.site import HTML

MOST = 6000
"""Characters of a page that are wanted."""

FERRY = (
    "The ferry between the two towns was built in 1987 and carried up to four hundred passengers a trip. It "
    "was sold in 2004, when a bridge was opened further up the fjord, and has since been a floating museum."
)
HARBOUR = (
    "Visitors reach the harbour by tram. The museum is open from April to October, and children under twelve "
    "get in free. A café on the upper deck serves soup, bread and, on Sundays, waffles with brown cheese."
)


class Names(AbstractResolver):
    """Looks names up in a table.

    A name may have several lists of addresses: the first look-up gets the first, and so on; the last stays.

    Attributes:
        asked: names in the order of their look-ups.
    """

    def __init__(self, table: Mapping[str, Sequence[str] | Sequence[Sequence[str]]]) -> None:
        self._answers: dict[str, list[list[str]]] = {}
        for name, found in table.items():
            lists = [[item] if isinstance(item, str) else list(item) for item in found]
            flat = bool(found) and isinstance(found[0], str)
            self._answers[name] = [[address for item in lists for address in item]] if flat else lists
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if (answers := self._answers.get(host)) is None:
            raise OSError(None, f"no address is known for {host}")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [_result(host, address, port) for address in found]

    async def close(self) -> None: ...


def _result(name: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=name, host=address, port=port, family=family, proto=0, flags=flags)


def research(**settings: Any) -> Research:
    """Settings of a web that may reach this machine."""
    return Research.model_validate({"allow_loopback": True, "page_timeout": 4, **settings})


@asynccontextmanager
async def fetching(
    clock: Clock | None = None, *, resolver: AbstractResolver | None = None, **settings: Any
) -> AsyncGenerator[PageFetcher]:
    async with open_fetcher(research(**settings), clock or SystemClock(), resolver=resolver) as fetcher:
        yield fetcher


@asynccontextmanager
async def on_the_web(
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    resolver: AbstractResolver | None = None,
    duckduckgo: Ask | None = None,
    **settings: Any,
) -> AsyncGenerator[Web]:
    whole = Settings(research=research(**settings))
    variables = {"HOME": "/nonexistent", **(environ or {})}
    async with open_web(
        whole, variables, clock=clock or SystemClock(), resolver=resolver, duckduckgo=duckduckgo
    ) as web:
        yield web


async def refused(fetcher: PageFetcher, url: str) -> str:
    """Why a page cannot be had."""
    with pytest.raises(PageError) as caught:
        await fetcher.fetch(url)
    return caught.value.message


def fetched(body: str | bytes, kind: str = HTML, *, charset: str | None = None, cut: bool = False) -> Fetched:
    """A page as if it had been fetched."""
    data = body.encode() if isinstance(body, str) else body
    bare = kind.partition(";")[0]
    return Fetched(url="https://news.example/a", kind=bare, charset=charset, data=data, cut=cut)


def text_of(body: str | bytes, kind: str = HTML, *, charset: str | None = None, most: int = MOST) -> PageText:
    return read_page(fetched(body, kind, charset=charset), most)
