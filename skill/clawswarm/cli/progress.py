"""A running batch on standard error: a live bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import anyio

from clawswarm.cli.output import say
from clawswarm.lifetimes import background_tasks
from clawswarm.modes.parallel import Batch
from clawswarm.types.money import show_usd
from clawswarm.types.result import Failure, Tally

REFRESH = 0.1
PLAIN_EVERY = 5.0


@asynccontextmanager
async def show_progress(batch: Batch, *, quiet: bool = False) -> AsyncGenerator[None]:
    """Show `batch` while the block runs."""
    if quiet:
        yield
        return
    async with background_tasks() as group:
        group.start_soon(_live if sys.stderr.isatty() else _plain, batch)
        yield


async def _plain(batch: Batch) -> None:
    while True:
        await anyio.sleep(PLAIN_EVERY)
        of = "" if batch.total is None else f"/{batch.total}"
        say(f"swarm: {batch.tally.done}{of} done{_details(batch)}")


async def _live(batch: Batch) -> None:
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
        TextColumn("{task.completed:.0f}/{task.total:.0f}" if batch.total else "{task.completed:.0f}"),
        TextColumn("{task.fields[details]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        bar = progress.add_task("", total=batch.total, details="")
        while True:
            progress.update(bar, completed=batch.tally.done, details=_details(batch).lstrip(", "))
            await anyio.sleep(REFRESH)


def _details(batch: Batch) -> str:
    tally = batch.tally
    rate = tally.done * 1000 / batch.elapsed_ms if batch.elapsed_ms else 0.0
    failed = f", {tally.failed} failed" if tally.failed else ""
    return f"{failed}, {rate:.1f}/s, {cost(tally)}"


def cost(tally: Tally) -> str:
    """What is known to have been spent."""
    return ("at least " if tally.unknown_cost else "") + show_usd(tally.known_cost_pico)


def summary(batch: Batch, first: Mapping[str, Failure] | None = None) -> list[str]:
    """The last lines of a batch: how many, how long, how fast, how much.

    Args:
        first: the first failure of each code, where the reader does not see the failures themselves.
    """
    tally, stats = batch.tally, batch.stats
    of = tally.done if batch.total is None else batch.total
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
    if first is not None:
        lines += failures(tally, first)
    elif tally.codes:
        counts = ", ".join(f"{count} {code}" for code, count in sorted(tally.codes.items()))
        lines.append(f"   failed: {counts}")
    return lines


def failures(tally: Tally, first: Mapping[str, Failure]) -> list[str]:
    """How often each error came, with the words and the advice of the first."""
    lines: list[str] = []
    for code, count in sorted(tally.codes.items()):
        error = first[code]
        lines.append(f"   {count} × {code}: {error.message}")
        lines += [f"     {line}" for line in (error.hint or "").splitlines()]
    return lines
