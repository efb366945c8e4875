"""What the server offers beside its tools, and what it makes of a call that is no proper one."""

import json
from dataclasses import replace
from typing import Any, cast

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp_types import Resource, ResourceTemplate

from clawswarm_mcp.arguments import UNREADABLE

MARKDOWN = "text/markdown"

RESOURCES = (
    Resource(
        uri="team://state",
        name="team-state",
        title="Team state",
        description="Phase, agents with their trust, pending decisions, blockers of the team run.",
        mime_type=MARKDOWN,
    ),
    Resource(
        uri="team://pipeline",
        name="pipeline-state",
        title="Pipeline",
        description="The run's tasks and how far they are.",
        mime_type=MARKDOWN,
    ),
    Resource(
        uri="team://emergency",
        name="emergency",
        title="Emergencies",
        description="Level, circuit breaker, open emergencies, and whether a human was told.",
        mime_type=MARKDOWN,
    ),
    Resource(
        uri="team://decisions",
        name="decisions",
        title="Decision log",
        description="What the team decided, how, and who dissented.",
        mime_type=MARKDOWN,
    ),
)

TEMPLATES = (
    ResourceTemplate(
        uri_template="team://checkpoints/{id}",
        name="checkpoint",
        title="Checkpoint",
        description="One checkpoint of the team run, such as team://checkpoints/c12.",
        mime_type=MARKDOWN,
    ),
    ResourceTemplate(
        uri_template="swarm://jobs/{id}",
        name="job",
        title="Job",
        description="A job of swarm_parallel or swarm_research with all of its results, as JSON.",
        mime_type="application/json",
    ),
)


async def readable(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Let a call of a tool through whatever its arguments are: what is wrong is told by the tool.

    The protocol would refuse arguments that are no object, and hosts count such a refusal as a broken server.
    """
    if ctx.method != "tools/call":
        return await call_next(ctx)
    params = dict(ctx.params or {})
    if not isinstance(params.get("name"), str):
        params["name"] = str(params.get("name", ""))
    if params.get("arguments") is not None:
        params["arguments"] = _as_object(params["arguments"])
    return await call_next(replace(ctx, params=params))


def _as_object(arguments: Any) -> dict[str, Any]:
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except (ValueError, RecursionError):
            return {UNREADABLE: None}
    if isinstance(arguments, dict):
        return cast("dict[str, Any]", arguments)
    return {UNREADABLE: None}
