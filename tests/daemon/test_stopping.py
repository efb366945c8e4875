"""A daemon that is told to stop: what can finish finishes, the rest is told, and nothing stored is lost."""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from clawswarm.access.presence import look
from tests.daemon.homes import Home, a_home
from tests.fakes.behaviours import Hang, Held, Say
from tests.fakes.openai import FakeOpenAI

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

OPENAI = "provider:\n  name: openai\n  model: gpt-6-luna\ncost:\n  max_daily_spend: 10\n"


@pytest.fixture
async def fake() -> AsyncIterator[FakeOpenAI]:
    async with FakeOpenAI() as fake:
        yield fake


@pytest.fixture
async def busy(tmp_path: Path, fake: FakeOpenAI) -> AsyncIterator[Home]:
    """A daemon whose provider is the fake."""
    async with a_home(tmp_path / "home", OPENAI + "daemon:\n  port: 0\n  grace: 1\n") as home:
        home.use(fake)
        await home.launch()
        yield home


async def events_of(home: Home, body: Any, begun: anyio.Event, found: list[dict[str, Any]]) -> None:
    async with home.client() as client, client.post("/parallel", json=body) as answer:
        async for line in answer.content:
            found.append(json.loads(line))
            begun.set()


async def test_what_finishes_in_time_is_answered_whole(busy: Home, fake: FakeOpenAI) -> None:
    release, begun, found = anyio.Event(), anyio.Event(), list[dict[str, Any]]()
    fake.respond = lambda _: Held(release)
    async with anyio.create_task_group() as group:
        group.start_soon(events_of, busy, {"prompts": ["a", "b"]}, begun, found)
        await fake.wait_calls(2)
        presence = busy.presence
        presence_now = await told_to_stop(busy)
        assert (presence_now.pid, presence_now.port, presence_now.state) == (presence.pid, None, "stopping")
        release.set()
    await busy.gone()
    assert [event["event"] for event in found] == ["start", "progress", "progress", "complete"]


async def told_to_stop(home: Home) -> Any:
    """Send SIGTERM; what others see once the daemon has taken note."""
    os.kill(home.presence.pid, signal.SIGTERM)
    with anyio.fail_after(25):
        while (seen := look(home.paths)) is not None and seen.state == "running":
            await anyio.to_thread.run_sync(home.paths.memory.stat)
    assert seen is not None
    return seen


async def test_what_does_not_finish_is_told_and_its_calls_stay_on_the_books(
    busy: Home, fake: FakeOpenAI
) -> None:
    begun, found = anyio.Event(), list[dict[str, Any]]()
    fake.enqueue(Say("in time"))
    fake.respond = lambda _: Hang()
    async with anyio.create_task_group() as group:
        group.start_soon(events_of, busy, {"prompts": ["a", "b", "c"]}, begun, found)
        await fake.wait_calls(3)
        await begun.wait()
        stopped = await busy.run("stop")
        assert stopped.status == 0
    assert [event["event"] for event in found] == ["start", "progress", "error"]
    assert found[-1]["error"]["code"] == "daemon_stopping"
    assert "POST /jobs" in found[-1]["error"]["hint"]
    await fake.wait_left(2)
    today = (await busy.run("savings", "--json")).json["today"]
    assert today["spent_usd"] > 0
    assert today["uncertain_usd"] > 0
    assert today["reserved_usd"] == 0
    assert not [line for line in busy.log() if "traceback" in line]


async def test_a_job_that_does_not_finish_goes_on_after_the_next_start(busy: Home, fake: FakeOpenAI) -> None:
    fake.enqueue(Say("kept"))
    fake.respond = lambda _: Hang()
    job = await busy.ask("POST", "/jobs", {"kind": "parallel", "prompts": ["a", "b", "c"], "concurrency": 1})
    await fake.wait_calls(2)
    assert (await busy.run("stop")).status == 0
    fake.respond = None
    await busy.launch()
    page = await busy.ask("GET", f"/jobs/{job['job_id']}?wait=10")
    assert (page["status"], page["done"]) == ("complete", 3)
    assert page["results"][0] == "kept"
    assert len(fake.calls) == 4  # the first was not asked again


async def test_a_killed_daemon_loses_no_result_that_was_stored(busy: Home, fake: FakeOpenAI) -> None:
    fake.enqueue(Say("kept"))
    fake.respond = lambda _: Hang()
    job = await busy.ask("POST", "/jobs", {"kind": "parallel", "prompts": ["a", "b"], "concurrency": 1})
    await fake.wait_calls(2)
    assert (await busy.ask("GET", f"/jobs/{job['job_id']}"))["results"] == ["kept"]
    await busy.kill()
    fake.respond = None
    await busy.launch()
    page = await busy.ask("GET", f"/jobs/{job['job_id']}?wait=10")
    assert (page["status"], page["results"][0], page["done"]) == ("complete", "kept", 2)


async def test_nobody_gets_in_while_it_stops_and_the_work_is_done_here(
    tmp_path: Path, fake: FakeOpenAI
) -> None:
    release, begun, found = anyio.Event(), anyio.Event(), list[dict[str, Any]]()
    fake.enqueue(Held(release, Say("last")))
    async with a_home(tmp_path / "home", OPENAI + "daemon:\n  port: 0\n  grace: 20\n") as home:
        home.use(fake)
        await home.launch()
        async with anyio.create_task_group() as group:
            group.start_soon(events_of, home, {"prompts": ["a"]}, begun, found)
            await fake.wait_calls(1)
            await told_to_stop(home)
            ran = await home.run("parallel", "hello", "--no-cache")
            assert ran.status == 0
            assert "swarm: warning: working without the daemon: it is stopping\n" in ran.err
            start = await home.run("start")
            assert start.status == 1
            assert start.err.startswith("swarm: another daemon is stopping\n")
            release.set()
        await home.gone()
    assert [event["event"] for event in found] == ["start", "progress", "complete"]


async def test_told_twice_it_leaves_at_once_and_says_so(busy: Home, fake: FakeOpenAI) -> None:
    begun, found = anyio.Event(), list[dict[str, Any]]()
    fake.respond = lambda _: Hang()
    async with anyio.create_task_group() as group:
        group.start_soon(events_of, busy, {"prompts": ["a"]}, begun, found)
        await fake.wait_calls(1)
        presence = await told_to_stop(busy)
        os.kill(presence.pid, signal.SIGTERM)
        await busy.gone()
    assert [event["event"] for event in found] == ["start", "error"]
    today = (await busy.run("savings", "--json")).json["today"]
    assert today["uncertain_usd"] > 0
    assert today["reserved_usd"] == 0


async def test_one_that_does_not_stop_is_told_and_the_command_ends(busy: Home) -> None:
    """A daemon that is held by a debugger: the process that waits for its end gives up, and ends."""
    pid = busy.presence.pid
    code = """
import anyio, os
from functools import partial
from clawswarm.access.launch import stop
try:
    anyio.run(partial(stop, os.environ, patience=0.2))
except Exception as error:
    print(error)
"""
    os.kill(pid, signal.SIGSTOP)
    try:
        with anyio.fail_after(10):
            ran = await busy.execute([sys.executable, "-c", code])
    finally:
        os.kill(pid, signal.SIGCONT)
    assert ran.out == f"the daemon (pid {pid}) still runs after 0.2 s\n"
    await busy.gone()
