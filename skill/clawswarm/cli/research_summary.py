"""The last words about a research: how many, how long, how fast, how well founded, how much."""

from clawswarm.cli.research_course import ResearchCourse
from clawswarm.cli.research_tree import INDENT, duration
from clawswarm.cli.screen import on_screen, one_line
from clawswarm.types.money import show_usd
from clawswarm.types.research import ResearchResult, SubjectResult

WORTH_TELLING = 1.05
"""A speed-up below this is none."""


def summary(course: ResearchCourse, result: ResearchResult) -> list[str]:
    """The lines below the tree."""
    stats = result.stats
    lines = [
        "🐝 Swarm complete ✓" if not stats.failed else f"🐝 Swarm complete, {_failed(result)} failed",
        *_tasks(course),
        f"{duration(stats.total_duration_ms)} total",
    ]
    if stats.speedup is not None and stats.speedup >= WORTH_TELLING:
        lines.append(f"⚡ {stats.speedup:.1f}x faster than sequential")
    if stats.claims:
        lines.append(f"{stats.verified_claims} of {stats.claims} claims verified")
    if suspicious := sum(
        bool(source.suspicious) for subject in result.subjects for source in subject.sources
    ):
        pages, them = ("page holds", "it") if suspicious == 1 else ("pages hold", "them")
        lines.append(f"⚠️  {suspicious} {pages} what looks like orders to a model; the report names {them}")
    lines.append(f"💰 {show_usd(stats.cost_pico)}")
    for subject in result.subjects:
        lines += _trouble(subject)
    return [lines[0], *(INDENT + line for line in lines[1:])]


def how_far(course: ResearchCourse) -> str:
    """How far a research came that has no result."""
    if not course.phases:
        return "before the first phase"
    phase = course.phases[-1]
    done = f"{len(phase.steps)} of {phase.total}"
    return f"in phase {phase.number} of {phase.of} ({phase.name}) with {done} tasks done"


def _failed(result: ResearchResult) -> str:
    stats = result.stats
    return f"{stats.failed} of {stats.total} {'subject' if stats.total == 1 else 'subjects'}"


def _tasks(course: ResearchCourse) -> list[str]:
    """Tasks over all phases. Only all of them are 100%."""
    done = course.successful + course.failed
    if not done:
        return []
    return [f"{course.successful}/{done} tasks ({course.successful * 100 // done}% success)"]


def _trouble(subject: SubjectResult) -> list[str]:
    if (error := subject.error) is None:
        return []
    hint = [f"  {line}" for line in on_screen(error.hint or "").splitlines()]
    return [f"✗ {one_line(subject.subject)}: {one_line(f'{error.code}: {error.message}')}", *hint]
