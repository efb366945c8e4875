"""Jobs for those who only look at them: through the daemon when it runs, else straight from the store."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import anyio.to_thread

from clawswarm.access.api import JobAPI
from clawswarm.access.presence import look
from clawswarm.access.remote import open_remote
from clawswarm.clock import SystemClock
from clawswarm.config.paths import Paths
from clawswarm.config.token import read_token
from clawswarm.errors import DaemonNeeded, InputError
from clawswarm.modes.job_pages import read_page
from clawswarm.store.connect import Store, connect
from clawswarm.store.jobs import Jobs
from clawswarm.types.jobs import Job, JobPage, JobStatus


class StoredJobs:
    """The jobs of a store that nobody works on."""

    def __init__(self, store: Store) -> None:
        self._jobs = Jobs(store)

    async def job(self, job_id: str, *, wait: float = 0, offset: int = 0, limit: int = 1000) -> JobPage:
        page = await anyio.to_thread.run_sync(lambda: read_page(self._jobs, job_id, offset, limit))
        if wait > 0 and not page.job.status.final:
            raise DaemonNeeded(
                f"{job_id} is not done, and no daemon is running that works on it",
                hint="start it, and the job goes on: swarm start",
            )
        return page

    async def jobs(self, *, limit: int = 100) -> list[Job]:
        if not 1 <= limit <= 1000:
            raise InputError(f"limit must be between 1 and 1000, not {limit}")
        return await anyio.to_thread.run_sync(self._jobs.newest, limit)

    async def cancel(self, job_id: str) -> Job:
        now = SystemClock().now().timestamp()

        def cancel() -> Job:
            self._jobs.get(job_id)
            self._jobs.set_status(job_id, JobStatus.CANCELLED, at=now)
            return self._jobs.get(job_id)

        return await anyio.to_thread.run_sync(cancel)


@asynccontextmanager
async def open_job_reader(environ: Mapping[str, str]) -> AsyncGenerator[JobAPI]:
    """A way to the jobs of this state directory.

    Raises:
        StoreError: the state directory cannot be used.
        ConfigError: the token file cannot be used.
    """
    paths = Paths.of(environ)
    presence = look(paths)
    if presence is not None and presence.port is not None and (token := read_token(paths)) is not None:
        async with open_remote(presence, token) as remote:
            yield remote
        return
    store = await anyio.to_thread.run_sync(connect, paths.database)
    try:
        yield StoredJobs(store)
    finally:
        store.close()
