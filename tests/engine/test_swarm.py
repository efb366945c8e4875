"""The Python API: `Swarm`, `parallel`, and the same without an event loop."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio
import pytest

from clawswarm import Swarm, Task, parallel
from clawswarm.clock import sleep_until
from clawswarm.config.model import Provider, Settings
from clawswarm.errors import InputError, NotConfigured, SwarmError
from clawswarm.providers.base import Answer
from clawswarm.providers.demo import DemoProvider
from clawswarm.types.events import BatchComplete, BatchEvent, BatchStarted, TaskFinished
from clawswarm.types.task import Task as TaskType
from tests.clock import FakeClock

pytestmark = pytest.mark.anyio


class Watched(DemoProvider):
    """A demo that knows how many calls are on their way, and may keep them there."""

    def __init__(self, *, hangs_after: int | None = None) -> None:
        super().__init__()
        self.in_flight = 0
        self.cancelled = 0
        self._hangs_after = hangs_after

    async def complete(self, task: TaskType, *, model: str) -> Answer:
        self.in_flight += 1
        try:
            if self._hangs_after is not None and self.calls >= self._hangs_after:
                await anyio.sleep_forever()
            return await super().complete(task, model=model)
        except anyio.get_cancelled_exc_class():
            self.cancelled += 1
            raise
        finally:
            self.in_flight -= 1


@pytest.fixture(autouse=True)
async def _bounded() -> AsyncIterator[None]:
    with anyio.fail_after(25):
        yield


class ConsumerError(Exception):
    """What a test's own code raises."""


def demo_swarm(demo: DemoProvider | None = None, **arguments: Any) -> Swarm:
    return Swarm(settings=Settings(provider=Provider(name="demo")), demo=demo, **arguments)


async def test_results_come_in_the_order_of_the_prompts() -> None:
    demo = DemoProvider().reply("a").fail("auth_failed").reply("c")
    async with demo_swarm(demo, concurrency=1) as swarm:
        result = await swarm.parallel(["1", "2", "3"])
    assert result.results == ["a", None, "c"]
    assert [task.ok for task in result.tasks] == [True, False, True]
    assert (result.stats.successful, result.stats.failed, result.stats.total) == (2, 1, 3)


async def test_defaults_reach_every_task_that_leaves_them_open() -> None:
    class Echo(DemoProvider):
        async def complete(self, task: TaskType, *, model: str) -> Answer:
            self.reply(f"{task.system} {task.max_tokens}")
            return await super().complete(task, model=model)

    async with demo_swarm(Echo()) as swarm:
        result = await swarm.parallel(["a", Task(prompt="b"), {"prompt": "c", "system": "own"}], system="s")
    assert result.results == ["s None", "s None", "own None"]


async def test_a_stream_is_one_start_one_progress_a_task_and_one_complete() -> None:
    async with demo_swarm() as swarm:
        events: list[BatchEvent] = [event async for event in swarm.stream(["a", "b", "c"])]
    start, *progress, complete = events
    assert isinstance(start, BatchStarted)
    assert (start.total, start.provider) == (3, "demo")
    assert sorted(event.task.index for event in progress if isinstance(event, TaskFinished)) == [0, 1, 2]
    assert isinstance(complete, BatchComplete)
    assert complete.result is not None
    assert [task.index for task in complete.result.tasks] == [0, 1, 2]
    assert complete.stats.total == 3


async def test_a_stream_from_an_iterator_has_no_total() -> None:
    async with demo_swarm() as swarm:
        events = [event async for event in swarm.stream(iter(["a", "b"]))]
    assert isinstance(events[0], BatchStarted)
    assert events[0].total is None
    assert isinstance(events[-1], BatchComplete)


