"""How votes end: by convergence, by the Director's word, and with an emergency where a human is needed."""

from pathlib import Path

import pytest

from clawswarm.config.team import Guards, TeamRules, Votes
from clawswarm.errors import InputError
from clawswarm.team.documents import Replayed
from clawswarm.team.draft import Draft
from clawswarm.team.emergencies import attempt, failed
from clawswarm.team.trusting import adjust
from clawswarm.team.voting import close_due, propose, vote
from clawswarm.types.alarms import Alert
from clawswarm.types.board import Evidence
from clawswarm.types.meetings import Proposal
from clawswarm.types.team import HUMAN, Level, Role
from tests.clock import FakeClock
from tests.team.ballots import TEST_RUN, Ballots
from tests.team.boards import open_board

THREE = (Role.BUILDER, Role.REFACTORER, Role.INSPECTOR)
TIED = (Role.BUILDER, Role.INSPECTOR)


def test_dissent_is_kept_with_its_reasons() -> None:
    ballots = Ballots()
    proposal = ballots.ask()
    ballots.round(proposal, ["REST", "REST", "REST", "REST", "REST", "GraphQL", None])
    decision = ballots.decision(proposal)
    assert (decision.how, decision.reason) == ("supermajority", "5 of 6 votes are for it")
    assert [(v.role, v.reason) for v in decision.dissent] == [(Role.INSPECTOR, "inspector thinks so")]


def test_trust_weighs_as_it_is_when_the_round_closes() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    ballots.vote(proposal, Role.BUILDER, "GraphQL")
    ballots.vote(proposal, Role.REFACTORER, "GraphQL")
    for role in (Role.BUILDER, Role.REFACTORER):
        ballots.bench.did(HUMAN, lambda d, role=role: adjust(d, role=role, delta=-6, reason="broke it"))
    ballots.vote(proposal, Role.INSPECTOR, "REST")
    decision = ballots.decision(proposal)
    assert (decision.option, decision.how) == ("REST", "supermajority")
    assert decision.reason == "78% of the votes weighted by trust are for it"


def test_a_majority_that_nobody_leaves_stands_after_two_rounds() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    ballots.round(proposal, ["REST", "REST", "GraphQL"])
    assert ballots.now(proposal).open
    ballots.round(proposal, ["REST", "REST", "GraphQL"])
    assert ballots.decision(proposal).how == "stable"


def test_after_three_rounds_the_director_decides_what_is_a_conflict_until_then() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*TIED)
    for _ in range(3):
        ballots.round(proposal, ["REST", "GraphQL"])
    assert ballots.now(proposal).status == "director"
    [conflict] = ballots.emergencies()
    assert (conflict.level, conflict.cause, conflict.key) == (2, "conflict", proposal.id)
    assert conflict.saw["votes"] == {"builder": "REST", "inspector": "GraphQL"}
    assert conflict.saw["against"] == 0.5
    assert "50% of the votes weighted by trust are against the leading option" in conflict.text

    ballots.decide(proposal, "REST")
    decision = ballots.decision(proposal)
    assert (decision.how, decision.by, decision.reason) == ("director", "director", "we need to go on")
    assert [v.role for v in decision.dissent] == [Role.INSPECTOR]
    assert ballots.emergencies() == []
    [resolved] = ballots.bench.board.all(type(conflict))
    assert (resolved.resolved_by, resolved.resolution) == ("director", "decided by the Director")


def test_disagreement_below_the_threshold_is_no_conflict() -> None:
    ballots = Ballots(TeamRules(votes=Votes(max_rounds=1), guards=Guards(disagreement=0.5)))
    proposal = ballots.ask(*TIED)
    ballots.round(proposal, ["REST", "GraphQL"])
    assert ballots.now(proposal).status == "director"
    assert ballots.emergencies() == []


def test_a_conflict_that_went_to_a_human_stays_with_the_human() -> None:
    ballots = Ballots(TeamRules(votes=Votes(max_rounds=1)))
    proposal = ballots.ask(*TIED)
    ballots.round(proposal, ["REST", "GraphQL"])
    [conflict] = ballots.emergencies()
    for _ in range(2):
        ballots.bench.did("director", lambda d: attempt(d, emergency=conflict.id, what="talk"))
        ballots.bench.did("director", lambda d: failed(d, emergency=conflict.id, reason="no agreement"))
    other = ballots.ask(*TIED)
    ballots.decide(proposal, "REST")
    assert [e.id for e in ballots.emergencies()] == [conflict.id]
    assert ballots.now(other).open


