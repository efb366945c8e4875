"""What happens between a call and its answer: arguments read, the work done, the result or the error told."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio.to_thread
from mcp.server.mcpserver import Context
from mcp_types import CallToolResult, ContentBlock, InputRequiredResult, ResourceLink, TextContent

from clawswarm.errors import InputError, SwarmError
from clawswarm.types.team import HUMAN
from clawswarm_mcp import control, team, votes, work
from clawswarm_mcp.arguments import UNREADABLE, Arguments, read, such_as
from clawswarm_mcp.call import Call, Reply, Unanswered
from clawswarm_mcp.catalog import Entry
from clawswarm_mcp.faults import UNFORESEEN, in_words
from clawswarm_mcp.results import TeamResult
from clawswarm_mcp.session import Session

logger = logging.getLogger(__name__)

BODIES: Mapping[str, Callable[[Call, Any], Awaitable[Reply | Unanswered]]] = {
    "swarm_parallel": work.parallel,
    "swarm_research": work.research,
    "swarm_job": work.job,
    "team_start": team.start,
    "team_status": team.status,
    "team_message": team.message,
    "team_checkpoint": team.checkpoint,
    "raise_emergency": team.emergency,
    "cast_vote": votes.vote,
    "team_control": control.control,
}
"""What each tool does."""


async def do(
    session: Session, entry: Entry, arguments: Mapping[str, Any], context: Context[Any, Any]
) -> CallToolResult | InputRequiredResult:
    """Answer a call. What goes wrong is told in the result; nothing is raised but a cancellation."""
    call = Call(session, context)
    try:
        given = _read(entry, arguments)
        reply = await BODIES[entry.name](call, given)
    except SwarmError as error:
        return failed(in_words(error) + await _directive(call, entry, arguments))
    except Exception:
        logger.exception("the tool %s failed", entry.name)
        return failed(UNFORESEEN + await _directive(call, entry, arguments))
    if isinstance(reply, Unanswered):
        return reply.question
    content: list[ContentBlock] = [TextContent(type="text", text=reply.text)]
    if reply.link is not None:
        uri, name = reply.link
        content.append(ResourceLink(type="resource_link", uri=uri, name=name))
    return CallToolResult(content=content, structured_content=reply.data.as_json())


def failed(text: str) -> CallToolResult:
    """An error that the model reads."""
    safe = text.encode("utf-8", "replace").decode()
    return CallToolResult(content=[TextContent(type="text", text=safe)], is_error=True)


def _read(entry: Entry, arguments: Mapping[str, Any]) -> Arguments:
    if UNREADABLE in arguments:
        raise InputError("the arguments are no JSON object", hint=such_as(entry.example))
    return read(entry.takes, arguments, example=entry.example)


async def _directive(call: Call, entry: Entry, arguments: Mapping[str, Any]) -> str:
    """What the agent is to do now, where it called a tool of the team; an emergency holds for errors, too."""
    if not issubclass(entry.gives, TeamResult):
        return ""
    role = arguments.get("role")
    try:
        _, views = await call.session.team()
        named = role if isinstance(role, str) else HUMAN
        directive, reason = await anyio.to_thread.run_sync(views.directive, named, abandon_on_cancel=True)
    except SwarmError:
        return ""
    return f"\nDirective: {directive}, because {reason}"
