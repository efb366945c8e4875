"""Money of this process for one day: taken out of the ledger in blocks, handed out without a disk write.

A call's worst price is reserved before it is sent and settled after. What this process holds is enough for
many calls, so that the hot path only counts; the counts go into the lease, where they survive a SIGKILL.

    held in the ledger = free + flying + spent + uncertain
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio
import anyio.to_thread

from clawswarm.clock import Clock, sleep_until
from clawswarm.errors import StoreError, TaskError
from clawswarm.store.lease import Lease
from clawswarm.store.ledger import Ledger
from clawswarm.types.money import show_usd

PATIENCE = 8
"""Looks at money that other processes hold, and that does not move, before a call is refused."""
PAUSE = 0.25
"""Seconds between two looks."""

HOARD = 8
"""Times what is in use that may lie idle under a cap before it goes back for other processes to use, and the
least seconds between two times that it does."""
SHARE_EVERY = 1.0

AHEAD = 4
AHEAD_UNCAPPED = 64
"""Times what is in use that a block is taken for: under a cap less than what counts as hoarding."""

BLOWN = 5.0
"""Seconds for which the ledger is left alone after it failed."""

T = TypeVar("T")


class Fuse:
    """Calls the ledger in a thread; for a while after a failure it fails at once.

    Calls that queue for a locked database would else wait for it one after another, each for seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._error: StoreError | None = None
        self._until = 0.0

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`.

        Raises:
            StoreError: it failed, or something else did just now.
        """
        if (error := self._error) is not None and self._clock.monotonic() < self._until:
            raise StoreError(error.message, hint=error.hint, locked=error.locked)
        try:
            result = await anyio.to_thread.run_sync(work)
        except StoreError as error:
            self._error, self._until = error, self._clock.monotonic() + BLOWN
            raise
        self._error = None
        return result


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What the day looked like when a call was refused; valid for a moment."""

    amount: int
    until: float
    spent: int
    held: int


class Purse:
    """The lease of one process on one day. All amounts are picodollars.

    Attributes:
        free: taken from the day, not promised to any call. Below 0 after calls that cost more than was
            reserved, until the next block is taken.
        flying: promised to calls that are on their way.
    """

    def __init__(
        self, ledger: Ledger, lease: Lease, day: str, cap: int | None, clock: Clock, fuse: Fuse | None = None
    ) -> None:
        self.day = day
        self.free: int = 0
        self.flying: int = 0
        self._spent: int = 0
        self._uncertain: int = 0
        self._ledger = ledger
        self._lease = lease
        self._cap = cap
        self._clock = clock
        self._fuse = fuse or Fuse(clock)
        self._growing = anyio.Lock(fast_acquire=True)
        self._short = False  # somebody waits for money: nobody overtakes
        self._booking = anyio.Lock()
        self._settled: anyio.Event | None = None
        self._dry_until = 0.0
        self._share_at = 0.0
        self._refused: _Refusal | None = None
        self._closed = False

    @property
    def idle(self) -> bool:
        """Whether no call is on its way or waits for money."""
        return not self.flying and not self._growing.locked()

    async def reserve(self, amount: int) -> None:
        """Promise `amount` to a call.

        Raises:
            TaskError: `budget_exceeded`, the day's cap has no room for it.
            StoreError: the ledger cannot be written.
        """
        if self._cap is not None and self.free > HOARD * (self.flying + amount):
            await self._share()
        if self.free >= amount and not self._short:
            self._promise(amount)
            return
        async with self._growing:
            if self.free < amount:
                self._short = True
                try:
                    await self._make_room(amount)
                finally:
                    self._short = False
            self._promise(amount)

    def settle(self, reserved: int, actual: int | None) -> None:
        """Book what a call cost. None: nobody knows, so that all of `reserved` counts as gone."""
        if self._closed:
            return  # booked as uncertain
        self.flying -= reserved
        if actual is None:
            self._uncertain += reserved
        else:
            self._spent += actual
            self.free += reserved - actual
        self._note()
        self._wake()

    async def give_back(self) -> None:
        """Book what was spent and return what nobody needs."""
        async with self._booking:
            free, spent, uncertain = self.free, self._spent, self._uncertain
            if free == spent == uncertain == 0:
                return
            self.free = 0  # gone even if this fails: the ledger may have taken it back all the same
            await self._fuse.run(
                lambda: self._ledger.settle(
                    self._lease, self.day, spent=spent, uncertain=uncertain, free=free
                )
            )
            # A kill before this line books the same money twice, which errs on the safe side.
            self._spent -= spent
            self._uncertain -= uncertain
            self._note()

    async def close(self) -> None:
        """Book everything, calls still on their way included, and end the lease."""
        self._uncertain += self.flying
        self.flying = 0
        self._closed = True
        self._wake()
        try:
            await self.give_back()
            await self._fuse.run(lambda: self._ledger.close_lease(self._lease))
        except StoreError:
            self._lease.leave()
            raise

    async def _share(self) -> None:
        """Return what lies idle, but not again and again between bursts of calls."""
        now = self._clock.monotonic()
        if now >= self._share_at:
            self._share_at = now + SHARE_EVERY
            await self.give_back()

    def _promise(self, amount: int) -> None:
        self.free -= amount
        self.flying += amount
        self._note()

    def _note(self) -> None:
        self._lease.note(self._spent, self.flying + self._uncertain)

    def _wake(self) -> None:
        if self._settled is not None:
            self._settled.set()
            self._settled = None

    async def _make_room(self, amount: int) -> None:
        """Have `amount` free: from the ledger, else from our calls that settle, else from other processes."""
        refused = self._refused
        if refused is not None and amount >= refused.amount and self._clock.monotonic() < refused.until:
            raise self._refusal(amount, refused.spent, refused.held)
        looks, seen = 0, None
        while self.free < amount:
            if self._closed:
                raise TaskError("cancelled", "the swarm was closed before this call was sent")
            if not self.flying or self._clock.monotonic() >= self._dry_until:
                granted = await self._grow(amount - self.free, amount)
                self.free += granted
                if granted or self.free >= amount:
                    continue
                self._dry_until = self._clock.monotonic() + PAUSE
            if self.flying:
                self._settled = self._settled or anyio.Event()
                await self._settled.wait()
                continue
            total = await self._fuse.run(lambda: self._ledger.total(self.day))
            if total != seen:  # money moves in other processes: some of it may come free
                looks, seen = 0, total
            others = total.held - self.free
            if others <= self._spent + self._uncertain or looks == PATIENCE:
                booked = total.spent + total.uncertain
                self._refused = _Refusal(amount, self._clock.monotonic() + 1.0, booked, total.held)
                raise self._refusal(amount, booked, total.held)
            looks += 1
            await sleep_until(self._clock, self._clock.monotonic() + PAUSE)

    async def _grow(self, need: int, amount: int) -> int:
        want = max(need, (AHEAD_UNCAPPED if self._cap is None else AHEAD) * (self.flying + amount))
        return await self._fuse.run(
            lambda: self._ledger.grow(self._lease, self.day, need=need, want=want, cap=self._cap)
        )

    def _refusal(self, amount: int, spent: int, held: int) -> TaskError:
        return TaskError(
            "budget_exceeded",
            f"the day's cap of {show_usd(self._cap)} has no room for a call that may cost "
            f"{show_usd(amount)}: {show_usd(spent)} is spent, {show_usd(held)} is reserved by running work",
            hint="raise cost.max_daily_spend, wait for tomorrow, or lower max_tokens: its price is reserved",
        )
