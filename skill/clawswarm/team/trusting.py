"""Changes of trust: by whom, why, and the emergency at the threshold (operations guide, section 3)."""

from dataclasses import replace

from clawswarm.errors import InputError
from clawswarm.team.agents import alive
from clawswarm.team.draft import Draft
from clawswarm.team.emergencies import raise_emergency
from clawswarm.team.rules import trust
from clawswarm.team.rules.roles import display_name
from clawswarm.team.texts import clean, said
from clawswarm.types.board import TrustChange
from clawswarm.types.journal import Event
from clawswarm.types.team import Level, Role

MOST_REASON = 4_000
MOST_DELTA = trust.MOST - trust.LEAST


def adjust(draft: Draft, *, role: Role, delta: int, reason: str, evidence: str = "") -> TrustChange:
    """Change the trust in an agent; beyond 1 or 10 it stays there.

    Raises:
        InputError: whoever asks may not, the agent carries no trust, or the change is none.
    """
    if refused := trust.refusal(role, draft.actor):
        carriers = ", ".join(display_name(each) for each in Role if each not in trust.WITHOUT)
        raise InputError(refused, hint=f"the Director or a human changes the trust in: {carriers}")
    if not 1 <= abs(delta) <= MOST_DELTA:
        raise InputError(
            f"trust changes by 1 to {MOST_DELTA} up or down, not by {delta}", hint="such as -2, with a reason"
        )
    agent = draft.agent(role)
    before = trust.weight(agent.trust, draft.rules.trust)
    after = trust.changed(before, delta)
    change = TrustChange(
        id=f"t{draft.next_seq}",
        role=role,
        before=before,
        after=after,
        reason=clean("the reason", reason, MOST_REASON, required=True),
        evidence=clean("the evidence", evidence, MOST_REASON),
        by=draft.actor,
        at=draft.now,
    )
    course = f"from {before} to {after}" if after != before else f"stays {after}"
    draft.record(
        "trust_changed",
        change.id,
        f"trust in the {display_name(role)}: {course} of {trust.MOST} ({delta:+d}): {said(change.reason)}",
        change,
        *alive(draft, replace(agent, trust=after)),
        facts={"role": role, "before": before, "after": after, "delta": delta},
    )
    return change


def alarm(draft: Draft) -> None:
    """Raise the threshold's emergency for each agent whose trust this change brought there."""
    changes: dict[str, Event] = {
        event.facts["role"]: event for event in draft.events if event.kind == "trust_changed"
    }
    for role, event in changes.items():
        change = draft.need(TrustChange, event.subject)
        if trust.is_alarming(change.before, change.after, draft.rules.trust):
            raise_emergency(
                draft,
                level=Level.COORDINATION,
                text=f"trust in the {display_name(role)} is {change.after} of {trust.MOST} (an emergency at "
                f"{draft.rules.trust.alarm} or below); the last change: {said(change.reason)}",
                cause="trust",
                key=role,
                saw={"trust": change.after, "before": change.before, "threshold": draft.rules.trust.alarm},
            )
