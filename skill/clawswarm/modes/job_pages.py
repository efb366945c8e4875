"""A page of a job's results, read from the store: in the daemon, and where none runs."""

from itertools import takewhile
from typing import Any

from pydantic_core import from_json

from clawswarm.errors import InputError
from clawswarm.store.jobs import Jobs
from clawswarm.types.jobs import Job, JobPage, JobStatus
from clawswarm.types.research import SubjectResult
from clawswarm.types.result import Failure, TaskResult

LARGEST_PAGE = 1000
LARGEST_OFFSET = 2**31


def read_page(jobs: Jobs, job_id: str, offset: int, limit: int) -> JobPage:
    """A job with at most `limit` results from `offset` on. Blocks: call it from a thread.

    Raises:
        NotFound: there is no such job.
        InputError: `offset` or `limit` is out of range.
    """
    if not 0 <= offset <= LARGEST_OFFSET or not 1 <= limit <= LARGEST_PAGE:
        raise InputError(
            f"offset must be 0 to {LARGEST_OFFSET} and limit 1 to {LARGEST_PAGE}, not {offset} and {limit}"
        )
    job = jobs.get(job_id)
    places = range(offset, min(offset + limit, job.total))
    there = jobs.page(job_id, offset, limit)
    if job.status.final:
        # What never ran keeps its place, with the reason.
        asked = jobs.request(job_id) if len(there) < len(places) else None
        items = [
            from_json(there[place]) if place in there else _never_done(job, asked, place) for place in places
        ]
    else:
        items = [from_json(there[place]) for place in takewhile(there.__contains__, places)]
    reached = offset + len(items)
    more = reached < job.total or not job.status.final
    return JobPage(
        job=job,
        items=tuple(items),
        next_offset=reached if more else None,
        whole=jobs.whole(job_id) if job.status is JobStatus.COMPLETE else None,
    )


def _never_done(job: Job, asked: Any, position: int) -> dict[str, object]:
    reason = job.error or Failure(
        code="cancelled", message="the job was stopped before this was done", retryable=True
    )
    if job.kind == "parallel":
        name = asked["prompts"][position].get("id")
        return TaskResult(index=position, id=name, ok=False, error=reason).as_json()
    subject = asked["subjects"][position]
    return SubjectResult(index=position, subject=subject, ok=False, error=reason).as_json()
