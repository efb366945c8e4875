"""A process dies, or stops, in the middle: what it spent is counted, what it had only reserved comes back."""

import random
import signal
from pathlib import Path

import anyio
import pytest

from tests.fakes.behaviours import Held, Say
from tests.fakes.wire import Seen
from tests.money.machine import Machine, Spender, machine

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow(reason="starts processes and kills them"),
    pytest.mark.timeout(60),
]

THOUSAND = Say(input_tokens=1000)
"""An answer that costs about what is reserved for it."""

AT_ONCE = 16
MOST_RESERVED = int(1.3 * 1_040_000_000)
"""Picodollars of one call's reservation, at most."""


async def killed_after(spender: Spender, here: Machine, calls: int) -> None:
    """Let it make `calls` calls, then kill it; back when the server is done with what it had sent."""
    target = len(here.server.calls) + calls
    spender.start()
    await here.server.wait_calls(target, timeout=20)
    await spender.die()
    await here.server.wait_in_flight(0)


async def test_twelve_kills_at_random_moments_never_lose_count_and_leave_the_rest_to_others(
    tmp_path: Path,
) -> None:
    moments = [random.randint(0, 40) for _ in range(12)]
    print("killed after", moments)  # noqa: T201 - shown when the test fails
    async with machine(tmp_path, cap_calls=600, say=THOUSAND, latency=0.003) as here:
        doomed = await here.spenders_at_the_line(12, tasks=1000, at_once=AT_ONCE, max_tokens=20)
        for number, calls in enumerate(moments, 1):
            await killed_after(doomed[number - 1], here, calls)
            total = await here.total()
            assert total.held == 0
            assert here.billed <= total.spent + total.uncertain
            assert total.spent + total.uncertain <= here.billed + number * AT_ONCE * MOST_RESERVED
            assert total.taken <= here.cap
        before = len(here.server.calls)
        [heir] = await here.spenders_at_the_line(1, tasks=1000, at_once=AT_ONCE, max_tokens=20)
        heir.start()
        report = await heir.report()
        total = await here.total()
    assert report["ok"] == len(here.server.calls) - before > 0
    assert report["codes"].keys() == {"budget_exceeded"}
    assert here.billed <= total.taken <= here.cap
    assert total.taken >= 0.95 * here.cap
    assert total.held == 0
    assert not list((here.memory / "leases").iterdir())


async def test_kills_among_working_processes_never_let_the_cap_be_passed(tmp_path: Path) -> None:
    async with machine(tmp_path, cap_calls=250, say=THOUSAND, latency=0.01) as here:
        spenders = await here.spenders_at_the_line(4, tasks=300, at_once=AT_ONCE, max_tokens=20)
        for spender in spenders:
            spender.start()
        await here.server.wait_calls(60, timeout=20)
        await spenders[0].die()
        await here.server.wait_calls(100, timeout=20)
        await spenders[1].die()
        for spender in spenders[2:]:
            await spender.report()
        total = await here.total()
    assert here.billed <= total.taken <= here.cap
    assert total.held == 0


async def test_a_stopped_process_keeps_what_it_holds_and_goes_on_with_it(tmp_path: Path) -> None:
    async with machine(tmp_path, cap_calls=400) as here:
        released = anyio.Event()
        here.server.respond = lambda seen: _held(seen, released)
        [spender] = await here.spenders_at_the_line(1, tasks=8, at_once=8, max_tokens=20)
        spender.start()
        await here.server.wait_calls(8, timeout=20)
        spender.signal(signal.SIGSTOP)
        total = await here.total()
        assert total.held >= 8 * here.price
        assert total.spent == total.uncertain == 0
        spender.signal(signal.SIGCONT)
        released.set()
        assert (await spender.report())["ok"] == 8
        total = await here.total()
    assert (total.spent, total.uncertain, total.held) == (8 * here.price, 0, 0)


async def test_calls_in_flight_at_the_kill_count_as_uncertain(tmp_path: Path) -> None:
    async with machine(tmp_path, cap_calls=400) as here:
        released = anyio.Event()
        here.server.respond = lambda seen: _held(seen, released)
        [spender] = await here.spenders_at_the_line(1, tasks=8, at_once=8, max_tokens=20)
        spender.start()
        await here.server.wait_calls(8, timeout=20)
        await spender.die()
        total = await here.total()
        released.set()
    assert total.spent == total.held == 0
    assert here.billed <= total.uncertain


def _held(_: Seen, until: anyio.Event) -> Held:
    return Held(until)
