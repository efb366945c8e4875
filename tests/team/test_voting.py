"""Proposals and votes: who may ask and vote, when a round closes, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.config.team import TeamRules, Votes
from clawswarm.errors import InputError, NotFound
from clawswarm.team.rounds import GOES_ON, MISSED
from clawswarm.team.voting import propose, standing_of, vote
from clawswarm.types.board import Agent, Evidence
from clawswarm.types.team import HUMAN, SYSTEM, Role
from tests.team.ballots import Ballots

THREE = (Role.BUILDER, Role.REFACTORER, Role.INSPECTOR)


@pytest.mark.parametrize("by", [*(role.value for role in Role), HUMAN, SYSTEM])
def test_anyone_may_ask(by: str) -> None:
    ballots = Ballots()
    proposal = ballots.ask(by=by)
    assert (proposal.by, proposal.status) == (by, "voting")
    assert proposal.electorate == tuple(Role)
    assert proposal.deadline == ballots.bench.now + 600


def test_a_question_has_the_electorate_and_the_time_it_was_given() -> None:
    ballots = Ballots(TeamRules(votes=Votes(round_minutes=5)))
    proposal = ballots.ask(Role.SCOUT, Role.BUILDER, Role.SCOUT, minutes=0.5)
    assert proposal.electorate == (Role.SCOUT, Role.BUILDER)
    assert proposal.round_seconds == 30
    assert ballots.ask().round_seconds == 300


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["yes"], "a proposal has 2 to 20 options, not 1"),
        ([str(number) for number in range(21)], "a proposal has 2 to 20 options, not 21"),
        (["yes", "no", " yes "], "the option 'yes' is there twice"),
        (["yes", " \n"], "option"),
        (["yes", "n" * 201], "201"),
    ],
)
def test_options_are_2_to_20_distinct_and_short(options: list[str], says: str) -> None:
    with pytest.raises(InputError) as caught:
        Ballots().ask(options=options)
    assert says in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf"), 10_081])
def test_a_round_has_a_time(minutes: float) -> None:
    with pytest.raises(InputError, match="at most 10080 minutes"):
        Ballots().ask(minutes=minutes)


def test_what_is_shown_in_a_line_is_one_line() -> None:
    ballots = Ballots()
    proposal = ballots.bench.did(
        HUMAN, lambda draft: propose(draft, topic="Which\n## API?", options=["a\nb", "c"])
    )
    assert proposal.topic == "Which ## API?"
    assert proposal.options == ("a b", "c")


def test_a_round_closes_when_all_have_voted() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    ballots.vote(proposal, Role.BUILDER, "REST")
    ballots.vote(proposal, Role.REFACTORER, "REST")
    assert ballots.now(proposal).rounds == ()
    ballots.vote(proposal, Role.INSPECTOR, "REST", reason="it is simple")
    [closed] = ballots.now(proposal).rounds
    assert (closed.number, closed.outcome) == (1, "unanimous")
    assert closed.votes[2].reason == "it is simple"
    decision = ballots.decision(proposal)
    assert (decision.option, decision.how, decision.by) == ("REST", "unanimous", SYSTEM)
    assert decision.dissent == ()


def test_a_vote_is_changeable_until_the_round_closes() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    ballots.vote(proposal, Role.BUILDER, "GraphQL")
    ballots.vote(proposal, Role.BUILDER, None)
    ballots.vote(proposal, Role.BUILDER, "REST")
    assert [v.option for v in ballots.now(proposal).votes.values()] == ["REST"]
    ballots.vote(proposal, Role.REFACTORER, "REST")
    ballots.vote(proposal, Role.INSPECTOR, None)
    assert ballots.decision(proposal).option == "REST"


def test_the_next_round_has_a_time_of_its_own_and_sees_the_votes_of_the_last() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    ballots.bench.now += 100
    after = ballots.round(proposal, ["REST", "GraphQL", None])
    assert after.votes == {}
    assert after.deadline == ballots.bench.now + 600
    assert after.status == "voting"
    assert [v.option for v in after.rounds[0].votes] == ["REST", "GraphQL", None]
    assert after.rounds[0].outcome == GOES_ON


def test_at_the_deadline_the_missing_abstain() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    ballots.vote(proposal, Role.BUILDER, "REST", reason="simple")
    ballots.wait(599)
    assert ballots.now(proposal).open
    ballots.wait(1)
    [closed] = ballots.now(proposal).rounds
    assert [(v.option, v.reason) for v in closed.votes] == [
        ("REST", "simple"),
        (None, MISSED),
        (None, MISSED),
    ]
    assert ballots.decision(proposal).how == "unanimous"


def test_if_nobody_ever_votes_the_director_decides() -> None:
    ballots = Ballots()
    proposal = ballots.ask()
    for rounds in (1, 2, 3):
        ballots.wait(600)
        assert len(ballots.now(proposal).rounds) == rounds
    ballots.wait(6000)
    assert ballots.now(proposal).status == "director"
    assert ballots.emergencies() == []


def test_a_long_absence_uses_up_one_round_and_not_all() -> None:
    ballots = Ballots()
    proposal = ballots.ask()
    ballots.wait(100_000)
    assert len(ballots.now(proposal).rounds) == 1
    assert ballots.now(proposal).deadline == ballots.bench.now + 600


def test_a_vote_after_the_deadline_counts_in_the_next_round() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    ballots.bench.now += 601
    after = ballots.vote(proposal, Role.BUILDER, "REST")
    assert len(after.rounds) == 1
    assert list(after.votes) == [Role.BUILDER]


def test_an_electorate_of_one_is_asked_once() -> None:
    ballots = Ballots()
    proposal = ballots.ask(Role.SCOUT)
    ballots.vote(proposal, Role.SCOUT, "GraphQL")
    assert ballots.decision(proposal).option == "GraphQL"


@pytest.mark.parametrize("by", [HUMAN, SYSTEM])
def test_a_host_hands_in_the_votes_of_its_agents(by: str) -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    after = ballots.vote(proposal, Role.BUILDER, "REST", by=by)
    assert after.votes[Role.BUILDER].role is Role.BUILDER


def test_a_vote_is_a_sign_of_life() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    ballots.bench.now += 42
    ballots.vote(proposal, Role.BUILDER, "REST")
    agents = {agent.role: agent for agent in ballots.bench.board.all(Agent)}
    assert agents[Role.BUILDER].seen == ballots.bench.now
    assert agents[Role.ARCHITECT].seen == ballots.bench.now - 42


def test_an_agent_votes_for_itself_alone() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    for by in ("scout", "director"):
        with pytest.raises(InputError) as caught:
            ballots.vote(proposal, Role.BUILDER, "REST", by=by)
        assert caught.value.message == f"{by.capitalize()} cannot vote for Builder"
        assert caught.value.hint == "each agent votes for itself"


def test_who_is_not_asked_learns_who_is() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    with pytest.raises(InputError) as caught:
        ballots.vote(proposal, Role.SCOUT, "REST")
    assert caught.value.hint == "those who vote: Builder, Refactorer, Inspector"


def test_an_unknown_option_names_those_there_are() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    for attempt in (
        lambda: ballots.vote(proposal, Role.BUILDER, "SOAP"),
        lambda: ballots.decide(proposal, "SOAP"),
    ):
        with pytest.raises(InputError) as caught:
            attempt()
        assert caught.value.message == f"{proposal.id} has no option 'SOAP'"
        assert caught.value.hint == "its options: 'REST', 'GraphQL'"


def test_a_vote_on_what_is_decided_says_how_it_was() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    ballots.round(proposal, ["REST"] * 3)
    with pytest.raises(InputError, match="is decided: 'REST' \\(unanimous, by System\\)"):
        ballots.vote(proposal, Role.BUILDER, "GraphQL")
    with pytest.raises(InputError, match="is decided"):
        ballots.decide(proposal, "GraphQL")


def test_a_vote_after_the_last_round_says_who_decides() -> None:
    ballots = Ballots(TeamRules(votes=Votes(max_rounds=1)))
    proposal = ballots.ask(*THREE)
    ballots.round(proposal, ["REST", "GraphQL", None])
    with pytest.raises(InputError, match="awaiting the Director's decision: 1 round without agreement"):
        ballots.vote(proposal, Role.BUILDER, "GraphQL")


def test_a_vote_on_nothing_is_told() -> None:
    ballots = Ballots()
    with pytest.raises(NotFound, match="no proposal 'p99'"):
        ballots.bench.did("builder", lambda d: vote(d, proposal="p99", role=Role.BUILDER, option="REST"))


def test_evidence_is_limited_and_clean() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    with pytest.raises(InputError, match="at most 20 pieces of evidence, not 21"):
        ballots.vote(proposal, Role.BUILDER, "REST", evidence=[Evidence(kind="url", ref="http://x")] * 21)
    with pytest.raises(InputError, match="the digest has 65 bytes"):
        ballots.vote(
            proposal, Role.BUILDER, "REST", evidence=[Evidence(kind="file", ref="a", digest="0" * 65)]
        )
    after = ballots.vote(
        proposal, Role.BUILDER, "REST", evidence=[Evidence(kind="file", ref="a\x1b[2J.txt", digest="00")]
    )
    assert after.votes[Role.BUILDER].evidence == (Evidence(kind="file", ref="a[2J.txt", digest="00"),)


def test_how_a_vote_stands_is_one_line() -> None:
    ballots = Ballots()
    proposal = ballots.ask(*THREE)
    after = ballots.vote(proposal, Role.REFACTORER, "REST")
    assert standing_of(after, ballots.bench.now + 590) == (
        "round 1, 10 s left, not yet voted: Builder, Inspector"
    )
    assert "its time is up" in standing_of(after, ballots.bench.now + 601)
    decided = ballots.decide(proposal, "GraphQL")
    assert standing_of(decided, 0) == "decided: 'GraphQL' (forced, by Director): we need to go on"


CHOICES = st.sampled_from(["REST", "GraphQL", "SOAP", None])


@given(
    st.lists(st.sampled_from(list(Role)), min_size=1, max_size=7, unique=True),
    st.lists(st.tuples(st.sampled_from(list(Role)), CHOICES, st.integers(0, 700)), max_size=40),
)
def test_whatever_is_voted_a_proposal_ends_and_keeps_its_history(
    electorate: list[Role], ballots_cast: list[tuple[Role, str | None, int]]
) -> None:
    ballots = Ballots()
    proposal = ballots.ask(*electorate, options=("REST", "GraphQL", "SOAP"))
    for role, option, seconds in ballots_cast:
        ballots.bench.now += seconds
        before = ballots.now(proposal)
        try:
            ballots.vote(proposal, role, option)
        except InputError:
            continue
        after = ballots.now(proposal)
        assert before.open
        assert after.rounds[: len(before.rounds)] == before.rounds
    for _ in range(3):
        ballots.wait(600)
    after = ballots.now(proposal)
    assert after.status != "voting"
    assert 1 <= len(after.rounds) <= 3
    assert [each.number for each in after.rounds] == list(range(1, len(after.rounds) + 1))
    assert all({v.role for v in each.votes} == set(electorate) for each in after.rounds)
    assert (after.decision is not None) == (after.status == "decided")
