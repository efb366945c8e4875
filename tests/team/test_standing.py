"""How a run stands: its level, the breaker as a state machine, and what each agent is to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.team.emergencies import attempt, failed, raise_emergency, resolve
from clawswarm.team.runs import end, pause, resume
from clawswarm.team.standing import Standing, directive, standing
from clawswarm.types.alarms import Emergency
from clawswarm.types.board import Run
from clawswarm.types.team import HUMAN, Breaker, Role
from tests.team.boards import Bench

WORKERS = set(Role) - {Role.DIRECTOR}


def stands(bench: Bench) -> Standing:
    run = bench.board.get(Run, "r1")
    assert run is not None
    return standing(bench.board, run)


def raised(bench: Bench, level: int, text: str = "It burns", agent: Role | None = None) -> Emergency:
    return bench.did("inspector", lambda d: raise_emergency(d, level=level, text=text, agent=agent))


def going_on(bench: Bench) -> set[Role]:
    now = stands(bench)
    return {role for role in Role if directive(now, role)[0] == "continue"}


def test_without_an_emergency_everybody_goes_on() -> None:
    now = stands(Bench())
    assert (now.level, now.breaker, now.emergencies, now.paused, now.human) == (0, "normal", (), set(), None)
    assert not now.stopped
    assert {directive(now, role)[0] for role in (*Role, None)} == {"continue"}


def test_level_1_pauses_its_agent_alone() -> None:
    bench = Bench()
    found = raised(bench, 1, agent=Role.SCOUT)
    now = stands(bench)
    assert (now.level, now.breaker, now.paused) == (1, "normal", {Role.SCOUT})
    assert directive(now, Role.SCOUT) == (
        "pause",
        f"{found.id}, level 1, alarm raised by hand: It burns",
    )
    assert directive(now, Role.BUILDER)[0] == "continue"
    assert directive(now, None)[0] == "continue"


def test_level_2_leaves_the_director_to_mediate() -> None:
    bench = Bench()
    raised(bench, 2)
    now = stands(bench)
    assert (now.level, now.breaker, now.paused) == (2, "paused", WORKERS)
    assert going_on(bench) == {Role.DIRECTOR}
    assert directive(now, None)[0] == "pause"


def test_level_3_waits_for_a_human() -> None:
    bench = Bench()
    raised(bench, 3)
    now = stands(bench)
    assert (now.level, now.breaker, now.paused) == (3, "paused", set(Role))
    assert now.human
    assert not now.stopped
    bench.did("director", lambda d: attempt(d, emergency="e2", what="talk"))
    assert stands(bench).breaker == "paused"
    assert going_on(bench) == set()


def test_level_4_stops_everything() -> None:
    bench = Bench()
    raised(bench, 4)
    now = stands(bench)
    assert now.stopped
    assert {directive(now, role)[0] for role in (*Role, None)} == {"stop"}


def test_while_it_is_tried_the_team_goes_on() -> None:
    bench = Bench()
    found = raised(bench, 2)
    bench.did("director", lambda d: attempt(d, emergency=found.id, what="talk"))
    now = stands(bench)
    assert (now.level, now.breaker, now.paused) == (2, "probing", set())
    assert "an attempt to resolve it is under way" in now.reason
    bench.did("director", lambda d: failed(d, emergency=found.id, reason="no use"))
    assert stands(bench).breaker == "paused"
    assert going_on(bench) == {Role.DIRECTOR}
    bench.did("director", lambda d: resolve(d, emergency=found.id, reason="put out"))
    assert stands(bench).breaker == "normal"
    assert going_on(bench) == set(Role)


def test_the_worst_is_named_first() -> None:
    bench = Bench()
    one = raised(bench, 1, "lost", Role.SCOUT)
    two = raised(bench, 2, "fight")
    three = raised(bench, 3, "smoke")
    now = stands(bench)
    assert [e.id for e in now.emergencies] == [three.id, two.id, one.id]
    assert now.reason.startswith(f"{three.id}, level 3")


def test_an_agent_hears_its_own_reason() -> None:
    bench = Bench()
    one = raised(bench, 1, "lost", Role.SCOUT)
    two = raised(bench, 2, "fight")
    bench.did("director", lambda d: attempt(d, emergency=two.id, what="talk"))
    assert directive(stands(bench), Role.SCOUT)[1].startswith(one.id)


def test_a_run_paused_by_hand_pauses_all() -> None:
    bench = Bench()
    raised(bench, 1, agent=Role.SCOUT)
    bench.did(HUMAN, lambda d: pause(d, reason="dinner"))
    now = stands(bench)
    assert now.paused == set(Role)
    assert now.breaker == "normal"
    assert {directive(now, role) for role in (*Role, None)} == {("pause", "paused by Human: dinner")}
    bench.did(HUMAN, lambda d: resume(d, reason="back"))
    assert stands(bench).paused == {Role.SCOUT}


def test_a_run_that_has_ended_stops_all() -> None:
    bench = Bench()
    bench.did(HUMAN, lambda d: end(d, reason="enough"))
    assert directive(stands(bench), Role.BUILDER) == ("stop", "the run has ended: enough")


@pytest.mark.parametrize("text", ["x" * 5_000, "two\nlines\n## Agent Status"])
def test_a_reason_is_one_short_line(text: str) -> None:
    bench = Bench()
    raised(bench, 2, text)
    reason = stands(bench).reason
    assert "\n" not in reason
    assert len(reason) < 300


NEXT: dict[tuple[Breaker, str], set[Breaker]] = {
    ("normal", "raise"): {"paused"},
    ("paused", "raise"): {"paused"},
    ("probing", "raise"): {"paused"},
    ("paused", "attempt"): {"paused", "probing"},
    ("paused", "failed"): {"paused"},
    ("probing", "failed"): {"paused"},
    ("paused", "resolve"): {"paused", "probing", "normal"},
    ("probing", "resolve"): {"probing", "normal"},
}
"""What the breaker may be after each step at level 2 or more."""


@given(st.lists(st.tuples(st.sampled_from(["raise", "attempt", "failed", "resolve"]), st.integers(0, 3))))
def test_the_breaker_moves_as_drawn(taken: list[tuple[str, int]]) -> None:
    bench, count = Bench(), 0
    for what, number in taken:
        before = stands(bench)
        found = before.emergencies
        if what == "raise":
            count += 1
            raised(bench, 2 + (number == 0), f"number {count}")
        else:
            wanted = "probing" if what == "failed" else "open"
            fitting = [e for e in found if what == "resolve" or e.status == wanted]
            if not fitting:
                continue
            id_ = fitting[number % len(fitting)].id
            if what == "attempt":
                bench.did(HUMAN, lambda d, e=id_: attempt(d, emergency=e, what="talk"))
            elif what == "failed":
                bench.did(HUMAN, lambda d, e=id_: failed(d, emergency=e, reason="no use"))
            else:
                bench.did(HUMAN, lambda d, e=id_: resolve(d, emergency=e, reason="put out"))
        after = stands(bench)
        assert after.breaker in NEXT[before.breaker, what]
        assert (after.breaker == "paused") == (after.paused >= WORKERS)
        assert (after.breaker == "normal") == (after.level == 0)
