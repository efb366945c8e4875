"""Who may do what for whom: an agent acts for itself, the Director, a human and the system for everyone."""

from clawswarm.errors import InputError
from clawswarm.team.draft import Draft
from clawswarm.team.rules.roles import display_name
from clawswarm.types.team import HUMAN, SYSTEM, Role

LEADING = (Role.DIRECTOR.value, HUMAN, SYSTEM)
"""Who acts for the whole team."""


def check(draft: Draft, what: str, *others: Role) -> None:
    """Let those who lead do `what`, and `others`.

    Raises:
        InputError: somebody else asked; the hint names those who may.
    """
    may = (*(role.value for role in others), *LEADING)
    if draft.actor not in may:
        names = ", ".join(dict.fromkeys(display_name(name) for name in may))
        raise InputError(f"{display_name(draft.actor)} may not {what}", hint=f"who may: {names}")
