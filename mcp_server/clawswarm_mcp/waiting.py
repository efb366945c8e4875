"""The rule of 40 seconds: a call waits for the end of its work that long, and then says where to go on."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

import anyio

from clawswarm.access.api import JobAPI
from clawswarm.clock import Clock, sleep_until
from clawswarm.types.jobs import Job, JobPage

TURN = 1.0
"""Seconds between two looks at a job whose progress somebody wants to see."""

Tell = Callable[[Job], Awaitable[None]]
"""Tells how far a job is; somebody listens."""


@contextmanager
def within(clock: Clock, until: float) -> Generator[anyio.CancelScope]:
    """A block that is called off once `clock.monotonic()` has reached `until`."""
    with anyio.CancelScope() as scope:
        timer = clock.call_at(until, scope.cancel)
        try:
            yield scope
        finally:
            timer.cancel()


async def follow(
    api: JobAPI,
    job_id: str,
    clock: Clock,
    *,
    until: float,
    tell: Tell | None = None,
    offset: int = 0,
    limit: int = 1,
) -> JobPage:
    """The job with a page of its results, once it has ended or the clock has reached `until`.

    Args:
        tell: told how far it is, about once a second.

    Raises:
        NotFound: there is no such job.
        DaemonNeeded: nobody works on it.
    """
    with within(clock, until):
        while True:
            began = clock.monotonic()
            wait = max(0.0, until - began) if tell is None else TURN
            job = (await api.job(job_id, wait=wait, limit=1)).job
            if tell is not None:
                await tell(job)
            if job.status.final or clock.monotonic() >= until:
                break
            await sleep_until(clock, began + TURN)  # a daemon that is told to stop answers at once
    return await api.job(job_id, offset=offset, limit=limit)
