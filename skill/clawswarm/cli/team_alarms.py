"""`swarm team emergency`, `attempt`, `resolve`: raising the alarm, and ending it."""

from functools import partial
from typing import Annotated

import typer

from clawswarm.cli.output import told
from clawswarm.cli.team_acting import As, AsJson, Key, change, words
from clawswarm.errors import InputError
from clawswarm.types.team import HUMAN

app = typer.Typer()

EmergencyId = Annotated[str, typer.Argument(metavar="EMERGENCY", help="Its id, as in: swarm team status")]

EMERGENCY = """Examples:

swarm team emergency "builder and scout contradict each other about the API" --as inspector

swarm team emergency "the builder answers nonsense" --level 1 --agent builder --as director

swarm team emergency "drop the production database?" --as builder --human "irreversible action" """

ATTEMPT = """Examples:

swarm team attempt e12 "restarting the builder" --as director

swarm team attempt e12 --failed "it answers nonsense again" --as director"""

LEVELS = "1 one agent, 2 the team, 3 a human is needed, 4 abort."


@app.command("emergency", epilog=EMERGENCY)
def emergency_command(
    text: Annotated[str, typer.Argument(help="What is wrong; - reads it from standard input.")],
    level: Annotated[int, typer.Option(help=LEVELS)] = 2,
    agent: Annotated[
        str | None, typer.Option(metavar="ROLE", help="The agent it concerns, at level 1.")
    ] = None,
    human: Annotated[
        str | None, typer.Option(metavar="REASON", help="Why a human is needed at once; the level is then 3.")
    ] = None,
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Raise an emergency. Agents pause as its level says; from level 3 on a human is told."""
    change(
        lambda team: team.raise_emergency(
            by,
            level=level,
            text=words(text, "the emergency"),
            agent=agent,
            human=None if human is None else words(human, "--human"),
            key=key,
        ),
        by=by,
        as_json=as_json,
    )


@app.command("attempt", epilog=ATTEMPT)
def attempt_command(
    emergency: EmergencyId,
    what: Annotated[
        str | None, typer.Argument(metavar="[WHAT]", help="What is tried.", show_default=False)
    ] = None,
    failed: Annotated[
        str | None, typer.Option(metavar="REASON", help="It did not help, and why.", show_default=False)
    ] = None,
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Try to end an emergency: agents go on meanwhile. After two attempts that failed a human is called."""
    with told(as_json=as_json):
        if (what is None) is (failed is None):
            raise InputError(
                "an attempt begins with what is tried, or ends with --failed REASON",
                hint='such as: swarm team attempt e12 "restarting the builder"; then: swarm team resolve',
            )
    if failed is None:
        begun = partial(words, what or "", "what is tried")
        change(
            lambda team: team.attempt(by, emergency=emergency, what=begun(), key=key), by=by, as_json=as_json
        )
    else:
        why = partial(words, failed, "--failed")
        change(
            lambda team: team.failed(by, emergency=emergency, reason=why(), key=key), by=by, as_json=as_json
        )


@app.command("resolve", epilog='Example:\n\nswarm team resolve e12 "the builder works again" --as director')
def resolve_command(
    emergency: EmergencyId,
    reason: Annotated[str, typer.Argument(help="How it was resolved.")],
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """End an emergency. From level 3 on only a human does."""
    change(
        lambda team: team.resolve(by, emergency=emergency, reason=words(reason, "the reason"), key=key),
        by=by,
        as_json=as_json,
    )
