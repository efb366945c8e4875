"""Alerts taken to whom they are for while no daemon does it."""

import os
from collections.abc import Collection
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
"""Seconds that a command waits for an alert to be taken."""


def deliver(team: Team, settings: Settings, alerts: Collection[str]) -> None:
    """Take these alerts to whom they are for; returns when all are taken, or after `PATIENCE`."""
    run(partial(_deliver, team, settings, alerts))


async def _deliver(team: Team, settings: Settings, alerts: Collection[str]) -> int:
    clock = SystemClock()
    async with (
        news(settings, Paths.of(os.environ), clock) as ear,
        looked_after(team, settings, os.environ, clock),
    ):
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
