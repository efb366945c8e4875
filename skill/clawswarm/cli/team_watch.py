"""`swarm team watch`: the run as it changes, drawn over on a terminal, a line an event elsewhere."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import typer

from clawswarm.access.team import Team
from clawswarm.access.team_care import looked_after
from clawswarm.cli.output import run, say, show, told
from clawswarm.cli.screen import output_is_screen
from clawswarm.cli.streams import INTERRUPTED, divert
from clawswarm.cli.team_acting import the_team
from clawswarm.cli.team_following import follow, news
from clawswarm.cli.team_log_lines import journal_lines
from clawswarm.cli.team_screen import screen
from clawswarm.clock import SystemClock
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.team.chores import Ear
from clawswarm.team.overview import Overview
from clawswarm.types.journal import Event

app = typer.Typer()

TICK = 1.0
"""Seconds between two drawings while nothing happens: ages and deadlines go on. Nothing is read for that."""
MOST_EVENTS = 30
"""Events at the foot of the screen, at most."""

Seen = tuple[Overview, list[Event]]


@app.command("watch", epilog="Example:\n\nswarm team watch")
def watch_command() -> None:
    """Watch the run until Ctrl-C: phase, agents, trust, proposals, tasks, alarms, spend, events.

    Meanwhile it does what the daemon does: deadlines, guards, alerts. Where standard output is no terminal it
    prints one line an event, until the run ends.
    """
    live = output_is_screen() and os.environ.get("TERM", "") not in ("dumb", "unknown")
    with told(), the_team(silent=live) as (team, settings):
        status = run(partial(_watch, team, settings, live=live))
    raise typer.Exit(0 if status == INTERRUPTED else status)


async def _watch(team: Team, settings: Settings, *, live: bool) -> int:
    clock = SystemClock()
    async with news(settings, Paths.of(os.environ), clock) as ear:
        seen = await anyio.to_thread.run_sync(_look, team)
        async with looked_after(team, settings, os.environ, clock):
            await (_live if live else _plain)(team, ear, seen)
    return 0


async def _plain(team: Team, ear: Ear, seen: Seen) -> None:
    """The last events and those that follow, until the run ends."""
    overview, events = seen

    def tell(events: Sequence[Event]) -> None:
        show(*(line for event in events for line in journal_lines(event)))

    tell(events)
    await follow(team.board, overview.run.id, tell, ear.hear, after=events[-1].seq)
    say(f"swarm: the run {overview.run.id} has ended")


async def _live(team: Team, ear: Ear, seen: Seen) -> None:
    """Draw until cancelled. The last drawing stays."""
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    size = console.size

    def draw() -> Any:
        nonlocal size
        overview, events = seen
        now = SystemClock().now().timestamp()
        if size != console.size:
            size = console.size
            console.clear()  # lines that were wrapped anew cannot be drawn over
        room = max(1, size.height - 1)
        return painted(screen(replace(overview, at=now), width=size.width, room=room, events=events))

    try:
        with Live(
            draw(), console=console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        ) as live:
            while True:
                with anyio.move_on_after(TICK) as quiet:
                    await ear.hear()
                if not quiet.cancelled_caught:
                    seen = await anyio.to_thread.run_sync(_look, team)
                live.update(draw(), refresh=True)
    except OSError:  # the terminal has gone
        divert(sys.stdout)


def _look(team: Team) -> Seen:
    overview = team.overview()
    return overview, team.board.journal(overview.run.id, limit=MOST_EVENTS, newest=True)


def painted(lines: Sequence[str]) -> Any:
    """One row of the screen a line, with a little colour."""
    from rich.text import Text

    text = Text("\n".join(lines), no_wrap=True, overflow="ellipsis")
    text.highlight_regex(r"(?m)^   (Phase|Level|Run|Spend|Checkpoint|Next|Tasks|Proposals[a-z ]*):", "bold")
    text.highlight_regex(r"(?m)^   AGENT .*$", "dim")
    text.highlight_regex(r"(?m)^🚨.*$", "bold red")
    text.highlight_regex(r"(?m)^      nobody has been told.*$", "red")
    text.highlight_regex(r"(?m)^   \d\d:\d\d:\d\d", "dim")
    return text
