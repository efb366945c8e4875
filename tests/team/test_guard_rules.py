"""The guards as rules: what they see in facts, at which numbers, and when it is a new cause."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.config.team import Budget, Guards, TeamRules
from clawswarm.team.rules import guards
from clawswarm.team.rules.guards import UNTOLD, Machine, Told
from clawswarm.types.board import Agent, Finding, Run, Spend, Task
from clawswarm.types.team import Phase, Role, Severity

RULES = Guards()
HOUR = 3600.0


def builder(**facts: Any) -> Agent:
    given: dict[str, Any] = {"role": Role.BUILDER, "status": "working", "task": "auth", "seen": 0.0}
    return Agent(**(given | facts))


def finding(number: int = 1, severity: Severity = Severity.CRITICAL, **facts: Any) -> Finding:
    given: dict[str, Any] = {"id": f"f{number}", "role": Role.INSPECTOR, "text": "MD5", "round": 1, "at": 0}
    return Finding(severity=severity, **(given | facts))


def task(attempts: int) -> Task:
    return Task(id="auth", title="Auth", role=Role.BUILDER, status="running", attempts=attempts)


def run(*, hours: float | None = None, **minutes: float) -> Run:
    budget = Budget.model_validate({"max_hours": hours, "expected_minutes": minutes})
    return Run(
        id="r1", goal="g", rules=TeamRules(budget=budget), opened=0, since=0, phase=Phase.EXECUTION, round=1
    )


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"idle_calls": 3}, "stuck"),
        ({"same_errors": 3, "last_error": "no module"}, "same_error"),
        ({"same_calls": 3}, "loop"),
        ({"idle_calls": 3, "same_calls": 3}, "loop"),
        ({"idle_calls": 3, "same_calls": 3, "same_errors": 3}, "same_error"),
    ],
)
def test_three_calls_that_lead_nowhere_are_seen(facts: dict[str, Any], cause: str) -> None:
    seen = guards.calls(builder(**facts), RULES)
    assert seen is not None
    assert (seen.cause, seen.level, seen.agent, seen.key) == (cause, 1, Role.BUILDER, "builder:life0")
    assert seen.saw["in_a_row"] == seen.saw["limit"] == 3
    assert seen.text.startswith("Builder ")
    assert seen.text.endswith("3 in a row")


@pytest.mark.parametrize(
    "facts", [{}, {"idle_calls": 2}, {"idle_calls": 4}, {"same_errors": 2, "same_calls": 5}]
)
def test_it_is_seen_when_it_happens_and_not_with_every_call_after(facts: dict[str, int]) -> None:
    assert guards.calls(builder(**facts), RULES) is None


def test_after_as_many_further_calls_it_is_seen_again() -> None:
    counted = [n for n in range(1, 13) if guards.calls(builder(idle_calls=n), RULES)]
    assert counted == [3, 6, 9, 12]


def test_a_working_agent_may_be_silent_for_ten_minutes() -> None:
    assert guards.silent(builder(), 0, 600, RULES) is None
    seen = guards.silent(builder(), 0, 601, RULES)
    assert seen is not None
    assert (seen.cause, seen.level, seen.agent) == ("silent", 1, Role.BUILDER)
    assert seen.saw == {"silent_minutes": 10.0, "limit": 10, "seen": 0.0}


@pytest.mark.parametrize("status", ["idle", "active", "blocked", "stopped"])
def test_who_does_not_say_that_it_works_may_be_silent(status: str) -> None:
    assert guards.silent(builder(status=status), 0, 9_999, RULES) is None


def test_a_contradiction_is_one_cause_whoever_notes_it() -> None:
    there = guards.contradiction(finding(task="auth", contradicts=Role.REFACTORER))
    back = guards.contradiction(finding(2, role=Role.REFACTORER, task="auth", contradicts=Role.INSPECTOR))
    assert there is not None
    assert back is not None
    assert (there.cause, there.level) == ("conflict", 2)
    assert there.key == back.key
    assert there.text == "Inspector contradicts Refactorer: task auth: MD5"
    elsewhere = guards.contradiction(finding(contradicts=Role.REFACTORER))
    assert elsewhere is not None
    assert elsewhere.key != there.key
    assert guards.contradiction(finding()) is None


def test_a_design_flaw_is_the_architects() -> None:
    seen = guards.design_flaw(finding(severity=Severity.DESIGN_FLAW, role=Role.ARCHITECT, text="x" * 900))
    assert seen is not None
    assert (seen.cause, seen.level) == ("quality", 2)
    assert len(seen.text) < 300
    assert guards.design_flaw(finding(severity=Severity.DESIGN_FLAW)) is None
    assert guards.design_flaw(finding(role=Role.ARCHITECT)) is None


def test_more_than_five_critical_findings_of_one_review_are_seen() -> None:
    five = [finding(n) for n in range(5)]
    others = [finding(8, Severity.MAJOR), finding(9, round=2)]
    assert guards.criticals([*five, *others], 1, UNTOLD, RULES) is None
    seen = guards.criticals([*five, *others, finding(6)], 1, UNTOLD, RULES)
    assert seen is not None
    assert (seen.cause, seen.level, seen.saw["number"]) == ("quality", 2, 6)


def test_a_task_begun_more_than_five_times_is_level_2_and_once_more_level_3() -> None:
    assert guards.attempts(task(5), UNTOLD, RULES) is None
    sixth = guards.attempts(task(6), UNTOLD, RULES)
    assert sixth is not None
    assert (sixth.cause, sixth.level, sixth.saw["number"]) == ("runaway", 2, 6)
    assert guards.attempts(task(6), Told(6, open=True), RULES) is None
    seventh = guards.attempts(task(7), Told(6, open=True), RULES)
    assert seventh is not None
    assert (seventh.key, seventh.level) == (sixth.key, 3)


def test_a_resolved_runaway_has_as_many_attempts_again() -> None:
    resolved = [n for n in range(1, 20) if guards.attempts(task(n), Told(6, open=False), RULES)]
    assert resolved[0] == 11


def test_a_phase_may_take_twice_its_time_and_once_more_is_level_3() -> None:
    going = run(execution=60)
    assert guards.phase_length(going, 2 * HOUR, UNTOLD) is None
    over = guards.phase_length(going, 2 * HOUR + 60, UNTOLD)
    assert over is not None
    assert (over.cause, over.level, over.saw["expected"]) == ("runaway", 2, 60)
    assert guards.phase_length(going, 3 * HOUR, Told(121, open=True)) is None
    later = guards.phase_length(going, 3 * HOUR + 60, Told(121, open=True))
    assert later is not None
    assert (later.key, later.level) == (over.key, 3)
    assert guards.phase_length(going, 4 * HOUR, Told(121, open=False)) is None


def test_a_phase_without_an_expected_time_is_not_watched() -> None:
    assert guards.phase_length(run(review=1), 1e9, UNTOLD) is None


@given(
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200))), st.integers(0, 100), st.integers(100, 200)
)
def test_working_time_is_what_no_pause_covers(pauses: list[tuple[int, int]], since: int, now: int) -> None:
    spans = [(min(pause), max(pause)) for pause in pauses]
    free = sum(not any(begin <= second < end for begin, end in spans) for second in range(since, now))
    assert guards.working_seconds(since, now, spans) == free


def spends(*cost: int, unknown: int = 0) -> Sequence[Spend]:
    roles = list(Role)
    return [Spend(role=roles[n], cost_pico=pico, unknown=unknown) for n, pico in enumerate(cost)]


def test_money_over_the_cap_goes_to_a_human_at_once() -> None:
    budget = Budget(max_run_spend=Decimal("0.5"))
    half = 500_000_000_000
    assert guards.spent(spends(half - 1, 1), UNTOLD, budget) is None
    seen = guards.spent(spends(half, 1, unknown=2), UNTOLD, budget)
    assert seen is not None
    assert (seen.cause, seen.level, seen.human) == ("budget", 3, "cost or time budget exceeded")
    assert "4 calls of unknown price" in seen.text
    assert guards.spent(spends(2 * half), Told(half + 1, open=False), budget) is None
    assert guards.spent(spends(2 * half + 1), Told(half + 1, open=False), budget)
    assert guards.spent(spends(2 * half + 1), Told(half + 1, open=True), budget) is None
    assert guards.spent(spends(half * 9), UNTOLD, Budget()) is None


def test_a_cap_of_nothing_allows_nothing() -> None:
    nothing = Budget(max_run_spend=Decimal(0))
    assert guards.spent(spends(0), UNTOLD, nothing) is None
    assert guards.spent(spends(1), UNTOLD, nothing)
    assert guards.spent(spends(1), Told(1), nothing) is None


def test_hours_over_the_limit_go_to_a_human_at_once() -> None:
    assert guards.hours(run(hours=8), 8 * HOUR, UNTOLD) is None
    seen = guards.hours(run(hours=8), 8 * HOUR + 60, UNTOLD)
    assert seen is not None
    assert (seen.cause, seen.level, seen.human) == ("budget", 3, "cost or time budget exceeded")
    assert guards.hours(run(), 1e9, UNTOLD) is None


@pytest.mark.parametrize(
    ("machine", "exhausted"),
    [
        (Machine(memory_percent=90, queue=50, latency_s=300), set[str]()),
        (Machine(memory_percent=90.1), {"memory"}),
        (Machine(queue=51), {"queue"}),
        (Machine(latency_s=301), {"latency"}),
        (Machine(memory_percent=99, queue=99, latency_s=999), {"memory", "queue", "latency"}),
    ],
)
def test_the_machine_is_exhausted_beyond_the_limits(machine: Machine, exhausted: set[str]) -> None:
    found = guards.resources(machine, RULES)
    assert {key for key, seen in found.items() if seen} == exhausted
    assert all((seen.cause, seen.level) == ("resource", 3) for seen in found.values() if seen)


def test_what_the_machine_does_not_tell_is_not_judged() -> None:
    assert guards.resources(Machine(), RULES) == {}
    assert set(guards.resources(Machine(queue=0), RULES)) == {"queue"}


@given(st.lists(st.integers(1, 3), min_size=1, max_size=60), st.integers(1, 7))
def test_a_growing_number_is_told_once_a_limit(steps: list[int], limit: int) -> None:
    """What was told and resolved is told again only after it has grown by the limit."""
    told, value, said = UNTOLD, 0, list[int]()
    for step in steps:
        value += step
        if told.is_news(value, limit):
            said.append(value)
            assert not Told(value, open=True).is_news(value + 10 * limit, limit)
            told = Told(value)
    assert bool(said) == (value > limit)
    assert all(after - before >= limit for before, after in pairwise(said))
