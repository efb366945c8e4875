"""`swarm jobs`: work that goes on by itself."""

import os
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import typer

from clawswarm.access.api import JobAPI
from clawswarm.access.job_reader import open_job_reader
from clawswarm.cli.options import AsJson
from clawswarm.cli.output import error_status, print_json, run, say, show, told
from clawswarm.clock import SystemClock, sleep_until
from clawswarm.types.jobs import Job, JobPage, JobStatus
from clawswarm.types.money import show_usd, to_pico

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Work that goes on by itself, and survives a crash. Made by: swarm parallel --detach",
    epilog="Example:\n\nswarm jobs list",
)

JobId = Annotated[str, typer.Argument(help="As printed by --detach, or by: swarm jobs list")]

PAGE = 1000
TURN = 2.0
"""Seconds between two lines of progress."""

MARKS = {
    JobStatus.QUEUED: "⏳",
    JobStatus.RUNNING: "⚙️ ",
    JobStatus.COMPLETE: "✅",
    JobStatus.FAILED: "❌",
    JobStatus.CANCELLED: "🛑",
}


@app.command("list", epilog="Example:\n\nswarm jobs list")
def list_command(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first."""
    with told(as_json=as_json):
        run(partial(_list, limit, as_json=as_json))


@app.command("show", epilog="Example:\n\nswarm jobs show job-1a2b3c4d5e6f")
def show_command(
    job_id: JobId,
    offset: Annotated[int, typer.Option(min=0, help="The first result to show.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="How many results.", show_default="all")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a job and the results that it has so far, in order."""
    with told(as_json=as_json):
        status = run(partial(_show, job_id, offset, limit, as_json=as_json))
    raise typer.Exit(status)


@app.command("wait", epilog="Example:\n\nswarm jobs wait job-1a2b3c4d5e6f --timeout 600")
def wait_command(
    job_id: JobId,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="Seconds to wait.", show_default="for ever")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Wait for the end of a job, then show its results. Exit status 1 when it has not ended by then."""
    with told(as_json=as_json):
        status = run(partial(_wait, job_id, timeout, as_json=as_json))
    raise typer.Exit(status)


@app.command("cancel", epilog="Example:\n\nswarm jobs cancel job-1a2b3c4d5e6f")
def cancel_command(job_id: JobId, as_json: AsJson = False) -> None:
    """Stop a job and its calls. What it has so far is kept."""
    with told(as_json=as_json):
        run(partial(_cancel, job_id, as_json=as_json))


async def _list(limit: int, *, as_json: bool) -> int:
    async with open_job_reader(os.environ) as api:
        jobs = await api.jobs(limit=limit)
    if as_json:
        print_json({"jobs": [job.as_json() for job in jobs]})
        return 0
    if not jobs:
        show("No jobs yet. Make one: swarm parallel --detach --file prompts.txt")
    for job in jobs:
        when = datetime.fromtimestamp(job.created).astimezone().strftime("%d %b %H:%M")
        failed = f", {job.failed} failed" if job.failed else ""
        done = f"{job.done}/{job.total}{failed}"
        show(f"{MARKS[job.status]} {job.id}  {when}  {job.kind:<8}  {done}  {job.title}")
    return 0


async def _show(job_id: str, offset: int, limit: int | None, *, as_json: bool) -> int:
    async with open_job_reader(os.environ) as api:
        page = await _whole(api, job_id, offset, limit)
    _print(page, as_json=as_json)
    return error_status(page.job.failed + (page.job.status is JobStatus.FAILED))


async def _wait(job_id: str, timeout: float | None, *, as_json: bool) -> int:
    async with open_job_reader(os.environ) as api:
        left, clock = timeout, SystemClock()
        while True:
            turn = TURN if left is None else min(TURN, left)
            turned = clock.monotonic() + turn
            job = (await api.job(job_id, wait=turn, limit=1)).job
            if job.status.final or left == 0:
                break
            if left is not None:
                left = max(0.0, left - turn)
            say(f"swarm: {job.id} {job.status}: {job.done}/{job.total} done")
            await sleep_until(clock, turned)  # a daemon that is told to stop answers at once
        page = await _whole(api, job_id, 0, None) if job.status.final else await api.job(job_id, limit=1)
    if not page.job.status.final:
        say(f"swarm: {job_id} has not ended yet: {page.job.done} of {page.job.total} are done")
        if as_json:
            print_json(page.job.as_json())
        return 1
    _print(page, as_json=as_json)
    return error_status(page.job.failed + (page.job.status is not JobStatus.COMPLETE))


async def _cancel(job_id: str, *, as_json: bool) -> int:
    async with open_job_reader(os.environ) as api:
        job = await api.cancel(job_id)
    if as_json:
        print_json(job.as_json())
    else:
        show(f"{MARKS[job.status]} {job.id} {job.status}: {job.done} of {job.total} were done")
    return 0


async def _whole(api: JobAPI, job_id: str, offset: int, limit: int | None) -> JobPage:
    """A job with all of the results asked for, however many pages they are."""
    most = PAGE if limit is None else limit
    page = await api.job(job_id, offset=offset, limit=min(most, PAGE))
    items = list(page.items)
    while page.next_offset is not None and page.items and (limit is None or len(items) < limit):
        most = PAGE if limit is None else limit - len(items)
        page = await api.job(job_id, offset=page.next_offset, limit=min(most, PAGE))
        items += page.items
    return JobPage(job=page.job, items=tuple(items), next_offset=page.next_offset, whole=page.whole)


def _print(page: JobPage, *, as_json: bool) -> None:
    if as_json:
        print_json(page.as_json())
        return
    job, whole = page.job, page.whole or {}
    if job.kind == "research":
        show(whole.get("report") or f"{MARKS[job.status]} {job.id} {job.status}: no report yet")
    for item in page.items if job.kind == "parallel" else ():
        show(f"── {item['index'] + 1}.")
        show(item["text"] if item["ok"] else f"✗ {item['error']['code']}: {item['error']['message']}", "")
    say(*_summary(job, whole))


def _summary(job: Job, whole: dict[str, Any]) -> list[str]:
    parts = [f"{MARKS[job.status]} {job.id} {job.status}", f"{job.done}/{job.total} done"]
    if job.failed:
        parts.append(f"{job.failed} failed")
    if stats := whole.get("stats"):
        parts.append(f"⏱️  {stats['total_duration_ms'] / 1000:.1f} s")
        cost = stats["cost_usd"]
        parts.append("💰 " + ("unknown" if cost is None else show_usd(to_pico(cost))))
    lines = [" | ".join(parts)]
    if job.error is not None:
        lines.append(f"   {job.error.code}: {job.error.message}")
    return lines
