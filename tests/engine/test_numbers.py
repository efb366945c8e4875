"""The numbers of a batch and of a day: exact where they are known, None where they are not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.clock import sleep_until
from clawswarm.config.model import Settings
from clawswarm.engine.usage import UsageBook
from clawswarm.modes.parallel import collect, open_parallel
from clawswarm.store.connect import Store, connect
from clawswarm.store.ledger import Ledger, UsageLine
from clawswarm.types.result import Failure, Stats, Tally, TaskResult, Usage, in_order
from clawswarm.types.task import Task
from tests.clock import FakeClock
from tests.engine.support import PRICED, Model, backend, engine_on, error, near, tasks

pytestmark = pytest.mark.anyio

FAILURE = Failure(code="overloaded", message="no")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = connect(tmp_path / "swarm.db")
    yield store
    store.close()


def result(index: int = 0, **fields: object) -> TaskResult:
    given: dict[str, object] = {"index": index, "ok": True, "usage": Usage(4, 2), "cost_pico": 8} | fields
    return TaskResult(**given)  # pyright: ignore[reportArgumentType]


RESULT = st.builds(
    result,
    ok=st.just(True),
    error=st.none() | st.just(FAILURE),
    usage=st.none() | st.builds(Usage, st.integers(0, 99), st.integers(0, 99)),
    cost_pico=st.none() | st.integers(0, 10**15),
    duration_ms=st.integers(0, 9999),
    cached=st.booleans(),
)


@given(st.lists(RESULT, max_size=20), st.integers(0, 10**6))
def test_sums_are_exact_and_one_unknown_part_makes_them_unknown(
    results: list[TaskResult], elapsed: int
) -> None:
    tally = Tally()
    for each in results:
        tally.add(each)
    stats = tally.stats(elapsed)
    usages = [each.usage for each in results]
    costs = [each.cost_pico for each in results]
    assert stats.total == len(results) == tally.done == stats.successful + stats.failed
    assert stats.failed == sum(each.error is not None for each in results) == sum(tally.codes.values())
    known = [usage for usage in usages if usage is not None]
    assert stats.input_tokens == (None if None in usages else sum(usage.input_tokens for usage in known))
    assert stats.output_tokens == (None if None in usages else sum(usage.output_tokens for usage in known))
    assert stats.cost_pico == (None if None in costs else sum(cost or 0 for cost in costs))
    assert tally.known_cost_pico == sum(cost or 0 for cost in costs)
    assert tally.known_input_tokens == sum(usage.input_tokens for usage in known)
    assert tally.cached == sum(each.cached for each in results)
    assert stats.total_duration_ms == elapsed


@pytest.mark.parametrize(
    ("durations", "elapsed", "speedup"),
    [
        ([1000, 1000, 1000], 1000, 3.0),
        ([500], 1000, 0.5),
        ([0, 0], 100, None),
        ([], 100, None),
        ([5], 0, None),
    ],
)
def test_a_speedup_is_measured_or_none(durations: list[int], elapsed: int, speedup: float | None) -> None:
    tally = Tally()
    for duration in durations:
        tally.add(result(duration_ms=duration))
    assert tally.stats(elapsed).speedup == speedup


def test_an_unknown_cost_is_null_and_a_known_one_is_in_dollars() -> None:
    stats = Stats(
        total=1,
        successful=1,
        failed=0,
        total_duration_ms=1,
        speedup=None,
        input_tokens=None,
        output_tokens=None,
        cost_pico=None,
    )
    assert stats.as_json()["cost_usd"] is None
    assert stats.as_json()["input_tokens"] is None
    assert result(cost_pico=25 * 10**10).as_json()["cost_usd"] == near(0.25)
    assert result(cost_pico=0).as_json()["cost_usd"] == 0
    assert result(usage=None, cost_pico=None).as_json()["usage"] is None


@given(st.permutations(range(12)))
def test_results_are_put_in_the_order_of_their_prompts(order: list[int]) -> None:
    assert [each.index for each in in_order(result(index) for index in order)] == list(range(12))


async def test_a_batch_counts_its_calls_its_waits_and_its_time(clock: FakeClock) -> None:
    slow = 2.0

    async def act(task: Task, call: int) -> None:
        await sleep_until(clock, clock.monotonic() + slow)

    async with (
        engine_on(backend(Model(act), slots=5, prices=PRICED), clock=clock) as engine,
        clock.auto(),
        open_parallel(engine, tasks(10), total=10) as batch,
    ):
        finished = await collect(batch)
        assert finished.stats.total_duration_ms == 4000
        assert finished.stats.speedup == 5.0
        assert (finished.stats.input_tokens, finished.stats.output_tokens) == (40, 20)
        assert finished.stats.cost_pico == 10 * 8 * 10**6
        assert finished.results == [f"P{index}" for index in range(10)]
        assert sorted(each.duration_ms for each in finished.tasks) == [2000] * 10
        assert sorted(each.queued_ms for each in finished.tasks) == [0] * 5 + [2000] * 5


async def test_the_book_of_a_day_holds_what_was_used(clock: FakeClock, store: Store) -> None:
    async def act(task: Task, call: int) -> None:
        if task.prompt == "p9":
            raise error("bad_request", retryable=False)

    async with (
        engine_on(
            backend(Model(act), prices=PRICED), clock=clock, settings=Settings(), store=store
        ) as engine,
        open_parallel(engine, [*tasks(10), Task(prompt="p0")], total=11) as batch,
    ):
        await collect(batch)
    ((key, line),) = Ledger(store).usage("2026-01-01")
    assert key == (clock.now().astimezone().date().isoformat(), "demo", "m")
    assert (line.tasks, line.failed, line.cached, line.unknown_cost) == (11, 1, 1, 0)
    assert (line.input_tokens, line.output_tokens) == (9 * 4, 9 * 2)
    assert (line.cost, line.saved) == (9 * 8 * 10**6, 8 * 10**6)


async def test_days_and_models_are_counted_apart_and_flushes_add_up(clock: FakeClock, store: Store) -> None:
    ledger = Ledger(store)
    book = UsageBook(ledger, clock)
    for model in ("a", "b", "a"):
        book.add(result(provider="demo", model=model, duration_ms=5), 3)
        await book.flush()
    clock.advance(24 * 3600)
    book.add(result(provider="demo", model="a", ok=False, error=FAILURE, cost_pico=None, usage=None), 0)
    book.add_wall(700, "demo", "a")
    await book.flush()
    lines = {(day, model): line for (day, _, model), line in ledger.usage("2026-01-01")}
    first, second = sorted({day for day, _ in lines})
    assert lines[first, "a"] == UsageLine(
        tasks=2, input_tokens=8, output_tokens=4, cost=16, saved=6, busy_ms=10
    )
    assert lines[first, "b"].tasks == 1
    assert lines[second, "a"] == UsageLine(tasks=1, failed=1, unknown_cost=1, wall_ms=700)


async def test_a_task_that_reached_no_provider_is_in_no_book(clock: FakeClock, store: Store) -> None:
    book = UsageBook(Ledger(store), clock)
    book.add(result(provider=None), 0)
    await book.flush()
    assert list(Ledger(store).usage("2026-01-01")) == []


async def test_a_book_without_a_ledger_keeps_nothing(clock: FakeClock) -> None:
    book = UsageBook(None, clock)
    book.add(result(provider="demo", model="m"), 0)
    book.add_wall(5, "demo", "m")
    await book.flush()
    assert book.trouble is None
