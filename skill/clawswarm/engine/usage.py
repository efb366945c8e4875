"""What was used, by day, provider and model, for `swarm savings` and `swarm status`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
import anyio.to_thread

from clawswarm.clock import Clock, local_day, sleep_until
from clawswarm.errors import StoreError
from clawswarm.lifetimes import background_tasks
from clawswarm.store.ledger import Ledger, UsageKey, UsageLine
from clawswarm.types.result import TaskResult

RETRY_AFTER = 30.0
"""Seconds for which a ledger that failed is left alone: a locked one makes each writer wait for seconds."""


WRITE_EVERY = 1.0
"""Seconds between two writes: of many small batches not each one has to wait for a write of its own."""


class UsageBook:
    """Counts in memory, and adds the counts to the ledger, at most every `WRITE_EVERY` seconds.

    What could not be written is kept and tried again, at most every `RETRY_AFTER` seconds.

    Attributes:
        trouble: why usage is not recorded, when it is not.
    """

    def __init__(self, ledger: Ledger | None, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lines: dict[UsageKey, UsageLine] = {}
        self._not_before = 0.0
        self._written = -WRITE_EVERY
        self._changed = anyio.Event()
        self.trouble: StoreError | None = None

    def add(self, result: TaskResult, saved: int) -> None:
        """Count a finished task. `saved` is what its cached answer had cost, in picodollars."""
        if result.provider is None or self._ledger is None:
            return
        key = (local_day(self._clock.now()), result.provider, result.model or "")
        line = self._lines.get(key) or UsageLine()
        usage = result.usage
        self._lines[key] = UsageLine(
            tasks=line.tasks + 1,
            failed=line.failed + (not result.ok),
            cached=line.cached + result.cached,
            unknown_cost=line.unknown_cost + (result.cost_pico is None),
            input_tokens=line.input_tokens + (usage.input_tokens if usage else 0),
            output_tokens=line.output_tokens + (usage.output_tokens if usage else 0),
            cost=line.cost + (result.cost_pico or 0),
            saved=line.saved + saved,
            busy_ms=line.busy_ms + result.duration_ms,
            wall_ms=line.wall_ms,
        )
        self._changed.set()

    def add_wall(self, milliseconds: int, provider: str, model: str) -> None:
        """Count the time that a batch took, under the provider it was meant for."""
        key = (local_day(self._clock.now()), provider, model)
        line = self._lines.get(key) or UsageLine()
        self._lines[key] = replace(line, wall_ms=line.wall_ms + milliseconds)
        self._changed.set()

    async def serve(self) -> None:
        """Write what was counted, now and then, until cancelled."""
        while True:
            await self._changed.wait()
            await sleep_until(self._clock, self._clock.monotonic() + WRITE_EVERY)
            self._changed = anyio.Event()
            await self.flush()

    async def flush_soon(self) -> None:
        """Write what was counted, now if nothing was written just before; else `serve` does."""
        if self._clock.monotonic() >= self._written + WRITE_EVERY:
            await self.flush()

    async def flush(self) -> None:
        """Write what was counted, unless the ledger has just failed."""
        ledger, lines = self._ledger, self._lines
        if ledger is None or not lines or self._clock.monotonic() < self._not_before:
            return
        self._lines = {}
        self._written = self._clock.monotonic()
        try:
            await anyio.to_thread.run_sync(ledger.add_usage, lines)
            self.trouble = None
        except StoreError as error:
            self.trouble = error
            self._not_before = self._clock.monotonic() + RETRY_AFTER
            for key, line in self._lines.items():  # counted while the thread was at it
                lines[key] = lines[key] + line if key in lines else line
            self._lines = lines


@asynccontextmanager
async def open_usage(ledger: Ledger | None, clock: Clock) -> AsyncGenerator[UsageBook]:
    """A book whose counts are written at the end, cancelled or not."""
    book = UsageBook(ledger, clock)
    try:
        async with background_tasks() as group:
            group.start_soon(book.serve)
            yield book
    finally:
        with anyio.CancelScope(shield=True):
            await book.flush()
