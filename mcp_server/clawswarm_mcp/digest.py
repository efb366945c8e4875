"""The board in short, and its documents as rows: what an agent needs to go on, within the size of a reply."""

from datetime import UTC, datetime
from typing import Any

from clawswarm.access.team_views import Glance
from clawswarm.types.alarms import Emergency
from clawswarm.types.board import Agent, Message, Task
from clawswarm.types.meetings import Proposal
from clawswarm_mcp.bounding import cut, fit

LONGEST = 300
"""Characters of a text in the overview."""

MOST_TASKS = 20
MOST_OPEN = 10
"""Proposals, and emergencies, that are listed."""


def board_in_short(glance: Glance) -> dict[str, Any]:
    """The run, its agents, and what waits for somebody."""
    run, standing = glance.run, glance.standing
    proposals = fit([_proposal(each, stands) for each, stands in glance.proposals], 6_000).rows
    emergencies = fit([_emergency(each) for each in standing.emergencies[:MOST_OPEN]], 6_000).rows
    more = {
        "tasks": glance.all_tasks - len(glance.tasks),
        "proposals": glance.all_proposals - len(proposals),
        "emergencies": len(standing.emergencies) - len(emergencies),
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
        },
        "agents": [_agent(agent, agent.role in standing.paused) for agent in glance.agents],
        "tasks": [_task(task) for task in glance.tasks],
        "proposals": proposals,
        "emergencies": emergencies,
        "unread": glance.unread,
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


def moment(at: float) -> str:
    """As the operations guide's messages have it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _agent(agent: Agent, paused: bool) -> dict[str, Any]:
    row = {
        "role": agent.role.value,
        "status": agent.status,
        "paused": paused,
        "task": cut(agent.task, LONGEST),
        "sentence": cut(agent.sentence, LONGEST),
        "trust": agent.trust,
    }
    return {name: value for name, value in row.items() if value or name == "status"}


def _emergency(emergency: Emergency) -> dict[str, Any]:
    return {
        "id": emergency.id,
        "level": int(emergency.level),
        "status": emergency.status,
        "text": cut(emergency.text, LONGEST),
        "human": emergency.human,
    }


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
