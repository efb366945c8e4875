"""Jobs: work that goes on by itself and outlives a crash. Results are stored as they arrive.

A job that a crash cut off goes on where it was: what has a stored result is not asked again. A task that was
in flight at two crashes runs alone from then on, so that at the third it is known who brings the daemon
down; that one is parked with the reason, and the rest goes on.
"""

import logging
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from clawswarm.clock import Clock, sleep_until
from clawswarm.config.model import Daemon
from clawswarm.errors import Busy, StoreError, SwarmError
from clawswarm.lifetimes import background_tasks
from clawswarm.modes.job_life import Life, Unfinished
from clawswarm.modes.job_log import JobLog, open_job_log
from clawswarm.modes.job_pages import read_page
from clawswarm.store.jobs import Jobs, titled
from clawswarm.types.jobs import Job, JobPage, JobStatus
from clawswarm.types.requests import BatchRequest, ResearchRequest, check_text
from clawswarm.types.result import Failure

logger = logging.getLogger(__name__)

RETRY_AFTER = 30.0
"""Seconds after which a job is taken up again whose store failed: a full disk, a locked database."""


class Work(Protocol):
    """Does a job's work from where it stands; what is left of it when it is called off is its caller's."""

    async def __call__(self, life: Life) -> dict[str, Any]:
        """The numbers and texts of the job as a whole.

        Raises:
            Unfinished: it was told to stop before everything was done.
            SwarmError: the job cannot be done at all.
        """
        ...


@dataclass(slots=True, eq=False)
class _Live:
    """A job of this process: queued or running."""

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    ended: anyio.Event = field(default_factory=anyio.Event)
    cancelled: bool = False


