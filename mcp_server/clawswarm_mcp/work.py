"""`swarm_parallel`, `swarm_research` and `swarm_job`: work that is handed over, waited for, paged through.

The daemon does it where it runs. Where none does, this process begins by itself; when the work gets long, a
daemon is started and takes it over, so that it outlives the session. Answers that were paid for are in the
cache by then, and are not asked again.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import get_args

import anyio

from clawswarm.access.api import JobAPI, SwarmAPI
from clawswarm.access.connect import Way
from clawswarm.config.model import ProviderName, Settings
from clawswarm.errors import DaemonNeeded, InputError, SwarmError
from clawswarm.types.jobs import Job, JobPage
from clawswarm.types.requests import BatchRequest, ResearchRequest, RunOptions
from clawswarm.types.task import Task
from clawswarm_mcp.call import Call, Reply
from clawswarm_mcp.here import Tap
from clawswarm_mcp.inputs import JobArguments, ParallelArguments, ResearchArguments
from clawswarm_mcp.session import TOO_SLOW
from clawswarm_mcp.waiting import follow, within
from clawswarm_mcp.work_replies import listed, page_reply

SOON = 0.5
"""Part of the wait after which work counts as long, and a daemon is started for it."""
LANDING = 2.0
"""Seconds before the end of the wait in which answers that are on their way may still arrive."""
SHORT = 4.0
"""Seconds: who waits no longer than that has the work handed over at once."""
LONGEST_SUBJECT = 500
LARGEST_PAGE = 400
"""Results that are fetched for one reply: the shortest ones fill it."""

PROVIDERS: tuple[str, ...] = get_args(ProviderName)
PARTING = 1.0
"""Seconds in which a job that nobody waits for any more is called off."""

Request = BatchRequest | ResearchRequest


async def parallel(call: Call, given: ParallelArguments) -> Reply:
    """Ask all prompts."""
    for index, prompt in enumerate(given.prompts):
        if not prompt.strip():
            raise InputError(f"prompt {index} is empty", hint="nothing was sent; leave it out")
    tasks = [
        Task(prompt=prompt, system=given.system, schema=given.output_schema, model=given.model)
        for prompt in given.prompts
    ]
    if given.provider is not None and given.provider not in PROVIDERS:
        known = ", ".join(PROVIDERS)
        raise InputError(f"there is no provider {given.provider[:40]!r}", hint=f"known are: {known}")
    options = RunOptions(provider=given.provider, model=given.model, max_spend=_usd(given.max_spend))
    request = BatchRequest(tasks=tasks, total=len(tasks), options=options)
    request.check_texts()
    return await _done_or_running(call, request, given.wait)


async def research(call: Call, given: ResearchArguments) -> Reply:
    """Research all subjects."""
    subjects = tuple(dict.fromkeys(" ".join(subject.split()) for subject in given.subjects))
    if not all(subjects):
        raise InputError("a subject is empty", hint="nothing was sent; leave it out")
    topic, options = " ".join(given.topic.split()), RunOptions(max_spend=_usd(given.max_spend))
    if max(map(len, (topic, *subjects))) > LONGEST_SUBJECT:
        raise InputError(
            f"a subject or the topic is longer than {LONGEST_SUBJECT} characters",
            hint="nothing was sent; they become searches: name what is to be found in a few words",
        )
    request = ResearchRequest(subjects=subjects, topic=topic, depth=given.depth, options=options)
    return await _done_or_running(call, request, given.wait)


async def job(call: Call, given: JobArguments) -> Reply:
    """Follow a job, list all, or cancel one."""
    session = call.session
    if given.action == "list":
        most = min(given.limit, 100)
        stored = await (await session.ways.stored_jobs()).jobs(limit=most)
        found = [*await session.here.jobs(limit=most), *stored]
        return listed(sorted(found, key=lambda each: -each.created)[:most])
    if given.job_id is None:
        raise InputError(
            f"to {given.action} which job?", hint="give its job_id; swarm_job with action list shows them"
        )
    api = await session.api_of(given.job_id)
    if given.action == "cancel":
        await api.cancel(given.job_id)
        page = await api.job(given.job_id, offset=given.offset, limit=min(given.limit, LARGEST_PAGE))
        return page_reply(page, jobs=True)
    try:
        page = await _follow(call, api, given.job_id, call.until(given.wait), given.offset, given.limit)
    except DaemonNeeded as needed:  # it is waiting for a daemon that works on it
        if (trouble := await session.outlast(call.at_last)) is not None:
            raise DaemonNeeded(f"{needed.message}: {trouble}", hint=needed.hint) from needed
        api = await session.ways.jobs()
        page = await _follow(call, api, given.job_id, call.until(given.wait), given.offset, given.limit)
    return page_reply(page, jobs=True)


async def _done_or_running(call: Call, request: Request, wait: float) -> Reply:
    ways = call.session.ways
    way = await ways.swarm()
    if _lasts(call, way):
        return await _handed_over(call, way, request, wait)
    trouble: str | None = None
    if _gets_long(request, wait, await ways.settings()):
        trouble, lasting = await _lasting(call)
        if lasting is not None:
            return await _handed_over(call, lasting, request, wait)
    return await _Beginning(call, way, request, wait, trouble).run()


async def _handed_over(call: Call, way: Way, request: Request, wait: float, note: str | None = None) -> Reply:
    """A job of the daemon's. It is called off with this call, as long as nobody knows its id."""
    job = await _submitted(way.api, request)
    async with _called_off_with_us(way.api, job.id):
        page = await _follow(call, way.api, job.id, call.until(wait), 0, LARGEST_PAGE)
    return page_reply(page, notes=(*way.notes, *way.api.warnings, *((note,) if note else ())))


