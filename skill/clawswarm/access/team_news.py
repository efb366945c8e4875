"""Who tells that a board may have changed, wherever it lies."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from clawswarm.clock import Clock
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.store.postgres_changes import listening
from clawswarm.team.changes import Changes, FileChanges


@asynccontextmanager
async def sources_of_news(
    settings: Settings, paths: Paths, clock: Clock
) -> AsyncGenerator[tuple[Changes, ...]]:
    """The memory directory, where SQLite and emergency.md are, and the database that many machines share.

    Raises:
        ConfigError: `team.database` is no address.
        StoreError: the database cannot be reached.
    """
    files = FileChanges(paths.memory)
    if settings.team.database is None:
        yield (files,)
        return
    async with listening(settings.team.database, clock) as rows:
        yield (files, rows)
