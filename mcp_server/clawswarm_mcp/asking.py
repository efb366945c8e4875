"""Asking the human through the client, where it declared that it can (elicitation), in both protocol eras.

Until 2025-11-25 the question is a request of ours while the call waits; since 2026-07-28 the call is answered
with the question, and comes again with the human's words.
"""

from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from typing import Any

from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import is_version_at_least

from clawswarm_mcp.call import Call, Unanswered
from clawswarm_mcp.waiting import within

ASKED_BY_ANSWERING = "2026-07-28"
"""The first protocol version in which a question is an answer to the call."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question.

    Attributes:
        answer: what is to be written; None: yes or no is enough.
    """

    question: str
    answer: str | None = None

    @property
    def form(self) -> dict[str, Any]:
        name, field = ("approve", {"type": "boolean", "title": "Approve"})
        if self.answer is not None:
            name, field = "answer", {"type": "string", "title": self.answer, "minLength": 1}
        return {"type": "object", "properties": {name: field}, "required": [name]}

    @property
    def key(self) -> str:
        """Its name in the protocol: an answer counts for exactly this question."""
        return f"human-{sha256(self.question.encode('utf-8', 'replace')).hexdigest()[:16]}"


class Answered(Enum):
    """What can come of a question beside an answer."""

    NO = "the human refused, or closed the question"
    LATE = "nobody answered in time"
    CANNOT = "the client has no way to ask"


async def asked(call: Call, ask: Ask) -> dict[str, Any] | Answered | Unanswered:
    """What the human filled in; the way to ask them first, where that is the next step of the protocol."""
    context = call.context
    if not _can_ask(context):
        return Answered.CANNOT
    request = ElicitRequest(params=ElicitRequestFormParams(message=ask.question, requested_schema=ask.form))
    if _by_answering(context):
        found = (context.input_responses or {}).get(ask.key)
        if not isinstance(found, ElicitResult):
            return Unanswered(InputRequiredResult(input_requests={ask.key: request}))
        return _meant(found)
    return await _mid_call(call, request)


async def _mid_call(call: Call, request: ElicitRequest) -> dict[str, Any] | Answered:
    context = call.context
    ours = ServerMessageMetadata(related_request_id=context.request_id)
    with within(call.session.clock, call.at_last):
        try:
            return _meant(await context.session.send_request(request, ElicitResult, metadata=ours))
        except (MCPError, ValueError):  # it says that it can, and then does not
            return Answered.LATE
    return Answered.LATE


def _meant(answer: ElicitResult) -> dict[str, Any] | Answered:
    content = answer.content or {}
    if answer.action != "accept" or content.get("approve", True) is not True:
        return Answered.NO
    return dict(content)


def _can_ask(context: Context[Any, Any]) -> bool:
    """Whether the client shows forms. Before there were modes, a bare declaration meant them."""
    capabilities = context.client_capabilities
    elicitation = None if capabilities is None else capabilities.elicitation
    if elicitation is None or (elicitation.form is None and elicitation.url is not None):
        return False
    return _by_answering(context) or context.session.can_send_request


def _by_answering(context: Context[Any, Any]) -> bool:
    version = context.protocol_version
    return version is not None and is_version_at_least(version, ASKED_BY_ANSWERING)
