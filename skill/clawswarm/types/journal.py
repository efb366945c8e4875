"""The journal's events. Each carries what it left on the board, so that replaying it needs no rules.

A later version may decide differently; what was decided stays what it was.
"""

from dataclasses import dataclass
from typing import Any, Literal

EventKind = Literal[
    "run_opened",
    "run_paused",
    "run_resumed",
    "run_ended",
    "phase_moved",
    "agent_reported",
    "agent_restarted",
    "call_made",
    "task_added",
    "task_moved",
    "message_sent",
    "message_acknowledged",
    "proposal_opened",
    "vote_cast",
    "round_closed",
    "proposal_decided",
    "trust_changed",
    "finding_made",
    "checkpoint_taken",
    "checkpoint_restored",
    "emergency_raised",
    "emergency_escalated",
    "emergency_tried",
    "emergency_resolved",
    "alert_made",
    "alert_received",
    "alert_refused",
    "spend_noted",
]


@dataclass(frozen=True, slots=True)
class Image:
    """A document as an event left it; `body` None: it is no longer on the board."""

    kind: str
    id: str
    body: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the journal.

    Attributes:
        seq: 1, 2, 3, … without a gap, in one run.
        at: seconds since 1970; never before the event in front of it.
        actor: a role, "human" or "system".
        subject: id of the document it is about.
        says: what happened, in words.
        facts: what happened, as data.
        after: what it left on the board.
    """

    run: str
    seq: int
    at: float
    actor: str
    kind: EventKind
    subject: str
    says: str
    facts: dict[str, Any]
    after: tuple[Image, ...] = ()

    def as_json(self, *, images: bool = False) -> dict[str, Any]:
        document: dict[str, Any] = {
            "run": self.run,
            "seq": self.seq,
            "at": self.at,
            "actor": self.actor,
            "kind": self.kind,
            "subject": self.subject,
            "says": self.says,
            "facts": self.facts,
        }
        if images:
            document["after"] = [{"kind": i.kind, "id": i.id, "body": i.body} for i in self.after]
        return document
