"""The tasks of a run: what needs what, who does it, and what shows that it is done (design, section 6)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from clawswarm.errors import InputError
from clawswarm.team.agents import alive, progressed
from clawswarm.team.documents import Documents
from clawswarm.team.draft import Draft
from clawswarm.team.evidence import checked, lacking
from clawswarm.team.permits import check
from clawswarm.team.rules.roles import display_name
from clawswarm.team.standing import directive, standing
from clawswarm.team.texts import clean, line, said
from clawswarm.types.board import Agent, Evidence, Task
from clawswarm.types.team import Role, TaskStatus

MOST_TASKS = 500
"""Tasks that are added at once."""
MOST_NEEDS = 100
MOST_TITLE = 500
MOST_CHECK = 2_000
MOST_REASON = 2_000

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task that is to be added.

    Attributes:
        needs: ids of tasks that have to be done first.
        check: what shows that it is done.
    """

    id: str
    title: str
    role: Role
    needs: tuple[str, ...] = ()
    check: str = ""


def add_tasks(draft: Draft, *, tasks: Sequence[NewTask]) -> Task:
    """Add tasks, all of them or none; they may need each other in any order. Returns the last.

    Raises:
        InputError: an id is taken or is none, a need is unknown, or tasks need each other in a circle.
    """
    if not 1 <= len(tasks) <= MOST_TASKS:
        raise InputError(f"1 to {MOST_TASKS} tasks are added at once, not {len(tasks)}")
    added = [_task(new) for new in tasks]
    ids = [task.id for task in added]
    for task in added:
        if ids.count(task.id) > 1 or draft.get(Task, task.id) is not None:
            raise InputError(f"there is a task {task.id!r} already", hint="each task has an id of its own")
        for need in task.needs:
            if need not in ids and draft.get(Task, need) is None:
                raise InputError(
                    f"{task.id} needs {said(need, 40)!r}, and there is no such task",
                    hint="add it first, or together with this one",
                )
    if circle := _circle(added):
        raise InputError(
            f"tasks need each other in a circle: {' → '.join(circle)}", hint="one of them has to come first"
        )
    for task in added:
        draft.record(
            "task_added",
            task.id,
            f"task {task.id} for the {display_name(task.role)}: {said(task.title)}",
            task,
            *alive(draft),
            facts={"role": task.role.value, "needs": list(task.needs)},
        )
    return added[-1]


def begin_task(draft: Draft, *, task: str) -> Task:
    """Begin a task, or try again one that failed. What it needs has to be done.

    Raises:
        InputError: something it needs is not done, it is nothing to begin, or its agent is to pause.
    """
    before = _to_move(draft, task, "begin", "pending", "failed")
    order, why = directive(standing(draft, draft.run), before.role)
    if order != "continue":
        raise InputError(
            f"{display_name(before.role)} is to {order}, and begins nothing: {why}",
            hint="what keeps the team from going on, and how it ends: swarm team status",
        )
    missing = [need for need in before.needs if not _is_done(draft, need)]
    if missing:
        lacks = ", ".join(f"{need} ({draft.need(Task, need).status})" for need in missing)
        raise InputError(f"{task} needs what is not done: {lacks}", hint="do that first, or begin another")
    begun = replace(
        before, status="running", attempts=before.attempts + 1, since=draft.now, evidence=(), note=""
    )
    agent = replace(draft.seen(begun.role), status="working", task=begun.title)
    return _moved(draft, before, begun, f"begun, attempt {begun.attempts}", agent)


def finish_task(draft: Draft, *, task: str, evidence: Sequence[Evidence]) -> Task:
    """A task is said to be done. It is, if the evidence shows it; otherwise it has failed, and says why.

    Raises:
        InputError: it is not running, or a piece of evidence is not what it says.
    """
    before = _to_move(draft, task, "finish", "running")
    pieces = checked(evidence)
    why = lacking(pieces)
    facts = {"evidence": [f"{each.kind}: {said(each.ref)}" for each in pieces]}
    if why is not None:
        failed = replace(before, status="failed", evidence=pieces, note=why)
        return _moved(draft, before, failed, f"failed: {why}", _freed(draft, before), facts=facts)
    done = replace(before, status="done", evidence=pieces, note="")
    shown = ", ".join(said(each.ref, 60) for each in pieces if each.kind != "text")
    agent = _freed(draft, before, progressed(draft, before.role))
    return _moved(draft, before, done, f"done: {said(shown)}", agent, facts=facts)


def fail_task(draft: Draft, *, task: str, reason: str) -> Task:
    """It did not work out; it may be begun again."""
    before = _to_move(draft, task, "fail", "pending", "running")
    why = clean("the reason", reason, MOST_REASON, required=True)
    failed = replace(before, status="failed", note=why)
    return _moved(draft, before, failed, f"failed: {said(why)}", _freed(draft, before))


