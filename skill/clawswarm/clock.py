"""Time as something that is handed in, so that tests can hold it.

Everything that waits in Swarm waits on a `Clock`. `SystemClock` is the real one.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import anyio


class Timer(Protocol):
    """A call that was put off; `cancel` forgets it."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Monotonic seconds, the time of day, and calls put off."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    def now(self) -> datetime:
        """The time of day in UTC, time zone attached."""
        ...

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` in the running event loop once `monotonic()` has reached `when`."""
        ...


class SystemClock:
    """The machine's own clock."""

    monotonic = staticmethod(time.monotonic)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(max(0.0, when - time.monotonic()), callback)


async def sleep_until(clock: Clock, when: float) -> None:
    """Return once `clock.monotonic()` has reached `when`; at once if it has already."""
    if clock.monotonic() >= when:
        return
    due = anyio.Event()
    timer = clock.call_at(when, due.set)
    try:
        await due.wait()
    finally:
        timer.cancel()


def local_day(moment: datetime) -> str:
    """The local calendar day of `moment` as YYYY-MM-DD: the day that `max_daily_spend` means."""
    return moment.astimezone().date().isoformat()
