"""A research that goes on by itself: subjects that have a stored result are not researched again."""

from typing import Any

from clawswarm.engine.engine import Engine
from clawswarm.modes.job_life import ALONE_AFTER, PARKED, PARKED_AFTER, Life
from clawswarm.modes.requests import read_research
from clawswarm.modes.research import research
from clawswarm.modes.research_plan import largest_analysis, plan_for
from clawswarm.types import wire
from clawswarm.types.research import ResearchEvent, SubjectResult
from clawswarm.web.web import Web


async def work_on_research(life: Life, engine: Engine, web: Web) -> dict[str, Any]:
    """Research the subjects of a job that have no result yet, then compare all of them.

    Raises:
        SwarmError: nobody can be asked for pages.
    """
    request = read_research(life.request)
    for index, subject in enumerate(request.subjects):
        if index not in life and life.crashes.get(index, 0) >= PARKED_AFTER:
            life.done(index, SubjectResult(index=index, subject=subject, ok=False, error=PARKED).as_json())
    done = {
        index: wire.subject_result(life.document(index))
        for index in range(len(request.subjects))
        if index in life
    }

    async def keep(result: SubjectResult) -> None:
        life.done(result.index, result.as_json())

    plan = plan_for(request.depth, web.settings.max_pages)
    lost = engine.worst_cost(largest_analysis(plan))  # what a call that nobody saw end may cost
    spent = sum(lost if result.cost_pico is None else result.cost_pico for result in done.values())
    result = await research(
        engine,
        web,
        request,
        _unheard,
        done=done,
        keep=keep,
        begin=life.sent,
        spent=spent + lost * sum(life.crashes.values()),
        suspects=[index for index, crashes in life.crashes.items() if crashes >= ALONE_AFTER],
        alone=life.alone,
    )
    return {
        "topic": result.topic,
        "depth": result.depth,
        "search": result.search,
        "comparison": result.comparison,
        "report": result.report,
        "stats": result.stats.as_json(),
    }


async def _unheard(_: ResearchEvent) -> None:
    """A job tells by its results."""
