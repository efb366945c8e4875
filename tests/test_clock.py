"""The clock of the tests, and the guard around them."""

import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
import pytest

from clawswarm import Swarm
from clawswarm.clock import Clock, sleep_until
from clawswarm.config.model import Limits, Provider, Settings
from tests import conftest
from tests.clock import FakeClock
from tests.fakes.behaviours import Hang, Refuse, Say
from tests.fakes.openai import FakeOpenAI

pytestmark = pytest.mark.anyio


def test_it_is_a_clock(clock: FakeClock) -> None:
    as_clock: Clock = clock
    assert as_clock.monotonic() == clock.monotonic()


def test_due_timers_fire_in_order_at_their_own_time(clock: FakeClock) -> None:
    fired: list[tuple[str, float]] = []
    clock.call_at(1003, lambda: fired.append(("three", clock.elapsed)))
    clock.call_at(1001, lambda: fired.append(("one", clock.elapsed)))
    clock.call_at(1002, lambda: fired.append(("two", clock.elapsed))).cancel()
    clock.call_at(1001, lambda: fired.append(("one more", clock.elapsed)))
    clock.call_at(1010, lambda: fired.append(("ten", clock.elapsed)))
    clock.advance(5)
    assert fired == [("one", 1), ("one more", 1), ("three", 3)]
    assert clock.elapsed == 5
    assert clock.pending == 1


def test_the_time_of_day_moves_with_it(clock: FakeClock) -> None:
    before = clock.now()
    clock.advance(3600)
    assert (clock.now() - before).total_seconds() == 3600


async def test_settle_runs_everything_to_its_end(clock: FakeClock) -> None:
    times: list[float] = []

    async def walk(step: float) -> None:
        for _ in range(3):
            await sleep_until(clock, clock.monotonic() + step)
            times.append(clock.elapsed)

    with anyio.fail_after(25):
        async with anyio.create_task_group() as group:
            group.start_soon(walk, 10)
            group.start_soon(walk, 25)
            await clock.settle()
    assert times == [10, 20, 25, 30, 50, 75]


async def test_time_does_not_jump_over_a_thread_at_work(clock: FakeClock) -> None:
    gate = anyio.Event()

    async def work() -> None:
        for _ in range(20):
            await anyio.to_thread.run_sync(sum, range(1000))
        gate.set()

    with anyio.fail_after(25):
        async with clock.auto(), anyio.create_task_group() as group:
            timer = clock.call_at(clock.monotonic() + 1, lambda: None)
            group.start_soon(work)
            await gate.wait()
            timer.cancel()
    assert clock.elapsed == 0


@asynccontextmanager
async def swarm_on(server: FakeOpenAI, clock: FakeClock, limits: Limits) -> AsyncGenerator[Swarm]:
    provider = Provider(name="openai", base_url=server.base_url, api_key_env="THE_KEY")
    settings = Settings(limits=limits, provider=provider)
    environ = {"THE_KEY": "test-key", "HOME": os.environ["HOME"]}
    async with Swarm(settings=settings, environ=environ, clock=clock, cache=False) as swarm, clock.auto():
        yield swarm


async def test_a_storm_of_429_over_real_sockets_takes_no_time_and_keeps_every_wait(clock: FakeClock) -> None:
    limits = Limits(max_nodes=8, max_concurrent_api=8, timeout=300)
    with anyio.fail_after(25):
        async with FakeOpenAI() as server:
            server.enqueue(*[Refuse(429, "slow down", retry_after=30)] * 14, *[Say("fine")] * 20)
            async with swarm_on(server, clock, limits) as swarm:
                result = await swarm.parallel([f"p{number}" for number in range(20)])
    assert result.results == ["fine"] * 20
    assert clock.elapsed == 90  # eight were refused, then four, then two


async def test_a_deadline_over_real_sockets_comes_by_itself_and_closes_them(clock: FakeClock) -> None:
    with anyio.fail_after(25):
        async with FakeOpenAI() as server:
            server.enqueue(Hang())
            async with swarm_on(server, clock, Limits(timeout=40)) as swarm:
                result = await swarm.parallel(["p"])
            await server.wait_left(1)
    assert result.tasks[0].error is not None
    assert result.tasks[0].error.code == "timeout"
    assert clock.elapsed == 40


def test_another_host_is_neither_looked_up_nor_reached() -> None:
    refused = conftest.refused_hosts
    with pytest.raises(OSError, match="no host but this one"):
        socket.getaddrinfo("example.com", 80)
    with socket.socket() as plug, pytest.raises(OSError, match="no host but this one"):
        plug.connect(("192.0.2.1", 80))
    assert refused == ["example.com", "192.0.2.1"]
    refused.clear()
