"""Resources: the views of the team's board, pages of its checkpoints, and jobs whole."""

import re
from typing import Any

import anyio.to_thread
from pydantic_core import to_json

from clawswarm.errors import NotFound
from clawswarm.types.jobs import JobPage
from clawswarm_mcp.bounding import size
from clawswarm_mcp.session import Session

VIEWS = {
    "team://state": "team-state.md",
    "team://pipeline": "pipeline-state.md",
    "team://emergency": "emergency.md",
    "team://decisions": "decisions.md",
}
"""Resources that are one of the files in the memory directory."""

NO_RUN = "# No team run yet\n\nNo run was opened so far. The tool `team_start` opens one.\n"
MOST_JOB = 1_000_000
"""Bytes of results in one document."""
PAGE = 1_000

_CHECKPOINT = re.compile(r"team://checkpoints/([^/]{1,60})")
_JOB = re.compile(r"swarm://jobs/([^/]{1,60})")


async def read(session: Session, uri: str) -> tuple[str, str]:
    """The text of a resource, and its media type.

    Raises:
        NotFound: there is no such resource.
        SwarmError: it cannot be read.
    """
    if (view := VIEWS.get(uri)) is not None:
        _, views = await session.team()
        try:
            return await _in_thread(views.markdown, view), "text/markdown"
        except NotFound:
            return NO_RUN, "text/markdown"
    if (found := _CHECKPOINT.fullmatch(uri)) is not None:
        _, views = await session.team()
        return await _in_thread(views.checkpoint, found[1]), "text/markdown"
    if (found := _JOB.fullmatch(uri)) is not None:
        return await _job(session, found[1]), "application/json"
    raise NotFound(f"there is no resource {uri[:100]!r}")


async def signature(session: Session, uri: str) -> str:
    """Something that changes when the resource does; of a job that is less than all of it.

    Raises:
        SwarmError: there is no such resource, or it cannot be read.
    """
    if (found := _JOB.fullmatch(uri)) is None:
        return (await read(session, uri))[0]
    job = (await (await session.api_of(found[1])).job(found[1], limit=1)).job
    return f"{job.status} {job.done} {job.failed}"


async def _in_thread(read_it: Any, name: str) -> str:
    return await anyio.to_thread.run_sync(read_it, name, abandon_on_cancel=True)


async def _job(session: Session, job_id: str) -> str:
    """A job with all of its results, as far as one document holds them; `next_offset` says where it ends."""
    api = await session.api_of(job_id)
    page = await api.job(job_id, limit=PAGE)
    items, held = list(page.items), sum(map(size, page.items))
    while page.next_offset is not None and page.items and held < MOST_JOB:
        page = await api.job(job_id, offset=page.next_offset, limit=PAGE)
        items += page.items
        held += sum(map(size, page.items))
    whole = JobPage(job=page.job, items=tuple(items), next_offset=page.next_offset, whole=page.whole)
    document = whole.as_json()
    del document["results"]  # the same texts once more
    return to_json(document, inf_nan_mode="null").decode()
