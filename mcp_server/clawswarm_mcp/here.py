"""Work that this process does itself, where no daemon does it: it ends with the process, and says so."""

import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import anyio
from anyio.abc import TaskGroup

from clawswarm.clock import Clock
from clawswarm.errors import InputError, SwarmError
from clawswarm.types.events import BatchComplete, BatchEvent, TaskFinished
from clawswarm.types.jobs import Job, JobKind, JobPage, JobStatus, unknown_job
from clawswarm.types.research import ResearchComplete, ResearchEvent, StepFinished
from clawswarm.types.result import Failure, TaskResult
from clawswarm.types.task import Task

PREFIX = "here-"
KEPT = 20
"""Jobs whose results are kept to be paged through; the oldest that have ended go first."""

NAMED = 60
"""Characters of a job's title."""

Event = BatchEvent | ResearchEvent
Work = Callable[[Callable[[Event], Awaitable[None]]], Awaitable[None]]
"""Does the work, and is handed a way to tell what happens."""


class Tap(Collection[Task]):
    """Tasks that can be held back: after `close`, who asks for the next one is told that there is none."""

    def __init__(self, tasks: list[Task]) -> None:
        self._tasks = tasks
        self._closed = False

    def close(self) -> None:
        self._closed = True

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, task: object) -> bool:
        return task in self._tasks

    def __iter__(self) -> Iterator[Task]:
        for task in self._tasks:
            if self._closed:
                return
            yield task


@dataclass(eq=False)
class _Live:
    """A job of this process.

    Attributes:
        seen: research: how many subjects have been looked at; its results come all at once, at the end.
        trouble: why the whole of it failed.
    """

    id: str
    kind: JobKind
    total: int
    title: str
    created: float
    status: JobStatus = JobStatus.RUNNING
    ended: float | None = None
    items: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    seen: int = 0
    whole: dict[str, Any] | None = None
    trouble: SwarmError | None = None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    over: anyio.Event = field(default_factory=anyio.Event)

    @property
    def job(self) -> Job:
        successful = sum(bool(item["ok"]) for item in self.items.values())
        return Job(
            id=self.id,
            kind=self.kind,
            status=self.status,
            done=max(len(self.items), self.seen),
            total=self.total,
            successful=successful,
            failed=len(self.items) - successful,
            created=self.created,
            started=self.created,
            ended=self.ended,
            error=_failure(self.trouble),
            title=self.title,
        )

    def take(self, event: Event) -> None:
        """Note what happened."""
        match event:
            case TaskFinished(task=task):
                self.items[task.index] = task.as_json()
            case BatchComplete(stats=stats):
                self.whole = {"stats": stats.as_json()}
            case StepFinished(phase="analyze"):
                self.seen = min(self.total, self.seen + 1)
            case ResearchComplete(result=result):
                self.items = {subject.index: subject.as_json() for subject in result.subjects}
                whole = result.as_json()
                self.whole = {name: whole[name] for name in ("comparison", "report", "stats")}
            case _:
                pass


class Here:
    """The jobs of this process, for those who look at them as at any other's.

    Attributes:
        heard: told of every step of every job.
    """

    def __init__(self, group: TaskGroup, clock: Clock) -> None:
        self._group = group
        self._clock = clock
        self._live: OrderedDict[str, _Live] = OrderedDict()
        self.heard: Callable[[], None] = _nobody

    def begin(self, kind: JobKind, total: int, title: str, work: Work) -> str:
        """Start a job; its id."""
        live = _Live(f"{PREFIX}{secrets.token_hex(6)}", kind, total, title[:NAMED], self._now())
        self._live[live.id] = live
        ended = [job_id for job_id, other in self._live.items() if other.status.final]
        for job_id in ended[: max(0, len(self._live) - KEPT)]:
            del self._live[job_id]
        self._group.start_soon(self._run, live, work)
        return live.id

    def trouble(self, job_id: str) -> SwarmError | None:
        """Why the whole of a job failed."""
        return self._find(job_id).trouble

    def forget(self, job_id: str) -> None:
        """Nobody will ask for its results."""
        self._live.pop(job_id, None)

    async def job(self, job_id: str, *, wait: float = 0, offset: int = 0, limit: int = 1000) -> JobPage:
        """As in `access.api.JobAPI`."""
        live = self._find(job_id)
        if offset < 0 or limit < 1:
            raise InputError(f"offset is 0 or more and limit 1 or more, not {offset} and {limit}")
        if wait > 0:
            with anyio.move_on_after(wait):
                await live.over.wait()
        return _page(live, offset, limit)

    async def jobs(self, *, limit: int = 100) -> list[Job]:
        return [live.job for live in reversed(self._live.values())][:limit]

    async def cancel(self, job_id: str) -> Job:
        live = self._find(job_id)
        live.scope.cancel()
        await live.over.wait()
        return live.job

    def _find(self, job_id: str) -> _Live:
        if job_id not in self._live:
            raise unknown_job(job_id)
        return self._live[job_id]

    async def _run(self, live: _Live, work: Work) -> None:
        async def take(event: Event) -> None:
            live.take(event)
            self.heard()

        status = JobStatus.CANCELLED
        try:
            with live.scope:
                await work(take)
                status = JobStatus.COMPLETE
        except SwarmError as error:
            live.trouble, status = error, JobStatus.FAILED
        finally:
            live.status, live.ended = status, self._now()
            live.over.set()
            self.heard()

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _nobody() -> None:
    """Nobody listens."""


def _page(live: _Live, offset: int, limit: int) -> JobPage:
    job = live.job
    places = range(offset, min(offset + limit, live.total))
    if job.status.final:
        items = [live.items.get(place) or _never_done(job, place) for place in places]
    else:
        items = [live.items[place] for place in takewhile(live.items.__contains__, places)]
    reached = offset + len(items)
    more = reached < live.total or not job.status.final
    whole = live.whole if job.status is JobStatus.COMPLETE else None
    return JobPage(job=job, items=tuple(items), next_offset=reached if more else None, whole=whole)


def _never_done(job: Job, place: int) -> dict[str, Any]:
    """What never ran keeps its place, with the reason."""
    stopped = Failure(code="cancelled", message="the job was stopped before this was done", retryable=True)
    return TaskResult(index=place, ok=False, error=job.error or stopped).as_json()


def _failure(error: SwarmError | None) -> Failure | None:
    if error is None:
        return None
    return Failure(code="not_configured", message=error.message, hint=error.hint)
