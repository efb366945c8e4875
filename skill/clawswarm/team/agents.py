"""The agents: what they say they do, what their calls show, and what these cost.

What an agent says of itself is shown, and trusted by nobody. The counters of its calls are what the guards
read (operations guide, section 4).
"""

from dataclasses import replace
from hashlib import sha256
from typing import get_args

from clawswarm.errors import InputError
from clawswarm.team.draft import Draft
from clawswarm.team.permits import check
from clawswarm.team.rules.roles import display_name
from clawswarm.team.texts import clean, line, said
from clawswarm.types.board import Agent, Spend, Task
from clawswarm.types.team import AgentStatus, Role

MOST_TASK = 500
MOST_SENTENCE = 500
MOST_TOOL = 200
MOST_REASON = 2_000
MOST_ERROR = 500
"""Characters of an error that are kept, and compared."""


def report(
    draft: Draft,
    *,
    role: Role,
    status: AgentStatus | None = None,
    task: str | None = None,
    sentence: str | None = None,
) -> Agent:
    """An agent's own account of itself; what is None stays as it was. Without any it says that it is there.

    Raises:
        InputError: somebody else reports for it, or it is too long.
    """
    check(draft, f"report for the {display_name(role)}", role)
    if status is not None and status not in get_args(AgentStatus):
        raise InputError(
            f"there is no status {said(status, 40)!r}",
            hint=f"it is one of: {', '.join(get_args(AgentStatus))}",
        )
    before = draft.seen(role)
    agent = replace(
        before,
        status=before.status if status is None else status,
        task=before.task if task is None else line("the task", task, MOST_TASK),
        sentence=before.sentence if sentence is None else line("the sentence", sentence, MOST_SENTENCE),
    )
    words = agent.sentence if sentence is not None else agent.task
    draft.record(
        "agent_reported",
        role.value,
        f"{display_name(role)} is {agent.status}" + (f": {said(words)}" if words else ""),
        *alive(draft, agent),
        facts={"status": agent.status, "task": agent.task},
    )
    return agent


def restart(draft: Draft, *, role: Role, reason: str) -> Agent:
    """Give an agent a fresh start: nothing counts against it, and its running tasks are to be begun anew.

    The guide's answer to level 1: "Director reassigns or restarts agent".
    """
    check(draft, "restart an agent")
    why = clean("the reason", reason, MOST_REASON, required=True)
    before = draft.agent(role)
    agent = Agent(role=role, trust=before.trust, life=before.life + 1, seen=before.seen)
    running = [
        task for task in draft.all(Task, open_only=True) if (task.role, task.status) == (role, "running")
    ]
    draft.record(
        "agent_restarted",
        role.value,
        f"{display_name(role)} is restarted: {said(why)}",
        agent,
        *(replace(task, status="pending", since=None) for task in running),
        facts={"life": agent.life, "pending": [task.id for task in running]},
    )
    return agent


def note_call(
    draft: Draft,
    *,
    role: Role,
    tool: str,
    arguments: str,
    ok: bool,
    error: str = "",
    changed: bool = False,
    duration_ms: int | None = None,
) -> Agent:
    """Count a call that an agent made: without progress, the same again, the same error again.

    Args:
        arguments: any text; only its digest is kept.
        error: what went wrong, where it did.
        changed: something is different after it: that is progress.
    """
    check(draft, f"note calls of the {display_name(role)}", role)
    name = line("the tool's name", tool, MOST_TOOL, required=True)
    if duration_ms is not None and duration_ms < 0:
        raise InputError(f"a call does not take {duration_ms} ms", hint="0 or more")
    before = draft.seen(role)
    call = f"{name} {sha256(arguments.encode(errors='replace')).hexdigest()}"
    trouble = "" if ok else said(error, MOST_ERROR) or "it did not say why"
    agent = replace(
        before,
        idle_calls=0 if changed else before.idle_calls + 1,
        last_call=call,
        same_calls=before.same_calls + 1 if call == before.last_call else 1,
        last_error=trouble,
        same_errors=0 if ok else before.same_errors + 1 if trouble == before.last_error else 1,
    )
    draft.record(
        "call_made",
        role.value,
        f"{display_name(role)} calls {said(name)}" + ("" if ok else f", which fails: {said(trouble)}"),
        agent,
        facts={"tool": name, "ok": ok, "changed": changed, "duration_ms": duration_ms},
    )
    return agent


def note_spend(
    draft: Draft, *, role: Role, input_tokens: int, output_tokens: int, cost_pico: int | None
) -> Spend:
    """Add what a call cost, in picodollars; None: its price is not known, and is not taken for nothing."""
    check(draft, f"note what the {display_name(role)} spends", role)
    if min(input_tokens, output_tokens, cost_pico or 0) < 0:
        raise InputError("what was spent is never less than nothing", hint="give tokens and cost from 0 on")
    before = draft.get(Spend, role.value) or Spend(role=role)
    spend = replace(
        before,
        calls=before.calls + 1,
        input_tokens=before.input_tokens + input_tokens,
        output_tokens=before.output_tokens + output_tokens,
        cost_pico=before.cost_pico + (cost_pico or 0),
        unknown=before.unknown + (cost_pico is None),
    )
    draft.record(
        "spend_noted",
        role.value,
        f"{display_name(role)} spends {input_tokens:,} + {output_tokens:,} tokens",
        spend,
        *alive(draft),
        facts={"input_tokens": input_tokens, "output_tokens": output_tokens, "cost_pico": cost_pico},
    )
    return spend


def progressed(draft: Draft, role: Role) -> Agent:
    """The agent after real progress (a task that was shown to be done): its calls were not in vain."""
    return replace(draft.agent(role), idle_calls=0)


def alive(draft: Draft, *agents: Agent) -> tuple[Agent, ...]:
    """`agents`, and the one that acts, noted as seen: what an event leaves of the agents it is about."""
    if draft.actor not in [role.value for role in Role]:
        return agents
    actor = Role(draft.actor)
    others = tuple(agent for agent in agents if agent.role is not actor)
    own = next((agent for agent in agents if agent.role is actor), draft.agent(actor))
    return (*others, replace(own, seen=draft.now))
