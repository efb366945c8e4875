"""DuckDuckGo: through a function of the test, and through the library with its own errors."""

import threading
from typing import Any

import anyio
import anyio.to_thread
import pytest
from ddgs import ddgs as library
from ddgs.engines import ENGINES
from ddgs.exceptions import DDGSException, RatelimitException, TimeoutException

from clawswarm.errors import TaskError
from clawswarm.web.search import LONGEST_WAIT, TRIES, Hit
from clawswarm.web.search_duckduckgo import TIMEOUT, Ask, ask_ddgs
from tests.clock import FakeClock
from tests.web.support import on_the_web

pytestmark = pytest.mark.anyio

RECORDS: list[dict[str, Any]] = [
    {"title": "Ferries", "href": "https://news.example/a", "body": "A ferry was built."},
    {"title": None, "href": "https://news.example/b"},
    {"title": "No address", "body": "x"},
    {"title": "Third", "href": "https://news.example/c", "body": None},
]


def answering(found: list[dict[str, Any]]) -> Ask:
    return lambda query, limit: found


def library_that(monkeypatch: pytest.MonkeyPatch, outcome: Any) -> list[tuple[str, dict[str, Any]]]:
    """Have the library answer, or fail, without asking anybody; what it was asked."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def text(_: object, query: str, **options: Any) -> Any:
        asked.append((query, options))
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(library.DDGS, "text", text)
    return asked


async def test_records_are_hits() -> None:
    async with on_the_web(duckduckgo=answering(RECORDS)) as web:
        assert await web.search("duckduckgo").search("ferry", limit=2) == [
            Hit(title="Ferries", url="https://news.example/a", snippet="A ferry was built."),
            Hit(title="", url="https://news.example/b", snippet=""),
        ]


async def test_the_service_is_asked_in_a_thread() -> None:
    threads: list[str] = []

    def ask(query: str, limit: int) -> list[dict[str, Any]]:
        threads.append(threading.current_thread().name)
        return []

    async with on_the_web(duckduckgo=ask) as web:
        assert await web.search("duckduckgo").search("ferry", limit=2) == []
    assert threads != [threading.current_thread().name]


async def test_the_library_is_asked_for_duckduckgo_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = library_that(monkeypatch, RECORDS)
    async with on_the_web() as web:
        assert len(await web.search("duckduckgo").search("ferry", limit=4)) == 3
    assert asked == [("ferry", {"max_results": 4, "backend": "duckduckgo"})]
    assert TIMEOUT < LONGEST_WAIT


async def test_no_results_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    library_that(monkeypatch, DDGSException("No results found."))
    async with on_the_web() as web:
        assert await web.search("duckduckgo").search("ferry", limit=4) == []


@pytest.mark.parametrize(
    ("error", "code", "tries"),
    [
        (RatelimitException("202 Ratelimit"), "rate_limited", TRIES),
        (TimeoutException("request timed out"), "timeout", TRIES),
        (DDGSException("could not connect"), "connection_failed", TRIES),
        (AttributeError("the page has changed"), "provider_failed", 1),
        (ValueError("odd"), "provider_failed", 1),
    ],
)
async def test_errors_of_the_library_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, clock: FakeClock, error: Exception, code: str, tries: int
) -> None:
    asked = library_that(monkeypatch, error)
    async with on_the_web(clock) as web, clock.auto():
        with pytest.raises(TaskError) as caught:
            await web.search("duckduckgo").search("ferry", limit=4)
    assert (caught.value.code, len(asked)) == (code, tries)
    assert str(error) in caught.value.message
    assert "BRAVE_API_KEY" in (caught.value.hint or "")
    assert clock.pending == 0


async def test_a_service_that_turns_away_once_is_asked_again(clock: FakeClock) -> None:
    asked: list[str] = []

    def ask(query: str, limit: int) -> list[dict[str, Any]]:
        asked.append(query)
        if len(asked) == 1:
            raise TaskError("rate_limited", "not now", retryable=True)
        return RECORDS

    async with on_the_web(clock, duckduckgo=ask) as web, clock.auto():
        assert await web.search("duckduckgo").search("ferry", limit=1)
    assert len(asked) == 2


async def test_a_library_that_never_comes_back_is_left(clock: FakeClock) -> None:
    begun, stuck = threading.Semaphore(0), threading.Event()

    def ask(query: str, limit: int) -> list[dict[str, Any]]:
        begun.release()
        stuck.wait()
        return []

    failures: list[TaskError] = []
    async with on_the_web(clock, duckduckgo=ask) as web, anyio.create_task_group() as group:

        async def search() -> None:
            try:
                await web.search("duckduckgo").search("ferry", limit=1)
            except TaskError as error:
                failures.append(error)

        group.start_soon(search)
        for _ in range(TRIES):
            await anyio.to_thread.run_sync(begun.acquire)
            clock.advance(LONGEST_WAIT)
            await anyio.wait_all_tasks_blocked()
            clock.advance(LONGEST_WAIT)
            await anyio.wait_all_tasks_blocked()
        stuck.set()
    assert [(failure.code, failure.retryable) for failure in failures] == [("timeout", True)]
    assert "30 s" in failures[0].message


async def test_whoever_leaves_does_not_wait_for_the_library() -> None:
    begun, stuck = threading.Event(), threading.Event()

    def ask(query: str, limit: int) -> list[dict[str, Any]]:
        begun.set()
        stuck.wait()
        return []

    async with on_the_web(duckduckgo=ask) as web, anyio.create_task_group() as group:
        group.start_soon(lambda: web.search("duckduckgo").search("ferry", limit=1))
        await anyio.to_thread.run_sync(begun.wait)
        group.cancel_scope.cancel()
    stuck.set()


def test_the_real_library_takes_what_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own client, sent to a proxy that is not there: names and arguments are those of this release."""
    assert "duckduckgo" in ENGINES["text"]  # else it would ask all others instead
    monkeypatch.setenv("DDGS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(TaskError) as caught:
        ask_ddgs("ferry", 3)
    assert caught.value.code in ("connection_failed", "timeout")
    assert caught.value.hint
