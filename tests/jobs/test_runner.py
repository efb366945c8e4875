"""Jobs in one life: in order, stored as they come, so many at once, cancelled."""

import anyio
import pytest

from clawswarm.config.model import Daemon, Limits
from clawswarm.errors import Busy, NotFound
from clawswarm.types.jobs import JobStatus
from clawswarm.types.requests import RunOptions
from clawswarm.types.task import Task
from tests.fakes.behaviours import Refuse, Say
from tests.jobs.support import Gate, Place, numbered, prompt_of

pytestmark = pytest.mark.anyio


async def test_a_job_asks_each_prompt_once_and_keeps_its_results_in_order(place: Place) -> None:
    async with place.life() as life:
        job_id = await life.submit(numbered(40))
        page = await life.end(job_id)
        [listed] = await life.swarm.jobs()
    assert page.job == listed
    assert (page.job.status, page.job.done, page.job.successful, page.job.failed) == ("complete", 40, 40, 0)
    assert page.results == [f"echo: p{number}" for number in range(40)]
    assert [item["index"] for item in page.items] == list(range(40))
    assert page.next_offset is None
    assert page.whole is not None
    assert page.whole["stats"]["successful"] == 40
    assert place.asked == dict.fromkeys(numbered(40), 1)
    assert page.job.created <= (page.job.started or 0) <= (page.job.ended or 0)
    assert place.flights(job_id) == {}


async def test_a_failed_task_is_a_result_and_the_job_is_complete(place: Place) -> None:
    place.server.respond = lambda seen: Refuse(400, "no") if prompt_of(seen) == "p1" else Say()
    async with place.life() as life:
        page = await life.end(await life.submit(numbered(3)))
    assert (page.job.status, page.job.successful, page.job.failed) == ("complete", 2, 1)
    assert page.results == ["echo: p0", None, "echo: p2"]
    assert page.items[1]["error"]["code"] == "bad_request"


async def test_a_result_is_stored_as_it_arrives_and_a_page_ends_before_the_first_that_is_missing(
    place: Place,
) -> None:
    gate = Gate(place.server)
    async with place.life() as life:
        job_id = await life.submit(numbered(3))
        await place.server.wait_calls(3)
        gate.open("p1")
        assert (await life.until(job_id, lambda job: job.done == 1)).status == "running"
        assert place.stored(job_id) == {1}
        page = await life.swarm.job(job_id)
        assert (page.items, page.next_offset) == ((), 0)
        gate.open("p0")
        await life.until(job_id, lambda job: job.done == 2)
        page = await life.swarm.job(job_id)
        assert (page.results, page.next_offset) == (["echo: p0", "echo: p1"], 2)
        gate.open("p2")
        await life.end(job_id)
        page = await life.swarm.job(job_id, offset=2)
        assert (page.results, page.next_offset) == (["echo: p2"], None)


async def test_what_a_result_carries_is_stored_with_it(place: Place) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    tasks = [Task(prompt="Ünïcode ✓ 😀", id="schlüssel 😀", schema=schema), Task(prompt="x" * 200_000)]
    async with place.life() as life:
        page = await life.end(await life.submit(tasks))
    first, second = page.items
    assert (first["id"], first["data"], first["ok"]) == ("schlüssel 😀", {"a": 0}, True)
    assert first["usage"]["input_tokens"] == 10
    assert first["cost_usd"] == pytest.approx(50e-6)  # pyright: ignore[reportUnknownMemberType]
    assert len(second["text"]) == 200_006
    assert page.job.title == "Ünïcode ✓ 😀"


async def test_options_of_the_job_hold_for_its_tasks(place: Place) -> None:
    place.server.latency = 0.02
    options = RunOptions(model="gpt-6-sol", concurrency=2)
    async with place.life() as life:
        page = await life.end(await life.submit(numbered(8), options))
    assert {item["model"] for item in page.items} == {"gpt-6-sol"}
    assert place.server.peak == 2


async def test_queued_jobs_wait_for_their_turn_and_run_in_order(place: Place) -> None:
    place.daemon = Daemon(running_jobs=1)
    gate = Gate(place.server)
    async with place.life() as life:
        ids = [await life.submit([f"job {number}"]) for number in range(4)]
        await place.server.wait_calls(1)
        assert [(await life.swarm.job(job_id)).job.status for job_id in ids] == ["running", *["queued"] * 3]
        assert life.runner.unfinished == 4
        gate.open()
        for job_id in ids:
            assert (await life.end(job_id)).job.status == "complete"
    assert [prompt_of(seen) for seen in place.server.calls] == [f"job {number}" for number in range(4)]


