"""`swarm team checkpoint`, `checkpoints`, `restore`: what the team has reached, and the way back to it."""

from typing import Annotated, get_args

import typer

from clawswarm.access.team import Team
from clawswarm.cli.output import print_json, show, told
from clawswarm.cli.screen import one_line
from clawswarm.cli.team_acting import As, AsJson, Key, Reason, change, pairs, the_team, words
from clawswarm.cli.team_times import day_and_time
from clawswarm.errors import InputError
from clawswarm.team.board import Done
from clawswarm.team.moments import dated
from clawswarm.types.meetings import Checkpoint
from clawswarm.types.team import HUMAN, CheckpointDecision

app = typer.Typer()

DECISIONS: tuple[CheckpointDecision, ...] = get_args(CheckpointDecision)

CHECKPOINT = """Example:

swarm team checkpoint --as scribe --trigger "the builder completed auth" --summary "12 tests pass" \
--say builder="auth is done" --say scout="the API is documented" --next "the review of auth" """


@app.command("checkpoint", epilog=CHECKPOINT)
def checkpoint_command(
    trigger: Annotated[str, typer.Option(help="Which milestone was reached.")],
    summary: Annotated[str, typer.Option(help="How it stands; - reads it from standard input.")],
    sentence: Annotated[
        list[str] | None,
        typer.Option("--say", metavar="ROLE=SENTENCE", help="What an agent reports, in one sentence."),
    ] = None,
    blocker: Annotated[list[str] | None, typer.Option(help="What is in the way; again for more.")] = None,
    decision: Annotated[
        str, typer.Option(metavar="|".join(DECISIONS), help="What the meeting came to.")
    ] = "continue",
    next_trigger: Annotated[
        str, typer.Option("--next", help="Which milestone is the next.", show_default=False)
    ] = "",
    commit: Annotated[str | None, typer.Option(help="The workspace's commit that belongs to it.")] = None,
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Take a checkpoint: the guide's agenda, and a snapshot of the board that can be restored."""

    def take(team: Team) -> Done[Checkpoint]:
        return team.meetings.take_checkpoint(
            by,
            trigger=words(trigger, "--trigger"),
            summary=words(summary, "--summary"),
            sentences=pairs(sentence or [], "--say", 'builder="auth is done"'),
            blockers=[words(each, "--blocker") for each in blocker or []],
            decision=_decision(decision),
            next_trigger=words(next_trigger, "--next"),
            commit=commit,
            key=key,
        )

    change(take, by=by, as_json=as_json)


@app.command("checkpoints", epilog="Example:\n\nswarm team checkpoints")
def checkpoints_command(as_json: AsJson = False) -> None:
    """List the run's checkpoints, the newest last."""
    with told(as_json=as_json):
        with the_team() as (team, _), team.board.reading() as (_, documents):
            found = sorted(documents.all(Checkpoint), key=lambda each: each.seq)
        if as_json:
            print_json({"checkpoints": [dated(each) for each in found]})
            return
        if not found:
            show("No checkpoints yet. Take one at a milestone: swarm team checkpoint --help")
        width = max((len(each.id) for each in found), default=0)
        for each in found:
            when = day_and_time(each.at)
            show(
                f"{each.id:<{width}}  {when}  {each.phase:<9}  {each.decision:<8}  {one_line(each.trigger)}",
                f"{'':<{width}}  {one_line(each.summary)}",
            )


@app.command("restore", epilog='Example:\n\nswarm team restore c41 --reason "the redesign led nowhere"')
def restore_command(
    checkpoint: Annotated[str, typer.Argument(help="Its id, as in: swarm team checkpoints")],
    reason: Reason = "",
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Put the board back to a checkpoint. The journal keeps everything that happened since."""
    change(
        lambda team: team.meetings.restore(
            by, checkpoint=checkpoint, reason=words(reason, "--reason"), key=key
        ),
        by=by,
        as_json=as_json,
    )


def _decision(name: str) -> CheckpointDecision:
    for decision in DECISIONS:
        if decision == name.strip().lower():
            return decision
    raise InputError(f"there is no decision {name[:40]!r}", hint=f"it is one of: {', '.join(DECISIONS)}")
