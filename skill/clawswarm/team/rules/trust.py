"""Trust in an agent: 1 to 10, and what follows from it (operations guide, sections 3 and 9)."""

from clawswarm.config.team import Trust
from clawswarm.team.rules.roles import display_name
from clawswarm.types.team import HUMAN, SYSTEM, Role

LEAST = 1
MOST = 10

WITHOUT = frozenset({Role.DIRECTOR, Role.SCRIBE})
"""Who carries no trust."""

JUDGES = (Role.DIRECTOR.value, HUMAN, SYSTEM)
"""Who changes trust."""


def first(role: Role, rules: Trust) -> int | None:
    """What an agent begins a run with; None for one that carries no trust."""
    return None if role in WITHOUT else rules.start


def changed(trust: int, delta: int) -> int:
    """Trust after a change of it: never less than 1, never more than 10."""
    return max(LEAST, min(MOST, trust + delta))


def weight(trust: int | None, rules: Trust) -> int:
    """How much a vote counts where votes are weighted."""
    return rules.start if trust is None else trust


def is_alarming(before: int, after: int, rules: Trust) -> bool:
    """Whether a change calls for an emergency: it ended at the threshold or below, and not by going up."""
    return after <= rules.alarm and after <= before


def refusal(role: Role, actor: str) -> str | None:
    """Why `actor` may not change trust in an agent; None where it may."""
    if role in WITHOUT:
        return f"the {display_name(role)} carries no trust"
    if actor == role:
        return "nobody changes the trust in themselves"
    if actor not in JUDGES:
        return f"trust is changed by the Director, a human or the system, not by {display_name(actor)}"
    return None
