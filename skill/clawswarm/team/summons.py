"""The Director hears of every emergency at once (operations guide, section 3: "immediately notified")."""

from collections.abc import Generator
from contextlib import contextmanager

from clawswarm.team.alert_text import paused
from clawswarm.team.draft import Draft
from clawswarm.team.messages import send
from clawswarm.team.rules.levels import MEANING, TITLES, needs_human
from clawswarm.team.rules.roles import display_name
from clawswarm.team.texts import said
from clawswarm.types.alarms import Emergency
from clawswarm.types.team import SYSTEM, MessageType, Priority, Role

MOST_QUOTED = 1_000


def tell_the_director(draft: Draft) -> None:
    """Write to the Director about what this change has raised, or raised to a higher level."""
    raised = [e for e in draft.events if e.kind in ("emergency_raised", "emergency_escalated")]
    for event in raised:
        if event.actor != Role.DIRECTOR:
            _tell(draft, draft.need(Emergency, event.subject))


def _tell(draft: Draft, emergency: Emergency) -> None:
    most = int(draft.rules.message_kb * 1024)
    head = f"{emergency.id}, level {emergency.level:d}, {TITLES[emergency.cause]}"
    content = _fitting(f"{head}: {said(emergency.text, MOST_QUOTED)}", most)
    if not content:
        return
    with _as_system(draft):
        send(
            draft,
            to=Role.DIRECTOR,
            type=MessageType.ALERT,
            priority=Priority.EMERGENCY,
            content=content,
            context=_fitting(f"Raised by {display_name(emergency.by)}. Paused: {paused(emergency)}.", most),
            expected=_fitting(_expected(emergency), most),
        )


def _expected(emergency: Emergency) -> str:
    if needs_human(emergency.level):
        return f"A summary for a human, who resolves {emergency.id}. {MEANING[emergency.level].capitalize()}."
    return f"A decision: resolve {emergency.id} internally, ask for a human, or abort the phase."


def _fitting(text: str, most: int) -> str:
    """What of it a message of this run may have."""
    return text.encode()[:most].decode(errors="ignore")


@contextmanager
def _as_system(draft: Draft) -> Generator[None]:
    actor, draft.actor = draft.actor, SYSTEM
    try:
        yield
    finally:
        draft.actor = actor
