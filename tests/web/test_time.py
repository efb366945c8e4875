"""Pages that take too long, and pages that nobody waits for any more; and turns at a host."""

import asyncio
from collections.abc import Callable

import anyio
import pytest

from clawswarm.web.fetch import A_HOST, AT_ONCE, PageFetcher
from tests.clock import FakeClock
from tests.fakes.site import FakeSite, article
from tests.web.support import FERRY, Names, fetching, on_the_web, refused

pytestmark = pytest.mark.anyio

PAGE = article("Ferries", FERRY)

SLOW: dict[str, Callable[[FakeSite], str]] = {
    "nothing": lambda site: site.silent("/a"),
    "headers": lambda site: site.stall("/a"),
    "a beginning": lambda site: site.stall("/a", b"<html><p>The ferry was"),
    "a drip": lambda site: site.drip("/a"),
    "a packed nothing": lambda site: site.stall("/a", b"\x1f\x8b\x08"),
    "half a header": lambda site: site.raw("/a", b"HTTP/1.1 200 OK\r\nX: ", endless=b""),
    "interim answers": lambda site: site.raw("/a", endless=b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize("kind", [kind for kind in SLOW if kind != "half a header"])
async def test_a_page_has_its_time_and_no_more(kind: str) -> None:
    async with FakeSite() as site, fetching(page_timeout=0.2) as fetcher:
        assert await refused(fetcher, SLOW[kind](site)) == "it was not there after 0.2 s"
        await site.wait_closed()
        assert site.left == 1


@pytest.mark.parametrize("kind", ["nothing", "headers", "a beginning"])
async def test_the_time_is_that_of_the_clock(clock: FakeClock, kind: str) -> None:
    async with FakeSite() as site, fetching(clock, page_timeout=15) as fetcher:
        asking = asyncio.ensure_future(refused(fetcher, SLOW[kind](site)))
        await site.wait_until(lambda: site.count("/a") == 1)
        await clock.step(14.9)
        assert not asking.done()
        await clock.step(0.2)
        assert await asking == "it was not there after 15 s"
        await site.wait_closed()
    assert clock.pending == 0


async def test_a_page_leaves_no_timer_behind(clock: FakeClock) -> None:
    async with FakeSite() as site, on_the_web(clock) as web:
        await web.read(site.page("/a", PAGE), 2000)
        assert clock.pending == 0


@pytest.mark.parametrize("kind", ["nothing", "headers", "a beginning", "a drip", "interim answers"])
async def test_whoever_leaves_closes_the_connection(kind: str) -> None:
    async with FakeSite() as site, fetching() as fetcher:
        url = SLOW[kind](site)
        async with anyio.create_task_group() as group:
            group.start_soon(fetcher.fetch, url)
            await site.wait_until(lambda: site.in_flight == 1)
            group.cancel_scope.cancel()
        await site.wait_closed()
        assert site.left == 1


async def test_the_end_of_the_web_closes_its_connections() -> None:
    async with FakeSite() as site:
        async with fetching() as fetcher, anyio.create_task_group() as group:
            group.start_soon(fetcher.fetch, site.silent("/a"))
            await site.wait_until(lambda: site.in_flight == 1)
            group.cancel_scope.cancel()
        await site.wait_closed()


async def test_two_pages_of_one_host_at_once() -> None:
    gate = asyncio.Event()
    async with FakeSite() as site, fetching() as fetcher:
        urls = [site.page(f"/{number}", PAGE, until=gate) for number in range(8)]
        async with anyio.create_task_group() as group:
            for url in urls:
                group.start_soon(fetcher.fetch, url)
            await site.wait_until(lambda: site.in_flight == A_HOST)
            await anyio.wait_all_tasks_blocked()
            assert len(site.requests) == A_HOST
            gate.set()
        assert (site.peak, len(site.requests)) == (A_HOST, 8)


@pytest.mark.parametrize("spelling", ["news.example", "NEWS.example", "news.example."])
async def test_a_host_is_one_host_however_it_is_written(spelling: str) -> None:
    gate = asyncio.Event()
    names = Names({name: ["127.0.0.1"] for name in ("news.example", "news.example.")})
    async with FakeSite() as site, fetching(resolver=names) as fetcher:
        site.page("/a", PAGE, until=gate)
        async with anyio.create_task_group() as group:
            for host in ("news.example", spelling) * 3:
                group.start_soon(fetcher.fetch, site.url("/a", host=host))
            await site.wait_until(lambda: site.in_flight >= A_HOST)
            await anyio.wait_all_tasks_blocked()
            gate.set()
        assert (site.peak, len(site.requests)) == (A_HOST, 6)


async def test_hosts_do_not_wait_for_each_other() -> None:
    gate = asyncio.Event()
    hosts = [f"news{number}.example" for number in range(AT_ONCE + 4)]
    async with (
        FakeSite() as site,
        fetching(resolver=Names({host: ["127.0.0.1"] for host in hosts})) as fetcher,
    ):
        site.page("/a", PAGE, until=gate)
        async with anyio.create_task_group() as group:
            for host in hosts:
                group.start_soon(fetcher.fetch, site.url("/a", host=host))
            await site.wait_until(lambda: site.in_flight == AT_ONCE)
            await anyio.wait_all_tasks_blocked()
            assert len(site.requests) == AT_ONCE
            gate.set()
        assert (site.peak, len(site.requests)) == (AT_ONCE, len(hosts))


async def test_a_redirect_takes_its_turn_at_the_other_host() -> None:
    gate = asyncio.Event()
    names = Names({name: ["127.0.0.1"] for name in ("a.example", "b.example")})
    async with FakeSite() as site, fetching(resolver=names) as fetcher:
        site.redirect("/go", site.url("/a", host="b.example"))
        site.page("/a", PAGE, until=gate)
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(fetcher.fetch, site.url("/go", host="a.example"))
            await site.wait_until(lambda: site.count("/go") == 4)
            await anyio.wait_all_tasks_blocked()
            assert site.count("/a") == A_HOST
            gate.set()
        assert site.count("/a") == 4


async def test_turns_of_those_who_leave_or_fail_are_free_again() -> None:
    async with FakeSite() as site, fetching(page_timeout=4) as fetcher:
        for _ in range(3):
            async with anyio.create_task_group() as group:
                for _ in range(A_HOST + 2):  # the last two are still waiting when all are cancelled
                    group.start_soon(fetcher.fetch, site.silent("/a"))
                await site.wait_until(lambda: site.in_flight == A_HOST)
                group.cancel_scope.cancel()
            await site.wait_closed()
            for _ in range(A_HOST + 1):
                await refused(fetcher, site.url("/missing"))
        assert (await fetcher.fetch(site.page("/b", PAGE))).data


async def test_waiting_for_a_turn_is_not_counted(clock: FakeClock) -> None:
    gates = [asyncio.Event() for _ in range(A_HOST)]
    async with FakeSite() as site, fetching(clock, page_timeout=15) as fetcher:
        fetches = [
            asyncio.ensure_future(fetcher.fetch(site.page(f"/{number}", PAGE, until=gate)))
            for number, gate in enumerate(gates)
        ]
        await site.wait_until(lambda: site.in_flight == A_HOST)
        last = asyncio.ensure_future(_in_turn(fetcher, site))
        await clock.step(14)
        for gate in gates:
            gate.set()
        await asyncio.gather(*fetches)
        await site.wait_until(lambda: site.count("/last") == 1)
        await clock.step(14)
        assert not last.done()
        await clock.step(2)
        assert await last == "it was not there after 15 s"


async def _in_turn(fetcher: PageFetcher, site: FakeSite) -> str:
    return await refused(fetcher, site.silent("/last"))
