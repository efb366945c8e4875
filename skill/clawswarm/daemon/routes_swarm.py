"""`/parallel`, `/research` and `/jobs`: a checked request → the swarm → its answer."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from clawswarm.access.remote import LONGEST_WAIT
from clawswarm.daemon import bodies, replies
from clawswarm.daemon.serving import Serving
from clawswarm.daemon.stream import EventStream
from clawswarm.modes.job_pages import LARGEST_PAGE
from clawswarm.modes.requests import read_batch, read_research
from clawswarm.types.events import TaskFinished
from clawswarm.types.requests import BatchRequest, ResearchRequest

router = APIRouter()

Emit = Callable[[Any], Awaitable[None]]

LINES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One JSON event a line, as it happens; the last one is `complete` or `error`. "
        "Ignore events that you do not know: a `heartbeat` comes when there is nothing else to say.",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
    }
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": replies.Error, "description": text}
    for status, text in {
        400: "No HTTP, or no JSON.",
        401: "The token is missing or wrong.",
        403: "The Host or the Origin is not the daemon's.",
        408: "The body did not arrive in time.",
        409: "The configuration has no provider for this.",
        413: "Too many prompts, or too large a body.",
        415: "The body is not application/json.",
        422: "A field is missing, unknown or out of its range.",
        429: "Too much at once; Retry-After says when to come back.",
        503: "The state directory cannot be used.",
    }.items()
}
UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": replies.Error, "description": "No such job."}}


def serving(request: Request) -> Serving:
    return request.app.state.serving


@router.post(
    "/parallel", responses={**LINES, **REFUSALS}, response_class=Response, summary="Ask many prompts at once"
)
async def parallel(request: Request, body: bodies.ParallelStream) -> Response:
    """Events: `start`, one `progress` a finished task, `complete` with `results`, `stats` and `cost`."""
    this = serving(request)
    batch = _batch(this, body, keep_results=body.keep_results)

    async def run(emit: Emit) -> None:
        with this.stream(), this.tracer.request("/parallel") as span:

            async def traced(event: Any) -> None:
                if isinstance(event, TaskFinished):
                    span.task(event.task)
                await emit(event)

            await this.swarm.parallel(batch, traced)

    return EventStream(run, heartbeat=this.settings.daemon.heartbeat)


@router.post(
    "/research",
    responses={**LINES, **REFUSALS},
    response_class=Response,
    summary="Research many subjects on the web",
)
async def research(request: Request, body: bodies.Research) -> Response:
    """Events: `start`, `phase`, one `progress` a finished step, `complete` with claims, sources, report."""
    this = serving(request)
    wanted = _research(this, body)

    async def run(emit: Emit) -> None:
        with this.stream(), this.tracer.request("/research"):
            await this.swarm.research(wanted, emit)

    return EventStream(run, heartbeat=this.settings.daemon.heartbeat)


@router.post(
    "/jobs",
    status_code=202,
    response_model=replies.Job,
    responses=REFUSALS,
    summary="Hand over work that goes on by itself",
)
async def submit(request: Request, body: bodies.JobBody) -> Any:
    """It is on the disk when this answers, and goes on after a crash."""
    this = serving(request)
    if isinstance(body, bodies.ParallelJob):
        return (await this.swarm.submit(_batch(this, body))).as_json()
    return (await this.swarm.submit(_research(this, body))).as_json()


@router.get("/jobs", response_model=replies.JobList, responses=REFUSALS, summary="List jobs, newest first")
async def jobs(request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Any:
    found = await serving(request).swarm.jobs(limit=limit)
    return {"jobs": [job.as_json() for job in found]}


@router.get(
    "/jobs/{job_id}",
    response_model=replies.JobPage,
    response_model_exclude_unset=True,
    responses={**REFUSALS, **UNKNOWN},
    summary="A job with a page of its results",
)
async def job(
    request: Request,
    job_id: str,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT)] = 0,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = LARGEST_PAGE,
) -> Any:
    """Results in order of index. A page ends before the first task that is not done yet: who goes on at
    `next_offset` sees each result once. `wait` is in seconds, and ends with the job."""
    page = await serving(request).swarm.job(job_id, wait=wait, offset=offset, limit=limit)
    return page.as_json()


@router.delete(
    "/jobs/{job_id}",
    response_model=replies.Job,
    responses={**REFUSALS, **UNKNOWN},
    summary="Cancel a job",
)
async def cancel(request: Request, job_id: str) -> Any:
    """Its calls are closed when this answers. A job that has ended stays as it is."""
    return (await serving(request).swarm.cancel(job_id)).as_json()


def _batch(this: Serving, body: bodies.Parallel, *, keep_results: bool = True) -> BatchRequest:
    this.check_count(len(body.prompts))
    this.observer.requests += 1
    return read_batch(body.document(), keep_results=keep_results)


def _research(this: Serving, body: bodies.Research) -> ResearchRequest:
    this.observer.requests += 1
    return read_research(body.document())
