"""Who tells that the board, or a file beside it, may have changed, whichever process did it.

On SQLite every change is written into the memory directory, and the system tells who wrote there.
"""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Protocol

import anyio

from clawswarm.lifetimes import background_tasks
from clawswarm.team import emergency_file

DATABASE = "swarm.db"
WATCHED = frozenset({DATABASE, f"{DATABASE}-wal", emergency_file.PLACE, emergency_file.ASIDE})
"""Files of the memory directory that mean something. The views are not among them: nobody is woken by what he
wrote himself."""

QUIET_MS = 50
LONGEST_MS = 250
"""Milliseconds of quiet that end a burst of changes, and how long a burst may be."""


class Changes(Protocol):
    """A source of news, for one task at a time."""

    async def wait(self) -> None:
        """Return when something may have changed since the last call returned."""
        ...


class FileChanges:
    """News from the files in the memory directory. The first call begins to look at them."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._news: AsyncGenerator[Any] | None = None
        self._stop = anyio.Event()

    async def wait(self) -> None:
        if self._news is None:
            self._stop = anyio.Event()
            self._news = _looking_at(self._memory, self._stop)
        news, heard = self._news, False

        async def give_up() -> None:
            """A thread waits for the system, and looks from time to time whether it is to stop."""
            try:
                await anyio.sleep_forever()
            finally:
                if not heard:
                    self._stop.set()

        self._news = None  # until it has told something: what was called off or failed has ended
        async with background_tasks() as group:
            group.start_soon(give_up)
            await anext(news, None)
            heard = True
        self._news = news


def _looking_at(folder: Path, stop: anyio.Event) -> AsyncGenerator[Any]:
    from watchfiles import awatch  # pyright: ignore[reportUnknownVariableType]

    return awatch(
        folder,
        watch_filter=lambda _, path: Path(path).name in WATCHED,
        debounce=LONGEST_MS,
        step=QUIET_MS,
        stop_event=stop,
        recursive=False,
        ignore_permission_denied=True,
    )
