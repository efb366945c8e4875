"""The team's board, looked after for as long as the daemon runs."""

import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace

import anyio
import anyio.to_thread

from clawswarm.access.team import open_team
from clawswarm.access.team_care import looked_after
from clawswarm.access.team_machine import look_at_machine
from clawswarm.clock import Clock, sleep_until
from clawswarm.config.model import Settings
from clawswarm.daemon.observe import Observer
from clawswarm.engine.fleet import Fleet
from clawswarm.errors import SwarmError
from clawswarm.team.rules.guards import Machine

RETRY_SECONDS = 30.0
LOCAL = "ollama"
"""The provider whose queue and pace tell of this machine."""

_log = logging.getLogger(__name__)


async def care_for_team(
    settings: Settings, environ: Mapping[str, str], clock: Clock, machine: Callable[[], Machine]
) -> None:
    """Work until cancelled. A board that cannot be opened is told once, and tried again."""
    told = ""
    while True:
        try:
            with ExitStack() as stack:
                opening = open_team(settings, environ, clock)
                team = await anyio.to_thread.run_sync(stack.enter_context, opening)
                async with looked_after(team, settings, environ, clock, machine):
                    told = ""
                    await anyio.sleep_forever()
        except SwarmError as error:
            if error.message != told:
                _log.warning("nobody looks after the team's board: %s (%s)", error.message, error.hint)
            told = error.message
        await sleep_until(clock, clock.monotonic() + RETRY_SECONDS)


def machine_of(fleet: Fleet, observer: Observer) -> Callable[[], Machine]:
    """What the guards are told: the machine's memory, and how the local model keeps up with this daemon."""

    def look() -> Machine:
        waiting = [each["waiting"] for each in fleet.endpoints() if each["provider"] == LOCAL]
        return replace(look_at_machine(), queue=sum(waiting) if waiting else None, latency_s=observer.local_s)

    return look
