"""A task's deadline holds wherever the task is: in a line, in a wait, in a call."""

import anyio
import pytest

from clawswarm.clock import sleep_until
from clawswarm.types.task import Task
from tests.clock import FakeClock
from tests.engine.support import (
    PRICED,
    Model,
    always,
    backend,
    code_of,
    engine_on,
    error,
    hang,
    limits,
    refused,
    run,
    run_one,
    tasks,
)

pytestmark = pytest.mark.anyio


async def test_a_call_that_outlasts_the_deadline_is_cancelled_and_its_cost_unknown(clock: FakeClock) -> None:
    model = Model(hang)
    async with engine_on(backend(model, prices=PRICED), clock=clock) as engine, clock.auto():
        result = await run_one(engine, Task(prompt="p", timeout=30))
    assert code_of(result) == "timeout"
    assert result.error is not None
    assert "30 s" in result.error.message
    assert (model.calls, model.cancelled, model.in_flight) == (1, 1, 0)
    assert (result.attempts, result.usage, result.cost_pico) == (1, None, None)
    assert (clock.elapsed, result.duration_ms, result.queued_ms) == (30, 30_000, 0)


async def test_the_wait_for_others_in_front_is_not_a_tasks_own_time(clock: FakeClock) -> None:
    """The last of six behind one slot waits for five answers."""

    async def act(task: Task, call: int) -> None:
        await sleep_until(clock, clock.monotonic() + 20)

    model = Model(act)
    chosen = limits(timeout=30)
    async with engine_on(backend(model, slots=1), clock=clock, settings=chosen) as engine, clock.auto():
        results = await run(engine, tasks(6))
    assert all(result.ok for result in results)
    assert clock.elapsed == 120
    assert results[5].queued_ms == 100_000


async def test_a_task_that_waited_for_others_still_has_its_own_time_only(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> None:
        await sleep_until(clock, clock.monotonic() + 20 * call)

    model = Model(act)
    chosen = limits(timeout=30)
    async with engine_on(backend(model, slots=1), clock=clock, settings=chosen) as engine, clock.auto():
        first, second, third = await run(engine, tasks(3))
    assert [code_of(first), code_of(second), code_of(third)] == [None, "timeout", "timeout"]
    assert clock.elapsed == 20 + 30 + 30


@pytest.mark.parametrize("number", [1, 2, 16])
async def test_waits_that_a_provider_asks_for_end_with_the_deadline(clock: FakeClock, number: int) -> None:
    model = Model(always(refused(after=10)))
    async with engine_on(model, clock=clock, settings=limits(timeout=60)) as engine, clock.auto():
        results = await run(engine, tasks(number))
    assert {code_of(result) for result in results} <= {"timeout", "rate_limited"}
    assert clock.elapsed <= 60


async def test_a_try_that_would_come_after_the_deadline_is_not_waited_for(clock: FakeClock) -> None:
    model = Model(always(error(retry_after=40)))
    async with engine_on(model, clock=clock) as engine:
        result = await run_one(engine, Task(prompt="p", timeout=30))
    assert code_of(result) == "overloaded"
    assert (model.calls, clock.elapsed) == (1, 0)


async def test_a_deadline_in_the_second_try_counts_from_the_start_of_the_task(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> None:
        if call == 1:
            raise error(retry_after=20)
        await anyio.sleep_forever()

    async with engine_on(model := Model(act), clock=clock) as engine, clock.auto():
        result = await run_one(engine, Task(prompt="p", timeout=30))
    assert code_of(result) == "timeout"
    assert (model.calls, clock.elapsed) == (2, 30)
    assert (result.duration_ms, result.queued_ms) == (10_000, 20_000)


async def test_a_limit_beyond_the_deadline_fails_at_once_with_what_the_provider_said(
    clock: FakeClock,
) -> None:
    model = Model(always(refused(after=60)))
    async with engine_on(model, clock=clock) as engine:
        result = await run_one(engine, Task(prompt="p", timeout=30))
    assert code_of(result) == "rate_limited"
    assert result.error is not None
    assert "60 s" in result.error.message
    assert "the server said rate_limited" in result.error.message
    assert (model.calls, clock.elapsed) == (1, 0)


async def test_the_configured_timeout_holds_where_a_task_has_none(clock: FakeClock) -> None:
    async with engine_on(Model(hang), clock=clock, settings=limits(timeout=12)) as engine, clock.auto():
        result = await run_one(engine)
    assert (code_of(result), clock.elapsed) == ("timeout", 12)


async def test_a_timeout_of_zero_is_no_timeout_left_out(clock: FakeClock) -> None:
    async with engine_on(Model(hang), clock=clock) as engine, clock.auto():
        result = await run_one(engine, Task(prompt="p", timeout=0))
    assert (code_of(result), clock.elapsed) == ("timeout", 0)


async def test_an_attempt_that_takes_too_long_is_cancelled_and_tried_again(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> None:
        if call == 1:
            await anyio.sleep_forever()

    model = Model(act)
    async with engine_on(backend(model, attempt_timeout=10), clock=clock) as engine, clock.auto():
        result = await run_one(engine)
    assert (result.ok, result.attempts, model.cancelled) == (True, 2, 1)
    assert result.usage is None


async def test_an_attempt_timeout_beyond_the_deadline_leaves_the_call_its_time(clock: FakeClock) -> None:
    model = Model(hang)
    async with engine_on(backend(model, attempt_timeout=10), clock=clock) as engine, clock.auto():
        result = await run_one(engine, Task(prompt="p", timeout=9))
    assert (code_of(result), result.attempts, clock.elapsed) == ("timeout", 1, 9)


async def test_an_answer_leaves_no_timer_behind(clock: FakeClock) -> None:
    async with engine_on(backend(Model(), attempt_timeout=10), clock=clock) as engine:
        assert (await run_one(engine)).ok
    assert clock.pending == 0
