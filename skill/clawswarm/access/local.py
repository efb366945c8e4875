"""Swarm in this process: opened from the settings, closed in order."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread

from clawswarm.access.api import Emit
from clawswarm.access.job_reader import StoredJobs
from clawswarm.access.open_files import make_room
from clawswarm.clock import Clock, SystemClock
from clawswarm.config.choice import with_provider
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.engine.engine import Engine, Watch, ignore, open_engine
from clawswarm.errors import DaemonNeeded, InputError, NotConfigured, StoreError
from clawswarm.modes.batch import run_batch
from clawswarm.modes.job_life import Life
from clawswarm.modes.job_research import work_on_research
from clawswarm.modes.job_work import work_on_batch
from clawswarm.modes.jobs import JobRunner, open_jobs
from clawswarm.modes.requests import check_batch, read_options
from clawswarm.modes.research import research, searching
from clawswarm.providers.demo import DemoProvider
from clawswarm.providers.http import open_http
from clawswarm.providers.registry import Chosen, Surroundings, choose
from clawswarm.store.connect import Store, connect
from clawswarm.store.jobs import Jobs
from clawswarm.types.events import BatchEvent
from clawswarm.types.jobs import Job, JobPage
from clawswarm.types.requests import BatchRequest, ResearchRequest, RunOptions, check_text
from clawswarm.types.research import ResearchEvent
from clawswarm.web.web import Web, open_web


class LocalSwarm:
    """An open swarm in this process, with what the user should know about it."""

    def __init__(
        self,
        engine: Engine,
        store: Store | None,
        surroundings: Surroundings,
        stack: AsyncExitStack,
        *,
        warnings: list[str],
    ) -> None:
        self.engine = engine
        self.store = store
        self._around = surroundings
        self._warnings = warnings
        self._engines: dict[str, Engine] = {engine.primary.name: engine}
        self._choosing = anyio.Lock()
        self._runner: JobRunner | None = None
        self._stack = stack
        self._web: Web | None = None

    @property
    def warnings(self) -> list[str]:
        return [*self._warnings, *self.engine.troubles]

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment that it was opened with."""
        return self._around.environ

    @property
    def runner(self) -> JobRunner | None:
        """Works on jobs, where this process does."""
        return self._runner

    async def engine_for(self, options: RunOptions) -> Engine:
        """The engine of the provider that a request names, opened when it is first asked for.

        Raises:
            NotConfigured: it has no key, or needs more than its name.
            ConfigError: it cannot be used.
        """
        name = options.provider
        if name is None:
            return self.engine
        async with self._choosing:
            if name not in self._engines:
                settings = self._settings_for(name)
                chosen = await choose(settings, self._around)
                self._engines[name] = self.engine.beside(settings, chosen)
            return self._engines[name]

    def _settings_for(self, provider: str) -> Settings:
        try:
            return with_provider(self.engine.settings, provider, None)
        except InputError as error:  # the request is fine: it is the configuration that does not know it
            raise NotConfigured(error.message, hint=error.hint) from error

    async def parallel(self, request: BatchRequest, emit: Emit[BatchEvent]) -> None:
        check_batch(request)
        await run_batch(await self.engine_for(request.options), request, emit)

    async def research(self, request: ResearchRequest, emit: Emit[ResearchEvent]) -> None:
        check_text("the research", request.as_json())
        await research(await self.engine_for(request.options), await self._opened_web(), request, emit)

    async def _opened_web(self) -> Web:
        """The web, opened when it is first needed."""
        async with self._choosing:
            if self._web is None:
                opening = open_web(self.engine.settings, self._around.environ, clock=self.engine.clock)
                self._web = await self._stack.enter_async_context(opening)
            return self._web

    # ---- jobs

    async def submit(self, request: BatchRequest | ResearchRequest) -> Job:
        if self._runner is None:
            raise DaemonNeeded(
                "jobs are worked on by the daemon, and none is running", hint="start it: swarm start"
            )
        if isinstance(request, BatchRequest):
            check_batch(request)
        engine = await self.engine_for(request.options)  # what cannot be started is refused now, not at three
        if isinstance(request, ResearchRequest):
            searching(engine, await self._opened_web())
        return await self._runner.submit(request)

    async def job(self, job_id: str, *, wait: float = 0, offset: int = 0, limit: int = 1000) -> JobPage:
        if self._runner is None:
            return await self._stored().job(job_id, wait=wait, offset=offset, limit=limit)
        return await self._runner.page(job_id, wait=wait, offset=offset, limit=limit)

    async def jobs(self, *, limit: int = 100) -> list[Job]:
        return await self._stored().jobs(limit=limit)

    async def cancel(self, job_id: str) -> Job:
        if self._runner is None:
            return await self._stored().cancel(job_id)
        return await self._runner.cancel(job_id)

    def _stored(self) -> StoredJobs:
        return StoredJobs(self._needed_store())

    def _needed_store(self) -> Store:
        if self.store is None:
            raise StoreError("there is no state directory, so there are no jobs", hint="run: swarm diagnose")
        return self.store

    async def _work(self, life: Life) -> dict[str, Any]:
        """One life of a job: what the runner calls."""
        if "subjects" not in life.request:
            return await work_on_batch(life, self.engine_for)
        engine = await self.engine_for(read_options(life.request))
        return await work_on_research(life, engine, await self._opened_web())

    @asynccontextmanager
    async def working_on_jobs(self) -> AsyncGenerator[JobRunner]:
        """Work on jobs, those left from before included. One process of a state directory may: the daemon."""
        engine = self.engine
        async with open_jobs(
            Jobs(self._needed_store()), self._work, engine.settings.daemon, engine.clock
        ) as runner:
            self._runner = runner
            try:
                yield runner
            finally:
                self._runner = None


