"""A dispatcher with endpoints, and callers that hold what they get until they are told to let go."""

import asyncio
from dataclasses import dataclass, field

import anyio
from anyio.abc import TaskGroup

from clawswarm.engine.breaker import Breaker
from clawswarm.engine.deadline import Deadline
from clawswarm.engine.dispatcher import Dispatcher
from clawswarm.engine.endpoint import Endpoint
from clawswarm.engine.rates import Rates
from clawswarm.engine.window import Window
from clawswarm.errors import TaskError
from tests.clock import FakeClock
from tests.engine.support import Model, error

LATER = 1e9


def endpoint(
    clock: FakeClock,
    slots: int = 1,
    *,
    name: str = "one",
    requests: int | None = None,
    tokens: int | None = None,
) -> Endpoint:
    return Endpoint(
        address=name,
        provider=Model(),
        slots=slots,
        rates=Rates(requests, tokens, clock.monotonic()),
        breaker=Breaker(3, 2),
        window=Window(slots),
    )


def break_down(endpoint: Endpoint, now: float, *, gives_up: bool = False) -> None:
    """Open an endpoint's breaker."""
    for _ in range(3):
        endpoint.breaker.failed(error("connection_failed"), now)
    if gives_up:
        endpoint.breaker.sending()
        endpoint.breaker.failed(error("connection_failed"), now)


@dataclass(eq=False)
class Caller:
    """One call: waits for a slot, holds it until `done` is set."""

    number: int
    deadline: Deadline
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    done: anyio.Event = field(default_factory=anyio.Event)
    got: Endpoint | None = None
    error: TaskError | None = None
    over: bool = False
    killed: bool = False
    task: asyncio.Task[object] | None = None

    def kill(self) -> None:
        """Cancel it as asyncio does, even if it was served an instant ago (a scope would let it run on)."""
        self.killed = True
        if self.task is not None:
            self.task.cancel()


class Callers:
    """Starts callers and keeps the order in which they got their slots."""

    def __init__(self, dispatcher: Dispatcher, group: TaskGroup, clock: FakeClock) -> None:
        self.dispatcher = dispatcher
        self._clock = clock
        self.all: list[Caller] = []
        self.served: list[int] = []
        self._group = group

    def start(
        self,
        *,
        tokens: int = 0,
        seconds: float = LATER,
        impatient: bool = False,
        avoid: Endpoint | None = None,
    ) -> Caller:
        caller = Caller(len(self.all), Deadline(self._clock, seconds))
        self.all.append(caller)
        self._group.start_soon(self._call, caller, tokens, impatient, avoid)
        return caller

    @property
    def holding(self) -> list[Caller]:
        return [caller for caller in self.all if caller.got is not None and not caller.over]

    @property
    def waiting(self) -> list[Caller]:
        return [caller for caller in self.all if caller.got is None and not caller.over]

    async def _call(self, caller: Caller, tokens: int, impatient: bool, avoid: Endpoint | None) -> None:
        caller.task = asyncio.current_task()
        try:
            with caller.scope:
                try:
                    caller.got = await self.dispatcher.acquire(
                        tokens, caller.deadline, impatient=impatient, avoid=avoid
                    )
                except TaskError as refused:
                    caller.error = refused
                    return
                self.served.append(caller.number)
                try:
                    await caller.done.wait()
                finally:
                    self.dispatcher.release(caller.got)
        except asyncio.CancelledError:
            if not caller.killed:
                raise
        finally:
            caller.over = True
