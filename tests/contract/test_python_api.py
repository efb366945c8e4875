"""`Swarm` is the same whether it works in this process or through the daemon."""

from collections.abc import AsyncIterator

import anyio
import pytest

from clawswarm.access.swarm import Swarm
from clawswarm.errors import DaemonNeeded, InputError, NotFound, SwarmError
from clawswarm.types.events import BatchComplete, TaskFinished
from clawswarm.types.task import Task
from tests.contract.ways import PATIENCE, Opened, Way, request
from tests.fakes.behaviours import Hang, Say
from tests.fakes.common import last_user_text

pytestmark = pytest.mark.anyio


async def test_prompts_in_and_results_out(opened: Opened) -> None:
    async with opened.swarm() as swarm:
        assert swarm.uses_daemon is (opened.way.name == "daemon")
        assert swarm.warnings == []
        result = await swarm.parallel(["a", {"prompt": "b", "id": "B"}, Task(prompt="c")], system="Be brief.")
    assert result.results == ["echo: a", "echo: b", "echo: c"]
    assert [task.id for task in result.tasks] == [None, "B", None]
    assert result.stats.successful == 3
    assert all("Be brief." in str(seen.json["messages"]) for seen in opened.way.server.calls)


async def test_what_the_swarm_was_opened_with_holds_for_its_prompts(opened: Opened) -> None:
    opened.way.server.latency = 0.02
    async with opened.swarm(model="gpt-6-sol", concurrency=2, cache=False) as swarm:
        result = await swarm.parallel(["same"] * 6)
    assert {task.model for task in result.tasks} == {"gpt-6-sol"}
    assert (opened.way.server.peak, len(opened.way.server.calls)) == (2, 6)


async def test_events_of_a_stream(opened: Opened) -> None:
    async with opened.swarm() as swarm:
        events = [event async for event in swarm.stream(["a", "b"])]
        assert [event.event for event in events] == ["start", "progress", "progress", "complete"]
        last = events[-1]
        assert isinstance(last, BatchComplete)
        assert last.result is not None
        assert last.result.results == ["echo: a", "echo: b"]
        events = [event async for event in swarm.stream(["a", "b"], keep_results=False)]
    last = events[-1]
    assert isinstance(last, BatchComplete)
    assert last.result is None


async def test_who_stops_to_listen_stops_the_work(opened: Opened) -> None:
    opened.way.server.respond = lambda seen: (
        Say() if last_user_text(seen.json["messages"]) == "p0" else Hang()
    )
    async with opened.swarm(concurrency=4) as swarm:
        stream = swarm.stream([f"p{number}" for number in range(40)])
        async for event in stream:
            if isinstance(event, TaskFinished):
                break
        await stream.aclose()
        await opened.way.server.wait_left(1)
        await opened.way.server.wait_in_flight(0)
        assert len(opened.way.server.calls) < 10
        opened.way.server.respond = None
        assert (await swarm.parallel(["after"])).results == ["echo: after"]


async def test_who_stops_to_listen_to_fast_events_stops_the_work(opened: Opened) -> None:
    async with opened.swarm(concurrency=4, cache=False) as swarm:
        stream = swarm.stream([f"p{number}" for number in range(5000)])
        async for event in stream:
            if isinstance(event, TaskFinished):
                break
        await stream.aclose()
        await opened.way.server.wait_in_flight(0)
        assert (await swarm.parallel(["after"])).results == ["echo: after"]
        assert len(opened.way.server.calls) < 4000


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        ([], "there are no prompts"),
        (["a", ""], "prompt 1: the prompt is empty"),
        (["a", {"promt": "b"}], "prompt 1: unknown field 'promt'; did you mean 'prompt'?"),
        ([{"prompt": "a", "max_tokens": 0}], "prompt 0: 'max_tokens' must be at least 1"),
        ([{"prompt": "a", "schema": {"type": "nonsense"}}], "prompt 0: the schema is no JSON Schema"),
        (["half a \ud800"], "prompt 0: a text has half of a character"),
    ],
)
async def test_prompts_that_cannot_be_used(opened: Opened, prompts: list[object], words: str) -> None:
    async with opened.swarm() as swarm:
        for call in (swarm.parallel, swarm.submit):
            with pytest.raises(SwarmError) as told:
                await call(prompts)  # pyright: ignore[reportArgumentType]
            if opened.way.name == "daemon" or call == swarm.parallel:
                assert type(told.value) is InputError
                assert words in told.value.message
        with pytest.raises(InputError, match=words.partition(":")[0]):
            async for _ in swarm.stream(prompts):  # pyright: ignore[reportArgumentType]
                pass
    assert opened.way.server.calls == []


async def test_an_iterator_is_taken_and_only_refused_where_the_daemon_was_insisted_on(opened: Opened) -> None:
    async def prompts() -> AsyncIterator[str]:
        yield "a"

    async with opened.swarm(use_daemon=None) as swarm:
        assert swarm.uses_daemon == (opened.way.name == "daemon")
        assert (await swarm.parallel(prompts())).results == ["echo: a"]
    if opened.way.name == "daemon":
        async with opened.swarm(use_daemon=True) as swarm:
            with pytest.raises(InputError, match="must be a list"):
                await swarm.parallel(prompts())


async def test_jobs_are_made_where_the_daemon_is_and_seen_from_everywhere(opened: Opened) -> None:
    async with opened.swarm() as swarm:
        if opened.way.name == "local":
            with pytest.raises(DaemonNeeded) as told:
                await swarm.submit(["a", "b"])
            assert told.value.hint == "start it: swarm start"
            job = await opened.api.submit(request(["a", "b"]))
        else:
            job = await swarm.submit(["a", "b"])
        await opened.api.job(job.id, wait=PATIENCE)
        page = await swarm.job(job.id, wait=1)
        assert page.results == ["echo: a", "echo: b"]
        assert await swarm.cancel(job.id) == page.job
        with pytest.raises(NotFound):
            await swarm.job("job-none")


async def test_two_calls_at_once_do_not_mix(opened: Opened) -> None:
    found: dict[str, list[str | None]] = {}
    async with opened.swarm() as swarm:

        async def ask(name: str) -> None:
            found[name] = (await swarm.parallel([f"{name}{number}" for number in range(10)])).results

        async with anyio.create_task_group() as group:
            for name in "ab":
                group.start_soon(ask, name)
    assert found == {name: [f"echo: {name}{number}" for number in range(10)] for name in "ab"}


async def test_without_a_daemon_it_is_said_or_done_here(way: Way) -> None:
    with pytest.raises(DaemonNeeded, match="no daemon is running"):
        async with Swarm(environ=way.environ, use_daemon=True):
            pass
    async with Swarm(environ=way.environ) as swarm:
        assert not swarm.uses_daemon
        assert (await swarm.parallel(["a"])).results == ["echo: a"]


async def test_a_daemon_that_runs_is_used_where_it_would_do_the_same(way: Way) -> None:
    async with way.open():
        async with Swarm(environ=way.environ) as swarm:
            assert swarm.uses_daemon is (way.name == "daemon")
        async with Swarm(environ=way.environ, concurrency=17) as swarm:
            assert not swarm.uses_daemon
            assert [note for note in swarm.warnings if "16 workers" in note] or way.name == "local"
        other = {**way.environ, "SWARM__LIMITS__TIMEOUT": "7"}
        async with Swarm(environ=other) as swarm:
            assert not swarm.uses_daemon
            assert [note for note in swarm.warnings if "another configuration" in note] or way.name == "local"
