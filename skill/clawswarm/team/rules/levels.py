"""Levels 0 to 4: what each pauses, who ends it, when it gets worse (operations guide, section 4; design, 6).

A level only rises until somebody resolves the emergency. From level 3 on a human is needed, and told.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from clawswarm.types.alarms import Emergency
from clawswarm.types.team import HUMAN, SYSTEM, Breaker, Cause, Level, Role

MEANING: Mapping[Level, str] = MappingProxyType(
    {
        Level.NORMAL: "normal operation",
        Level.AGENT: "one agent is stuck or confused: it pauses, the Director reassigns or restarts it",
        Level.COORDINATION: "agents are in conflict: all but the Director pause, the Director mediates",
        Level.SYSTEM: "the run cannot go on by itself: all agents pause and wait for a human",
        Level.ABORT: "everything stops, the state is kept",
    }
)
"""The levels in words."""

RAISED = (Level.AGENT, Level.COORDINATION, Level.SYSTEM, Level.ABORT)
"""What an emergency may be raised at: normal operation is none."""

TITLES: Mapping[Cause, str] = MappingProxyType(
    {
        "manual": "alarm raised by hand",
        "stuck": "agent without progress",
        "same_error": "the same error again and again",
        "silent": "silent agent",
        "conflict": "agents in conflict",
        "resource": "resource exhaustion",
        "quality": "quality of the work",
        "runaway": "runaway work",
        "loop": "agent in a loop",
        "budget": "budget exceeded",
        "trust": "trust lost",
        "no_consensus": "no consensus",
        "irreversible": "irreversible action",
    }
)
"""Causes in words."""

OVER_BUDGET = "cost or time budget exceeded"
"""One of the guide's four reasons that go to a human at once."""

TEAM = frozenset(Role)
ALL_BUT_THE_DIRECTOR = TEAM - {Role.DIRECTOR}
SOLVERS = (Role.DIRECTOR.value, HUMAN, SYSTEM)
"""Who tries to resolve an emergency."""


def unresolved(attempts: int) -> str:
    """The guide's first reason that goes to a human at once."""
    return f"unresolved after {attempts} attempt{'s' * (attempts != 1)}"


def needs_human(level: Level) -> bool:
    """Whether the team may not solve it by itself."""
    return level >= Level.SYSTEM


def raised_to(level: Level, human: str | None) -> Level:
    """The level of what is raised: what goes to a human at once is at least 3."""
    return level if human is None else max(level, Level.SYSTEM)


def after_failures(level: Level, failed: int, most: int) -> Level:
    """The level of an emergency that `failed` attempts did not resolve, when `most` of them may fail."""
    return Level.SYSTEM if level < Level.SYSTEM and failed >= most else level


def refuse_attempt(actor: str) -> str | None:
    """Why `actor` may not try to resolve an emergency; None: it may."""
    if actor in SOLVERS:
        return None
    return f"emergencies are resolved by the Director or a human, not by {actor}"


def refuse_resolving(emergency: Emergency, actor: str) -> str | None:
    """Why `actor` may not resolve it; None: it may."""
    if needs_human(emergency.level) and actor != HUMAN:
        return f"{emergency.id} is at level {emergency.level:d}: a human has to resolve it, not {actor}"
    if actor == SYSTEM and emergency.cause == "manual":
        return f"{emergency.id} was raised by {emergency.by}: the Director or a human resolves it"
    return refuse_attempt(actor)


def paused_by(emergency: Emergency) -> frozenset[Role]:
    """Who pauses because of it. An attempt to resolve it lets them go on, below level 3."""
    if not emergency.open:
        return frozenset()
    if needs_human(emergency.level):
        return TEAM
    if emergency.status == "probing":
        return frozenset()
    if emergency.level is Level.COORDINATION:
        return ALL_BUT_THE_DIRECTOR
    return frozenset() if emergency.agent is None else frozenset({emergency.agent})


def highest(emergencies: Iterable[Emergency]) -> Level:
    """The level of a run with these emergencies."""
    return max((emergency.level for emergency in emergencies if emergency.open), default=Level.NORMAL)


def breaker(emergencies: Iterable[Emergency]) -> Breaker:
    """The circuit breaker: paused while something of level 2 or more is open and nobody tries to resolve it.

    While all that is open at level 2 is being tried it is probing; level 3 is not probed.
    """
    serious = [e for e in emergencies if e.open and e.level >= Level.COORDINATION]
    if not serious:
        return "normal"
    probing = all(e.status == "probing" and not needs_human(e.level) for e in serious)
    return "probing" if probing else "paused"
