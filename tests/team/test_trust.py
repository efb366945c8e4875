"""Trust: bounds, weights, the threshold, and who may change it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.config.team import Trust
from clawswarm.team.rules.trust import changed, first, is_alarming, refusal, weight
from clawswarm.types.team import HUMAN, SYSTEM, Role

SCORES = st.integers(1, 10)


@given(SCORES, st.lists(st.integers(-30, 30)))
def test_trust_stays_from_1_to_10_whatever_happens(trust: int, deltas: list[int]) -> None:
    for delta in deltas:
        after = changed(trust, delta)
        assert 1 <= after <= 10
        assert after == trust + delta or after in (1, 10)
        assert (after - trust) * delta >= 0
        trust = after


@given(SCORES, st.integers(-9, 9), SCORES)
def test_the_alarm_is_for_what_falls_to_the_threshold(before: int, delta: int, threshold: int) -> None:
    after = changed(before, delta)
    alarming = is_alarming(before, after, Trust(alarm=threshold))
    assert alarming == (after <= threshold and after <= before)


def test_the_guides_numbers_are_the_defaults() -> None:
    assert first(Role.BUILDER, Trust()) == 7
    assert is_alarming(5, 3, Trust())
    assert not is_alarming(5, 4, Trust())
    assert not is_alarming(2, 3, Trust())


@given(st.sampled_from(list(Role)), SCORES)
def test_who_carries_no_trust_weighs_as_one_begins(role: Role, start: int) -> None:
    rules = Trust(start=start)
    assert (first(role, rules) is None) == (role in (Role.DIRECTOR, Role.SCRIBE))
    assert weight(first(role, rules), rules) == start
    assert weight(4, rules) == 4


@pytest.mark.parametrize("actor", ["director", HUMAN, SYSTEM])
def test_trust_is_changed_from_above(actor: str) -> None:
    assert refusal(Role.BUILDER, actor) is None
    assert refusal(Role.SCRIBE, actor) == "the Scribe carries no trust"


@given(st.sampled_from(list(Role)), st.sampled_from(list(Role)[1:]))
def test_no_agent_but_the_director_changes_trust(role: Role, actor: Role) -> None:
    why = refusal(role, actor)
    assert why is not None
    if role is actor and role is not Role.SCRIBE:
        assert why == "nobody changes the trust in themselves"
