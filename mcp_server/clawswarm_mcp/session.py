"""What lives as long as the server: the ways in, the work that this process does itself."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from clawswarm.access.api import JobAPI
from clawswarm.access.kept import Kept
from clawswarm.access.local import LocalSwarm
from clawswarm.access.team import Team
from clawswarm.access.team_views import TeamViews
from clawswarm.access.ways import Ways, open_ways
from clawswarm.clock import Clock, SystemClock
from clawswarm.errors import SwarmError
from clawswarm_mcp.here import PREFIX, Here
from clawswarm_mcp.waiting import within

TOO_SLOW = "the daemon did not start in time"


@dataclass(frozen=True, slots=True)
class Session:
    """One server's."""

    ways: Ways
    here: Here
    clock: Clock

    async def api_of(self, job_id: str) -> JobAPI:
        """Whom to ask about a job."""
        return self.here if job_id.startswith(PREFIX) else await self.ways.jobs()

    async def team(self) -> tuple[Team, TeamViews]:
        """The board, and what it shows."""
        team = await self.ways.team()
        return team, TeamViews(team.board, self.clock)

    async def outlast(self, until: float) -> str | None:
        """Have a daemon run, so that what was begun outlives this process; why there is none, in words.

        Args:
            until: the moment after which nobody waits for it any more.
        """
        with within(self.clock, until):
            try:
                await self.ways.start_daemon()
            except SwarmError as error:
                return error.message if error.hint is None else f"{error.message} ({error.hint})"
            return None
        return TOO_SLOW


@asynccontextmanager
async def open_session(
    kept: Kept, environ: Mapping[str, str], *, inside: LocalSwarm | None = None, clock: Clock | None = None
) -> AsyncGenerator[Session]:
    """A session in which nothing is open yet.

    Args:
        inside: the daemon's own swarm, where this is the daemon.
        clock: what waits are measured by.
    """
    clock = clock or SystemClock()
    async with open_ways(environ, clock=clock, inside=inside) as ways:
        yield Session(ways, Here(kept.group, clock), clock)
