"""Jobs are the same through both ways in, wherever the process is that works on them."""

import anyio
import pytest

from clawswarm.types.jobs import Job
from clawswarm.types.requests import RunOptions
from clawswarm.types.task import Task
from tests.contract.ways import PATIENCE, Opened, Way, request
from tests.fakes.behaviours import Hang, Held, Refuse, Say
from tests.fakes.common import last_user_text
from tests.fakes.wire import Seen

pytestmark = pytest.mark.anyio

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def prompt_of(seen: Seen) -> str:
    return last_user_text(seen.json["messages"])


async def done(opened: Opened, job_id: str, count: int) -> Job:
    """The job once that many of its tasks are done."""
    while (job := (await opened.api.job(job_id, limit=1)).job).done < count:
        pass
    return job


async def test_a_job_that_is_handed_over_is_there_at_once(opened: Opened) -> None:
    opened.way.server.respond = lambda _: Hang()
    job = await opened.api.submit(request(["What is  AI?\n", "b"]))
    assert job.id.startswith("job-")
    assert (job.kind, job.total, job.done, job.successful, job.failed) == ("parallel", 2, 0, 0, 0)
    assert job.status in ("queued", "running")
    assert (job.ended, job.error, job.title) == (None, None, "What is AI?")
    [listed] = await opened.api.jobs()
    assert listed.id == job.id


async def test_the_results_of_a_job_are_those_of_a_batch(opened: Opened) -> None:
    opened.way.server.respond = lambda seen: Refuse(400, "no") if prompt_of(seen) == "bad" else Say()
    tasks = [
        Task(prompt="a", id="schlüssel 😀"),
        Task(prompt="bad"),
        Task(prompt="b", schema=SCHEMA),
        Task(prompt="x" * 500_000, system="Ü"),
    ]
    batch = await opened.batch(tasks, RunOptions(cache=False))
    job = await opened.api.submit(request(tasks, RunOptions(cache=False)))
    page = await opened.api.job(job.id, wait=PATIENCE)
    assert (page.job.status, page.job.done, page.job.failed) == ("complete", 4, 1)
    assert page.results == batch.results
    for item, task in zip(page.items, batch.tasks, strict=True):
        times = {"duration_ms": task.duration_ms, "queued_ms": task.queued_ms}
        assert {**item, **times} == task.as_json()
    assert page.whole is not None
    stats = batch.stats.as_json()
    for name in ("total", "successful", "failed", "input_tokens", "output_tokens", "cost_usd"):
        assert page.whole["stats"][name] == stats[name]


async def test_pages_hold_each_result_once_and_in_order(opened: Opened) -> None:
    job = await opened.api.submit(request([f"p{number}" for number in range(25)]))
    page = await opened.api.job(job.id, wait=PATIENCE, limit=10)
    found, offsets = list(page.results), [page.next_offset]
    while page.next_offset is not None:
        page = await opened.api.job(job.id, offset=page.next_offset, limit=10)
        found += page.results
        offsets.append(page.next_offset)
    assert found == [f"echo: p{number}" for number in range(25)]
    assert offsets == [10, 20, None]


async def test_a_wait_ends_with_its_time_or_with_the_job(opened: Opened) -> None:
    go = anyio.Event()
    opened.way.server.respond = lambda _: Held(go)
    job = await opened.api.submit(request(["a"]))
    page = await opened.api.job(job.id, wait=0.05)
    assert page.job.status in ("queued", "running")
    assert page.next_offset == 0
    await opened.way.server.wait_calls(1)

    async def wait() -> None:
        assert (await opened.api.job(job.id, wait=60)).results == ["echo: a"]

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        group.start_soon(wait)
        go.set()


async def test_what_is_there_can_be_read_while_the_rest_is_asked(opened: Opened) -> None:
    opened.way.server.respond = lambda seen: Hang() if prompt_of(seen) == "p2" else Say()
    job = await opened.api.submit(request([f"p{number}" for number in range(4)]))
    await done(opened, job.id, 3)
    page = await opened.api.job(job.id)
    assert (page.results, page.next_offset, page.whole) == (["echo: p0", "echo: p1"], 2, None)
    page = await opened.api.job(job.id, offset=3)
    assert (page.results, page.next_offset) == (["echo: p3"], 4)


async def test_a_cancelled_job_closes_its_calls_and_keeps_what_it_has(opened: Opened) -> None:
    opened.way.server.respond = lambda seen: Say() if prompt_of(seen) == "p1" else Hang()
    job = await opened.api.submit(request([f"p{number}" for number in range(3)]))
    await opened.way.server.wait_calls(3)
    await done(opened, job.id, 1)
    cancelled = await opened.api.cancel(job.id)
    await opened.way.server.wait_left(2)
    assert (cancelled.status, cancelled.done) == ("cancelled", 1)
    page = await opened.api.job(job.id, wait=60)
    assert page.job == cancelled == await opened.api.cancel(job.id)
    assert (page.results, page.next_offset, page.whole) == ([None, "echo: p1", None], None, None)
    assert [item["error"] and item["error"]["code"] for item in page.items] == [
        "cancelled", None, "cancelled",
    ]  # fmt: skip


async def test_jobs_are_listed_the_newest_first(opened: Opened) -> None:
    ids = [(await opened.api.submit(request([f"job {number}"]))).id for number in range(5)]
    for job_id in ids:
        await opened.api.job(job_id, wait=PATIENCE)
    jobs = await opened.api.jobs()
    assert [job.id for job in jobs] == ids[::-1]
    assert [job.title for job in await opened.api.jobs(limit=2)] == ["job 4", "job 3"]
    assert jobs[0] == (await opened.api.job(ids[-1])).job


async def test_options_of_a_job_hold(way: Way) -> None:
    way.settings = {"GROQ_API_KEY": "test-key"}
    way.groq.latency = 0.02
    options = RunOptions(provider="groq", model="openai/gpt-oss-20b", concurrency=2, cache=False)
    async with way.open() as opened:
        prompts = ["same"] * 3 + [f"p{number}" for number in range(5)]
        job = await opened.api.submit(request(prompts, options))
        page = await opened.api.job(job.id, wait=PATIENCE)
    assert {(item["provider"], item["model"]) for item in page.items} == {("groq", "openai/gpt-oss-20b")}
    assert (way.groq.peak, len(way.groq.calls), len(way.server.calls)) == (2, 8, 0)


async def test_a_job_outlives_the_way_in_through_which_it_was_made(way: Way) -> None:
    way.server.respond = lambda seen: Hang() if prompt_of(seen) == "p1" else Say()
    async with way.open() as opened:
        job = await opened.api.submit(request(["p0", "p1", "p2"]))
        await done(opened, job.id, 2)
    way.server.respond = None
    async with way.open() as opened:
        page = await opened.api.job(job.id, wait=PATIENCE)
    assert page.results == ["echo: p0", "echo: p1", "echo: p2"]
    assert sorted(prompt_of(seen) for seen in way.server.calls) == ["p0", "p1", "p1", "p2"]
