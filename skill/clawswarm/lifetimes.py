"""Tasks that live as long as a block, and no longer; errors come out as themselves."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, cast

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


async def together(calls: Iterable[Callable[[], Coroutine[Any, Any, object]]]) -> None:
    """Run all of them at once, to the end. The first error calls the others off, and comes out as itself."""
    try:
        async with anyio.create_task_group() as group:
            for call in calls:
                group.start_soon(call)
    except ExceptionGroup as failures:
        raise _first(failures) from None


def _first(error: Exception) -> Exception:
    """The error itself, out of the groups that it came in."""
    if not isinstance(error, ExceptionGroup):
        return error
    return _first(cast("ExceptionGroup[Exception]", error).exceptions[0])
