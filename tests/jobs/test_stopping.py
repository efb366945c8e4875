"""The end of a process that works on jobs, and the next one: what is stored is not asked again."""

import time

import anyio
import pytest

from clawswarm.config.model import Daemon, Limits
from clawswarm.errors import Busy
from clawswarm.store.connect import open_store
from clawswarm.store.jobs import Jobs
from clawswarm.types.jobs import JobStatus
from clawswarm.types.requests import RunOptions
from tests.clock import FakeClock
from tests.fakes.openai import FakeOpenAI
from tests.jobs.support import Gate, Place, numbered, prompt_of, until

pytestmark = pytest.mark.anyio


async def test_a_stop_lets_finish_what_is_in_flight_and_sends_nothing_new(place: Place) -> None:
    place.limits = Limits(max_nodes=4)
    gate = Gate(place.server)
    async with place.life() as life:
        job_id = await life.submit(numbered(10))
        await place.server.wait_calls(4)
        async with anyio.create_task_group() as group:
            group.start_soon(life.runner.stop, 60)
            await anyio.lowlevel.checkpoint()
            gate.open()
    assert place.job(job_id).status == "queued"
    assert place.stored(job_id) == {0, 1, 2, 3}
    assert set(place.flights(job_id).values()) == {(False, 0)}
    assert len(place.server.calls) == 4
    async with place.life() as life:
        page = await life.end(job_id)
    assert page.results == [f"echo: p{number}" for number in range(10)]
    assert place.asked == dict.fromkeys(numbered(10), 1)


async def test_what_a_stop_called_off_is_asked_again_and_was_no_crash(place: Place) -> None:
    place.limits = Limits(max_nodes=4)
    gate = Gate(place.server)
    async with place.life() as life:
        job_id = await life.submit(numbered(6))
    for _ in range(4):  # more often than a crash would be forgiven
        before = len(place.server.calls)
        async with place.life() as life:
            await place.server.wait_calls(before + 4)
            assert place.flying(job_id) == {0, 1, 2, 3}
            await life.runner.stop(0)
        assert set(place.flights(job_id).values()) == {(False, 0)}
    gate.open()
    async with place.life() as life:
        page = await life.end(job_id)
    assert page.job.successful == 6
    assert place.server.left >= 16


async def test_a_stop_waits_no_longer_than_its_grace(place: Place) -> None:
    Gate(place.server)
    async with place.life() as life:
        job_id = await life.submit(["a"])
        await place.server.wait_calls(1)
        await life.runner.stop(0.05)
        assert life.runner.unfinished == 0
        await place.server.wait_left(1)
    assert place.job(job_id).status == "queued"


async def test_a_process_that_is_stopping_takes_no_new_job_and_keeps_nobody_waiting(place: Place) -> None:
    Gate(place.server)
    async with place.life() as life:
        job_id = await life.submit(["a"])
        await place.server.wait_calls(1)
        async with anyio.create_task_group() as group:

            async def wait() -> None:
                assert not (await life.swarm.job(job_id, wait=60)).job.status.final
                group.cancel_scope.cancel()

            group.start_soon(wait)
            await anyio.lowlevel.checkpoint()
            group.start_soon(life.runner.stop, 60)
        with pytest.raises(Busy, match="stopping"):
            await life.submit(["b"])


async def test_jobs_that_were_left_go_on_in_their_order(place: Place) -> None:
    place.daemon = Daemon(running_jobs=1)
    gate = Gate(place.server)
    async with place.life() as life:
        ids = [await life.submit([f"job {number}"]) for number in range(3)]
        await life.runner.stop(0)
    place.server.calls.clear()
    gate.open()
    async with place.life() as life:
        for job_id in ids:
            await life.end(job_id)
    assert [prompt_of(seen) for seen in place.server.calls] == ["job 0", "job 1", "job 2"]


