"""One short question to the model of one provider: whether a simple command works."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

import anyio.to_thread

from clawswarm.clock import Clock
from clawswarm.config.model import Service, Settings
from clawswarm.config.paths import Paths
from clawswarm.engine.checks import Check
from clawswarm.modes.diagnose_keys import Keys
from clawswarm.providers.http import open_http
from clawswarm.providers.registry import Surroundings
from clawswarm.store.connect import connect


async def simple_call(
    settings: Settings, service: Service, environ: Mapping[str, str], clock: Clock
) -> Check:
    """Ask the model of `service`, which has a name, within the configured caps.

    Raises:
        StoreError: the state directory cannot be used.
    """
    assert service.name is not None  # noqa: S101 - the caller chose it
    paths = Paths.of(environ)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(open_http(environ))
        store = await anyio.to_thread.run_sync(connect, paths.database)
        stack.callback(store.close)
        around = Surroundings(environ=environ, paths=paths, http=http, clock=clock)
        keys = Keys(settings=settings, around=around, store=store, calls=True)
        return await keys.provider(service.name, service)
