"""The search services, each through `Web.search`, against a fake as strict as the real one."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from clawswarm.config.model import SearchName
from clawswarm.errors import NotConfigured, TaskError
from clawswarm.web.search import Hit
from clawswarm.web.web import Web
from tests.clock import FakeClock
from tests.fakes.behaviours import Cut, Raw, Refuse
from tests.fakes.search import KEY, FakeBrave, FakeOllamaSearch, FakeSearch, FakeSearXNG, Result
from tests.web.support import on_the_web

pytestmark = pytest.mark.anyio

FERRIES = [
    Result(f"Ferry {number}", f"https://news.example/{number}", f"Built in {number}") for number in range(30)
]
SERVICES: dict[SearchName, Callable[[], FakeSearch]] = {
    "brave": FakeBrave,
    "ollama": FakeOllamaSearch,
    "searxng": FakeSearXNG,
}
every_service = pytest.mark.parametrize("name", SERVICES)


def settings_of(fake: FakeSearch) -> dict[str, Any]:
    return {"searxng_url": fake.base_url} if isinstance(fake, FakeSearXNG) else {}


async def asked(
    name: SearchName,
    fake: FakeSearch,
    query: str = "ferry",
    limit: int = 3,
    environ: Mapping[str, str] | None = None,
) -> list[Hit]:
    async with on_the_web(environ={**fake.environ, **(environ or {})}, **settings_of(fake)) as web:
        return await web.search(name).search(query, limit=limit)


async def refused(name: SearchName, fake: FakeSearch, environ: Mapping[str, str] | None = None) -> TaskError:
    with pytest.raises(TaskError) as caught:
        await asked(name, fake, environ=environ)
    assert caught.value.hint
    assert name in caught.value.message
    return caught.value


@every_service
async def test_a_service_is_asked_as_it_wants_to_be(name: SearchName) -> None:
    async with SERVICES[name]() as fake:
        fake.answers["ferry"] = FERRIES
        assert await asked(name, fake, "a FERRY on the fjord") == [
            Hit(title="Ferry 0", url="https://news.example/0", snippet="Built in 0"),
            Hit(title="Ferry 1", url="https://news.example/1", snippet="Built in 1"),
            Hit(title="Ferry 2", url="https://news.example/2", snippet="Built in 2"),
        ]
        assert fake.queries == ["a FERRY on the fjord"]
        assert len(fake.seen) == 1
        assert fake.seen[0].headers["User-Agent"] == "clawswarm"


@every_service
async def test_nothing_found_is_no_error(name: SearchName) -> None:
    async with SERVICES[name]() as fake:
        assert await asked(name, fake, "nobody writes about this") == []


@pytest.mark.parametrize(("name", "most"), [("brave", 20), ("ollama", 10)])
async def test_no_more_is_asked_for_than_a_service_gives(name: SearchName, most: int) -> None:
    async with SERVICES[name]() as fake:
        fake.answers[""] = FERRIES
        assert len(await asked(name, fake, limit=25)) == most
        assert fake.limits == [most]
        assert len(await asked(name, fake, limit=4)) == 4


async def test_a_service_without_a_limit_is_cut() -> None:
    async with FakeSearXNG() as fake:
        fake.answers[""] = FERRIES
        assert len(await asked("searxng", fake, limit=7)) == 7


@every_service
@pytest.mark.parametrize("query", ["a & b = c? #d %20 +", "Fähre 日本語 🚢", 'say "ferry" -boat', "x" * 390])
async def test_a_query_arrives_as_it_was_written(name: SearchName, query: str) -> None:
    async with SERVICES[name]() as fake:
        fake.answers[""] = FERRIES
        assert await asked(name, fake, query)
        assert fake.queries == [query]


@pytest.mark.parametrize("query", ["word " * 200, "y" * 1000, f"{'long ' * 49}{'z' * 400}"])
async def test_a_query_that_is_too_long_for_brave_is_shortened(query: str) -> None:
    async with FakeBrave() as fake:
        fake.answers[""] = FERRIES
        assert await asked("brave", fake, query)
        assert query.startswith(fake.queries[0])


@every_service
async def test_results_of_odd_shapes_are_left_out(name: SearchName) -> None:
    odd = '[{"title":"no address"},{"url":7},null,"text",{"url":"https://news.example/a","title":null}]'
    body = f'{{"web":{{"results":{odd}}},"results":{odd}}}'
    async with SERVICES[name]() as fake:
        fake.enqueue(Raw(200, body.encode()))
        assert await asked(name, fake) == [Hit(title="", url="https://news.example/a")]


@every_service
@pytest.mark.parametrize("body", [b"{}", b'{"results":7,"web":[]}', b'{"results":null,"web":null}'])
async def test_an_answer_without_results_finds_nothing(name: SearchName, body: bytes) -> None:
    async with SERVICES[name]() as fake:
        fake.enqueue(Raw(200, body))
        assert await asked(name, fake) == []


@every_service
@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"<html>please log in</html>", "text/html"), (b"[]", "application/json"), (b"", "text/plain")],
)
async def test_an_answer_that_is_none_is_an_error(name: SearchName, body: bytes, kind: str) -> None:
    async with SERVICES[name]() as fake:
        fake.enqueue(Raw(200, body, content_type=kind))
        error = await refused(name, fake)
        assert (error.code, error.retryable, len(fake.seen)) == ("invalid_reply", False, 1)
        assert "model" not in (error.hint or "")


@every_service
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "bad_request"),
        (401, "auth_failed"),
        (402, "payment_required"),
        (403, "permission_denied"),
        (404, "provider_failed"),
        (422, "bad_request"),
        (302, "provider_failed"),
    ],
)
async def test_a_refusal_for_good_is_not_tried_again(name: SearchName, status: int, code: str) -> None:
    async with SERVICES[name]() as fake:
        fake.enqueue(Refuse(status, "this will not do"))
        error = await refused(name, fake)
        assert (error.code, error.status, error.retryable, len(fake.seen)) == (code, status, False, 1)
        assert "this will not do" in error.message
        assert "model" not in (error.hint or "")


@pytest.mark.parametrize(("name", "status"), [("brave", 422), ("ollama", 401)])
async def test_a_wrong_key_is_said_and_not_shown(name: SearchName, status: int) -> None:
    wrong = "wrong-key-0123456789abcdef"
    async with SERVICES[name]() as fake:
        error = await refused(name, fake, {f"{name.upper()}_API_KEY": wrong})
        assert error.status == status
        assert f"{name.upper()}_API_KEY" in (error.hint or "")
        assert wrong not in f"{error.message}{error.hint}{error!r}"


@pytest.mark.parametrize("name", ["brave", "ollama"])
@pytest.mark.parametrize("status", [200, 400, 401, 422, 429, 500])
async def test_a_key_that_a_service_repeats_is_not_shown(name: SearchName, status: int) -> None:
    words = f"key {KEY} is not good; 'Bearer {KEY}' {'and so on ' * 26} {KEY}"
    async with SERVICES[name]() as fake:
        fake.respond = lambda _: (
            Refuse(status, words, retry_after=60) if status != 200 else Raw(200, words.encode())
        )
        error = await refused(name, fake)
    assert KEY not in f"{error.message}{error.hint}"
    assert KEY[:12] not in error.message


async def test_a_login_of_searxng_is_sent_as_one_and_not_shown() -> None:
    async with FakeSearXNG(login="reader:p@ss/wörd-0123") as fake:
        fake.answers[""] = FERRIES
        login = fake.base_url.replace("http://", "http://reader:p%40ss%2Fw%C3%B6rd-0123@")
        async with on_the_web(searxng_url=login) as web:
            assert len(await web.search("searxng").search("ferry", limit=2)) == 2
            fake.enqueue(Refuse(400, "p@ss/wörd-0123 is odd"))
            with pytest.raises(TaskError) as caught:
                await web.search("searxng").search("ferry", limit=2)
        assert "wörd-0123" not in str(caught.value)
        async with on_the_web(searxng_url=login.replace("reader", "other")) as web:
            with pytest.raises(TaskError) as caught:
                await web.search("searxng").search("ferry", limit=2)
        assert (caught.value.code, caught.value.status) == ("auth_failed", 401)


@pytest.mark.parametrize("tail", ["", "/", "/search", "/search/", "/search?q=x&format=html"])
@pytest.mark.parametrize("path", ["", "/searx"])
async def test_the_address_of_searxng_may_be_written_in_many_ways(path: str, tail: str) -> None:
    async with FakeSearXNG(api_path=path) as fake:
        fake.answers[""] = FERRIES
        for start in ("http://", ""):
            url = f"{start}{fake.base_url.removeprefix('http://')}{tail}"
            async with on_the_web(searxng_url=url) as web:
                assert len(await web.search("searxng").search("ferry", limit=2)) == 2
        assert fake.queries == ["ferry", "ferry"]


async def test_searxng_without_json_says_what_to_do() -> None:
    async with FakeSearXNG(json=False) as fake:
        error = await refused("searxng", fake)
    assert (error.code, error.status) == ("permission_denied", 403)
    assert "add json to search.formats" in (error.hint or "")


@every_service
async def test_a_connection_that_breaks_is_tried_again(name: SearchName, clock: FakeClock) -> None:
    async with SERVICES[name]() as fake:
        fake.answers[""] = FERRIES
        fake.enqueue(Cut(after=5))
        async with on_the_web(clock, fake.environ, **settings_of(fake)) as web, clock.auto():
            assert await web.search(name).search("ferry", limit=3)
        assert len(fake.seen) == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [("brave", "BRAVE_API_KEY"), ("ollama", "OLLAMA_API_KEY"), ("searxng", "research.searxng_url")],
)
async def test_a_service_that_is_not_set_up_says_what_is_missing(name: SearchName, words: str) -> None:
    async with on_the_web() as web:
        with pytest.raises(NotConfigured) as caught:
            web.search(name)
    assert words in caught.value.message
    assert words in (caught.value.hint or "")
    assert caught.value.exit_status == 3


async def test_a_service_is_opened_once() -> None:
    async with FakeBrave() as fake, on_the_web(environ=fake.environ) as web:
        assert web.search("brave") is web.search("brave")
        assert web.search("brave").name == "brave"
        assert _secrets(web) == (KEY,)


def _secrets(web: Web) -> tuple[str, ...]:
    return web.secrets
