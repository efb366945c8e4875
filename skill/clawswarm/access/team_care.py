"""What has to happen around a board while it is used: humans called, files and deadlines kept.

The daemon does it all the time, a command for as long as it lasts. Several may do it at once: nothing happens
twice. It brings an HTTP client along: whoever needs it loads it then.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

from clawswarm.access.team import Team
from clawswarm.access.team_machine import look_at_machine
from clawswarm.access.team_news import sources_of_news
from clawswarm.clock import Clock
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.lifetimes import background_tasks
from clawswarm.team.rules.guards import Machine
from clawswarm.team.watcher import watch_team


@asynccontextmanager
async def looked_after(
    team: Team,
    settings: Settings,
    environ: Mapping[str, str],
    clock: Clock,
    machine: Callable[[], Machine] = look_at_machine,
) -> AsyncGenerator[None]:
    """Look after the board inside the block.

    Args:
        machine: what the guards are told of the machine; called in a thread.

    Raises:
        ConfigError: `team.database` is no address.
        StoreError: the database cannot be reached.
    """
    paths = Paths.of(environ)
    async with sources_of_news(settings, paths, clock) as sources, background_tasks() as group:
        group.start_soon(
            partial(watch_team, team.board, settings, paths, environ, clock, changes=sources, machine=machine)
        )
        yield
