"""A site of the internet that redirects to this machine, and the fetcher as users have it."""

import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from clawswarm.clock import SystemClock
from clawswarm.web.address_guard import Guard
from clawswarm.web.connector import GuardedConnector
from clawswarm.web.fetch import PageFetcher
from tests.fakes.site import FakeSite, article
from tests.web.support import FERRY, Names, refused, research

pytestmark = pytest.mark.anyio

PUBLIC = "93.184.215.14"


class Tunnelled(GuardedConnector):
    """A network in which one public address is the site of the test. All its checks are the real ones, but
    for the last, which would see that."""

    def __init__(self, site: FakeSite, names: Names) -> None:
        super().__init__(Guard(), names)
        self._site = site

    def _socket(self, info: Any) -> socket.socket:
        opened = super()._socket(info)
        opened.close()
        return _Led(self._site.port)

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> Any:
        return await aiohttp.TCPConnector.connect(self, req, traces, timeout)


class _Led(socket.socket):
    """A socket that ends at the test's site, wherever it is sent."""

    def __init__(self, port: int) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._port = port

    def connect(self, address: Any, /) -> None:
        super().connect(("127.0.0.1", self._port))


@asynccontextmanager
async def on_the_internet(site: FakeSite) -> AsyncGenerator[PageFetcher]:
    names = Names(
        {"news.example": [PUBLIC], "inside.example": ["127.0.0.1"], "mixed.example": [PUBLIC, "::1"]}
    )
    async with aiohttp.ClientSession(connector=Tunnelled(site, names), auto_decompress=False) as session:
        yield PageFetcher(session, Guard(), SystemClock(), research())


async def test_the_tunnel_leads_to_the_site() -> None:
    async with FakeSite() as site, on_the_internet(site) as fetcher:
        site.page("/a", article("Ferries", FERRY))
        assert b"1987" in (await fetcher.fetch("http://news.example/a")).data


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://[::1]/",
        "http://[::]/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost.localdomain:8080/",
        "http://inside.example/",
        "http://mixed.example/",
        "//127.0.0.1/",
        "http://news.example:6379/",
        "http://news.example@127.0.0.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://169.254.169.254/",
        "http://[fe80::1%25eth0]/",
    ],
)
async def test_a_redirect_to_this_machine_is_refused(to: str) -> None:
    async with FakeSite() as site, on_the_internet(site) as fetcher:
        site.page("/", article("Secrets", "Only this machine may read this."))
        site.redirect("/a", to)
        assert "refused" in await refused(fetcher, "http://news.example/a")
        assert [asked.path for asked in site.requests] == ["/a"]
