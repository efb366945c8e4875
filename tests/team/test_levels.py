"""The levels as rules: what each pauses, who may end it, and the circuit breaker's states."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.team.rules import levels
from clawswarm.types.alarms import Emergency
from clawswarm.types.team import HUMAN, SYSTEM, Cause, EmergencyStatus, Level, Role

OTHERS = [role.value for role in Role if role is not Role.DIRECTOR]


def emergency(
    level: int,
    *,
    status: EmergencyStatus = "open",
    agent: Role | None = None,
    cause: Cause = "manual",
) -> Emergency:
    about = Role.BUILDER if level == 1 and agent is None else agent
    return Emergency(
        id="e7",
        level=Level(level),
        cause=cause,
        key="k",
        text="It burns",
        by="builder",
        at=0,
        agent=about,
        status=status,
    )


emergencies = st.builds(
    emergency,
    st.integers(1, 4),
    status=st.sampled_from(["open", "probing", "resolved"]),
    agent=st.sampled_from(Role),
)


@pytest.mark.parametrize(
    ("level", "paused"),
    [(1, {Role.BUILDER}), (2, set(Role) - {Role.DIRECTOR}), (3, set(Role)), (4, set(Role))],
)
def test_each_level_pauses_what_the_guide_says(level: int, paused: set[Role]) -> None:
    assert levels.paused_by(emergency(level)) == paused
    assert not levels.paused_by(emergency(level, status="resolved"))


def test_an_attempt_lets_the_team_go_on_below_level_3_only() -> None:
    for level in (1, 2):
        assert not levels.paused_by(emergency(level, status="probing"))
    for level in (3, 4):
        assert levels.paused_by(emergency(level, status="probing")) == set(Role)


@given(st.lists(emergencies))
def test_the_breaker_follows_from_what_is_open(found: list[Emergency]) -> None:
    serious = [e for e in found if e.open and e.level >= 2]
    state = levels.breaker(found)
    assert (state == "normal") == (not serious)
    paused = frozenset[Role]().union(*(levels.paused_by(e) for e in serious))
    assert (state == "paused") == bool(paused)
    if any(e.level >= 3 for e in serious):
        assert state == "paused"
        assert paused == set(Role)
    if state == "probing":
        assert all(e.status == "probing" for e in serious)


@given(st.lists(emergencies))
def test_the_level_of_a_run_is_the_highest_that_is_open(found: list[Emergency]) -> None:
    assert levels.highest(found) == max([e.level for e in found if e.open], default=Level.NORMAL)


@given(st.sampled_from(levels.RAISED), st.integers(0, 5), st.integers(1, 5))
def test_failed_attempts_only_raise(level: Level, failed: int, most: int) -> None:
    after = levels.after_failures(level, failed, most)
    assert after >= level
    assert (after == 3) == (level == 3 or (level < 3 and failed >= most))


def test_a_reason_for_a_human_makes_it_level_3_at_least() -> None:
    assert [levels.raised_to(level, "irreversible") for level in levels.RAISED] == [3, 3, 3, 4]
    assert [levels.raised_to(level, None) for level in levels.RAISED] == [1, 2, 3, 4]


@pytest.mark.parametrize("actor", ["director", HUMAN])
@pytest.mark.parametrize("level", [1, 2])
def test_the_director_and_a_human_resolve_up_to_level_2(level: int, actor: str) -> None:
    assert levels.refuse_resolving(emergency(level), actor) is None
    assert levels.refuse_attempt(actor) is None


@pytest.mark.parametrize("level", [3, 4])
def test_from_level_3_on_only_a_human_resolves(level: int) -> None:
    assert levels.refuse_resolving(emergency(level), HUMAN) is None
    for actor in ("director", SYSTEM, *OTHERS):
        assert "a human has to" in (levels.refuse_resolving(emergency(level, cause="resource"), actor) or "")


def test_the_board_ends_only_what_it_raised() -> None:
    assert levels.refuse_resolving(emergency(1, cause="silent"), SYSTEM) is None
    assert "was raised by builder" in (levels.refuse_resolving(emergency(1), SYSTEM) or "")


@pytest.mark.parametrize("actor", OTHERS)
def test_other_agents_neither_try_nor_resolve(actor: str) -> None:
    assert f"not by {actor}" in (levels.refuse_attempt(actor) or "")
    assert f"not by {actor}" in (levels.refuse_resolving(emergency(2), actor) or "")


def test_attempts_are_counted_in_words() -> None:
    assert levels.unresolved(2) == "unresolved after 2 attempts"
    assert levels.unresolved(1) == "unresolved after 1 attempt"


def test_every_cause_and_level_has_words() -> None:
    assert set(levels.TITLES) == set(get_args(Cause))
    assert set(levels.MEANING) == set(Level)