async def test_breaking_off_a_stream_cancels_the_batch(clock: FakeClock) -> None:
    demo = Watched(hangs_after=2)
    async with demo_swarm(demo, concurrency=4) as swarm:
        async for event in swarm.stream([str(number) for number in range(100)]):
            if isinstance(event, TaskFinished):
                break
        await clock.run_until_idle()
        assert demo.in_flight == 0
        assert demo.cancelled > 0
        assert (await demo_result(swarm)).ok  # the swarm itself goes on


async def demo_result(swarm: Swarm) -> Any:
    demo: Any = swarm._demo  # pyright: ignore[reportPrivateUsage]
    demo._hangs_after = None
    return (await swarm.parallel(["again"])).tasks[0]


async def test_closing_a_stream_cancels_the_batch(clock: FakeClock) -> None:
    demo = Watched(hangs_after=0)
    async with demo_swarm(demo, concurrency=4) as swarm:
        async with aclosing(swarm.stream(["a", "b", "c"])) as events:
            assert isinstance(await anext(events), BatchStarted)
            await clock.run_until_idle()
            assert demo.in_flight == 3
        await clock.run_until_idle()
        assert (demo.in_flight, demo.cancelled) == (0, 3)


async def test_an_error_of_the_listener_cancels_the_batch_and_comes_out_as_itself(clock: FakeClock) -> None:
    demo = Watched(hangs_after=1)
    with pytest.raises(ConsumerError):  # noqa: PT012 - the block itself is what raises
        async with demo_swarm(demo) as swarm:
            async for event in swarm.stream(["a", "b", "c"]):
                if isinstance(event, TaskFinished):
                    raise ConsumerError
    assert demo.in_flight == 0
    assert demo.cancelled > 0


async def test_a_listener_that_is_cancelled_cancels_the_batch(clock: FakeClock) -> None:
    demo = Watched(hangs_after=0)

    async def listen() -> None:
        with scope:
            async for _ in swarm.stream(["a", "b"]):
                pass

    scope = anyio.CancelScope()
    async with demo_swarm(demo) as swarm:
        async with anyio.create_task_group() as group:
            group.start_soon(listen)
            await clock.run_until_idle()
            assert demo.in_flight == 2
            scope.cancel()
        await clock.run_until_idle()
        assert (demo.in_flight, demo.cancelled) == (0, 2)


async def test_leaving_the_swarm_ends_a_stream_that_nobody_finished() -> None:
    demo = Watched(hangs_after=0)
    async with demo_swarm(demo) as swarm:
        events = swarm.stream(["a", "b"])
        assert isinstance(await anext(events), BatchStarted)
    assert demo.in_flight == 0
    assert [event async for event in events] == []


async def test_parallel_that_is_cancelled_leaves_no_call_behind(clock: FakeClock) -> None:
    demo = Watched(hangs_after=0)
    async with demo_swarm(demo) as swarm:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as group:
                group.start_soon(swarm.parallel, ["a", "b"])
                await clock.run_until_idle()
                assert demo.in_flight == 2
                scope.cancel()
        assert (demo.in_flight, demo.cancelled) == (0, 2)


async def test_two_streams_at_once_do_not_see_each_other() -> None:
    seen: dict[str, list[str | None]] = {}

    async def listen(letter: str) -> None:
        prompts = [{"prompt": f"{letter}{number}", "id": letter} for number in range(20)]
        events = [event async for event in swarm.stream(prompts)]
        seen[letter] = [event.task.id for event in events if isinstance(event, TaskFinished)]

    async with demo_swarm() as swarm, anyio.create_task_group() as group:
        for letter in "abc":
            group.start_soon(listen, letter)
    assert seen == {letter: [letter] * 20 for letter in "abc"}


@pytest.mark.parametrize("how", ["parallel", "stream"])
async def test_a_source_that_fails_does_so_to_the_caller(how: str) -> None:
    def source() -> Iterator[str]:
        yield "a"
        raise ConsumerError

    finished = 0
    async with demo_swarm() as swarm:
        with pytest.raises(ConsumerError):  # noqa: PT012 - the stream is read in it
            if how == "parallel":
                await swarm.parallel(source())
            async for event in swarm.stream(source()):
                finished += isinstance(event, TaskFinished)
    assert finished == (1 if how == "stream" else 0)