@asynccontextmanager
async def open_local(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    clock: Clock | None = None,
    demo: DemoProvider | None = None,
    watch: Watch | None = None,
) -> AsyncGenerator[LocalSwarm]:
    """Open providers, store and engine.

    A state directory that cannot be used is a warning as long as no cap is set: work goes on, uncached.

    Args:
        watch: sees each result, whatever it was asked for.

    Raises:
        NotConfigured: Swarm is switched off, or there is no provider to use.
        ConfigError: a key file cannot be used.
        StoreError: a daily cap is set, and the ledger that keeps it cannot be used.
    """
    if not settings.enabled:
        raise NotConfigured(
            "Swarm is switched off in the configuration", hint="set node_scaling.enabled: true to use it"
        )
    clock = clock or SystemClock()
    paths = Paths.of(environ)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(open_http(environ))
        around = Surroundings(environ=environ, paths=paths, http=http, clock=clock, demo=demo)
        chosen = await choose(settings, around)
        warnings = list(chosen.warnings)
        if crowded := make_room(_sockets(settings, chosen)):
            warnings.append(crowded)
        store = await _open_store(settings, paths, warnings)
        if store is not None:
            stack.callback(store.close)
        engine = await stack.enter_async_context(open_engine(settings, chosen, store, clock, watch or ignore))
        yield LocalSwarm(engine, store, around, stack, warnings=warnings)


def _sockets(settings: Settings, chosen: Chosen) -> int:
    """Connections that may be open at once."""
    slots = sum(backend.slots * len(backend.connections) for backend in chosen.backends)
    return min(settings.limits.max_nodes, slots)


async def _open_store(settings: Settings, paths: Paths, warnings: list[str]) -> Store | None:
    try:
        return await anyio.to_thread.run_sync(connect, paths.database)
    except StoreError as error:
        if settings.cost.max_daily_spend is not None:
            raise StoreError(
                f"the daily cap cannot be kept, so nothing was sent: {error.message}", hint=error.hint
            ) from error
        warnings.append(f"{error.message}; working without cache and without a record of spending")
        return None
