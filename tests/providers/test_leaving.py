"""Leaving a call, by cancelling it or by a deadline, closes its socket and frees its slot."""

from typing import Any

import anyio
import pytest

from clawswarm.types.result import TaskResult
from tests.fakes.behaviours import Behaviour, Drip, Hang, Held, Say, Stall
from tests.providers.wires import (
    ANTHROPIC,
    OLLAMA,
    Wire,
    both_modes,
    every_wire,
    hurried,
    one,
    opened,
    swarm_on,
)

pytestmark = pytest.mark.anyio

LONG = Say(text="a reply of many words " * 50)


def silences(stream: bool) -> list[Behaviour]:
    """Ways of a server to keep silent: before the answer, and inside it."""
    return [Hang(), Stall(1, of=LONG), Drip(0.5, of=LONG)] if stream else [Hang(), Drip(0.5, of=LONG)]


@both_modes
@every_wire
async def test_cancelling_a_call_closes_its_socket(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        for number, behaviour in enumerate(silences(stream), 1):
            line.fake.enqueue(behaviour)
            async with anyio.create_task_group() as group:
                group.start_soon(line.ask, "hi")
                await line.fake.wait_calls(number)
                await line.fake.wait_until(lambda: line.fake.serving == 1)
                group.cancel_scope.cancel()
            await line.fake.wait_left(number)
        assert line.fake.in_flight == 0
        assert (await line.ask("again")).text == "echo: again"


@both_modes
@every_wire
async def test_a_call_without_answer_ends_with_its_deadline(wire: Wire, stream: bool) -> None:
    limits = {"timeout": 0.2 if wire is ANTHROPIC else 60, "max_nodes": 1}
    async with (
        hurried(wire) as clock,
        wire.make() as fake,
        swarm_on(wire, fake, stream=stream, limits=limits, clock=clock) as swarm,
    ):
        fake.enqueue(Hang(), Say(text="next"))
        batch = await swarm.parallel(["lost", "next"])
        await fake.wait_left(1)
    lost, following = batch.tasks
    assert lost.error is not None
    assert (lost.error.code, lost.error.status, lost.attempts) == ("timeout", None, 1)
    assert lost.error.hint
    assert lost.usage is None
    assert following.text == "next"  # the slot was free


@both_modes
@every_wire
async def test_an_attempt_that_takes_too_long_is_tried_again(wire: Wire, stream: bool) -> None:
    limits = {"attempt_timeout": 0.2 if wire is ANTHROPIC else 30, "max_retries": 1}
    async with (
        hurried(wire) as clock,
        wire.make() as fake,
        swarm_on(wire, fake, stream=stream, limits=limits, clock=clock) as swarm,
    ):
        fake.enqueue(Stall(1, of=LONG) if stream else Hang(), Say(text="at last"))
        result = await one(swarm)
        await fake.wait_left(1)
    assert (result.text, result.attempts) == ("at last", 2)
    assert len(fake.calls) == 2


@both_modes
@every_wire
async def test_stopping_to_listen_closes_every_socket(wire: Wire, stream: bool) -> None:
    async with wire.make() as fake, swarm_on(wire, fake, stream=stream) as swarm:
        fake.respond = lambda seen: Hang()
        async for _ in swarm.stream(["a", "b", "c", "d"]):
            await fake.wait_in_flight(1 if wire is OLLAMA else 4)
            break
        await fake.wait_in_flight(0)
        assert fake.left == len(fake.calls) == (1 if wire is OLLAMA else 4)


@every_wire
async def test_closing_the_swarm_cancels_what_runs(wire: Wire) -> None:
    results: list[TaskResult] = []

    async def run(swarm: Any) -> None:
        results.extend((await swarm.parallel(["hi"])).tasks)

    async with wire.make() as fake:
        async with anyio.create_task_group() as group, swarm_on(wire, fake) as swarm:
            fake.enqueue(Hang())
            group.start_soon(run, swarm)
            await fake.wait_until(lambda: fake.serving == 1)
            group.cancel_scope.cancel()
        await fake.wait_left(1)
    assert not results


@pytest.mark.parametrize("stream", [False, True])
async def test_ollama_is_given_all_the_time_of_the_task(stream: bool) -> None:
    """A long answer of a local model is slow, not lost: no attempt timeout unless one is set."""
    async with opened(OLLAMA, stream=stream) as line:
        assert line.backend.attempt_timeout is None


async def test_a_reply_held_back_arrives_once_it_is_let_go() -> None:
    release = anyio.Event()
    async with opened(OLLAMA) as line:
        line.fake.enqueue(Held(release, of=Say(text="patience")))
        async with anyio.create_task_group() as group:

            async def ask() -> None:
                assert (await line.ask("hi")).text == "patience"

            group.start_soon(ask)
            await line.fake.wait_calls(1)
            release.set()
