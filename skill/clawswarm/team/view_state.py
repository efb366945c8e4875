"""team-state.md: the state of a team, in the layout of the operations guide (section 3)."""

from clawswarm.team.markdown import inline, item, page, table
from clawswarm.team.moments import shown
from clawswarm.team.overview import Overview
from clawswarm.team.rules.levels import TITLES
from clawswarm.team.rules.roles import display_name
from clawswarm.team.standing import Standing
from clawswarm.types.alarms import Emergency
from clawswarm.types.board import Agent, Run
from clawswarm.types.meetings import Proposal
from clawswarm.types.team import Phase, Role

MOST_BLOCKERS = 50

_PHASES = tuple(Phase)


def team_state(overview: Overview) -> str:
    """The whole file."""
    checkpoint = overview.checkpoint
    return page(
        "# ~/clawd/memory/team-state.md",
        "",
        f"## Current Phase: {phase_name(overview.run.phase)}",
        f"## Last Checkpoint: {'none yet' if checkpoint is None else shown(checkpoint.at)}",
        "",
        "### Agent Status",
        table(
            ("Agent", "Status", "Current Task", "Trust"),
            [_agent(agent, overview.standing) for agent in overview.agents],
        ),
        "",
        "### Pending Decisions",
        _pending(overview) or "- None currently",
        "",
        "### Blockers",
        _blockers(overview) or "- None currently",
        "",
        "### Next Checkpoint Trigger",
        f"- {item(overview.run.next_trigger) or 'None set'}",
    )


def phase_name(phase: Phase) -> str:
    """With the number that the guide gives it."""
    return f"{_PHASES.index(phase) + 1} - {phase.capitalize()}"


def awaited(proposal: Proposal) -> str:
    """What an open proposal waits for, as Markdown."""
    if proposal.status == "director":
        return "awaiting the Director's decision"
    if proposal.waits_for:
        return f"awaiting {inline(proposal.waits_for)}"
    missing = [display_name(role) for role in proposal.electorate if role not in proposal.votes]
    return f"awaiting {_together(missing)} until {shown(proposal.deadline)}"


def _agent(agent: Agent, standing: Standing) -> tuple[str, ...]:
    status = agent.status.capitalize()
    paused = agent.role in standing.paused and not standing.stopped
    return (
        display_name(agent.role),
        f"{status} (paused)" if paused else status,
        agent.task,
        "N/A" if agent.trust is None else f"{agent.trust}/10",
    )


def _pending(overview: Overview) -> list[str]:
    lines = [
        f"- [ ] {inline(waiting.proposal.topic)} ({awaited(waiting.proposal)})"
        for waiting in overview.waiting
    ]
    if overview.more_waiting:
        lines.append(f"- and {overview.more_waiting} more that were opened earlier")
    return lines


def _blockers(overview: Overview) -> list[str]:
    """What keeps the team from working: the run itself, open emergencies, what the last checkpoint named."""
    emergencies = [_emergency(emergency) for emergency in overview.standing.emergencies]
    named = () if overview.checkpoint is None else overview.checkpoint.blockers
    lines = [*_held(overview.run), *emergencies, *(item(blocker) for blocker in named)]
    listed = [f"- {line}" for line in lines[:MOST_BLOCKERS]]
    if len(lines) > MOST_BLOCKERS:
        listed.append(f"- and {len(lines) - MOST_BLOCKERS} more")
    return listed


def _held(run: Run) -> list[str]:
    because = f": {inline(run.note)}" if run.note else ""
    if not run.open:
        return [f"The run has ended{because}"]
    if run.paused_by is not None:
        return [f"The run is paused by {display_name(run.paused_by)}{because}"]
    return []


def _emergency(emergency: Emergency) -> str:
    title = TITLES[emergency.cause]
    return f"Emergency {emergency.id}, level {emergency.level:d}, {title}: {inline(emergency.text)}"


def _together(names: list[str]) -> str:
    return "all votes" if len(names) == len(Role) else f"the votes of {', '.join(names)}"
