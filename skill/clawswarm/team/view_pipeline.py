"""pipeline-state.md: the work of a run, what it cost and what holds it up (operations guide, section 8)."""

from collections.abc import Sequence

from clawswarm.team.markdown import inline, page, quote, shortened, table
from clawswarm.team.moments import shown
from clawswarm.team.overview import Overview, Spent, Tasks
from clawswarm.team.rules.levels import MEANING
from clawswarm.team.rules.roles import display_name
from clawswarm.team.view_state import phase_name
from clawswarm.types.board import Evidence, Run, Spend, Task
from clawswarm.types.money import show_usd, to_pico
from clawswarm.types.team import Role, TaskStatus

MOST_EVIDENCE = 3
MOST_REF = 80

_ORDER: tuple[TaskStatus, ...] = ("running", "pending", "failed", "parked", "done", "cancelled")
_COLUMNS = ("Task", "Title", "Role", "Needs", "Attempts", "Evidence", "Note")


def pipeline_state(overview: Overview) -> str:
    """The whole file."""
    run, standing = overview.run, overview.standing
    return page(
        "# ~/clawd/memory/pipeline-state.md",
        "",
        "## Goal",
        quote(run.goal),
        "",
        f"## Current Phase: {phase_name(run.phase)}",
        f"- Since: {shown(run.since)}",
        f"- Review rounds: {run.round}",
        f"- Run: {inline(run.id)}, opened {shown(run.opened)}, {_status(run)}",
        "",
        f"## Level: {standing.level:d}",
        f"- Meaning: {MEANING[standing.level]}",
        f"- Circuit breaker: {standing.breaker}",
        f"- Paused: {paused(standing.paused)}",
        f"- Why: {inline(standing.reason)}",
        "",
        "## Progress",
        _progress(overview.tasks),
        *(line for status in _ORDER for line in _listed(overview.tasks, status)),
        "",
        "## Spend",
        _spend(overview),
    )


def paused(roles: frozenset[Role]) -> str:
    """Who pauses, in words."""
    if not roles:
        return "nobody"
    return "everybody" if len(roles) == len(Role) else ", ".join(display_name(r) for r in Role if r in roles)


def _status(run: Run) -> str:
    if run.ended is not None:
        return f"ended {shown(run.ended)}"
    return "open" if run.paused_by is None else f"paused by {display_name(run.paused_by)}"


def _progress(tasks: Tasks) -> list[str]:
    if not tasks.total:
        return ["- No tasks yet"]
    lines = [f"- Tasks: {tasks.total}, open: {tasks.total_open}"]
    lines += [
        f"- {status.capitalize()}: {tasks.by_status[status]}"
        for status in _ORDER
        if status in tasks.by_status
    ]
    if tasks.older_open or tasks.older_ended:
        lines.append(f"- Further back: {tasks.older_open} open, {tasks.older_ended} ended")
    return lines


def _listed(tasks: Tasks, status: TaskStatus) -> list[str]:
    found = [task for task in (*tasks.open, *tasks.ended) if task.status == status]
    if not found:
        return []
    more = tasks.by_status[status] - len(found)
    behind = ["", f"And {more} more: `swarm team task list`"] if more else []
    return ["", f"### {status.capitalize()}", *table(_COLUMNS, [_task(task) for task in found]), *behind]


def _task(task: Task) -> tuple[str, ...]:
    return (
        task.id,
        task.title,
        display_name(task.role),
        ", ".join(task.needs),
        str(task.attempts),
        _evidence(task.evidence),
        task.note,
    )


def _evidence(evidence: Sequence[Evidence]) -> str:
    found = [_proof(each) for each in evidence[:MOST_EVIDENCE]]
    if len(evidence) > MOST_EVIDENCE:
        found.append(f"{len(evidence) - MOST_EVIDENCE} more")
    return "; ".join(found)


def _proof(evidence: Evidence) -> str:
    code = "" if evidence.exit_code is None else f" (exit {evidence.exit_code})"
    return f"{evidence.kind} {shortened(evidence.ref, MOST_REF)}{code}"


def _spend(overview: Overview) -> list[str]:
    spent, budget, run = overview.spent, overview.run.rules.budget, overview.run
    most = "no cap" if budget.max_run_spend is None else f"at most {show_usd(to_pico(budget.max_run_spend))}"
    hours = "no limit" if budget.max_hours is None else f"until {shown(run.opened + budget.max_hours * 3600)}"
    lines = [f"- Cost: {cost(spent)} ({most})", f"- Time: since {shown(run.opened)} ({hours})"]
    if not overview.spend:
        return lines
    rows = [(display_name(role), *_costs(spend)) for role, spend in overview.spend.items()]
    return [
        *lines,
        "",
        *table(("Agent", "Calls", "Input Tokens", "Output Tokens", "Cost"), [*rows, ("All", *_costs(spent))]),
    ]


def _costs(spent: Spend | Spent) -> tuple[str, ...]:
    return (f"{spent.calls:,}", f"{spent.input_tokens:,}", f"{spent.output_tokens:,}", cost(spent))


def cost(spent: Spend | Spent) -> str:
    """What calls cost, and how many are not in the sum because nobody knows their price."""
    if not spent.unknown:
        return show_usd(spent.cost_pico)
    if spent.unknown == spent.calls:
        return "unknown"
    return f"{show_usd(spent.cost_pico)}, {spent.unknown:,} call{'s' * (spent.unknown != 1)} unknown"
