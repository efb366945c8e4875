"""Writes what happens to jobs as it happens, everything that is there in one transaction.

A task waits until its mark is written before it is sent, so that a crash can be counted against it; a
result does not wait. While one transaction is on its way the next one gathers.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import anyio.to_thread

from clawswarm.clock import Clock, sleep_until
from clawswarm.errors import StoreError
from clawswarm.lifetimes import background_tasks
from clawswarm.store.jobs import Changes, Item, Jobs

RETRY_AFTER = 5.0
"""Seconds after which a write that failed is tried again."""


@dataclass(slots=True, eq=False)
class _Round:
    """Changes that are written together."""

    changes: dict[str, Changes] = field(default_factory=dict[str, Changes])
    done: anyio.Event = field(default_factory=anyio.Event)
    error: StoreError | None = None

    def of(self, job_id: str) -> Changes:
        return self.changes.setdefault(job_id, Changes())


class JobLog:
    """The one writer of job results."""

    def __init__(self, jobs: Jobs, clock: Clock) -> None:
        self._jobs = jobs
        self._clock = clock
        self._round = _Round()
        self._writing: _Round | None = None
        self._call = anyio.Event()

    async def sent(self, job_id: str, *positions: int) -> None:
        """Mark tasks as in flight; it is written when this returns.

        Raises:
            StoreError: it could not be written.
        """
        this = self._round
        this.of(job_id).sent.extend(positions)
        self._call.set()
        await this.done.wait()
        if this.error is not None:
            raise this.error

    def item(self, job_id: str, item: Item, ran_ms: int) -> None:
        """Store a result. It is not lost by a write that fails, only by the end of the process."""
        changes = self._round.of(job_id)
        changes.items.append(item)
        changes.ran_ms = ran_ms
        self._call.set()

    def landed(self, job_id: str, positions: set[int]) -> None:
        """Take marks back: those tasks are no longer in flight, and have no result."""
        if positions:
            self._round.of(job_id).landed.extend(positions)
            self._call.set()

    async def flush(self) -> None:
        """Return once everything so far is written.

        Raises:
            StoreError: it could not be.
        """
        for this in (self._writing, self._round):
            if this is not None and this.changes:
                self._call.set()
                await this.done.wait()
                if this.error is not None:
                    raise this.error

    async def serve(self) -> None:
        """Write, until cancelled."""
        while True:
            await self._call.wait()
            self._call = anyio.Event()
            this, self._round = self._round, _Round()
            self._writing = this
            try:
                with anyio.CancelScope(shield=True):  # a thread cannot be called back
                    await anyio.to_thread.run_sync(self._jobs.write, this.changes)
            except StoreError as error:
                this.error = error
                self._keep_results(this)
            finally:
                self._writing = None
                this.done.set()
            if this.error is not None:
                await sleep_until(self._clock, self._clock.monotonic() + RETRY_AFTER)
                self._call.set()

    def _keep_results(self, failed: _Round) -> None:
        """Hand the results of a round that was not written on to the next; who waits is told."""
        for job_id, changes in failed.changes.items():
            later = self._round.of(job_id)
            later.items[:0] = changes.items
            later.landed[:0] = changes.landed
            if later.ran_ms is None:
                later.ran_ms = changes.ran_ms


@asynccontextmanager
async def open_job_log(jobs: Jobs, clock: Clock) -> AsyncGenerator[JobLog]:
    """A log that writes until its block ends. Call `flush` before, where what is left matters."""
    log = JobLog(jobs, clock)
    async with background_tasks() as group:
        group.start_soon(log.serve)
        yield log
