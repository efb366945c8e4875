"""One call of a tool while it is being answered."""

from dataclasses import dataclass, field
from typing import Any

from mcp.server.mcpserver import Context
from mcp_types import InputRequiredResult

from clawswarm.types.jobs import Job
from clawswarm_mcp.inputs import LONGEST_WAIT
from clawswarm_mcp.results import Result
from clawswarm_mcp.session import Session

MARGIN = 2.0
"""Seconds of the longest wait that are left for the answer itself."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: data, a short text beside it, and where more of it is.

    Attributes:
        link: address and name of a resource that has all of it.
    """

    data: Result
    text: str
    link: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The human is to be asked first, by the client, which then calls again."""

    question: InputRequiredResult


@dataclass(slots=True)
class Call:
    """A call.

    Attributes:
        began: on the clock of the session.
    """

    session: Session
    context: Context[Any, Any]
    began: float = field(init=False)
    _told: int = field(init=False, default=-1)

    def __post_init__(self) -> None:
        self.began = self.session.clock.monotonic()

    def until(self, seconds: float) -> float:
        """The moment at which the caller has waited that long."""
        return self.began + seconds

    @property
    def at_last(self) -> float:
        """The moment at which whatever a call does must come to its end."""
        return self.until(LONGEST_WAIT - MARGIN)

    @property
    def listened_to(self) -> bool:
        """Whether the client asked for progress."""
        meta = self.context.request_context.meta or {}
        return meta.get("progress_token") is not None

    async def tell(self, job: Job) -> None:
        """Tell the client how far a job is, where that is news."""
        if job.done > self._told:
            self._told = job.done
            await self.context.report_progress(job.done, job.total, f"{job.done} of {job.total} done")
