"""What the daemon answers, for the OpenAPI document and for the checks of its answers."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from clawswarm.types.jobs import JobKind

JobState = Literal["queued", "running", "complete", "failed", "cancelled"]


class Reply(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class ErrorDetails(Reply):
    code: str
    message: str
    hint: str | None = None
    """What to do next."""


class Error(Reply):
    """Every refusal has this shape."""

    error: ErrorDetails


class Health(Reply):
    status: Literal["ok"]
    version: str


class Money(Reply):
    """US$ of the local calendar day."""

    today_usd: float
    """What was spent, calls whose end nobody saw included."""
    held_usd: float
    """Reserved by running processes, spent in part."""
    cap_usd: float | None
    """The daily cap; null without one."""


class KeptAnswers(Reply):
    enabled: bool
    answers: int
    bytes: int
    hits: int
    """Tasks that the cache answered since the daemon started."""


class Endpoint(Reply):
    """One server that is called, with the limiter's own numbers."""

    provider: str
    address: str
    slots: int
    in_use: int
    state: str
    """Of the circuit breaker: closed (all is well), open (left alone), probing (being tried)."""
    waiting: int
    """Calls in the line of this provider."""


class Status(Reply):
    status: Literal["running"]
    version: str
    pid: int
    port: int
    uptime_s: float
    workers: int
    workers_busy: int
    streams: int
    requests: int
    tasks: int
    failed: int
    avg_ms: float | None
    """Mean time of a task in calls to providers; null before the first."""
    provider: str
    model: str
    cost: Money | None
    """null when the ledger cannot be read."""
    cache: KeptAnswers | None
    jobs: dict[str, int]
    """How many there are of each status."""
    endpoints: list[Endpoint]
    warnings: list[str]


class Capabilities(Reply):
    """What the daemon can do, for programs that find out by themselves."""

    version: str
    modes: list[dict[str, Any]]
    providers: list[dict[str, Any]]
    limits: dict[str, Any]
    events: list[str]


class Job(Reply):
    job_id: str
    kind: JobKind
    status: JobState
    done: int
    total: int
    successful: int
    failed: int
    created: float
    """Seconds since 1970, as all times here."""
    started: float | None
    ended: float | None
    error: dict[str, Any] | None
    title: str


class JobList(Reply):
    jobs: list[Job]


class JobPage(Job):
    results: list[str | None]
    """The texts; null where a task or a subject failed."""
    tasks: list[dict[str, Any]] | None = None
    """Of a batch: everything about each task of this page."""
    subjects: list[dict[str, Any]] | None = None
    """Of a research: everything about each subject of this page."""
    next_offset: int | None
    """Where the next page begins; null after the last one."""
    stats: dict[str, Any] | None = None
    topic: str | None = None
    depth: str | None = None
    search: str | None = None
    comparison: str | None = None
    report: str | None = None
