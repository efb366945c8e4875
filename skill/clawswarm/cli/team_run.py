"""`swarm team open`, `phase`, `pause`, `resume`, `end`: the run as a whole."""

import os
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from clawswarm.access.presence import look
from clawswarm.cli.options import load_settings
from clawswarm.cli.output import say, told
from clawswarm.cli.screen import one_line
from clawswarm.cli.team_acting import As, AsJson, Key, Reason, change, pairs, words
from clawswarm.config.paths import Paths
from clawswarm.config.team import TeamRules
from clawswarm.errors import InputError
from clawswarm.types.board import Run
from clawswarm.types.team import HUMAN, Phase

app = typer.Typer()

OPEN = """Examples:

swarm team open "Add a login page"

swarm team open "Add a login page" --max-spend 5 --max-hours 8 --expect planning=30m --expect execution=4h"""

_MINUTES = {"": 1.0, "s": 1 / 60, "m": 1.0, "h": 60.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smh]?)")


@app.command("open", epilog=OPEN)
def open_command(
    goal: Annotated[str, typer.Argument(help="What is to be done; - reads it from standard input.")],
    max_spend: Annotated[
        str | None, typer.Option(metavar="USD", help="US$ the run may cost, by what its agents report.")
    ] = None,
    max_hours: Annotated[str | None, typer.Option(metavar="HOURS", help="Hours the run may take.")] = None,
    expect: Annotated[
        list[str] | None,
        typer.Option(metavar="PHASE=TIME", help="How long a phase should take, such as planning=30m."),
    ] = None,
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Open a run: seven agents, an empty board, the phase planning. One run is open at a time.

    The rules are those of the configuration (team.*); what is given here replaces them for this run.
    """
    with told(as_json=as_json):
        rules = _rules(max_spend, max_hours, expect or [])
    change(
        lambda team: team.open(words(goal, "the goal"), by=by, rules=rules, key=key),
        by=by,
        as_json=as_json,
        tell=_next_steps,
    )
    if not as_json and look(Paths.of(os.environ)) is None:
        say(
            "swarm: no daemon runs: nobody watches silence, deadlines and the clock, or retries an alert",
            "  start one: swarm start",
        )


@app.command(
    "phase", epilog='Example:\n\nswarm team phase execution --as director --reason "the plan is agreed"'
)
def phase_command(
    to: Annotated[str, typer.Argument(metavar="PHASE", help=f"One of {', '.join(Phase)}.")],
    reason: Reason = "",
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Move the run to another phase. Back to planning is a restart, and needs a reason."""
    change(
        lambda team: team.move_phase(by, to=to, reason=words(reason, "--reason"), key=key),
        by=by,
        as_json=as_json,
    )


@app.command("pause", epilog='Example:\n\nswarm team pause "I want to look at the plan first"')
def pause_command(
    reason: Annotated[str, typer.Argument(help="Why.")],
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Ask all agents to pause."""
    change(lambda team: team.pause(by, reason=words(reason, "the reason"), key=key), by=by, as_json=as_json)


@app.command("resume", epilog='Example:\n\nswarm team resume "the plan is good"')
def resume_command(
    reason: Annotated[str, typer.Argument(help="Why.")],
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Let a paused run go on. Open emergencies still hold: see swarm team resolve."""
    change(lambda team: team.resume(by, reason=words(reason, "the reason"), key=key), by=by, as_json=as_json)


@app.command("end", epilog='Example:\n\nswarm team end "released"')
def end_command(
    reason: Annotated[str, typer.Argument(help="Why.")],
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """End the run. Its board, journal and files stay."""
    change(lambda team: team.end(by, reason=words(reason, "the reason"), key=key), by=by, as_json=as_json)


def _next_steps(_: Run) -> Sequence[str]:
    return (
        "",
        'Next: give it tasks   swarm team task add design "Agree on the API" --role architect',
        "      look at it      swarm team status    (live: swarm team watch)",
        "      all there is    swarm team --help",
    )


def _rules(max_spend: str | None, max_hours: str | None, expect: Sequence[str]) -> TeamRules | None:
    """The configured rules with what the command line says; None where it says nothing.

    Raises:
        InputError: a number or a phase cannot be used.
    """
    if max_spend is None and max_hours is None and not expect:
        return None
    configured = load_settings().team.rules
    budget: dict[str, Any] = configured.budget.model_dump()
    if max_spend is not None:
        budget["max_run_spend"] = _number(max_spend, "--max-spend")
    if max_hours is not None:
        budget["max_hours"] = _number(max_hours, "--max-hours")
    expected = {
        phase: _minutes(phase, text) for phase, text in pairs(expect, "--expect", "planning=30m").items()
    }
    budget["expected_minutes"] = {**budget["expected_minutes"], **expected}
    try:
        return TeamRules.model_validate({**configured.model_dump(), "budget": budget})
    except ValidationError as error:
        raise _unusable(error) from None


def _number(text: str, option: str) -> Decimal:
    try:
        return Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        raise InputError(
            f"{option} {one_line(text)[:40]!r} is no number", hint=f"such as {option} 5"
        ) from None


def _minutes(phase: str, text: str) -> float:
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        raise InputError(
            f"--expect {phase[:40]}={one_line(text)[:40]} is no time",
            hint="such as planning=30m, execution=4h",
        )
    return float(found[1]) * _MINUTES[found[2]]


def _unusable(error: ValidationError) -> InputError:
    first = error.errors()[0]
    where = [str(part) for part in first["loc"][1:]]
    option = {"max_run_spend": "--max-spend", "max_hours": "--max-hours"}.get(where[0], "--expect")
    if option == "--expect" and first["type"] == "literal_error":
        return InputError(
            f"--expect: there is no phase {where[1][:40]!r}", hint=f"the phases: {', '.join(Phase)}"
        )
    return InputError(f"{option}: {first['msg']}", hint="more than 0")
