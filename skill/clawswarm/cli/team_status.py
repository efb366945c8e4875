"""`swarm team status`: the run as it is now."""

import shutil
from typing import Annotated

import typer

from clawswarm.access.team_names import actor_of
from clawswarm.cli.output import print_json, show, told
from clawswarm.cli.screen import one_line, output_is_screen
from clawswarm.cli.team_acting import As, AsJson, the_team
from clawswarm.cli.team_layout import wrapped
from clawswarm.cli.team_screen import INDENT, WIDEST, screen
from clawswarm.team.overview import Overview
from clawswarm.team.standing import directive
from clawswarm.types.team import HUMAN, Directive, Role

app = typer.Typer()

EXAMPLES = """Examples:

swarm team status

swarm team status --json --as builder"""


@app.command("status", epilog=EXAMPLES)
def status_command(
    run: Annotated[
        str | None, typer.Option(metavar="RUN", help="Which run.", show_default="the open one, else the last")
    ] = None,
    by: As = HUMAN,
    as_json: AsJson = False,
) -> None:
    """Show the run: phase, level, agents with their trust, proposals, tasks, alarms, spend.

    With --as ROLE it also says whether that agent is to go on, pause or stop.
    """
    with told(as_json=as_json):
        actor = actor_of(by)
        with the_team() as (team, _):
            overview = team.overview(run)
        do, why = what_to_do(overview, actor)
        if as_json:
            print_json(overview.as_json() | {"directive": {"do": do, "why": why}})
            return
        width = shutil.get_terminal_size().columns if output_is_screen() else WIDEST
        show(*screen(overview, width=width))
        if actor != HUMAN:
            show("", *wrapped(f"{actor} is to {do}: {one_line(why)}", width, first=INDENT))


def what_to_do(overview: Overview, actor: str) -> tuple[Directive, str]:
    """The directive for an agent; for a human that of the team as a whole."""
    return directive(overview.standing, None if actor == HUMAN else Role(actor))
