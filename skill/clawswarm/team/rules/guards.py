"""When the board raises an emergency by itself (operations guide, section 4, "Automatic Triggers").

Each guard takes facts (counters of the journal, findings, the machine) and returns what it saw, or None. What
is not known is not judged. A number that passed its limit is a new cause again only when it grew by as much.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clawswarm.config.team import Budget, Guards
from clawswarm.team.rules.levels import OVER_BUDGET
from clawswarm.team.rules.roles import display_name
from clawswarm.types.board import Agent, Finding, Run, Spend, Task
from clawswarm.types.money import show_usd, to_pico
from clawswarm.types.team import Cause, Level, Role, Severity

MOST_QUOTED = 200
AGENT_CAUSES: tuple[Cause, ...] = ("same_error", "loop", "stuck", "silent")
"""What a guard raises about one agent. One alarm at a time: the most telling one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the machine tells; None is not known.

    Attributes:
        memory_percent: memory in use.
        queue: requests that wait for the model.
        latency_s: seconds that the model's last answer took, or that the one under way has taken.
    """

    memory_percent: float | None = None
    queue: int | None = None
    latency_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What a guard saw.

    Attributes:
        key: what it is about, and since when: the same key is the same cause.
        saw: the numbers, and the thresholds that they passed.
    """

    cause: Cause
    key: str
    level: Level
    text: str
    saw: dict[str, Any]
    agent: Role | None = None
    human: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What an emergency has already said under a key.

    Attributes:
        most: the highest number it said; None: none was raised.
        open: one is still open.
    """

    most: float | None = None
    open: bool = False

    def is_news(self, value: float, limit: float) -> bool:
        """Whether `value` is past the limit, and as much past what was told."""
        if self.most is None:
            return value > limit
        return not self.open and value > max(limit, self.most) and value >= self.most + limit


UNTOLD = Told()


def calls(agent: Agent, rules: Guards) -> Sighting | None:
    """STUCK and LOOP: calls in a row that repeat themselves, fail in the same way, or change nothing."""
    name = display_name(agent.role)
    found: tuple[tuple[Cause, int, int, str], ...] = (
        ("same_error", agent.same_errors, rules.same_error, "met the same error"),
        ("loop", agent.same_calls, rules.repeats, "made the same call with the same arguments"),
        ("stuck", agent.idle_calls, rules.calls_without_progress, "made calls without any progress"),
    )
    for cause, count, limit, what in found:
        if count and count % limit == 0:
            return Sighting(
                cause=cause,
                key=f"{agent.role}:life{agent.life}",
                level=Level.AGENT,
                text=f"{name} {what}, {count} in a row",
                saw={"in_a_row": count, "limit": limit, "life": agent.life, "last_error": agent.last_error},
                agent=agent.role,
            )
    return None


def silent(agent: Agent, since: float, now: float, rules: Guards) -> Sighting | None:
    """STUCK: a working agent of which the board has seen nothing since `since`."""
    minutes = (now - since) / 60
    if agent.status != "working" or minutes <= rules.silent_minutes:
        return None
    return Sighting(
        cause="silent",
        key=f"{agent.role}:since{since:.0f}",
        level=Level.AGENT,
        text=f"{display_name(agent.role)} says that it works, and was silent for {minutes:.0f} minutes",
        saw={"silent_minutes": round(minutes, 1), "limit": rules.silent_minutes, "seen": agent.seen},
        agent=agent.role,
    )


def contradiction(finding: Finding) -> Sighting | None:
    """CONFLICT: a reviewer's output contradicts another agent's. One cause a pair, task and review."""
    if finding.contradicts is None:
        return None
    pair = "+".join(sorted((finding.role, finding.contradicts)))
    about = f"task {finding.task}: " if finding.task else ""
    names = f"{display_name(finding.role)} contradicts {display_name(finding.contradicts)}"
    return Sighting(
        cause="conflict",
        key=f"{pair}:{finding.task or 'no task'}:round{finding.round}",
        level=Level.COORDINATION,
        text=f"{names}: {about}{_quoted(finding.text)}",
        saw={"finding": finding.id, "task": finding.task, "round": finding.round},
    )


def design_flaw(finding: Finding) -> Sighting | None:
    """QUALITY: the Architect calls the design flawed."""
    if finding.severity is not Severity.DESIGN_FLAW or finding.role is not Role.ARCHITECT:
        return None
    return Sighting(
        cause="quality",
        key=f"flaw:{finding.id}",
        level=Level.COORDINATION,
        text=f"the Architect sees a design flaw: {_quoted(finding.text)}",
        saw={"finding": finding.id, "task": finding.task, "round": finding.round},
    )


def review_key(round_: int) -> str:
    return f"critical:round{round_}"


def criticals(findings: Iterable[Finding], round_: int, told: Told, rules: Guards) -> Sighting | None:
    """QUALITY: too many critical findings in one review. `told` is under `review_key`."""
    found = [f for f in findings if f.round == round_ and f.severity is Severity.CRITICAL]
    if not told.is_news(len(found), rules.critical_findings):
        return None
    return Sighting(
        cause="quality",
        key=review_key(round_),
        level=Level.COORDINATION,
        text=f"{len(found)} critical findings in review round {round_} (limit: {rules.critical_findings})",
        saw={"number": len(found), "limit": rules.critical_findings, "round": round_},
    )


def task_key(task: Task) -> str:
    return f"task:{task.id}"


def attempts(task: Task, told: Told, rules: Guards) -> Sighting | None:
    """RUNAWAY: a task that was begun too often: level 2; begun again while that is open: level 3."""
    limit = rules.task_attempts
    risen = told.open and told.most is not None and task.attempts > max(limit, told.most)
    if not (risen or told.is_news(task.attempts, limit)):
        return None
    return Sighting(
        cause="runaway",
        key=task_key(task),
        level=Level.SYSTEM if risen else Level.COORDINATION,
        text=f"task {task.id} was attempted {task.attempts} times (limit: {limit})",
        saw={"number": task.attempts, "limit": limit, "task": task.id},
    )


def phase_key(run: Run) -> str:
    return f"phase:{run.phase}:{run.since:.0f}"


def phase_length(run: Run, worked: float, told: Told) -> Sighting | None:
    """RUNAWAY: a phase that takes too long: level 2; an expected duration later, still open: level 3.

    Args:
        worked: seconds of the phase in which the team could work.
    """
    expected = run.rules.budget.expected_minutes.get(run.phase.value)
    if expected is None:
        return None
    minutes, limit = worked / 60, expected * run.rules.guards.phase_factor
    risen = told.open and told.most is not None and minutes >= told.most + expected
    if not (risen or told.is_news(minutes, limit)):
        return None
    return Sighting(
        cause="runaway",
        key=phase_key(run),
        level=Level.SYSTEM if risen else Level.COORDINATION,
        text=f"the phase {run.phase} takes {minutes:.0f} minutes so far, {expected:g} were expected",
        saw={"number": round(minutes, 1), "limit": limit, "expected": expected, "phase": run.phase.value},
    )


def working_seconds(since: float, now: float, pauses: Iterable[tuple[float, float]]) -> float:
    """Seconds between two moments, without the pauses; those may overlap."""
    worked, at = now - since, since
    for begin, end in sorted(pauses):
        paused = min(end, now) - max(begin, at)
        worked -= max(0.0, paused)
        at = max(at, end)
    return worked


SPEND_KEY = "spend"


def spent(spends: Iterable[Spend], told: Told, budget: Budget) -> Sighting | None:
    """The budget in money: what the agents report, over the run's cap. `told` is under `SPEND_KEY`."""
    if budget.max_run_spend is None:
        return None
    found = list(spends)
    total, cap = sum(spend.cost_pico for spend in found), to_pico(budget.max_run_spend)
    if not told.is_news(total, cap):
        return None
    unknown = sum(spend.unknown for spend in found)
    lacking = f", and {unknown} calls of unknown price" if unknown else ""
    return Sighting(
        cause="budget",
        key=SPEND_KEY,
        level=Level.SYSTEM,
        text=f"the run has spent {show_usd(total)}{lacking}; its cap is {show_usd(cap)}",
        saw={"number": total, "limit": cap, "unit": "picodollars", "calls_of_unknown_price": unknown},
        human=OVER_BUDGET,
    )