class JobRunner:
    """Works on the jobs of one store; there is only one such process."""

    def __init__(
        self, jobs: Jobs, log: JobLog, work: Work, limits: Daemon, clock: Clock, group: TaskGroup
    ) -> None:
        self._jobs = jobs
        self._log = log
        self._work = work
        self._limits = limits
        self._clock = clock
        self._group = group
        self._slots = anyio.Semaphore(limits.running_jobs)
        self._live: dict[str, _Live] = {}
        self._stopping = anyio.Event()
        self._alone = anyio.Lock()

    @property
    def unfinished(self) -> int:
        return len(self._live)

    @property
    def _forgotten(self) -> float:
        """What ended before this moment is not kept."""
        return self._now() - self._limits.keep_jobs_days * 86_400

    async def submit(self, request: BatchRequest | ResearchRequest) -> Job:
        """Queue a job; it is on the disk when this returns.

        Raises:
            Busy: there are `max_jobs` unfinished ones, or the daemon is stopping.
        """
        if self._stopping.is_set():
            raise Busy("the daemon is stopping", hint="start it again: swarm start", retry_after=5)
        job_id = f"job-{secrets.token_hex(6)}"
        kind, document, total, title = encode(request)
        most = self._limits.max_jobs

        def add() -> bool:
            self._jobs.trim(before=self._forgotten)
            return self._jobs.add(job_id, kind, document, total=total, title=title, at=self._now(), most=most)

        if not await anyio.to_thread.run_sync(add):
            raise Busy(
                f"there are {most} unfinished jobs already",
                hint="wait for one, cancel one (swarm jobs cancel ID), or raise daemon.max_jobs",
                retry_after=10,
            )
        job = await self.get(job_id)
        self._take_up(job_id)
        return job

    async def get(self, job_id: str) -> Job:
        return await anyio.to_thread.run_sync(self._jobs.get, job_id)

    async def page(self, job_id: str, *, wait: float, offset: int, limit: int) -> JobPage:
        """A job with a page of its results, after waiting for its end for at most `wait` seconds."""
        live = self._live.get(job_id)
        if wait > 0 and live is not None and not self._stopping.is_set():
            with anyio.move_on_after(wait):
                async with anyio.create_task_group() as either:
                    for event in (live.ended, self._stopping):
                        either.start_soon(_then_cancel, event, either)
        return await anyio.to_thread.run_sync(lambda: read_page(self._jobs, job_id, offset, limit))

    async def cancel(self, job_id: str) -> Job:
        """Stop a job, and its calls. One that has ended stays as it is."""
        await self.get(job_id)
        if (live := self._live.get(job_id)) is not None:
            live.cancelled = True
            live.scope.cancel()
            await live.ended.wait()
        job = await self.get(job_id)
        if not job.status.final:  # that could not be written; now it can, or the caller is told
            await self._set(job_id, JobStatus.CANCELLED)
            job = await self.get(job_id)
        return job

    async def recover(self) -> None:
        """Take up what an earlier process left unfinished, and forget what is old."""

        def find() -> tuple[int, list[Job]]:
            self._jobs.trim(before=self._forgotten)
            return self._jobs.recover(), self._jobs.unfinished()

        in_flight, found = await anyio.to_thread.run_sync(find)
        if found:
            logger.info("going on with %d jobs; %d tasks were in flight at a crash", len(found), in_flight)
        for job in found:
            self._take_up(job.id)

    async def stop(self, grace: float) -> None:
        """Send nothing new, let what is in flight finish for `grace` seconds, then call it off.

        What has no result then is asked after the next start.
        """
        self._stopping.set()
        with anyio.move_on_after(grace):
            await self._all_ended()
        for live in list(self._live.values()):
            live.scope.cancel()
        await self._all_ended()

    async def _all_ended(self) -> None:
        for live in list(self._live.values()):
            await live.ended.wait()

    def _take_up(self, job_id: str) -> None:
        live = self._live[job_id] = _Live()
        self._group.start_soon(self._run, job_id, live)

    async def _run(self, job_id: str, live: _Live) -> None:
        """One job, from its place in the queue to its end, or to the end of this process."""
        try:
            with live.scope:
                async with self._slots:
                    while not self._stopping.is_set() and not await self._try(job_id):
                        await sleep_until(self._clock, self._clock.monotonic() + RETRY_AFTER)
            if live.scope.cancel_called:  # called off by the user, or by the end of this process
                await self._set(job_id, JobStatus.CANCELLED if live.cancelled else JobStatus.QUEUED)
        except StoreError as error:
            logger.error("job %s: its state could not be written: %s", job_id, error.message)
        finally:
            del self._live[job_id]
            live.ended.set()

    async def _try(self, job_id: str) -> bool:
        """Work on a job; False when its store failed, and it should be tried again."""
        try:
            await self._log.flush()  # results that a store in trouble did not take yet are not asked again
            if await self._set(job_id, JobStatus.RUNNING):
                status, more = await self._live_on(job_id)
                await self._set(job_id, status, **more)
        except StoreError as error:
            logger.warning("job %s waits: %s", job_id, error.message)
            return False
        return True

    async def _live_on(self, job_id: str) -> tuple[JobStatus, dict[str, Any]]:
        """One life of a job: how it stands at its end, and what belongs to that."""
        standing = await anyio.to_thread.run_sync(self._jobs.standing, job_id)
        life = Life(job_id, standing, self._log, self._clock, self._stopping, self._alone)
        try:
            whole = await self._work(life)
            await self._log.flush()
        except Unfinished:
            return JobStatus.QUEUED, {}
        except StoreError:
            raise
        except SwarmError as error:
            failure = Failure(code="not_configured", message=error.message, hint=error.hint)
            return JobStatus.FAILED, {"error": failure}
        except Exception as error:
            logger.exception("job %s failed", job_id)
            failure = Failure(code="provider_failed", message=f"the job failed inside Swarm: {error!r}")
            return JobStatus.FAILED, {"error": failure}
        finally:
            with anyio.CancelScope(shield=True):
                await life.land()
        return JobStatus.COMPLETE, {"whole": whole}

    async def _set(self, job_id: str, status: JobStatus, **more: Any) -> bool:
        return await anyio.to_thread.run_sync(
            lambda: self._jobs.set_status(job_id, status, at=self._now(), **more)
        )

    def _now(self) -> float:
        return self._clock.now().timestamp()


async def _then_cancel(event: anyio.Event, group: TaskGroup) -> None:
    await event.wait()
    group.cancel_scope.cancel()


def encode(request: BatchRequest | ResearchRequest) -> tuple[Any, dict[str, Any], int, str]:
    """Kind, JSON, number of parts and title of a job."""
    if isinstance(request, ResearchRequest):
        check_text("the research", request.as_json())
        title = titled([request.topic] if request.topic else request.subjects)
        return "research", request.as_json(), len(request.subjects), title
    prompts = request.documents()
    document = {"prompts": prompts, **request.options.as_json()}
    return "parallel", document, len(prompts), titled(str(each["prompt"]) for each in prompts)


@asynccontextmanager
async def open_jobs(jobs: Jobs, work: Work, limits: Daemon, clock: Clock) -> AsyncGenerator[JobRunner]:
    """Work on the jobs of a store, what is left from before included, until the block ends."""
    async with open_job_log(jobs, clock) as log, background_tasks() as group:
        runner = JobRunner(jobs, log, work, limits, clock, group)
        await runner.recover()
        try:
            yield runner
        finally:
            with anyio.CancelScope(shield=True):
                await runner.stop(0)
