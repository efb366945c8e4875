"""How patiently a search service is asked: again after what may pass, and not for ever."""

import asyncio
import random
from itertools import pairwise

import anyio
import pytest

from clawswarm.errors import TaskError
from clawswarm.web.search import AT_ONCE, FIRST_BOUND, LONGEST_WAIT, TRIES, Patience, SearchBackend
from tests.clock import FakeClock
from tests.fakes.behaviours import Hang, Raw, Refuse, Say
from tests.fakes.search import FakeBrave, FakeOllamaSearch, FakeSearch, Result
from tests.web.support import on_the_web

pytestmark = pytest.mark.anyio

FOUND = [Result("Ferry", "https://news.example/a")]


async def failed(backend: SearchBackend) -> TaskError:
    with pytest.raises(TaskError) as caught:
        await backend.search("ferry", limit=1)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("asked_for", [2, 7, LONGEST_WAIT])
async def test_a_service_that_asks_to_wait_is_waited_for(clock: FakeClock, asked_for: float) -> None:
    async with FakeBrave() as fake, on_the_web(clock, fake.environ) as web, clock.auto():
        fake.answers[""] = FOUND
        fake.enqueue(Refuse(429, "slow down", retry_after=asked_for))
        assert await web.search("brave").search("ferry", limit=1)
        assert len(fake.seen) == 2
    assert asked_for <= clock.elapsed <= asked_for + 2


async def test_a_service_that_asks_for_too_long_a_wait_is_left(clock: FakeClock) -> None:
    async with FakeOllamaSearch() as fake, on_the_web(clock, fake.environ) as web, clock.auto():
        fake.enqueue(Refuse(429, "tomorrow", retry_after=LONGEST_WAIT + 1))
        error = await failed(web.search("ollama"))
        assert len(fake.seen) == 1
    assert (error.code, error.retry_after, clock.elapsed) == ("rate_limited", LONGEST_WAIT + 1, 0)
    assert "max_concurrent_api" not in (error.hint or "")


@pytest.mark.parametrize("reset", ["1, 1419704", "1"])
async def test_brave_names_its_shortest_window_first(clock: FakeClock, reset: str) -> None:
    async with FakeBrave() as fake, on_the_web(clock, fake.environ) as web, clock.auto():
        fake.answers[""] = FOUND
        fake.enqueue(Refuse(429, "slow down", headers={"X-RateLimit-Reset": reset}))
        assert await web.search("brave").search("ferry", limit=1)
    assert 1 <= clock.elapsed <= 2


@pytest.mark.parametrize("header", ["soon", "", "-5", "nan", "1e400", "Thu, 99 Foo"])
async def test_a_wait_that_is_none_does_no_harm(clock: FakeClock, header: str) -> None:
    async with FakeBrave() as fake, on_the_web(clock, fake.environ) as web, clock.auto():
        fake.answers[""] = FOUND
        fake.enqueue(Refuse(429, "slow down", headers={"Retry-After": header, "X-RateLimit-Reset": header}))
        assert await web.search("brave").search("ferry", limit=1)
    assert clock.elapsed <= 2


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
async def test_what_may_pass_is_tried_a_few_times(clock: FakeClock, status: int) -> None:
    async with FakeBrave() as fake, on_the_web(clock, fake.environ) as web, clock.auto():
        fake.respond = lambda _: Refuse(status, "not now")
        error = await failed(web.search("brave"))
        assert len(fake.seen) == TRIES
    assert (error.status, error.retryable) == (status, True)
    assert clock.elapsed <= FIRST_BOUND * 2**TRIES + 2 * TRIES


async def test_an_error_page_of_a_gateway_is_tried_again(clock: FakeClock) -> None:
    async with FakeBrave() as fake, on_the_web(clock, fake.environ) as web, clock.auto():
        fake.answers[""] = FOUND
        fake.enqueue(Raw(502, b"<html><h1>Bad Gateway</h1></html>", content_type="text/html"))
        assert await web.search("brave").search("ferry", limit=1)


async def test_a_service_that_does_not_answer_is_given_up(clock: FakeClock) -> None:
    async with FakeBrave() as fake, on_the_web(clock, fake.environ) as web, clock.auto():
        fake.respond = lambda _: Hang()
        error = await failed(web.search("brave"))
        assert len(fake.seen) == TRIES
        await fake.wait_left(TRIES)
    assert (error.code, error.retryable) == ("timeout", True)
    assert "30 s" in error.message
    assert clock.elapsed >= TRIES * LONGEST_WAIT
    assert clock.pending == 0


async def test_whoever_leaves_closes_the_connection_and_frees_the_turn() -> None:
    async with FakeBrave() as fake, on_the_web(environ=fake.environ) as web:
        backend = web.search("brave")
        fake.respond = lambda _: Hang()
        for round_ in range(1, 3):
            async with anyio.create_task_group() as group:
                for _ in range(AT_ONCE + 2):
                    group.start_soon(lambda: backend.search("ferry", limit=1))
                await fake.wait_in_flight(AT_ONCE)
                group.cancel_scope.cancel()
            await fake.wait_left(AT_ONCE * round_)
        fake.respond = lambda _: Say()
        assert await backend.search("ferry", limit=1) == []


async def test_a_few_queries_at_once() -> None:
    async with FakeBrave() as fake, on_the_web(environ=fake.environ) as web:
        backend = web.search("brave")
        fake.respond = lambda _: Hang()
        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(lambda: backend.search("ferry", limit=1))
            await fake.wait_in_flight(AT_ONCE)
            await anyio.wait_all_tasks_blocked()
            assert len(fake.seen) == AT_ONCE
            group.cancel_scope.cancel()


async def test_a_service_that_named_its_pace_is_asked_at_that_pace(clock: FakeClock) -> None:
    at: list[float] = []
    async with FakeBrave() as fake, on_the_web(clock, fake.environ) as web, clock.auto():

        def respond(_: object) -> Refuse | Say:
            at.append(clock.elapsed)
            return Refuse(429, "slow down", retry_after=1) if len(at) == 1 else Say()

        fake.respond = respond
        backend = web.search("brave")
        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(lambda: backend.search("ferry", limit=1))
        assert len(fake.queries) == 6
    after = [moment for moment in at if moment > 0]
    assert all(later - sooner >= 0.99 for sooner, later in pairwise(after))


async def test_jitter_grows_and_stays_in_its_bounds(clock: FakeClock) -> None:
    patience = Patience(clock, random.Random(3))
    tried: list[float] = []

    async def ask() -> None:
        tried.append(clock.elapsed)
        raise TaskError("overloaded", "busy", retryable=True)

    async with clock.auto():
        with pytest.raises(TaskError):
            await patience(ask)
    waits = [later - sooner for sooner, later in pairwise(tried)]
    assert len(tried) == TRIES
    assert all(0 <= wait <= FIRST_BOUND * 2 ** (number + 1) for number, wait in enumerate(waits))


async def test_queries_run_while_another_one_waits(clock: FakeClock) -> None:
    async with FakeBrave() as fake, on_the_web(clock, fake.environ) as web:
        fake.answers[""] = FOUND
        fake.enqueue(Refuse(503, "busy", retry_after=20))
        backend = web.search("brave")
        waiting = asyncio.ensure_future(backend.search("first", limit=1))
        await clock.run_until_idle()
        assert await backend.search("second", limit=1)
        assert not waiting.done()
        await clock.settle()
        assert await waiting
        assert _asked(fake) == ["second", "first"]


def _asked(fake: FakeSearch) -> list[str]:
    return fake.queries
