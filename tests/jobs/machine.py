"""A machine on which a real daemon works on jobs, and dies by SIGKILL."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.to_thread

from clawswarm.access.connect import connect
from clawswarm.access.launch import daemon_command, launch
from clawswarm.access.presence import look, wait_gone
from clawswarm.access.remote import RemoteSwarm
from clawswarm.config.load import load
from clawswarm.config.paths import Paths
from clawswarm.types.requests import BatchRequest, RunOptions
from clawswarm.types.task import Task
from tests.fakes.openai import FakeOpenAI

MODEL = "gpt-6-luna"


@dataclass
class Machine:
    """A user's home, a fake model server in this process, and a daemon in another.

    Attributes:
        pid: of the daemon that was started last; None once it is dead.
    """

    home: Path
    server: FakeOpenAI
    workers: int = 16
    pid: int | None = None
    started: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])

    @property
    def environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "OPENAI_API_KEY": "test-key",
            "OPENAI_BASE_URL": self.server.base_url,
            "SWARM__PROVIDER__NAME": "openai",
            "SWARM__PROVIDER__MODEL": MODEL,
            "SWARM__CACHE__ENABLED": "false",
            "SWARM__DAEMON__PORT": "0",
            "SWARM__DAEMON__GRACE": "0",
            "SWARM__LIMITS__MAX_NODES": str(self.workers),
        }

    @property
    def paths(self) -> Paths:
        return Paths.of(self.environ)

    async def launch(self) -> None:
        """Start the daemon as `swarm start` does, and wait until it answers."""
        launched = await anyio.to_thread.run_sync(launch, self.environ)
        assert not launched.was_running
        self.pid = launched.presence.pid

    def spawn(self) -> None:
        """Start the daemon and do not wait: it may die while it starts."""
        output = (self.home / "spawned.out").open("wb")
        with output:
            process = subprocess.Popen(
                daemon_command(port=None, workers=None), env=self.environ, cwd=self.home,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        self.started.append(process)
        self.pid = process.pid

    async def kill(self) -> None:
        """SIGKILL, and back when it is gone."""
        assert self.pid is not None
        pid, self.pid = self.pid, None
        os.kill(pid, signal.SIGKILL)
        await anyio.to_thread.run_sync(self._reap, pid)
        await anyio.to_thread.run_sync(wait_gone, self.paths)
        assert look(self.paths) is None

    async def reaped(self) -> None:
        """Back when the daemon is gone that somebody else has killed."""
        assert self.pid is not None
        pid, self.pid = self.pid, None
        await anyio.to_thread.run_sync(self._reap, pid)

    def _reap(self, pid: int) -> None:
        for process in self.started:
            if process.pid == pid:
                process.wait()
                return
        with suppress(ChildProcessError):  # who launched it sees it off, too
            os.waitpid(pid, 0)

    async def close(self) -> None:
        if self.pid is not None:
            await self.kill()

    async def submit(self, prompts: list[str]) -> str:
        """A job of these prompts, handed over as `swarm parallel --detach` does."""
        tasks = [Task(prompt=prompt) for prompt in prompts]
        options = RunOptions()
        async with self.way() as remote:
            job = await remote.submit(BatchRequest(tasks=tasks, total=len(tasks), options=options))
        return job.id

    def way(self) -> "Way":
        return Way(self)


class Way:
    """The way in through the daemon, which must be running."""

    def __init__(self, machine: Machine) -> None:
        self._way = connect(load(machine.environ).settings, machine.environ, use_daemon=True)

    async def __aenter__(self) -> RemoteSwarm:
        remote = (await self._way.__aenter__()).api
        assert isinstance(remote, RemoteSwarm)
        return remote

    async def __aexit__(self, *error: object) -> None:
        await self._way.__aexit__(None, None, None)
