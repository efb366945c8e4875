"""What surrounds one call: retry ( money ( slot ( adapter ) ) )."""

from decimal import Decimal

import anyio
import pytest

from clawswarm.config.model import Cost
from clawswarm.engine.budget import UNSEEN_TOKENS, Budget, most_tokens
from clawswarm.errors import TaskError, TaskErrorCode
from clawswarm.types.result import Reply, Usage
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
    failing,
    hang,
    limits,
    run,
    run_one,
    say,
    tasks,
)

pytestmark = pytest.mark.anyio

SIX_TOKENS_COST = 4 * 10**6 + 2 * 2 * 10**6  # picodollars
WORST_PRICE = PRICED.cost(most_tokens(Task(prompt="p0"), 100) + Usage(input_tokens=UNSEEN_TOKENS))


def room_for(calls: float) -> Cost:
    """A cap of a run with room for the worst price of so many calls."""
    return Cost(max_run_spend=Decimal(int(WORST_PRICE * calls)) / 10**12)


RUN_CAP = room_for(1.5)


async def test_a_task_that_waits_for_its_next_try_holds_neither_slot_nor_money(clock: FakeClock) -> None:
    model = Model(failing(error()), clock=clock)
    settings = limits(max_nodes=2).model_copy(update={"cost": RUN_CAP})
    async with (
        engine_on(backend(model, slots=1, prices=PRICED), clock=clock, settings=settings) as engine,
        anyio.create_task_group() as group,
    ):
        group.start_soon(run, engine, tasks(2))
        await clock.run_until_idle()
        assert model.prompts == ["p0", "p1"]  # the second went ahead while the first waits
        await clock.settle()
    assert model.prompts == ["p0", "p1", "p0"]


async def test_money_is_reserved_before_a_slot_is_taken(clock: FakeClock) -> None:
    """Whoever waits for money does not keep others from calling."""
    gate = anyio.Event()

    async def act(task: Task, call: int) -> None:
        if task.prompt == "p0":
            await gate.wait()

    paid, free = Model(act), Model()
    settings = limits(max_nodes=3).model_copy(update={"cost": RUN_CAP})
    backends = (backend(paid, slots=2, prices=PRICED), backend(free))
    async with (
        engine_on(*backends, clock=clock, settings=settings) as engine,
        anyio.create_task_group() as group,
    ):
        group.start_soon(run, engine, tasks(3))
        await clock.run_until_idle()
        assert paid.prompts == ["p0"]  # there is a second slot, but money for one call only
        gate.set()
        await clock.run_until_idle()
    assert paid.prompts == ["p0", "p1", "p2"]


async def test_a_call_that_is_cancelled_in_the_line_gives_its_money_back(clock: FakeClock) -> None:
    settings = limits(max_nodes=2).model_copy(update={"cost": room_for(2.5)})
    model = Model(hang)
    async with (
        engine_on(backend(model, slots=1, prices=PRICED), clock=clock, settings=settings) as engine,
        anyio.create_task_group() as group,
    ):
        cap = engine.budget.run_cap()
        assert cap is not None
        group.start_soon(engine.run_task, 0, Task(prompt="p0"), cap)
        await clock.run_until_idle()
        reserved = cap.flying
        with anyio.CancelScope() as scope:
            clock.call_at(clock.monotonic() + 1, scope.cancel)
            group.start_soon(clock.step, 1)
            await engine.run_task(1, Task(prompt="p1"), cap)
        assert cap.flying == reserved
        assert model.prompts == ["p0"]
        group.cancel_scope.cancel()


async def test_every_attempts_tokens_and_cost_are_counted(clock: FakeClock) -> None:
    """A refusal costs nothing, a reply that is no answer costs what it says."""

    async def act(task: Task, call: int) -> Reply:
        if call == 1:
            raise error()
        return say("half", finish_reason="length")

    async with engine_on(backend(Model(act), prices=PRICED), clock=clock) as engine, clock.auto():
        result = await run_one(engine)
    assert code_of(result) == "truncated"
    assert result.attempts == 2
    assert result.usage == SIX_TOKENS
    assert result.cost_pico == SIX_TOKENS_COST
    assert result.finish_reason == "length"


async def test_the_tokens_of_all_providers_that_were_asked_add_up(clock: FakeClock) -> None:
    first = backend(Model(always(error("payment_required", retryable=False))), prices=PRICED)
    second = backend(Model(), prices=PRICED, address="there")
    async with engine_on(first, second, clock=clock) as engine:
        result = await run_one(engine)
    assert (result.ok, result.attempts) == (True, 2)
    assert result.cost_pico == SIX_TOKENS_COST


@pytest.mark.parametrize(
    ("billed", "usage", "cost"), [(False, SIX_TOKENS, SIX_TOKENS_COST), (None, None, None)]
)
async def test_an_attempt_whose_reply_was_lost_makes_the_sum_unknown(
    clock: FakeClock, billed: bool | None, usage: Usage | None, cost: int | None
) -> None:
    lost = error("connection_failed", billed=billed)
    async with (
        engine_on(backend(Model(failing(lost)), prices=PRICED), clock=clock) as engine,
        clock.auto(),
    ):
        result = await run_one(engine)
    assert (result.ok, result.usage, result.cost_pico) == (True, usage, cost)


