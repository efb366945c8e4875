"""A run on a screen: phase, alarms, agents, proposals, tasks, money. A function of the overview.

Every text of an agent goes through `screen`. Nothing here says that a human was told without a receipt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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
from clawswarm.types.money import show_usd, to_pico

INDENT = "   "
DEEP = INDENT * 2
WIDEST = 120
"""Columns that are used where nothing says how many there are."""
WHOLE, SHORT = 8, 2
"""Lines of a text: where there is room for any number, and where there is not."""

MARKS = {"pending": "○", "running": "▶", "done": "✓", "failed": "✗", "parked": "‖", "cancelled": "-"}
ORDER = ("done", "running", "pending", "failed", "parked", "cancelled")


def screen(
    overview: Overview, *, width: int = WIDEST, room: int | None = None, events: Sequence[Event] = ()
) -> list[str]:
    """The whole display.

    Args:
        width, room: columns and lines of the screen; no room means as many lines as it takes.
        events: the last ones of the journal.
    """
    drawing = _Drawing(overview, width, WHOLE if room is None else SHORT)
    return [fit(line, width) for line in arranged((*drawing.sections(), drawing.events(events)), room)]


def told(alert: Alert | None) -> list[str]:
    """What is known of whether a human has heard of it: a receipt, or that there is none, and why."""
    if alert is None:
        return ["nobody has been told"]
    calls = [each for each in alert.receipts if each.channel != "file"]
    if calls:
        return [f"{each.channel} took it at {clock_time(each.at)}, {one_line(each.detail)}" for each in calls]
    parts = ["nobody has been told yet"]
    parts += [f"{channel}: {one_line(why)}" for channel, why in alert.trouble.items()]
    if set(alert.wanted) == {"file"}:
        parts.append("the file in the alerts folder is all there is; to be called, set team.alerts.webhook")
    return parts


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The parts of the display.

    Attributes:
        most: lines of one text.
    """

    overview: Overview
    width: int
    most: int

    def sections(self) -> tuple[Section, ...]:
        return (
            Section(head=self._heading(), rank=0),
            Section(rows=[self._alarm(each) for each in self.overview.standing.emergencies], rank=1),
            Section(rows=self._late_alerts(), rank=4),
            Section(rows=self._agents(), rank=2),
            Section(head=self._proposals_title(), rows=self._proposals(), rank=5),
            Section(head=self._tasks_title(), rows=self._tasks(), rank=6),
            Section(head=[*self._money(), *self._checkpoint()], rank=3),
        )

    def events(self, events: Sequence[Event]) -> Section:
        return Section(rows=[[INDENT + event_line(event)] for event in events], rank=7, tail=True)

    def _text(
        self, text: str, first: str = DEEP, then: str | None = None, most: int | None = None
    ) -> list[str]:
        """A text on as many lines as it may have."""
        return wrapped(text, self.width, first=first, then=then, most=most or self.most)

    def _heading(self) -> list[str]:
        run, standing = self.overview.run, self.overview.standing
        short = 1 if self.most == SHORT else WHOLE
        wide = INDENT + " " * len("Phase: ")
        phase = f"{run.phase}, round {run.round}" if run.round else run.phase.value
        lines = [f"🐝 {run.id}", *self._text(one_line(run.goal), INDENT, most=short)]
        lines += self._text(f"{phase} {self._how_long()}", f"{INDENT}Phase: ", wide)
        if run.paused_by is not None or not run.open:
            lines += self._text(one_line(standing.reason), f"{INDENT}Run:   ", wide)
        level = f"{standing.level:d}, breaker {standing.breaker}: {MEANING[standing.level]}"
        return lines + self._text(level, f"{INDENT}Level: ", wide, most=short)

    def _how_long(self) -> str:
        run, now = self.overview.run, self.overview.at
        if run.ended is not None:
            return f"(ended {ago(now - run.ended)}, after {lasting(run.ended - run.opened)})"
        expected = run.rules.budget.expected_minutes.get(run.phase.value)
        of = f" of {lasting(expected * 60)}" if expected else ""
        return f"for {lasting(now - run.since)}{of} (opened {ago(now - run.opened)})"

    def _alarm(self, emergency: Emergency) -> list[str]:
        title = f"{emergency.id}  level {emergency.level:d}, {TITLES[emergency.cause]}"
        when = ago(self.overview.at - emergency.at)
        lines = [
            fit(f"🚨 {title}, by {emergency.by}, {when}", self.width),
            *self._text(one_line(emergency.text)),
        ]
        failed = sum(attempt.worked is False for attempt in emergency.attempts)
        if failed:
            lines.append(f"{DEEP}{failed} failed attempt{'s' * (failed > 1)}")
        if emergency.status == "probing":
            lines += self._text(f"being tried: {one_line(emergency.attempts[-1].what)}")
        if needs_human(emergency.level):
            lines += self._text(f"a human is needed: {one_line(emergency.human or 'level 3')}")
            lines += self._text("; ".join(told(self.overview.alerts.get(emergency.id))))
        if self.overview.run.open:
            lines.append(f'{DEEP}to end it: swarm team resolve {emergency.id} "what was done"')
        return lines

    def _late_alerts(self) -> list[list[str]]:
        """Alerts of emergencies that are over, which a channel still has to take."""
        shown = {emergency.id for emergency in self.overview.standing.emergencies}
        late = [alert for alert in self.overview.unreceived if alert.emergency not in shown]
        return [self._text(f"{a.id}, for {a.emergency}: {'; '.join(told(a))}", "📣 ", INDENT) for a in late]

    def _agents(self) -> list[list[str]]:
        """A table; who is to do what is told where somebody is to pause."""
        to_do = {each.role: directive(self.overview.standing, each.role)[0] for each in self.overview.agents}
        all_go_on = set(to_do.values()) == {"continue"}

        def row(
            name: str, status: str, do: str, trust: str, inbox: object, seen: str, work: str
        ) -> list[str]:
            begins = f"{name:<10}  {status:<7}  " + ("" if all_go_on else f"{do:<8}  ")
            return [f"{INDENT}{begins}{trust:>5}  {inbox:>5}  {seen:<7}  {work}"]

        rows = [row("AGENT", "STATUS", "IS TO", "TRUST", "INBOX", "SEEN", "WORKS ON")]
        for agent in self.overview.agents:
            trust = "-" if agent.trust is None else f"{agent.trust}/10"
            seen = "-" if agent.seen is None else lasting(self.overview.at - agent.seen)
            said = (one_line(agent.task), one_line(agent.sentence))
            work = ": ".join(text for text in said if text) or "-"
            inbox = str(self.overview.unread.get(agent.role, 0))
            rows.append(row(agent.role, agent.status, to_do[agent.role], trust, inbox, seen, work))
        return rows

    def _proposals_title(self) -> list[str]:
        count = len(self.overview.waiting) + self.overview.more_waiting
        return [f"{INDENT}Proposals that wait: {count}"] if count else []

    def _proposals(self) -> list[list[str]]:
        """The newest first, as they stand at this moment: time goes on after they were read."""
        waiting = [each.proposal for each in reversed(self.overview.waiting)]
        return [
            [
                f"{INDENT}{each.id}  {one_line(each.topic)}",
                *self._text(one_line(standing_of(each, self.overview.at))),
            ]
            for each in waiting
        ]

    def _tasks_title(self) -> list[str]:
        tasks = self.overview.tasks
        counts = [f"{tasks.by_status[name]} {name}" for name in ORDER if tasks.by_status.get(name)]
        older = tasks.older_ended + tasks.older_open
        if older:
            counts.append(f"{older} older")
        return [f"{INDENT}Tasks: {', '.join(counts)}"] if counts else []

    def _tasks(self) -> list[list[str]]:
        tasks = [*self.overview.tasks.open, *self.overview.tasks.ended]
        names = column((one_line(task.id) for task in tasks), 20)
        return [[INDENT + _task(task, names)] for task in tasks]

    def _money(self) -> list[str]:
        spent, cap = self.overview.spent, self.overview.run.rules.budget.max_run_spend
        known = ("at least " if spent.unknown else "") + show_usd(spent.cost_pico)
        unknown = f", {spent.unknown} of unknown price" if spent.unknown else ""
        of = "no cap" if cap is None else f"cap {show_usd(to_pico(cap))}"
        return [f"{INDENT}Spend: {known} ({of}), {spent.calls} call{'s' * (spent.calls != 1)}{unknown}"]

    def _checkpoint(self) -> list[str]:
        last, awaited = self.overview.checkpoint, self.overview.run.next_trigger
        lines = [f"{INDENT}Checkpoint: none yet"]
        if last is not None:
            text = f"{last.id}, {ago(self.overview.at - last.at)}: {one_line(last.trigger)}"
            lines = self._text(f"Checkpoint: {text}", INDENT, DEEP)
        return lines + (self._text(f"Next: {one_line(awaited)}", INDENT, DEEP) if awaited else [])


def _task(task: Task, names: int) -> str:
    tried = f" (attempt {task.attempts})" if task.attempts > 1 else ""
    note = f": {one_line(task.note)}" if task.note and task.status in ("failed", "parked") else ""
    name = padded(one_line(task.id), names)
    return f"{MARKS[task.status]} {name}  {task.role:<10}  {one_line(task.title)}{tried}{note}"
