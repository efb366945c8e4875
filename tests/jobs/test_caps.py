"""The cap of a job holds over crashes: stored costs and lost calls are counted against it."""

from decimal import Decimal

import pytest

from clawswarm.config.model import Limits
from clawswarm.types.requests import RunOptions
from clawswarm.types.task import Task
from tests.fakes.behaviours import Cut, Refuse, Say
from tests.jobs.support import Gate, Life, Place, numbered, prompt_of, until

pytestmark = pytest.mark.anyio

SAY = Say(input_tokens=70, output_tokens=20)
PRICE = 70 * 1_000_000 + 20 * 2_000_000
"""Picodollars of an answered call."""

CAP = 4_000_000_000
OPTIONS = RunOptions(max_spend=Decimal("0.004"), concurrency=1)


def worst(life: Life) -> int:
    """Picodollars that one call may cost."""
    return life.swarm.engine.worst_cost(Task(prompt="p1"))


async def test_without_a_crash_a_job_spends_its_cap_and_no_more(place: Place) -> None:
    place.server.respond = lambda _: SAY
    async with place.life() as life:
        page = await life.end(await life.submit(numbered(60), OPTIONS))
        assert CAP - worst(life) < len(place.server.calls) * PRICE <= CAP
    assert page.job.status == "complete"
    assert page.job.successful == len(place.server.calls)
    codes = {item["error"]["code"] for item in page.items if item["error"]}
    assert codes == {"budget_exceeded"}


async def test_a_call_that_was_lost_in_a_crash_counts_as_spent(place: Place) -> None:
    gate = Gate(place.server, say=SAY)
    here, lost = place, 0
    async with here.life() as life:
        job_id = await life.submit(numbered(60), OPTIONS)
        await place.server.wait_calls(1)
        await until(lambda: place.flying(job_id) == {0})
        here = here.as_a_kill_leaves_it("life 1")
        lost = worst(life)
    before = len(place.server.calls)
    gate.closed = {"p9"}
    gate.open("p0")
    async with here.life() as life:
        await place.server.wait_calls(before + 10)
        await life.until(job_id, lambda job: job.done == 9)
        here = here.as_a_kill_leaves_it("life 2")
    gate.open()
    async with here.life() as life:
        page = await life.end(job_id)
    spent = page.job.successful * PRICE
    assert CAP - lost < spent + 2 * lost <= CAP
    assert page.items[9]["ok"]


async def test_a_stored_result_of_unknown_cost_counts_as_dear_as_it_may_have_been(place: Place) -> None:
    place.limits = Limits(max_nodes=1, max_retries=1)
    gate = Gate(place.server, closed={"p3"}, say=SAY)
    held = place.server.respond
    assert held is not None
    place.server.respond = lambda seen: Cut(20, SAY) if prompt_of(seen) == "p0" else held(seen)
    async with place.life() as life:
        job_id = await life.submit(numbered(60), OPTIONS)
        await place.server.wait_calls(5)
        await life.until(job_id, lambda job: job.done == 3)
        after = place.as_a_kill_leaves_it("after")
        lost = worst(life)
    assert place.asked["p0"] == 2
    gate.open()
    async with after.life() as life:
        page = await life.end(job_id)
    assert page.items[0]["cost_usd"] is None
    assert CAP - lost < page.job.successful * PRICE + 3 * lost <= CAP


async def test_a_call_that_was_refused_costs_nothing(place: Place) -> None:
    gate = Gate(place.server, closed={"p3"}, say=SAY)
    held = place.server.respond
    assert held is not None
    place.server.respond = lambda seen: Refuse(400, "no") if prompt_of(seen) == "p0" else held(seen)
    async with place.life() as life:
        job_id = await life.submit(numbered(60), OPTIONS)
        await place.server.wait_calls(4)
        await life.until(job_id, lambda job: job.done == 3)
        after = place.as_a_kill_leaves_it("after")
        lost = worst(life)
    gate.open()
    async with after.life() as life:
        page = await life.end(job_id)
    assert CAP - lost < page.job.successful * PRICE + lost <= CAP