HOURS_KEY = "hours"


def hours(run: Run, now: float, told: Told) -> Sighting | None:
    """The budget in time: how long the run has been open. `told` is under `HOURS_KEY`."""
    limit, taken = run.rules.budget.max_hours, (now - run.opened) / 3600
    if limit is None or not told.is_news(taken, limit):
        return None
    return Sighting(
        cause="budget",
        key=HOURS_KEY,
        level=Level.SYSTEM,
        text=f"the run takes {taken:.1f} hours so far; it may take {limit:g}",
        saw={"number": round(taken, 2), "limit": limit, "unit": "hours"},
        human=OVER_BUDGET,
    )


def resources(machine: Machine, rules: Guards) -> Mapping[str, Sighting | None]:
    """RESOURCE: what is exhausted, by what it is about; None for what is known and in order."""
    facts: Sequence[tuple[str, float | None, float, str]] = (
        ("memory", machine.memory_percent, rules.memory_percent, "{:.0f} % of the memory is in use"),
        ("queue", machine.queue, rules.queue, "{:.0f} requests wait for the model"),
        (
            "latency",
            machine.latency_s,
            rules.latency_minutes * 60,
            "one answer took {:.0f} seconds",
        ),
    )
    return {
        key: _exhausted(key, value, limit, text) if value > limit else None
        for key, value, limit, text in facts
        if value is not None
    }


def _exhausted(key: str, value: float, limit: float, text: str) -> Sighting:
    return Sighting(
        cause="resource",
        key=key,
        level=Level.SYSTEM,
        text=f"{text.format(value)} (limit: {limit:g})",
        saw={"number": round(value, 1), "limit": limit},
    )


def _quoted(text: str) -> str:
    return text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 1]}…"
