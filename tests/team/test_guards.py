"""The guards on a board: what raises, once a cause, and what ends it again."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.config.team import TeamRules
from clawswarm.errors import InputError
from clawswarm.team.agents import note_call, note_spend, report, restart
from clawswarm.team.draft import Draft
from clawswarm.team.emergencies import attempt, resolve
from clawswarm.team.guards import REACTIONS, sweep
from clawswarm.team.reviews import find
from clawswarm.team.rules.guards import Machine
from clawswarm.team.runs import move_phase, pause
from clawswarm.team.tasks import NewTask, add_tasks, begin_task, fail_task
from clawswarm.types.alarms import Alert, Emergency
from clawswarm.types.board import Run
from clawswarm.types.team import HUMAN, SYSTEM, Phase, Role, Severity
from tests.clock import FakeClock
from tests.team.boards import Bench, open_board

HOUR = 3600.0


def guarded(**rules: Any) -> Bench:
    return Bench(TeamRules.model_validate(rules), react=REACTIONS)


def called(bench: Bench, arguments: str = "", *, error: str = "", changed: bool = False) -> None:
    """A call of the Builder; other arguments each time unless some are given."""
    bench.did(
        "builder",
        lambda d: note_call(
            d,
            role=Role.BUILDER,
            tool="edit",
            arguments=arguments or str(bench.seq),
            ok=not error,
            error=error,
            changed=changed,
        ),
    )


def found(bench: Bench, severity: Severity = Severity.CRITICAL, **more: Any) -> None:
    by = Role.ARCHITECT if severity is Severity.DESIGN_FLAW else Role.INSPECTOR
    bench.did(by, lambda d: find(d, role=by, severity=severity, text=f"number {bench.seq}", **more))


def resolved(bench: Bench, emergency: Emergency) -> None:
    bench.did(HUMAN, lambda d: resolve(d, emergency=emergency.id, reason="seen to"))


def swept(bench: Bench, machine: Machine | None = None) -> None:
    def look(draft: Draft) -> Run:
        sweep(draft, machine)
        return draft.run

    bench.did(SYSTEM, look)


def raised(bench: Bench) -> list[Emergency]:
    return sorted(bench.board.all(Emergency), key=lambda e: int(e.id[1:]))


def working(bench: Bench, role: Role = Role.BUILDER) -> None:
    bench.did(role, lambda d: report(d, role=role, status="working", task="auth"))


# Calls


def test_three_calls_without_progress_pause_the_agent() -> None:
    bench = guarded()
    for _ in range(2):
        called(bench)
    assert not raised(bench)
    called(bench)
    (stuck,) = raised(bench)
    assert (stuck.cause, stuck.level, stuck.agent, stuck.by) == ("stuck", 1, Role.BUILDER, SYSTEM)
    assert stuck.saw["in_a_row"] == stuck.saw["limit"] == 3


def test_progress_starts_the_count_again() -> None:
    bench = guarded()
    for number in range(9):
        called(bench, changed=number % 3 == 2)
    assert not raised(bench)


def test_the_same_error_three_times_is_told_with_the_error() -> None:
    bench = guarded()
    for error in ("no module a", "no module b", "no module b", "no module b"):
        called(bench, error=error, changed=True)
    (alarm,) = raised(bench)
    assert (alarm.cause, alarm.saw["last_error"]) == ("same_error", "no module b")


def test_the_same_call_three_times_is_a_loop() -> None:
    bench = guarded()
    for arguments in ("a", "b", "b", "b"):
        called(bench, arguments, changed=True)
    assert [alarm.cause for alarm in raised(bench)] == ["loop"]


def test_one_alarm_about_an_agent_at_a_time() -> None:
    bench = guarded()
    for _ in range(12):
        called(bench, "same", error="same")
    assert [alarm.cause for alarm in raised(bench)] == ["same_error"]


def test_a_resolved_alarm_is_not_raised_again_by_the_next_call() -> None:
    bench = guarded()
    for _ in range(3):
        called(bench)
    resolved(bench, raised(bench)[0])
    for _ in range(2):
        called(bench)
    assert len(raised(bench)) == 1
    called(bench)
    assert [alarm.saw["in_a_row"] for alarm in raised(bench)] == [3, 6]


def test_a_fresh_start_ends_the_alarm_about_that_agent_only() -> None:
    bench = guarded()
    for role in (Role.BUILDER, Role.DIRECTOR):
        for number in range(3):
            bench.did(
                role, lambda d, r=role, n=number: note_call(d, role=r, tool="t", arguments=str(n), ok=True)
            )
    bench.did("director", lambda d: restart(d, role=Role.BUILDER, reason="stuck"))
    builder, director = raised(bench)
    assert (builder.status, builder.resolved_by) == ("resolved", SYSTEM)
    assert builder.resolution == "Builder was given a fresh start"
    assert (director.agent, director.status) == (Role.DIRECTOR, "open")
    for _ in range(3):
        called(bench)
    assert raised(bench)[-1].key == "builder:life1"


def test_who_notes_the_call_of_another_is_not_judged_by_it() -> None:
    bench = guarded()
    for number in range(3):
        bench.did(
            "director",
            lambda d, n=number: note_call(d, role=Role.DIRECTOR, tool="t", arguments=str(n), ok=True),
        )
    resolved(bench, raised(bench)[0])
    bench.did("director", lambda d: note_call(d, role=Role.BUILDER, tool="t", arguments="", ok=True))
    assert len(raised(bench)) == 1


# Findings and tasks


def test_a_contradiction_is_a_conflict_at_once() -> None:
    bench = guarded()
    found(bench, Severity.MINOR, contradicts=Role.BUILDER)
    found(bench, Severity.MINOR, contradicts=Role.BUILDER)
    (conflict,) = raised(bench)
    assert (conflict.cause, conflict.level, conflict.saw["finding"]) == ("conflict", 2, "f2")


def test_six_critical_findings_are_one_emergency_a_review() -> None:
    bench = guarded()
    for _ in range(5):
        found(bench)
        found(bench, Severity.MAJOR)
    assert not raised(bench)
    for _ in range(3):
        found(bench)
    (quality,) = raised(bench)
    assert (quality.cause, quality.level) == ("quality", 2)
    assert quality.saw == {"number": 6, "limit": 5, "round": 0}
    resolved(bench, quality)
    found(bench)
    assert len(raised(bench)) == 1
    for phase in (Phase.EXECUTION, Phase.REVIEW):
        bench.did(HUMAN, lambda d, to=phase: move_phase(d, to=to, reason="on"))
    for _ in range(6):
        found(bench)
    assert [alarm.key for alarm in raised(bench)] == ["critical:round0", "critical:round1"]


def test_every_design_flaw_is_a_cause_of_its_own() -> None:
    bench = guarded()
    for _ in range(2):
        found(bench, Severity.DESIGN_FLAW)
    assert [(alarm.cause, alarm.level) for alarm in raised(bench)] == [("quality", 2)] * 2


def begun(bench: Bench, times: int) -> None:
    for _ in range(times):
        bench.did("builder", lambda d: begin_task(d, task="auth"))
        bench.did("builder", lambda d: fail_task(d, task="auth", reason="no luck"))


def test_a_task_tried_six_times_is_level_2_and_the_seventh_level_3() -> None:
    bench = guarded()
    bench.did("director", lambda d: add_tasks(d, tasks=[NewTask(id="auth", title="Auth", role=Role.BUILDER)]))
    begun(bench, 5)
    assert not raised(bench)
    begun(bench, 1)
    assert [(alarm.cause, alarm.level) for alarm in raised(bench)] == [("runaway", 2)]
    with pytest.raises(InputError, match="Builder is to pause"):
        begun(bench, 1)
    (alarm,) = raised(bench)
    bench.did("director", lambda d: attempt(d, emergency=alarm.id, what="once more, with a plan"))
    begun(bench, 1)
    (runaway,) = raised(bench)
    assert (runaway.level, runaway.saw["number"]) == (3, 7)
    assert len(bench.board.all(Alert)) == 1
    resolved(bench, runaway)
    begun(bench, 4)
    assert len(raised(bench)) == 1
    begun(bench, 1)
    assert [alarm.level for alarm in raised(bench)] == [3, 2]


# Money, time, the machine


def test_spend_over_the_cap_goes_to_a_human_once() -> None:
    bench = guarded(budget={"max_run_spend": "0.5"})
    for role in (Role.BUILDER, Role.SCOUT, Role.BUILDER):
        bench.did(
            role,
            lambda d, r=role: note_spend(
                d, role=r, input_tokens=1, output_tokens=1, cost_pico=200_000_000_000
            ),
        )
    (budget,) = raised(bench)
    assert (budget.cause, budget.level, budget.human) == ("budget", 3, "cost or time budget exceeded")
    assert budget.text == "the run has spent $0.6000; its cap is $0.5000"
    resolved(bench, budget)
    bench.did(
        "scout", lambda d: note_spend(d, role=Role.SCOUT, input_tokens=1, output_tokens=1, cost_pico=None)
    )
    assert len(raised(bench)) == 1


def test_without_a_cap_spend_is_not_judged() -> None:
    bench = guarded()
    bench.did(
        "scout", lambda d: note_spend(d, role=Role.SCOUT, input_tokens=1, output_tokens=1, cost_pico=10**15)
    )
    assert not raised(bench)


def test_hours_over_the_limit_go_to_a_human_once() -> None:
    bench = guarded(budget={"max_hours": 8})
    bench.now += 8 * HOUR
    swept(bench)
    assert not raised(bench)
    bench.now += 60
    swept(bench)
    swept(bench)
    (budget,) = raised(bench)
    assert (budget.cause, budget.level, budget.key) == ("budget", 3, "hours")
    resolved(bench, budget)
    swept(bench)
    assert len(raised(bench)) == 1


def test_a_phase_over_twice_its_time_rises_when_it_goes_on() -> None:
    bench = guarded(budget={"expected_minutes": {"planning": 60}})
    bench.now += 2 * HOUR + 1
    swept(bench)
    assert [(alarm.cause, alarm.level) for alarm in raised(bench)] == [("runaway", 2)]
    bench.now += HOUR / 2
    swept(bench)
    assert [alarm.level for alarm in raised(bench)] == [2]
    bench.now += HOUR / 2 + 60
    swept(bench)
    assert [alarm.level for alarm in raised(bench)] == [3]
    assert len(bench.board.all(Alert)) == 1


def test_waiting_for_a_human_is_not_time_of_the_phase() -> None:
    bench = guarded(budget={"expected_minutes": {"planning": 60}})
    bench.now += HOUR
    swept(bench, Machine(memory_percent=99))
    (memory,) = raised(bench)
    bench.now += 8 * HOUR
    swept(bench)
    resolved(bench, memory)
    bench.now += HOUR / 2
    swept(bench)
    assert len(raised(bench)) == 1
    bench.now += HOUR / 2 + 60
    swept(bench)
    assert [alarm.cause for alarm in raised(bench)] == ["resource", "runaway"]


def test_the_machine_is_told_once_until_it_was_in_order() -> None:
    bench = guarded()
    full, fine = Machine(memory_percent=95), Machine(memory_percent=50)
    swept(bench, full)
    swept(bench, full)
    (memory,) = raised(bench)
    assert (memory.cause, memory.level, memory.key) == ("resource", 3, "memory")
    assert memory.saw == {"number": 95, "limit": 90}
    resolved(bench, memory)
    swept(bench, full)
    swept(bench, Machine())
    swept(bench, full)
    assert len(raised(bench)) == 1
    swept(bench, fine)
    seq = bench.seq
    swept(bench, fine)
    assert bench.seq == seq
    swept(bench, full)
    assert [alarm.status for alarm in raised(bench)] == ["resolved", "open"]


# Silence


def test_a_working_agent_that_is_silent_is_told_once() -> None:
    bench = guarded()
    working(bench)
    bench.now += 600
    swept(bench)
    assert not raised(bench)
    bench.now += 1
    swept(bench)
    swept(bench)
    (silent,) = raised(bench)
    assert (silent.cause, silent.level, silent.agent) == ("silent", 1, Role.BUILDER)


def test_an_agent_that_is_heard_of_again_is_silent_no_longer() -> None:
    bench = guarded()
    working(bench)
    bench.now += 601
    swept(bench)
    bench.now += 60
    called(bench, changed=True)
    swept(bench)
    (silent,) = raised(bench)
    assert (silent.resolved_by, silent.resolution) == (SYSTEM, "Builder was heard of again")


def test_after_it_was_resolved_silence_counts_anew() -> None:
    bench = guarded()
    working(bench)
    bench.now += 700
    swept(bench)
    resolved(bench, raised(bench)[0])
    bench.now += 600
    swept(bench)
    assert len(raised(bench)) == 1
    bench.now += 1
    swept(bench)
    assert len(raised(bench)) == 2


def test_who_is_paused_may_be_silent_and_has_time_after_it() -> None:
    bench = guarded()
    working(bench)
    found(bench, Severity.DESIGN_FLAW)
    bench.now += 2 * HOUR
    swept(bench)
    (flaw,) = raised(bench)
    bench.did("director", lambda d: attempt(d, emergency=flaw.id, what="talk"))
    swept(bench)
    resolved(bench, flaw)
    bench.now += 600
    swept(bench)
    assert len(raised(bench)) == 1


def test_while_the_run_is_paused_nothing_is_watched() -> None:
    bench = guarded(budget={"max_hours": 1})
    working(bench)
    bench.did(HUMAN, lambda d: pause(d, reason="dinner"))
    bench.now += 9 * HOUR
    swept(bench, Machine(memory_percent=99, queue=99, latency_s=9_999))
    assert not raised(bench)


# All of them


def test_a_guards_alarm_is_on_the_board_with_the_change_that_showed_it(
    tmp_path: Path, clock: FakeClock
) -> None:
    with open_board(tmp_path, clock, react=REACTIONS) as board:
        for number in range(3):
            board.change(
                lambda d, n=number: note_call(d, role=Role.BUILDER, tool="t", arguments=str(n), ok=True),
                actor="builder",
            )
        assert [(event.kind, event.actor) for event in board.journal(limit=3, newest=True)] == [
            ("call_made", "builder"),
            ("emergency_raised", SYSTEM),
            ("message_sent", SYSTEM),
        ]
        board.change(lambda d: restart(d, role=Role.BUILDER, reason="stuck"), actor="director")
        with board.reading() as (_, documents):
            assert [e.status for e in documents.all(Emergency)] == ["resolved"]


def _call(bench: Bench) -> None:
    called(bench, "same", error="same")


def _begin(bench: Bench) -> None:
    with suppress(InputError):  # the team may have to pause
        begun(bench, 1)


def _clash(bench: Bench) -> None:
    found(bench, Severity.CRITICAL, contradicts=Role.BUILDER)


def _wait(bench: Bench) -> None:
    bench.now += 400
    swept(bench, Machine(memory_percent=80 + bench.seq % 20))


def _settle(bench: Bench) -> None:
    still = [emergency for emergency in raised(bench) if emergency.open]
    if still:
        resolved(bench, still[0])


@given(st.lists(st.sampled_from([_call, _begin, _clash, _wait, _settle]), max_size=40))
def test_a_cause_is_raised_once(taken: list[Callable[[Bench], None]]) -> None:
    """Whatever happens in whatever order: one open emergency a cause, and none that looking again raises."""
    bench = guarded(budget={"max_hours": 1, "expected_minutes": {"planning": 20}})
    bench.did("director", lambda d: add_tasks(d, tasks=[NewTask(id="auth", title="Auth", role=Role.BUILDER)]))
    working(bench)
    for act in taken:
        act(bench)
        still = [(e.cause, e.key) for e in raised(bench) if e.open]
        assert len(still) == len(set(still))
    seq = bench.seq
    for _ in range(3):
        swept(bench)
    settled = bench.seq
    swept(bench)
    assert bench.seq == settled
    assert settled - seq <= 10


@pytest.mark.parametrize("known", [None, Machine()])
def test_a_sweep_that_sees_nothing_changes_nothing(known: Machine | None) -> None:
    bench = guarded()
    swept(bench, known)
    assert bench.seq == 1
