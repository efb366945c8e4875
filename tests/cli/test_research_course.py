"""`swarm research` on a terminal, through the daemon, and stopped on the way."""

import json
import os
import pty
import re
import signal
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import anyio
import pytest

from tests.cli.research_world import FACT, NAMES, World, analysis, kill_daemon, open_world
from tests.cli.shell import Shell
from tests.cli.terminal import at_terminal
from tests.fakes.behaviours import Hang, Refuse
from tests.fakes.site import article

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

EVIL = "\x1b]0;owned\x07\x1b[2Jtitle\x9b31m"
EVILS = re.compile("\x1b]0;|\x1b\\[2J|\x9b")
DAEMON = pytest.mark.slow(reason="starts a daemon, and commands that use it")


@pytest.fixture
async def world(shell: Shell) -> AsyncGenerator[World]:
    async with open_world(shell) as world:
        yield world


# ---- what is stopped


async def test_ctrl_c_closes_every_socket_and_says_how_far_it_came(world: World) -> None:
    world.fails_for("Mistral", Hang())
    kept = world.shell.file("report.md", "yesterday")
    async with world.shell.started("research", *NAMES, "-o", str(kept)) as running:
        await world.model.wait_until(lambda: len(world.model.calls) == 3 and world.model.in_flight == 1, 20)
        running.signal(signal.SIGINT)
        ran = await running.end()
    await world.model.wait_left(1)
    assert world.model.in_flight == 0
    assert (ran.status, ran.out) == (130, "")
    last = ran.err.splitlines()[-1]
    assert last.startswith("swarm: interrupted in phase 3 of 4 (analyze) with ")
    assert last.endswith(" of 3 tasks done; there is no report")
    assert kept.read_text(encoding="utf-8") == "yesterday"


async def test_ctrl_c_while_pages_are_read_ends_a_stream_of_events_with_an_error(world: World) -> None:
    world.site.silent("/Mistral")
    async with world.shell.started("research", *NAMES, "--ndjson", "-q") as running:
        await world.site.wait_until(lambda: world.site.count("/Mistral") == 1, 20)
        running.signal(signal.SIGTERM)
        ran = await running.end()
    await world.site.wait_closed()
    assert ran.status == 130
    assert [event["event"] for event in ran.events][-1] == "error"
    assert ran.events[-1]["error"]["code"] == "cancelled"
    assert world.model.calls == []


# ---- with the daemon


@DAEMON
async def test_a_research_is_handed_over_as_a_job(world: World) -> None:
    made = await world.run(*NAMES, "--detach")
    job_id = made.out.strip()
    assert made.status == 0
    assert f"📋 3 subjects are worked on. See: swarm jobs wait {job_id}\n" in made.err
    waited = await world.shell.run("jobs", "wait", job_id, "--timeout", "20")
    assert waited.status == 0
    assert all(f"## {name}\n" in waited.out for name in NAMES)


@DAEMON
async def test_a_daemon_that_dies_on_the_way_is_told_with_how_far_it_came(world: World) -> None:
    world.fails_for("Mistral", Hang())
    assert (await world.shell.run("start")).status == 0
    async with world.shell.started("research", *NAMES, "--daemon") as running:
        await world.model.wait_calls(3, 20)
        await kill_daemon(world.shell)
        ran = await running.end()
    assert (ran.status, ran.out) == (1, "")
    assert "🐝 Using daemon (port " in ran.err
    assert "swarm: the research ended in phase " in ran.err
    assert "cannot be reached" in ran.err


# ---- on a terminal


async def test_a_terminal_shows_a_tree_and_nothing_that_a_page_says_to_it(world: World) -> None:
    seen = anyio.Event()
    world.site.page("/OpenAI", article(EVIL, FACT.format(name="OpenAI")), until=seen)
    world.fails_for("Mistral", Refuse(400, f"{EVIL} refused"))
    async with at_terminal(world.shell, "research", *NAMES, "--depth", "quick") as terminal:
        await terminal.asks("Phase 2: Fetch")
        await terminal.asks("Worker 1: OpenAI...")
        seen.set()
        ran = await terminal.end()
    shown = terminal.screen
    assert ran.status == 1
    assert "\x1b[2K" in shown  # lines are drawn over
    assert "✗ Mistral: bad_request: openai answered 400: title refused" in shown
    assert not EVILS.search(shown)
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")  # the cursor comes back
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("form", ["--topic=ferries", "--json", "--ndjson"])
async def test_what_is_asked_for_cannot_steer_the_terminal_either(world: World, form: str) -> None:
    world.search.answers["OpenAI"] = [replace(world.search.answers["OpenAI"][0], title=EVIL)]
    world.model.respond = lambda _: analysis("OpenAI", summary=f"{EVIL}, it says.")
    near, far = pty.openpty()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_all, near)
        try:
            ran = await world.shell.script(f"swarm research OpenAI {form} > {os.ttyname(far)}")
        finally:
            os.close(far)
        shown = reading.result()
    assert ran.status == 0
    assert "title" in shown
    assert not EVILS.search(shown)
    if form == "--json":
        assert json.loads(shown)["subjects"][0]["analysis"] == f"{EVIL}, it says."


def read_all(near: int) -> str:
    """What was written to a pseudo-terminal, once nobody holds its other end."""
    data = b""
    with suppress(OSError):  # Linux's word for the end
        while chunk := os.read(near, 65536):
            data += chunk
    os.close(near)
    return data.decode()


async def test_quiet_leaves_the_terminal_alone(world: World) -> None:
    async with at_terminal(world.shell, "research", "OpenAI", "--quiet") as terminal:
        ran = await terminal.end()
    assert (ran.status, terminal.screen) == (0, "")
    assert ran.out.startswith("# Research\n")
