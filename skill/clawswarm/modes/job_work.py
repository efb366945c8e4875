"""What a job does in one life: the tasks that have no result yet, and of those the suspects one by one."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import anyio.to_thread

from clawswarm.engine.budget import RunCap
from clawswarm.engine.engine import Engine
from clawswarm.modes.job_life import ALONE_AFTER, PARKED, PARKED_AFTER, Life, Unfinished
from clawswarm.modes.parallel import open_parallel
from clawswarm.modes.requests import read_batch, run_cap, with_option
from clawswarm.types.requests import RunOptions
from clawswarm.types.result import TaskResult
from clawswarm.types.task import Task

EngineFor = Callable[[RunOptions], Awaitable[Engine]]


async def work_on_batch(life: Life, engine_for: EngineFor) -> dict[str, Any]:
    """Ask the prompts of a job that have no result yet.

    Raises:
        Unfinished: it was told to stop before everything was done.
        SwarmError: there is no engine for it.
    """
    request = read_batch(life.request)
    engine = await engine_for(request.options)
    tasks = [with_option(task, request.options) for task in request.listed()]
    part = _Part(life, engine, tasks, await _cap(life, engine, tasks, request.options))
    missing = [position for position in range(len(tasks)) if position not in life]
    for position in missing:
        if life.crashes.get(position, 0) >= PARKED_AFTER:
            parked = TaskResult(index=position, id=tasks[position].id, ok=False, error=PARKED)
            life.done(position, parked.as_json())
    left = [position for position in missing if position not in life]
    suspects = [position for position in left if life.crashes.get(position, 0) >= ALONE_AFTER]
    others = [position for position in left if life.crashes.get(position, 0) < ALONE_AFTER]
    if others:
        await part.run(others, request.options.concurrency)
    if suspects:  # not beside the others: one of those may be who brings the daemon down
        await part.run_alone(suspects)
    if any(position not in life for position in left):
        raise Unfinished
    return {"stats": (await anyio.to_thread.run_sync(life.stats)).as_json()}


class _Part:
    """Some of a job's tasks as one batch of the engine."""

    def __init__(self, life: Life, engine: Engine, tasks: list[Task], run: RunCap | None) -> None:
        self._life = life
        self._engine = engine
        self._tasks = tasks
        self._cap = run

    async def run_alone(self, suspects: list[int]) -> None:
        """One by one, and not beside those of another job."""
        async with self._life.alone:
            for position in suspects:
                await self.run([position], 1)
                await self._life.flush()  # it has its result before the next one is in flight

    async def run(self, positions: list[int], workers: int | None) -> None:
        sent: list[int] = []
        async with open_parallel(
            self._engine,
            self._send(positions, sent, self._engine.at_once(workers)),
            total=len(positions),
            workers=workers,
            run=self._cap,
        ) as batch:
            async for result in batch:
                position = sent[result.index]
                placed = replace(result, index=position)
                self._life.done(position, placed.as_json())

    async def _send(self, positions: list[int], sent: list[int], block: int) -> AsyncGenerator[Task]:
        """The tasks, marked before they go out, so many at a time; `sent` tells which position each was.

        A mark too many does no harm: at its second crash a task is asked alone, and marked alone.
        """
        for start in range(0, len(positions), block):
            some = positions[start : start + block]
            if self._life.stopping:
                return
            await self._life.sent(*some)
            for position in some:
                if self._life.stopping:
                    return
                sent.append(position)
                yield self._tasks[position]


async def _cap(life: Life, engine: Engine, tasks: list[Task], options: RunOptions) -> RunCap | None:
    """The job's cap, with what earlier lives have spent of it, and what their lost calls may have cost."""
    cap = engine.budget.run_cap(run_cap(options))
    if cap is not None:
        for position, cost, attempts in await anyio.to_thread.run_sync(life.costs):
            cap.spent += attempts * engine.worst_cost(tasks[position]) if cost is None else cost
        for position, crashes in life.crashes.items():
            cap.spent += crashes * engine.worst_cost(tasks[position])
    return cap
