"""Any order of reserving, settling, giving back, closing and crashing keeps the books right."""

import asyncio
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clawswarm.engine.budget import RunCap
from clawswarm.engine.purse import Purse
from clawswarm.errors import TaskError
from clawswarm.store.lease import Lease
from tests.clock import FakeClock
from tests.money.priced import DAY
from tests.money.purses import open_till

AMOUNTS = st.integers(1, 400)


@dataclass
class Owner:
    """A process, with the calls it has on their way."""

    purse: Purse
    lease: Lease
    flights: list[int] = field(default_factory=list[int])


class Spending(RuleBasedStateMachine):
    """Several purses on one ledger, against the plain sums of what was reserved and what it cost."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.till = self.stack.enter_context(open_till(Path(folder)))
        self.runner = self.stack.enter_context(asyncio.Runner())
        self.owners: list[Owner] = []
        self.spent = 0
        self.uncertain = 0

    @initialize(cap=st.none() | st.integers(0, 2000))
    def start(self, cap: int | None) -> None:
        self.cap = cap
        self.clock = self.runner.run(_clock())
        self.open()

    @precondition(lambda self: len(self.owners) < 3)
    @rule()
    def open(self) -> None:
        self.owners.append(Owner(*self.till.open(self.cap, self.clock)))

    @precondition(lambda self: self.owners)
    @rule(data=st.data(), amount=AMOUNTS)
    def reserve(self, data: st.DataObject, amount: int) -> None:
        """A refusal, and a wait that is cut short, must leave everything as it was."""
        owner = data.draw(st.sampled_from(self.owners))
        if self.runner.run(self._reserves(owner.purse, amount)):
            owner.flights.append(amount)

    async def _reserves(self, purse: Purse, amount: int) -> bool:
        waiting = asyncio.create_task(purse.reserve(amount))
        await self.clock.settle()
        if not waiting.done():  # it waits for calls on their way, and no time brings those back
            waiting.cancel()
        try:
            await waiting
        except (TaskError, asyncio.CancelledError):
            return False
        return True

    @precondition(lambda self: any(owner.flights for owner in self.owners))
    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        owner = data.draw(st.sampled_from([owner for owner in self.owners if owner.flights]))
        reserved = owner.flights.pop(data.draw(st.integers(0, len(owner.flights) - 1)))
        actual = data.draw(st.none() | st.integers(0, reserved))
        owner.purse.settle(reserved, actual)
        self.spent += actual or 0
        self.uncertain += reserved if actual is None else 0

    @precondition(lambda self: self.owners)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        owner = data.draw(st.sampled_from(self.owners))
        self.runner.run(owner.purse.give_back())
        assert owner.purse.free == 0

    @precondition(lambda self: self.owners)
    @rule(data=st.data(), crash=st.booleans())
    def end(self, data: st.DataObject, crash: bool) -> None:
        owner = data.draw(st.sampled_from(self.owners))
        self.owners.remove(owner)
        self.uncertain += sum(owner.flights)
        if crash:
            owner.lease.leave()  # what the kernel does
        else:
            self.runner.run(owner.purse.close())

    @invariant()
    def books_are_right(self) -> None:
        total = self.till.ledger.total(DAY)
        counted = [self.till.counters(owner.lease) for owner in self.owners]
        flying = sum(sum(owner.flights) for owner in self.owners)
        assert total.spent + sum(each.spent for each in counted) == self.spent
        assert total.uncertain + sum(each.flying for each in counted) == self.uncertain + flying
        assert min(total.spent, total.uncertain, total.held, *(each.spent for each in counted), 0) == 0
        assert all(owner.purse.free >= 0 for owner in self.owners)
        assert [owner.purse.flying for owner in self.owners] == [sum(owner.flights) for owner in self.owners]
        if hasattr(self, "cap") and self.cap is not None:
            assert total.taken <= self.cap

    def teardown(self) -> None:
        for owner in self.owners:
            self.uncertain += sum(owner.flights)
            self.runner.run(owner.purse.close())
        total = self.till.ledger.total(DAY)
        left = list(self.till.folder.iterdir()) if self.till.folder.exists() else []
        self.stack.close()
        assert (total.spent, total.uncertain, total.held) == (self.spent, self.uncertain, 0)
        assert not left


async def _clock() -> FakeClock:
    return FakeClock()


TestSpending = pytest.mark.timeout(60)(pytest.mark.slow(reason="some thousand writes")(Spending.TestCase))
TestSpending.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


@given(
    cap=st.integers(0, 1000),
    steps=st.lists(st.tuples(AMOUNTS, st.none() | st.floats(0, 1), st.booleans()), max_size=40),
)
def test_a_run_never_promises_more_than_its_cap(
    cap: int, steps: list[tuple[int, float | None, bool]]
) -> None:
    async def run() -> None:
        run = RunCap(cap)
        flights: list[tuple[int, int | None]] = []
        gone = 0
        for amount, share, settles in steps:
            waiting = asyncio.ensure_future(run.reserve(amount))
            await asyncio.sleep(0)
            if not waiting.done():
                assert flights, "it waits although nothing can come back"
                waiting.cancel()
            elif waiting.exception() is None:
                flights.append((amount, None if share is None else int(amount * share)))
            if settles and flights:
                reserved, actual = flights.pop()
                run.settle(reserved, actual)
                gone += reserved if actual is None else actual
            assert run.spent == gone
            assert run.flying == sum(reserved for reserved, _ in flights)
            assert run.spent + run.flying <= cap

    asyncio.run(run())
