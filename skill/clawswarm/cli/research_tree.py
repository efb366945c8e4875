"""A research on standard error: a tree that is drawn over on a terminal, plain lines elsewhere.

What is shown is a pure function of the course. Every text of a model or a page goes through `screen`.
"""

import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio

from clawswarm.cli.output import say
from clawswarm.cli.research_course import Phase, ResearchCourse, Row
from clawswarm.cli.screen import one_line
from clawswarm.cli.streams import divert
from clawswarm.lifetimes import background_tasks
from clawswarm.types.research import PhaseStarted, ResearchEvent, ResearchStarted, StepFinished

REFRESH = 0.1
INDENT = "   "
TITLE = "🐝 Swarm initializing..."
FEWEST_ROWS = 3
"""Subjects that are shown on the lowest terminal."""

Tell = Callable[[ResearchEvent], None]


def tree(course: ResearchCourse, room: int | None = None) -> list[str]:
    """The whole display, top to bottom.

    Args:
        room: lines there is room for; subjects that went well give way first.
    """
    lines = heading(course)
    if course.phases:
        lines.append("")
    lines += [INDENT + phase_line(course, phase) for phase in course.phases]
    if (phase := course.current) is not None:
        left = None if room is None else max(FEWEST_ROWS, room - len(lines))
        lines += [INDENT + line for line in _branches(course, phase, left)]
    return lines if room is None else lines[-room:]


def heading(course: ResearchCourse) -> list[str]:
    """What will be done, by how many, and who is asked."""
    if (started := course.started) is None:
        return [TITLE]
    phases, workers = len(started.phases), started.workers
    return [
        TITLE,
        f"{INDENT}{phases} {_plural('phase', phases)}, up to {workers} {_plural('worker', workers)}",
        f"{INDENT}{one_line(f'{started.provider}, {started.model}; pages found by {started.search}')}",
    ]


def phase_title(phase: Phase) -> str:
    return f"Phase {phase.number}: {phase.name.capitalize()} ({phase.total} {_plural('task', phase.total)})"


def phase_line(course: ResearchCourse, phase: Phase) -> str:
    """A phase on one line: its tasks, and what has come of them."""
    title = phase_title(phase)
    if phase.total == 0:
        return f"{title} - nothing is left to do"
    took = duration(course.took_ms(phase))
    if phase.ended is None:
        failed = f"{phase.failed} failed, " if phase.failed else ""
        return f"{title} {len(phase.steps)} done, {failed}{took}"
    if not phase.failed and len(phase.steps) >= phase.total:
        return f"{title} ✓ {took}"
    counts = [f"✓ {phase.successful}"] if phase.successful else []
    if phase.failed:
        counts.append(f"✗ {phase.failed}")
    return " ".join((title, *counts, took))


def _branches(course: ResearchCourse, phase: Phase, room: int | None) -> list[str]:
    rows = list(course.rows(phase))
    hidden: list[Row] = []
    if room is not None and len(rows) > room:
        rows.sort(key=lambda row: row.step is not None and row.step.ok)  # stable: the order stays otherwise
        rows, hidden = rows[: room - 1], rows[room - 1 :]
        rows.sort(key=lambda row: -1 if row.index is None else row.index)
    texts = [_row(course, row) for row in rows]
    if hidden:
        texts.append(f"… and {len(hidden)} more, {sum(row.step is not None for row in hidden)} of them done")
    last = len(texts) - 1
    return [f"{'└─' if number == last else '├─'} {text}" for number, text in enumerate(texts)]


def _row(course: ResearchCourse, row: Row) -> str:
    """A subject: a worker of its own has it, where there are as many; else it has its number."""
    subject = one_line(row.subject)
    if row.index is None:
        label = "Worker 1: "
    elif course.started is not None and len(course.subjects) <= course.started.workers:
        label = f"Worker {row.index + 1}: "
    else:
        label = f"{row.index + 1}. "
    if (step := row.step) is None:
        return f"{label}{subject}..."
    return f"{label}{subject} {_ending(step)}"


def _ending(step: StepFinished) -> str:
    detail = one_line(step.detail)
    return f"{'✓' if step.ok else '✗'} {detail}{' ' if detail else ''}({duration(step.duration_ms)})"


def _plural(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def duration(milliseconds: int) -> str:
    """Such as 340ms or 6.2s."""
    return f"{milliseconds}ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f}s"


def plain(course: ResearchCourse, event: ResearchEvent) -> list[str]:
    """The lines that `event`, which `course` has taken already, adds where nothing can be drawn over."""
    match event:
        case ResearchStarted():
            return heading(course)
        case PhaseStarted(total=0):
            return [INDENT + phase_line(course, course.phases[-1])]
        case PhaseStarted():
            return [INDENT + phase_title(course.phases[-1])]
        case StepFinished() if course.current is None:
            return [INDENT + phase_line(course, course.phases[-1])]
        case _:
            return []


@asynccontextmanager
async def show_tree(course: ResearchCourse, *, quiet: bool, live: bool) -> AsyncGenerator[Tell]:
    """Show `course` while the block runs; the block hands each event to what this yields.

    Args:
        live: standard error is a terminal, and nobody else writes to it.
    """

    def tell(event: ResearchEvent) -> None:
        course.take(event)
        if not quiet and not live:
            say(*plain(course, event))

    if quiet or not live:
        yield tell
        return
    async with background_tasks() as group:
        group.start_soon(_live, course)
        yield tell


async def _live(course: ResearchCourse) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False)

    def draw() -> Any:
        return _painted(tree(course, max(1, console.size.height - 1)))

    try:
        with Live(
            draw(),
            console=console,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as live:
            try:
                while True:
                    live.update(draw(), refresh=True)
                    await anyio.sleep(REFRESH)
            finally:
                live.update(draw())  # the last thing that stays
    except OSError:  # the terminal has gone; the work goes on
        divert(sys.stderr)


def _painted(lines: list[str]) -> Any:
    """One row of the screen a line: what does not fit ends in an ellipsis."""
    from rich.text import Text

    text = Text("\n".join(lines), no_wrap=True, overflow="ellipsis")
    text.highlight_regex(r"✓|(?<=🐝 )Swarm", "green")
    text.highlight_regex(r"✗", "red")
    text.highlight_regex(r"(?m)^   Phase \d+: \w+", "bold")
    text.highlight_regex(r"[├└]─", "dim")
    return text
