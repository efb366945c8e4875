"""A state directory that breaks while tasks run: they go on, the trouble is told, nothing hangs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clawswarm.config.model import Settings
from clawswarm.store.connect import Store, connect
from clawswarm.types.task import Task
from tests.clock import FakeClock
from tests.engine.support import Model, engine_on, run, tasks

pytestmark = pytest.mark.anyio


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = connect(tmp_path / "state" / "swarm.db")
    yield store
    store.close()


def drop_the_tables(store: Store) -> None:
    with store.write() as connection:
        for table in ("answers", "usage_days", "ledger_days", "ledger_leases"):
            connection.exec_driver_sql(f"DROP TABLE {table}")


def put_a_directory_in_its_place(store: Store) -> None:
    store.close()
    for path in store.path.parent.glob("swarm.db*"):
        path.unlink()
    store.path.mkdir()


def write_nonsense_over_it(store: Store) -> None:
    store.close()
    for path in store.path.parent.glob("swarm.db-*"):
        path.unlink()
    store.path.write_bytes(b"no database at all, " * 500)


def remove_the_folder(store: Store) -> None:
    store.close()
    for path in store.path.parent.iterdir():
        path.unlink()
    store.path.parent.rmdir()


BREAKS = [drop_the_tables, put_a_directory_in_its_place, write_nonsense_over_it, remove_the_folder]


@pytest.mark.parametrize("break_it", BREAKS)
@pytest.mark.parametrize("at_call", [1, 15, 40])
async def test_tasks_go_on_and_the_trouble_is_told(
    clock: FakeClock, store: Store, break_it: Callable[[Store], None], at_call: int
) -> None:
    async def act(task: Task, call: int) -> None:
        if call == at_call:
            break_it(store)

    model = Model(act)
    async with engine_on(model, clock=clock, settings=Settings(), store=store) as engine:
        results = await run(engine, tasks(40))
        assert all(result.ok for result in results)
        assert model.calls == 40
        assert engine.troubles
        assert all(str(store.path.parent) in trouble for trouble in engine.troubles)
        again = await run(engine, tasks(40))  # nothing was kept, nothing is looked up
        assert all(result.ok for result in again)


@pytest.mark.parametrize("break_it", BREAKS)
async def test_a_store_that_is_broken_from_the_start_holds_nobody_up(
    clock: FakeClock, store: Store, break_it: Callable[[Store], None]
) -> None:
    break_it(store)
    async with engine_on(Model(), clock=clock, settings=Settings(), store=store) as engine:
        results = await run(engine, tasks(40))
        assert all(result.ok for result in results)
        assert engine.troubles


async def test_a_store_that_works_is_no_trouble(clock: FakeClock, store: Store) -> None:
    async with engine_on(Model(), clock=clock, settings=Settings(), store=store) as engine:
        await run(engine, tasks(40))
        assert engine.troubles == []


async def test_without_a_store_identical_prompts_in_flight_are_still_sent_once(clock: FakeClock) -> None:
    model = Model()
    async with engine_on(model, clock=clock, settings=Settings()) as engine:
        await run(engine, [Task(prompt="p")] * 16)
        assert model.calls == 1
        assert engine.troubles == []
