"""`swarm team trust`, `finding`: how far an agent is trusted, and what was found wrong."""

from collections.abc import Sequence
from typing import Annotated

import typer

from clawswarm.cli.output import print_json, show, told
from clawswarm.cli.screen import one_line
from clawswarm.cli.team_acting import As, AsJson, Key, Reason, change, the_team, words
from clawswarm.cli.team_times import clock_time
from clawswarm.errors import InputError
from clawswarm.team.draft import role_of
from clawswarm.team.moments import dated
from clawswarm.types.board import Agent, TrustChange
from clawswarm.types.team import HUMAN, Role, Severity

app = typer.Typer()

TRUST = """Examples:

swarm team trust builder -2 --reason "MD5 for passwords" --evidence file:src/auth.py

swarm team trust builder"""

FINDING = """Examples:

swarm team finding "passwords are hashed with MD5" --severity critical --as inspector --task auth

swarm team finding "the API cannot page" --severity design_flaw --as architect --contradicts builder"""


@app.command("trust", epilog=TRUST, context_settings={"ignore_unknown_options": True})
def trust_command(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Whose.")],
    points: Annotated[
        str | None, typer.Argument(metavar="[±N]", help="How much more or less.", show_default=False)
    ] = None,
    reason: Reason = "",
    evidence: Annotated[
        str, typer.Option("--evidence", "-e", help="What shows it.", show_default=False)
    ] = "",
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Change how far an agent is trusted (1 to 10), or without a number show its history."""
    if points is None:
        with told(as_json=as_json):
            _history(role_of(role), as_json=as_json)
        return
    with told(as_json=as_json):
        delta = _points(points)
    change(
        lambda team: team.meetings.adjust_trust(
            by,
            role=role,
            delta=delta,
            reason=words(reason, "--reason"),
            evidence=words(evidence, "--evidence"),
            key=key,
        ),
        by=by,
        as_json=as_json,
    )


@app.command("finding", epilog=FINDING)
def finding_command(
    text: Annotated[str, typer.Argument(help="What is wrong; - reads it from standard input.")],
    severity: Annotated[str, typer.Option(metavar="SEVERITY", help=f"One of {', '.join(Severity)}.")],
    by: Annotated[str, typer.Option("--as", metavar="ROLE", help="Who found it: a role.")],
    task: Annotated[str | None, typer.Option(metavar="TASK", help="The task it is about.")] = None,
    contradicts: Annotated[
        str | None, typer.Option(metavar="ROLE", help="Whose output says the opposite.")
    ] = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Record something wrong that a review found. Too many critical ones are an emergency."""
    change(
        lambda team: team.meetings.find(
            by,
            role=by,
            severity=severity,
            text=words(text, "the finding"),
            task=task,
            contradicts=contradicts,
            key=key,
        ),
        by=by,
        as_json=as_json,
    )


def _points(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(
            f"{one_line(text)[:40]!r} is no number of points",
            hint="such as -2 or +1; trust goes from 1 to 10",
        ) from None


def _history(role: Role, *, as_json: bool) -> None:
    with the_team() as (team, _), team.board.reading() as (_, documents):
        agent = documents.get(Agent, role.value)
        changes = [change for change in documents.all(TrustChange) if change.role is role]
    changes.sort(key=lambda change: change.at)
    trust = agent.trust if agent else None
    if as_json:
        print_json({"role": role.value, "trust": trust, "changes": [dated(each) for each in changes]})
        return
    show(f"{role.value}: " + ("carries no trust" if trust is None else f"{trust}/10"), *_lines(changes))


def _lines(changes: Sequence[TrustChange]) -> list[str]:
    return [
        f"  {clock_time(each.at)}  {each.before:>2} → {each.after:<2}"
        f"  {each.by}: {one_line(each.reason)}" + (f" ({one_line(each.evidence)})" if each.evidence else "")
        for each in changes
    ]
