"""One machine with a fake model server, a state directory, and processes that spend money."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from clawswarm.clock import SystemClock, local_day
from clawswarm.store.connect import open_store
from clawswarm.store.ledger import DayTotal, Ledger
from clawswarm.types.money import to_usd
from tests.fakes.behaviours import Behaviour, Say
from tests.fakes.openai import FakeOpenAI
from tests.fakes.wire import Seen

INPUT, OUTPUT = 1_000_000, 2_000_000
"""Picodollars a token: 1 and 2 US$ a million."""

SHORT = Say()

RUNNER = Path(__file__).with_name("runner.py")


@dataclass
class Spender:
    """A process that runs a batch under the machine's cap."""

    process: asyncio.subprocess.Process

    async def is_ready(self) -> None:
        """Wait until it has opened its swarm."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line == b"ready\n", line

    def start(self) -> None:
        """Let it begin."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")

    async def die(self) -> None:
        """SIGKILL, at once."""
        self.process.kill()
        await self.process.wait()

    async def report(self) -> dict[str, Any]:
        """What it says at its end."""
        out, _ = await self.process.communicate()
        return json.loads(out)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)


@dataclass
class Machine:
    """The folder of a user, a server that counts what it is asked, and a daily cap.

    Attributes:
        say: the answer to every call.
    """

    memory: Path
    server: FakeOpenAI
    cap: int
    say: Say
    spenders: list[Spender] = field(default_factory=list[Spender])

    @property
    def price(self) -> int:
        """What one answered call costs."""
        return self.say.input_tokens * INPUT + self.say.output_tokens * OUTPUT

    @property
    def billed(self) -> int:
        """The truth: every call that reached the server, at its price."""
        return len(self.server.calls) * self.price

    @property
    def environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "TZ": "UTC",
            "HOME": str(self.memory.parent),
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "OPENAI_API_KEY": "test-key",
            "OPENAI_BASE_URL": self.server.base_url,
            "SWARM_MEMORY_DIR": str(self.memory),
            "SWARM__PROVIDER__PRICES": json.dumps({"input": 1, "output": 2}),
            "SWARM__COST__MAX_DAILY_SPEND": f"{to_usd(self.cap):.12f}",
        }

    async def spender(self, *, tasks: int, at_once: int = 64, **options: Any) -> Spender:
        """A process that is about to ask `tasks` prompts; `options` are those of every task."""
        name = f"process {len(self.spenders)}"
        order = {"name": name, "tasks": tasks, "at_once": at_once, "options": options}
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(RUNNER), json.dumps(order), env=self.environ,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self.spenders.append(Spender(process))
        return self.spenders[-1]

    async def spenders_at_the_line(self, count: int, **order: Any) -> list[Spender]:
        """That many processes, each ready to begin."""
        made = [await self.spender(**order) for _ in range(count)]
        for spender in made:
            await spender.is_ready()
        return made

    async def total(self) -> DayTotal:
        """The day's money as any other process sees it."""

        def look() -> DayTotal:
            with open_store(self.memory / "swarm.db") as store:
                return Ledger(store).total(local_day(SystemClock().now()))

        return await anyio.to_thread.run_sync(look)


@asynccontextmanager
async def machine(
    folder: Path, *, cap_calls: float, say: Say = SHORT, latency: float = 0.0
) -> AsyncGenerator[Machine]:
    """A machine whose cap is worth `cap_calls` answered calls. Its processes are gone at the end."""

    def answer(_: Seen) -> Behaviour:
        return say

    async with FakeOpenAI(latency=latency) as server:
        server.respond = answer
        made = Machine(folder / "memory", server, 0, say)
        made.cap = int(cap_calls * made.price)
        try:
            yield made
        finally:
            for spender in made.spenders:
                if spender.process.returncode is None:
                    spender.process.kill()
                    await spender.process.wait()
