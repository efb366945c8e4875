"""`cast_vote`: open a proposal, vote on it, see where the vote stands."""

import anyio.to_thread

from clawswarm.access.team import Team
from clawswarm.access.team_views import Asked
from clawswarm.errors import InputError
from clawswarm.types.meetings import Proposal
from clawswarm_mcp.board import Seen
from clawswarm_mcp.bounding import cut, fit
from clawswarm_mcp.call import Call, Reply
from clawswarm_mcp.inputs import VoteArguments
from clawswarm_mcp.results import VoteResult

ABSTAIN = "abstain"


async def vote(call: Call, given: VoteArguments) -> Reply:
    """Open a proposal where a topic is given; vote where a vote is; say where it stands."""
    if given.topic is not None and given.proposal is not None:
        raise InputError(
            "both a proposal and a topic are given", hint="proposal to vote on one, topic to open one"
        )
    if given.topic is None and given.options:
        raise InputError("options without a topic", hint="topic and options open a proposal")

    team, views = await call.session.team()

    def work() -> Asked:
        id_ = given.proposal if given.topic is None else _open(team, given)
        if given.vote is not None:
            id_ = views.proposal(id_, given.role).proposal.id
            _vote(team, given, id_)
        return views.proposal(id_, given.role)

    asked = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    seen, proposal = Seen(asked, asked.directive, asked.reason), asked.proposal
    decision = proposal.decision
    missing = (
        []
        if proposal.status != "voting"
        else [role.value for role in proposal.electorate if role not in proposal.votes]
    )
    dissent = (
        []
        if decision is None
        else [
            {"role": each.role.value, "vote": each.option, "reason": cut(each.reason, 300)}
            for each in decision.dissent
        ]
    )
    data = VoteResult(
        directive=seen.directive,
        reason=seen.reason,
        proposal=proposal.id,
        converged=decision is not None,
        missing=missing,
        standing=asked.stands,
        decision=None if decision is None else decision.option,
        dissent=fit(dissent).rows or None,
    )
    return Reply(data, f"{proposal.id}: {_words(proposal, missing)}{seen.text}")


def _open(team: Team, given: VoteArguments) -> str:
    if given.topic is None:
        raise InputError("'topic' is missing")
    opened = team.meetings.propose(
        given.role,
        topic=given.topic,
        options=given.options,
        electorate=given.voters,
        irreversible=given.irreversible,
    )
    return opened.value.id


def _vote(team: Team, given: VoteArguments, id_: str) -> None:
    choice = given.vote
    if choice is not None and choice.strip().casefold() == ABSTAIN:
        choice = None
    team.meetings.vote(
        given.role,
        proposal=id_,
        role=given.role,
        option=choice,
        reason=given.reason,
        evidence=given.evidence,
    )


def _words(proposal: Proposal, missing: list[str]) -> str:
    """Where it stands, without anybody's words."""
    if proposal.decision is not None:
        return f"it has converged ({proposal.decision.how}); `decision` says on what."
    if proposal.status == "director":
        return "the rounds are used up; the director decides (team_control with action decide)."
    return f"round {len(proposal.rounds) + 1}; still missing: {', '.join(missing)}."
