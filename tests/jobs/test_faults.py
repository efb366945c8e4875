"""A store in trouble while jobs run: the work waits and goes on, and no result is lost or asked for twice."""

import logging
import sqlite3

import pytest

from clawswarm.clock import sleep_until
from clawswarm.config.model import Limits
from clawswarm.errors import StoreError
from tests.clock import FakeClock
from tests.jobs.support import Gate, Place, numbered, until
from tests.store.places import full_disk

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL + 1)  # the log's own files are on the full disk, too


@pytest.mark.parametrize("seconds", [3, 12, 32, 34.9, 62, 600])
async def test_on_a_full_disk_a_job_waits_and_then_goes_on_without_asking_again(
    place: Place, clock: FakeClock, seconds: float
) -> None:
    """Whatever the log and the job are doing when there is room again."""
    place.limits = Limits(max_nodes=2, max_retries=0)
    gate = Gate(place.server)
    async with place.life(clock) as life:
        job_id = await life.submit(numbered(8))
        await place.server.wait_calls(2)
        with full_disk():
            gate.open()
            async with clock.auto():
                await place.server.wait_in_flight(0)
                await sleep_until(clock, clock.monotonic() + seconds)
                assert (await life.swarm.job(job_id)).job.done == 0
                assert len(place.server.calls) == 2
        async with clock.auto():
            page = await life.end(job_id)
    assert (page.job.status, page.job.done) == ("complete", 8)
    assert page.results == [f"echo: p{number}" for number in range(8)]
    assert place.asked == dict.fromkeys(numbered(8), 1)


async def test_a_disk_that_gets_full_in_the_middle_loses_nothing(place: Place, clock: FakeClock) -> None:
    place.limits = Limits(max_nodes=4, max_retries=0)
    gate = Gate(place.server)
    async with place.life(clock) as life:
        job_id = await life.submit(numbered(200))
        await place.server.wait_calls(4)
        room = sum(path.stat().st_size for path in place.memory.glob("swarm.db*")) // 2
        with full_disk(room):
            gate.open()
            async with clock.auto():
                await sleep_until(clock, clock.monotonic() + 60)
        async with clock.auto():
            page = await life.end(job_id)
    assert (page.job.status, page.job.done, page.job.successful) == ("complete", 200, 200)
    assert place.asked == dict.fromkeys(numbered(200), 1)


async def test_a_job_that_is_done_when_the_disk_is_full_becomes_complete_later(
    place: Place, clock: FakeClock
) -> None:
    gate = Gate(place.server)
    async with place.life(clock) as life:
        job_id = await life.submit(numbered(3))
        await place.server.wait_calls(3)
        with full_disk():
            gate.open()
            await place.server.wait_in_flight(0)
            await until(lambda: clock.pending > 0)
        assert (await life.swarm.job(job_id)).job.status == "running"
        async with clock.auto():
            page = await life.end(job_id)
    assert (page.job.status, page.job.done) == ("complete", 3)
    assert place.asked == dict.fromkeys(numbered(3), 1)


async def test_a_job_cannot_be_taken_on_a_full_disk_and_nothing_is_sent(place: Place) -> None:
    async with place.life() as life:
        with full_disk(), pytest.raises(StoreError, match="cannot be written"):
            await life.submit(["a"])
        assert await life.swarm.jobs() == []
        assert life.runner.unfinished == 0
        await life.end(await life.submit(["a"]))
    assert place.asked == {"a": 1}


async def test_a_cancel_that_cannot_be_written_is_said_and_can_be_repeated(
    place: Place, clock: FakeClock
) -> None:
    Gate(place.server)
    async with place.life(clock) as life:
        job_id = await life.submit(["a"])
        await place.server.wait_calls(1)
        async with clock.auto():
            with full_disk(), pytest.raises(StoreError, match="cannot be written"):
                await life.swarm.cancel(job_id)
            await place.server.wait_left(1)
            assert (await life.swarm.cancel(job_id)).status == "cancelled"
    assert place.asked == {"a": 1}


async def test_a_stop_on_a_full_disk_ends_and_the_results_in_hand_are_asked_for_again(
    place: Place, clock: FakeClock
) -> None:
    gate = Gate(place.server)
    async with place.life(clock) as life:
        job_id = await life.submit(["a"])
        await place.server.wait_calls(1)
        with full_disk():
            gate.open()
            await place.server.wait_in_flight(0)
            async with clock.auto():
                await life.runner.stop(0)
        assert life.runner.unfinished == 0
        clock.advance(10)  # the log writes what it still has, if it can
        await until(lambda: place.stored(job_id) == {0})
    async with place.life(clock) as life:
        page = await life.end(job_id)
    assert page.job.status == "complete"
    assert place.asked == {"a": 1}


async def test_a_database_that_another_process_holds_for_long_only_delays_a_job(
    place: Place, clock: FakeClock
) -> None:
    place.limits = Limits(max_nodes=2, max_retries=0)
    gate = Gate(place.server)
    async with place.life(clock) as life:
        job_id = await life.submit(numbered(6))
        await place.server.wait_calls(2)
        other = sqlite3.connect(place.memory / "swarm.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        gate.open("p0")
        await place.server.wait_in_flight(1)
        page = await life.swarm.job(job_id)  # readers do not wait
        assert page.job.done == 0
        other.execute("ROLLBACK")
        other.close()
        gate.open()
        page = await life.end(job_id)
    assert page.job.successful == 6
    assert place.asked == dict.fromkeys(numbered(6), 1)
