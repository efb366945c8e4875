"""The two ways in, on one fake provider: this process, and the daemon's real HTTP API on loopback."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import anyio

from clawswarm.access.api import SwarmAPI
from clawswarm.access.connect import digest
from clawswarm.access.local import LocalSwarm, open_local
from clawswarm.access.presence import Presence, take_seat
from clawswarm.access.remote import open_remote
from clawswarm.access.swarm import Swarm
from clawswarm.clock import SystemClock
from clawswarm.config.load import load
from clawswarm.config.paths import Paths
from clawswarm.config.token import make_token
from clawswarm.daemon.observe import Observer
from clawswarm.daemon.process import Server, listening, make_server
from clawswarm.daemon.serving import Serving
from clawswarm.daemon.tracing import Tracer
from clawswarm.types.events import BatchComplete, BatchEvent, BatchStarted, TaskFinished
from clawswarm.types.requests import AS_CONFIGURED, BatchRequest, RunOptions
from clawswarm.types.result import BatchResult
from clawswarm.types.task import Task
from tests.fakes.openai import FakeOpenAI

PATIENCE = 25

Name = Literal["local", "daemon"]


@dataclass
class Way:
    """One way in.

    Attributes:
        settings: variables that configure the process that does the work.
        server: the provider.
        groq: another one, where a request names it.
    """

    name: Name
    home: Path
    server: FakeOpenAI
    groq: FakeOpenAI
    settings: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def environ(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "OPENAI_API_KEY": "test-key",
            "OPENAI_BASE_URL": self.server.base_url,
            "GROQ_BASE_URL": self.groq.base_url,
            "SWARM__PROVIDER__NAME": "openai",
            "SWARM__PROVIDER__PRICES": '{"input": 1, "output": 2}',
            "SWARM__LIMITS__MAX_RETRIES": "0",
            **self.settings,
        }

    @asynccontextmanager
    async def open(self) -> AsyncGenerator["Opened"]:
        """The work is done by a swarm of this process, or behind a daemon; jobs are worked on."""
        settings = load(self.environ).settings
        with anyio.fail_after(PATIENCE):
            async with (
                open_local(settings, self.environ) as swarm,
                swarm.working_on_jobs(),
                AsyncExitStack() as stack,
            ):
                if self.name == "local":
                    yield Opened(self, swarm, swarm)
                    return
                serving = await stack.enter_async_context(_serving(swarm, self.environ))
                remote = await stack.enter_async_context(open_remote(serving.presence, serving.token))
                yield Opened(self, remote, swarm, serving.go_away)


@dataclass
class Opened:
    """A way in that is open.

    Attributes:
        behind: what does the work in the end.
        go_away: makes the daemon close its sockets.
    """

    way: Way
    api: SwarmAPI
    behind: LocalSwarm
    go_away: Callable[[], None] | None = None

    async def events(
        self,
        prompts: list[str] | list[Task],
        options: RunOptions = AS_CONFIGURED,
        *,
        keep_results: bool = True,
    ) -> list[BatchEvent]:
        """All events of a batch."""
        found: list[BatchEvent] = []

        async def emit(event: BatchEvent) -> None:
            found.append(event)

        await self.api.parallel(request(prompts, options, keep_results=keep_results), emit)
        return found

    async def batch(
        self, prompts: list[str] | list[Task], options: RunOptions = AS_CONFIGURED
    ) -> BatchResult:
        """The result of a batch, after a look at the order of its events."""
        first, *middle, last = await self.events(prompts, options)
        assert isinstance(first, BatchStarted)
        assert isinstance(last, BatchComplete)
        assert last.result is not None
        tasks = [event.task for event in middle if isinstance(event, TaskFinished)]
        assert len(tasks) == len(middle) == first.total == len(prompts)
        assert sorted(tasks, key=lambda task: task.index) == list(last.result.tasks)
        return last.result

    def swarm(self, **arguments: Any) -> Swarm:
        """The Python API through this way."""
        given: dict[str, Any] = {"use_daemon": self.way.name == "daemon"} | arguments
        return Swarm(environ=self.way.environ, **given)


def request(
    prompts: list[str] | list[Task], options: RunOptions = AS_CONFIGURED, *, keep_results: bool = True
) -> BatchRequest:
    tasks = [Task(prompt=each) if isinstance(each, str) else each for each in prompts]
    return BatchRequest(tasks=tasks, total=len(tasks), options=options, keep_results=keep_results)


def _nobody() -> None:
    """Nobody has to be told that this daemon leaves."""


@dataclass
class _Serving:
    presence: Presence
    token: str
    server: Server

    def go_away(self) -> None:
        for door in self.server.servers:
            door.close()
        self.server.should_exit = self.server.force_exit = True
        for connection in list(self.server.server_state.connections):
            connection.transport.close()


@asynccontextmanager
async def _serving(swarm: LocalSwarm, environ: dict[str, str]) -> AsyncGenerator[_Serving]:
    """The daemon's server on a port of its own, announced as a daemon announces itself."""
    paths = Paths.of(environ)
    token = make_token(paths)
    settings, clock = swarm.engine.settings, SystemClock()
    with take_seat(paths) as seat, listening(0) as door:
        port = door.getsockname()[1]
        serving = Serving(swarm, settings, Observer(), Tracer(), pid=1, port=port, started=clock.monotonic())
        up = anyio.Event()
        server = make_server(serving, token, up.set, _nobody)
        presence = Presence(
            pid=1, port=port, version="0", started=clock.now().timestamp(),
            workers=settings.limits.max_nodes, settings=digest(settings),
        )  # fmt: skip
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve, [door])
            await up.wait()
            seat.announce(presence)
            running = _Serving(presence, token, server)
            try:
                yield running
            finally:
                running.go_away()
