"""The journal as it grows: whoever follows it sees each event once, and in order."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import anyio.lowlevel
import anyio.to_thread

from clawswarm.access.team_news import sources_of_news
from clawswarm.clock import Clock
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.lifetimes import background_tasks
from clawswarm.team.board import Board
from clawswarm.team.chores import Chores, Ear
from clawswarm.types.journal import Event

PAGE = 1_000
"""Events that are read at once."""

Changed = Callable[[], Awaitable[object]]
"""Returns when there may be something new on the board."""


@asynccontextmanager
async def news(settings: Settings, paths: Paths, clock: Clock) -> AsyncGenerator[Ear]:
    """An ear for everything that happens on the board from the block's beginning on."""
    async with sources_of_news(settings, paths, clock) as sources, background_tasks() as group:
        chores = Chores(group, clock)
        ear = chores.ear()
        for source in sources:
            chores.listen(source)
        await anyio.lowlevel.checkpoint()  # now they listen
        yield ear


async def follow(
    board: Board,
    run: str,
    tell: Callable[[Sequence[Event]], None],
    changed: Changed,
    *,
    after: int,
    kinds: Sequence[str] = (),
) -> None:
    """Tell what happens behind the event `after`, until the run has ended."""
    while True:
        events, ended = await anyio.to_thread.run_sync(partial(_page, board, run, after, kinds))
        if events:
            tell(events)
            after = events[-1].seq
        if len(events) == PAGE:
            continue
        if ended:
            return
        await changed()


def _page(board: Board, run: str, after: int, kinds: Sequence[str]) -> tuple[list[Event], bool]:
    """What is new, and whether the run had ended before it was read."""
    with board.reading(run) as (head, _):
        ended = head.ended is not None
    return board.journal(run, after=after, limit=PAGE, kinds=kinds), ended
