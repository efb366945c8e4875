"""What a cap allows, what it refuses, and what is booked when a call ends badly."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import Engine, event

from clawswarm.types.result import BatchResult, Usage
from tests.clock import FakeClock
from tests.money.priced import CENT, COST, ENOUGH, Paid, settings, swarm, total_of

pytestmark = pytest.mark.anyio

DAY, TOMORROW = "2026-01-14", "2026-01-15"
TEN_BILLION = 10**10
"""A cent in picodollars."""

PROMPTS = [f"prompt {number}" for number in range(1000)]


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "memory"


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def begun() -> Iterator[list[str]]:
    """Every write transaction of this test."""
    seen: list[str] = []

    def watch(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement == "BEGIN IMMEDIATE":
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", watch)
    yield seen
    event.remove(Engine, "before_cursor_execute", watch)


def codes(result: BatchResult) -> set[str | None]:
    return {None if task.error is None else task.error.code for task in result.tasks}


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


@pytest.mark.parametrize("capped", [{"day": ENOUGH}, {"run": ENOUGH}])
async def test_an_unknown_price_is_refused_under_a_cap_unless_it_is_allowed(
    memory: Path, capped: dict[str, Decimal]
) -> None:
    for allowed, expected in ((False, {"unpriced"}), (True, {None})):
        demo = Paid()
        async with unpriced(memory, demo, allow_unpriced=allowed, **capped) as opened:
            result = await opened.parallel(PROMPTS[:5])
        assert codes(result) == expected
        assert demo.calls == (5 if allowed else 0)
        assert result.stats.cost_usd == (None if allowed else 0)


async def test_an_unknown_price_is_never_refused_without_a_cap(memory: Path) -> None:
    async with unpriced(memory, Paid()) as opened:
        result = await opened.parallel(PROMPTS[:5])
    assert codes(result) == {None}
    assert result.stats.cost_usd is None


def unpriced(memory: Path, demo: Paid, **caps: Any) -> Any:
    from unittest.mock import patch

    from clawswarm.providers import prices

    class Opened:
        async def __aenter__(self) -> Any:
            self._patch = patch.object(prices, "FREE", None)
            self._patch.start()
            self._swarm = swarm(memory, settings(free=True, **caps), demo)
            return await self._swarm.__aenter__()

        async def __aexit__(self, *error: Any) -> None:
            await self._swarm.__aexit__(*error)
            self._patch.stop()

    return Opened()


# ---- days


async def test_at_midnight_a_new_day_begins_and_late_calls_are_booked_on_the_old_one(
    memory: Path,
) -> None:
    clock = FakeClock(at=datetime(2026, 1, 14, 23, 59, 59, tzinfo=UTC))
    demo = Paid(latency=3, jitter=False, clock=clock)
    async with swarm(memory, settings(day=CENT), demo, clock) as opened:
        async with anyio.create_task_group() as group:
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
    assert os.environ["TZ"].startswith("CET")
    clock = FakeClock(at=datetime(2026, 3, 28, 23, 30, tzinfo=UTC))  # the 29th, 00:30; that day has 23 hours
    async with swarm(memory, settings(day=CENT), Paid(), clock) as opened:
        await opened.parallel(["one"])
        clock.advance(22.4 * 3600)
        await opened.parallel(["two"])
        clock.advance(0.2 * 3600)
        await opened.parallel(["three"])
    assert total_of(memory, "2026-03-29").spent == 2 * COST
    assert total_of(memory, "2026-03-30").spent == COST


# ---- calls that end badly


async def test_a_call_cut_short_is_booked_as_uncertain_at_its_whole_reservation(
    memory: Path, clock: FakeClock
) -> None:
    demo = Paid(latency=100, clock=clock)
    async with swarm(memory, settings(day=CENT), demo, clock) as opened:
        async with anyio.create_task_group() as group:
            group.start_soon(opened.parallel, ["cut short"])
            await clock.run_until_idle()
            assert demo.calls == 1
            reserved = total_of(memory, DAY).held
            group.cancel_scope.cancel()
        total = total_of(memory, DAY)
    assert total.spent == total.held == 0
    assert COST <= total.uncertain <= reserved


async def test_a_task_past_its_deadline_is_booked_as_uncertain_and_costs_nobody_knows_what(
    memory: Path, clock: FakeClock
) -> None:
    demo = Paid(latency=100, clock=clock)
    async with clock.auto(), swarm(memory, settings(day=CENT, timeout=5), demo, clock) as opened:
        result = await opened.parallel(["too slow"])
    assert codes(result) == {"timeout"}
    assert result.stats.cost_usd is None
    total = total_of(memory, DAY)
    assert total.spent == total.held == 0
    assert COST <= total.uncertain


async def test_every_try_reserves_anew_and_only_what_was_billed_is_counted(
    memory: Path, clock: FakeClock
) -> None:
    demo = Paid()
    demo.fail("overloaded", retryable=True).fail("overloaded", retryable=True)
    async with clock.auto(), swarm(memory, settings(day=CENT), demo, clock) as opened:
        result = await opened.parallel(["again"])
    assert result.tasks[0].attempts == demo.calls == 3
    assert result.tasks[0].cost_pico == COST
    total = total_of(memory, DAY)
    assert (total.spent, total.uncertain, total.held) == (COST, 0, 0)


async def test_tries_that_the_cap_has_no_room_for_are_not_made(memory: Path, clock: FakeClock) -> None:
    """Each lost try may have been billed, so that its reservation is gone."""
    demo = Paid(latency=50, jitter=False, clock=clock)
    config = settings(day=Decimal("0.0025"), attempt_timeout=10, max_retries=10)
    async with clock.auto(), swarm(memory, config, demo, clock) as opened:
        result = await opened.parallel(["lost, and lost again"])
    assert codes(result) == {"budget_exceeded"}
    assert demo.calls == 2
    assert total_of(memory, DAY).taken <= 0.0025 * 10**12


# ---- writes


@pytest.mark.parametrize("day", [None, ENOUGH], ids=["no cap", "a cap with room"])
async def test_a_thousand_tasks_make_few_write_transactions(
    memory: Path, begun: list[str], day: Decimal | None
) -> None:
    async with swarm(memory, settings(day=day, max_nodes=64, max_concurrent_api=64), Paid()) as opened:
        result = await opened.parallel(PROMPTS)
    assert result.stats.successful == 1000
    print(f"{len(begun)} write transactions")  # noqa: T201
    assert len(begun) < 60


async def test_waiting_for_money_does_not_write_for_every_call(
    memory: Path, begun: list[str], clock: FakeClock
) -> None:
    """Two reservations fill the cap, so that all tasks but two wait for others to return theirs."""
    demo = Paid(latency=0.01, jitter=False, clock=clock)
    config = settings(day=Decimal("0.04"), max_tokens=8192, max_nodes=64, max_concurrent_api=64)
    async with clock.auto(), swarm(memory, config, demo, clock) as opened:
        result = await opened.parallel(PROMPTS[:400])
    assert result.stats.successful > 200
    print(f"{len(begun)} write transactions")  # noqa: T201
    assert len(begun) < 60