def test_a_human_may_decide_what_the_director_was_asked() -> None:
    ballots = Ballots(TeamRules(votes=Votes(max_rounds=1)))
    proposal = ballots.ask(*TIED)
    ballots.round(proposal, ["REST", "GraphQL"])
    ballots.decide(proposal, "GraphQL", by=HUMAN)
    decision = ballots.decision(proposal)
    assert (decision.how, decision.by) == ("director", HUMAN)
    assert ballots.emergencies() == []


def test_the_director_may_force_a_decision_at_any_time() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    ballots.round(proposal, ["GraphQL", "REST", None])
    ballots.vote(proposal, Role.BUILDER, "REST")
    ballots.vote(proposal, Role.INSPECTOR, "GraphQL", reason="typed")
    after = ballots.decide(proposal, "REST")
    assert after.votes == {}
    decision = ballots.decision(proposal)
    assert (decision.option, decision.how, decision.by) == ("REST", "forced", "director")
    assert [(v.role, v.reason) for v in decision.dissent] == [(Role.INSPECTOR, "typed")]


def test_a_decision_may_be_forced_before_anybody_voted() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    ballots.decide(proposal, "GraphQL", by=HUMAN)
    assert ballots.decision(proposal).dissent == ()


@pytest.mark.parametrize("by", ["builder", "architect", "scribe", "system"])
def test_nobody_else_decides_alone(by: str) -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    with pytest.raises(InputError) as caught:
        ballots.decide(proposal, "REST", by=by)
    assert caught.value.hint == "the Director or a human may; others vote"


@pytest.mark.parametrize(
    ("evidence", "unproven"),
    [([], True), ([Evidence(kind="text", ref="trust me")], True), ([TEST_RUN], False)],
)
def test_a_unanimous_vote_without_evidence_is_flagged_where_it_was_asked_for(
    evidence: list[Evidence], unproven: bool
) -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE, needs_evidence=True)
    for role in THREE:
        ballots.vote(proposal, role, "REST", evidence=evidence)
    assert ballots.decision(proposal).unproven is unproven


def test_evidence_is_not_missed_where_it_was_not_asked_for_or_somebody_dissented() -> None:
    ballots = Ballots()
    plain = ballots.ask(*THREE)
    ballots.round(plain, ["REST"] * 3)
    assert not ballots.decision(plain).unproven
    split = ballots.ask(needs_evidence=True)
    ballots.round(split, ["REST"] * 6 + ["GraphQL"])
    assert not ballots.decision(split).unproven


def test_what_cannot_be_undone_goes_to_a_human() -> None:
    ballots = Ballots()
    voted = ballots.ask(*THREE, irreversible=True)
    ballots.round(voted, ["REST"] * 3)
    forced = ballots.ask(*THREE, irreversible=True)
    ballots.decide(forced, "GraphQL")
    emergencies = sorted(ballots.emergencies(), key=lambda e: int(e.id[1:]))
    assert [(e.level, e.cause, e.key) for e in emergencies] == [
        (Level.SYSTEM, "irreversible", voted.id),
        (Level.SYSTEM, "irreversible", forced.id),
    ]
    assert {e.human for e in emergencies} == {"the decision is irreversible"}
    assert len(ballots.bench.board.all(Alert)) == 2


def test_what_a_human_decided_calls_no_human() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE, irreversible=True)
    ballots.decide(proposal, "REST", by=HUMAN)
    assert ballots.emergencies() == []


def test_on_a_database_a_retried_vote_counts_once_and_the_journal_tells_it_all(
    tmp_path: Path, clock: FakeClock
) -> None:
    def voting(draft: Draft) -> Proposal:
        return vote(draft, proposal="p2", role=Role.BUILDER, option="REST", evidence=[TEST_RUN])

    with open_board(tmp_path, clock, settle=[close_due]) as board:
        board.change(
            lambda draft: propose(draft, topic="Which API?", options=["REST", "GraphQL"], electorate=THREE),
            actor="director",
        )
        first = board.change(voting, actor="builder", key="v1")
        clock.advance(601)
        again = board.change(voting, actor="builder", key="v1")
        assert again.again
        assert again.value == first.value
        with pytest.raises(InputError, match="p2 is decided: 'REST' \\(unanimous, by System\\)"):
            board.change(voting, actor="builder")
        board.change(lambda draft: draft.need(Proposal, "p2"), actor="scout")
        with board.reading() as (_, stored):
            now = stored.get(Proposal, "p2")
        replayed = Replayed(board.journal())
    assert now is not None
    assert now.status == "decided"
    assert now.rounds[0].votes[0].evidence == (TEST_RUN,)
    assert replayed.get(Proposal, "p2") == now
