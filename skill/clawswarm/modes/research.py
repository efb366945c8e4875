"""The research mode: search → fetch → analyze → compare, all subjects side by side in each phase.

Every result carries its subject's index, and is matched by it: an answer is never credited to another
subject. A subject that fails keeps its place with its error and takes no part in later phases.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

from clawswarm.config.model import SearchName
from clawswarm.engine.engine import Engine
from clawswarm.modes.research_phases import Phases, Subjects
from clawswarm.modes.research_report import render
from clawswarm.modes.research_steps import Steps
from clawswarm.types.requests import ResearchRequest
from clawswarm.types.research import (
    PhaseName,
    ResearchComplete,
    ResearchEvent,
    ResearchResult,
    ResearchStarted,
    ResearchStats,
    SubjectResult,
)
from clawswarm.web.search import SearchBackend
from clawswarm.web.web import Web

READING: tuple[PhaseName, ...] = ("search", "fetch", "analyze")
GROUNDED: tuple[PhaseName, ...] = ("search",)
"""Where the provider searches and reads by itself, one phase stands for three."""

COMPARED: tuple[PhaseName, ...] = ("compare",)

Keep = Callable[[SubjectResult], Awaitable[None]]
Begin = Callable[[int], Awaitable[None]]


async def _kept(_: SubjectResult) -> None:
    """Nobody keeps it."""


async def _begun(_: int) -> None:
    """Nobody wants to know."""


async def research(
    engine: Engine,
    web: Web,
    request: ResearchRequest,
    emit: Callable[[ResearchEvent], Awaitable[None]],
    *,
    done: Mapping[int, SubjectResult] | None = None,
    keep: Keep = _kept,
    begin: Begin = _begun,
    spent: int = 0,
    suspects: Collection[int] = (),
    alone: AbstractAsyncContextManager[object] | None = None,
) -> ResearchResult:
    """Research all subjects.

    Args:
        done: subjects that have a result from before; they are only compared.
        keep: is handed each result as soon as it is final.
        begin: is told each subject's index before anything is done about it.
        spent: picodollars of the cap that earlier lives of this research have spent.
        suspects: subjects that are researched after the others, one by one, while `alone` is held.

    Raises:
        NotConfigured, ConfigError: nobody can be asked for pages.
    """
    primary = engine.primary
    search, backend = searching(engine, web)
    known = dict(done or {})
    left = {index: subject for index, subject in enumerate(request.subjects) if index not in known}
    names = (GROUNDED if backend is None else READING) + (COMPARED if len(request.subjects) > 1 else ())
    workers = min(engine.at_once(request.options.concurrency), max(1, len(left)))
    started = ResearchStarted(
        total=len(request.subjects),
        phases=names,
        workers=workers,
        provider=primary.name,
        model=request.options.model or primary.model,
        search=search,
    )
    await emit(started)
    steps = Steps(engine, request, emit, names, spent=spent)
    phases = Phases(engine, web, request, steps, keep=keep, begin=begin)
    others = {index: subject for index, subject in left.items() if index not in suspects}
    if others or not left:
        known |= await _worked(phases, others, backend, _next_number(known))
    for index in left.keys() - others.keys():
        async with alone or nullcontext():
            known |= await _worked(phases, {index: left[index]}, backend, _next_number(known))
    subjects = tuple(known[index] for index in range(len(request.subjects)))
    comparison = await phases.compare([subject for subject in subjects if subject.ok])
    stats = _stats(subjects, steps, resumed=list((done or {}).values()))
    result = ResearchResult(
        topic=request.topic,
        depth=request.depth,
        search=search,
        subjects=subjects,
        comparison=comparison,
        stats=stats,
        report=render(request.topic, request.depth, search, subjects, comparison, stats, engine.clock.now()),
    )
    await emit(ResearchComplete(result=result))
    return result


def searching(engine: Engine, web: Web) -> tuple[SearchName, SearchBackend | None]:
    """Who is asked for pages; None where the provider searches by itself.

    Raises:
        NotConfigured, ConfigError: nobody can be.
    """
    name = web.search_name(engine.primary.name)
    return name, None if name == "gemini" else web.search(name)


async def _worked(
    phases: Phases, subjects: Subjects, backend: SearchBackend | None, first_number: int
) -> dict[int, SubjectResult]:
    """The results of these subjects, those that have failed among them."""
    if backend is None:
        found = await phases.grounded(subjects, first_number=first_number)
    else:
        hits = await phases.search(subjects, backend)
        pages = await phases.fetch(subjects, hits, first_number=first_number)
        found = await phases.analyze(subjects, pages)
    return found | phases.failed


def _next_number(known: Mapping[int, SubjectResult]) -> int:
    """The first number for sources that none of the results from before has."""
    return 1 + max((source.number for result in known.values() for source in result.sources), default=0)


def _stats(
    subjects: tuple[SubjectResult, ...], steps: Steps, *, resumed: list[SubjectResult]
) -> ResearchStats:
    claims = [claim for subject in subjects for claim in subject.claims]
    whole = steps.tally.stats(steps.elapsed_ms)
    return ResearchStats(
        total=len(subjects),
        successful=sum(subject.ok for subject in subjects),
        failed=sum(not subject.ok for subject in subjects),
        total_duration_ms=steps.elapsed_ms,
        model_calls=steps.model_calls,
        pages_fetched=sum(source.fetched for subject in subjects for source in subject.sources),
        claims=len(claims),
        verified_claims=sum(claim.verified for claim in claims),
        speedup=steps.speedup,
        input_tokens=None if resumed else whole.input_tokens,
        output_tokens=None if resumed else whole.output_tokens,
        cost_pico=_sum([whole.cost_pico, *(result.cost_pico for result in resumed)]),
    )


def _sum(costs: list[int | None]) -> int | None:
    """All of them together; None when one is not known."""
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
