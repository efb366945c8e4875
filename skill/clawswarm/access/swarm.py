"""The Python API: `Swarm` for many calls, `parallel` and `research` for one."""

import os
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectSendStream

from clawswarm.access.api import Emit, SwarmAPI
from clawswarm.access.connect import Way, connect
from clawswarm.clock import Clock
from clawswarm.config.load import load
from clawswarm.config.model import Settings
from clawswarm.errors import SwarmError
from clawswarm.lifetimes import background_tasks
from clawswarm.modes.parallel import PromptLike, to_source
from clawswarm.modes.requests import read_research
from clawswarm.providers.demo import DemoProvider
from clawswarm.types.events import BatchComplete, BatchEvent
from clawswarm.types.jobs import Job, JobPage
from clawswarm.types.requests import BatchRequest, Depth, RunOptions
from clawswarm.types.research import ResearchComplete, ResearchEvent, ResearchResult
from clawswarm.types.result import BatchResult

E = TypeVar("E", bound="BatchEvent | ResearchEvent")

Prompts = Iterable[PromptLike] | AsyncIterable[PromptLike]


class Swarm:
    """An open swarm: providers, limits, cache and budget, shared by all calls made through it.

    Use it as an async context manager. Arguments left out are as configured.

    Args:
        provider: such as "gemini", "ollama" or "demo".
        concurrency: tasks at once, and calls to one endpoint at once (Ollama keeps its own slots).
        cache: False asks every prompt anew.
        timeout: seconds a task may take.
        use_daemon: True insists on the daemon, False works in this process. None takes the daemon where it
            runs with the same configuration and has enough workers.
        settings: a whole configuration, in place of the user's; works in this process.
        environ: the environment to read keys and addresses from, in place of the process's.
        demo: a scripted demo provider, used when the provider is "demo"; works in this process.

    Raises, on entering:
        DaemonNeeded: `use_daemon=True`, and none is running.
        NotConfigured: no provider, key or model.
        ConfigError: the configuration cannot be used.
    """

    def __init__(
        self,
        *,
        provider: str | None = None,
        model: str | None = None,
        concurrency: int | None = None,
        cache: bool = True,
        timeout: float | None = None,
        use_daemon: bool | None = None,
        settings: Settings | None = None,
        environ: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        demo: DemoProvider | None = None,
    ) -> None:
        self._options = RunOptions(
            provider=provider, model=model, concurrency=concurrency, timeout=timeout, cache=cache
        )
        self._use_daemon = False if settings is not None and use_daemon is None else use_daemon
        self._settings = settings
        self._environ = os.environ if environ is None else environ
        self._clock = clock
        self._demo = demo
        self._stack: AsyncExitStack | None = None
        self._way: Way | None = None
        self._group: TaskGroup | None = None

    @property
    def warnings(self) -> list[str]:
        """What the user should know: a retired model, a state directory that cannot be written."""
        way = self._opened()
        return [*way.notes, *way.api.warnings]

    @property
    def uses_daemon(self) -> bool:
        """Whether the work is done by the daemon."""
        return self._opened().daemon is not None

    async def parallel(self, prompts: Prompts, **defaults: Any) -> BatchResult:
        """Ask all prompts; the results in prompt order.

        Args:
            defaults: options of every task that it does not set itself: system, model, max_tokens, schema, …

        Raises:
            InputError: no prompts, or one that cannot be used. A task that fails is a result with an error.
        """
        found: list[BatchResult] = []

        async def emit(event: BatchEvent) -> None:
            if isinstance(event, BatchComplete) and event.result is not None:
                found.append(event.result)

        await self._ask(self._batch(prompts, defaults), emit)
        return found[0]

    async def stream(
        self, prompts: Prompts, *, keep_results: bool = True, **defaults: Any
    ) -> AsyncGenerator[BatchEvent]:
        """Ask all prompts; events as they happen: one start, one progress a task, one complete.

        Stopping to listen (a `break`, an error, a cancelled task) cancels the batch.

        Args:
            keep_results: False leaves the results out of the last event, so that memory stays flat however
                many prompts there are.
            defaults: as for `parallel`.
        """
        request = self._batch(prompts, defaults, keep_results=keep_results)

        async def run(emit: Emit[BatchEvent]) -> None:
            await self._ask(request, emit)

        events = self._events(run)
        try:
            async for event in events:
                yield event
        finally:
            await events.aclose()

    async def research(
        self, subjects: Iterable[str], topic: str = "", *, depth: Depth = "standard"
    ) -> ResearchResult:
        """Research all subjects side by side: search, fetch, analyze, compare.

        Args:
            topic: the angle, such as "AI safety".
            depth: quick, standard or deep.

        Raises:
            InputError: no subjects, or one that cannot be used. One that fails is a result with an error.
        """
        found: list[ResearchResult] = []
        request = read_research(
            {"subjects": list(subjects), "topic": topic, "depth": depth, **self._opened().options.as_json()}
        )

        async def emit(event: ResearchEvent) -> None:
            if isinstance(event, ResearchComplete):
                found.append(event.result)

        await self._api.research(request, emit)
        return found[0]

    async def submit(self, prompts: Prompts, **defaults: Any) -> Job:
        """Hand all prompts over to the daemon, as a job that outlives this process and a crash.

        Raises:
            DaemonNeeded: this swarm works in this process.
            InputError: no prompts, or one that cannot be used.
        """
        return await self._api.submit(self._batch(prompts, defaults))

    async def job(self, job_id: str, *, wait: float = 0, offset: int = 0, limit: int = 1000) -> JobPage:
        """A job with a page of its results, after at most `wait` seconds of waiting for its end.

        Raises:
            NotFound: there is no such job.
        """
        return await self._api.job(job_id, wait=wait, offset=offset, limit=limit)

    async def cancel(self, job_id: str) -> Job:
        """Stop a job; one that has ended stays as it is.

        Raises:
            NotFound: there is no such job.
        """
        return await self._api.cancel(job_id)

    async def _ask(self, request: BatchRequest, emit: Emit[BatchEvent]) -> None:
        """Ask through the open way; here what only this process can do, unless the daemon was insisted on."""
        if self._opened().daemon is None or self._use_daemon or request.travels:
            await self._api.parallel(request, emit)
            return
        async with self._connected(use_daemon=False) as way:
            await way.api.parallel(replace(request, options=way.options), emit)

    def _batch(
        self, prompts: Prompts, defaults: Mapping[str, Any], *, keep_results: bool = True
    ) -> BatchRequest:
        tasks, total = to_source(prompts, defaults)
        options = self._opened().options
        return BatchRequest(tasks=tasks, total=total, options=options, keep_results=keep_results)

    async def _events(self, run: Callable[[Emit[E]], Awaitable[None]]) -> AsyncGenerator[E]:
        """The events that `run` emits. It runs in this swarm's own task group, so that no scope stays open
        inside a generator."""
        self._opened()
        assert self._group is not None  # noqa: S101 - opened together
        send, receive = anyio.create_memory_object_stream[E](16)
        scope = anyio.CancelScope()
        failures: list[Exception] = []
        self._group.start_soon(_produce, run, send, scope, failures)
        try:
            async with receive:
                async for event in receive:
                    yield event
        finally:
            scope.cancel()
        if failures:
            raise failures[0]

    async def __aenter__(self) -> Self:
        if self._stack is not None:
            raise SwarmError("this swarm is open already", hint="make another Swarm(), or use the open one")
        async with AsyncExitStack() as stack:
            self._way = await stack.enter_async_context(self._connected(use_daemon=self._use_daemon))
            self._group = await stack.enter_async_context(background_tasks())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        stack, self._stack, self._way = self._stack, None, None
        return None if stack is None else await stack.__aexit__(kind, error, trace)

    def _connected(self, *, use_daemon: bool | None) -> AbstractAsyncContextManager[Way]:
        settings = self._settings or load(self._environ).settings
        return connect(
            settings,
            self._environ,
            self._options,
            use_daemon=use_daemon,
            clock=self._clock,
            demo=self._demo,
        )

    @property
    def _api(self) -> SwarmAPI:
        return self._opened().api

    def _opened(self) -> Way:
        if self._way is None:
            raise SwarmError("this swarm is not open", hint="use it inside: async with Swarm() as swarm")
        return self._way