async def _submitted(api: SwarmAPI, request: Request) -> Job:
    """The job, even where the call is called off meanwhile: what was not heard of could not be called off."""
    with anyio.CancelScope(shield=True):
        return await api.submit(request)
    raise AssertionError("nobody cancels this scope")


@dataclass(frozen=True, slots=True)
class _Beginning:
    """Work that begins in this process.

    Attributes:
        trouble: why no daemon takes it, in words; None: it was not tried.
    """

    call: Call
    way: Way
    request: Request
    wait: float
    trouble: str | None

    async def run(self) -> Reply:
        call, here = self.call, self.call.session.here
        tap, job_id = self._begin()
        async with _called_off_with_us(here, job_id):
            soon = self.wait if self.trouble else self.wait * SOON
            page = await _follow(call, here, job_id, call.until(soon), 0, LARGEST_PAGE)
            trouble = self.trouble
            if not page.job.status.final and trouble is None:
                lasting: Way | None = None
                with within(call.session.clock, call.until(self.wait - LANDING)):
                    trouble, lasting = await _lasting(call)
                if lasting is not None:
                    return await self._hand_over(tap, job_id, lasting)
                trouble = trouble or TOO_SLOW
                page = await _follow(call, here, job_id, call.until(self.wait), 0, LARGEST_PAGE)
            if (error := here.trouble(job_id)) is not None:
                here.forget(job_id)
                raise error
        notes = [*self.way.notes, *self.way.api.warnings]
        if not page.job.status.final:
            notes.append(f"it goes on only as long as this session: {trouble}")
        return page_reply(page, notes=notes)

    def _begin(self) -> tuple[Tap | None, str]:
        here, api, request = self.call.session.here, self.way.api, self.request
        if isinstance(request, ResearchRequest):
            title = request.topic or request.subjects[0]
            return None, here.begin(
                "research", len(request.subjects), title, lambda emit: api.research(request, emit)
            )
        tasks = request.listed()
        tap = Tap(tasks)
        batch = BatchRequest(tasks=tap, total=len(tasks), options=request.options, keep_results=False)
        return tap, here.begin(
            "parallel", len(tasks), tasks[0].prompt, lambda emit: api.parallel(batch, emit)
        )

    async def _hand_over(self, tap: Tap | None, job_id: str, lasting: Way) -> Reply:
        """Let what is on its way arrive, then let the daemon go on; what is answered it has in the cache."""
        call, here = self.call, self.call.session.here
        if tap is not None:
            tap.close()
        page = await _follow(call, here, job_id, call.until(self.wait - LANDING), 0, LARGEST_PAGE)
        if page.job.done == page.job.total:
            return page_reply(page, notes=(*self.way.notes, *self.way.api.warnings))
        with anyio.CancelScope(shield=True):
            await here.cancel(job_id)
        here.forget(job_id)
        note = "a daemon was started and goes on with it, also after this session"
        return await _handed_over(call, lasting, self.request, self.wait, note)


async def _follow(call: Call, api: JobAPI, job_id: str, until: float, offset: int, limit: int) -> JobPage:
    """The job, once it has ended or the caller has waited long enough, with what a reply may hold."""
    limit = min(limit, LARGEST_PAGE)
    tell = call.tell if call.listened_to else None
    return await follow(api, job_id, call.session.clock, until=until, tell=tell, offset=offset, limit=limit)


@asynccontextmanager
async def _called_off_with_us(api: JobAPI | SwarmAPI, job_id: str) -> AsyncGenerator[None]:
    """Whoever calls this call off, calls the job off: its provider calls are closed."""
    try:
        yield
    except anyio.get_cancelled_exc_class():
        with anyio.move_on_after(PARTING, shield=True):
            await api.cancel(job_id)
        raise


def _lasts(call: Call, way: Way) -> bool:
    """Whether what is handed over this way outlives this session."""
    return way.daemon is not None or call.session.ways.inside is not None


async def _lasting(call: Call) -> tuple[str | None, Way | None]:
    """A way in that outlives this session, or why there is none."""
    trouble = await call.session.outlast(call.at_last)
    if trouble is not None:
        return trouble, None
    try:
        way = await call.session.ways.swarm()
    except SwarmError as error:
        return error.message, None
    if _lasts(call, way):
        return None, way
    return next(iter(way.notes), "the daemon cannot be used"), None


def _gets_long(request: Request, wait: float, settings: Settings) -> bool:
    """Whether it is known beforehand that a daemon should do it.

    A research takes minutes. What the cache does not keep would be paid twice if it were handed over later.
    """
    kept = settings.cache.enabled and not settings.provider.temperature
    return isinstance(request, ResearchRequest) or wait < SHORT or not kept


def _usd(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))
