"""What reviewers find (operations guide, section 3, "Review Sessions"). The guards judge it."""

from clawswarm.errors import InputError
from clawswarm.team.agents import alive
from clawswarm.team.draft import Draft
from clawswarm.team.permits import check
from clawswarm.team.rules.roles import display_name
from clawswarm.team.texts import clean, said
from clawswarm.types.board import Finding, Task
from clawswarm.types.team import Role, Severity

MOST_TEXT = 20_000
REVIEWERS = (Role.INSPECTOR, Role.REFACTORER, Role.ARCHITECT, Role.DIRECTOR)
"""Who finds: for bugs, for quality, for the big picture, and in the verification."""


def find(
    draft: Draft,
    *,
    role: Role,
    severity: Severity,
    text: str,
    task: str | None = None,
    contradicts: Role | None = None,
) -> Finding:
    """Note what is wrong. It belongs to the review round that the run is in.

    Args:
        role: who found it; whoever leads the team may note what another found.
        contradicts: whose output it contradicts: a conflict of the two.
    """
    _check(draft, role, severity)
    if contradicts is role:
        raise InputError("nobody contradicts themselves", hint="name the agent whose output is contradicted")
    if task is not None:
        draft.need(Task, task)
    text = clean("a finding's text", text, MOST_TEXT, required=True)
    finding = Finding(
        id=f"f{draft.next_seq}",
        role=role,
        severity=severity,
        text=text,
        round=draft.run.round,
        at=draft.now,
        task=task,
        contradicts=contradicts,
    )
    about = f" in task {task}" if task else ""
    draft.record(
        "finding_made",
        finding.id,
        f"{display_name(role)} finds something {severity.replace('_', ' ')}{about}: {said(text)}",
        finding,
        *alive(draft),
        facts={"severity": severity.value, "task": task, "round": finding.round, "contradicts": contradicts},
    )
    return finding


def _check(draft: Draft, role: Role, severity: Severity) -> None:
    reviewers = ", ".join(display_name(each) for each in REVIEWERS)
    if role not in REVIEWERS:
        raise InputError(f"the {display_name(role)} does not review", hint=f"reviewers: {reviewers}")
    check(draft, f"note what the {display_name(role)} finds", role)
    if severity is Severity.DESIGN_FLAW and role is not Role.ARCHITECT:
        raise InputError(
            "only the Architect calls the design flawed",
            hint="use the severity critical, or ask the Architect",
        )
