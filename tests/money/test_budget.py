"""What a cap allows and what it refuses, and when a new day begins."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest

from clawswarm import Swarm
from clawswarm.config.model import Cost, Provider
from clawswarm.engine.budget import Budget, RunCap
from clawswarm.providers.prices import PriceSheet, Rates
from clawswarm.types.result import BatchResult, Usage
from tests.clock import FakeClock
from tests.fakes.openai import FakeOpenAI
from tests.money.priced import (
    CENT,
    COST,
    DAY,
    ENOUGH,
    PROMPTS,
    TEN_BILLION,
    TOMORROW,
    Paid,
    codes,
    settings,
    swarm,
    total_of,
)

pytestmark = pytest.mark.anyio

# ---- caps


async def test_a_cap_of_zero_sends_nothing_that_costs(memory: Path) -> None:
    demo = Paid()
    async with swarm(memory, settings(day=Decimal(0)), demo) as opened:
        result = await opened.parallel(PROMPTS[:50])
    assert codes(result) == {"budget_exceeded"}
    assert demo.calls == 0
    assert result.stats.cost_usd == 0


async def test_a_cap_of_zero_allows_what_is_free(memory: Path) -> None:
    demo = Paid()
    async with swarm(memory, settings(day=Decimal(0), run=Decimal(0), free=True), demo) as opened:
        result = await opened.parallel(PROMPTS[:50])
    assert result.stats.successful == demo.calls == 50


async def test_the_cap_of_a_run_ends_with_the_run(memory: Path, clock: FakeClock) -> None:
    demo = Paid()
    async with swarm(memory, settings(run=CENT), demo, clock) as opened:
        for turn in (1, 2):
            result = await opened.parallel(PROMPTS)
            assert codes(result) == {None, "budget_exceeded"}
            assert 0.95 * TEN_BILLION <= demo.calls * COST / turn <= TEN_BILLION
    assert total_of(memory, DAY).spent == demo.calls * COST


@pytest.mark.parametrize(("day", "run"), [(CENT, ENOUGH), (ENOUGH, CENT), (CENT, CENT)])
async def test_of_two_caps_the_lower_one_holds(
    memory: Path, clock: FakeClock, day: Decimal, run: Decimal
) -> None:
    demo = Paid()
    async with swarm(memory, settings(day=day, run=run), demo, clock) as opened:
        result = await opened.parallel(PROMPTS)
    assert codes(result) == {None, "budget_exceeded"}
    assert 0.95 * TEN_BILLION <= demo.calls * COST <= TEN_BILLION
    assert total_of(memory, DAY).spent == demo.calls * COST


async def test_the_refusal_names_the_cap_the_price_and_what_to_do(memory: Path) -> None:
    async with swarm(memory, settings(day=Decimal("0.000001")), Paid()) as opened:
        error = (await opened.parallel(["one"])).tasks[0].error
    assert error is not None
    assert "$0.000001" in error.message
    assert "max_daily_spend" in (error.hint or "")


async def test_a_server_that_counts_more_than_was_reserved_stays_below_the_cap(
    memory: Path, clock: FakeClock
) -> None:
    class Dear(Paid):
        async def complete(self, task: Any, *, model: str) -> Any:
            self.reply("dear", usage=Usage(input_tokens=1000, output_tokens=20))
            return await super().complete(task, model=model)

    demo = Dear(latency=1, clock=clock)
    async with clock.auto(), swarm(memory, settings(day=CENT, run=CENT, max_nodes=64), demo, clock) as opened:
        await opened.parallel(PROMPTS[:200])
    spent = demo.calls * (1000 * 1_000_000 + 20 * 2_000_000)
    assert 0.5 * TEN_BILLION <= spent <= TEN_BILLION
    assert total_of(memory, DAY).spent == spent


async def test_what_is_reserved_covers_a_prompt_that_is_written_to_a_dearer_cache(clock: FakeClock) -> None:
    sheet = PriceSheet((Rates(above=0, input=100, cached=10, cache_write=125, output=500),))
    budget, run = Budget(Cost(max_run_spend=ENOUGH), None, clock), RunCap(10**12)
    for _ in range(2):
        hold = await budget.reserve(Usage(1000, 10), sheet, run, "m")
        assert hold is not None
        assert hold.amount >= sheet.cost(Usage(1000, 10, cache_write_tokens=1000))
        budget.learn(hold, 0)  # from now on nothing is added for what the model may count unseen


async def test_numbers_that_no_call_can_cost_harm_nothing(memory: Path, clock: FakeClock) -> None:
    demo = Paid()
    demo.reply("negative", usage=Usage(input_tokens=-1000, output_tokens=-1000))
    async with swarm(memory, settings(day=ENOUGH), demo, clock) as opened:
        await opened.parallel(["one", "two"])
    total = total_of(memory, DAY)
    assert (total.spent, total.held) == (COST, 0)


async def test_a_reply_longer_than_any_is_not_reserved_for(memory: Path) -> None:
    async with swarm(memory, settings(max_tokens=10**18), Paid()) as opened:
        result = await opened.parallel(["one"])
    assert codes(result) == {"bad_request"}


# ---- unknown prices


async def ask_a_model_without_a_price(memory: Path, **cost: Any) -> tuple[BatchResult, int]:
    """Five prompts to a model that is in no price list: the result, and the calls that arrived."""
    async with FakeOpenAI(models=["mystery"]) as server:
        config = settings(**cost).model_copy(
            update={"provider": Provider(name="openai", model="mystery", base_url=server.base_url)}
        )
        environ = {"HOME": str(memory.parent), "OPENAI_API_KEY": "test-key"}
        async with Swarm(settings=config, environ=environ) as opened:
            return await opened.parallel(PROMPTS[:5]), len(server.calls)


@pytest.mark.parametrize("cap", ["day", "run"])
async def test_an_unknown_price_is_refused_under_a_cap(memory: Path, cap: str) -> None:
    result, calls = await ask_a_model_without_a_price(memory, **{cap: ENOUGH})
    assert codes(result) == {"unpriced"}
    assert (calls, result.stats.cost_usd) == (0, 0)
    assert "mystery" in str(result.tasks[0].error)
    assert "allow_unpriced" in str(result.tasks[0].error)


@pytest.mark.parametrize("cap", ["day", "run"])
async def test_an_unknown_price_is_no_obstacle_where_it_is_allowed(memory: Path, cap: str) -> None:
    result, calls = await ask_a_model_without_a_price(memory, allow_unpriced=True, **{cap: ENOUGH})
    assert codes(result) == {None}
    assert (calls, result.stats.cost_usd) == (5, None)


async def test_an_unknown_price_is_never_refused_without_a_cap(memory: Path) -> None:
    result, calls = await ask_a_model_without_a_price(memory)
    assert codes(result) == {None}
    assert (calls, result.stats.cost_usd) == (5, None)


# ---- days


async def test_at_midnight_a_new_day_begins_and_late_calls_are_booked_on_the_old_one(
    memory: Path,
) -> None:
    clock = FakeClock(at=datetime(2026, 1, 14, 23, 59, 59, tzinfo=UTC))
    demo = Paid(latency=3, jitter=False, clock=clock)
    async with (
        swarm(memory, settings(day=CENT), demo, clock) as opened,
        anyio.create_task_group() as group,
    ):
        group.start_soon(opened.parallel, ["before midnight"])
        await clock.step(2)
        group.start_soon(opened.parallel, ["after midnight"])
        await clock.settle()
    assert total_of(memory, DAY).spent == COST
    assert total_of(memory, TOMORROW).spent == COST
    assert not list((memory / "leases").iterdir())


async def test_a_cap_that_is_used_up_is_whole_again_the_next_day(memory: Path, clock: FakeClock) -> None:
    demo = Paid()
    async with swarm(memory, settings(day=CENT), demo, clock) as opened:
        assert codes(await opened.parallel(PROMPTS)) == {None, "budget_exceeded"}
        first = demo.calls
        clock.advance(24 * 3600)
        assert codes(await opened.parallel(PROMPTS)) == {None, "budget_exceeded"}
        assert len(list((memory / "leases").iterdir())) == 1
    assert demo.calls - first == pytest.approx(first, abs=5)
    assert total_of(memory, TOMORROW).spent == (demo.calls - first) * COST


async def test_a_machine_that_slept_over_midnight_begins_the_new_day(memory: Path) -> None:
    """While a laptop sleeps, its monotonic clock stands still."""

    class Laptop(FakeClock):
        slept = 0.0

        def now(self) -> datetime:
            return datetime.fromtimestamp(super().now().timestamp() + self.slept, UTC)

    clock = Laptop()
    async with swarm(memory, settings(day=CENT), Paid(), clock) as opened:
        await opened.parallel(["one"])
        clock.slept = 24 * 3600
        await opened.parallel(["two"])
    assert total_of(memory, DAY).spent == total_of(memory, TOMORROW).spent == COST


async def test_the_day_on_which_the_clocks_change_ends_at_its_own_midnight(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    clock = FakeClock(at=datetime(2026, 3, 28, 23, 30, tzinfo=UTC))  # the 29th, 00:30; that day has 23 hours
    async with swarm(memory, settings(day=CENT), Paid(), clock) as opened:
        await opened.parallel(["one"])
        clock.advance(22.4 * 3600)
        await opened.parallel(["two"])
        clock.advance(0.2 * 3600)
        await opened.parallel(["three"])
    assert total_of(memory, "2026-03-29").spent == 2 * COST
    assert total_of(memory, "2026-03-30").spent == COST
