"""Events and results read back from their JSON: the inverse of every `as_json`.

What a newer Swarm adds is ignored; an event that is not known is None.
"""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from clawswarm.types.events import BatchComplete, BatchEvent, BatchStarted, TaskFinished
from clawswarm.types.jobs import Job, JobPage, JobStatus
from clawswarm.types.money import from_usd
from clawswarm.types.research import (
    Claim,
    PhaseStarted,
    ResearchComplete,
    ResearchEvent,
    ResearchResult,
    ResearchStarted,
    ResearchStats,
    Source,
    StepFinished,
    SubjectResult,
)
from clawswarm.types.result import Failure, Stats, TaskResult, Usage

Document = Mapping[str, Any]

WHOLE = ("topic", "depth", "search", "comparison", "report", "stats")
"""What belongs to a job as a whole."""

T = TypeVar("T")


def task_result(document: Document) -> TaskResult:
    usage = document["usage"]
    return _of(
        TaskResult,
        document,
        error=_failure(document["error"]),
        usage=None if usage is None else _of(Usage, usage),
        cost_pico=from_usd(document["cost_usd"]),
    )


def batch_event(document: Document) -> BatchEvent | None:
    """An event of a batch; the last one comes without its results, which went before it one by one."""
    match document.get("event"):
        case "start":
            return _of(BatchStarted, document)
        case "progress":
            return TaskFinished(task=task_result(document["task"]))
        case "complete":
            return BatchComplete(stats=_stats(document["stats"]), result=None)
        case _:
            return None


def research_event(document: Document) -> ResearchEvent | None:
    match document.get("event"):
        case "start":
            return _of(ResearchStarted, document, phases=tuple(document["phases"]))
        case "phase":
            return _of(PhaseStarted, document)
        case "progress":
            return _of(StepFinished, document)
        case "complete":
            return ResearchComplete(result=research_result(document))
        case _:
            return None


def research_result(document: Document) -> ResearchResult:
    stats = document["stats"]
    return _of(
        ResearchResult,
        document,
        subjects=tuple(subject_result(subject) for subject in document["subjects"]),
        stats=_of(ResearchStats, stats, cost_pico=from_usd(stats["cost_usd"])),
    )


def subject_result(document: Document) -> SubjectResult:
    return _of(
        SubjectResult,
        document,
        claims=tuple(_of(Claim, claim) for claim in document["claims"]),
        sources=tuple(
            _of(Source, source, suspicious=tuple(source["suspicious"])) for source in document["sources"]
        ),
        not_found=tuple(document["not_found"]),
        error=_failure(document["error"]),
        cost_pico=from_usd(document["cost_usd"]),
    )


def job(document: Document) -> Job:
    return _of(
        Job,
        document,
        id=document["job_id"],
        status=JobStatus(document["status"]),
        error=_failure(document["error"]),
    )


def job_page(document: Document) -> JobPage:
    name = "tasks" if document["kind"] == "parallel" else "subjects"
    whole = {key: document[key] for key in WHOLE if key in document}
    return JobPage(
        job=job(document),
        items=tuple(document[name]),
        next_offset=document["next_offset"],
        whole=whole or None,
    )


def _failure(document: Document | None) -> Failure | None:
    return None if document is None else _of(Failure, document)


def _stats(document: Document) -> Stats:
    return _of(Stats, document, cost_pico=from_usd(document["cost_usd"]))


def _of(kind: type[T], document: Document, **made: Any) -> T:
    """A `kind` from the fields that `document` has for it; those in `made` are made from others."""
    names = cast("Any", kind).__dataclass_fields__
    return kind(**{name: value for name, value in document.items() if name in names} | made)
