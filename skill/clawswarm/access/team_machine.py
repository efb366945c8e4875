"""What the team's guards are told about this machine."""

from clawswarm.modes.machine import this_machine
from clawswarm.team.rules.guards import Machine


def look_at_machine() -> Machine:
    """The machine's memory as it is now. How the model answers is not its to know."""
    return Machine(memory_percent=memory_in_use(*_memory()))


def memory_in_use(total: int | None, free: int | None) -> float | None:
    """Percent; None where the system does not say."""
    if not total or free is None:
        return None
    return 100 * (1 - free / total)


def _memory() -> tuple[int | None, int | None]:
    found = this_machine()
    return found.total, found.free
