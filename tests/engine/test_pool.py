"""Many tasks at once: each has its result once, nothing is left behind, memory stays flat."""

from collections.abc import AsyncIterator, Callable, Iterator

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawswarm.engine.pool import Source, open_batch
from clawswarm.errors import TaskError
from clawswarm.types.result import TaskResult
from clawswarm.types.task import Task
from tests.clock import FakeClock
from tests.engine.support import Model, backend, code_of, engine_on, error, hang, limits, refused, run, tasks

pytestmark = pytest.mark.anyio

FATES = {
    "fine": None,
    "bad": error("bad_request", retryable=False),
    "busy": error("overloaded"),
    "limited": refused(after=3),
    "lost": error("connection_failed", billed=None),
    "odd": KeyError("choices"),
}


def fated(fates: list[str]) -> Model:
    """Calls share out these fates, in order; what is left over is fine."""

    async def act(task: Task, call: int) -> None:
        fate = FATES[fates[call - 1]] if call <= len(fates) else None
        if isinstance(fate, TaskError):
            raise TaskError(fate.code, fate.message, retryable=fate.retryable, retry_after=fate.retry_after)
        if fate is not None:
            raise fate

    return Model(act)


@settings(max_examples=60)
@given(
    number=st.integers(0, 40),
    nodes=st.integers(1, 12),
    slots=st.integers(1, 6),
    fates=st.lists(st.sampled_from(sorted(FATES)), max_size=60),
)
async def test_every_task_has_exactly_one_result_whatever_fails(
    number: int, nodes: int, slots: int, fates: list[str]
) -> None:
    clock = FakeClock()
    chosen = limits(max_nodes=nodes)
    async with (
        engine_on(backend(fated(fates), slots=slots), clock=clock, settings=chosen) as engine,
        clock.auto(),
        open_batch(engine, tasks(number)) as results,
    ):
        got = [result async for result in results]
        assert sorted(result.index for result in got) == list(range(number))
        assert all(result.ok is (result.error is None) for result in got)
        assert all(result.text == f"P{result.index}" for result in got if result.ok)


async def test_never_more_tasks_run_than_nodes(clock: FakeClock) -> None:
    model = Model()
    chosen = limits(max_nodes=5)
    async with engine_on(backend(model, slots=50), clock=clock, settings=chosen) as engine:
        await run(engine, tasks(40))
        assert model.peak == 5


async def test_batches_of_one_engine_share_its_nodes(clock: FakeClock) -> None:
    gate = anyio.Event()

    async def act(task: Task, call: int) -> None:
        await gate.wait()

    model = Model(act)
    chosen = limits(max_nodes=5)
    async with (
        engine_on(backend(model, slots=50), clock=clock, settings=chosen) as engine,
        anyio.create_task_group() as group,
    ):
        for _ in range(3):
            group.start_soon(run, engine, tasks(10))
        await clock.run_until_idle()
        assert model.in_flight == 5
        gate.set()
    assert model.calls == 30
    assert model.peak == 5


