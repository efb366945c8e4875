"""The next provider of the chain: asked when the one before is down or has no quota, and only then."""

from decimal import Decimal

import anyio
import pytest

from clawswarm.config.model import Cost
from clawswarm.errors import TaskErrorCode
from clawswarm.types.result import Reply
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
    limits,
    refused,
    run,
    run_one,
    say,
    tasks,
)

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        ("connection_failed", True),
        ("overloaded", True),
        ("provider_failed", True),
        ("timeout", True),
        ("payment_required", False),
    ],
)
async def test_a_provider_that_is_down_or_out_of_credit_is_followed_by_the_next(
    clock: FakeClock, code: TaskErrorCode, retryable: bool
) -> None:
    first, second = Model(always(error(code, retryable=retryable))), Model(name="demo")
    chain = (backend(first), backend(second, model="other", address="there"))
    async with engine_on(*chain, clock=clock) as engine, clock.auto():
        result = await run_one(engine, Task(prompt="p", model="mine"))
    assert result.ok
    assert first.models[0] == "mine"
    assert second.models == ["other"]  # a model of one provider is not asked of another
    assert result.attempts == first.calls + 1


async def test_a_limit_that_outlasts_the_deadline_moves_the_task_on_at_once(clock: FakeClock) -> None:
    first, second = Model(always(refused(after=3600))), Model()
    async with engine_on(first, backend(second, address="there"), clock=clock) as engine:
        results = await run(engine, tasks(20))
    assert all(result.ok for result in results)
    assert first.calls <= 16
    assert clock.elapsed == 0


@pytest.mark.parametrize(
    "code",
    [
        "auth_failed",
        "bad_request",
        "content_blocked",
        "permission_denied",
        "model_not_found",
        "invalid_reply",
    ],
)
async def test_what_is_wrong_with_the_request_or_the_key_stays_an_error(
    clock: FakeClock, code: TaskErrorCode
) -> None:
    first, second = Model(always(error(code, retryable=False))), Model()
    async with engine_on(first, backend(second, address="there"), clock=clock) as engine:
        result = await run_one(engine)
    assert (code_of(result), second.calls) == (code, 0)


async def test_a_reply_that_is_no_answer_stays_an_error(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> Reply:
        return say("half", finish_reason="length")

    second = Model()
    async with engine_on(Model(act), backend(second, address="there"), clock=clock) as engine:
        result = await run_one(engine)
    assert (code_of(result), second.calls) == ("truncated", 0)


async def test_a_spent_budget_does_not_move_a_task_to_another_provider(clock: FakeClock) -> None:
    second = Model()
    cost = Cost(max_run_spend=Decimal(0))
    chain = (backend(Model(), prices=PRICED), backend(second, address="there"))
    async with engine_on(*chain, clock=clock, cost=cost) as engine:
        (result,) = await run(engine, tasks(1))
    assert (code_of(result), second.calls) == ("budget_exceeded", 0)


async def test_the_error_of_the_last_provider_is_the_tasks(clock: FakeClock) -> None:
    chain = (
        backend(Model(always(error("connection_failed")))),
        backend(Model(always(error("payment_required", retryable=False))), address="b"),
        backend(Model(always(error("auth_failed", retryable=False))), address="c"),
    )
    async with engine_on(*chain, clock=clock) as engine, clock.auto():
        result = await run_one(engine)
    assert code_of(result) == "auth_failed"


async def test_while_the_breaker_is_open_tasks_go_to_the_fallback_without_delay(clock: FakeClock) -> None:
    first, second = Model(always(error("connection_failed")), clock=clock), Model(clock=clock)
    chosen = limits(breaker_failures=3, max_retries=0)
    async with engine_on(first, backend(second, address="there"), clock=clock, settings=chosen) as engine:
        for _ in range(3):
            assert (await run_one(engine)).ok
        asked = first.calls
        results = await run(engine, tasks(30))
    assert all(result.ok for result in results)
    assert first.calls == asked == 3
    assert clock.elapsed == 0


async def test_those_who_wait_in_the_line_go_to_the_fallback_when_the_breaker_opens(clock: FakeClock) -> None:
    gate = anyio.Event()

    async def act(task: Task, call: int) -> None:
        await gate.wait()
        raise error("connection_failed")

    first, second = Model(act), Model()
    chain = (backend(first, slots=2), backend(second, address="there"))
    chosen = limits(breaker_failures=1, max_retries=0)
    async with (
        engine_on(*chain, clock=clock, settings=chosen) as engine,
        anyio.create_task_group() as group,
    ):
        group.start_soon(run, engine, tasks(10))
        await clock.run_until_idle()
        assert (first.calls, second.calls) == (2, 0)
        gate.set()
        await clock.run_until_idle()
    assert (first.calls, second.calls) == (2, 10)
    assert clock.elapsed == 0


async def test_the_first_provider_is_asked_again_once_it_is_back(clock: FakeClock) -> None:
    first, second = Model(always(error("connection_failed"))), Model()
    chosen = limits(breaker_failures=1, breaker_cooldown=5, max_retries=0)
    async with engine_on(first, backend(second, address="there"), clock=clock, settings=chosen) as engine:
        await run_one(engine)
        first.act = None
        await clock.step(5)
        assert (await run_one(engine)).ok  # the probe
        await run(engine, tasks(5))
    assert first.calls == 1 + 1 + 5
    assert second.calls == 1
