"""kill -9 at random moments of jobs: `python -m tests.jobs.kill_rounds --rounds 100 --seed 1`.

Each round is a job of 300 tasks on a real daemon, which is killed once to four times: while it works, while
it starts, while it recovers. After each kill the stored results are read from the database, before the next
start; a prompt that is asked later must not be one of them.
"""

import argparse
import random
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import anyio

from tests.fakes.behaviours import Say
from tests.fakes.common import last_user_text
from tests.fakes.openai import FakeOpenAI
from tests.jobs.machine import Machine

TASKS = 300
LATENCY = 0.02
"""Seconds of an answer; 300 of them take 16 workers almost half a second."""

WORK = 0.6
START = 1.2
"""Seconds that the work on a job, and the start of a daemon, take about: moments to kill it at lie within."""

PATIENCE = 30


@dataclass
class Figures:
    """What was seen, over all rounds.

    Attributes:
        asked: prompts that reached the provider, repetitions included.
        asked_again: of those, repetitions of one that had no stored result: lost in flight.
        stored_and_asked_again: repetitions of one that had. Must be 0.
        parked: tasks that were in flight at three kills, and only those.
        wrong: what was parked and should not be, or the other way round, or has the wrong text. Must be 0.
    """

    rounds: int = 0
    kills: int = 0
    kills_at_start: int = 0
    asked: int = 0
    asked_again: int = 0
    stored_and_asked_again: int = 0
    missing: int = 0
    doubled: int = 0
    parked: int = 0
    wrong: int = 0
    not_complete: int = 0

    def add(self, other: "Figures") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    @property
    def faults(self) -> int:
        return (
            self.stored_and_asked_again + self.missing + self.doubled + self.wrong + self.not_complete
        )  # fmt: skip

    def __str__(self) -> str:
        return "\n".join(
            f"{each.name.replace('_', ' '):24}{getattr(self, each.name):8}" for each in fields(self)
        )


@dataclass
class Kill:
    """What one kill left behind.

    Attributes:
        calls: calls that the server had counted by then.
        stored: positions with a result.
        lost: at how many crashes a task was in flight, this one included.
    """

    calls: int
    stored: frozenset[int]
    lost: dict[int, int]


@dataclass
class Round:
    """One job, killed again and again."""

    machine: Machine
    chance: random.Random
    figures: Figures = field(default_factory=lambda: Figures(rounds=1))
    kills: list[Kill] = field(default_factory=list[Kill])

    async def run(self) -> Figures:
        await self.machine.launch()
        job_id = await self.machine.submit([f"prompt {number}" for number in range(TASKS)])
        await anyio.sleep(self.chance.uniform(0, WORK))
        await self._kill(job_id)
        for _ in range(self.chance.choice([0, 0, 1, 1, 2, 3])):
            self.machine.spawn()
            moment = self.chance.uniform(0, START + WORK)
            await anyio.sleep(moment)
            self.figures.kills_at_start += len(self.machine.server.calls) == self.kills[-1].calls
            await self._kill(job_id)
        await self.machine.launch()
        await self._look_at_the_end(job_id)
        await self.machine.kill()
        self._count_calls()
        return self.figures

    async def _kill(self, job_id: str) -> None:
        await self.machine.kill()
        self.figures.kills += 1
        calls = len(self.machine.server.calls)
        with closing(sqlite3.connect(self.machine.paths.database)) as database:
            stored = database.execute("SELECT position FROM job_items WHERE job = ?", [job_id]).fetchall()
            query = "SELECT position, crashes + flying FROM job_flights WHERE job = ?"
            lost = dict(database.execute(query, [job_id]).fetchall())
        self.kills.append(Kill(calls, frozenset(position for (position,) in stored), lost))

    async def _look_at_the_end(self, job_id: str) -> None:
        figures, items = self.figures, list[Any]()
        async with self.machine.way() as remote:
            page = await remote.job(job_id, wait=PATIENCE, limit=97)
            job = page.job
            while page.items:
                items += page.items
                if page.next_offset is None:
                    break
                page = await remote.job(job_id, offset=page.next_offset, limit=97)
        indexes = [item["index"] for item in items]
        parked = {item["index"] for item in items if item["error"] and item["error"]["code"] == "parked"}
        last = self.kills[-1]
        expected = {
            position for position, times in last.lost.items() if times >= 3 and position not in last.stored
        }
        right = [item["text"] == f"echo: prompt {item['index']}" for item in items if item["ok"]]
        figures.not_complete += job.status != "complete" or job.done != TASKS or indexes != sorted(indexes)
        figures.missing += TASKS - len(set(indexes))
        figures.doubled += len(indexes) - len(set(indexes))
        figures.parked += len(parked)
        figures.wrong += len(parked ^ expected) + right.count(False) + (len(right) + len(parked) != TASKS)

    def _count_calls(self) -> None:
        prompts = [_position(seen.json) for seen in self.machine.server.calls]
        again = len(prompts) - len(set(prompts))
        refused = 0
        for number, prompt in enumerate(prompts):
            earlier = [kill for kill in self.kills if kill.calls <= number]
            refused += any(prompt in kill.stored for kill in earlier)
        self.figures.asked += len(prompts)
        self.figures.stored_and_asked_again += refused
        self.figures.asked_again += again - refused


def _position(body: Any) -> int:
    return int(last_user_text(body["messages"]).removeprefix("prompt "))


async def one_round(home: Path, seed: object) -> Figures:
    """A job that is killed at moments that `seed` decides (as far as a machine's own pace lets it)."""
    home.mkdir()  # noqa: ASYNC240 - it takes no time
    async with FakeOpenAI(latency=LATENCY) as server:
        server.respond = lambda _: Say()
        machine = Machine(home, server)
        try:
            return await Round(machine, random.Random(str(seed))).run()
        finally:
            with anyio.CancelScope(shield=True):
                await machine.close()


async def rounds(folder: Path, count: int, seed: int) -> Figures:
    figures = Figures()
    for number in range(count):
        found = await one_round(folder / f"round {number}", (seed, number))
        figures.add(found)
        if found.faults:
            print(f"round {number} of seed {seed}:\n{found}")  # noqa: T201
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        figures = anyio.run(rounds, Path(folder), given.rounds, given.seed)
    print(figures)  # noqa: T201
    print(f"{'seed':24}{given.seed:8}\n{'seconds':24}{time.monotonic() - began:8.1f}")  # noqa: T201
    return 1 if figures.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
