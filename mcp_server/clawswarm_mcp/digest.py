"""The board in short, and its documents as rows: what an agent needs to go on, within the size of a reply."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from clawswarm.access.team import Team
from clawswarm.types.board import Agent, Message, Task
from clawswarm.types.meetings import Proposal
from clawswarm.types.money import to_usd
from clawswarm_mcp.bounding import cut, fit

LONGEST = 300
"""Characters of a text in the overview."""

MOST_TASKS = 20
MOST_OPEN = 10
"""Proposals, and emergencies, that are listed."""


def board_in_short(team: Team) -> dict[str, Any]:
    """The run, its agents, and what waits for somebody. Blocks."""
    overview = team.overview()
    run, standing = overview.run, overview.standing
    tasks = [_task(task) for task in overview.tasks.open]
    proposals = [_proposal(each.proposal, each.stands) for each in overview.waiting]
    emergencies = [
        {
            "id": each.id,
            "level": int(each.level),
            "status": each.status,
            "text": cut(each.text, LONGEST),
            "human": each.human,
        }
        for each in standing.emergencies
    ]
    more = {
        "tasks": overview.tasks.total_open - min(len(tasks), MOST_TASKS),
        "proposals": len(proposals) + overview.more_waiting - min(len(proposals), MOST_OPEN),
        "emergencies": len(emergencies) - min(len(emergencies), MOST_OPEN),
    }
    return {
        "run": {
            "id": run.id,
            "goal": cut(run.goal, LONGEST),
            "phase": run.phase.value,
            "round": run.round,
            "status": run.status,
            "level": int(standing.level),
            "breaker": standing.breaker,
            "human": standing.human,
            "checkpoint": run.last_checkpoint,
            "cost_usd": to_usd(overview.spent.cost_pico),
            "tasks": dict(overview.tasks.by_status),
        },
        "agents": [
            _agent(agent, agent.role in standing.paused, overview.unread.get(agent.role, 0))
            for agent in overview.agents
        ],
        "tasks": tasks[:MOST_TASKS],
        "proposals": fit(proposals[-MOST_OPEN:], 6_000).rows,
        "emergencies": fit(emergencies[:MOST_OPEN], 6_000).rows,
        "more": {name: count for name, count in more.items() if count} or None,
    }


def message_row(message: Message) -> dict[str, Any]:
    """A message with its fields as the guide has them."""
    row = {
        "id": message.id,
        "from": message.sender,
        "to": message.to,
        "type": message.type.value,
        "priority": message.priority.value,
        "at": moment(message.at),
        "content": message.content,
        "context": message.context,
        "expected": message.expected,
        "reply_to": message.answers,
    }
    return {name: value for name, value in row.items() if value}


def names(roles: Iterable[Any]) -> list[str]:
    return [role.value for role in roles]


def moment(at: float) -> str:
    """As the operations guide's messages have it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _agent(agent: Agent, paused: bool, unread: int) -> dict[str, Any]:
    row = {
        "role": agent.role.value,
        "status": agent.status,
        "paused": paused,
        "task": cut(agent.task, LONGEST),
        "sentence": cut(agent.sentence, LONGEST),
        "trust": agent.trust,
        "unread": unread,
    }
    return {name: value for name, value in row.items() if value or name == "status"}


def _task(task: Task) -> dict[str, Any]:
    row = {
        "id": task.id,
        "title": cut(task.title, LONGEST),
        "role": task.role.value,
        "status": task.status,
        "needs": list(task.needs),
    }
    return {name: value for name, value in row.items() if value}


def _proposal(proposal: Proposal, stands: str) -> dict[str, Any]:
    return {
        "id": proposal.id,
        "topic": cut(proposal.topic, LONGEST),
        "options": [cut(option, LONGEST) for option in proposal.options],
        "standing": stands,
    }
