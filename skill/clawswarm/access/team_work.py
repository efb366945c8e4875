"""What agents do on the board. See `team_changes` for `by` and `key`."""

from collections.abc import Mapping, Sequence
from typing import Any

from clawswarm.access.team_changes import Changes
from clawswarm.access.team_names import evidence_of, one_of
from clawswarm.team import agents, messages, tasks
from clawswarm.team.board import Done
from clawswarm.team.draft import role_of
from clawswarm.types.board import Agent, Message, Spend, Task
from clawswarm.types.team import AgentStatus, MessageType, Priority

Proof = Sequence[str | Mapping[str, Any]]
"""Evidence as `team_names.evidence_of` takes it."""


class TeamWork:
    """Reports, calls, tasks and messages."""

    def __init__(self, change: Changes) -> None:
        self._change = change

    # Agents and tasks

    def report(
        self,
        by: str,
        *,
        role: str,
        status: AgentStatus | None = None,
        task: str | None = None,
        sentence: str | None = None,
        key: str | None = None,
    ) -> Done[Agent]:
        change = self._change(by, key, agents.report)
        return change(role=role_of(role), status=status, task=task, sentence=sentence)

    def restart(self, by: str, *, role: str, reason: str, key: str | None = None) -> Done[Agent]:
        return self._change(by, key, agents.restart)(role=role_of(role), reason=reason)

    def note_call(
        self,
        by: str,
        *,
        role: str,
        tool: str,
        arguments: str,
        ok: bool,
        error: str = "",
        changed: bool = False,
        duration_ms: int | None = None,
        key: str | None = None,
    ) -> Done[Agent]:
        return self._change(by, key, agents.note_call)(
            role=role_of(role),
            tool=tool,
            arguments=arguments,
            ok=ok,
            error=error,
            changed=changed,
            duration_ms=duration_ms,
        )

    def note_spend(
        self,
        by: str,
        *,
        role: str,
        input_tokens: int,
        output_tokens: int,
        cost_pico: int | None,
        key: str | None = None,
    ) -> Done[Spend]:
        return self._change(by, key, agents.note_spend)(
            role=role_of(role), input_tokens=input_tokens, output_tokens=output_tokens, cost_pico=cost_pico
        )

    def add_tasks(self, by: str, *, new: Sequence[tasks.NewTask], key: str | None = None) -> Done[Task]:
        return self._change(by, key, tasks.add_tasks)(tasks=new)

    def begin_task(self, by: str, *, task: str, key: str | None = None) -> Done[Task]:
        return self._change(by, key, tasks.begin_task)(task=task)

    def finish_task(self, by: str, *, task: str, evidence: Proof, key: str | None = None) -> Done[Task]:
        return self._change(by, key, tasks.finish_task)(task=task, evidence=evidence_of(evidence))

    def fail_task(self, by: str, *, task: str, reason: str, key: str | None = None) -> Done[Task]:
        return self._change(by, key, tasks.fail_task)(task=task, reason=reason)

    def park_task(self, by: str, *, task: str, reason: str, key: str | None = None) -> Done[Task]:
        return self._change(by, key, tasks.park_task)(task=task, reason=reason)

    def reassign(self, by: str, *, task: str, role: str, reason: str, key: str | None = None) -> Done[Task]:
        return self._change(by, key, tasks.reassign)(task=task, role=role_of(role), reason=reason)

    # Messages

    def send(
        self,
        by: str,
        *,
        to: str,
        type: str,
        content: str,
        priority: str = "NORMAL",
        context: str = "",
        expected: str = "",
        answers: str | None = None,
        key: str | None = None,
    ) -> Done[Message]:
        return self._change(by, key, messages.send)(
            to=to,
            type=one_of(MessageType, type, "message type"),
            priority=one_of(Priority, priority, "priority"),
            content=content,
            context=context,
            expected=expected,
            answers=answers,
        )

    def inbox(self, role: str, *, limit: int = 20) -> list[Message]:
        """What the agent has not acknowledged: emergencies first, then by age."""
        with self._change.board.reading() as (_, documents):
            return messages.inbox(documents, role_of(role), limit=limit)

    def acknowledge(
        self, by: str, *, role: str, messages_: Sequence[str], key: str | None = None
    ) -> Done[Message]:
        return self._change(by, key, messages.acknowledge)(role=role_of(role), messages=messages_)
