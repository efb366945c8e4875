"""Redirects: each is judged like the first address, and there are only so many."""

import asyncio

import pytest

from clawswarm.web.fetch import REDIRECTS
from tests.clock import FakeClock
from tests.fakes.site import FakeSite, article
from tests.web.support import FERRY, Names, fetching, refused

pytestmark = pytest.mark.anyio

INSIDE = [
    "http://127.0.0.2.nip.example/",  # a name, looked up below
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:169.254.169.254]/",
    "http://[fd00:ec2::254]/",
    "http://10.0.0.1/",
    "http://192.168.0.1/admin",
    "http://2852039166/",
    "http://0xA9FEA9FE/",
    "http://0251.0376.0251.0376/",
    "//10.0.0.1/a",
    "https://metadata.example/",
]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["/b", "b", "./b", "../b", "?x", "//{host}/b", "{base}/b", "/b#part"])
async def test_redirects_are_followed(status: int, to: str) -> None:
    async with FakeSite() as site, fetching() as fetcher:
        page = article("Ferries", FERRY)
        site.page("/b", page)
        site.redirect("/a", to.format(base=site.base, host=site.base.removeprefix("http://")), status=status)
        if to == "?x":
            found = await refused(fetcher, site.url("/a"))
            assert "redirects more than" in found
            return
        fetched = await fetcher.fetch(site.url("/a"))
    assert (fetched.data.decode(), fetched.url) == (page, site.url("/b"))


@pytest.mark.parametrize("to", INSIDE)
@pytest.mark.parametrize("hops", [1, 3])
async def test_a_redirect_inside_is_refused_wherever_it_comes(to: str, hops: int) -> None:
    names = Names({"127.0.0.2.nip.example": ["192.168.0.9"], "metadata.example": ["169.254.169.254"]})
    async with FakeSite() as site, fetching(resolver=names) as fetcher:
        for hop in range(1, hops):
            site.redirect(f"/{hop}", f"/{hop + 1}")
        site.redirect(f"/{hops}", to)
        reason = await refused(fetcher, site.url("/1"))
        assert len(site.requests) == hops
    assert "is not a public address" in reason


@pytest.mark.parametrize(
    "to",
    [
        "ftp://news.example/a",
        "file:///etc/passwd",
        "data:text/html,<p>hello",
        "javascript:alert(1)",
        "gopher://news.example:70/_x",
        "mailto:a@news.example",
        "http://user:pass@news.example/",
        "http://[::1",
        f"http://news.example/{'a' * 5000}",
    ],
)
async def test_a_redirect_to_no_website_is_refused(to: str) -> None:
    async with FakeSite() as site, fetching(resolver=Names({})) as fetcher:
        site.redirect("/a", to)
        reason = await refused(fetcher, site.url("/a"))
    assert reason.startswith("it redirects elsewhere, which is refused")


async def test_a_redirect_without_an_address_leads_nowhere() -> None:
    async with FakeSite() as site, fetching() as fetcher:
        site.redirect("/a", None)
        assert await refused(fetcher, site.url("/a")) == "it redirects to nowhere"


async def test_a_page_that_redirects_to_itself_is_left() -> None:
    async with FakeSite() as site, fetching() as fetcher:
        site.redirect("/a", "/a")
        assert await refused(fetcher, site.url("/a")) == f"it redirects more than {REDIRECTS} times"
        assert site.count("/a") == REDIRECTS + 1
        await site.wait_closed()


@pytest.mark.parametrize("hops", [REDIRECTS, REDIRECTS + 1])
async def test_there_are_only_so_many_redirects(hops: int) -> None:
    async with FakeSite() as site, fetching() as fetcher:
        for hop in range(hops):
            site.redirect(f"/{hop}", f"/{hop + 1}")
        site.page(f"/{hops}", article("Ferries", FERRY))
        if hops > REDIRECTS:
            assert "more than" in await refused(fetcher, site.url("/0"))
        else:
            assert b"1987" in (await fetcher.fetch(site.url("/0"))).data


@pytest.mark.parametrize("status", [300, 304, 305, 306, 400, 401, 403, 404, 410, 418, 429, 500, 503, 599])
async def test_other_statuses_are_no_page(status: int) -> None:
    async with FakeSite() as site, fetching() as fetcher:
        site.page("/a", "", status=status, headers={"Location": "/b"})
        assert await refused(fetcher, site.url("/a")) == f"the site answered {status}"
        assert len(site.requests) == 1


async def test_all_redirects_together_have_the_time_of_one_page(clock: FakeClock) -> None:
    async with FakeSite() as site, fetching(clock, page_timeout=15) as fetcher:
        held = [asyncio.Event() for _ in range(2)]
        site.page("/0", "", status=302, headers={"Location": "/1"}, until=held[0])
        site.page("/1", "", status=302, headers={"Location": "/2"}, until=held[1])
        site.silent("/2")
        asking = asyncio.ensure_future(refused(fetcher, site.url("/0")))
        for hop in range(2):
            await site.wait_until(lambda hop=hop: site.count(f"/{hop}") == 1)
            clock.advance(6)
            held[hop].set()
        await site.wait_until(lambda: site.count("/2") == 1)
        await clock.step(2.9)
        assert not asking.done()
        await clock.step(0.2)
        assert await asking == "it was not there after 15 s"
        await site.wait_closed()