async def test_two_batches_at_once_never_mix(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> None:
        if "bad" in task.prompt:
            raise error("bad_request", retryable=False)

    async def batch(prefix: str, number: int) -> None:
        given = [Task(prompt=f"{prefix}{index}", id=f"{prefix}{index}") for index in range(number)]
        async with open_batch(engine, given) as results:
            seen[prefix] = [result async for result in results]

    seen: dict[str, list[TaskResult]] = {}
    async with (
        engine_on(backend(Model(act), slots=3), clock=clock) as engine,
        anyio.create_task_group() as group,
    ):
        for prefix, number in (("a", 30), ("bad", 20), ("c", 10)):
            group.start_soon(batch, prefix, number)
    for prefix, number in (("a", 30), ("bad", 20), ("c", 10)):
        assert {result.id for result in seen[prefix]} == {f"{prefix}{index}" for index in range(number)}
        assert {result.index for result in seen[prefix]} == set(range(number))
        assert all(result.ok is (prefix != "bad") for result in seen[prefix])


async def test_a_worker_that_is_done_takes_the_next_task_at_once(clock: FakeClock) -> None:
    """One slow task does not hold the others up: there are no rounds."""

    async def act(task: Task, call: int) -> None:
        if task.prompt == "p0":
            await anyio.sleep_forever()

    model = Model(act)
    async with engine_on(model, clock=clock, settings=limits(max_nodes=2)) as engine:
        async with open_batch(engine, tasks(50)) as results:
            for _ in range(49):
                assert (await results.receive()).ok
        assert model.cancelled == 1
    assert clock.elapsed == 0


class BrokenError(Exception):
    """What a test's source raises."""


def broken(number: int) -> Iterator[Task]:
    yield from tasks(number)
    raise BrokenError("no more")


async def broken_slowly(number: int) -> AsyncIterator[Task]:
    for task in tasks(number):
        await anyio.lowlevel.checkpoint()
        yield task
    raise BrokenError("no more")


@pytest.mark.parametrize("source", [broken, broken_slowly])
@pytest.mark.parametrize("number", [0, 1, 7])
async def test_a_source_that_fails_does_so_after_the_tasks_before_it(
    clock: FakeClock, source: Callable[[int], Source], number: int
) -> None:
    given: Source = source(number)
    got: list[TaskResult] = []
    async with engine_on(Model(), clock=clock, settings=limits(max_nodes=4)) as engine:
        with pytest.raises(BrokenError):
            async with open_batch(engine, given) as results:
                got.extend([result async for result in results])
    assert sorted(result.index for result in got) == list(range(number))
    assert all(result.ok for result in got)


async def test_a_source_may_be_asynchronous(clock: FakeClock) -> None:
    async def source() -> AsyncIterator[Task]:
        for task in tasks(30):
            await anyio.lowlevel.checkpoint()
            yield task

    async with engine_on(Model(), clock=clock, settings=limits(max_nodes=4)) as engine:
        async with open_batch(engine, source()) as results:
            got = [result async for result in results]
        assert sorted(result.index for result in got) == list(range(30))


async def test_leaving_early_cancels_the_calls_and_nothing_appears_afterwards(clock: FakeClock) -> None:
    async def act(task: Task, call: int) -> None:
        if call > 2:
            await anyio.sleep_forever()

    model = Model(act)
    async with engine_on(model, clock=clock, settings=limits(max_nodes=4)) as engine:
        async with open_batch(engine, tasks(1000)) as results:
            await results.receive()
        assert model.in_flight == 0
        assert model.cancelled > 0
        calls = model.calls
        await clock.settle()
        assert model.calls == calls
        with pytest.raises(anyio.ClosedResourceError):
            await results.receive()


async def test_leaving_before_anything_has_run_leaves_nothing_open(clock: FakeClock) -> None:
    """Also no stream: an unclosed one would be a warning, and so an error of this test."""
    model = Model(hang)
    async with engine_on(model, clock=clock) as engine:
        async with open_batch(engine, tasks(10)):
            pass
        assert model.in_flight == 0


async def test_an_error_of_the_consumer_cancels_the_batch_and_comes_out_as_itself(clock: FakeClock) -> None:
    model = Model(hang)
    async with engine_on(model, clock=clock) as engine:
        with pytest.raises(BrokenError):  # noqa: PT012 - the block itself is what raises
            async with open_batch(engine, tasks(10)):
                await clock.run_until_idle()
                raise BrokenError
        assert model.cancelled == 10
        assert model.in_flight == 0


async def test_an_endless_source_is_read_only_as_far_as_results_are_taken(clock: FakeClock) -> None:
    pulled = 0

    def endless() -> Iterator[Task]:
        nonlocal pulled
        while True:
            pulled += 1
            yield Task(prompt=f"p{pulled}")

    async with (
        engine_on(Model(), clock=clock, settings=limits(max_nodes=8)) as engine,
        open_batch(engine, endless()) as results,
    ):
        for taken in range(1, 101):
            await results.receive()
            await clock.run_until_idle()
            assert pulled <= taken + 4 * 8
    assert pulled >= 100


async def test_a_batch_without_tasks_ends_at_once(clock: FakeClock) -> None:
    async with engine_on(Model(), clock=clock) as engine:
        assert await run(engine, []) == ()


@pytest.mark.parametrize("prompt", ["", "  \n"])
async def test_an_empty_prompt_is_an_error_of_its_task_alone(clock: FakeClock, prompt: str) -> None:
    model = Model()
    async with engine_on(model, clock=clock) as engine:
        results = await run(engine, [Task(prompt="a"), Task(prompt=prompt), Task(prompt="b")])
    assert [code_of(result) for result in results] == [None, "bad_request", None]
    assert model.calls == 2


@pytest.mark.parametrize(
    "task",
    [
        Task(prompt="p", schema={"type": "objekt"}),
        Task(prompt="half a \ud800 character"),
        Task(prompt="p", system="\udfff"),
    ],
)
@pytest.mark.parametrize("cached", [True, False])
async def test_a_task_that_cannot_be_sent_fails_alone(clock: FakeClock, task: Task, cached: bool) -> None:
    chosen = limits()
    if cached:
        chosen = chosen.model_copy(update={"cache": chosen.cache.model_copy(update={"enabled": True})})
    model = Model()
    async with engine_on(model, clock=clock, settings=chosen) as engine:
        results = await run(engine, [Task(prompt="a"), task, Task(prompt="b")])
    assert [code_of(result) for result in results] == [None, "bad_request", None]
    assert model.calls == 2
