"""Identical prompts in flight together are sent once."""

import anyio
import pytest

from clawswarm.clock import sleep_until
from clawswarm.config.model import Limits, Settings
from clawswarm.types.result import NO_USAGE, Reply, TaskResult
from clawswarm.types.task import Task
from tests.clock import FakeClock
from tests.engine.support import (
    PRICED,
    SIX_TOKENS,
    Model,
    always,
    backend,
    code_of,
    engine_on,
    error,
    hang,
    run,
    say,
)

pytestmark = pytest.mark.anyio

TASK = Task(prompt="p")
SETTINGS = Settings(limits=Limits(max_nodes=200))


async def test_a_hundred_identical_prompts_are_one_call(clock: FakeClock) -> None:
    gate = anyio.Event()

    async def act(task: Task, call: int) -> None:
        await gate.wait()

    model = Model(act)
    results: list[TaskResult] = []

    async def batch() -> None:
        results.extend(await run(engine, [TASK] * 100))

    async with (
        engine_on(backend(model, slots=100, prices=PRICED), clock=clock, settings=SETTINGS) as engine,
        anyio.create_task_group() as group,
    ):
        group.start_soon(batch)
        await clock.run_until_idle()
        gate.set()
    assert model.calls == 1
    assert {result.text for result in results} == {"P"}
    assert sum(result.cached for result in results) == 99
    assert [result.usage for result in results if not result.cached] == [SIX_TOKENS]
    shared = [result for result in results if result.cached]
    assert all((each.usage, each.cost_pico, each.attempts) == (NO_USAGE, 0, 0) for each in shared)


async def test_different_prompts_are_not_held_up_by_each_other(clock: FakeClock) -> None:
    model = Model()
    async with engine_on(backend(model, slots=100), clock=clock, settings=SETTINGS) as engine:
        results = await run(engine, [Task(prompt=f"p{number % 10}") for number in range(100)])
    assert model.calls == 10
    assert [result.text for result in results] == [f"P{number % 10}" for number in range(100)]


async def test_when_the_one_that_asks_is_cancelled_another_takes_over(clock: FakeClock) -> None:
    gate = anyio.Event()

    async def act(task: Task, call: int) -> None:
        await gate.wait()

    model = Model(act)
    results: list[TaskResult] = []

    async def follow(index: int) -> None:
        results.append(await engine.run_task(index, TASK, None))

    async with (
        engine_on(model, clock=clock, settings=SETTINGS) as engine,
        anyio.create_task_group() as group,
    ):
        leader = anyio.CancelScope()

        async def lead() -> None:
            with leader:
                await engine.run_task(0, TASK, None)

        group.start_soon(lead)
        await clock.run_until_idle()
        for index in range(1, 10):
            group.start_soon(follow, index)
        await clock.run_until_idle()
        assert model.calls == 1
        leader.cancel()
        await clock.run_until_idle()
        assert (model.calls, model.cancelled, model.in_flight) == (2, 1, 1)
        gate.set()
    assert model.calls == 2
    assert sorted(result.index for result in results) == list(range(1, 10))
    assert all(result.ok for result in results)
    assert sum(not result.cached for result in results) == 1


async def test_when_the_one_that_asks_is_out_of_time_another_takes_over(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> None:
        if call == 1:
            await anyio.sleep_forever()

    model = Model(act)
    async with engine_on(model, clock=clock, settings=SETTINGS) as engine, clock.auto():
        hasty, *patient = await run(engine, [Task(prompt="p", timeout=5), *[TASK] * 9])
    assert code_of(hasty) == "timeout"
    assert all(result.ok for result in patient)
    assert model.calls == 2


async def test_everyone_is_out_of_time_at_their_own_deadline(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> None:
        await anyio.sleep_forever()

    model = Model(act)
    given = [Task(prompt="p", timeout=seconds) for seconds in (5, 7, 20)]
    async with engine_on(model, clock=clock, settings=SETTINGS) as engine, clock.auto():
        results = await run(engine, given)
    assert [code_of(result) for result in results] == ["timeout"] * 3
    assert [result.duration_ms + result.queued_ms for result in results] == [5000, 7000, 20000]
    assert model.in_flight == 0


async def test_when_the_call_of_the_one_that_asks_is_lost_another_asks(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> None:
        if call == 1:
            await anyio.sleep_forever()

    model = Model(act)
    settings = Settings(limits=Limits(max_retries=0))
    async with (
        engine_on(backend(model, attempt_timeout=10), clock=clock, settings=settings) as engine,
        clock.auto(),
    ):
        first, *others = await run(engine, [TASK] * 9)
    assert code_of(first) == "timeout"
    assert all(result.ok for result in others)
    assert model.calls == 2


async def test_those_who_wait_for_the_same_answer_wait_no_longer_than_for_their_own(clock: FakeClock) -> None:
    settings = Settings(limits=Limits(max_nodes=16, timeout=300))
    async with engine_on(Model(hang), clock=clock, settings=settings) as engine, clock.auto():
        results = await run(engine, [TASK] * 16)
    assert {code_of(result) for result in results} == {"timeout"}
    assert clock.elapsed == 300


async def test_time_stands_still_for_them_while_the_one_that_asks_waits_for_a_slot(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> None:
        await sleep_until(clock, clock.monotonic() + 20)

    settings = Settings(limits=Limits(timeout=30))
    others = [Task(prompt=f"p{number}") for number in range(5)]
    model = backend(Model(act), slots=1)
    async with engine_on(model, clock=clock, settings=settings) as engine, clock.auto():
        results = await run(engine, [*others, *[TASK] * 5])
    assert all(result.ok for result in results)
    assert clock.elapsed == 120


async def test_a_failure_is_told_to_all_and_asked_for_once(clock: FakeClock) -> None:
    model = Model(always(error("auth_failed", retryable=False)))
    async with engine_on(model, clock=clock, settings=SETTINGS) as engine:
        results = await run(engine, [TASK] * 50)
    assert {code_of(result) for result in results} == {"auth_failed"}
    assert model.calls == 1
    assert sum(result.attempts for result in results) == 1
    assert all(result.provider == "demo" for result in results)


async def test_a_reply_that_is_no_answer_is_told_to_all_and_paid_once(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> Reply:
        return say("half", finish_reason="length")

    model = Model(act)
    async with engine_on(backend(model, prices=PRICED), clock=clock, settings=SETTINGS) as engine:
        results = await run(engine, [TASK] * 20)
    assert {code_of(result) for result in results} == {"truncated"}
    assert model.calls == 1
    assert sum(result.cost_pico or 0 for result in results) == 8 * 10**6


async def test_a_limit_too_long_for_the_one_that_asks_is_waited_out_by_those_with_more_time(
    clock: FakeClock,
) -> None:
    async def act(task: Task, call: int) -> None:
        if call == 1:
            raise error("rate_limited", status=429, retry_after=60)

    model = Model(act)
    async with engine_on(model, clock=clock, settings=SETTINGS) as engine, clock.auto():
        hasty, *patient = await run(engine, [Task(prompt="p", timeout=5), *[TASK] * 9])
    assert code_of(hasty) == "rate_limited"
    assert all(result.ok for result in patient)
    assert (model.calls, clock.elapsed) == (2, 60)


async def test_answers_that_are_to_vary_are_asked_for_each_time(clock: FakeClock) -> None:
    model = Model()
    async with engine_on(model, clock=clock, settings=SETTINGS) as engine:
        await run(engine, [Task(prompt="p", temperature=1.0)] * 10)
    assert model.calls == 10
