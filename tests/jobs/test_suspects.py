"""What was in flight at two crashes is asked while no other suspect is; at three it is parked."""

from collections.abc import Iterable

import pytest

from clawswarm.config.model import Limits
from tests.jobs.support import Gate, Place, numbered, until

pytestmark = pytest.mark.anyio


async def crashes(place: Place, flying: dict[str, set[int]], times: int) -> Place:
    """Lives that end with a kill while just these tasks are in flight, of each job."""
    for _ in range(times):
        before = len(place.server.calls)
        async with place.life():
            await place.server.wait_calls(before + sum(map(len, flying.values())))
            for job_id, positions in flying.items():
                assert place.flying(job_id) == positions
            place = place.as_a_kill_leaves_it(f"{place.memory.name}+")
    return place


async def unsubmitted(place: Place, *jobs: list[str]) -> list[str]:
    """Jobs that were accepted and then called off before anything of them was done."""
    async with place.life() as life:
        ids = [await life.submit(prompts) for prompts in jobs]
        await life.runner.stop(0)
    return ids


def crash_counts(place: Place, job_id: str) -> dict[int, int]:
    return {position: count for position, (_, count) in place.flights(job_id).items() if count}


async def test_each_crash_is_counted_once_for_what_was_in_flight(place: Place) -> None:
    place.limits = Limits(max_nodes=3)
    Gate(place.server)
    [job_id] = await unsubmitted(place, numbered(5))
    after = await crashes(place, {job_id: {0, 1, 2}}, 1)
    async with after.life():
        assert crash_counts(after, job_id) == {0: 1, 1: 1, 2: 1}
    async with after.life():
        assert crash_counts(after, job_id) == {0: 1, 1: 1, 2: 1}  # that life ended in order


async def test_a_crash_before_anything_was_sent_is_held_against_nobody(place: Place) -> None:
    place.limits = Limits(max_nodes=3)
    gate = Gate(place.server)
    [job_id] = await unsubmitted(place, numbered(5))
    for number in range(4):
        place = place.as_a_kill_leaves_it(f"copy {number}")
    gate.open()
    async with place.life() as life:
        page = await life.end(job_id)
    assert page.job.successful == 5


async def test_suspects_are_asked_one_by_one_after_all_others(place: Place) -> None:
    place.limits = Limits(max_nodes=4)
    gate = Gate(place.server)
    [job_id] = await unsubmitted(place, numbered(10))
    after = await crashes(place, {job_id: {0, 1, 2, 3}}, 2)
    place.server.calls.clear()
    gate.closed = set(numbered(4))
    async with after.life() as life:
        await life.until(job_id, lambda job: job.done == 6)
        await until(lambda: after.flying(job_id) == {0})
        assert after.stored(job_id) == set(range(4, 10))
        for number in range(4):
            await place.server.wait_calls(7 + number)
            await until(lambda number=number: after.flying(job_id) == {number})
            gate.open(f"p{number}")
        page = await life.end(job_id)
    assert page.results == [f"echo: p{number}" for number in range(10)]
    assert place.asked == dict.fromkeys(numbered(10), 1)


async def test_suspects_of_several_jobs_are_not_asked_beside_each_other(place: Place) -> None:
    place.limits = Limits(max_nodes=8)
    gate = Gate(place.server)
    first, second = await unsubmitted(place, numbered(2), ["q0", "q1"])
    after = await crashes(place, {first: {0, 1}, second: {0, 1}}, 2)
    place.server.calls.clear()
    async with after.life() as life:
        for _ in range(4):
            await place.server.wait_in_flight(1)
            await until(lambda: len(after.flying(first)) + len(after.flying(second)) == 1)
            [prompt] = _in_flight(after, {first: "p", second: "q"})
            gate.open(prompt)
            await place.server.wait_until(lambda prompt=prompt: place.asked[prompt] == 1)
            await until(lambda prompt=prompt: prompt not in _in_flight(after, {first: "p", second: "q"}))
        assert (await life.end(first)).job.successful == 2
        assert (await life.end(second)).job.successful == 2


def _in_flight(place: Place, jobs: dict[str, str]) -> Iterable[str]:
    return [f"{name}{position}" for job_id, name in jobs.items() for position in place.flying(job_id)]


async def test_after_a_third_crash_exactly_the_culprit_is_parked_and_the_rest_goes_on(place: Place) -> None:
    place.limits = Limits(max_nodes=4)
    gate = Gate(place.server)
    [job_id] = await unsubmitted(place, numbered(12))
    after = await crashes(place, {job_id: {0, 1, 2, 3}}, 2)
    gate.closed = {"p2"}  # whenever it is asked, the process dies
    gate.open("p0", "p1", "p3")
    async with after.life() as life:
        await life.until(job_id, lambda job: job.done == 10)  # p3 waits behind p2
        await place.server.wait_until(lambda: place.asked["p2"] == 3)
        assert after.flying(job_id) == {2}
        after = after.as_a_kill_leaves_it("third")
    asked = place.asked["p2"]
    async with after.life() as life:
        page = await life.end(job_id)
    assert place.asked["p2"] == asked == 3
    assert (page.job.status, page.job.successful, page.job.failed) == ("complete", 11, 1)
    assert [item["index"] for item in page.items if not item["ok"]] == [2]
    parked = page.items[2]["error"]
    assert parked["code"] == "parked"
    assert "3 times" in parked["message"]
    assert "swarm logs" in parked["hint"]
    assert not parked["retryable"]
    assert page.whole is not None
    assert page.whole["stats"]["failed"] == 1
