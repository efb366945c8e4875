"""How a run stands: its level, the circuit breaker, who pauses and why (operations guide, section 4).

Nothing of it is stored: it follows from the open emergencies and from the run.
"""

from dataclasses import dataclass

from clawswarm.team.documents import Documents
from clawswarm.team.rules import levels
from clawswarm.team.rules.roles import display_name
from clawswarm.team.texts import said
from clawswarm.types.alarms import Emergency
from clawswarm.types.board import Run
from clawswarm.types.team import Breaker, Directive, Level, Role

GO_ON = "nothing keeps the team from working"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A run at one moment.

    Attributes:
        emergencies: the open ones, the worst first.
        paused: who is to pause.
        reason: why it is not normal operation, in words.
        human: why a person is needed; None while the team may solve it by itself.
        stopped: nobody goes on: level 4, or the run has ended.
    """

    level: Level
    breaker: Breaker
    emergencies: tuple[Emergency, ...]
    paused: frozenset[Role]
    reason: str
    human: str | None
    stopped: bool = False


def standing(documents: Documents, run: Run) -> Standing:
    """How the run stands now."""
    found = sorted(documents.all(Emergency, open_only=True), key=lambda e: (-e.level, e.at, e.id))
    level = levels.highest(found)
    paused = frozenset[Role]().union(*(levels.paused_by(emergency) for emergency in found))
    by_hand = run.paused_by is not None or not run.open
    return Standing(
        level=level,
        breaker=levels.breaker(found),
        emergencies=tuple(found),
        paused=levels.TEAM if by_hand else paused,
        reason=_reason(run, found),
        human=next((emergency.human for emergency in found if emergency.human), None),
        stopped=level is Level.ABORT or not run.open,
    )


def directive(standing: Standing, role: Role | None) -> tuple[Directive, str]:
    """What an agent is to do, and why; None for the team as a whole."""
    if standing.stopped:
        return "stop", standing.reason
    if role is None:
        together = standing.paused >= levels.ALL_BUT_THE_DIRECTOR
        return "pause" if together else "continue", standing.reason
    if role not in standing.paused:
        return "continue", standing.reason
    if standing.paused == levels.TEAM:
        return "pause", standing.reason
    return "pause", next(_worded(e) for e in standing.emergencies if role in levels.paused_by(e))


def _reason(run: Run, worst_first: list[Emergency]) -> str:
    if not run.open:
        return f"the run has ended{_because(run.note)}"
    if run.paused_by is not None:
        return f"paused by {display_name(run.paused_by)}{_because(run.note)}"
    return _worded(worst_first[0]) if worst_first else GO_ON


def _because(note: str) -> str:
    return f": {said(note)}" if note else ""


def _worded(emergency: Emergency) -> str:
    tried = ", an attempt to resolve it is under way" if emergency.status == "probing" else ""
    title = levels.TITLES[emergency.cause]
    return f"{emergency.id}, level {emergency.level:d}, {title}{tried}: {said(emergency.text)}"
