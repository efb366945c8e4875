"""Waiting in the line ends where it is pointless, and costs a task only time of its own."""

from collections.abc import AsyncIterator

import anyio
import pytest
from anyio.abc import TaskGroup

from clawswarm.engine.deadline import Deadline
from clawswarm.engine.dispatcher import Dispatcher
from clawswarm.engine.endpoint import Endpoint
from clawswarm.errors import TaskError
from tests.clock import FakeClock
from tests.engine.line_of_calls import Callers, break_down, endpoint
from tests.engine.support import error

pytestmark = pytest.mark.anyio


@pytest.fixture
async def group() -> AsyncIterator[TaskGroup]:
    with anyio.fail_after(25):
        async with anyio.create_task_group() as group:
            yield group
            group.cancel_scope.cancel()


def line_to(clock: FakeClock, group: TaskGroup, *endpoints: Endpoint) -> Callers:
    return Callers(Dispatcher(endpoints, clock), group, clock)


async def test_a_limit_beyond_the_deadline_is_told_at_once(clock: FakeClock, group: TaskGroup) -> None:
    line = line_to(clock, group, one := endpoint(clock))
    one.rates.pause(60, clock.monotonic())
    late = line.start(seconds=59)
    in_time = line.start(seconds=61)
    await clock.run_until_idle()
    assert late.error is not None
    assert late.error.code == "rate_limited"
    assert "60 s" in late.error.message
    assert not in_time.over


async def test_a_pause_that_begins_while_they_wait_tells_those_for_whom_it_is_too_long(
    clock: FakeClock, group: TaskGroup
) -> None:
    line = line_to(clock, group, one := endpoint(clock))
    line.start()
    await clock.run_until_idle()
    late = line.start(seconds=59)
    in_time = line.start()
    await clock.run_until_idle()
    one.rates.pause(60, clock.monotonic())
    line.dispatcher.changed()
    await clock.run_until_idle()
    assert late.error is not None
    assert not in_time.over
    line.all[0].done.set()
    await clock.step(60)
    assert in_time.got is one


async def test_a_wait_is_not_hopeless_while_one_endpoint_can_still_take_the_call(
    clock: FakeClock, group: TaskGroup
) -> None:
    down, limited, up = (endpoint(clock, name=name) for name in ("down", "limited", "up"))
    line = line_to(clock, group, down, limited, up)
    break_down(down, clock.monotonic(), gives_up=True)
    limited.rates.pause(1000, clock.monotonic())
    first = line.start(seconds=10)
    second = line.start(seconds=10)
    await clock.run_until_idle()
    assert first.got is up
    assert not second.over
    first.done.set()
    await clock.run_until_idle()
    assert second.got is up


async def test_a_server_that_is_given_up_is_not_waited_for(clock: FakeClock, group: TaskGroup) -> None:
    line = line_to(clock, group, one := endpoint(clock, 5))
    break_down(one, clock.monotonic())
    patient = line.start()
    await clock.run_until_idle()
    assert not patient.over  # it may come back: the first cooldown is waited for
    one.breaker.sending()
    one.breaker.failed(error("connection_failed"), clock.monotonic())
    line.dispatcher.changed()
    late = line.start()
    await clock.run_until_idle()
    for caller in (patient, late):
        assert caller.error is not None
        assert caller.error.code == "connection_failed"
        assert "left alone" in caller.error.message
        assert "the server said connection_failed" in caller.error.message


async def test_only_the_probe_goes_to_a_server_that_failed_until_it_has_answered(
    clock: FakeClock, group: TaskGroup
) -> None:
    line = line_to(clock, group, one := endpoint(clock, 5))
    break_down(one, clock.monotonic())
    for _ in range(5):
        line.start()
    await clock.step(1.9)
    assert line.served == []
    await clock.step(0.1)
    assert line.served == [0]
    one.breaker.succeeded()
    line.all[0].done.set()
    await clock.run_until_idle()
    assert line.served == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("probing", [False, True])
async def test_an_impatient_call_does_not_wait_for_an_open_breaker(clock: FakeClock, probing: bool) -> None:
    one = endpoint(clock)
    break_down(one, clock.monotonic())
    if probing:
        one.breaker.sending()
    with anyio.fail_after(25), pytest.raises(TaskError, match="left alone"):
        await Dispatcher((one,), clock).acquire(0, Deadline(clock, 1e9), impatient=True)


async def test_an_impatient_call_in_the_line_is_told_when_the_breaker_opens(
    clock: FakeClock, group: TaskGroup
) -> None:
    line = line_to(clock, group, one := endpoint(clock))
    line.start()
    await clock.run_until_idle()
    impatient, patient = line.start(impatient=True), line.start()
    await clock.run_until_idle()
    break_down(one, clock.monotonic())
    line.dispatcher.changed()
    await clock.run_until_idle()
    assert impatient.error is not None
    assert not patient.over


async def test_an_impatient_call_waits_for_a_slot_and_for_a_limit(clock: FakeClock, group: TaskGroup) -> None:
    line = line_to(clock, group, one := endpoint(clock))
    one.rates.pause(30, clock.monotonic())
    caller = line.start(impatient=True)
    await clock.step(30)
    assert caller.got is one


async def test_time_stands_still_while_every_slot_is_taken(clock: FakeClock, group: TaskGroup) -> None:
    line = line_to(clock, group, endpoint(clock, 2))
    first, second, third, fourth = (line.start(seconds=30) for _ in range(4))
    await clock.step(100)
    assert (first.deadline.at, second.deadline.at) == (1030, 1030)
    assert (third.deadline.at, fourth.deadline.at) == (1130, 1130)
    first.done.set()
    await clock.step(10)
    assert (third.deadline.at, fourth.deadline.at) == (1130, 1140)


async def test_time_goes_on_for_everyone_in_the_line_while_the_provider_asked_for_a_pause(
    clock: FakeClock, group: TaskGroup
) -> None:
    line = line_to(clock, group, one := endpoint(clock, 1))
    holder = line.start()
    await clock.run_until_idle()
    waiting = [line.start(seconds=30) for _ in range(3)]
    await clock.step(50)
    one.rates.pause(20, clock.monotonic())
    line.dispatcher.changed()
    holder.done.set()
    await clock.step(19)
    assert [caller.deadline.at - clock.monotonic() for caller in waiting] == [11, 11, 11]
    await clock.step(51)
    assert [caller.deadline.at - clock.monotonic() for caller in waiting[1:]] == [10, 10]


async def test_time_goes_on_while_a_broken_server_is_left_alone(clock: FakeClock, group: TaskGroup) -> None:
    line = line_to(clock, group, one := endpoint(clock, 1))
    break_down(one, clock.monotonic())
    waiting = [line.start(seconds=30) for _ in range(3)]
    await clock.step(1.5)
    assert [caller.deadline.at for caller in waiting] == [1030] * 3


async def test_a_slot_of_a_broken_server_does_not_count_as_free(clock: FakeClock, group: TaskGroup) -> None:
    down, up = endpoint(clock, 1, name="down"), endpoint(clock, 1, name="up")
    break_down(down, clock.monotonic(), gives_up=True)
    line = line_to(clock, group, down, up)
    line.start()
    await clock.run_until_idle()
    waiting = line.start(seconds=30)
    await clock.step(3)
    assert waiting.deadline.at == clock.monotonic() + 30