async def test_the_time_of_a_job_is_that_of_all_its_lives(place: Place, clock: FakeClock) -> None:
    gate = Gate(place.server)
    async with place.life(clock) as life:
        job_id = await life.submit(["a", "b"])
        await place.server.wait_calls(2)
        clock.advance(10)
        gate.open("a")
        await life.until(job_id, lambda job: job.done == 1)
    clock.advance(1000)
    async with place.life(clock) as life:
        await place.server.wait_calls(3)
        clock.advance(5)
        gate.open()
        page = await life.end(job_id)
    assert page.whole is not None
    assert page.whole["stats"]["total_duration_ms"] == 15_000
    assert (page.job.ended or 0) - (page.job.started or 0) == 1015


async def test_an_old_job_is_forgotten_with_its_results(place: Place, clock: FakeClock) -> None:
    place.daemon = Daemon(keep_jobs_days=2)
    gate = Gate(place.server, closed={"open"})
    async with place.life(clock) as life:
        old = await life.submit(["a"])
        await life.end(old)
        unfinished = await life.submit(["open"])
        await place.server.wait_calls(2)
        clock.advance(86_400)
        newer = await life.submit(["b"])
        await life.end(newer)
    clock.advance(1.5 * 86_400)
    async with place.life(clock) as life:
        assert {job.id for job in await life.swarm.jobs()} == {unfinished, newer}
        gate.open()
        await life.end(unfinished)
    assert place.stored(old) == set()
    assert place.stored(newer) == {0}


async def test_a_job_that_was_cancelled_while_no_process_ran_is_not_taken_up(place: Place) -> None:
    gate = Gate(place.server)
    async with place.life() as life:
        job_id = await life.submit(["a"])
        await place.server.wait_calls(1)
    with open_store(place.memory / "swarm.db") as store:
        assert Jobs(store).set_status(job_id, JobStatus.CANCELLED, at=time.time())
    gate.open()
    async with place.life() as life:
        page = await life.end(job_id)
    assert page.items[0]["error"]["code"] == "cancelled"
    assert place.asked == {"a": 1}


async def test_a_queued_job_that_another_process_cancelled_is_not_begun(place: Place) -> None:
    place.daemon = Daemon(running_jobs=1)
    gate = Gate(place.server)
    async with place.life() as life:
        first, second = await life.submit(["first"]), await life.submit(["second"])
        await place.server.wait_calls(1)
        with open_store(place.memory / "swarm.db") as store:
            assert Jobs(store).set_status(second, JobStatus.CANCELLED, at=time.time())
        gate.open()
        await life.end(first)
        await life.end(second)
    assert place.asked == {"first": 1}


async def test_a_job_whose_key_is_gone_fails_with_the_reason_in_each_of_its_places(place: Place) -> None:
    async with FakeOpenAI("groq") as groq:
        place.environ = {"GROQ_API_KEY": "test-key", "GROQ_BASE_URL": groq.base_url}
        Gate(groq)
        async with place.life() as life:
            job_id = await life.submit(numbered(3), RunOptions(provider="groq"))
            await groq.wait_calls(3)
    place.environ = {}
    async with place.life() as life:
        page = await life.end(job_id)
    assert (page.job.status, page.job.done) == ("failed", 0)
    assert page.job.error is not None
    assert page.job.error.code == "not_configured"
    assert [item["error"] for item in page.items] == [page.job.error.as_json()] * 3


async def test_a_crash_in_the_middle_asks_again_only_what_has_no_result(place: Place) -> None:
    place.limits = Limits(max_nodes=4)
    gate = Gate(place.server)
    async with place.life() as life:
        job_id = await life.submit(numbered(12))
        await place.server.wait_calls(4)
        gate.open("p0", "p2", "p3")
        await place.server.wait_calls(7)
        # Marked as many at a time as run at once: p7 is, and waits for a worker.
        await until(lambda: place.stored(job_id) == {0, 2, 3} and place.flying(job_id) == {1, 4, 5, 6, 7})
        after = place.as_a_kill_leaves_it("after")
    place.server.calls.clear()
    gate.open()
    async with after.life() as life:
        page = await life.end(job_id)
    assert page.results == [f"echo: p{number}" for number in range(12)]
    assert place.asked == dict.fromkeys(["p1", *(f"p{number}" for number in range(4, 12))], 1)
