"""Proposals, and the votes on them (operations guide, section 6; design, section 6).

A round closes when all of the electorate have voted, or at its deadline: nothing waits for ever. What follows
is in `rounds`.
"""

from collections.abc import Sequence
from dataclasses import replace

from clawswarm.errors import InputError
from clawswarm.team import emergencies
from clawswarm.team.agents import alive
from clawswarm.team.draft import Draft
from clawswarm.team.rounds import close, current, dissent, settle
from clawswarm.team.rules.levels import refuse_resolving
from clawswarm.team.rules.roles import display_name
from clawswarm.team.texts import clean, line, said
from clawswarm.types.alarms import Emergency
from clawswarm.types.board import Evidence
from clawswarm.types.meetings import Decision, Proposal, Vote
from clawswarm.types.team import HUMAN, SYSTEM, Role

FEWEST_OPTIONS = 2
MOST_OPTIONS = 20
MOST_MINUTES = 7 * 24 * 60
MOST_EVIDENCE = 20
MOST_TOPIC = 2_000
MOST_OPTION = 200
MOST_REASON = 8_000
MOST_DIGEST = 64
"""Characters of SHA-256 in hexadecimal."""

DECIDERS = (Role.DIRECTOR.value, HUMAN)
"""Who may end a vote by a word."""


def propose(
    draft: Draft,
    *,
    topic: str,
    options: Sequence[str],
    electorate: Sequence[Role] = (),
    minutes: float | None = None,
    needs_evidence: bool = False,
    irreversible: bool = False,
    waits_for: str = "",
) -> Proposal:
    """Put a question to the vote.

    Args:
        electorate: who votes; all seven where it is empty.
        minutes: how long a round is open for those who have not voted; None: as configured.
        needs_evidence: it is high stakes: a unanimous vote without any evidence is flagged.
        irreversible: once it is decided a human is called, unless a human decided it.
        waits_for: what has to be known first, such as a research that is under way.

    Raises:
        InputError: too few, too many or equal options, or a time that is none.
    """
    seconds = _minutes(draft.rules.votes.round_minutes if minutes is None else minutes) * 60
    proposal = Proposal(
        id=f"p{draft.next_seq}",
        topic=line("the topic", topic, MOST_TOPIC, required=True),
        options=_options(options),
        electorate=tuple(role for role in Role if role in (electorate or Role)),
        by=draft.actor,
        opened=draft.now,
        deadline=draft.now + seconds,
        round_seconds=seconds,
        needs_evidence=needs_evidence,
        irreversible=irreversible,
        waits_for=clean("what it waits for", waits_for, MOST_TOPIC),
    )
    draft.record(
        "proposal_opened",
        proposal.id,
        f"asks {said(proposal.topic)!r}: {len(proposal.options)} options, {len(proposal.electorate)} vote",
        proposal,
        *alive(draft),
        facts={"options": proposal.options, "electorate": proposal.electorate, "deadline": proposal.deadline},
    )
    return proposal


def vote(
    draft: Draft,
    *,
    proposal: str,
    role: Role,
    option: str | None,
    reason: str = "",
    evidence: Sequence[Evidence] = (),
) -> Proposal:
    """Vote in the open round, or change one's vote in it. The last one of the electorate closes the round.

    Args:
        role: who votes: an agent votes for itself, a human or the system hands in the vote of any.
        option: None abstains.

    Raises:
        NotFound: there is no such proposal.
        InputError: the vote is over, it is not the agent's, or there is no such option.
    """
    asked = draft.need(Proposal, proposal)
    _check_open(asked, draft.now)
    if draft.actor not in (role, HUMAN, SYSTEM):
        raise InputError(
            f"{display_name(draft.actor)} cannot vote for {display_name(role)}",
            hint="each agent votes for itself",
        )
    if role not in asked.electorate:
        raise InputError(
            f"{display_name(role)} has no vote on {asked.id}",
            hint=f"those who vote: {_names(asked.electorate)}",
        )
    if option is not None:
        option = _option(asked, option)
    cast = Vote(
        role=role,
        option=option,
        reason=clean("the reason", reason, MOST_REASON),
        evidence=_evidence(evidence),
        at=draft.now,
    )
    voted = replace(asked, votes=asked.votes | {role: cast})
    number = len(asked.rounds) + 1
    choice = "abstains" if option is None else f"votes {said(option)!r}"
    draft.record(
        "vote_cast",
        asked.id,
        f"{display_name(role)} {choice} on {asked.id}, round {number}"
        + (f": {said(cast.reason)}" if cast.reason else ""),
        voted,
        draft.seen(role),
        facts={"role": role, "option": option, "round": number, "changed": role in asked.votes},
    )
    return close(draft, voted) if len(voted.votes) == len(voted.electorate) else voted


