"""The team's board from inside a call: one thing is done to it, then it says whether the agent goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio.to_thread

from clawswarm.access.team import Team
from clawswarm.access.team_views import TeamViews
from clawswarm.types.team import Directive
from clawswarm_mcp.call import Call

T = TypeVar("T")

NOBODY = "no daemon runs: nobody watches deadlines and silence, or repeats an alert ({})"
"""Said where a run is open that no daemon cares for."""


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """What came of it, and what the agent is to do now."""

    value: T
    directive: Directive
    reason: str

    @property
    def text(self) -> str:
        """The directive in a line; nothing where the agent simply goes on."""
        return "" if self.directive == "continue" else f" Directive: {self.directive}, because {self.reason}"


async def on_board(call: Call, by: str, work: Callable[[Team, TeamViews], T]) -> Seen[T]:
    """Do `work` in a thread, and ask for the directive of `by`, who may be a human.

    Raises:
        InputError, NotFound, StoreError: what the board says to it.
    """
    team, views = await call.session.team()

    def both() -> Seen[T]:
        value = work(team, views)
        return Seen(value, *views.directive(by))

    return await anyio.to_thread.run_sync(both, abandon_on_cancel=True)


async def cared_for(call: Call) -> str | None:
    """Have a daemon run, which cares for the board when nobody looks; in words, why none does."""
    trouble = await call.session.outlast(call.at_last)
    return None if trouble is None else NOBODY.format(trouble)
