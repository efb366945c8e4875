"""Time that stands still until a test moves it."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
from anyio._backends import _asyncio as backend

NOON = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)

QUIET_ROUNDS = 3
"""Passes of the event loop without anything to do, sockets on loopback included, that count as idle."""


class FakeTimer:
    """A call that was put off."""

    def __init__(self, when: float, callback: Callable[[], object]) -> None:
        self.when = when
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class FakeClock:
    """A `clawswarm.clock.Clock` that moves only by `advance`, `settle` and `auto`.

    Real waiting stays possible beside it: sockets on loopback inside the same event loop and calls in
    anyio's worker threads count as work, so that time does not jump over them. Nothing else does (another
    process, another thread): a test that waits for such a thing must not let the clock run by itself.

    Attributes:
        jumps: the moments to which the clock was moved to fire a timer.
    """

    def __init__(self, start: float = 1000.0, at: datetime = NOON) -> None:
        self._start = start
        self._monotonic = start
        self._at = at
        self._timers: list[tuple[float, int, FakeTimer]] = []
        self._order = itertools.count()
        self._spinning = 0
        self._added = asyncio.Event()
        self.jumps: list[float] = []

    # The clock.

    def monotonic(self) -> float:
        return self._monotonic

    def now(self) -> datetime:
        return self._at + timedelta(seconds=self._monotonic - self._start)

    def call_at(self, when: float, callback: Callable[[], object]) -> FakeTimer:
        timer = FakeTimer(when, callback)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        self._added.set()
        return timer

    # What a test uses.

    @property
    def elapsed(self) -> float:
        """Seconds since the clock was made."""
        return self._monotonic - self._start

    @property
    def pending(self) -> int:
        """Timers that are neither fired nor cancelled."""
        return sum(timer.callback is not None for _, _, timer in self._timers)

    def next_at(self) -> float | None:
        """When the next timer is due; None without one."""
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def advance(self, seconds: float) -> None:
        """Move on, and fire what is due on the way, in order. What it wakes runs when the test waits next."""
        end = self._monotonic + seconds
        while (when := self.next_at()) is not None and when <= end:
            self._fire()
        self._monotonic = end

    async def step(self, seconds: float) -> None:
        """`advance`, one timer at a time, with time for the loop to do what each timer woke."""
        end = self._monotonic + seconds
        await self.run_until_idle()
        while (when := self.next_at()) is not None and when <= end:
            self._fire()
            await self.run_until_idle()
        self._monotonic = end

    async def settle(self) -> None:
        """Run, jumping from timer to timer, until nothing runs and no timer is left."""
        await self.run_until_idle()
        while self.next_at() is not None:
            self._fire()
            await self.run_until_idle()

    @asynccontextmanager
    async def auto(self) -> AsyncGenerator[None]:
        """Inside the block, jump to the next timer whenever there is nothing else to do."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._run_by_itself)
            yield
            group.cancel_scope.cancel()

    async def run_until_idle(self) -> None:
        """Return once every other task waits for something that only a timer or the test can bring."""
        ready: Any = getattr(asyncio.get_running_loop(), "_ready")  # noqa: B009 - asyncio does not tell otherwise
        self._spinning += 1
        quiet = 0
        try:
            while quiet < QUIET_ROUNDS:
                await asyncio.sleep(0)
                busy = len(ready) >= self._spinning or _threads_at_work()
                quiet = 0 if busy else quiet + 1
        finally:
            self._spinning -= 1

    def _fire(self) -> None:
        when, _, timer = heapq.heappop(self._timers)
        self._monotonic = max(self._monotonic, when)
        self.jumps.append(self._monotonic)
        callback, timer.callback = timer.callback, None
        if callback is not None:
            callback()

    async def _run_by_itself(self) -> None:
        while True:
            await self.run_until_idle()
            if self.next_at() is None:
                self._added = asyncio.Event()
                await self._added.wait()
            else:
                self._fire()


def _threads_at_work() -> bool:
    """Whether a call in one of anyio's worker threads is on its way; anyio does not tell otherwise."""
    try:
        workers: Any = getattr(backend, "_threadpool_workers").get()  # noqa: B009
        idle: Any = getattr(backend, "_threadpool_idle_workers").get()  # noqa: B009
    except LookupError:
        return False
    return len(workers) > len(idle)
