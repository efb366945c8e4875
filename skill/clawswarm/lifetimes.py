"""Background tasks that live as long as a block, and no longer."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup


@asynccontextmanager
async def background_tasks() -> AsyncGenerator[TaskGroup]:
    """A task group that is cancelled when its block ends.

    An error of the block comes out as itself. (A plain task group wraps it in an `ExceptionGroup`, which
    would reach every caller of every context manager that keeps a helper running.)
    """
    failure: Exception | None = None
    async with anyio.create_task_group() as group:
        try:
            yield group
        except Exception as error:  # noqa: BLE001 - raised again below, outside the group
            failure = error
        finally:
            group.cancel_scope.cancel()
    if failure is not None:
        raise failure
