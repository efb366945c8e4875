"""What Swarm can be asked to do, whoever does it: this process or the daemon, with the same results."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from clawswarm.types.events import BatchEvent
from clawswarm.types.jobs import Job, JobPage
from clawswarm.types.requests import BatchRequest, ResearchRequest
from clawswarm.types.research import ResearchEvent

E = TypeVar("E")

Emit = Callable[[E], Awaitable[None]]
"""Takes each event as it happens. While it waits, the work that makes events waits, too."""


class JobAPI(Protocol):
    """Jobs, for those who look at them."""

    async def job(self, job_id: str, *, wait: float = 0, offset: int = 0, limit: int = 1000) -> JobPage:
        """A job with a page of its results.

        Args:
            wait: seconds to wait for its end first.

        Raises:
            NotFound: there is no such job.
        """
        ...

    async def jobs(self, *, limit: int = 100) -> list[Job]:
        """The jobs, the newest first."""
        ...

    async def cancel(self, job_id: str) -> Job:
        """Stop a job; one that has ended stays as it is.

        Raises:
            NotFound: there is no such job.
        """
        ...


class SwarmAPI(JobAPI, Protocol):
    """An open way to a swarm. `access.local` works in this process, `access.remote` through the daemon."""

    @property
    def warnings(self) -> list[str]:
        """What the user should know: a retired model, a state directory that cannot be written."""
        ...

    async def parallel(self, request: BatchRequest, emit: Emit[BatchEvent]) -> None:
        """Ask all prompts: one start, one progress a task as it finishes, one complete.

        Cancelling the call cancels the batch and closes its sockets.

        Raises:
            InputError: the request cannot be used. A task that fails is a result with an error.
        """
        ...

    async def research(self, request: ResearchRequest, emit: Emit[ResearchEvent]) -> None:
        """Research all subjects: one start, each phase with its steps, one complete.

        Raises:
            InputError: the request cannot be used. A subject that fails is a result with an error.
        """
        ...

    async def submit(self, request: BatchRequest | ResearchRequest) -> Job:
        """Hand over work that goes on by itself and survives a crash.

        Raises:
            InputError: the request cannot be used.
            DaemonNeeded: nobody in this process works on jobs.
            Busy: there are too many unfinished jobs.
        """
        ...
