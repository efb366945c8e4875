"""`swarm team propose`, `vote`, `decide`: what the team decides together."""

import shlex
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from clawswarm.access.team import Team
from clawswarm.cli.output import print_json, show, told
from clawswarm.cli.screen import one_line
from clawswarm.cli.team_acting import As, AsJson, Key, Proof, Reason, change, the_team, words
from clawswarm.clock import SystemClock
from clawswarm.errors import InputError, NotFound
from clawswarm.team.board import Done
from clawswarm.team.moments import dated
from clawswarm.team.voting import standing_of
from clawswarm.types.meetings import Proposal, Vote
from clawswarm.types.team import HUMAN

app = typer.Typer()

ProposalId = Annotated[str, typer.Argument(metavar="PROPOSAL", help="Its id, as in: swarm team status")]

PROPOSE = """Examples:

swarm team propose "REST or GraphQL?" --option REST --option GraphQL --as architect

swarm team propose "Drop the old table?" --option drop --option keep --irreversible --evidence-needed"""

VOTE = """Examples:

swarm team vote p12 REST --as scout --reason "every client speaks it"

swarm team vote p12 --abstain --as inspector

swarm team vote p12"""


@app.command("propose", epilog=PROPOSE)
def propose_command(
    topic: Annotated[str, typer.Argument(help="The question.")],
    option: Annotated[list[str], typer.Option(metavar="OPTION", help="What to choose from; at least two.")],
    voter: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE", help="Who votes; again for more.", show_default="all seven"),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="How long a round stays open.", show_default="as configured")
    ] = None,
    evidence_needed: Annotated[
        bool, typer.Option("--evidence-needed", help="High stakes: a unanimous vote without any is flagged.")
    ] = False,
    irreversible: Annotated[
        bool, typer.Option("--irreversible", help="What is decided cannot be undone: a human is asked.")
    ] = False,
    waits_for: Annotated[str, typer.Option(help="What it waits for, in words.", show_default=False)] = "",
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Put a question to the vote. A round closes when all have voted, or at its deadline."""

    def propose(team: Team) -> Done[Proposal]:
        return team.meetings.propose(
            by,
            topic=words(topic, "the topic"),
            options=[words(each, "--option") for each in option],
            electorate=voter or [],
            minutes=minutes,
            needs_evidence=evidence_needed,
            irreversible=irreversible,
            waits_for=words(waits_for, "--waits-for"),
            key=key,
        )

    change(propose, by=by, as_json=as_json, tell=_how_to_vote)


@app.command("vote", epilog=VOTE)
def vote_command(
    proposal: ProposalId,
    option: Annotated[
        str | None, typer.Argument(metavar="[OPTION]", help="One of its options.", show_default=False)
    ] = None,
    abstain: Annotated[bool, typer.Option("--abstain", help="Vote for none of them.")] = False,
    reason: Reason = "",
    evidence: Proof = None,
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Vote, in the name of a role; again to change it while the round is open. Without an option: show it."""
    if option is None and not abstain:
        with told(as_json=as_json):
            _show(proposal, as_json=as_json)
        return

    def vote(team: Team) -> Done[Proposal]:
        if by.strip().lower() == HUMAN:
            raise InputError(
                "it does not say whose vote it is",
                hint=f'add --as ROLE; a human decides: swarm team decide {proposal} OPTION --reason "…"',
            )
        if abstain and option is not None:
            raise InputError("a vote is for one option, or --abstain", hint="one of the two")
        return team.meetings.vote(
            by,
            proposal=proposal,
            role=by,
            option=None if option is None else words(option, "the option"),
            reason=words(reason, "--reason"),
            evidence=evidence or [],
            key=key,
        )

    change(vote, by=by, as_json=as_json)


@app.command("decide", epilog='Example:\n\nswarm team decide p12 REST --as director --reason "time is short"')
def decide_command(
    proposal: ProposalId,
    option: Annotated[str, typer.Argument(help="One of its options.")],
    reason: Reason = "",
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Decide a proposal as the Director, or as a human: at any time, and recorded as such."""
    change(
        lambda team: team.meetings.decide(
            by,
            proposal=proposal,
            option=words(option, "the option"),
            reason=words(reason, "--reason"),
            key=key,
        ),
        by=by,
        as_json=as_json,
    )


def _how_to_vote(proposal: Proposal) -> Sequence[str]:
    voters = ", ".join(proposal.electorate)
    return (f"Vote: swarm team vote {proposal.id} {shlex.quote(proposal.options[0])} --as ROLE   ({voters})",)


def _show(id_: str, *, as_json: bool) -> None:
    with the_team() as (team, _), team.board.reading() as (_, documents):
        proposal = documents.get(Proposal, id_)
        known = ", ".join(each.id for each in documents.all(Proposal))
    if proposal is None:
        raise NotFound(f"there is no proposal {id_[:40]!r}", hint=f"there are: {known}" if known else None)
    stands = standing_of(proposal, SystemClock().now().timestamp())
    if as_json:
        print_json(dated(proposal) | {"standing": stands})
        return
    show(
        f"{proposal.id}  {one_line(proposal.topic)}",
        f"  {one_line(stands)}",
        f"  options: {', '.join(one_line(option) for option in proposal.options)}",
    )
    for closed in proposal.rounds:
        show(f"  round {closed.number}, {closed.outcome}: {one_line(closed.reason)}", *_votes(closed.votes))
    if proposal.votes:
        show(f"  round {len(proposal.rounds) + 1}, open", *_votes(proposal.votes.values()))


def _votes(votes: Iterable[Vote]) -> list[str]:
    return [
        f"    {vote.role:<10}  {'abstains' if vote.option is None else one_line(vote.option)}"
        + (f": {one_line(vote.reason)}" if vote.reason else "")
        + "".join(f" [{each.kind}: {one_line(each.ref)}]" for each in vote.evidence)
        for vote in votes
    ]
