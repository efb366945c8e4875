"""What has to happen around a board while no daemon does it: humans called, files and deadlines kept.

It brings an HTTP client along: whoever needs it loads it then.
"""

import os
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from functools import partial

import anyio
import anyio.to_thread

from clawswarm.access.team import Team
from clawswarm.access.team_machine import look_at_machine
from clawswarm.access.team_news import sources_of_news
from clawswarm.cli.output import run
from clawswarm.cli.team_following import news
from clawswarm.clock import SystemClock
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.lifetimes import background_tasks
from clawswarm.team.alerts import waiting
from clawswarm.team.watcher import watch_team

PATIENCE = 15.0
"""Seconds that a command waits for an alert to be taken."""


@asynccontextmanager
async def looked_after(team: Team, settings: Settings) -> AsyncGenerator[None]:
    """Do inside the block what the daemon would do. Several processes may: nothing happens twice."""
    paths, clock = Paths.of(os.environ), SystemClock()
    async with sources_of_news(settings, paths, clock) as sources, background_tasks() as group:
        group.start_soon(
            partial(
                watch_team,
                team.board,
                settings,
                paths,
                os.environ,
                clock,
                changes=sources,
                machine=look_at_machine,
            )
        )
        yield


def deliver(team: Team, settings: Settings, alerts: Collection[str]) -> None:
    """Take these alerts to whom they are for; returns when all are taken, or after `PATIENCE`."""
    run(partial(_deliver, team, settings, alerts))


async def _deliver(team: Team, settings: Settings, alerts: Collection[str]) -> int:
    clock = SystemClock()
    async with news(settings, Paths.of(os.environ), clock) as ear, looked_after(team, settings):
        with anyio.CancelScope() as scope:
            timer = clock.call_at(clock.monotonic() + PATIENCE, scope.cancel)
            try:
                while await anyio.to_thread.run_sync(_wait_still, team, alerts):
                    await ear.hear()
            finally:
                timer.cancel()
    return 0


def _wait_still(team: Team, alerts: Collection[str]) -> bool:
    return any(call.alert.id in alerts for call, _ in waiting(team.board))
