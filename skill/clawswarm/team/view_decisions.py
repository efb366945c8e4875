"""decisions.md: the Director's decision log (operations guide, sections 6 and 8): what was decided, how."""

from clawswarm.team.markdown import inline, page
from clawswarm.team.moments import shown
from clawswarm.team.overview import Overview
from clawswarm.team.rules.roles import display_name
from clawswarm.types.meetings import Decision, Proposal, Vote
from clawswarm.types.team import DecidedBy

_HOW: dict[DecidedBy, str] = {
    "unanimous": "unanimous",
    "supermajority": "supermajority",
    "director": "the rounds were used up, decided by {}",
    "stable": "stable: nobody moved any more, the majority stands",
    "diminishing": "diminishing returns: hardly anybody moved any more, the majority stands",
    "forced": "forced by {}",
}


def decisions(overview: Overview) -> str:
    """The whole file, the newest decision last."""
    earlier = overview.earlier_decided
    left_out = (
        [f"{earlier} earlier ones are left out: `swarm team log --kind proposal_decided`"] if earlier else []
    )
    return page(
        "# ~/clawd/memory/decisions.md",
        "",
        f"## Decisions: {earlier + len(overview.decided)}",
        left_out or ([] if overview.decided else "- None yet"),
        *(_entry(proposal) for proposal in overview.decided),
    )


def _entry(proposal: Proposal) -> list[str]:
    decision = proposal.decision
    if decision is None:
        return []
    return [
        "",
        f"### {proposal.id}: {shown(decision.at)}",
        f"- Topic: {inline(proposal.topic)}",
        f"- Decision: {inline(decision.option)}",
        f"- How: {_HOW[decision.how].format(display_name(decision.by))}",
        f"- Reason: {inline(decision.reason)}",
        f"- Options: {'; '.join(inline(option) for option in proposal.options)}",
        f"- Asked by: {display_name(proposal.by)}, closed rounds: {len(proposal.rounds)}",
        *(_flags(proposal, decision)),
        *(_dissent(decision.dissent)),
    ]


def _flags(proposal: Proposal, decision: Decision) -> list[str]:
    """What somebody who reads the log later should look at again."""
    flags = [
        *(["forced"] if decision.how == "forced" else []),
        *(["unproven: high stakes, unanimous, and nobody brought evidence"] if decision.unproven else []),
        *(["irreversible"] if proposal.irreversible else []),
    ]
    return [f"- Flags: {'; '.join(flags)}"] if flags else []


def _dissent(votes: tuple[Vote, ...]) -> list[str]:
    if not votes:
        return ["- Dissent: none"]
    return ["- Dissent:", *(f"  - {_against(vote)}" for vote in votes)]


def _against(vote: Vote) -> str:
    reason = f": {inline(vote.reason)}" if vote.reason else ", without a reason"
    return f"{display_name(vote.role)} for {inline(vote.option or 'nothing')}{reason}"