async def test_prompts_that_cannot_be_used_are_refused_before_anything_is_sent() -> None:
    demo = DemoProvider()
    async with demo_swarm(demo) as swarm:
        with pytest.raises(InputError, match="prompt 1"):
            await swarm.parallel(["a", ""])
        with pytest.raises(InputError, match="did you mean 'system'"):
            await anext(swarm.stream(["a"], sistem="s"))
    assert demo.calls == 0


async def test_a_swarm_that_is_not_open_says_so() -> None:
    swarm = demo_swarm()
    with pytest.raises(SwarmError, match="not open") as caught:
        await swarm.parallel(["a"])
    assert caught.value.hint == "use it inside: async with Swarm() as swarm"
    with pytest.raises(SwarmError, match="not open"):
        await anext(swarm.stream(["a"]))
    async with swarm:
        pass
    with pytest.raises(SwarmError, match="not open"):
        await swarm.parallel(["a"])


async def test_a_swarm_is_opened_once_at_a_time_and_may_be_opened_again() -> None:
    swarm = demo_swarm()
    for _ in range(2):
        async with swarm:
            assert (await swarm.parallel(["a"])).stats.successful == 1
            with pytest.raises(SwarmError, match="open already"):
                await swarm.__aenter__()
            assert (await swarm.parallel(["b"])).stats.successful == 1


async def test_answers_are_kept_between_swarms_unless_told_otherwise() -> None:
    cached: list[bool] = []
    for cache in (True, True, False):
        async with demo_swarm(cache=cache) as swarm:
            cached.append((await swarm.parallel(["a"])).tasks[0].cached)
    assert cached == [False, True, False]


async def test_a_timeout_is_the_tasks_own(clock: FakeClock) -> None:
    demo = Watched(hangs_after=0)
    async with demo_swarm(demo, clock=clock, timeout=3) as swarm, clock.auto():
        result = await swarm.parallel(["a"])
    assert result.tasks[0].error is not None
    assert result.tasks[0].error.code == "timeout"
    assert clock.elapsed == 3


async def test_a_state_directory_that_cannot_be_used_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    environ = {"HOME": str(tmp_path), "SWARM_MEMORY_DIR": str(tmp_path / "file")}
    async with Swarm(settings=Settings(provider=Provider(name="demo")), environ=environ) as swarm:
        assert (await swarm.parallel(["a"])).stats.successful == 1
        assert len(swarm.warnings) == 1
        assert "working without cache" in swarm.warnings[0]


async def test_parallel_needs_no_swarm_and_raises_its_errors_as_themselves() -> None:
    result = await parallel(["a", "b"], swarm={"provider": "demo"}, max_tokens=5)
    assert result.stats.successful == 2
    with pytest.raises(InputError, match="there are no prompts"):
        await parallel([], swarm={"provider": "demo"})


async def test_without_a_provider_the_error_says_what_to_set() -> None:
    environ = {"HOME": os.environ["HOME"], "OLLAMA_HOST": "127.0.0.1:9"}
    with pytest.raises(NotConfigured) as caught:
        await parallel(["a"], swarm={"environ": environ})
    assert "GEMINI_API_KEY" in (caught.value.hint or "")


async def test_the_demo_takes_its_time_on_the_clock_it_is_given(clock: FakeClock) -> None:
    demo = DemoProvider(latency=2, jitter=False, clock=clock)
    async with demo_swarm(demo, clock=clock, concurrency=2) as swarm, clock.auto():
        result = await swarm.parallel([str(number) for number in range(6)])
    assert result.stats.total_duration_ms == 6000
    await sleep_until(clock, clock.monotonic())
