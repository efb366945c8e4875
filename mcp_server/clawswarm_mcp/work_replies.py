"""Jobs as answers: how they stand first, then a page of results, then where the rest is.

What models and web pages wrote stands only in fields of the data, never in the text beside it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from clawswarm.types.jobs import Job, JobPage, JobStatus
from clawswarm.types.money import show_usd, to_pico
from clawswarm_mcp.bounding import MOST_BYTES, cut, fit, size
from clawswarm_mcp.call import Reply
from clawswarm_mcp.results import JobsResult, WorkResult

MOST_COMPARISON = 6_000
"""Characters of a comparison in a reply; the resource has all of it."""


def page_reply(page: JobPage, *, notes: Iterable[str] = (), jobs: bool = False) -> Reply:
    """A job with as many of the page's results as fit.

    Args:
        jobs: the answer of `swarm_job`.
    """
    job, whole = page.job, page.whole or {}
    told = list(dict.fromkeys(notes))
    if job.error is not None:
        told.append(f"{job.error.message}" + (f" ({job.error.hint})" if job.error.hint else ""))
    note = "; ".join(told) or None
    comparison = whole.get("comparison")
    comparison = None if not comparison else cut(comparison, MOST_COMPARISON)
    found = fit([_row(item) for item in page.items], MOST_BYTES - size(comparison) - size(note))
    reached = _offset(page) + len(found.rows)
    next_offset = page.next_offset if len(found.rows) == len(page.items) else reached
    cost = whole.get("stats", {}).get("cost_usd")
    kind = JobsResult if jobs else WorkResult
    fields: dict[str, Any] = {
        "status": job.status.value,
        "job_id": job.id,
        "done": job.done,
        "total": job.total,
        "failed": job.failed,
        "results": found.rows,
        "next_offset": next_offset,
        "comparison": comparison,
        "note": note,
    }
    if job.status is JobStatus.COMPLETE:
        fields["cost_usd"] = cost
    more = next_offset is not None or found.cut or bool(whole.get("report"))
    link = (f"swarm://jobs/{job.id}", job.id) if more else None
    return Reply(kind(**fields), _text(job, cost, found.rows, next_offset), link)


def listed(found: Sequence[Job]) -> Reply:
    """All jobs, the newest first."""
    rows = [
        {
            "job_id": job.id,
            "kind": job.kind,
            "status": job.status.value,
            "done": job.done,
            "total": job.total,
            "failed": job.failed,
            "title": job.title,
        }
        for job in found
    ]
    kept = fit(rows).rows
    running = sum(not job.status.final for job in found)
    return Reply(JobsResult(jobs=kept), f"{len(kept)} jobs, {running} of them not done yet.")


def _offset(page: JobPage) -> int:
    return page.items[0]["index"] if page.items else 0


def _row(item: dict[str, Any]) -> dict[str, Any]:
    """A result with what its reader needs: the answer or the error, and what it rests on."""
    row: dict[str, Any] = {"index": item["index"], "ok": item["ok"]}
    if "subject" in item:
        row["subject"] = item["subject"]
    if (error := item["error"]) is not None:
        row["error"] = {name: error[name] for name in ("code", "message", "hint") if error[name]}
        return row
    if "analysis" not in item:
        name = "text" if item["data"] is None else "data"
        return row | {name: item[name]}
    sources = [
        {name: source[name] for name in ("number", "title", "url", "trouble") if source[name]}
        for source in item["sources"]
    ]
    rest = {"claims": item["claims"], "sources": sources, "not_found": item["not_found"]}
    return row | {"analysis": item["analysis"]} | {name: value for name, value in rest.items() if value}


def _text(job: Job, cost: float | None, rows: Sequence[Any], next_offset: int | None) -> str:
    things = "prompts" if job.kind == "parallel" else "subjects"
    line = f"{job.status.value}: {job.done} of {job.total} {things} done"
    if job.failed:
        line += f", {job.failed} failed"
    if job.status is JobStatus.COMPLETE:
        line += f", cost {'unknown' if cost is None else show_usd(to_pico(cost))}"
    line += "."
    if not job.status.final:
        line += f' It goes on by itself: swarm_job with job_id "{job.id}" waits for it.'
    elif next_offset is not None:
        first = rows[0]["index"] if rows else 0
        line += (
            f" Results {first} to {next_offset - 1} are here; "
            f'the next ones: swarm_job with job_id "{job.id}" and offset {next_offset}.'
        )
    return line
