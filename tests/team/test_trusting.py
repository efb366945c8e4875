"""Changes of trust on the board: history, bounds, and the threshold's emergency."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.errors import InputError
from clawswarm.team.draft import Draft
from clawswarm.team.emergencies import resolve
from clawswarm.team.trusting import adjust, alarm
from clawswarm.types.alarms import Emergency
from clawswarm.types.board import Agent, TrustChange
from clawswarm.types.team import HUMAN, SYSTEM, Role
from tests.team.boards import Bench


def bench() -> Bench:
    return Bench(react=[alarm])


def adjusted(
    bench: Bench, delta: int, *, role: Role = Role.BUILDER, by: str = Role.DIRECTOR, reason: str = "MD5"
) -> TrustChange:
    return bench.did(by, lambda d: adjust(d, role=role, delta=delta, reason=reason, evidence="auth.py"))


def trust_of(bench: Bench, role: Role) -> int | None:
    agent = bench.board.get(Agent, role.value)
    assert agent is not None
    return agent.trust


@pytest.mark.parametrize("by", [Role.DIRECTOR.value, HUMAN, SYSTEM])
def test_a_change_is_kept_with_reason_and_evidence(by: str) -> None:
    board = bench()
    change = adjusted(board, -2, by=by)
    assert (change.before, change.after, change.by) == (7, 5, by)
    assert (change.reason, change.evidence) == ("MD5", "auth.py")
    assert trust_of(board, Role.BUILDER) == 5
    assert trust_of(board, Role.SCOUT) == 7


@given(st.lists(st.integers(-9, 9).filter(bool), max_size=15))
def test_trust_stays_from_1_to_10_and_its_history_is_whole(deltas: list[int]) -> None:
    board = bench()
    changes = [adjusted(board, delta) for delta in deltas]
    trust = 7
    for change in changes:
        assert change.before == trust
        assert 1 <= change.after <= 10
        trust = change.after
    assert trust_of(board, Role.BUILDER) == trust
    kept = sorted(board.board.all(TrustChange), key=lambda change: int(change.id[1:]))
    assert kept == changes
    fell = [change for change in changes if change.after <= 3 and change.after <= change.before]
    assert len(board.board.all(Emergency)) == bool(fell)


def test_at_the_threshold_an_emergency_is_raised_once_until_it_is_resolved() -> None:
    board = bench()
    adjusted(board, -3)
    assert board.board.all(Emergency) == []
    adjusted(board, -1)
    adjusted(board, -1)
    [emergency] = board.board.all(Emergency)
    assert (emergency.level, emergency.cause, emergency.key, emergency.by) == (2, "trust", "builder", SYSTEM)
    assert (
        emergency.text == "trust in the Builder is 3 of 10 (an emergency at 3 or below); the last change: MD5"
    )
    board.did(Role.DIRECTOR, lambda d: resolve(d, emergency=emergency.id, reason="talked"))
    adjusted(board, 1)
    assert board.board.all(Emergency, open_only=True) == []
    adjusted(board, -1)
    assert len(board.board.all(Emergency, open_only=True)) == 1


def test_each_agent_has_an_emergency_of_its_own() -> None:
    board = bench()

    def both(draft: Draft) -> TrustChange:
        adjust(draft, role=Role.BUILDER, delta=-9, reason="lost the work")
        return adjust(draft, role=Role.SCOUT, delta=-9, reason="made it up")

    board.did(HUMAN, both)
    assert {e.key for e in board.board.all(Emergency)} == {"builder", "scout"}


@pytest.mark.parametrize(
    ("role", "by", "says"),
    [
        (Role.BUILDER, "builder", "nobody changes the trust in themselves"),
        (
            Role.BUILDER,
            "inspector",
            "trust is changed by the Director, a human or the system, not by Inspector",
        ),
        (Role.SCRIBE, "director", "the Scribe carries no trust"),
        (Role.DIRECTOR, HUMAN, "the Director carries no trust"),
    ],
)
def test_who_may_not_is_told_who_may(role: Role, by: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        adjusted(bench(), -1, role=role, by=by)
    assert caught.value.message == says
    assert caught.value.hint == (
        "the Director or a human changes the trust in: Architect, Scout, Builder, Refactorer, Inspector"
    )


@pytest.mark.parametrize("delta", [0, 10, -10])
def test_a_change_changes_something(delta: int) -> None:
    with pytest.raises(InputError, match=f"trust changes by 1 to 9 up or down, not by {delta}"):
        adjusted(bench(), delta)


def test_a_change_has_a_reason() -> None:
    with pytest.raises(InputError, match="reason"):
        adjusted(bench(), -1, reason=" ")
