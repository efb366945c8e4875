"""A stream that keeps no results holds no more than what is on its way."""

import gc
import os
from collections.abc import Iterator

import pytest

from clawswarm import Swarm
from clawswarm.types.events import BatchComplete, TaskFinished
from clawswarm.types.result import TaskResult

pytestmark = pytest.mark.anyio


def prompts(count: int) -> Iterator[str]:
    return (f"question {number}" for number in range(count))


@pytest.mark.parametrize("keep", [True, False])
async def test_results_are_kept_only_where_they_are_wanted(keep: bool) -> None:
    alive: list[int] = []
    async with Swarm(provider="demo", cache=False, environ={"HOME": os.environ["HOME"]}) as swarm:
        async for event in swarm.stream(prompts(400), keep_results=keep):
            if isinstance(event, TaskFinished) and event.task.index % 100 == 99:
                alive.append(sum(isinstance(thing, TaskResult) for thing in gc.get_objects()))
            if isinstance(event, BatchComplete):
                assert (event.result is not None) is keep
                assert event.stats.successful == 400
    assert (max(alive) < 150) is not keep
