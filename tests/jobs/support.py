"""A user's state directory with a fake model server, and lives of a process that works on its jobs.

A crash is played without a process: `as_a_kill_leaves_it` copies the database in the middle of a life, and
the next life goes on with the copy. What SIGKILL does to a real daemon is in `kill_rounds`.
"""

import sqlite3
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from clawswarm.access.local import LocalSwarm, open_local
from clawswarm.clock import Clock
from clawswarm.config.model import Cache, Daemon, Limits, Prices, Provider, Settings
from clawswarm.modes.jobs import JobRunner
from clawswarm.store.connect import open_store
from clawswarm.store.jobs import Jobs
from clawswarm.types.jobs import Job, JobPage
from clawswarm.types.requests import AS_CONFIGURED, BatchRequest, RunOptions
from clawswarm.types.task import Task
from tests.fakes.behaviours import Answer, Behaviour, Held, Say
from tests.fakes.common import last_user_text
from tests.fakes.openai import FakeOpenAI
from tests.fakes.wire import Seen

PATIENCE = 25
"""Seconds that a test may wait, so that one that hangs says where."""


SHORT = Say()


@dataclass
class Place:
    """One state directory, and what a process on it is configured with."""

    memory: Path
    server: FakeOpenAI
    limits: Limits = field(default_factory=lambda: Limits(max_nodes=16, max_retries=0))
    daemon: Daemon = field(default_factory=Daemon)
    max_tokens: int = 20
    environ: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def settings(self) -> Settings:
        prices = Prices(input=Decimal(1), output=Decimal(2))
        return Settings(
            provider=Provider(name="openai", prices=prices, max_tokens=self.max_tokens),
            limits=self.limits,
            cache=Cache(enabled=False),
            daemon=self.daemon,
        )

    @asynccontextmanager
    async def life(self, clock: Clock | None = None) -> AsyncGenerator["Life"]:
        """A process that works on jobs; a few seconds at most."""
        environ = {
            "HOME": str(self.memory.parent),
            "SWARM_MEMORY_DIR": str(self.memory),
            "OPENAI_API_KEY": "test-key",
            "OPENAI_BASE_URL": self.server.base_url,
            **self.environ,
        }
        with anyio.fail_after(PATIENCE):
            async with (
                open_local(self.settings, environ, clock=clock) as swarm,
                swarm.working_on_jobs() as runner,
            ):
                yield Life(swarm, runner)

    def as_a_kill_leaves_it(self, name: str) -> "Place":
        """The same user on a copy of the database as it is now. Blocks, for a moment."""
        memory = self.memory.with_name(name)
        memory.mkdir()
        with (
            closing(sqlite3.connect(self.memory / "swarm.db")) as now,
            closing(sqlite3.connect(memory / "swarm.db")) as copy,
        ):
            now.backup(copy)
        return Place(memory, self.server, self.limits, self.daemon, self.max_tokens, self.environ)

    def flights(self, job_id: str) -> dict[int, tuple[bool, int]]:
        """Of each task that was ever in flight: whether it is now, and at how many crashes it was."""
        query = "SELECT position, flying, crashes FROM job_flights WHERE job = ?"
        return {position: (bool(flying), crashes) for position, flying, crashes in self.rows(query, job_id)}

    def flying(self, job_id: str) -> set[int]:
        return {position for position, (flying, _) in self.flights(job_id).items() if flying}

    def stored(self, job_id: str) -> set[int]:
        """The tasks that have a result in the database."""
        return {row[0] for row in self.rows("SELECT position FROM job_items WHERE job = ?", job_id)}

    def rows(self, query: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self.memory / "swarm.db")) as connection:
            return connection.execute(query, values).fetchall()

    def job(self, job_id: str) -> Job:
        """The job as any process sees it."""
        with open_store(self.memory / "swarm.db") as store:
            return Jobs(store).get(job_id)

    @property
    def asked(self) -> Counter[str]:
        """How often each prompt reached the server."""
        return Counter(prompt_of(seen) for seen in self.server.calls)


@dataclass
class Life:
    """An open process."""

    swarm: LocalSwarm
    runner: JobRunner

    async def submit(
        self, prompts: Sequence[str] | Sequence[Task], options: RunOptions = AS_CONFIGURED
    ) -> str:
        tasks = [Task(prompt=each) if isinstance(each, str) else each for each in prompts]
        return (await self.swarm.submit(BatchRequest(tasks=tasks, total=len(tasks), options=options))).id

    async def end(self, job_id: str) -> JobPage:
        """The job with all of its results once it has ended."""
        page = await self.swarm.job(job_id, wait=PATIENCE)
        assert page.job.status.final, page.job
        return page

    async def until(self, job_id: str, condition: Callable[[Job], bool]) -> Job:
        """The job once it is so in the store."""
        while not condition(job := (await self.swarm.job(job_id, limit=1)).job):
            pass
        return job


async def until(condition: Callable[[], bool]) -> None:
    """Return once it is so; it is looked for in a thread, so that the loop goes on."""
    with anyio.fail_after(PATIENCE):
        while not await anyio.to_thread.run_sync(condition):
            pass


def numbered(count: int) -> list[str]:
    return [f"p{number}" for number in range(count)]


def prompt_of(seen: Seen) -> str:
    return last_user_text(seen.json["messages"])


class Gate:
    """Answers of a fake server that wait for the test.

    Attributes:
        closed: prompts that wait; None stands for all of them.
    """

    def __init__(
        self, server: FakeOpenAI, closed: Collection[str] | None = None, *, say: Answer = SHORT
    ) -> None:
        self.closed = closed
        self._say = say
        self._opened: dict[str, anyio.Event] = {}
        self._all = anyio.Event()
        server.respond = self._respond

    def open(self, *prompts: str) -> None:
        """Let these be answered; without any, all that are there and all that come."""
        for prompt in prompts:
            self._event(prompt).set()
        if not prompts:
            self.closed = ()
            for event in self._opened.values():
                event.set()

    def _respond(self, seen: Seen) -> Behaviour:
        prompt = prompt_of(seen)
        waits = self.closed is None or prompt in self.closed
        return Held(self._event(prompt), self._say) if waits else self._say

    def _event(self, prompt: str) -> anyio.Event:
        return self._opened.setdefault(prompt, anyio.Event())