def park_task(draft: Draft, *, task: str, reason: str) -> Task:
    """Put it aside, until it is assigned anew."""
    before = _to_move(draft, task, "park", "pending", "running", "failed")
    why = clean("the reason", reason, MOST_REASON, required=True)
    parked = replace(before, status="parked", note=why)
    return _moved(draft, before, parked, f"parked: {said(why)}", _freed(draft, before))


def reassign(draft: Draft, *, task: str, role: Role, reason: str) -> Task:
    """Give it to an agent that begins it anew (guide, level 1); one that was parked is to be done again.

    Raises:
        InputError: it is done, or it waits for that agent already.
    """
    check(draft, "reassign a task")
    before = _in(draft, task, "reassign", "pending", "running", "failed", "parked")
    if (before.role, before.status) == (role, "pending"):
        raise InputError(f"{task} is the {display_name(role)}'s already", hint="it waits to be begun")
    why = clean("the reason", reason, MOST_REASON, required=True)
    given = replace(before, role=role, status="pending", since=None, note="")
    says = f"reassigned from the {display_name(before.role)} to the {display_name(role)}: {said(why)}"
    return _moved(draft, before, given, says, _freed(draft, before), facts={"was": before.role.value})


def ready(documents: Documents) -> list[Task]:
    """The tasks that may be begun: they are pending, and all that they need is done."""
    waiting = [task for task in documents.all(Task, open_only=True) if task.status == "pending"]
    return [task for task in waiting if all(_is_done(documents, need) for need in task.needs)]


def _task(new: NewTask) -> Task:
    if not _SLUG.fullmatch(new.id):
        raise InputError(
            f"{said(new.id, 60)!r} is no id of a task",
            hint="1 to 40 small letters, digits and hyphens, such as: auth-module",
        )
    needs = tuple(dict.fromkeys(new.needs))
    if len(needs) > MOST_NEEDS:
        raise InputError(f"{new.id} needs {len(needs)} tasks; at most {MOST_NEEDS} are allowed")
    return Task(
        id=new.id,
        title=line(f"the title of {new.id}", new.title, MOST_TITLE, required=True),
        role=new.role,
        needs=needs,
        check=clean(f"the check of {new.id}", new.check, MOST_CHECK),
    )


def _circle(added: Sequence[Task]) -> list[str]:
    """Ids of tasks of which each needs the next, from one back to itself; empty: there are none.

    Only new tasks can: those on the board need nothing that was not there before them.
    """
    ids = {task.id for task in added}
    graph = {task.id: [need for need in task.needs if need in ids] for task in added}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def _is_done(documents: Documents, task: str) -> bool:
    found = documents.get(Task, task)
    return found is not None and found.status == "done"


def _to_move(draft: Draft, task: str, what: str, *statuses: TaskStatus) -> Task:
    """The task, which its agent or those who lead may move, and which is in one of `statuses`."""
    found = _in(draft, task, what, *statuses)
    check(draft, f"{what} a task of the {display_name(found.role)}", found.role)
    return found


def _in(draft: Draft, task: str, what: str, *statuses: TaskStatus) -> Task:
    found = draft.need(Task, task)
    if found.status not in statuses:
        hints = {
            "pending": "begin it first",
            "running": "finish it, fail it, or let the Director restart its agent",
            "parked": "the Director or a human assigns it anew",
        }
        raise InputError(
            f"{found.id} is {found.status}: to {what} it, it has to be {' or '.join(statuses)}",
            hint=hints.get(found.status, "add another task for what is left to do"),
        )
    return found


def _freed(draft: Draft, task: Task, agent: Agent | None = None) -> Agent:
    """The task's agent without it: idle, unless it works on another."""
    agent = agent or draft.agent(task.role)
    if task.status != "running":
        return agent
    others = [
        each
        for each in draft.all(Task, open_only=True)
        if each.role is task.role and each.status == "running" and each.id != task.id
    ]
    status = "idle" if agent.status == "working" and not others else agent.status
    return replace(agent, status=status, task=others[-1].title if others else "")


def _moved(
    draft: Draft,
    before: Task,
    after: Task,
    says: str,
    agent: Agent,
    *,
    facts: Mapping[str, Any] | None = None,
) -> Task:
    draft.record(
        "task_moved",
        after.id,
        f"task {after.id} is {says}",
        after,
        *alive(draft, agent),
        facts={
            "from": before.status,
            "to": after.status,
            "role": after.role.value,
            "attempts": after.attempts,
            **(facts or {}),
        },
    )
    return after
