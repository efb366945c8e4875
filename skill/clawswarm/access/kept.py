"""Things that are opened when they are first needed, and then stay open as long as their keeper."""

import logging
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import TaskGroup, TaskStatus

from clawswarm.lifetimes import background_tasks

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Place:
    """Where one thing is, or will be.

    Attributes:
        turn: whoever needs it while it is being opened waits here.
    """

    turn: anyio.Lock = field(default_factory=anyio.Lock)
    close: anyio.Event = field(default_factory=anyio.Event)
    held: list[Any] = field(default_factory=list[Any])


class Kept:
    """Opens each thing in a task of its own: it may be asked for in any task, also in one that is cancelled.

    Attributes:
        group: whose tasks end with the keeper.
    """

    def __init__(self, group: TaskGroup) -> None:
        self.group = group
        self._places: dict[Hashable, _Place] = {}

    async def get(self, key: Hashable, opening: Callable[[], AbstractAsyncContextManager[Any]]) -> Any:
        """What is kept under `key`, opened if it is not there yet.

        Raises:
            Exception: what opening it raised; the next one who asks opens it again.
        """
        place = self._places.setdefault(key, _Place())
        if place.held:
            return place.held[0]
        async with place.turn:
            if not place.held:
                place.held.append(await self.group.start(self._hold, place, opening))
        return place.held[0]

    def drop(self, key: Hashable) -> None:
        """Close it, once whoever is about to take it has it."""
        if (place := self._places.pop(key, None)) is not None:
            place.close.set()

    async def _hold(
        self,
        place: _Place,
        opening: Callable[[], AbstractAsyncContextManager[Any]],
        *,
        task_status: TaskStatus[Any],
    ) -> None:
        started = False
        try:
            async with opening() as thing:
                task_status.started(thing)
                started = True
                await place.close.wait()
        except Exception:
            if not started:
                raise
            logger.exception("something that was kept open could not be closed")


@asynccontextmanager
async def open_kept() -> AsyncGenerator[Kept]:
    """A keeper; what it keeps is closed at the end of the block."""
    async with background_tasks() as group:
        yield Kept(group)
