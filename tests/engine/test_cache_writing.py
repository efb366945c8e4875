"""Answers are written behind: some hundreds at a time, and at the end of a batch."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from clawswarm.config.model import Cache, Settings
from clawswarm.engine.answers import open_answers
from clawswarm.engine.deadline import Deadline
from clawswarm.engine.pool import open_batch
from clawswarm.store.answers import Answers
from clawswarm.store.connect import Store, open_store
from clawswarm.types.result import Reply
from clawswarm.types.task import Task
from tests.clock import FakeClock
from tests.engine.support import Model, engine_on, run, say, tasks

pytestmark = pytest.mark.anyio

CACHING = Settings(cache=Cache())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "swarm.db") as store:
        yield store


async def test_answers_are_written_at_the_end_of_a_batch(clock: FakeClock, store: Store) -> None:
    async with engine_on(Model(), clock=clock, settings=CACHING, store=store) as engine:
        await run(engine, tasks(10))
        assert Answers(store).size().answers == 10


async def test_answers_of_a_long_batch_are_written_on_the_way_and_none_is_lost(
    clock: FakeClock, store: Store
) -> None:
    """Also none that comes in while others are being written."""
    written: list[int] = []

    async def act(task: Task, call: int) -> None:
        if call % 100 == 0:
            written.append(Answers(store).size().answers)

    async with engine_on(Model(act), clock=clock, settings=CACHING, store=store) as engine:
        await run(engine, tasks(1000))
    assert written[-1] >= 256
    assert written[1] == 0
    assert Answers(store).size().answers == 1000


async def test_a_batch_that_was_written_on_the_way_is_trimmed_at_its_end(
    clock: FakeClock, store: Store
) -> None:
    async def act(task: Task, call: int) -> Reply:
        return say("x" * 1000)

    async with engine_on(
        Model(act), clock=clock, settings=Settings(cache=Cache(max_mb=0.05)), store=store
    ) as engine:
        await run(engine, tasks(256))
        await run(engine, tasks(0))
    assert Answers(store).size().bytes <= 50_000


async def test_a_batch_that_is_cancelled_keeps_the_answers_it_has(clock: FakeClock, store: Store) -> None:
    async with (
        engine_on(Model(), clock=clock, settings=CACHING, store=store) as engine,
        open_batch(engine, tasks(100)) as results,
    ):
        await results.receive()
    assert Answers(store).size().answers >= 1


class SlowAnswers(Answers):
    """Answers on a disk that is slow to write."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.writing = threading.Event()
        self.go_on = threading.Event()

    def put(self, bodies: Mapping[bytes, bytes], *, at: float) -> None:
        begun = dict(bodies)
        self.writing.set()
        assert self.go_on.wait(4)
        super().put(begun, at=at)


async def test_an_answer_that_comes_while_others_are_written_is_written_next(
    clock: FakeClock, store: Store
) -> None:
    asked, gate, kept = anyio.Event(), anyio.Event(), anyio.Event()

    async def now() -> Reply:
        return say("first")

    async def later() -> Reply:
        asked.set()
        await gate.wait()
        return say("second")

    async def ask_later() -> None:
        await cache.get(b"2", later, Deadline(clock, 9))
        kept.set()

    answers = SlowAnswers(store)
    with anyio.fail_after(25):
        async with open_answers(answers, Cache(), clock) as cache, anyio.create_task_group() as group:
            await cache.get(b"1", now, Deadline(clock, 9))
            group.start_soon(ask_later)
            await asked.wait()
            group.start_soon(cache.flush)
            await anyio.to_thread.run_sync(answers.writing.wait, 4)
            gate.set()
            await kept.wait()
            answers.go_on.set()
    assert set(answers.get([b"1", b"2"], since=0)) == {b"1", b"2"}
