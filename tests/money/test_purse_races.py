"""What happens at the same time in one purse: batches that end, blocks that are taken, calls that land."""

import threading
from pathlib import Path

import anyio
import pytest

from clawswarm.engine.purse import Purse
from clawswarm.errors import TaskError
from clawswarm.store.lease import Lease
from clawswarm.store.ledger import Ledger
from tests.clock import FakeClock
from tests.money.priced import DAY
from tests.money.purses import Counters, open_till

pytestmark = pytest.mark.anyio


class HeldLedger(Ledger):
    """Its answers come back only when a test lets them, long after they are on the disk."""

    def hold(self) -> None:
        self.done = threading.Event()
        self.released = threading.Event()

    def _pause(self) -> None:
        if hasattr(self, "done"):
            self.done.set()
            assert self.released.wait(4)

    def grow(self, lease: Lease, day: str, *, need: int, want: int, cap: int | None) -> int:
        granted = super().grow(lease, day, need=need, want=want, cap=cap)
        self._pause()
        return granted

    def settle(self, lease: Lease, day: str, *, spent: int, uncertain: int, free: int) -> None:
        super().settle(lease, day, spent=spent, uncertain=uncertain, free=free)
        self._pause()


async def wait_for(event: threading.Event) -> None:
    assert await anyio.to_thread.run_sync(event.wait, 4)


async def test_a_block_that_is_taken_while_another_batch_ends_stays_in_the_books(
    tmp_path: Path, clock: FakeClock
) -> None:
    with open_till(tmp_path, HeldLedger) as till:
        purse, _ = till.open(None, clock)
        await purse.reserve(10)
        purse.settle(10, 10)
        assert isinstance(till.ledger, HeldLedger)
        till.ledger.hold()
        async with anyio.create_task_group() as group:
            group.start_soon(purse.reserve, 1000)
            await wait_for(till.ledger.done)
            till.ledger.released.set()
            await purse.give_back()
        total = till.ledger.total(DAY)
        assert total.spent == 10
        assert total.held == purse.free + purse.flying
        await purse.close()


async def test_two_batches_that_end_at_once_book_their_money_once(tmp_path: Path, clock: FakeClock) -> None:
    with open_till(tmp_path, HeldLedger) as till:
        purse, lease = till.open(None, clock)
        await purse.reserve(10)
        purse.settle(10, 10)
        assert isinstance(till.ledger, HeldLedger)
        till.ledger.hold()
        async with anyio.create_task_group() as group:
            group.start_soon(purse.give_back)
            group.start_soon(purse.give_back)
            await wait_for(till.ledger.done)
            till.ledger.released.set()
        assert till.ledger.total(DAY).spent == 10
        assert till.counters(lease) == Counters(0, 0)
        await purse.close()


async def test_calls_that_land_while_a_batch_is_booked_are_booked_by_the_next(
    tmp_path: Path, clock: FakeClock
) -> None:
    with open_till(tmp_path, HeldLedger) as till:
        purse, lease = till.open(None, clock)
        await purse.reserve(10)
        await purse.reserve(10)
        purse.settle(10, 4)
        assert isinstance(till.ledger, HeldLedger)
        till.ledger.hold()
        async with anyio.create_task_group() as group:
            group.start_soon(purse.give_back)
            await wait_for(till.ledger.done)
            purse.settle(10, 7)
            till.ledger.released.set()
        assert till.ledger.total(DAY).spent == 4
        assert till.counters(lease) == Counters(7, 0)
        await purse.close()
        total = till.ledger.total(DAY)
        assert (total.spent, total.held) == (11, 0)


async def test_a_call_that_lands_after_the_end_changes_nothing(tmp_path: Path, clock: FakeClock) -> None:
    with open_till(tmp_path) as till:
        purse, _ = till.open(None, clock)
        await purse.reserve(10)
        await purse.close()
        purse.settle(10, 3)
        total = till.ledger.total(DAY)
        assert (total.spent, total.uncertain, total.held) == (0, 10, 0)


async def test_those_who_wait_for_money_at_the_end_are_told(tmp_path: Path, clock: FakeClock) -> None:
    with open_till(tmp_path) as till:
        purse, _ = till.open(10, clock)
        await purse.reserve(10)
        refusals: list[str] = []
        async with anyio.create_task_group() as group:
            group.start_soon(_refused, purse, 5, refusals)
            await clock.run_until_idle()
            await purse.close()
        assert refusals == ["cancelled"]


async def test_who_waits_gets_what_a_call_on_its_way_returns(tmp_path: Path, clock: FakeClock) -> None:
    with open_till(tmp_path) as till:
        purse, _ = till.open(100, clock)
        await purse.reserve(100)
        async with anyio.create_task_group() as group:
            group.start_soon(purse.reserve, 60)
            await clock.run_until_idle()
            assert purse.flying == 100
            purse.settle(100, 40)
        assert (purse.flying, purse.free) == (60, 0)
        await purse.close()


async def test_who_waits_gets_what_another_process_returns(tmp_path: Path, clock: FakeClock) -> None:
    with open_till(tmp_path) as till:
        other, _ = till.open(100, clock)
        purse, _ = till.open(100, clock)
        await other.reserve(100)
        async with anyio.create_task_group() as group:
            group.start_soon(purse.reserve, 60)
            await clock.step(0.5)
            assert purse.flying == 0
            other.settle(100, 40)
            await other.close()
            await clock.settle()
        assert purse.flying == 60
        await purse.close()


async def test_who_waits_in_vain_for_another_process_is_refused_in_time_and_others_after_it_at_once(
    tmp_path: Path, clock: FakeClock
) -> None:
    with open_till(tmp_path) as till:
        other, _ = till.open(100, clock)
        purse, _ = till.open(100, clock)
        await other.reserve(100)
        async with clock.auto():
            with pytest.raises(TaskError, match="no room") as refused:
                await purse.reserve(60)
        assert refused.value.code == "budget_exceeded"
        assert 1 <= clock.elapsed <= 5
        before = clock.elapsed
        with pytest.raises(TaskError, match="no room"):
            await purse.reserve(60)
        assert clock.elapsed == before
        await other.close()
        await purse.close()


async def test_money_that_lies_idle_under_a_cap_goes_back_for_others(
    tmp_path: Path, clock: FakeClock
) -> None:
    with open_till(tmp_path) as till:
        purse, _ = till.open(10_000, clock)
        await purse.reserve(1000)
        purse.settle(1000, 1)
        await purse.reserve(1)
        assert till.ledger.total(DAY).held <= 100
        await purse.close()


async def _refused(purse: Purse, amount: int, refusals: list[str]) -> None:
    try:
        await purse.reserve(amount)
    except TaskError as error:
        refusals.append(error.code)
