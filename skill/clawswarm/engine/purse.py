"""Money of this process for one day: taken out of the ledger in blocks, handed out without a disk write.

A call's worst price is reserved before it is sent and settled after. What this process holds is enough for
many calls, so that the hot path only counts; the counts go into the lease, where they survive a SIGKILL.
"""

import anyio
import anyio.to_thread

from clawswarm.clock import Clock, sleep_until
from clawswarm.errors import TaskError
from clawswarm.store.lease import Lease
from clawswarm.store.ledger import Ledger
from clawswarm.types.money import show_usd

PATIENCE = 8
"""Looks at money that other processes hold before a call is refused, and seconds between two looks."""
PAUSE = 0.25


class Purse:
    """The lease of one process on one day. All amounts are picodollars.

    Attributes:
        free: taken from the day, not promised to any call.
        flying: promised to calls that are on their way.
    """

    def __init__(self, ledger: Ledger, lease: Lease, day: str, cap: int | None, clock: Clock) -> None:
        self.day = day
        self.free: int = 0
        self.flying: int = 0
        self._spent: int = 0
        self._uncertain: int = 0
        self._ledger = ledger
        self._lease = lease
        self._cap = cap
        self._clock = clock
        self._growing = anyio.Lock()
        self._settled: anyio.Event | None = None
        self._refused: tuple[int, float, TaskError] | None = None

    async def reserve(self, amount: int) -> None:
        """Promise `amount` to a call.

        Raises:
            TaskError: `budget_exceeded`, the day's cap has no room for it.
            StoreError: the ledger cannot be written.
        """
        if self.free < amount or self._growing.locked():
            async with self._growing:
                if self.free < amount:
                    await self._make_room(amount)
                self._promise(amount)
        else:
            self._promise(amount)

    def settle(self, reserved: int, actual: int | None) -> None:
        """Book what a call cost. None: nobody knows, so that all of `reserved` counts as gone."""
        self.flying -= reserved
        if actual is None:
            self._uncertain += reserved
        else:
            self._spent += actual
            self.free += reserved - actual
        self._note()
        if self._settled is not None:
            self._settled.set()
            self._settled = None

    async def give_back(self) -> None:
        """Book what was spent and return what nobody needs."""
        if self.free == self._spent == self._uncertain == 0:
            return
        spent, uncertain = self._spent, self._uncertain
        self.free = 0
        await anyio.to_thread.run_sync(self._book, spent, uncertain, self.flying)
        self._spent -= spent
        self._uncertain -= uncertain
        self._note()

    async def close(self) -> None:
        """Book everything, calls still on their way included, and end the lease."""
        self._uncertain += self.flying
        self.flying = 0
        await self.give_back()
        await anyio.to_thread.run_sync(self._ledger.close_lease, self._lease)

    def _promise(self, amount: int) -> None:
        self.free -= amount
        self.flying += amount
        self._note()

    def _note(self) -> None:
        self._lease.note(self._spent, self.flying + self._uncertain)

    def _book(self, spent: int, uncertain: int, keep: int) -> None:
        self._ledger.settle(self._lease, self.day, spent=spent, uncertain=uncertain, keep=keep)

    async def _make_room(self, amount: int) -> None:
        """Have `amount` free: from the ledger, else from our calls that settle, else from other processes."""
        if self._refused is not None:
            least, until, error = self._refused
            if amount >= least and self._clock.monotonic() < until:
                raise error
        looks = 0
        while self.free < amount:
            granted = await anyio.to_thread.run_sync(self._grow, amount - self.free)
            self.free += granted
            if granted or self.free >= amount:
                continue
            if self.flying:
                self._settled = self._settled or anyio.Event()
                await self._settled.wait()
                continue
            total = await anyio.to_thread.run_sync(self._ledger.total, self.day)
            others = total.held - self.free
            if others <= self._spent + self._uncertain or looks == PATIENCE:
                raise self._refusal(amount, total.spent + total.uncertain, total.held)
            looks += 1
            await sleep_until(self._clock, self._clock.monotonic() + PAUSE)

    def _grow(self, need: int) -> int:
        want = max(need, 2 * (self.flying + need))
        return self._ledger.grow(self._lease, self.day, need=need, want=want, cap=self._cap)

    def _refusal(self, amount: int, spent: int, held: int) -> TaskError:
        error = TaskError(
            "budget_exceeded",
            f"the day's cap of {show_usd(self._cap)} has no room for a call that may cost "
            f"{show_usd(amount)}: {show_usd(spent)} is spent, {show_usd(held)} is reserved by running work",
            hint="raise cost.max_daily_spend, wait for tomorrow, or lower max_tokens: its price is reserved",
        )
        self._refused = (amount, self._clock.monotonic() + 1.0, error)
        return error
