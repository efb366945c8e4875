"""Documents of alarms: emergencies, and the alerts that call a human."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from clawswarm.types.team import (
    Cause,
    Channel,
    EmergencyStatus,
    Level,
    Role,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A try at resolving an emergency. `worked` is None while it is under way."""

    by: str
    what: str
    at: float
    worked: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """An alarm.

    Attributes:
        cause: what kind of thing happened.
        key: what it is about; while it is open, the same cause about the same thing is not raised again.
        agent: the one agent it concerns, at level 1.
        human: why a person is needed; None while the team may solve it by itself.
        saw: what the guard or the agent saw, as facts.
    """

    KIND: ClassVar[str] = "emergency"
    id: str
    level: Level
    cause: Cause
    key: str
    text: str
    by: str
    at: float
    agent: Role | None = None
    saw: dict[str, Any] = field(default_factory=dict[str, Any])
    status: EmergencyStatus = "open"
    attempts: tuple[Attempt, ...] = ()
    human: str | None = None
    resolution: str = ""
    resolved_by: str | None = None
    resolved: float | None = None

    @property
    def open(self) -> bool:
        return self.status != "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof that a channel took an alert: the file's name, the webhook's status, the program's exit code."""

    channel: Channel
    at: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A call for a human, made together with the emergency it tells of.

    Attributes:
        wanted: the channels that were set up when it was made.
        trouble: why a channel has not taken it yet.
    """

    KIND: ClassVar[str] = "alert"
    id: str
    emergency: str
    level: Level
    at: float
    title: str
    body: str
    wanted: tuple[Channel, ...]
    receipts: tuple[Receipt, ...] = ()
    trouble: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def open(self) -> bool:
        return bool(set(self.wanted) - {receipt.channel for receipt in self.receipts})

    @property
    def told(self) -> bool:
        """Whether a human can be said to have been told: a receipt of more than the file exists."""
        return any(receipt.channel != "file" for receipt in self.receipts)