async def test_so_many_jobs_run_at_once(place: Place) -> None:
    place.daemon = Daemon(running_jobs=2)
    gate = Gate(place.server)
    async with place.life() as life:
        ids = [await life.submit([f"job {number}"]) for number in range(3)]
        await place.server.wait_calls(2)
        gate.open("job 1")
        await life.end(ids[1])
        await place.server.wait_calls(3)
        assert (await life.swarm.job(ids[2])).job.status == "running"
        gate.open()
        for job_id in ids:
            await life.end(job_id)


async def test_too_many_unfinished_jobs_are_refused_and_say_when_to_come_back(place: Place) -> None:
    place.daemon = Daemon(max_jobs=2, running_jobs=1)
    gate = Gate(place.server)
    async with place.life() as life:
        ids = [await life.submit(["one"]), await life.submit(["two"])]
        with pytest.raises(Busy, match="2 unfinished jobs") as told:
            await life.submit(["three"])
        assert "swarm jobs cancel" in (told.value.hint or "")
        assert told.value.retry_after == 10
        await life.swarm.cancel(ids[1])
        third = await life.submit(["three"])
        gate.open()
        assert (await life.end(third)).job.status == "complete"
        assert len(await life.swarm.jobs()) == 3


async def test_a_running_job_that_is_cancelled_closes_its_calls_and_keeps_what_it_has(place: Place) -> None:
    place.limits = Limits(max_nodes=3)
    gate = Gate(place.server)
    tasks = [Task(prompt=prompt, id=f"id of {prompt}") for prompt in numbered(5)]
    async with place.life() as life:
        job_id = await life.submit(tasks)
        await place.server.wait_calls(3)
        gate.open("p1")
        await place.server.wait_calls(4)
        await life.until(job_id, lambda job: job.done == 1)
        job = await life.swarm.cancel(job_id)
        await place.server.wait_left(3)
        assert (job.status, job.done, job.ended is not None) == ("cancelled", 1, True)
        page = await life.swarm.job(job_id)
        assert await life.swarm.cancel(job_id) == job
    assert page.results == [None, "echo: p1", None, None, None]
    assert [item["index"] for item in page.items] == [0, 1, 2, 3, 4]
    assert [item["id"] for item in page.items] == [f"id of p{number}" for number in range(5)]
    assert {item["error"]["code"] for item in page.items if item["error"]} == {"cancelled"}
    assert page.next_offset is None
    assert page.whole is None
    assert len(place.server.calls) == 4
    assert place.flights(job_id) == {}


async def test_a_queued_job_that_is_cancelled_is_never_asked(place: Place) -> None:
    place.daemon = Daemon(running_jobs=1)
    gate = Gate(place.server)
    async with place.life() as life:
        first, second = await life.submit(["first"]), await life.submit(["second"])
        await place.server.wait_calls(1)
        assert (await life.swarm.cancel(second)).status == "cancelled"
        gate.open()
        await life.end(first)
    async with place.life() as life:
        assert life.runner.unfinished == 0
    assert place.asked == {"first": 1}


async def test_a_finished_job_stays_as_it_is_when_it_is_cancelled(place: Place) -> None:
    async with place.life() as life:
        job_id = await life.submit(["a"])
        job = (await life.end(job_id)).job
        assert await life.swarm.cancel(job_id) == job


async def test_an_unknown_job_is_not_found(place: Place) -> None:
    async with place.life() as life:
        with pytest.raises(NotFound, match="no job 'job-none'"):
            await life.swarm.job("job-none", wait=1)
        with pytest.raises(NotFound, match="no job 'job-none'"):
            await life.swarm.cancel("job-none")


async def test_those_who_wait_are_told_when_a_job_is_cancelled(place: Place) -> None:
    Gate(place.server)
    seen: list[JobStatus] = []
    async with place.life() as life:
        job_id = await life.submit(["a"])
        await place.server.wait_calls(1)

        async def wait() -> None:
            seen.append((await life.end(job_id)).job.status)

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            group.start_soon(wait)
            await anyio.lowlevel.checkpoint()
            await life.swarm.cancel(job_id)
    assert seen == [JobStatus.CANCELLED] * 2
