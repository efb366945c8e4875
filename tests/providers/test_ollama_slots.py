"""Ollama is never sent more than it has slots, and its models are loaded once."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import pytest

from clawswarm.access.swarm import Swarm
from clawswarm.config.model import Cache, Limits, Provider, Settings
from clawswarm.types.events import TaskFinished
from clawswarm.types.task import Task
from tests.fakes.behaviours import Hang, Held, Say
from tests.fakes.ollama import FakeOllama
from tests.fakes.wire import Seen
from tests.providers.wires import OLLAMA, both_modes, one, opened, swarm_on

pytestmark = pytest.mark.anyio


class Gate:
    """Answers nothing until `expected` calls are being served at once, or it is opened."""

    def __init__(self) -> None:
        self.opened = anyio.Event()

    def __call__(self, seen: Seen) -> Held:
        return Held(self.opened, of=Say())


async def crowd(swarm: Swarm, fake: FakeOllama, expected: int, total: int = 24, **options: Any) -> None:
    """Send `total` prompts; `expected` of them are served at once, and never more are even sent."""
    gate = Gate()
    fake.respond = gate
    async with anyio.create_task_group() as group:

        async def ask() -> None:
            batch = await swarm.parallel([str(n) for n in range(total)], **options)
            assert batch.stats.successful == total

        group.start_soon(ask)
        await fake.wait_until(lambda: fake.serving == expected)
        gate.opened.set()
    assert (fake.peak, fake.serving_peak) == (expected, expected)


@both_modes
@pytest.mark.parametrize("slots", [1, 2, 5])
async def test_as_many_calls_as_slots_are_sent(slots: int, stream: bool) -> None:
    async with (
        FakeOllama(num_parallel=slots) as fake,
        swarm_on(OLLAMA, fake, stream=stream, num_parallel=slots) as swarm,
    ):
        await crowd(swarm, fake, slots)


async def test_the_servers_own_variable_counts_where_nothing_is_configured() -> None:
    async with (
        FakeOllama(num_parallel=3) as fake,
        swarm_on(OLLAMA, fake, environ={"OLLAMA_NUM_PARALLEL": "3"}) as swarm,
    ):
        await crowd(swarm, fake, 3)


@pytest.mark.parametrize(
    ("variable", "slots"), [("", 1), ("0", 1), ("4", 4), (" 2 ", 2), ("many", 1), ("-3", 1), ("2.5", 1)]
)
async def test_an_odd_number_of_slots_means_one(variable: str, slots: int) -> None:
    async with opened(OLLAMA, environ={"OLLAMA_NUM_PARALLEL": variable}) as line:
        assert line.backend.slots == slots


async def test_the_configuration_wins_over_the_variable() -> None:
    async with opened(OLLAMA, environ={"OLLAMA_NUM_PARALLEL": "8"}, num_parallel=2) as line:
        assert line.backend.slots == 2


async def test_ollama_has_one_slot_unless_told_otherwise() -> None:
    async with FakeOllama(num_parallel=4) as fake, swarm_on(OLLAMA, fake, environ={}) as swarm:
        await crowd(swarm, fake, 1, total=4)


@pytest.mark.parametrize(
    ("model", "slots"),
    [
        ("qwen3.5:9b", 1),
        ("qwen3.6", 1),
        ("qwen3.8:27b", 1),
        ("qwen3-vl:8b", 1),
        ("qwen3-next:80b", 1),
        ("lfm2:8b", 1),
        ("nemotron-h:8b", 1),
        ("llama3.2-vision:11b", 1),
        ("hf.co/unsloth/Qwen3.5-9B-GGUF:Q4_K_M", 1),
        ("me/qwen3.5", 1),
        ("qwen3:32b", 4),
        ("qwen3-coder:30b", 4),
        ("llama3.2:3b", 4),
    ],
)
async def test_families_with_one_slot_are_known_by_name(model: str, slots: int) -> None:
    async with opened(OLLAMA, environ={"OLLAMA_NUM_PARALLEL": "4"}, model=model) as line:
        assert line.backend.slots == slots


async def test_a_family_with_one_slot_is_sent_one_call_at_a_time() -> None:
    async with FakeOllama(num_parallel=4) as fake:
        environ = {"OLLAMA_NUM_PARALLEL": "4"}
        async with swarm_on(OLLAMA, fake, model="qwen3.5:9b", environ=environ) as swarm:
            await crowd(swarm, fake, 1, total=4)


@asynccontextmanager
async def hosts(count: int, **service: Any) -> AsyncGenerator[tuple[Swarm, list[FakeOllama]]]:
    async with AsyncExitStack() as stack:
        fakes = [await stack.enter_async_context(FakeOllama(num_parallel=2)) for _ in range(count)]
        provider = Provider(name="ollama", base_url=[fake.url for fake in fakes], num_parallel=2, **service)
        settings = Settings(provider=provider, limits=Limits(max_retries=2), cache=Cache(enabled=False))
        yield await stack.enter_async_context(Swarm(settings=settings)), fakes


async def test_several_hosts_are_all_filled() -> None:
    async with hosts(3) as (swarm, fakes):
        gate = Gate()
        for fake in fakes:
            fake.respond = gate
        async with anyio.create_task_group() as group:
            group.start_soon(swarm.parallel, [str(n) for n in range(30)])
            for fake in fakes:
                await fake.wait_until(lambda fake=fake: fake.serving == 2)
            gate.opened.set()
        assert [fake.peak for fake in fakes] == [2, 2, 2]
        assert sum(len(fake.calls) for fake in fakes) == 30


async def test_a_host_that_is_down_leaves_the_work_to_the_others() -> None:
    async with hosts(3) as (swarm, fakes):
        await fakes[0].__aexit__(None, None, None)
        batch = await swarm.parallel([str(n) for n in range(12)])
        assert batch.stats.successful == 12
        assert all(result.cost_pico == 0 for result in batch.tasks)


async def test_a_slow_host_gets_less_of_the_work() -> None:
    async with hosts(3) as (swarm, fakes):
        fakes[0].respond = lambda seen: Hang()
        done = 0
        async for event in swarm.stream([str(n) for n in range(20)]):
            done += isinstance(event, TaskFinished)
            if done == 18:
                break  # the other two hang
        assert len(fakes[0].calls) == 2


# ---- what is sent with every call


@both_modes
@pytest.mark.parametrize("num_ctx", [None, 8192])
async def test_a_model_is_loaded_once_whatever_the_tasks_are_like(num_ctx: int | None, stream: bool) -> None:
    async with (
        FakeOllama(num_parallel=4) as fake,
        swarm_on(OLLAMA, fake, stream=stream, num_parallel=4, num_ctx=num_ctx) as swarm,
    ):
        tasks = [
            Task(prompt="word " * (1 + 100 * n), max_tokens=100 * (n + 1), temperature=n / 10, seed=n)
            for n in range(8)
        ]
        batch = await swarm.parallel(tasks)
        await swarm.parallel(["more", Task(prompt="and more", thinking="low")])
    assert batch.stats.successful == 8
    assert (fake.loads, fake.reloads) == (1, 0)
    sent = {seen.json.get("options", {}).get("num_ctx") for seen in fake.calls}
    assert sent == {num_ctx}


@pytest.mark.parametrize(
    ("configured", "sent"),
    [("60m", "60m"), (300, 300), (-1, -1), (0, 0), ("300", 300), ("-1", -1), ("-1m", "-1m")],
)
async def test_keep_alive_is_sent_in_a_form_the_server_reads(configured: str | int, sent: str | int) -> None:
    async with opened(OLLAMA, keep_alive=configured) as line:
        assert (await line.ask("hi")).text == "echo: hi"
        assert line.body["keep_alive"] == sent


async def test_keep_alive_and_think_are_left_to_the_server_unless_configured() -> None:
    async with opened(OLLAMA) as line:
        await line.ask("hi")
        assert not {"keep_alive", "think", "options"} & set(line.body)


async def test_a_busy_server_is_asked_again() -> None:
    async with FakeOllama(max_queue=0) as fake, swarm_on(OLLAMA, fake) as swarm:
        result = await one(swarm)
    assert result.error is not None
    assert (result.error.code, result.error.retryable) == ("overloaded", True)
