"""`clawswarm.sync`: the same names for scripts without an event loop."""

import signal
import threading
from collections.abc import Iterator

import anyio
import pytest

from clawswarm import sync
from clawswarm.config.model import Provider, Settings
from clawswarm.errors import InputError, SwarmError
from clawswarm.providers.base import Answer
from clawswarm.providers.demo import DemoProvider
from clawswarm.types.events import BatchComplete, BatchStarted, TaskFinished
from clawswarm.types.task import Task

SETTINGS = Settings(provider=Provider(name="demo"))


class Hanging(DemoProvider):
    """Answers the first call, and none after it."""

    def __init__(self) -> None:
        super().__init__()
        self.in_flight = 0

    async def complete(self, task: Task, *, model: str) -> Answer:
        self.in_flight += 1
        try:
            if self.calls:
                await anyio.sleep_forever()
            return await super().complete(task, model=model)
        finally:
            self.in_flight -= 1


class Interrupting(DemoProvider):
    """Ctrl-C arrives while its call is on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelled = False

    async def complete(self, task: Task, *, model: str) -> Answer:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        try:
            await anyio.sleep_forever()
        finally:
            self.cancelled = True
        raise AssertionError("nobody wakes it")


class ScriptError(Exception):
    """What a script raises."""


def test_parallel_works_without_an_event_loop() -> None:
    result = sync.parallel(["a", "b"], swarm={"provider": "demo"}, system="s")
    assert [task.ok for task in result.tasks] == [True, True]


def test_errors_come_out_as_themselves() -> None:
    with pytest.raises(InputError, match="there are no prompts"):
        sync.parallel([], swarm={"provider": "demo"})
    with pytest.raises(ScriptError), sync.Swarm(settings=SETTINGS):
        raise ScriptError


def test_a_swarm_shares_its_cache_and_may_be_opened_again() -> None:
    demo = DemoProvider()
    swarm = sync.Swarm(settings=SETTINGS, demo=demo)
    for _ in range(2):
        with swarm as opened:
            assert opened.parallel(["a"]).stats.successful == 1
            assert opened.parallel(["a"]).tasks[0].cached
            assert opened.warnings == []
    assert demo.calls == 1


def test_a_stream_ends_with_complete() -> None:
    with sync.Swarm(settings=SETTINGS) as swarm:
        events = list(swarm.stream(["a", "b"]))
    assert isinstance(events[0], BatchStarted)
    assert [type(event) for event in events[1:-1]] == [TaskFinished, TaskFinished]
    assert isinstance(events[-1], BatchComplete)


def test_breaking_off_a_stream_cancels_the_batch() -> None:
    demo = Hanging()
    with sync.Swarm(settings=SETTINGS, demo=demo) as swarm:
        events = swarm.stream([str(number) for number in range(50)])
        for event in events:
            if isinstance(event, TaskFinished):
                break
        events.close()
    assert demo.in_flight == 0


def test_a_stream_that_is_still_open_when_the_swarm_closes_just_ends() -> None:
    demo = Hanging()
    with sync.Swarm(settings=SETTINGS, demo=demo) as swarm:
        events = swarm.stream(["a", "b"])
        assert isinstance(next(events), BatchStarted)
    assert demo.in_flight == 0
    events.close()


def test_ctrl_c_ends_the_calls_before_it_comes_out() -> None:
    demo = Interrupting()
    with pytest.raises(KeyboardInterrupt), sync.Swarm(settings=SETTINGS, demo=demo) as swarm:
        swarm.parallel(["a"])
    assert demo.cancelled


def test_ctrl_c_ends_a_stream() -> None:
    demo = Interrupting()
    with pytest.raises(KeyboardInterrupt), sync.Swarm(settings=SETTINGS, demo=demo) as swarm:
        list(swarm.stream(["a"]))
    assert demo.cancelled


def test_a_source_that_fails_does_so_to_the_script() -> None:
    def source() -> Iterator[str]:
        yield "a"
        raise ScriptError

    with sync.Swarm(settings=SETTINGS) as swarm:
        with pytest.raises(ScriptError):
            swarm.parallel(source())
        with pytest.raises(ScriptError):
            list(swarm.stream(source()))


def test_a_swarm_that_is_not_open_says_so() -> None:
    swarm = sync.Swarm(settings=SETTINGS)
    with pytest.raises(SwarmError, match="not open"):
        swarm.parallel(["a"])
    with pytest.raises(SwarmError, match="not open"):
        next(swarm.stream(["a"]))
    with swarm, pytest.raises(SwarmError, match="open already"):
        swarm.__enter__()


def test_a_swarm_that_is_opened_twice_by_mistake_goes_on_working() -> None:
    with sync.Swarm(settings=SETTINGS) as swarm:
        with pytest.raises(SwarmError, match="open already"):
            swarm.__enter__()
        assert swarm.parallel(["a"]).stats.successful == 1
