"""The names of a team (design, section 6), and what every document on its board has."""

from enum import IntEnum, StrEnum
from typing import ClassVar, Literal, Protocol

HUMAN = "human"
SYSTEM = "system"
"""Who acts beside the seven roles: a person, and the board itself (guards, deadlines, alerts)."""


class Role(StrEnum):
    """The seven agents of the operations guide, in the order of its tables."""

    DIRECTOR = "director"
    ARCHITECT = "architect"
    SCOUT = "scout"
    BUILDER = "builder"
    REFACTORER = "refactorer"
    INSPECTOR = "inspector"
    SCRIBE = "scribe"


class Phase(StrEnum):
    """What a run is doing (design, section 6)."""

    PLANNING = "planning"
    EXECUTION = "execution"
    REVIEW = "review"
    ITERATION = "iteration"
    DONE = "done"


class Level(IntEnum):
    """How bad it is (operations guide, section 4)."""

    NORMAL = 0
    AGENT = 1
    COORDINATION = 2
    SYSTEM = 3
    ABORT = 4


class MessageType(StrEnum):
    STATUS = "STATUS"
    REQUEST = "REQUEST"
    RESPONSE = "RESPONSE"
    DECISION = "DECISION"
    ALERT = "ALERT"


class Priority(StrEnum):
    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"
    EMERGENCY = "EMERGENCY"

    @property
    def rank(self) -> int:
        """0 for what overtakes everything, 3 for what can wait."""
        return {"EMERGENCY": 0, "HIGH": 1, "NORMAL": 2, "LOW": 3}[self.value]


class Severity(StrEnum):
    """How bad a finding is. A design flaw is one the Architect calls fundamental."""

    MINOR = "minor"
    MAJOR = "major"
    CRITICAL = "critical"
    DESIGN_FLAW = "design_flaw"


AgentStatus = Literal["idle", "working", "active", "blocked", "stopped"]
TaskStatus = Literal["pending", "running", "done", "failed", "parked", "cancelled"]
RunStatus = Literal["open", "paused", "ended"]
EmergencyStatus = Literal["open", "probing", "resolved"]
ProposalStatus = Literal["voting", "director", "decided"]
"""`director`: the rounds are used up, and the Director's word is awaited."""
DecidedBy = Literal["unanimous", "supermajority", "director", "stable", "diminishing", "forced"]
CheckpointDecision = Literal["continue", "revise", "escalate"]
Breaker = Literal["normal", "paused", "probing"]
Channel = Literal["file", "webhook", "desktop"]
Directive = Literal["continue", "pause", "stop"]
Cause = Literal[
    "manual",
    "stuck",
    "same_error",
    "silent",
    "conflict",
    "resource",
    "quality",
    "runaway",
    "loop",
    "budget",
    "trust",
    "no_consensus",
    "irreversible",
]


class Document(Protocol):
    """Something on the board: a frozen dataclass, written whole with every change of it.

    `KIND` and `id` are its place. Times are seconds since 1970. Texts of agents are data: whoever shows them
    makes them harmless first.
    """

    KIND: ClassVar[str]

    @property
    def id(self) -> str: ...

    @property
    def open(self) -> bool:
        """Whether it still waits for something: what is not open is history."""
        ...
