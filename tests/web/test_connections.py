"""Where connections end: whatever a name resolves to, and whenever, never inside."""

import socket
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import ResolveResult

from clawswarm.clock import SystemClock
from clawswarm.config.model import Research
from clawswarm.web.address_guard import Guard, PageError
from clawswarm.web.connector import GuardedConnector, GuardedResolver
from clawswarm.web.fetch import open_fetcher
from tests.fakes.site import FakeSite, article
from tests.web.support import FERRY, Names, fetching, on_the_web, refused

pytestmark = pytest.mark.anyio

PRIVATE = ["10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.100.100.200", "168.63.129.16"]
PRIVATE_V6 = ["fd00:ec2::254", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"]


class TwoFaced(dict[str, Any]):
    """A look-up's answer that is another one when it is read again."""

    def __init__(self, answer: Mapping[str, Any], hosts: list[str]) -> None:
        super().__init__(answer)
        self._hosts = hosts

    def __getitem__(self, name: str) -> Any:
        if name == "host":
            return self._hosts.pop(0) if len(self._hosts) > 1 else self._hosts[0]
        return super().__getitem__(name)


class Rebinding(Names):
    """Says a public address to whoever asks first, and this machine's afterwards."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found: list[Any] = [
            TwoFaced(item, ["93.184.215.14", "127.0.0.1"])
            for item in await super().resolve(host, port, family)
        ]
        return found


class Unwatched(GuardedConnector):
    """A connector that opens sockets to wherever; what is left is the look at the connection itself."""

    def _socket(self, info: Any) -> socket.socket:
        return socket.socket(info[0], info[1], info[2])


async def test_a_name_is_looked_up_where_the_test_says() -> None:
    async with FakeSite() as site, on_the_web(resolver=Names({"news.example": ["127.0.0.1"]})) as web:
        site.page("/a", article("Ferries", FERRY))
        page = await web.read(site.url("/a", host="news.example"), 2000)
        assert site.requests[0].host == "news.example"
    assert "built in 1987" in page.text
    assert page.url.startswith("http://news.example:")


@pytest.mark.parametrize("address", PRIVATE + PRIVATE_V6)
async def test_a_name_that_leads_inside_is_not_followed(address: str) -> None:
    names = Names({"news.example": [address]})
    async with fetching(resolver=names) as fetcher:
        reason = await refused(fetcher, "http://news.example/")
    assert reason == f"refused: {address} is not a public address"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0", "::"])  # noqa: S104 - an address to refuse
async def test_a_name_that_leads_to_this_machine_is_not_followed(address: str) -> None:
    names = Names({"news.example": [address]})
    async with open_fetcher(Research(), SystemClock(), resolver=names) as fetcher:
        reason = await refused(fetcher, "http://news.example/")
    assert "is not a public address" in reason


@pytest.mark.parametrize(
    "mixed", [["127.0.0.1", "10.0.0.1"], ["10.0.0.1", "127.0.0.1"], ["127.0.0.1", "fe80::1%2"]]
)
async def test_one_closed_address_among_others_closes_the_name(mixed: list[str]) -> None:
    async with FakeSite() as site, fetching(resolver=Names({"news.example": mixed})) as fetcher:
        site.page("/a", article("Ferries", FERRY))
        assert "is not a public address" in await refused(fetcher, site.url("/a", host="news.example"))
        assert site.connections == 0


async def test_every_request_looks_its_name_up_anew_and_judges_anew() -> None:
    names = Names({"news.example": [["127.0.0.1"], ["169.254.169.254"]]})
    async with FakeSite() as site, fetching(resolver=names) as fetcher:
        url = site.url("/a", host="news.example")
        site.page("/a", article("Ferries", FERRY))
        await fetcher.fetch(url)
        assert "169.254.169.254 is not a public address" in await refused(fetcher, url)
        assert site.count("/a") == 1
    assert names.asked == ["news.example", "news.example"]


async def test_a_redirect_to_the_same_name_is_judged_by_its_second_look_up() -> None:
    names = Names({"news.example": [["127.0.0.1"], ["10.0.0.7"]]})
    async with FakeSite() as site, fetching(resolver=names) as fetcher:
        site.redirect("/a", "/b")
        site.page("/b", article("Ferries", FERRY))
        reason = await refused(fetcher, site.url("/a", host="news.example"))
        assert site.count("/b") == 0
    assert "10.0.0.7 is not a public address" in reason


async def test_an_answer_that_changes_after_it_was_judged_opens_no_socket() -> None:
    names = Rebinding({"news.example": ["127.0.0.1"]})
    guard = Guard()
    async with FakeSite() as site, aiohttp.ClientSession(connector=GuardedConnector(guard, names)) as session:
        site.page("/a", article("Ferries", FERRY))
        with pytest.raises(aiohttp.ClientConnectorError, match=r"127\.0\.0\.1 is not a public address"):
            await session.get(site.url("/a", host="news.example"))
        assert site.connections == 0


async def test_a_connection_that_ended_inside_is_closed_before_a_byte_is_sent() -> None:
    names = Rebinding({"news.example": ["127.0.0.1"]})
    guard = Guard()
    async with FakeSite() as site, aiohttp.ClientSession(connector=Unwatched(guard, names)) as session:
        site.page("/a", article("Ferries", FERRY))
        with pytest.raises(PageError, match=r"127\.0\.0\.1 is not a public address"):
            await session.get(site.url("/a", host="news.example"))
        await site.wait_until(lambda: site.connections == site.closed == 1)
        assert site.requests == []


async def test_an_address_in_the_url_meets_the_same_checks() -> None:
    async with (
        FakeSite() as site,
        aiohttp.ClientSession(connector=GuardedConnector(Guard(), Names({}))) as session,
    ):
        with pytest.raises(aiohttp.ClientConnectorError, match="not a public address"):
            await session.get(site.url("/"))
        assert site.connections == 0


async def test_connections_are_not_kept_for_another_page() -> None:
    async with FakeSite() as site, fetching() as fetcher:
        url = site.page("/a", article("Ferries", FERRY))
        for _ in range(3):
            await fetcher.fetch(url)
        await site.wait_closed()
        assert site.connections == 3


@pytest.mark.parametrize("name", ["nowhere.example", "a" * 300, "a..example", f"{'b' * 70}.example"])
async def test_a_name_that_nobody_knows_is_a_page_that_cannot_be_had(name: str) -> None:
    async with fetching(resolver=Names({})) as fetcher:
        assert await refused(fetcher, f"http://{name}/")


async def test_a_port_that_nobody_listens_on_is_a_page_that_cannot_be_had() -> None:
    async with FakeSite() as site:
        url = site.url("/")
    async with fetching() as fetcher:
        assert "no connection" in await refused(fetcher, url)


async def test_tls_is_not_spoken_with_a_site_that_does_not() -> None:
    async with FakeSite() as site, fetching() as fetcher:
        reason = await refused(fetcher, site.url("/").replace("http:", "https:"))
    assert "no secure connection" in reason


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeSite() as site, FakeSite() as proxy, fetching() as fetcher:
        monkeypatch.setenv("http_proxy", proxy.base)
        monkeypatch.setenv("no_proxy", "")
        await fetcher.fetch(site.page("/a", article("Ferries", FERRY)))
        assert proxy.connections == 0


async def test_nothing_is_remembered_of_a_site_and_nothing_said_of_the_user() -> None:
    async with FakeSite() as site, fetching() as fetcher:
        url = site.page("/a", article("Ferries", FERRY), headers={"Set-Cookie": "id=1"})
        for _ in range(2):
            await fetcher.fetch(url)
        for asked in site.requests:
            assert not {"Cookie", "Authorization", "Referer"} & set(asked.headers)
            assert asked.headers["User-Agent"].startswith("clawswarm/")


async def test_the_resolver_of_the_machine_is_judged_like_any_other() -> None:
    resolver = GuardedResolver(Guard(), aiohttp.ThreadedResolver())
    with pytest.raises(PageError, match="not a public address"):
        await resolver.resolve("localhost", 80)
    await resolver.close()
