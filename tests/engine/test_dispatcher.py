"""The line in front of a provider's endpoints."""

from collections.abc import AsyncIterator

import anyio
import pytest
from anyio.abc import TaskGroup

from clawswarm.engine.deadline import Deadline
from clawswarm.engine.dispatcher import Dispatcher
from clawswarm.engine.endpoint import Endpoint
from tests.clock import FakeClock
from tests.engine.line_of_calls import Callers, break_down, endpoint

pytestmark = pytest.mark.anyio


@pytest.fixture
async def group() -> AsyncIterator[TaskGroup]:
    with anyio.fail_after(25):
        async with anyio.create_task_group() as group:
            yield group
            group.cancel_scope.cancel()


def line_to(clock: FakeClock, group: TaskGroup, *endpoints: Endpoint) -> Callers:
    return Callers(Dispatcher(endpoints, clock), group, clock)


async def test_a_freed_slot_goes_to_the_head_of_the_line_at_once(clock: FakeClock, group: TaskGroup) -> None:
    line = line_to(clock, group, one := endpoint(clock))
    first, second, third = line.start(), line.start(), line.start()
    await clock.run_until_idle()
    assert (first.got, second.got) == (one, None)
    first.done.set()
    await clock.run_until_idle()
    assert (second.got, third.got) == (one, None)
    assert clock.elapsed == 0
    assert clock.pending == 0  # nobody polls: no timer stands by


async def test_a_newcomer_does_not_overtake_those_who_wait(clock: FakeClock, group: TaskGroup) -> None:
    line = line_to(clock, group, endpoint(clock, 1))
    first = line.start()
    await clock.run_until_idle()
    line.start()
    await clock.run_until_idle()
    first.done.set()
    line.start()
    await clock.run_until_idle()
    assert line.served == [0, 1]


async def test_a_newcomer_does_not_overtake_a_larger_call_that_waits_for_tokens(
    clock: FakeClock, group: TaskGroup
) -> None:
    line = line_to(clock, group, endpoint(clock, 10, tokens=600))
    line.start(tokens=10)
    line.start(tokens=10)  # waits a second
    line.start(tokens=0)
    await clock.run_until_idle()
    assert line.served == [0]
    await clock.step(1)
    assert line.served == [0, 1, 2]


async def test_never_more_calls_run_than_there_are_slots(clock: FakeClock, group: TaskGroup) -> None:
    line = line_to(clock, group, one := endpoint(clock, 3))
    for _ in range(10):
        line.start()
    for done in range(10):
        await clock.run_until_idle()
        assert one.in_use == len(line.holding) == min(3, 10 - done)
        line.holding[0].done.set()
    await clock.run_until_idle()
    assert line.served == list(range(10))
    assert one.in_use == 0


async def test_several_endpoints_are_fed_by_free_slots(clock: FakeClock, group: TaskGroup) -> None:
    slow, fast = endpoint(clock, 2, name="slow"), endpoint(clock, 2, name="fast")
    line = line_to(clock, group, slow, fast)
    for _ in range(20):
        line.start()
    await clock.run_until_idle()
    assert (slow.in_use, fast.in_use) == (2, 2)
    for _ in range(16):
        next(caller for caller in line.holding if caller.got is fast).done.set()
        await clock.run_until_idle()
    assert line.served == list(range(20))
    assert [caller.got for caller in line.all].count(slow) == 2


async def test_the_endpoint_with_the_most_room_is_taken(clock: FakeClock, group: TaskGroup) -> None:
    small, large = endpoint(clock, 2), endpoint(clock, 5)
    line = line_to(clock, group, small, large)
    for _ in range(5):
        line.start()
        await clock.run_until_idle()
    assert (small.in_use, large.in_use) == (1, 4)


async def test_a_waiter_that_is_cancelled_leaves_the_line(clock: FakeClock, group: TaskGroup) -> None:
    line = line_to(clock, group, one := endpoint(clock))
    first, second, third = line.start(), line.start(), line.start()
    await clock.run_until_idle()
    second.scope.cancel()
    await clock.run_until_idle()
    assert second.over
    assert line.dispatcher.waiting == 1
    first.done.set()
    await clock.run_until_idle()
    assert third.got is one


