"""The phases of a research, each over all subjects at once."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from functools import partial
from itertools import zip_longest

import anyio

from clawswarm.engine.engine import Engine
from clawswarm.errors import TaskError
from clawswarm.lifetimes import together
from clawswarm.modes.research_answers import analyzed, grounded_result
from clawswarm.modes.research_plan import (
    SPARE,
    analysis_task,
    comparison_task,
    grounded_task,
    plan_for,
    queries,
)
from clawswarm.modes.research_steps import Steps
from clawswarm.types.requests import ResearchRequest
from clawswarm.types.research import PhaseName, Source, SubjectResult
from clawswarm.types.result import Failure, TaskResult
from clawswarm.types.task import Task
from clawswarm.web.address_guard import PageError
from clawswarm.web.extract import PageText
from clawswarm.web.search import Hit, SearchBackend
from clawswarm.web.web import Web

logger = logging.getLogger(__name__)

Subjects = dict[int, str]
Read = tuple[list[Source], list[PageText]]
"""The sources of a subject in order, and the texts of those that were read, in the same order."""


class Phases:
    """Works through the phases; what fails in one does not come into the next.

    Attributes:
        failed: subjects that have come to nothing, by index.
    """

    def __init__(
        self,
        engine: Engine,
        web: Web,
        request: ResearchRequest,
        steps: Steps,
        *,
        keep: Callable[[SubjectResult], Awaitable[None]],
        begin: Callable[[int], Awaitable[None]],
    ) -> None:
        self._engine = engine
        self._web = web
        self._request = request
        self._steps = steps
        self._keep = keep
        self._begin = begin
        most = engine.settings.limits.max_nodes
        self._turns = anyio.CapacityLimiter(min(most, request.options.concurrency or most))
        self._plan = plan_for(request.depth, web.settings.max_pages)
        self.failed: dict[int, SubjectResult] = {}

    async def search(self, subjects: Subjects, backend: SearchBackend) -> dict[int, list[Hit]]:
        """Pages that may tell about each subject, the best first."""
        found: dict[int, list[Hit]] = {}
        wanted = self._plan.pages + SPARE

        async def look(index: int, subject: str) -> str:
            await self._begin(index)
            lists = [
                await backend.search(query, limit=wanted)
                for query in queries(subject, self._request.topic, self._plan.queries)
            ]
            hits = _merged(lists)[:wanted]
            if not hits:
                raise TaskError("nothing_found", f"{backend.name} found no page about {subject!r}")
            found[index] = hits
            return f"{len(hits)} page{'s' if len(hits) > 1 else ''} found"

        await self._each("search", subjects, look)
        return found

    async def fetch(
        self, subjects: Subjects, hits: dict[int, list[Hit]], *, first_number: int
    ) -> dict[int, Read]:
        """The texts of a few pages of each subject. Sources are numbered over all subjects, in order."""
        read: dict[int, list[tuple[Hit, PageText | PageError]]] = {}

        async def fetch(index: int, subject: str) -> str:
            tried = read[index] = await self._read(hits[index])
            texts = [page for _, page in tried if isinstance(page, PageText)]
            if not texts:
                reasons = "; ".join(f"{hit.url}: {page}" for hit, page in tried[:3])
                raise TaskError("nothing_found", f"none of {len(tried)} pages could be read ({reasons})")
            return f"{len(texts)} of {len(tried)} pages read"

        await self._each("fetch", {index: subjects[index] for index in sorted(hits)}, fetch)
        numbered: dict[int, Read] = {}
        number = first_number
        for index in sorted(read):
            sources = [_source(number + at, hit, page) for at, (hit, page) in enumerate(read[index])]
            number += len(sources)
            if index in self.failed:
                self.failed[index] = replace(self.failed[index], sources=tuple(sources))
                await self._keep(self.failed[index])
            else:
                texts = [page for _, page in read[index] if isinstance(page, PageText)]
                numbered[index] = (sources, texts)
        return numbered

    async def analyze(self, subjects: Subjects, pages: dict[int, Read]) -> dict[int, SubjectResult]:
        """What the pages say about each subject, every quote looked up in them."""
        tasks = {
            index: analysis_task(subjects[index], self._request.topic, texts)
            for index, (_, texts) in pages.items()
        }

        def judge(index: int, answer: TaskResult) -> SubjectResult:
            sources, texts = pages[index]
            return analyzed(index, subjects[index], answer, sources, texts)

        return await self._asked("analyze", subjects, tasks, judge)

    async def grounded(self, subjects: Subjects, *, first_number: int) -> dict[int, SubjectResult]:
        """What the provider finds by its own search; its sources are kept, its pages were not read."""
        for index in subjects:
            await self._begin(index)
        tasks = {index: grounded_task(subject, self._request.topic) for index, subject in subjects.items()}
        numbers = iter(range(first_number, 10**9))

        def judge(index: int, answer: TaskResult) -> SubjectResult:
            return grounded_result(index, subjects[index], answer, numbers)

        return await self._asked("search", subjects, tasks, judge)

    async def compare(self, subjects: list[SubjectResult]) -> str | None:
        """The subjects beside each other; None where there are not two, or the comparison failed."""
        if len(subjects) < 2:
            return None
        await self._steps.phase("compare", 1)
        texts: list[str] = []

        async def take(_: int, answer: TaskResult) -> None:
            if answer.text is not None:
                texts.append(answer.text)
            detail = "compared" if answer.error is None else answer.error.message
            await self._steps.step(
                "compare", None, "all subjects", ok=answer.ok, took_ms=answer.duration_ms, detail=detail
            )

        await self._steps.ask({0: comparison_task(self._request.topic, subjects)}, take)
        return texts[0] if texts else None

    async def _each(
        self, phase: PhaseName, subjects: Subjects, work: Callable[[int, str], Awaitable[str]]
    ) -> None:
        """`work` on all subjects at once; it returns what came of it in words."""
        await self._steps.phase(phase, len(subjects))

        async def one(index: int, subject: str) -> None:
            async with self._turns:
                started = self._steps.now()
                try:
                    detail, ok = await work(index, subject), True
                except TaskError as error:
                    detail, ok = error.message, False
                    self.failed[index] = SubjectResult(
                        index=index, subject=subject, ok=False, error=Failure.of(error)
                    )
                    if phase == "search":  # one that fails later is kept with its sources
                        await self._keep(self.failed[index])
            took = self._steps.since(started)
            await self._steps.step(phase, index, subject, ok=ok, took_ms=took, detail=detail)

        await together(partial(one, index, subject) for index, subject in subjects.items())

    async def _asked(
        self,
        phase: PhaseName,
        subjects: Subjects,
        tasks: dict[int, Task],
        judge: Callable[[int, TaskResult], SubjectResult],
    ) -> dict[int, SubjectResult]:
        found: dict[int, SubjectResult] = {}
        await self._steps.phase(phase, len(tasks))

        async def take(index: int, answer: TaskResult) -> None:
            result = found[index] = judge(index, answer)
            await self._keep(result)
            verified = sum(claim.verified for claim in result.claims)
            detail = f"{verified} of {len(result.claims)} claims verified"
            if result.error is not None:
                detail = result.error.message
            await self._steps.step(
                phase, index, subjects[index], ok=result.ok, took_ms=answer.duration_ms, detail=detail
            )

        if tasks:
            await self._steps.ask(tasks, take)
        return found

    async def _read(self, hits: list[Hit]) -> list[tuple[Hit, PageText | PageError]]:
        """The first pages that can be read; for each that cannot, one of the spare ones is tried."""
        results: dict[int, PageText | PageError] = {}
        queue = iter(range(len(hits)))

        async def work() -> None:
            for at in queue:
                try:
                    results[at] = await self._web.read(hits[at].url, self._plan.a_page)
                    return
                except PageError as error:
                    results[at] = error
                except Exception as error:  # a page may trip over anything: it costs no more than itself
                    logger.warning("unforeseen page at %s", hits[at].url, exc_info=True)
                    results[at] = PageError(f"it could not be read ({type(error).__name__}: {error})")

        await together([work] * min(self._plan.pages, len(hits)))
        return [(hits[at], results[at]) for at in sorted(results)]


def _merged(lists: Iterable[list[Hit]]) -> list[Hit]:
    """The best of each search first, every page once."""
    merged: dict[str, Hit] = {}
    for row in zip_longest(*lists):
        for hit in row:
            if hit is not None:
                merged.setdefault(hit.url.partition("#")[0].rstrip("/"), hit)
    return list(merged.values())


def _source(number: int, hit: Hit, page: PageText | PageError) -> Source:
    if isinstance(page, PageError):
        return Source(number=number, url=hit.url, title=hit.title, fetched=False, trouble=page.message)
    title = page.title or hit.title
    return Source(number=number, url=page.url, title=title, fetched=True, suspicious=page.suspicious)
