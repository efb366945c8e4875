"""`/health`, `/status`, `/capabilities` and `/metrics`: how the daemon is, and what it can do."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from clawswarm.daemon import replies
from clawswarm.daemon.routes_swarm import REFUSALS, serving
from clawswarm.version import __version__

router = APIRouter()

FOREIGN: dict[int | str, dict[str, Any]] = {status: REFUSALS[status] for status in (400, 403)}


@router.get("/health", response_model=replies.Health, responses=FOREIGN, summary="Whether it is alive")
async def health() -> Any:
    """The only path that needs no token."""
    return {"status": "ok", "version": __version__}


@router.get("/status", response_model=replies.Status, responses=REFUSALS, summary="What it is doing")
async def status(request: Request) -> Any:
    return await serving(request).status()


@router.get(
    "/capabilities", response_model=replies.Capabilities, responses=REFUSALS, summary="What it can do"
)
async def capabilities(request: Request) -> Any:
    return serving(request).capabilities()


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        **REFUSALS,
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "For Prometheus."},
    },
    summary="Numbers for Prometheus",
)
async def metrics(request: Request) -> Response:
    this = serving(request)
    now = await this.status()
    this.observer.workers_busy.set(this.swarm.engine.fleet.busy)
    counts: Any = now["jobs"]
    for state in ("queued", "running", "complete", "failed", "cancelled"):
        this.observer.jobs.labels(state).set(counts.get(state, 0))
    return Response(this.observer.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")
