"""A job: a batch or a research that the daemon works on by itself, and that outlives a crash."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from clawswarm.errors import NotFound
from clawswarm.types.result import Failure

JobKind = Literal["parallel", "research"]


class JobStatus(StrEnum):
    """What a job is doing. The last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        return self in (JobStatus.COMPLETE, JobStatus.FAILED, JobStatus.CANCELLED)


def unknown_job(job_id: str) -> NotFound:
    return NotFound(f"there is no job {job_id!r}", hint="see: swarm jobs list")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as it stands.

    Attributes:
        done, total: tasks, or subjects of a research.
        successful, failed: of those that are done.
        created, started, ended: seconds since 1970; None for what has not happened.
        error: why the whole job failed; failed tasks have their own.
        title: its first prompt or its topic, shortened.
    """

    id: str
    kind: JobKind
    status: JobStatus
    done: int
    total: int
    successful: int
    failed: int
    created: float
    started: float | None
    ended: float | None
    error: Failure | None
    title: str

    def as_json(self) -> dict[str, Any]:
        return {
            "job_id": self.id,
            "kind": self.kind,
            "status": self.status.value,
            "done": self.done,
            "total": self.total,
            "successful": self.successful,
            "failed": self.failed,
            "created": self.created,
            "started": self.started,
            "ended": self.ended,
            "error": None if self.error is None else self.error.as_json(),
            "title": self.title,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """A job with a page of its results, in order of index.

    A page ends before the first task that is not done yet, so that a reader who goes on at `next_offset`
    sees each result once and in order.

    Attributes:
        items: the documents of the tasks or subjects (`TaskResult.as_json`, `SubjectResult.as_json`).
        next_offset: where the next page begins; None after the last one.
        whole: what belongs to the job as a whole, once it is complete: `stats`, and for a research
            `comparison` and `report`.
    """

    job: Job
    items: tuple[dict[str, Any], ...]
    next_offset: int | None
    whole: dict[str, Any] | None = None

    @property
    def results(self) -> list[str | None]:
        """The texts, as in a batch; None where a task or subject failed."""
        return [item.get("text", item.get("analysis")) for item in self.items]

    def as_json(self) -> dict[str, Any]:
        name = "tasks" if self.job.kind == "parallel" else "subjects"
        return {
            **self.job.as_json(),
            "results": self.results,
            name: list(self.items),
            "next_offset": self.next_offset,
            **(self.whole or {}),
        }
