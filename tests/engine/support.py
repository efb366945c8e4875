"""Engines on providers that a test writes, without files or sockets unless asked for."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from clawswarm.clock import Clock
from clawswarm.config.model import Cache, Cost, Limits, Prices, Settings
from clawswarm.engine.engine import Engine, open_engine
from clawswarm.engine.pool import open_batch
from clawswarm.errors import TaskError, TaskErrorCode
from clawswarm.providers.base import Answer, CallOptions, Pace
from clawswarm.providers.prices import PriceSheet, configured
from clawswarm.providers.registry import Backend, Chosen, Connection
from clawswarm.store.connect import Store
from clawswarm.types.result import Reply, TaskResult, Usage, in_order
from clawswarm.types.task import Task
from tests.clock import FakeClock

PATIENCE = 25
"""Seconds that a test may wait: the suite kills what takes longer, without a word on where it hangs."""

SIX_TOKENS = Usage(input_tokens=4, output_tokens=2)
PRICED = configured(Prices(input=Decimal(1), output=Decimal(2)))
"""A millionth of a dollar an input token, two an output token."""

Act = Callable[[Task, int], Awaitable[Reply | None]]
"""What a provider does with its n-th call (from 1); None stands for an ordinary reply."""


class Model:
    """A provider that does what a test says, and remembers its calls.

    Attributes:
        times: when each call arrived, on the test's clock.
        cancelled: calls that were cut short.
    """

    def __init__(
        self,
        act: Act | None = None,
        *,
        clock: Clock | None = None,
        name: str = "demo",
        pace: Pace | None = None,
    ) -> None:
        self.name = name
        self.act = act
        self.pace = pace
        self.clock = clock
        self.prompts: list[str] = []
        self.models: list[str] = []
        self.times: list[float] = []
        self.in_flight = 0
        self.peak = 0
        self.cancelled = 0

    @property
    def calls(self) -> int:
        return len(self.prompts)

    async def complete(self, task: Task, *, model: str) -> Answer:
        self.prompts.append(task.prompt)
        call = self.calls
        self.models.append(model)
        if self.clock is not None:
            self.times.append(self.clock.monotonic())
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            await anyio.lowlevel.checkpoint()
            reply = None if self.act is None else await self.act(task, call)
        except anyio.get_cancelled_exc_class():
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1
        return Answer(reply=reply or say(task.prompt.upper(), model=model), pace=self.pace)


def say(text: str = "ok", **fields: Any) -> Reply:
    given: dict[str, Any] = {"text": text, "model": "m", "usage": SIX_TOKENS} | fields
    return Reply(**given)


def near(value: float) -> Any:
    return pytest.approx(value)  # pyright: ignore[reportUnknownMemberType]


def error(code: TaskErrorCode = "overloaded", *, retryable: bool = True, **fields: Any) -> TaskError:
    return TaskError(code, f"the server said {code}", retryable=retryable, **fields)


def refused(after: float | None = None) -> TaskError:
    """A 429."""
    return error("rate_limited", status=429, retry_after=after)


def failing(*errors: TaskError | None) -> Act:
    """An act whose first calls fail like this, one each; None and all later calls are answered."""

    async def act(task: Task, call: int) -> None:
        if call <= len(errors) and (failure := errors[call - 1]) is not None:
            raise failure

    return act


def always(failure: TaskError) -> Act:
    async def act(task: Task, call: int) -> None:
        raise failure

    return act


async def hang(task: Task, call: int) -> None:
    await anyio.sleep_forever()


def backend(
    *models: Model,
    slots: int = 16,
    prices: PriceSheet | None = None,
    attempt_timeout: float | None = None,
    model: str = "m",
    address: str = "here",
    caches: bool = True,
    **options: Any,
) -> Backend:
    """One provider with an endpoint for each of `models`."""
    return Backend(
        name="demo",
        model=model,
        connections=tuple(
            Connection(address=f"{address}{number}", provider=each) for number, each in enumerate(models)
        ),
        slots=slots,
        attempt_timeout=attempt_timeout,
        max_tokens=100,
        fixed_prices=prices,
        local=True,
        price_source="demo",
        key=None,
        options=CallOptions(**options),
        caches=caches,
    )


def limits(**values: Any) -> Settings:
    """Settings with these limits and no cache."""
    return Settings(limits=Limits(**values), cache=Cache(enabled=False))


@asynccontextmanager
async def engine_on(
    *backends: Backend | Model,
    clock: FakeClock,
    settings: Settings | None = None,
    store: Store | None = None,
    cost: Cost | None = None,
) -> AsyncGenerator[Engine]:
    """An engine on these providers, the first one primary; for four seconds at most."""
    chosen = Chosen(
        backends=tuple(backend(each) if isinstance(each, Model) else each for each in backends), warnings=()
    )
    settings = settings or limits()
    if cost is not None:
        settings = settings.model_copy(update={"cost": cost})
    with anyio.fail_after(PATIENCE):
        async with open_engine(settings, chosen, store, clock) as engine:
            yield engine


def tasks(number: int, **fields: Any) -> list[Task]:
    return [Task(prompt=f"p{index}", **fields) for index in range(number)]


async def run(engine: Engine, given: Iterable[Task]) -> tuple[TaskResult, ...]:
    """The results of a batch, in order."""
    source = list(given)
    async with open_batch(engine, source, total=len(source)) as results:
        return in_order([result async for result in results])


async def run_one(engine: Engine, task: Task | str = "p") -> TaskResult:
    return await engine.run_task(0, Task(prompt=task) if isinstance(task, str) else task, None)


def code_of(result: TaskResult) -> str | None:
    return None if result.error is None else result.error.code
