"""Documents of a board: the run, its agents, their tasks and messages, and what they cost."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from clawswarm.config.team import TeamRules
from clawswarm.types.team import (
    AgentStatus,
    Channel,
    MessageType,
    Phase,
    Priority,
    Role,
    RunStatus,
    Severity,
    TaskStatus,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a team.

    Attributes:
        rules: as they were configured when it was opened.
        round: how often the phase review was entered.
        since: when the phase began.
        channels: how a human is told: those that were set up when it was opened.
        paused_by: who asked it to pause, with the reason in `note`; None while it may go on.
    """

    KIND: ClassVar[str] = "run"
    id: str
    goal: str
    rules: TeamRules
    opened: float
    phase: Phase = Phase.PLANNING
    since: float
    round: int = 0
    status: RunStatus = "open"
    paused_by: str | None = None
    note: str = ""
    channels: tuple[Channel, ...] = ("file",)
    ended: float | None = None
    last_checkpoint: str | None = None
    next_trigger: str = ""

    @property
    def open(self) -> bool:
        return self.status != "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One of the seven.

    Attributes:
        task: what it says it works on; "" for nothing.
        sentence: its last status, in one sentence.
        trust: 1 to 10; None for those who carry none.
        life: how often it was given a fresh start.
        seen: when it last did anything that the board saw.
        called: its calls without progress in a row, and what they were.
    """

    KIND: ClassVar[str] = "agent"
    role: Role
    status: AgentStatus = "idle"
    task: str = ""
    sentence: str = ""
    trust: int | None = None
    life: int = 0
    seen: float | None = None
    idle_calls: int = 0
    last_call: str = ""
    same_calls: int = 0
    last_error: str = ""
    same_errors: int = 0

    @property
    def id(self) -> str:
        return self.role.value

    @property
    def open(self) -> bool:
        return self.status in ("working", "active", "blocked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What shows that something was done: an agent's word is none.

    Attributes:
        kind: what `ref` is.
        ref: a path, a command, an address, or the text itself.
        exit_code: of a command.
        digest: SHA-256 of a file, as it was seen.
    """

    kind: Literal["file", "command", "url", "commit", "text"]
    ref: str
    exit_code: int | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A piece of the run's work.

    Attributes:
        needs: ids of tasks that have to be done first.
        check: what shows that it is done, in words or as the name of a command.
        attempts: how often it was begun.
    """

    KIND: ClassVar[str] = "task"
    id: str
    title: str
    role: Role
    needs: tuple[str, ...] = ()
    check: str = ""
    status: TaskStatus = "pending"
    attempts: int = 0
    since: float | None = None
    evidence: tuple[Evidence, ...] = ()
    note: str = ""

    @property
    def open(self) -> bool:
        return self.status in ("pending", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message in the format of the operations guide, section 5.

    Attributes:
        sender: a role, "human" or "system".
        to: a role, or "ALL".
        recipients: who has it in the inbox: those it is addressed to, and the Scribe.
    """

    KIND: ClassVar[str] = "message"
    id: str
    sender: str
    to: str
    recipients: tuple[Role, ...]
    type: MessageType
    priority: Priority
    at: float
    content: str
    context: str = ""
    expected: str = ""
    answers: str | None = None

    @property
    def open(self) -> bool:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message in one inbox. Ids sort as they are to be read: by priority, then by age."""

    KIND: ClassVar[str] = "delivery"
    role: Role
    rank: int
    number: int
    message: str
    acknowledged: float | None = None

    @property
    def id(self) -> str:
        return f"{self.role.value}/{self.rank}/{self.number:09d}"

    @property
    def open(self) -> bool:
        return self.acknowledged is None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustChange:
    """Why trust in an agent is what it is."""

    KIND: ClassVar[str] = "trust"
    id: str
    role: Role
    before: int
    after: int
    reason: str
    evidence: str
    by: str
    at: float

    @property
    def open(self) -> bool:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong that a reviewer found. `round` is the review it belongs to."""

    KIND: ClassVar[str] = "finding"
    id: str
    role: Role
    severity: Severity
    text: str
    round: int
    at: float
    task: str | None = None
    contradicts: Role | None = None

    @property
    def open(self) -> bool:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """What one agent's calls cost so far. `unknown` calls have no known price: the sum lacks them."""

    KIND: ClassVar[str] = "spend"
    role: Role
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_pico: int = 0
    unknown: int = 0

    @property
    def id(self) -> str:
        return self.role.value

    @property
    def open(self) -> bool:
        return False
