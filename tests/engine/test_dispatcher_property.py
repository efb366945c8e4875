"""Whatever happens in whatever order: slots are never exceeded, none is lost, and nobody starves."""

from dataclasses import dataclass

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawswarm.engine.dispatcher import Dispatcher
from clawswarm.engine.endpoint import Endpoint
from tests.clock import FakeClock
from tests.engine.line_of_calls import Callers, endpoint
from tests.engine.support import error

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Event:
    """Something that happens; `which` picks a caller or an endpoint."""

    kind: str
    which: int
    seconds: float = 0.0
    now: bool = False
    """Whether the next event follows before anybody has run."""


EVENTS = st.lists(
    st.builds(
        Event,
        kind=st.sampled_from(
            [
                "call",
                "call",
                "call",
                "release",
                "release",
                "cancel",
                "kill",
                "refuse",
                "fail",
                "succeed",
                "advance",
            ]
        ),
        which=st.integers(0, 30),
        seconds=st.floats(0, 8),
        now=st.booleans(),
    ),
    max_size=50,
)


def play(event: Event, line: Callers, clock: FakeClock) -> None:
    one = line.dispatcher.endpoints[event.which % len(line.dispatcher.endpoints)]
    match event.kind:
        case "call":
            line.start(tokens=event.which, avoid=one if event.now else None)
        case "release" if line.holding:
            line.holding[event.which % len(line.holding)].done.set()
        case "cancel" if line.all:
            line.all[event.which % len(line.all)].scope.cancel()
        case "kill" if line.all:
            line.all[event.which % len(line.all)].kill()
        case "refuse":
            one.window.refused()
            one.rates.pause(event.seconds, clock.monotonic())
            line.dispatcher.changed()
        case "fail":
            one.breaker.failed(error(), clock.monotonic())
            line.dispatcher.changed()
        case "succeed":
            one.breaker.succeeded()
            one.window.succeeded()
        case "advance":
            clock.advance(event.seconds)
        case _:
            pass


def check(line: Callers, *, settled: bool) -> None:
    for one in line.dispatcher.endpoints:
        assert 0 <= one.in_use <= one.slots
        if settled:
            assert one.in_use == sum(caller.got is one for caller in line.holding)
    if settled:
        assert line.dispatcher.waiting == len(line.waiting)


async def everybody_is_served(line: Callers, clock: FakeClock) -> None:
    """Let go of all slots, time after time, until nobody waits."""
    for one in line.dispatcher.endpoints:
        one.breaker.succeeded()
    while line.holding or line.waiting:
        before = len(line.served)
        for caller in line.holding:
            caller.done.set()
        await clock.step(100)
        assert len(line.served) > before or not line.waiting, "somebody starves"
        check(line, settled=True)


def endpoints(clock: FakeClock, shapes: list[tuple[int, int | None]]) -> tuple[Endpoint, ...]:
    return tuple(endpoint(clock, slots, requests=requests) for slots, requests in shapes)


SHAPES = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from([None, None, 30, 600])), min_size=1, max_size=3
)


@settings(max_examples=120)
@given(events=EVENTS, shapes=SHAPES)
async def test_slots_are_never_exceeded_none_is_lost_and_nobody_starves(
    events: list[Event], shapes: list[tuple[int, int | None]]
) -> None:
    clock = FakeClock()
    with anyio.fail_after(25):
        async with anyio.create_task_group() as group:
            line = Callers(Dispatcher(endpoints(clock, shapes), clock), group, clock)
            for event in events:
                play(event, line, clock)
                check(line, settled=False)
                if not event.now:
                    await clock.run_until_idle()
                    check(line, settled=True)
            await clock.run_until_idle()
            await everybody_is_served(line, clock)
            assert all(one.in_use == 0 for one in line.dispatcher.endpoints)
            assert line.dispatcher.waiting == 0
            assert clock.pending == 0


@settings(max_examples=60)
@given(slots=st.integers(1, 4), cancelled=st.sets(st.integers(0, 19)), killed=st.sets(st.integers(0, 19)))
async def test_slots_are_given_out_in_the_order_of_asking(
    slots: int, cancelled: set[int], killed: set[int]
) -> None:
    clock = FakeClock()
    with anyio.fail_after(25):
        async with anyio.create_task_group() as group:
            line = Callers(Dispatcher((endpoint(clock, slots),), clock), group, clock)
            for number in range(20):
                line.start()
                await clock.run_until_idle()
                if number in cancelled:
                    line.all[number // 2].scope.cancel()
                if number in killed:
                    line.all[number // 3].kill()
                await clock.run_until_idle()
            await everybody_is_served(line, clock)
            assert line.served == sorted(line.served)
