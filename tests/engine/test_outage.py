"""An outage is not multiplied: the breaker and the shared retry budget bound the calls."""

import anyio
import pytest

from clawswarm.clock import sleep_until
from clawswarm.types.task import Task
from tests.clock import FakeClock
from tests.engine.support import (
    Model,
    always,
    backend,
    code_of,
    engine_on,
    error,
    limits,
    run,
    run_one,
    tasks,
)

pytestmark = pytest.mark.anyio

NEVER = 10**9


async def test_a_thousand_tasks_against_a_dead_server_make_little_more_than_a_thousand_calls(
    clock: FakeClock,
) -> None:
    model = Model(always(error("provider_failed")))
    chosen = limits(breaker_failures=NEVER, max_nodes=50)
    async with engine_on(backend(model, slots=50), clock=clock, settings=chosen) as engine, clock.auto():
        results = await run(engine, tasks(1000))
    assert not any(result.ok for result in results)
    assert model.calls <= 1000 + 2 * 50


async def test_the_breaker_spares_a_dead_server_nearly_all_calls(clock: FakeClock) -> None:
    model = Model(always(error("connection_failed")))
    async with engine_on(model, clock=clock) as engine, clock.auto():
        results = await run(engine, tasks(1000))
    assert {code_of(result) for result in results} == {"connection_failed"}
    assert model.calls < 60


async def test_a_task_refused_because_the_server_is_given_up_costs_no_retry_and_no_time(
    clock: FakeClock,
) -> None:
    model = Model(always(error("connection_failed")))
    chosen = limits(breaker_failures=1, breaker_cooldown=2, max_retries=0)
    async with engine_on(model, clock=clock, settings=chosen) as engine:
        await run_one(engine)
        await clock.step(2)
        await run_one(engine)  # the probe
        before = clock.elapsed
        for _ in range(500):
            result = await run_one(engine)
            assert (code_of(result), result.attempts) == ("connection_failed", 0)
        assert (model.calls, clock.elapsed) == (2, before)


async def test_the_budget_fills_again_while_calls_succeed(clock: FakeClock) -> None:
    down = True

    async def act(task: Task, call: int) -> None:
        if down or task.prompt == "p":
            raise error("overloaded")

    model = Model(act)
    chosen = limits(breaker_failures=NEVER, max_nodes=50)
    async with engine_on(backend(model, slots=50), clock=clock, settings=chosen) as engine, clock.auto():
        await run(engine, tasks(500))
        assert (await run_one(engine)).attempts == 1  # nothing left
        down = False
        await run(engine, tasks(100))
        assert (await run_one(engine)).attempts == 4
    assert clock.pending == 0


async def test_a_hiccup_is_survived_by_every_task(clock: FakeClock) -> None:
    """A server that is away for a second, in the middle of a batch."""

    async def act(task: Task, call: int) -> None:
        if 20 < call <= 29:
            raise error("connection_failed")

    async with engine_on(Model(act), clock=clock) as engine, clock.auto():
        results = await run(engine, tasks(200))
    assert all(result.ok for result in results)


async def test_a_server_that_comes_back_within_the_first_cooldown_loses_no_task(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> None:
        if clock.elapsed < 2:
            raise error("connection_failed")

    model = Model(act)
    async with engine_on(model, clock=clock) as engine, clock.auto():
        results = await run(engine, tasks(200))
    assert sum(not result.ok for result in results) == 0
    assert model.calls <= 240


async def test_tasks_that_wait_for_the_probe_go_on_as_soon_as_it_succeeds(clock: FakeClock) -> None:
    gate = anyio.Event()

    async def act(task: Task, call: int) -> None:
        if call == 1:
            raise error("connection_failed")
        await gate.wait()

    model = Model(act)
    chosen = limits(breaker_failures=1, breaker_cooldown=2, max_retries=0)
    async with (
        engine_on(model, clock=clock, settings=chosen) as engine,
        anyio.create_task_group() as group,
    ):
        await run_one(engine)
        group.start_soon(run, engine, tasks(5))
        await clock.step(3)
        assert model.in_flight == 1
        gate.set()
        await clock.run_until_idle()
        assert model.calls == 6
    assert clock.elapsed == 3


async def test_a_probe_that_is_cancelled_is_followed_by_another(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> None:
        if call == 1:
            raise error("connection_failed")
        if call == 2:
            await anyio.sleep_forever()

    model = Model(act)
    chosen = limits(breaker_failures=1, breaker_cooldown=2, max_retries=0)
    async with engine_on(model, clock=clock, settings=chosen) as engine, clock.auto():
        first = await run_one(engine)
        second = await run_one(engine, Task(prompt="p", timeout=10))
        third = await run_one(engine)
    assert [code_of(first), code_of(second), code_of(third)] == ["connection_failed", "timeout", None]


async def test_refusals_of_a_request_do_not_open_the_breaker(clock: FakeClock) -> None:
    model = Model(always(error("bad_request", retryable=False)))
    async with engine_on(model, clock=clock, settings=limits(breaker_failures=2)) as engine:
        await run(engine, tasks(50))
    assert model.calls == 50


async def test_a_refusal_of_a_request_shows_that_the_server_is_up(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> None:
        raise error("connection_failed") if call % 3 else error("bad_request", retryable=False)

    model = Model(act)
    chosen = limits(breaker_failures=3, max_retries=0, max_nodes=1)
    async with engine_on(model, clock=clock, settings=chosen) as engine:
        await run(engine, tasks(60))
    assert model.calls == 60
    assert clock.elapsed == 0


@pytest.mark.parametrize("retries", [1, 3])
async def test_a_dead_endpoint_beside_a_busy_one_fails_no_task(clock: FakeClock, retries: int) -> None:
    """It always has free slots, and would draw every retry."""

    async def act(task: Task, call: int) -> None:
        await sleep_until(clock, clock.monotonic() + 1)

    dead, alive = Model(always(error("connection_failed"))), Model(act)
    chosen = limits(max_retries=retries)
    async with (
        engine_on(backend(dead, alive, slots=2), clock=clock, settings=chosen) as engine,
        clock.auto(),
    ):
        results = await run(engine, tasks(60))
    assert all(result.ok for result in results)
