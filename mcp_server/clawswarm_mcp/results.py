"""What the tools answer, as data; a short text goes beside it.

Fields that explain themselves when they come are left out of the schema that hosts are sent.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import SkipJsonSchema

Row = dict[str, Any]
JobState = Literal["queued", "running", "complete", "failed", "cancelled"]


class Result(BaseModel):
    """The data of one answer. What is None is left out."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    def as_json(self) -> Row:
        return self.model_dump(mode="json", exclude_none=True)


class WorkResult(Result):
    """How a batch or a research stands, with a page of its results; or the jobs that there are.

    Attributes:
        results: in order; each has its `index`, `ok`, and an answer or an error.
        next_offset: where the next page begins.
        comparison: of a research that is complete.
    """

    status: JobState | None = None
    job_id: str | None = None
    done: int | None = None
    total: int | None = None
    results: list[Row] | None = None
    next_offset: int | None = None
    failed: SkipJsonSchema[int | None] = None
    cost_usd: SkipJsonSchema[float | None] = None
    comparison: SkipJsonSchema[str | None] = None
    note: SkipJsonSchema[str | None] = None


class JobsResult(WorkResult):
    """One job, or with `list` all of them, the newest first."""

    done: SkipJsonSchema[int | None] = None
    total: SkipJsonSchema[int | None] = None
    jobs: list[Row] | None = None


class TeamResult(Result):
    """What every tool of the team answers: whether the agent goes on, and why."""

    directive: Literal["continue", "pause", "stop"]
    reason: str
    note: SkipJsonSchema[str | None] = None


class StartResult(TeamResult):
    run: str


class StatusResult(TeamResult):
    """The board in short; `more` counts the rows left out, `unread` the messages of who asks."""

    run: Row | None = None
    agents: SkipJsonSchema[list[Row] | None] = None
    tasks: SkipJsonSchema[list[Row] | None] = None
    proposals: SkipJsonSchema[list[Row] | None] = None
    emergencies: SkipJsonSchema[list[Row] | None] = None
    unread: SkipJsonSchema[int | None] = None
    more: SkipJsonSchema[dict[str, int] | None] = None


class MessageResult(TeamResult):
    id: str | None = None
    messages: SkipJsonSchema[list[Row] | None] = None
    unread: SkipJsonSchema[int | None] = None


class CheckpointResult(TeamResult):
    id: str
    phase: SkipJsonSchema[str]


class EmergencyResult(TeamResult):
    """The emergency that is open now; `human` says why a person is needed."""

    id: str
    level: int
    human: SkipJsonSchema[str | None] = None


class VoteResult(TeamResult):
    """Where a vote stands.

    Attributes:
        missing: who has not voted in the round that is open.
        standing: the same in words.
    """

    proposal: str
    converged: bool
    missing: SkipJsonSchema[list[str]]
    standing: SkipJsonSchema[str]
    decision: SkipJsonSchema[str | None] = None
    dissent: SkipJsonSchema[list[Row] | None] = None


class ControlResult(TeamResult):
    """`done` is false where the human said no, or was not there to say it."""

    done: bool
    id: SkipJsonSchema[str | None] = None
