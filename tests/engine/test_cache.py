"""Answers that are kept: when they are used, for how long, how many, and what their results say."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clawswarm.config.model import Cache, Settings
from clawswarm.store.answers import Answers
from clawswarm.store.connect import Store, open_store
from clawswarm.store.ledger import Ledger
from clawswarm.types.result import NO_USAGE, Reply
from clawswarm.types.task import Task
from tests.clock import FakeClock
from tests.engine.support import (
    PRICED,
    Model,
    backend,
    code_of,
    engine_on,
    error,
    failing,
    run,
    run_one,
    say,
)

pytestmark = pytest.mark.anyio

TASK = Task(prompt="p")
CACHING = Settings(cache=Cache())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "swarm.db") as store:
        yield store


def caching(**values: Any) -> Settings:
    return Settings(cache=Cache(**values))


async def ask(
    asked: Model, clock: FakeClock, store: Store, *given: Task, settings: Settings = CACHING, **fields: Any
) -> list[tuple[bool, str | None]]:
    """Ask in an engine of its own; for each task, whether its answer was kept, and the text."""
    async with engine_on(backend(asked, **fields), clock=clock, settings=settings, store=store) as engine:
        return [(result.cached, result.text) for result in await run(engine, given or [TASK])]


async def test_a_kept_answer_is_the_same_and_costs_nothing(clock: FakeClock, store: Store) -> None:
    model = Model()
    async with engine_on(backend(model, prices=PRICED), clock=clock, settings=CACHING, store=store) as engine:
        asked = await run_one(engine, Task(prompt="p", id="first"))
        kept = await run_one(engine, Task(prompt="p", id="second"))
    assert (asked.cached, asked.attempts) == (False, 1)
    assert (kept.cached, kept.attempts, kept.cost_pico, kept.usage) == (True, 0, 0, NO_USAGE)
    assert (kept.text, kept.model, kept.finish_reason) == (asked.text, asked.model, asked.finish_reason)
    assert (kept.id, kept.provider) == ("second", "demo")
    assert model.calls == 1


async def test_an_answer_is_kept_from_one_run_to_the_next(clock: FakeClock, store: Store) -> None:
    model = Model()
    assert await ask(model, clock, store) == [(False, "P")]
    assert await ask(model, clock, store) == [(True, "P")]
    assert model.calls == 1


async def test_a_kept_answer_to_a_schema_is_data_again(clock: FakeClock, store: Store) -> None:
    async def act(task: Task, call: int) -> Reply:
        return say('```json\n{"n": 1}\n```')

    task = Task(prompt="p", schema={"required": ["n"]})
    for cached in (False, True):
        async with engine_on(Model(act), clock=clock, settings=CACHING, store=store) as engine:
            result = await run_one(engine, task)
            assert (result.data, result.cached) == ({"n": 1}, cached)


@pytest.mark.parametrize(
    ("changes", "options", "kept"),
    [
        ({}, {}, True),
        ({"temperature": 0.0}, {}, True),
        ({"temperature": 0.7}, {}, False),
        ({"temperature": 0.7, "seed": 4}, {}, True),
        ({"cache": False}, {}, False),
        ({}, {"caches": False}, False),  # a temperature above 0 is configured
        ({"temperature": 0.0}, {"caches": False}, True),
        ({"seed": 4}, {"caches": False}, True),
    ],
)
async def test_answers_that_are_to_vary_are_not_kept(
    clock: FakeClock, store: Store, changes: dict[str, Any], options: dict[str, Any], kept: bool
) -> None:
    model = Model()
    task = replace(TASK, **changes)
    await ask(model, clock, store, task, **options)
    assert await ask(model, clock, store, task, **options) == [(kept, "P")]
    assert model.calls == (1 if kept else 2)


async def test_without_a_cache_every_prompt_is_asked(clock: FakeClock, store: Store) -> None:
    model = Model()
    assert await ask(model, clock, store, TASK, TASK, settings=caching(enabled=False)) == [(False, "P")] * 2
    assert await ask(model, clock, store, settings=caching(enabled=False)) == [(False, "P")]
    assert model.calls == 3


async def test_an_answer_is_good_for_its_time_and_no_longer(clock: FakeClock, store: Store) -> None:
    model = Model()
    await ask(model, clock, store, settings=caching(ttl_hours=2))
    clock.advance(2 * 3600 - 1)
    assert await ask(model, clock, store, settings=caching(ttl_hours=2)) == [(True, "P")]
    clock.advance(2)
    assert await ask(model, clock, store, settings=caching(ttl_hours=2)) == [(False, "P")]


async def test_the_oldest_answers_go_when_there_are_too_many(clock: FakeClock, store: Store) -> None:
    async def act(task: Task, call: int) -> Reply:
        return say("x" * 1000)

    model = Model(act)
    chosen = caching(max_mb=0.01)  # nine of them
    for number in range(30):
        await ask(model, clock, store, Task(prompt=f"p{number}"), settings=chosen)
        clock.advance(1)
    kept = Answers(store).size()
    assert 5 <= kept.answers <= 9
    assert kept.bytes <= 10_000
    calls = model.calls
    newest = [Task(prompt=f"p{number}") for number in range(30 - kept.answers, 30)]
    assert all(cached for cached, _ in await ask(model, clock, store, *newest, settings=chosen))
    assert model.calls == calls
    assert await ask(model, clock, store, Task(prompt="p0"), settings=chosen) == [(False, "x" * 1000)]


async def test_failures_are_not_kept(clock: FakeClock, store: Store) -> None:
    async def act(task: Task, call: int) -> Reply | None:
        if call == 1:
            raise error("bad_request", retryable=False)
        return say("half", finish_reason="length") if call == 2 else None

    model = Model(act)
    for expected in (None, None, "P", "P"):
        assert (await ask(model, clock, store))[0][1] == expected
    assert model.calls == 3


async def test_a_reply_that_does_not_fit_its_schema_is_not_kept(clock: FakeClock, store: Store) -> None:
    async def act(task: Task, call: int) -> Reply:
        return say("no" if call == 1 else "1")

    model = Model(act)
    task = Task(prompt="p", schema={"type": "integer"})
    assert await ask(model, clock, store, task) == [(False, None)]
    assert await ask(model, clock, store, task) == [(False, "1")]


async def test_what_a_local_server_passed_on_to_a_paid_one_is_not_kept(
    clock: FakeClock, store: Store
) -> None:
    async def act(task: Task, call: int) -> Reply:
        return say(remote=True)

    model = Model(act)
    await ask(model, clock, store)
    assert await ask(model, clock, store) == [(False, "ok")]


async def test_secrets_are_taken_out_before_an_answer_is_kept(clock: FakeClock, store: Store) -> None:
    async def act(task: Task, call: int) -> Reply:
        return say("it is sk-proj-abcDEF0123456789abcDEF0123456789")

    assert await ask(Model(act), clock, store) == [(False, "it is [redacted]")]
    assert await ask(Model(act), clock, store) == [(True, "it is [redacted]")]


async def test_another_provider_or_address_does_not_share_answers(clock: FakeClock, store: Store) -> None:
    model = Model()
    await ask(model, clock, store)
    assert await ask(model, clock, store, address="there") == [(False, "P")]
    assert await ask(model, clock, store, model="other") == [(False, "P")]
    assert await ask(model, clock, store, num_ctx=512) == [(False, "P")]


async def test_what_a_kept_answer_saved_is_what_it_had_cost(clock: FakeClock, store: Store) -> None:
    """Also where it came from the fallback, at the fallback's price."""
    down = backend(Model(failing(*[error("payment_required", retryable=False)] * 9)), prices=PRICED)
    paid = backend(Model(), prices=PRICED, address="there")
    free = backend(Model(), address="elsewhere")
    for second, saved in ((paid, 8 * 10**6), (free, 0)):
        async with engine_on(down, second, clock=clock, settings=CACHING, store=store) as engine:
            before = sum(line.saved for _, line in Ledger(store).usage("2026-01-01"))
            await run(engine, [TASK])
            await run(engine, [TASK])
        after = sum(line.saved for _, line in Ledger(store).usage("2026-01-01"))
        assert after - before == saved


async def test_a_reply_that_no_encoding_can_carry_is_an_answer_but_not_kept(
    clock: FakeClock, store: Store
) -> None:
    async def act(task: Task, call: int) -> Reply:
        return say("half \ud800")

    async with engine_on(Model(act), clock=clock, settings=CACHING, store=store) as engine:
        result = await run_one(engine)
    assert (code_of(result), result.text) == (None, "half \ud800")
    assert Answers(store).size().answers == 0


async def test_a_damaged_row_is_asked_anew(clock: FakeClock, store: Store) -> None:
    model = Model()
    await ask(model, clock, store)
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE answers SET body = substr(body, 1, 20)")
    assert await ask(model, clock, store) == [(False, "P")]
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE answers SET body = CAST('{\"v\": 99}' AS BLOB)")
    assert await ask(model, clock, store) == [(False, "P")]
