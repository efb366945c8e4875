"""Many tasks at once: workers pull prompts from a source, results come out as they finish.

A worker that is done takes the next task at once; there are no rounds. The source is read only as fast as
workers take from it, and results wait in a bounded stream, so that memory does not grow with the number of
prompts. Each batch has its own stream: no batch sees another's events.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import asynccontextmanager

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from clawswarm.engine.budget import RunCap
from clawswarm.engine.engine import Engine
from clawswarm.lifetimes import background_tasks
from clawswarm.types.result import TaskResult
from clawswarm.types.task import Task

Source = Iterable[Task] | AsyncIterable[Task]


class Queue:
    """Numbers the tasks of a source and hands each out once."""

    def __init__(self, source: Source) -> None:
        self._sync = iter(source) if isinstance(source, Iterable) else None
        self._async: AsyncIterator[Task] | None = None if isinstance(source, Iterable) else aiter(source)
        self._turn = anyio.Lock()
        self._index = 0
        self.error: Exception | None = None

    async def next(self) -> tuple[int, Task] | None:
        """The next task with its index; None when there are no more, or when the source has failed."""
        try:
            task = await self._pull()
        except Exception as error:  # noqa: BLE001 - the caller's own source may raise anything
            self.error = error
            task = None
        if task is None:
            self._sync = self._async = None
            return None
        index = self._index
        self._index += 1
        return index, task

    async def _pull(self) -> Task | None:
        if self._sync is not None:
            return next(self._sync, None)
        async with self._turn:
            return None if self._async is None else await anext(self._async, None)


@asynccontextmanager
async def open_batch(
    engine: Engine,
    source: Source,
    *,
    total: int | None = None,
    workers: int | None = None,
    run: RunCap | None = None,
) -> AsyncGenerator[MemoryObjectReceiveStream[TaskResult]]:
    """Run the tasks of `source`; read the results, in the order in which they finish.

    Leaving the block early cancels what still runs, closes its sockets and books what it may have cost.

    Raises:
        Exception: what the source itself raised, after the tasks before it were done.

    Args:
        total: how many tasks there are, if that is known; no more workers are started.
        workers: tasks at once; never more than `limits.max_nodes`.
        run: a cap that this batch shares with others; None gives it the configured one for itself.
    """
    counts = (engine.settings.limits.max_nodes, total, workers)
    at_once = max(1, min(count for count in counts if count is not None))
    send, receive = anyio.create_memory_object_stream[TaskResult](2 * at_once)
    queue = Queue(source)
    run = run or engine.budget.run_cap()
    try:
        async with receive, background_tasks() as group:
            async with send:
                for _ in range(at_once):
                    group.start_soon(_work, engine, queue, run, send.clone())
            yield receive
    finally:
        with anyio.CancelScope(shield=True):
            await engine.flush()
    if queue.error is not None:
        raise queue.error


async def _work(
    engine: Engine, queue: Queue, run: RunCap | None, results: MemoryObjectSendStream[TaskResult]
) -> None:
    async with results:
        while (item := await queue.next()) is not None:
            result = await engine.run_task(*item, run)
            try:
                results.send_nowait(result)
            except anyio.WouldBlock:
                await results.send(result)
