"""The engine in this process: opened from the settings, closed in order."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import anyio.to_thread

from clawswarm.access.open_files import make_room
from clawswarm.clock import Clock, SystemClock
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.engine.engine import Engine, open_engine
from clawswarm.errors import NotConfigured, StoreError
from clawswarm.providers.demo import DemoProvider
from clawswarm.providers.http import open_http
from clawswarm.providers.registry import Chosen, Surroundings, choose
from clawswarm.store.connect import Store, connect


@dataclass(slots=True, kw_only=True)
class LocalSwarm:
    """An open engine, with what the user should know about it."""

    engine: Engine
    warnings: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def open_local(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    clock: Clock | None = None,
    demo: DemoProvider | None = None,
) -> AsyncGenerator[LocalSwarm]:
    """Open providers, store and engine.

    A state directory that cannot be used is a warning as long as no cap is set: work goes on, uncached.

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
        chosen = await choose(
            settings, Surroundings(environ=environ, paths=paths, http=http, clock=clock, demo=demo)
        )
        warnings = list(chosen.warnings)
        if crowded := make_room(_sockets(settings, chosen)):
            warnings.append(crowded)
        store = await _open_store(settings, paths, warnings)
        if store is not None:
            stack.callback(store.close)
        engine = await stack.enter_async_context(open_engine(settings, chosen, store, clock))
        yield LocalSwarm(engine=engine, warnings=warnings)


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
