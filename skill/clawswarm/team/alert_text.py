"""What an alert says to a human: plain words, and what to type. It claims nothing about who has read it."""

from clawswarm.team.moments import shown
from clawswarm.team.rules.levels import MEANING, TITLES, paused_by
from clawswarm.team.rules.roles import display_name
from clawswarm.types.alarms import Emergency
from clawswarm.types.board import Run
from clawswarm.types.team import SYSTEM, Role

MOST_QUOTED = 2_000


def title(emergency: Emergency) -> str:
    """One line, without any text of an agent."""
    return f"Swarm: level {emergency.level:d}, {TITLES[emergency.cause]}"


def body(emergency: Emergency, run: Run) -> str:
    """The rest. What an agent or a guard wrote is quoted, so that it cannot pass for ours."""
    by = "the board's guards" if emergency.by == SYSTEM else display_name(emergency.by)
    lines = [
        f"Level {emergency.level:d}: {MEANING[emergency.level]}.",
        "",
        _quoted(emergency.text),
        "",
        f"Raised by: {by}, {shown(emergency.at)} UTC",
        f"A human is needed: {_one_line(emergency.human or TITLES[emergency.cause])}",
        f"Paused: {paused(emergency)}",
        f"Run: {run.id}, phase {run.phase}",
        "",
        "What to do:",
        "  swarm team status    shows the team as it is now",
        f'  swarm team resolve {emergency.id} "reason"    lets the team go on',
        "  swarm team end    ends the run; its state is kept",
    ]
    return "\n".join(lines)


def paused(emergency: Emergency) -> str:
    """Who pauses because of it, in words."""
    roles = paused_by(emergency)
    if not roles:
        return "nobody"
    if len(roles) == len(Role):
        return "all agents"
    return ", ".join(display_name(role) for role in Role if role in roles)


def _quoted(text: str) -> str:
    shown = text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 1]}…"
    return "\n".join(f"> {line}" for line in shown.split("\n"))


def _one_line(text: str) -> str:
    return " ".join(text.split())
