"""Documents of meetings: proposals with their votes, and checkpoints."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from clawswarm.types.board import Evidence
from clawswarm.types.team import (
    CheckpointDecision,
    DecidedBy,
    Phase,
    ProposalStatus,
    Role,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One voice. `option` None is an abstention."""

    role: Role
    option: str | None
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A closed round: the votes of all the electorate, and why the vote ended or went on."""

    number: int
    votes: tuple[Vote, ...]
    closed: float
    outcome: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How a proposal ended.

    Attributes:
        dissent: the votes for something else, with their reasons.
        unproven: it was high stakes and unanimous, and nobody brought evidence.
    """

    option: str
    how: DecidedBy
    by: str
    reason: str
    at: float
    dissent: tuple[Vote, ...] = ()
    unproven: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A question that the team votes on.

    Attributes:
        votes: of the round that is open, by role.
        deadline: when that round closes, whoever is missing.
        needs_evidence: it is high stakes: votes should bring evidence.
    """

    KIND: ClassVar[str] = "proposal"
    id: str
    topic: str
    options: tuple[str, ...]
    electorate: tuple[Role, ...]
    by: str
    opened: float
    deadline: float
    round_seconds: float
    needs_evidence: bool = False
    irreversible: bool = False
    waits_for: str = ""
    votes: dict[Role, Vote] = field(default_factory=dict[Role, Vote])
    rounds: tuple[Round, ...] = ()
    status: ProposalStatus = "voting"
    decision: Decision | None = None

    @property
    def open(self) -> bool:
        return self.status != "decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a checkpoint says; the board as it was then lies beside it (`Snapshot`).

    Attributes:
        seq: the journal's last event that the snapshot holds.
        commit: the workspace's commit that belongs to it, if there is one.
    """

    KIND: ClassVar[str] = "checkpoint"
    id: str
    at: float
    by: str
    seq: int
    phase: Phase
    trigger: str
    summary: str
    sentences: dict[Role, str]
    blockers: tuple[str, ...]
    decision: CheckpointDecision
    next_trigger: str = ""
    commit: str | None = None

    @property
    def open(self) -> bool:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The board of a checkpoint: documents by kind and id, as JSON."""

    KIND: ClassVar[str] = "snapshot"
    id: str
    documents: dict[str, dict[str, Any]]

    @property
    def open(self) -> bool:
        return False
