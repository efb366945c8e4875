"""A running batch on standard error: a live bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio

from clawswarm.cli.course import Course
from clawswarm.cli.output import say
from clawswarm.lifetimes import background_tasks
from clawswarm.types.money import show_usd
from clawswarm.types.result import Tally

REFRESH = 0.1
PLAIN_EVERY = 5.0


@asynccontextmanager
async def show_progress(course: Course, *, quiet: bool = False) -> AsyncGenerator[None]:
    """Show `course` while the block runs."""
    if quiet:
        yield
        return
    async with background_tasks() as group:
        group.start_soon(_live if sys.stderr.isatty() else _plain, course)
        yield


async def _plain(course: Course) -> None:
    while True:
        await anyio.sleep(PLAIN_EVERY)
        of = "" if course.total is None else f"/{course.total}"
        say(f"swarm: {course.tally.done}{of} done{_details(course)}")


async def _live(course: Course) -> None:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}" if course.total else "{task.completed:.0f}"),
        TextColumn("{task.fields[details]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        bar = progress.add_task("", total=course.total, details="")
        while True:
            progress.update(bar, completed=course.tally.done, details=_details(course).lstrip(", "))
            await anyio.sleep(REFRESH)


def _details(course: Course) -> str:
    tally = course.tally
    rate = tally.done * 1000 / course.elapsed_ms if course.elapsed_ms else 0.0
    failed = f", {tally.failed} failed" if tally.failed else ""
    return f"{failed}, {rate:.1f}/s, {cost(tally)}"


def cost(tally: Tally) -> str:
    """What is known to have been spent."""
    return ("at least " if tally.unknown_cost else "") + show_usd(tally.known_cost_pico)


def summary(course: Course, *, with_words: bool = False) -> list[str]:
    """The last lines of a batch: how many, how long, how fast, how much.

    Args:
        with_words: the words of each kind of failure, where the reader does not see the failures themselves.
    """
    tally, stats = course.tally, course.stats
    of = tally.done if course.total is None else course.total
    mark = "✅" if tally.failed == 0 and tally.done == of else "⚠️ "
    seconds = stats.total_duration_ms / 1000
    parts = [
        f"⏱️  {seconds:.1f} s" if seconds >= 10 else f"⏱️  {stats.total_duration_ms} ms",
        f"{mark} {tally.successful}/{of}",
    ]
    if stats.speedup is not None and stats.speedup >= 1.05:
        parts.append(f"⚡ {stats.speedup:.1f}x faster than one after another")
    if tally.cached:
        parts.append(f"{tally.cached} from cache")
    parts.append(f"💰 {cost(tally)}")
    lines = [" | ".join(parts)]
    if with_words:
        lines += failures(course)
    elif tally.codes:
        counts = ", ".join(f"{count} {code}" for code, count in sorted(tally.codes.items()))
        lines.append(f"   failed: {counts}")
    return lines


def failures(course: Course) -> list[str]:
    """How often each error came, with the words and the advice of the first."""
    lines: list[str] = []
    for code, count in sorted(course.tally.codes.items()):
        error = course.first[code]
        lines.append(f"   {count} × {code}: {error.message}")
        lines += [f"     {line}" for line in (error.hint or "").splitlines()]
    return lines
