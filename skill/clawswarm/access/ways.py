"""The ways in of a process that lives long: they stay open, and follow the daemon as it comes and goes."""

import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio.to_thread

from clawswarm.access.api import JobAPI
from clawswarm.access.connect import Way, connect, digest
from clawswarm.access.job_reader import StoredJobs, open_job_reader
from clawswarm.access.kept import Kept, open_kept
from clawswarm.access.launch import launch
from clawswarm.access.local import LocalSwarm
from clawswarm.access.presence import Presence, look
from clawswarm.access.team import Team, open_team
from clawswarm.clock import Clock, SystemClock
from clawswarm.config.load import load
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.store.connect import connect as open_database
from clawswarm.types.requests import AS_CONFIGURED


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The settings, and the state of the file that they came from."""

    settings: Settings
    digest: str
    stamp: tuple[int, int] | None


class Ways:
    """To the swarm, to its jobs, to the board of the team.

    Attributes:
        inside: the daemon's own swarm, where this is the daemon.
    """

    def __init__(
        self, kept: Kept, environ: Mapping[str, str], clock: Clock, *, inside: LocalSwarm | None = None
    ) -> None:
        self.clock = clock
        self.inside = inside
        self.environ = environ
        self.paths = Paths.of(environ)
        self._kept = kept
        self._loaded: _Loaded | None = None
        self._remote: Presence | None = None

    async def settings(self) -> Settings:
        """The configuration as it is now.

        Raises:
            ConfigError: it cannot be used.
        """
        return (await self._configured()).settings

    async def swarm(self) -> Way:
        """The way in for new work, as `connect` finds it.

        Raises:
            NotConfigured, ConfigError, StoreError: as for `connect`.
        """
        if self.inside is not None:
            return Way(api=self.inside, options=AS_CONFIGURED, daemon=None)
        configured, presence = await self._configured(), self._daemon()
        opening = partial(connect, configured.settings, self.environ)
        return await self._kept.get(("swarm", presence, configured.digest), opening)

    async def jobs(self) -> JobAPI:
        """The way to jobs that are there already.

        Raises:
            StoreError, ConfigError: as for `open_job_reader`.
        """
        if self.inside is not None:
            return self.inside
        return await self._kept.get(("jobs", self._daemon()), partial(open_job_reader, self.environ))

    async def stored_jobs(self) -> JobAPI:
        """Jobs as they are written down; for lists, which need no daemon.

        Raises:
            StoreError: the state directory cannot be used.
        """
        return await self._kept.get("stored", partial(_open_stored, self.paths))

    async def team(self) -> Team:
        """The board of the team.

        Raises:
            StoreError, ConfigError: as for `open_team`.
        """
        configured = await self._configured()
        opening = partial(_open_team, configured.settings, self.environ, self.clock)
        return await self._kept.get(("team", configured.digest), opening)

    @property
    def daemon_runs(self) -> bool:
        return self.inside is not None or self._daemon() is not None

    async def start_daemon(self) -> None:
        """Have a daemon run: what is handed to it outlives this process.

        Raises:
            SwarmError: it cannot be started.
        """
        if not self.daemon_runs:
            await anyio.to_thread.run_sync(launch, self.environ, abandon_on_cancel=True)

    def _daemon(self) -> Presence | None:
        """The daemon that answers. The ways to one that has gone are closed."""
        presence = look(self.paths)
        if presence is not None and presence.port is None:
            presence = None
        if self._remote is not None and self._remote != presence:
            self._kept.drop(("jobs", self._remote))
            if self._loaded is not None:
                self._kept.drop(("swarm", self._remote, self._loaded.digest))
        self._remote = presence
        return presence

    async def _configured(self) -> _Loaded:
        """Read anew when the file has changed."""
        if self.inside is not None and self._loaded is None:
            settings = self.inside.engine.settings
            self._loaded = _Loaded(settings, digest(settings), None)
        if self._loaded is None or (self.inside is None and self._loaded.stamp != _stamp(self.paths.config)):
            stamp = _stamp(self.paths.config)
            settings = (await anyio.to_thread.run_sync(load, self.environ)).settings
            self._loaded = _Loaded(settings, digest(settings), stamp)
        return self._loaded


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is written."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


@asynccontextmanager
async def _open_stored(paths: Paths) -> AsyncGenerator[StoredJobs]:
    store = await anyio.to_thread.run_sync(open_database, paths.database)
    try:
        yield StoredJobs(store)
    finally:
        store.close()


@asynccontextmanager
async def _open_team(settings: Settings, environ: Mapping[str, str], clock: Clock) -> AsyncGenerator[Team]:
    """The board, opened and closed in threads."""
    stack = ExitStack()
    try:
        yield await anyio.to_thread.run_sync(stack.enter_context, open_team(settings, environ, clock))
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(stack.close)


@asynccontextmanager
async def open_ways(
    environ: Mapping[str, str], *, clock: Clock | None = None, inside: LocalSwarm | None = None
) -> AsyncGenerator[Ways]:
    """Ways that are opened when they are needed, and closed at the end of the block.

    Args:
        inside: the daemon's own swarm; everything then goes through it.
    """
    async with open_kept() as kept:
        yield Ways(kept, environ, clock or SystemClock(), inside=inside)
