"""Which phase a run may move to, and who moves it (operations guide, section 2; design, section 6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from clawswarm.team.rules.roles import display_name
from clawswarm.types.team import HUMAN, SYSTEM, Phase, Role

NEXT: Mapping[Phase, tuple[Phase, ...]] = MappingProxyType(
    {
        Phase.PLANNING: (Phase.EXECUTION,),
        Phase.EXECUTION: (Phase.REVIEW, Phase.PLANNING),
        Phase.REVIEW: (Phase.ITERATION, Phase.DONE),
        Phase.ITERATION: (Phase.EXECUTION, Phase.REVIEW, Phase.PLANNING),
        Phase.DONE: (),
    }
)
"""Where each phase leads. Back to planning is a restart, and needs a reason."""

MOVERS = (Role.DIRECTOR.value, HUMAN, SYSTEM)
"""Who moves a run on."""


@dataclass(frozen=True, slots=True)
class Move:
    """Whether a run may move.

    Attributes:
        reason: which rule allows or forbids it.
        may: the phases that the one who asks may move it to.
    """

    allowed: bool
    reason: str
    may: tuple[Phase, ...]


def may_move(at: Phase, to: Phase, *, actor: str, reason: str) -> Move:
    """Whether `actor` may move a run from one phase to another, for a reason it gives ("" for none)."""
    may = reachable(at, actor)

    def refused(why: str) -> Move:
        return Move(False, why, may)

    if actor not in MOVERS:
        return refused(
            f"phases are moved by the Director, a human or the system, not by {display_name(actor)}"
        )
    if at is to:
        return refused(f"the run is in the phase {at} already")
    if to not in may:
        return refused(_unreachable(at, to))
    if _restarts(at, to) and not reason.strip():
        return refused(f"going back from {at} to planning restarts the work: it needs a reason")
    if to not in NEXT[at]:
        return Move(True, "a human may call a run done at any time", may)
    return Move(True, f"{at} leads to {to}", may)


def reachable(at: Phase, actor: str) -> tuple[Phase, ...]:
    """The phases that `actor` may move a run to."""
    if actor not in MOVERS:
        return ()
    by_human = (Phase.DONE,) if actor == HUMAN and at is not Phase.DONE else ()
    return tuple(dict.fromkeys((*NEXT[at], *by_human)))


def _restarts(at: Phase, to: Phase) -> bool:
    return to is Phase.PLANNING and at is not Phase.PLANNING


def _unreachable(at: Phase, to: Phase) -> str:
    if at is Phase.DONE:
        return "the run is done: no phase follows"
    if to is Phase.DONE:
        return f"a run is done after its review, or when a human says so; it is in {at}"
    return f"{at} does not lead to {to}"
