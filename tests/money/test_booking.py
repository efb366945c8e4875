"""What is booked when a call ends badly, and how seldom anything is written."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import Engine, event

from tests.clock import FakeClock
from tests.money.priced import (
    CENT,
    COST,
    DAY,
    ENOUGH,
    PROMPTS,
    Paid,
    codes,
    settings,
    swarm,
    total_of,
)

pytestmark = pytest.mark.anyio


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


# ---- calls that end badly


async def test_a_call_cut_short_is_booked_as_uncertain_at_its_whole_reservation(
    memory: Path, clock: FakeClock
) -> None:
    demo = Paid(latency=100, clock=clock)
    async with swarm(memory, settings(day=CENT), demo, clock) as opened:
        reserved = 0
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
    assert total.uncertain >= COST


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
    assert len(begun) < 60
