"""A run on a screen: phase, alarms, agents, proposals, tasks, money. A function of the overview.

Every text of an agent goes through `screen`. Nothing here says that a human was told without a receipt.
"""

from collections.abc import Sequence

from clawswarm.cli.screen import one_line
from clawswarm.cli.team_layout import Section, arranged, column, fit, padded, wrapped
from clawswarm.cli.team_log_lines import event_line
from clawswarm.cli.team_times import ago, clock_time, lasting
from clawswarm.team.overview import Overview
from clawswarm.team.rules.levels import MEANING, TITLES, needs_human
from clawswarm.team.standing import directive
from clawswarm.team.voting import standing_of
from clawswarm.types.alarms import Alert, Emergency
from clawswarm.types.board import Task
from clawswarm.types.journal import Event
from clawswarm.types.meetings import Proposal
from clawswarm.types.money import show_usd, to_pico

INDENT = "   "
DEEP = INDENT * 2
WIDEST = 120
"""Columns that are used where nothing says how many there are."""

MARKS = {"pending": "○", "running": "▶", "done": "✓", "failed": "✗", "parked": "‖", "cancelled": "-"}
MOST_LINES, FEW_LINES = 6, 2
"""Lines of an emergency's text: where there is room for any number, and where there is not."""

ORDER = ("done", "running", "pending", "failed", "parked", "cancelled")


def screen(
    overview: Overview, *, width: int = WIDEST, room: int | None = None, events: Sequence[Event] = ()
) -> list[str]:
    """The whole display.

    Args:
        width, room: columns and lines of the screen; no room means as many lines as it takes.
        events: the last ones of the journal.
    """
    emergencies, text_lines = overview.standing.emergencies, MOST_LINES if room is None else FEW_LINES
    sections = (
        Section(head=_heading(overview, width), rank=0),
        Section(rows=[_alarm(overview, each, width, text_lines) for each in emergencies], rank=1),
        Section(rows=_unreceived(overview, width), rank=4),
        Section(rows=_agents(overview, width), rank=2),
        Section(head=_proposals_title(overview), rows=_proposals(overview, width), rank=5),
        Section(head=_tasks_title(overview), rows=_tasks(overview, width), rank=6),
        Section(head=_money_and_checkpoint(overview, width), rank=3),
        Section(rows=[[fit(INDENT + event_line(event), width)] for event in events], rank=7, tail=True),
    )
    return arranged(sections, room)


def _heading(overview: Overview, width: int) -> list[str]:
    run, standing = overview.run, overview.standing
    wide = INDENT + " " * 7
    phase = f"{run.phase}, round {run.round}" if run.round else run.phase.value
    lines = [f"🐝 {run.id}", *wrapped(one_line(run.goal), width, first=INDENT)]
    lines += wrapped(f"{phase} {_how_long(overview)}", width, first=f"{INDENT}Phase: ", then=wide)
    if run.paused_by is not None or not run.open:
        lines += wrapped(one_line(standing.reason), width, first=f"{INDENT}Run:   ", then=wide)
    level = f"{standing.level:d}, {MEANING[standing.level]}; breaker {standing.breaker}"
    return lines + wrapped(level, width, first=f"{INDENT}Level: ", then=wide)


def _how_long(overview: Overview) -> str:
    run = overview.run
    if run.ended is not None:
        return f"(ended {ago(overview.at - run.ended)}, after {lasting(run.ended - run.opened)})"
    expected = run.rules.budget.expected_minutes.get(run.phase.value)
    of = f" of {lasting(expected * 60)}" if expected else ""
    return f"for {lasting(overview.at - run.since)}{of} (opened {ago(overview.at - run.opened)})"


def _alarm(overview: Overview, emergency: Emergency, width: int, most: int) -> list[str]:
    title = f"{emergency.id}  level {emergency.level:d}, {TITLES[emergency.cause]}"
    lines = [
        fit(f"🚨 {title}, by {emergency.by}, {ago(overview.at - emergency.at)}", width),
        *wrapped(one_line(emergency.text), width, first=DEEP)[:most],
    ]
    failed = sum(attempt.worked is False for attempt in emergency.attempts)
    if failed:
        lines.append(f"{DEEP}{failed} failed attempt{'s' * (failed > 1)}")
    if emergency.status == "probing":
        lines += wrapped(f"being tried: {one_line(emergency.attempts[-1].what)}", width, first=DEEP)
    if needs_human(emergency.level):
        why = one_line(emergency.human or "level 3")
        lines += wrapped(f"a human is needed: {why}", width, first=DEEP)
        lines += wrapped(told(overview.alerts.get(emergency.id)), width, first=DEEP)
        lines.append(f'{DEEP}end it: swarm team resolve {emergency.id} "what was done"')
    return lines


