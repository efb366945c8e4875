"""Legal moves between phases: every combination has an answer, and these are allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.team.rules.phases import may_move, reachable
from clawswarm.types.team import HUMAN, SYSTEM, Phase, Role

PHASES = st.sampled_from(list(Phase))
ACTORS = st.sampled_from([*(role.value for role in Role), HUMAN, SYSTEM])
P, E, R, I, D = Phase  # noqa: E741 - the five, in their order

FORWARD = {(P, E), (E, R), (R, I), (R, D), (I, E), (I, R)}
RESTARTS = {(E, P), (I, P)}


@given(PHASES, PHASES, ACTORS, st.sampled_from(["", "  ", "the design was wrong"]))
def test_exactly_the_legal_moves_are_allowed(at: Phase, to: Phase, actor: str, reason: str) -> None:
    move = may_move(at, to, actor=actor, reason=reason)
    moves_runs = actor in ("director", HUMAN, SYSTEM)
    legal = (at, to) in FORWARD or ((at, to) in RESTARTS and bool(reason.strip()))
    called_done = actor == HUMAN and to is D and at is not D
    assert move.allowed == (moves_runs and (legal or called_done))
    assert move.reason


@given(PHASES, PHASES, ACTORS)
def test_what_is_named_as_possible_is_possible(at: Phase, to: Phase, actor: str) -> None:
    move = may_move(at, to, actor=actor, reason="because")
    assert move.may == reachable(at, actor)
    assert move.allowed == (to in move.may)


@given(ACTORS)
def test_nothing_follows_done(actor: str) -> None:
    assert reachable(D, actor) == ()


@pytest.mark.parametrize("at", [P, E, I])
def test_only_a_human_calls_a_run_done_before_its_review(at: Phase) -> None:
    assert may_move(at, D, actor=HUMAN, reason="").allowed
    refused = may_move(at, D, actor="director", reason="it is late")
    assert not refused.allowed
    assert refused.reason == f"a run is done after its review, or when a human says so; it is in {at}"


def test_refusals_say_the_rule() -> None:
    assert "not by Builder" in may_move(P, E, actor="builder", reason="").reason
    assert "already" in may_move(P, P, actor=HUMAN, reason="").reason
    assert "needs a reason" in may_move(E, P, actor=HUMAN, reason="").reason
    assert may_move(P, R, actor=HUMAN, reason="").reason == "planning does not lead to review"
