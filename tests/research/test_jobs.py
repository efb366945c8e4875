"""A research as a job: it is paged, it outlives its process, and nothing stored is asked about again."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from typing import Any

import anyio
import pytest

from clawswarm.access.local import LocalSwarm, open_local
from clawswarm.errors import NotConfigured
from clawswarm.modes.jobs import JobRunner
from clawswarm.types.jobs import JobPage, JobStatus
from clawswarm.types.wire import subject_result
from tests.fakes.behaviours import Behaviour, Hang, Say
from tests.research.support import PATIENCE, Question, World, reads, request_of, words

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def life(world: World) -> AsyncGenerator[tuple[LocalSwarm, JobRunner]]:
    """A process that works on jobs."""
    with anyio.fail_after(PATIENCE):
        async with open_local(world.settings, world.environ) as swarm, swarm.working_on_jobs() as runner:
            yield swarm, runner


async def submitted(swarm: LocalSwarm, *subjects: str, **options: Any) -> str:
    return (await swarm.submit(request_of(*subjects, **options))).id


async def ended(swarm: LocalSwarm, job_id: str) -> JobPage:
    page = await swarm.job(job_id, wait=PATIENCE)
    assert page.job.status.final, page.job
    return page


def crashed(world: World, job_id: str, position: int, times: int) -> None:
    """A subject was in flight at so many crashes, as the store of the dead process says."""
    with closing(sqlite3.connect(world.home / "memory" / "swarm.db")) as store, store:
        query = "INSERT OR REPLACE INTO job_flights (job, position, flying, crashes) VALUES (?, ?, 0, ?)"
        store.execute(query, (job_id, position, times))


async def cut_off(world: World, *subjects: str, hangs: str, **options: Any) -> str:
    """A job whose process ended while it waited for the analysis of `hangs`; all others are stored."""

    def answer(question: Question) -> Behaviour:
        return Hang() if not question.compares and question.subject == hangs else reads(question)

    world.answer = answer
    async with life(world) as (swarm, runner):
        job_id = await submitted(swarm, *subjects, **options)
        while (await swarm.job(job_id)).job.done < len(subjects) - 1:
            await anyio.lowlevel.checkpoint()
        await runner.stop(0)
    assert world.model.left == 1
    world.answer = reads
    return job_id


async def test_a_job_is_paged_and_has_a_report(world: World) -> None:
    names = [f"Firm-{number}" for number in range(5)]
    for name in names[:4]:
        world.knows(name, words(name))
    async with life(world) as (swarm, _):
        job_id = await submitted(swarm, *names, topic="age")
        whole = await ended(swarm, job_id)
        assert (whole.job.kind, whole.job.status, whole.job.title) == ("research", "complete", "age")
        assert (whole.job.done, whole.job.total, whole.job.successful, whole.job.failed) == (5, 5, 4, 1)
        items: list[Any] = []
        offset: int | None = 0
        while offset is not None:
            page = await swarm.job(job_id, offset=offset, limit=2)
            items += page.items
            assert len(page.items) <= 2
            offset = page.next_offset
        assert items == list(whole.items)
        assert [item["subject"] for item in items] == names
        assert [item["ok"] for item in items] == [True] * 4 + [False]
        assert whole.results == [*(f"About {name}." for name in names[:4]), None]
        assert whole.whole is not None
        assert whole.whole["comparison"] == "They differ."
        assert whole.whole["report"].startswith("# Research: age\n")
        assert whole.whole["stats"]["successful"] == 4
        assert (whole.whole["topic"], whole.whole["depth"], whole.whole["search"]) == (
            "age",
            "quick",
            "searxng",
        )
        assert "subjects" in whole.as_json()


async def test_the_stored_subjects_are_those_of_the_report(world: World) -> None:
    """Sources of a subject that could not be read are kept with it, not only shown."""
    world.knows("Good", words("Good"))
    world.finds("Dead", world.site.url("/dead"))
    async with life(world) as (swarm, _):
        page = await ended(swarm, await submitted(swarm, "Dead", "Good"))
    assert page.whole is not None
    for item in page.items:
        for source in subject_result(item).sources:
            assert f"- [{source.number}] [" in page.whole["report"]
    assert [len(item["sources"]) for item in page.items] == [1, 1]


async def test_a_job_goes_on_where_it_was_cut_off(world: World) -> None:
    names = [f"Firm-{number}" for number in range(4)]
    for number, name in enumerate(names):
        world.knows(name, words(name, number), words(name, number + 10))
    job_id = await cut_off(world, *names, hangs="Firm-1")
    asked = len(world.model.calls)
    async with life(world) as (swarm, _):
        page = await ended(swarm, job_id)
    assert [question.subject for question in world.questions[asked:-1]] == ["Firm-1"]
    assert world.questions[-1].compares
    assert page.job.successful == 4
    assert [item["analysis"] for item in page.items] == [f"About {name}." for name in names]
    numbers = [source["number"] for item in page.items for source in item["sources"]]
    assert len(numbers) == len(set(numbers)) == 8
    assert page.whole is not None
    stats = page.whole["stats"]
    assert stats["cost_usd"] == pytest.approx((4 * 140 + 70) / 10**6)  # pyright: ignore[reportUnknownMemberType]
    assert stats["input_tokens"] is None
    for name in names:
        assert f"## {name}\n\nAbout {name}.\n" in page.whole["report"]


async def test_a_cap_holds_over_the_lives_of_a_job(world: World) -> None:
    names = ["Firm-0", "Firm-1"]
    for name in names:
        world.knows(name, words(name))
    job_id = await cut_off(world, *names, hangs="Firm-1", max_spend=0.011)
    crashed(world, job_id, 1, 1)  # a call that nobody saw end may have cost as much as it could
    async with life(world) as (swarm, _):
        page = await ended(swarm, job_id)
    assert [item["ok"] for item in page.items] == [True, False]
    assert page.items[1]["error"]["code"] == "budget_exceeded"


async def test_a_subject_that_brings_the_process_down_is_parked(world: World) -> None:
    for name in ("Firm-0", "Firm-1", "Firm-2"):
        world.knows(name, words(name))
    job_id = await cut_off(world, "Firm-0", "Firm-1", "Firm-2", hangs="Firm-1")
    crashed(world, job_id, 1, 3)
    searched = len(world.search.calls)
    async with life(world) as (swarm, _):
        page = await ended(swarm, job_id)
    assert [item["ok"] for item in page.items] == [True, False, True]
    assert page.items[1]["error"]["code"] == "parked"
    assert page.items[1]["subject"] == "Firm-1"
    assert len(world.search.calls) == searched
    assert world.questions[-1].compares
    assert page.whole is not None
    assert "## Firm-1\n\n✗ it was in flight each time" in page.whole["report"]


async def test_suspects_are_researched_one_by_one_after_the_others(world: World) -> None:
    """So that at the next crash it is known whose fault it is."""
    names = [f"Firm-{number}" for number in range(5)]
    for name in names:
        world.knows(name, words(name))
    world.search.respond = lambda _: Hang()
    async with life(world) as (swarm, runner):
        job_id = await submitted(swarm, *names)
        await world.search.wait_in_flight(4)
        await runner.stop(0)
    world.search.respond = None
    for position in (0, 1, 3):
        crashed(world, job_id, position, 2)
    flying: list[int] = []

    def answer(question: Question) -> Behaviour:
        if not question.compares:
            flying.append(world.model.in_flight)
        return reads(question)

    world.answer = answer
    before = len(world.search.queries)
    async with life(world) as (swarm, _):
        page = await ended(swarm, job_id)
    assert page.job.successful == 5
    assert set(world.search.queries[before : before + 2]) == {"Firm-2", "Firm-4"}
    assert sorted(world.search.queries[before + 2 :]) == ["Firm-0", "Firm-1", "Firm-3"]
    assert flying[2:] == [1, 1, 1]
    assert sorted(world.asked) == names
    assert page.whole is not None
    assert page.whole["comparison"] == "They differ."


async def test_a_job_that_is_cancelled_closes_its_sockets(world: World) -> None:
    world.knows("Firm-0", words("Firm-0"))
    world.answer = lambda _: Hang()
    async with life(world) as (swarm, _):
        job_id = await submitted(swarm, "Firm-0", "Lost")
        await world.model.wait_in_flight(1)
        assert (await swarm.cancel(job_id)).status is JobStatus.CANCELLED
        await world.model.wait_left(1)
        page = await swarm.job(job_id)
    assert [item["error"]["code"] for item in page.items] == ["cancelled", "nothing_found"]
    assert page.whole is None


async def test_a_job_that_cannot_be_searched_for_is_refused_when_it_is_handed_over(world: World) -> None:
    world.sections["research"] = {"search": "brave"}
    async with life(world) as (swarm, _):
        with pytest.raises(NotConfigured, match="no key for search by brave"):
            await submitted(swarm, "Firm-0")
        assert await swarm.jobs() == []


async def test_several_researches_share_a_process(world: World) -> None:
    for number in range(6):
        world.knows(f"Firm-{number}", words(f"Firm-{number}"))
    world.answer = lambda question: Say(text="Compared.") if question.compares else reads(question)
    async with life(world) as (swarm, _):
        jobs = [await submitted(swarm, f"Firm-{number}", f"Firm-{number + 1}") for number in (0, 2, 4)]
        pages = [await ended(swarm, job_id) for job_id in jobs]
    for number, page in zip((0, 2, 4), pages, strict=True):
        assert page.results == [f"About Firm-{number}.", f"About Firm-{number + 1}."]
        assert [source["number"] for item in page.items for source in item["sources"]] == [1, 2]