async def _produce(
    run: Callable[[Emit[E]], Awaitable[None]],
    send: MemoryObjectSendStream[E],
    scope: anyio.CancelScope,
    failures: list[Exception],
) -> None:
    try:
        with scope:
            async with send:
                await run(send.send)
    except anyio.BrokenResourceError:
        pass  # nobody listens any more; that has cancelled the work
    except Exception as error:  # noqa: BLE001 - the caller's own source may raise anything; handed to it
        failures.append(error)


async def parallel(
    prompts: Prompts, *, swarm: Mapping[str, Any] | None = None, **defaults: Any
) -> BatchResult:
    """Ask all prompts at once, with the user's configuration; the results in prompt order.

    Args:
        swarm: arguments for `Swarm`, such as {"provider": "demo"}.
        defaults: options of every task: system, model, max_tokens, schema, …
    """
    async with Swarm(**(swarm or {})) as opened:
        return await opened.parallel(prompts, **defaults)


async def research(
    subjects: Iterable[str],
    topic: str = "",
    *,
    depth: Depth = "standard",
    swarm: Mapping[str, Any] | None = None,
) -> ResearchResult:
    """Research all subjects side by side, with the user's configuration.

    Args:
        swarm: arguments for `Swarm`, such as {"provider": "gemini"}.
    """
    async with Swarm(**(swarm or {})) as opened:
        return await opened.research(subjects, topic, depth=depth)
