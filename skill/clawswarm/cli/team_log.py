"""`swarm team log`: the journal, one event a line."""

import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Annotated, get_args

import typer
from pydantic_core import to_json

from clawswarm.access.team import Team
from clawswarm.cli.output import run, say, show, told, write
from clawswarm.cli.screen import json_on_screen, one_line, output_is_screen
from clawswarm.cli.streams import INTERRUPTED
from clawswarm.cli.team_acting import the_team
from clawswarm.cli.team_following import follow, news
from clawswarm.cli.team_log_lines import event_json, journal_lines
from clawswarm.cli.team_times import day_and_time
from clawswarm.clock import SystemClock
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.errors import InputError
from clawswarm.team.moments import dated
from clawswarm.types.board import Run
from clawswarm.types.journal import Event, EventKind

app = typer.Typer()

KINDS: tuple[EventKind, ...] = get_args(EventKind)
LAST = 50
"""Events that are shown where nothing says how many."""

EXAMPLES = """Examples:

swarm team log

swarm team log --follow --kind emergency_raised --kind alert_made

swarm team log --after 120 --json

swarm team log --runs"""


@app.command("log", epilog=EXAMPLES)
def log_command(
    follow_it: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as it happens, until Ctrl-C.")
    ] = False,
    kind: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Only these events, such as vote_cast.")
    ] = None,
    after: Annotated[
        int | None, typer.Option(min=0, help="From the event behind this number on.", show_default=False)
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="How many, at most.", show_default=f"the last {LAST}; all behind --after"),
    ] = None,
    run_id: Annotated[
        str | None, typer.Option("--run", help="Which run.", show_default="the open one, else the last")
    ] = None,
    runs: Annotated[bool, typer.Option("--runs", help="List the runs instead, the newest first.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the journal: everything that happened on the board, in order, with nothing left out."""
    with told(as_event=as_json):
        kinds = [_kind(each) for each in kind or []]
        with the_team() as (team, settings):
            if runs:
                _list_runs(team, limit or LAST, as_json=as_json)
                return
            with team.board.reading(run_id) as (head, _):
                wanted = head.run
            newest = after is None
            events = team.board.journal(
                wanted,
                after=after or 0,
                limit=limit or (LAST if newest else None),
                kinds=kinds,
                newest=newest,
            )
            tell = partial(_print, as_json=as_json)
            if not follow_it:
                tell(events)
                return
            seen = events[-1].seq if events else max(after or 0, head.seq if newest else 0)
            go_on = partial(follow, team.board, wanted, tell, after=seen, kinds=kinds)
            status = run(partial(_follow, settings, partial(tell, events), go_on))
            if status == 0:
                say(f"swarm: the run {wanted} has ended")
    raise typer.Exit(0 if status == INTERRUPTED else status)


async def _follow(
    settings: Settings, begin: Callable[[], None], go_on: Callable[..., Awaitable[None]]
) -> int:
    begin()
    async with news(settings, Paths.of(os.environ), SystemClock()) as ear:
        await go_on(changed=ear.hear)
    return 0


def _kind(name: str) -> EventKind:
    wanted = name.strip().lower().replace("-", "_")
    for kind in KINDS:
        if kind == wanted:
            return kind
    raise InputError(
        f"there is no kind of event {one_line(name)[:40]!r}", hint=f"it is one of: {', '.join(KINDS)}"
    )


def _print(events: Sequence[Event], *, as_json: bool) -> None:
    if not as_json:
        show(*(line for event in events for line in journal_lines(event)))
        return
    for event in events:
        line = to_json(event_json(event))
        write((json_on_screen(line) if output_is_screen() else line) + b"\n")


def _list_runs(team: Team, limit: int, *, as_json: bool) -> None:
    found: list[Run] = []
    for run_id in team.board.runs(limit):
        with team.board.reading(run_id) as (_, documents):
            found += [run for run in [documents.get(Run, run_id)] if run is not None]
    for each in found:
        if as_json:
            write(to_json(dated(each)) + b"\n")
        else:
            state = each.status if each.open else "ended"
            show(
                f"{each.id}  {day_and_time(each.opened)}  {state:<6}  {each.phase:<9}  {one_line(each.goal)}"
            )
    if not found and not as_json:
        show('No runs yet. Open one: swarm team open "what is to be done"')
