"""How a round of votes closes, and what follows: another round, the Director's word, or a decision.

Operations guide, sections 3 and 6: dissent and controversy are noted, and what cannot be undone, or what the
team cannot agree on, is an emergency.
"""

from dataclasses import replace

from clawswarm.team.draft import Draft
from clawswarm.team.emergencies import raise_emergency
from clawswarm.team.rules.convergence import Outcome, converge
from clawswarm.team.rules.trust import weight
from clawswarm.team.texts import said
from clawswarm.types.board import Agent
from clawswarm.types.meetings import Decision, Proposal, Round, Vote
from clawswarm.types.team import HUMAN, SYSTEM, Level, Role

MISSED = "no vote in time"
"""The reason of an abstention by whoever had not voted when the round closed."""

GOES_ON = "continue"
"""The outcome of a round that another one follows."""


def close(draft: Draft, proposal: Proposal) -> Proposal:
    """Close the open round with the votes it has. Who is missing abstains."""
    votes = tuple(
        proposal.votes.get(role) or Vote(role=role, option=None, reason=MISSED, at=draft.now)
        for role in proposal.electorate
    )
    outcome = _outcome(draft, proposal, votes)
    number = len(proposal.rounds) + 1
    closed = Round(
        number=number, votes=votes, closed=draft.now, outcome=outcome.how or GOES_ON, reason=outcome.reason
    )
    after = replace(proposal, votes={}, rounds=(*proposal.rounds, closed))
    if outcome.how is None:
        after = replace(after, deadline=draft.now + after.round_seconds)
    elif outcome.how == "director":
        after = replace(after, status="director")
    draft.record(
        "round_closed",
        after.id,
        f"round {number} on {after.id} is closed, {_next(outcome, number)}: {said(outcome.reason)}",
        after,
        facts={"round": number, "outcome": closed.outcome, "against": round(outcome.against, 3)},
        actor=SYSTEM,
    )
    if outcome.how == "director":
        _conflict(draft, after, outcome)
    if outcome.how is None or outcome.option is None:
        return after
    return settle(
        draft,
        after,
        Decision(
            option=outcome.option,
            how=outcome.how,
            by=SYSTEM,
            reason=outcome.reason,
            at=draft.now,
            dissent=dissent(votes, outcome.option),
            unproven=proposal.needs_evidence and outcome.how == "unanimous" and not _proven(votes),
        ),
    )


def settle(draft: Draft, proposal: Proposal, decision: Decision, *alive: Agent) -> Proposal:
    """Record how a proposal ended. What cannot be undone goes to a human, unless one decided it.

    Args:
        alive: who has just shown to be alive.
    """
    after = replace(proposal, votes={}, status="decided", decision=decision)
    notes = [decision.how]
    if decision.unproven:
        notes.append("without any evidence")
    if decision.dissent:
        notes.append(f"{len(decision.dissent)} against it")
    draft.record(
        "proposal_decided",
        after.id,
        f"{after.id} is decided: {said(decision.option)!r} ({', '.join(notes)})",
        after,
        *alive,
        facts={
            "option": decision.option,
            "how": decision.how,
            "reason": decision.reason,
            "dissent": [vote.role for vote in decision.dissent],
            "unproven": decision.unproven,
        },
        actor=decision.by,
    )
    if after.irreversible and decision.by != HUMAN:
        raise_emergency(
            draft,
            level=Level.SYSTEM,
            text=f"{after.id} is decided for good: {said(after.topic)!r}, {said(decision.option)!r}",
            cause="irreversible",
            key=after.id,
            saw={"option": decision.option, "how": decision.how},
            human="the decision is irreversible",
        )
    return after


def dissent(votes: tuple[Vote, ...], option: str) -> tuple[Vote, ...]:
    """The votes for something else."""
    return tuple(vote for vote in votes if vote.option not in (None, option))


def current(proposal: Proposal) -> tuple[Vote, ...]:
    """What each of the electorate voted last: in the open round, else in the one before."""
    latest: dict[Role, Vote] = {vote.role: vote for each in proposal.rounds[-1:] for vote in each.votes}
    latest |= proposal.votes
    return tuple(latest[role] for role in proposal.electorate if role in latest)


def _outcome(draft: Draft, proposal: Proposal, votes: tuple[Vote, ...]) -> Outcome:
    rounds = [each.votes for each in proposal.rounds] + [votes]
    return converge(
        [{vote.role: vote.option for vote in each} for each in rounds],
        {role: weight(draft.agent(role).trust, draft.rules.trust) for role in proposal.electorate},
        draft.rules.votes,
    )


def _next(outcome: Outcome, number: int) -> str:
    if outcome.how is None:
        return f"round {number + 1} is open"
    return "the Director decides" if outcome.how == "director" else outcome.how


def _conflict(draft: Draft, proposal: Proposal, outcome: Outcome) -> None:
    """No agreement, and the trust-weighted disagreement is above the threshold."""
    threshold = draft.rules.guards.disagreement
    if outcome.against <= threshold:
        return
    raise_emergency(
        draft,
        level=Level.COORDINATION,
        text=f"no agreement on {proposal.id}, {said(proposal.topic)!r}: {outcome.reason}; "
        f"{outcome.against:.0%} of the votes weighted by trust are against the leading option, and more than "
        f"{threshold:.0%} are a conflict",
        cause="conflict",
        key=proposal.id,
        saw={
            "against": round(outcome.against, 3),
            "threshold": threshold,
            "votes": {vote.role.value: vote.option for vote in proposal.rounds[-1].votes},
        },
    )


def _proven(votes: tuple[Vote, ...]) -> bool:
    """Whether any vote brought evidence: an agent's word is none (design, section 6)."""
    return any(evidence.kind != "text" for vote in votes for evidence in vote.evidence)
