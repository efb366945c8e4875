"""The Python API for scripts without an event loop: the same names, each call in a loop of its own.

`Swarm` keeps one loop in a thread of its own, so that its connections, limits and cache are shared by all
calls made through it.
"""

import threading
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio
from anyio.from_thread import BlockingPortal, start_blocking_portal

from clawswarm.access import swarm as _async
from clawswarm.modes.parallel import PromptLike
from clawswarm.types.events import BatchEvent
from clawswarm.types.jobs import Job, JobPage
from clawswarm.types.research import ResearchResult
from clawswarm.types.result import BatchResult

__all__ = ["Swarm", "parallel", "research"]

T = TypeVar("T")


class Swarm:
    """As `clawswarm.Swarm`, for use with `with`. Takes the same arguments."""

    def __init__(self, **arguments: Any) -> None:
        self._swarm = _async.Swarm(**arguments)
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None

    def parallel(self, prompts: Iterable[PromptLike], **defaults: Any) -> BatchResult:
        """As `clawswarm.Swarm.parallel`."""
        return _call(self._open_portal(), lambda: self._swarm.parallel(prompts, **defaults))

    def stream(
        self, prompts: Iterable[PromptLike], *, keep_results: bool = True, **defaults: Any
    ) -> Generator[BatchEvent]:
        """As `clawswarm.Swarm.stream`. It ends when the swarm is closed."""
        portal = self._open_portal()
        events = self._swarm.stream(prompts, keep_results=keep_results, **defaults)
        try:
            while self._portal is portal:
                if (event := _call(portal, lambda: anext(events, None))) is None:
                    return
                yield event
        finally:
            if self._portal is portal:
                with suppress(RuntimeError):  # Ctrl-C hit between two steps: closing the swarm ends it
                    _call(portal, events.aclose)

    def research(self, subjects: Iterable[str], topic: str = "", **options: Any) -> ResearchResult:
        """As `clawswarm.Swarm.research`."""
        return _call(self._open_portal(), lambda: self._swarm.research(subjects, topic, **options))

    def submit(self, prompts: Iterable[PromptLike], **defaults: Any) -> Job:
        """As `clawswarm.Swarm.submit`."""
        return _call(self._open_portal(), lambda: self._swarm.submit(prompts, **defaults))

    def job(self, job_id: str, **options: Any) -> JobPage:
        """As `clawswarm.Swarm.job`."""
        return _call(self._open_portal(), lambda: self._swarm.job(job_id, **options))

    def cancel(self, job_id: str) -> Job:
        """As `clawswarm.Swarm.cancel`."""
        return _call(self._open_portal(), lambda: self._swarm.cancel(job_id))

    @property
    def warnings(self) -> list[str]:
        """As `clawswarm.Swarm.warnings`."""
        return self._swarm.warnings

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal())
            swarm = portal.wrap_async_context_manager(self._swarm)
            swarm.__enter__()
            stack.callback(swarm.__exit__, None, None, None)  # an error here is none of the loop's
            self._portal, self._stack = portal, stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._portal = None
        return self._stack.__exit__(kind, error, trace)

    def _open_portal(self) -> BlockingPortal:
        if self._portal is None:
            self._swarm.warnings  # noqa: B018 - says that the swarm is not open, in the same words
        assert self._portal is not None  # noqa: S101
        return self._portal


def _call(portal: BlockingPortal, function: Callable[[], Awaitable[T]]) -> T:
    """What `function` returns in the portal's loop. Ctrl-C here cancels it there, and waits for its end."""
    ended = threading.Event()

    async def run() -> T:
        try:
            return await function()
        finally:
            ended.set()

    future = portal.start_task_soon(run)
    try:
        return future.result()
    finally:
        if not future.done():
            future.cancel()
            ended.wait()


def parallel(
    prompts: Iterable[PromptLike], *, swarm: Mapping[str, Any] | None = None, **defaults: Any
) -> BatchResult:
    """As `clawswarm.parallel`."""

    async def run() -> BatchResult:
        return await _async.parallel(prompts, swarm=swarm, **defaults)

    return anyio.run(run)


def research(
    subjects: Iterable[str], topic: str = "", *, swarm: Mapping[str, Any] | None = None, **options: Any
) -> ResearchResult:
    """As `clawswarm.research`."""

    async def run() -> ResearchResult:
        return await _async.research(subjects, topic, swarm=swarm, **options)

    return anyio.run(run)
