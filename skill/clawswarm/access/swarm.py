"""The Python API: `Swarm` for many calls, `parallel` for one."""

import os
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectSendStream

from clawswarm.access.local import LocalSwarm, open_local
from clawswarm.clock import Clock
from clawswarm.config.choice import with_limits, with_provider, without_cache
from clawswarm.config.load import load
from clawswarm.config.model import Settings
from clawswarm.errors import NotConfigured, SwarmError
from clawswarm.lifetimes import background_tasks
from clawswarm.modes.parallel import PromptLike, collect, open_parallel, to_source
from clawswarm.providers.demo import DemoProvider
from clawswarm.types.events import BatchComplete, BatchEvent, BatchStarted, TaskFinished
from clawswarm.types.result import BatchResult, TaskResult, in_order

Prompts = Iterable[PromptLike] | AsyncIterable[PromptLike]


class Swarm:
    """An open swarm: providers, limits, cache and budget, shared by all calls made through it.

    Use it as an async context manager. Arguments left out are as configured.

    Args:
        provider: such as "gemini", "ollama" or "demo".
        concurrency: tasks at once, and calls to one endpoint at once (Ollama keeps its own slots).
        cache: False asks every prompt anew.
        timeout: seconds a task may take.
        use_daemon: False works in this process. None does so, too: this release has no daemon.
        settings: a whole configuration, in place of the user's.
        environ: the environment to read keys and addresses from, in place of the process's.
        demo: a scripted demo provider, used when the provider is "demo".

    Raises, on entering:
        NotConfigured: no provider, key or model; or `use_daemon=True`.
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
        self._provider = provider
        self._model = model
        self._concurrency = concurrency
        self._cache = cache
        self._timeout = timeout
        self._use_daemon = use_daemon
        self._settings = settings
        self._environ = os.environ if environ is None else environ
        self._clock = clock
        self._demo = demo
        self._stack: AsyncExitStack | None = None
        self._local: LocalSwarm | None = None
        self._group: TaskGroup | None = None

    @property
    def warnings(self) -> list[str]:
        """What the user should know: a retired model, a state directory that cannot be written."""
        local = self._opened()
        return [*local.warnings, *local.engine.troubles]

    async def parallel(self, prompts: Prompts, **defaults: Any) -> BatchResult:
        """Ask all prompts; the results in prompt order.

        Args:
            defaults: options of every task that it does not set itself: system, model, max_tokens, schema, …

        Raises:
            InputError: no prompts, or one that cannot be used. A task that fails is a result with an error.
        """
        source, total = to_source(prompts, defaults)
        async with open_parallel(self._opened().engine, source, total=total) as batch:
            return await collect(batch)

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
        source, total = to_source(prompts, defaults)
        self._opened()
        assert self._group is not None  # noqa: S101 - opened together
        send, receive = anyio.create_memory_object_stream[BatchEvent](16)
        scope = anyio.CancelScope()
        failures: list[Exception] = []
        kept: list[TaskResult] | None = [] if keep_results else None
        self._group.start_soon(self._produce, source, total, kept, send, scope, failures)
        try:
            async with receive:
                async for event in receive:
                    yield event
        finally:
            scope.cancel()
        if failures:
            raise failures[0]

    async def _produce(
        self,
        source: Any,
        total: int | None,
        kept: list[TaskResult] | None,
        send: MemoryObjectSendStream[BatchEvent],
        scope: anyio.CancelScope,
        failures: list[Exception],
    ) -> None:
        """Run a batch in this swarm's own task group, so that no scope stays open inside a generator."""
        engine = self._opened().engine
        primary = engine.primary
        try:
            with scope:
                async with send, open_parallel(engine, source, total=total) as batch:
                    await send.send(BatchStarted(total=total, provider=primary.name, model=primary.model))
                    async for result in batch:
                        if kept is not None:
                            kept.append(result)
                        await send.send(TaskFinished(task=result))
                    stats = batch.stats
                    whole = None if kept is None else BatchResult(in_order(kept), stats)
                    await send.send(BatchComplete(stats=stats, result=whole))
        except anyio.BrokenResourceError:
            pass  # nobody listens any more; leaving the block has cancelled the batch
        except Exception as error:  # noqa: BLE001 - the caller's own source may raise anything; handed to it
            failures.append(error)

    async def __aenter__(self) -> Self:
        if self._stack is not None:
            raise SwarmError("this swarm is open already", hint="make another Swarm(), or use the open one")
        if self._use_daemon:
            raise NotConfigured("this release has no daemon", hint="leave use_daemon out")
        settings = self._settings or load(self._environ).settings
        settings = with_provider(settings, self._provider, self._model)
        settings = with_limits(settings, concurrency=self._concurrency, timeout=self._timeout)
        if not self._cache:
            settings = without_cache(settings)
        async with AsyncExitStack() as stack:
            self._local = await stack.enter_async_context(
                open_local(settings, self._environ, clock=self._clock, demo=self._demo)
            )
            self._group = await stack.enter_async_context(background_tasks())
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        stack, self._stack, self._local = self._stack, None, None
        return None if stack is None else await stack.__aexit__(kind, error, trace)

    def _opened(self) -> LocalSwarm:
        if self._local is None:
            raise SwarmError("this swarm is not open", hint="use it inside: async with Swarm() as swarm")
        return self._local


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
