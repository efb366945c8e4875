"""Alerts on their way to whom they are for: by the daemon, or by this command where none runs."""

import os
from collections.abc import Collection
from contextlib import AsyncExitStack
from functools import partial

import anyio
import anyio.to_thread

from clawswarm.access.team import Team
from clawswarm.access.team_care import looked_after
from clawswarm.cli.output import run
from clawswarm.cli.team_following import news
from clawswarm.clock import SystemClock
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.team.alerts import waiting

PATIENCE = 15.0
"""Seconds that a command tries to have an alert taken."""
PATIENCE_WITH_DAEMON = 5.0
"""Seconds that it waits for the daemon to do that, which goes on trying."""


def see_through(team: Team, settings: Settings, alerts: Collection[str], *, daemon: bool) -> None:
    """Return when all of these alerts are taken, or when that takes too long."""
    run(partial(_see_through, team, settings, alerts, daemon=daemon))


async def _see_through(team: Team, settings: Settings, alerts: Collection[str], *, daemon: bool) -> int:
    clock = SystemClock()
    patience = PATIENCE_WITH_DAEMON if daemon else PATIENCE
    async with AsyncExitStack() as stack:
        ear = await stack.enter_async_context(news(settings, Paths.of(os.environ), clock))
        if not daemon:
            await stack.enter_async_context(looked_after(team, settings, os.environ, clock))
        with anyio.CancelScope() as scope:
            timer = clock.call_at(clock.monotonic() + patience, scope.cancel)
            try:
                while await anyio.to_thread.run_sync(_wait_still, team, alerts):
                    await ear.hear()
            finally:
                timer.cancel()
    return 0


def _wait_still(team: Team, alerts: Collection[str]) -> bool:
    return any(call.alert.id in alerts for call, _ in waiting(team.board))