async def test_a_lost_reply_of_a_free_model_costs_nothing(clock: FakeClock) -> None:
    lost = error("connection_failed", billed=None)
    async with engine_on(Model(failing(lost)), clock=clock) as engine, clock.auto():
        result = await run_one(engine)
    assert (result.usage, result.cost_pico) == (None, 0)


async def test_usage_that_a_provider_does_not_tell_is_unknown(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> Reply:
        return say(usage=None)

    async with engine_on(backend(Model(act), prices=PRICED), clock=clock) as engine:
        result = await run_one(engine)
    assert (result.ok, result.usage, result.cost_pico, result.cost_usd) == (True, None, None, None)


async def test_a_price_that_nobody_knows_is_unknown_and_the_one_the_provider_charged_counts(
    clock: FakeClock,
) -> None:
    async def act(task: Task, call: int) -> Reply:
        return say(cost_pico=77 if task.prompt == "p1" else None)

    unpriced = backend(Model(act), model="nobody-knows-it")
    unpriced.name, unpriced.price_source = "openai-compatible", "nobody"
    unpriced.local = False
    async with engine_on(unpriced, clock=clock) as engine:
        unknown, charged = await run(engine, tasks(2))
    assert (unknown.usage, unknown.cost_pico) == (SIX_TOKENS, None)
    assert charged.cost_pico == 77


@pytest.mark.parametrize(
    "code",
    [
        "bad_request",
        "auth_failed",
        "permission_denied",
        "model_not_found",
        "content_blocked",
        "invalid_reply",
    ],
)
async def test_what_cannot_pass_is_tried_once(clock: FakeClock, code: TaskErrorCode) -> None:
    model = Model(always(error(code, retryable=False)))
    async with engine_on(model, clock=clock) as engine:
        result = await run_one(engine)
    assert (code_of(result), result.attempts, model.calls) == (code, 1, 1)
    assert clock.elapsed == 0


@pytest.mark.parametrize("code", ["overloaded", "timeout", "connection_failed", "provider_failed"])
@pytest.mark.parametrize("retries", [0, 3])
async def test_what_may_pass_is_tried_as_often_as_configured(
    clock: FakeClock, code: TaskErrorCode, retries: int
) -> None:
    model = Model(always(error(code)))
    async with engine_on(model, clock=clock, settings=limits(max_retries=retries)) as engine, clock.auto():
        result = await run_one(engine)
    assert (code_of(result), result.attempts, model.calls) == (code, 1 + retries, 1 + retries)


@pytest.mark.parametrize(
    "unforeseen",
    [
        KeyError("choices"),
        TypeError("'NoneType'"),
        IndexError("0"),
        AttributeError("x"),
        RuntimeError("closed"),
    ],
)
async def test_a_reply_that_the_adapter_did_not_foresee_fails_one_task(
    clock: FakeClock, unforeseen: Exception
) -> None:
    async def act(task: Task, call: int) -> None:
        if task.prompt == "p1":
            raise unforeseen

    async with engine_on(Model(act), clock=clock) as engine:
        results = await run(engine, tasks(3))
    assert [code_of(result) for result in results] == [None, "invalid_reply", None]
    assert results[1].usage is None
    assert type(unforeseen).__name__ in (results[1].error.message if results[1].error else "")


async def test_a_retry_budget_is_not_spent_on_a_try_that_would_come_too_late(clock: FakeClock) -> None:
    model = Model(always(error(retry_after=50)))
    async with engine_on(model, clock=clock, settings=limits(timeout=20, breaker_failures=999)) as engine:
        for _ in range(300):
            assert (await run_one(engine)).attempts == 1
        assert clock.elapsed == 0
        model.act = failing(*[None] * model.calls, error())
        async with clock.auto():
            assert (await run_one(engine)).ok


async def test_a_call_refused_by_the_budget_reaches_nobody(clock: FakeClock) -> None:
    model = Model()
    cost = room_for(0.9)
    async with engine_on(backend(model, prices=PRICED), clock=clock, cost=cost) as engine:
        (result,) = await run(engine, tasks(1))
    assert (code_of(result), result.attempts, model.calls) == ("budget_exceeded", 0, 0)


async def test_a_refused_reservation_is_an_error_with_a_name_when_the_price_is_unknown(
    clock: FakeClock,
) -> None:
    unpriced = backend(Model(), model="nobody-knows-it")
    unpriced.name, unpriced.local = "openai-compatible", False
    async with engine_on(unpriced, clock=clock, cost=RUN_CAP) as engine:
        (result,) = await run(engine, tasks(1))
    assert code_of(result) == "unpriced"


def test_the_budget_has_no_cap_of_a_run_unless_it_is_configured(clock: FakeClock) -> None:
    assert Budget(Cost(), None, clock).run_cap() is None


async def test_an_error_of_the_line_is_no_exception_of_the_engine(clock: FakeClock) -> None:
    async with engine_on(Model(always(TaskError("auth_failed", "no"))), clock=clock) as engine:
        assert not (await run_one(engine)).ok