def decide(draft: Draft, *, proposal: str, option: str, reason: str) -> Proposal:
    """End a vote by the Director's or a human's word, at any time (operations guide, sections 3 and 10).

    Raises:
        NotFound: there is no such proposal.
        InputError: it is decided already, there is no such option, or an agent asks that may not.
    """
    asked = draft.need(Proposal, proposal)
    if asked.status == "decided":
        raise InputError(
            f"{asked.id} is {standing_of(asked, draft.now)}", hint="propose it again to change it"
        )
    if draft.actor not in DECIDERS:
        raise InputError(
            f"{display_name(draft.actor)} cannot decide {asked.id} alone",
            hint="the Director or a human may; others vote",
        )
    option = _option(asked, option)
    decided = settle(
        draft,
        asked,
        Decision(
            option=option,
            how="director" if asked.status == "director" else "forced",
            by=draft.actor,
            reason=clean("the reason", reason, MOST_REASON, required=True),
            at=draft.now,
            dissent=dissent(current(asked), option),
        ),
        *alive(draft),
    )
    _end_conflict(draft, decided)
    return decided


def close_due(draft: Draft) -> None:
    """Close the rounds whose deadline has passed."""
    due = [p for p in draft.all(Proposal, open_only=True) if p.status == "voting" and p.deadline <= draft.now]
    for proposal in sorted(due, key=lambda each: each.deadline):
        close(draft, proposal)


def standing_of(proposal: Proposal, now: float) -> str:
    """Where a vote stands, in one line: who is missing and for how long, or how it was decided."""
    if proposal.decision is not None:
        end = proposal.decision
        return f"decided: {end.option!r} ({end.how}, by {display_name(end.by)}): {said(end.reason)}"
    if proposal.status == "director":
        return f"awaiting the Director's decision: {said(proposal.rounds[-1].reason)}"
    missing = _names([role for role in proposal.electorate if role not in proposal.votes])
    left = proposal.deadline - now
    time = f"{left:.0f} s left" if left > 0 else "its time is up"
    return f"round {len(proposal.rounds) + 1}, {time}, not yet voted: {missing}"


def _names(roles: Sequence[Role]) -> str:
    return ", ".join(display_name(role) for role in roles)


def _check_open(proposal: Proposal, now: float) -> None:
    if proposal.status == "decided":
        raise InputError(
            f"{proposal.id} is {standing_of(proposal, now)}", hint="propose it again to change it"
        )
    if proposal.status == "director":
        raise InputError(
            f"the rounds on {proposal.id} are over, {standing_of(proposal, now)}",
            hint="what is to be said to it goes to the Director as a message",
        )


def _option(proposal: Proposal, option: str) -> str:
    wanted = line("the option", option, MOST_OPTION, required=True)
    if wanted not in proposal.options:
        options = ", ".join(repr(each) for each in proposal.options)
        raise InputError(f"{proposal.id} has no option {wanted!r}", hint=f"its options: {options}")
    return wanted


def _options(options: Sequence[str]) -> tuple[str, ...]:
    given = tuple(line("an option", option, MOST_OPTION, required=True) for option in options)
    twice = next((each for each in given if given.count(each) > 1), None)
    if twice is not None:
        raise InputError(f"the option {twice!r} is there twice", hint="give each option once")
    if not FEWEST_OPTIONS <= len(given) <= MOST_OPTIONS:
        raise InputError(
            f"a proposal has {FEWEST_OPTIONS} to {MOST_OPTIONS} options, not {len(given)}",
            hint="name what can be chosen, such as: yes, no",
        )
    return given


def _minutes(minutes: float) -> float:
    if not 0 < minutes <= MOST_MINUTES:
        raise InputError(
            f"a round is open for more than 0 and at most {MOST_MINUTES} minutes, not {minutes:g}",
            hint="such as 10",
        )
    return minutes


def _evidence(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    if len(evidence) > MOST_EVIDENCE:
        raise InputError(
            f"a vote carries at most {MOST_EVIDENCE} pieces of evidence, not {len(evidence)}",
            hint="name those that matter most",
        )
    return tuple(
        replace(
            each,
            ref=clean("the evidence", each.ref, MOST_REASON, required=True),
            digest=None if each.digest is None else line("the digest", each.digest, MOST_DIGEST),
        )
        for each in evidence
    )


def _end_conflict(draft: Draft, proposal: Proposal) -> None:
    """The word that was awaited ends the emergency, unless that has risen to where only a human ends it."""
    name = "a human" if draft.actor == HUMAN else "the Director"
    for emergency in draft.all(Emergency, open_only=True):
        about = (emergency.cause, emergency.key) == ("conflict", proposal.id)
        if about and refuse_resolving(emergency, draft.actor) is None:
            emergencies.resolve(draft, emergency=emergency.id, reason=f"decided by {name}")