async def test_a_waiter_that_is_cancelled_just_as_it_is_served_loses_no_slot(
    clock: FakeClock, group: TaskGroup
) -> None:
    line = line_to(clock, group, one := endpoint(clock))
    holder = await line.dispatcher.acquire(0, Deadline(clock, 1e9))
    second, third = line.start(), line.start()
    await clock.run_until_idle()
    line.dispatcher.release(holder)  # the slot is the second's now, but it has not run yet
    second.kill()
    await clock.run_until_idle()
    assert second.over
    assert second.got is None
    assert third.got is one
    third.done.set()
    await clock.run_until_idle()
    assert one.in_use == 0


async def test_a_probe_that_is_cancelled_just_as_it_is_let_through_leaves_the_next_one_to_probe(
    clock: FakeClock, group: TaskGroup
) -> None:
    line = line_to(clock, group, one := endpoint(clock, 2))
    break_down(one, clock.monotonic())
    second, third = line.start(), line.start()
    await clock.run_until_idle()
    clock.advance(2)
    second.kill()
    await clock.run_until_idle()
    assert third.got is one
    assert one.in_use == 1


async def test_when_the_head_is_cancelled_the_next_one_is_served_if_it_can_be(
    clock: FakeClock, group: TaskGroup
) -> None:
    line = line_to(clock, group, one := endpoint(clock, 10, tokens=600))
    line.start(tokens=5)
    head = line.start(tokens=10)
    small = line.start(tokens=1)
    await clock.run_until_idle()
    assert line.served == [0]
    head.scope.cancel()
    await clock.run_until_idle()
    assert small.got is one


async def test_one_timer_wakes_the_line_at_the_earliest_moment(clock: FakeClock, group: TaskGroup) -> None:
    line = line_to(clock, group, endpoint(clock, 10, requests=60), endpoint(clock, 10, requests=30))
    for _ in range(8):
        line.start()
    await clock.run_until_idle()
    assert len(line.served) == 2
    assert clock.pending == 1
    await clock.step(0.99)
    assert len(line.served) == 2
    await clock.step(0.01)
    assert len(line.served) == 3
    assert clock.pending == 1
    await clock.step(3)  # three more from the first endpoint, two from the second
    assert len(line.served) == 8
    assert clock.pending == 0


async def test_nobody_waits_on_a_timer_while_only_slots_are_missing(
    clock: FakeClock, group: TaskGroup
) -> None:
    line = line_to(clock, group, endpoint(clock, 1, requests=60))
    for _ in range(3):
        line.start()
    await clock.run_until_idle()
    assert clock.pending == 0


async def test_a_pause_holds_everybody_until_it_is_over(clock: FakeClock, group: TaskGroup) -> None:
    line = line_to(clock, group, one := endpoint(clock, 5))
    one.rates.pause(30, clock.monotonic())
    for _ in range(3):
        line.start()
    await clock.step(29.9)
    assert line.served == []
    await clock.step(0.1)
    assert line.served == [0, 1, 2]


async def test_a_call_goes_elsewhere_after_a_failure_and_waits_for_a_slot_there(
    clock: FakeClock, group: TaskGroup
) -> None:
    failing, busy = endpoint(clock, 5, name="failing"), endpoint(clock, 1, name="busy")
    line = line_to(clock, group, failing, busy)
    busy.in_use = 1
    again = line.start(avoid=failing)
    other = line.start()
    await clock.run_until_idle()
    assert again.got is None
    assert clock.pending == 0
    line.dispatcher.release(busy)
    await clock.run_until_idle()
    assert (again.got, other.got) == (busy, failing)


async def test_a_call_goes_where_it_failed_when_no_other_endpoint_can_be_called(
    clock: FakeClock, group: TaskGroup
) -> None:
    failing, down, limited = (endpoint(clock, name=name) for name in ("failing", "down", "limited"))
    line = line_to(clock, group, failing, down, limited)
    break_down(down, clock.monotonic())
    limited.rates.pause(5, clock.monotonic())
    again = line.start(avoid=failing)
    await clock.run_until_idle()
    assert again.got is failing