def told(alert: Alert | None) -> str:
    """What is known of whether a human has heard of it: a receipt, or why there is none."""
    if alert is None:
        return "nobody has been told"
    calls = [receipt for receipt in alert.receipts if receipt.channel != "file"]
    if calls:
        taken = ", ".join(
            f"{each.channel} at {clock_time(each.at)} ({one_line(each.detail)})" for each in calls
        )
        return f"{alert.id} was taken by: {taken}"
    parts = ["nobody has been told yet"]
    parts += [f"{channel}: {one_line(why)}" for channel, why in alert.trouble.items()]
    parts += [f"{one_line(each.detail)} lies in the alerts folder" for each in alert.receipts]
    if set(alert.wanted) == {"file"}:
        parts.append("no other channel is there (see team.alerts.webhook)")
    return "; ".join(parts)


def _unreceived(overview: Overview, width: int) -> list[list[str]]:
    """Alerts of emergencies that are over, which a channel still has to take."""
    shown = {emergency.id for emergency in overview.standing.emergencies}
    return [
        wrapped(
            f"{alert.id} (of {alert.emergency}, resolved): {told(alert)}", width, first="📣 ", then=INDENT
        )
        for alert in overview.unreceived
        if alert.emergency not in shown
    ]


def _agents(overview: Overview, width: int) -> list[list[str]]:
    """A table; who is to do what is told where somebody is to pause."""
    to_do = {agent.role: directive(overview.standing, agent.role)[0] for agent in overview.agents}
    all_go_on = set(to_do.values()) == {"continue"}

    def row(name: str, status: str, do: str, trust: str, inbox: object, seen: str, work: str) -> list[str]:
        told = "" if all_go_on else f"{do:<8}  "
        return [
            fit(f"{INDENT}{name:<10}  {status:<7}  {told}{trust:>5}  {inbox:>5}  {seen:<7}  {work}", width)
        ]

    rows = [row("AGENT", "STATUS", "IS TO", "TRUST", "INBOX", "SEEN", "WORKS ON")]
    for agent in overview.agents:
        trust = "-" if agent.trust is None else f"{agent.trust}/10"
        seen = "-" if agent.seen is None else lasting(overview.at - agent.seen)
        said = (one_line(agent.task), one_line(agent.sentence))
        work = ": ".join(text for text in said if text) or "-"
        inbox = overview.unread.get(agent.role, 0)
        rows.append(row(agent.role, agent.status, to_do[agent.role], trust, inbox, seen, work))
    return rows


def _proposals(overview: Overview, width: int) -> list[list[str]]:
    return [
        [
            fit(f"{INDENT}{each.proposal.id}  {one_line(each.proposal.topic)}", width),
            *wrapped(_stands(each.proposal, overview.at), width, first=DEEP),
        ]
        for each in reversed(overview.waiting)
    ]


def _stands(proposal: Proposal, now: float) -> str:
    """As at `now`, which may be later than what was collected."""
    return one_line(standing_of(proposal, now))


def _proposals_title(overview: Overview) -> list[str]:
    count = len(overview.waiting) + overview.more_waiting
    return [f"{INDENT}Proposals that wait: {count}"] if count else []


def _tasks_title(overview: Overview) -> list[str]:
    counts = [
        f"{overview.tasks.by_status[name]} {name}" for name in ORDER if overview.tasks.by_status.get(name)
    ]
    older = overview.tasks.older_ended + overview.tasks.older_open
    if older:
        counts.append(f"{older} older")
    return [f"{INDENT}Tasks: {', '.join(counts)}"] if counts else []


def _tasks(overview: Overview, width: int) -> list[list[str]]:
    tasks = [*overview.tasks.open, *overview.tasks.ended]
    names = column((one_line(task.id) for task in tasks), 20)
    return [[fit(f"{INDENT}{_task(task, names)}", width)] for task in tasks]


def _task(task: Task, names: int) -> str:
    tried = f" (attempt {task.attempts})" if task.attempts > 1 else ""
    note = f": {one_line(task.note)}" if task.note and task.status in ("failed", "parked") else ""
    title = one_line(task.title)
    return f"{MARKS[task.status]} {padded(one_line(task.id), names)}  {task.role:<10}  {title}{tried}{note}"


def _money_and_checkpoint(overview: Overview, width: int) -> list[str]:
    spent, budget = overview.spent, overview.run.rules.budget
    cap = budget.max_run_spend
    known = ("at least " if spent.unknown else "") + show_usd(spent.cost_pico)
    unknown = f", {spent.unknown} of unknown price" if spent.unknown else ""
    of = "no cap" if cap is None else f"cap {show_usd(to_pico(cap))}"
    lines = [f"{INDENT}Spend: {known} ({of}), {spent.calls} call{'s' * (spent.calls != 1)}{unknown}"]
    last = overview.checkpoint
    if last is None:
        lines.append(f"{INDENT}Checkpoint: none yet")
    else:
        text = f"{last.id}, {ago(overview.at - last.at)}: {one_line(last.trigger)}"
        lines += wrapped(f"Checkpoint: {text}", width, first=INDENT, then=DEEP)
    if overview.run.next_trigger:
        lines += wrapped(f"Next: {one_line(overview.run.next_trigger)}", width, first=INDENT, then=DEEP)
    return lines
