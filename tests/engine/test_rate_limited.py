"""429: the endpoint waits as long as the provider says; tasks wait, they do not fail."""

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawswarm.providers.base import Pace
from clawswarm.types.task import Task
from tests.clock import FakeClock
from tests.engine.support import (
    Model,
    always,
    backend,
    code_of,
    engine_on,
    error,
    failing,
    limits,
    refused,
    run,
    run_one,
    tasks,
)

pytestmark = pytest.mark.anyio


async def test_no_call_reaches_an_endpoint_before_the_time_it_asked_for(clock: FakeClock) -> None:
    model = Model(failing(*[refused(after=30)] * 4), clock=clock)
    async with engine_on(backend(model, slots=4), clock=clock) as engine, clock.auto():
        results = await run(engine, tasks(10))
    assert all(result.ok for result in results)
    assert model.times[:4] == [1000] * 4
    assert min(model.times[4:]) == 1030


async def test_after_a_429_fewer_calls_go_at_once_and_one_more_with_each_success(clock: FakeClock) -> None:
    gates = [anyio.Event() for _ in range(16)]

    async def act(task: Task, call: int) -> None:
        if call <= 8:
            raise refused(after=30)
        await gates[call - 9].wait()

    model = Model(act)
    async with (
        engine_on(backend(model, slots=8), clock=clock) as engine,
        anyio.create_task_group() as group,
    ):
        group.start_soon(run, engine, tasks(16))
        await clock.step(30)
        at_once = [model.in_flight]
        for gate in gates[:5]:
            gate.set()
            await clock.run_until_idle()
            at_once.append(model.in_flight)
        assert at_once == [4, 5, 6, 7, 8, 8]
        for gate in gates:
            gate.set()


async def test_a_429_is_no_try(clock: FakeClock) -> None:
    model = Model(failing(*[refused(after=2)] * 20), clock=clock)
    async with engine_on(model, clock=clock, settings=limits(max_retries=0)) as engine, clock.auto():
        result = await run_one(engine)
    assert (result.ok, result.attempts, clock.elapsed) == (True, 21, 40)


async def test_a_limit_told_inside_a_reply_without_a_status_is_no_try_either(clock: FakeClock) -> None:
    told = error("rate_limited", retry_after=2)
    model = Model(failing(*[told] * 5), clock=clock)
    async with engine_on(model, clock=clock, settings=limits(max_retries=0)) as engine, clock.auto():
        result = await run_one(engine)
    assert (result.ok, result.attempts, clock.elapsed) == (True, 6, 10)


async def test_a_429_that_will_not_pass_is_an_error_at_once(clock: FakeClock) -> None:
    model = Model(always(error("rate_limited", retryable=False, status=429)))
    async with engine_on(model, clock=clock) as engine:
        result = await run_one(engine)
    assert (code_of(result), model.calls, clock.elapsed) == ("rate_limited", 1, 0)


@pytest.mark.parametrize("after", [None, 0])
async def test_a_429_without_a_usable_time_is_waited_out_longer_each_time(
    clock: FakeClock, after: float | None
) -> None:
    model = Model(always(refused(after=after)), clock=clock)
    settings = limits(timeout=120, requests_per_minute=60)
    async with engine_on(model, clock=clock, settings=settings) as engine, clock.auto():
        result = await run_one(engine)
    assert code_of(result) == "rate_limited"
    gaps = [later - sooner for sooner, later in zip(model.times, model.times[1:], strict=False)]
    assert all(gap >= 0.25 for gap in gaps)
    assert max(gaps) >= 10
    assert model.calls < 20


async def test_a_429_does_not_count_against_the_breaker_or_the_retry_budget(clock: FakeClock) -> None:
    model = Model(failing(*[refused(after=1)] * 300, error()), clock=clock)
    chosen = limits(breaker_failures=1, breaker_cooldown=0.001, timeout=10_000)
    async with engine_on(model, clock=clock, settings=chosen) as engine, clock.auto():
        result = await run_one(engine)
    assert (result.ok, result.attempts) == (True, 302)


async def test_an_answer_that_says_the_allowance_is_used_up_pauses_the_endpoint(clock: FakeClock) -> None:
    model = Model(clock=clock, pace=Pace(requests_left=0, requests_reset=17))
    async with engine_on(backend(model, slots=1), clock=clock) as engine, clock.auto():
        await run(engine, tasks(3))
    assert model.times == [1000, 1017, 1034]


async def test_a_limited_endpoint_leaves_the_work_to_the_other_one(clock: FakeClock) -> None:
    limited, open_one = Model(always(refused(after=1000)), clock=clock), Model(clock=clock)
    async with engine_on(backend(limited, open_one, slots=2), clock=clock) as engine:
        results = await run(engine, tasks(20))
    assert all(result.ok for result in results)
    assert limited.calls <= 2
    assert clock.elapsed == 0


@settings(max_examples=40)
@given(requests=st.integers(1, 300), number=st.integers(1, 25), slots=st.integers(1, 8))
async def test_the_configured_requests_a_minute_hold_for_any_batch(
    requests: int, number: int, slots: int
) -> None:
    clock = FakeClock()
    model = Model(clock=clock)
    chosen = limits(requests_per_minute=requests, timeout=100_000)
    async with (
        engine_on(backend(model, slots=slots), clock=clock, settings=chosen) as engine,
        clock.auto(),
    ):
        results = await run(engine, tasks(number))
    assert all(result.ok for result in results)
    for start in model.times:
        assert sum(start <= at < start + 60 for at in model.times) <= requests + max(1, requests / 60) + 1e-6


async def test_a_long_prompt_counts_against_the_tokens_a_minute_before_it_is_sent(clock: FakeClock) -> None:
    model = Model(clock=clock)
    chosen = limits(tokens_per_minute=600, timeout=10_000)
    async with engine_on(model, clock=clock, settings=chosen) as engine, clock.auto():
        await run_one(engine, Task(prompt="x" * 4000))
        await run_one(engine, Task(prompt="x" * 4000))
    assert model.times[0] == 1000
    assert model.times[1] == 1000 or model.times[1] < 1002  # 6 tokens were used, not 1,000
