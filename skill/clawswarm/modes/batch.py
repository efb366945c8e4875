"""A whole batch as events: what `POST /parallel`, the command line and Python all run."""

from collections.abc import Awaitable, Callable

from anyio.lowlevel import checkpoint

from clawswarm.engine.engine import Engine
from clawswarm.modes.parallel import open_parallel
from clawswarm.modes.requests import run_cap, with_options
from clawswarm.types.events import BatchComplete, BatchEvent, BatchStarted, TaskFinished
from clawswarm.types.requests import BatchRequest
from clawswarm.types.result import BatchResult, TaskResult, in_order


async def run_batch(
    engine: Engine, request: BatchRequest, emit: Callable[[BatchEvent], Awaitable[None]]
) -> None:
    """Ask all prompts of `request`; one start, one progress a task as it finishes, one complete.

    Raises:
        Exception: what the source of the prompts itself raised, after the tasks before it were done.
    """
    options, primary = request.options, engine.primary
    kept: list[TaskResult] | None = [] if request.keep_results else None
    async with open_parallel(
        engine,
        with_options(request.tasks, options),
        total=request.total,
        workers=options.concurrency,
        run=engine.budget.run_cap(run_cap(options)),
    ) as batch:
        await emit(
            BatchStarted(
                total=request.total,
                provider=primary.name,
                model=options.model or primary.model,
                workers=engine.at_once(options.concurrency),
            )
        )
        async for result in batch:
            if kept is not None:
                kept.append(result)
            await emit(TaskFinished(task=result))
        await checkpoint()  # a worker that broke down has called this off: nothing is complete then
        stats = batch.stats
        whole = None if kept is None else BatchResult(in_order(kept), stats)
        await emit(BatchComplete(stats=stats, result=whole))
