"""A run as it is at one moment, as far as anybody looks at once. What lies further back stays in the journal.

It is made after every change, so it reads what is open and what is new, and counts the rest: what a run has
behind it does not slow it down.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from clawswarm.errors import NotFound
from clawswarm.team.documents import Documents
from clawswarm.team.moments import dated, iso
from clawswarm.team.standing import Standing, standing
from clawswarm.team.voting import standing_of
from clawswarm.types.alarms import Alert, Emergency
from clawswarm.types.board import Agent, Delivery, Run, Spend, Task
from clawswarm.types.meetings import Checkpoint, Proposal
from clawswarm.types.money import to_usd
from clawswarm.types.team import Role, TaskStatus

MOST_TASKS = 200
"""Tasks that are listed: as many open ones, and as many that ended last."""
LOOKED_AT = 500
"""Tasks that are counted by status: those that changed last."""
MOST_PROPOSALS = 100
MOST_DECIDED = 500
MOST_RESOLVED = 20
MOST_ALERTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """The work of a run.

    Attributes:
        open: those that are listed: what runs, then what waits.
        ended: those that ended last, the newest first.
        by_status: how many there are of each; `older_open` and `older_ended` lie further back.
    """

    open: tuple[Task, ...]
    ended: tuple[Task, ...]
    total: int
    total_open: int
    by_status: Mapping[TaskStatus, int]
    older_open: int = 0
    older_ended: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "total": self.total,
            "total_open": self.total_open,
            "by_status": dict(self.by_status),
            "older_open": self.older_open,
            "older_ended": self.older_ended,
            "open": [dated(task) for task in self.open],
            "ended": [dated(task) for task in self.ended],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A proposal that is not decided, and where its vote stands, in words."""

    proposal: Proposal
    stands: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a team's calls cost together; `unknown` calls have no known price and are not in the sum."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_pico: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What `collect` found.

    Attributes:
        agents: the seven, in the order of the guide's tables.
        waiting: open proposals, the newest last; `more_waiting` are not listed.
        decided: the last ones, the newest last; `earlier_decided` lie further back.
        resolved: the emergencies resolved last, the newest first; `earlier_resolved` lie further back.
        unread: messages that wait in each inbox.
        spend: what each agent's calls cost, of those that made any.
        unreceived: alerts that a channel still has to take.
        alerts: by the emergency that each tells of.
    """

    at: float
    run: Run
    standing: Standing
    agents: tuple[Agent, ...]
    tasks: Tasks
    waiting: tuple[Waiting, ...] = ()
    more_waiting: int = 0
    decided: tuple[Proposal, ...] = ()
    earlier_decided: int = 0
    resolved: tuple[Emergency, ...] = ()
    earlier_resolved: int = 0
    checkpoint: Checkpoint | None = None
    unread: Mapping[Role, int] = field(default_factory=dict[Role, int])
    spend: Mapping[Role, Spend] = field(default_factory=dict[Role, Spend])
    spent: Spent = field(default_factory=Spent)
    unreceived: tuple[Alert, ...] = ()
    alerts: Mapping[str, Alert] = field(default_factory=dict[str, Alert])

    def as_json(self) -> dict[str, Any]:
        """Plain JSON for `swarm team status --json`; moments are ISO 8601 in UTC."""
        budget = self.run.rules.budget
        most = budget.max_run_spend
        return {
            "at": iso(self.at),
            "run": {name: value for name, value in dated(self.run).items() if name != "rules"},
            "budget": {"max_run_spend": None if most is None else float(most), "max_hours": budget.max_hours},
            "level": int(self.standing.level),
            "breaker": self.standing.breaker,
            "paused": [role.value for role in Role if role in self.standing.paused],
            "stopped": self.standing.stopped,
            "reason": self.standing.reason,
            "human": self.standing.human,
            "agents": [self._agent(agent) for agent in self.agents],
            "tasks": self.tasks.as_json(),
            "proposals": {
                "waiting": [{**dated(each.proposal), "stands": each.stands} for each in self.waiting],
                "more_waiting": self.more_waiting,
                "decided": [dated(proposal) for proposal in self.decided],
                "earlier_decided": self.earlier_decided,
            },
            "emergencies": {
                "open": [self._emergency(emergency) for emergency in self.standing.emergencies],
                "resolved": [self._emergency(emergency) for emergency in self.resolved],
                "earlier_resolved": self.earlier_resolved,
            },
            "checkpoint": None if self.checkpoint is None else dated(self.checkpoint),
            "spend": {
                "by_role": {role.value: _costs(spend) for role, spend in self.spend.items()},
                "total": _costs(self.spent),
            },
            "alerts": [dated(alert) for alert in self.unreceived],
        }

    def _agent(self, agent: Agent) -> dict[str, Any]:
        return {
            "role": agent.role.value,
            "status": agent.status,
            "task": agent.task,
            "sentence": agent.sentence,
            "trust": agent.trust,
            "life": agent.life,
            "seen": None if agent.seen is None else iso(agent.seen),
            "paused": agent.role in self.standing.paused,
            "unread": self.unread.get(agent.role, 0),
        }

    def _emergency(self, emergency: Emergency) -> dict[str, Any]:
        """With the alert that was made for it, and whether a human can be said to have been told."""
        alert = self.alerts.get(emergency.id)
        return {
            **dated(emergency),
            "alert": None if alert is None else alert.id,
            "human_told": alert is not None and alert.told,
        }


def collect(documents: Documents, run_id: str, *, now: float) -> Overview:
    """The run as it is.

    Raises:
        NotFound: there is no such run.
    """
    run = documents.get(Run, run_id)
    if run is None:
        raise NotFound(f"there is no run {run_id!r}", hint="see: swarm team log --runs")
    agents = {agent.role: agent for agent in documents.all(Agent)}
    stands = standing(documents, run)
    waiting, decided, more_waiting, earlier_decided = _proposals(documents)
    resolved, earlier_resolved = _resolved(documents, len(stands.emergencies))
    spend = {each.role: each for each in documents.all(Spend)}
    unreceived = tuple(documents.all(Alert, open_only=True, newest=MOST_ALERTS))
    told = (*documents.all(Alert, newest=MOST_ALERTS), *unreceived)
    last = run.last_checkpoint
    return Overview(
        at=now,
        run=run,
        standing=stands,
        agents=tuple(agents[role] for role in Role if role in agents),
        tasks=_tasks(documents),
        waiting=tuple(Waiting(proposal=p, stands=standing_of(p, now)) for p in waiting),
        more_waiting=more_waiting,
        decided=decided,
        earlier_decided=earlier_decided,
        resolved=resolved,
        earlier_resolved=earlier_resolved,
        checkpoint=None if last is None else documents.get(Checkpoint, last),
        unread={role: documents.count(Delivery, open_only=True, prefix=f"{role}/") for role in Role},
        spend={role: spend[role] for role in Role if role in spend},
        spent=_spent(spend.values()),
        unreceived=unreceived,
        alerts={alert.emergency: alert for alert in told},
    )


def _tasks(documents: Documents) -> Tasks:
    total, total_open = documents.count(Task), documents.count(Task, open_only=True)
    recent = documents.all(Task, newest=LOOKED_AT)
    seen = {task.id: task for task in (*documents.all(Task, open_only=True, newest=LOOKED_AT), *recent)}
    waits = [task for task in seen.values() if task.open]
    ended = [task for task in reversed(recent) if not task.open]
    return Tasks(
        open=tuple(sorted(waits, key=lambda task: (task.status != "running", task.id))[:MOST_TASKS]),
        ended=tuple(ended[:MOST_TASKS]),
        total=total,
        total_open=total_open,
        by_status=Counter(task.status for task in seen.values()),
        older_open=total_open - len(waits),
        older_ended=total - total_open - len(ended),
    )


def _proposals(documents: Documents) -> tuple[list[Proposal], tuple[Proposal, ...], int, int]:
    """Those that wait and those that are decided, and how many more there are of each."""
    waiting = documents.all(Proposal, open_only=True, newest=MOST_PROPOSALS)
    recent = documents.all(Proposal, newest=MOST_DECIDED + len(waiting))
    decided = sorted((p for p in recent if p.decision is not None), key=_decided_at)[-MOST_DECIDED:]
    total_open = documents.count(Proposal, open_only=True)
    earlier = documents.count(Proposal) - total_open - len(decided)
    return waiting, tuple(decided), total_open - len(waiting), earlier


def _decided_at(proposal: Proposal) -> float:
    return proposal.opened if proposal.decision is None else proposal.decision.at


def _resolved(documents: Documents, open_now: int) -> tuple[tuple[Emergency, ...], int]:
    """Those resolved last, and how many lie further back."""
    recent = documents.all(Emergency, newest=MOST_RESOLVED + open_now)
    resolved = [emergency for emergency in reversed(recent) if not emergency.open][:MOST_RESOLVED]
    return tuple(resolved), documents.count(Emergency) - open_now - len(resolved)


def _spent(spend: Iterable[Spend]) -> Spent:
    total = Spent()
    for each in spend:
        total = Spent(
            calls=total.calls + each.calls,
            input_tokens=total.input_tokens + each.input_tokens,
            output_tokens=total.output_tokens + each.output_tokens,
            cost_pico=total.cost_pico + each.cost_pico,
            unknown=total.unknown + each.unknown,
        )
    return total


def _costs(spent: Spend | Spent) -> dict[str, Any]:
    return {
        "calls": spent.calls,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "cost_usd": to_usd(spent.cost_pico),
        "unknown": spent.unknown,
    }
