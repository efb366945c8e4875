"""A user whose daemon is a real process: started, asked, stopped and killed as users do it."""

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import anyio.to_thread

from clawswarm.access.launch import Launched, launch
from clawswarm.access.presence import Presence, look, wait_gone
from clawswarm.config.paths import Paths
from clawswarm.config.token import read_token
from tests.cli.shell import Shell

DEMO = "provider:\n  name: demo\ndaemon:\n  port: 0\n  grace: 1\n"


class Home(Shell):
    """One home, which may have a daemon."""

    @property
    def paths(self) -> Paths:
        return Paths.of(self.environment())

    @property
    def token(self) -> str:
        token = read_token(self.paths)
        assert token is not None
        return token

    @property
    def presence(self) -> Presence:
        """The daemon that runs."""
        presence = look(self.paths)
        assert presence is not None
        assert presence.port is not None
        return presence

    async def launch(self, *, port: int | None = 0, workers: int | None = None) -> Launched:
        """Start the daemon as `swarm start` does."""
        start = partial(launch, self.environment(), port=port, workers=workers)
        return await anyio.to_thread.run_sync(start)

    async def gone(self, timeout: float = 20) -> None:
        """Wait until no daemon holds the lock."""
        with anyio.fail_after(timeout):
            await anyio.to_thread.run_sync(wait_gone, self.paths, abandon_on_cancel=True)

    async def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send the daemon a signal, and wait for its end."""
        os.kill(self.presence.pid, number)
        await self.gone()

    def end(self) -> None:
        """Whatever the test left running is killed."""
        presence = look(self.paths)
        if presence is not None and presence.pid:
            os.kill(presence.pid, signal.SIGKILL)
            wait_gone(self.paths)

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[aiohttp.ClientSession]:
        """An HTTP client with the token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"http://127.0.0.1:{self.presence.port}"
        async with aiohttp.ClientSession(url, headers=headers) as client:
            yield client

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the daemon, with its answer's JSON."""
        async with self.client() as client, client.request(method, path, json=body) as answer:
            return await answer.json()

    def log(self) -> list[str]:
        """The lines of the daemon's log, the rotated ones first."""
        folder = self.paths.log.parent
        files = [*sorted(folder.glob("daemon.log.*"), reverse=True), self.paths.log]
        return [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]


@asynccontextmanager
async def a_home(folder: Path, configuration: str = DEMO) -> AsyncGenerator[Home]:
    """A home without a daemon; one that is started there ends with the block."""
    home = Home(folder)
    home.configure(configuration)
    try:
        yield home
    finally:
        home.end()
