"""`swarm team log` and `swarm team watch`: the journal as it grows, and the live screen."""

import json
import os
import pty
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest

from tests.cli.conftest import Inside
from tests.cli.shell import PATIENCE, Shell, command
from tests.cli.terminal import Terminal

pytestmark = pytest.mark.timeout(60)


def opened(inside: Inside) -> Inside:
    inside.monkeypatch.setenv("SWARM__TEAM__ALERTS__DESKTOP", "false")
    assert inside.run("team", "open", "Build it").status == 0
    for number in range(1, 5):
        ran = inside.run("team", "agent", "builder", "--say", f"step {number}")
        assert ran.status == 0
    return inside


def test_the_journal_is_a_line_an_event(inside: Inside) -> None:
    lines = opened(inside).run("team", "log").out.splitlines()
    assert [line[:5] for line in lines] == ["    1", "    2", "    3", "    4", "    5"]
    assert lines[0].endswith("  human       a run is opened: Build it")
    assert lines[4].endswith("  builder     Builder is idle: step 4")
    assert inside.run("team", "log", "--limit", "2").out.splitlines() == lines[-2:]
    assert inside.run("team", "log", "--after", "1", "--limit", "2").out.splitlines() == lines[1:3]
    assert inside.run("team", "log", "--after", "9").out == ""
    assert inside.run("team", "log", "--kind", "run-opened").out.splitlines() == lines[:1]
    ran = inside.run("team", "log", "--kind", "agent_reported", "--limit", "1", "--json")
    event = json.loads(ran.out)
    assert (event["seq"], event["actor"], event["facts"]["status"]) == (5, "builder", "idle")
    assert event["at"].endswith("Z")


def test_what_cannot_be_found_is_told_with_what_can(inside: Inside) -> None:
    ran = opened(inside).run("team", "log", "--kind", "party", "--json")
    assert (ran.status, len(ran.events)) == (2, 1)
    assert "run_opened, run_paused" in ran.events[0]["error"]["hint"]
    ran = inside.run("team", "log", "--run", "run-1")
    assert (ran.status, "there is no run 'run-1'" in ran.err, "--runs" in ran.err) == (1, True, True)
    assert inside.run("team", "log", "--runs", "--json").events[0]["goal"] == "Build it"


@pytest.fixture
async def home(shell: Shell) -> Shell:
    shell.environ["SWARM__TEAM__ALERTS__DESKTOP"] = "false"
    assert (await shell.run("team", "open", "Build it")).status == 0
    return shell


@pytest.mark.anyio
@pytest.mark.slow(reason="several commands one after the other, as their user types them")
@pytest.mark.parametrize("how", [("log", "--follow"), ("watch",)], ids=" ".join)
async def test_who_follows_sees_each_event_until_the_run_ends(home: Shell, how: tuple[str, ...]) -> None:
    async with home.started("team", *how) as running:
        stream = running.process.stdout
        assert stream is not None
        first = await stream.receive()
        await home.run("team", "agent", "builder", "--say", "done")
        await home.run("team", "end", "enough")
        ran = await running.end()
    lines = (first.decode() + ran.out).splitlines()
    assert [line.split(maxsplit=3)[0::3] for line in lines] == [
        ["1", "a run is opened: Build it"],
        ["2", "Builder is idle: done"],
        ["3", "the run is ended: enough"],
    ]
    assert ran.status == 0
    assert ran.err.splitlines()[-1].endswith(" has ended")


@pytest.mark.anyio
@pytest.mark.slow(reason="several commands one after the other, as their user types them")
@pytest.mark.parametrize("how", [("log", "-f", "--json"), ("watch",)], ids=" ".join)
async def test_ctrl_c_leaves_in_order(home: Shell, how: tuple[str, ...]) -> None:
    async with home.started("team", *how) as running:
        assert running.process.stdout is not None
        await running.process.stdout.receive()
        running.signal(signal.SIGINT)
        ran = await running.end()
    assert (ran.status, ran.err.replace("swarm: ", "")) == (0, "")


@asynccontextmanager
async def screen_of(shell: Shell, *arguments: str) -> AsyncGenerator[Terminal]:
    """`swarm` with a terminal for all of its streams."""
    master, other = pty.openpty()
    process = await anyio.open_process(
        command(*arguments),
        stdin=other,
        stdout=other,
        stderr=other,
        env=shell.environment() | {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"},
        cwd=shell.home,
        start_new_session=True,
    )
    os.close(other)
    try:
        yield Terminal(process, master)
    finally:
        if process.returncode is None:
            process.kill()
        await process.aclose()
        os.close(master)


@pytest.mark.anyio
@pytest.mark.slow(reason="several commands one after the other, as their user types them")
async def test_the_screen_is_drawn_anew_with_every_change(home: Shell) -> None:
    async with screen_of(home, "team", "watch") as terminal:
        await terminal.asks("0, breaker normal")
        await home.run("team", "agent", "builder", "--status", "working", "--task", "the page")
        await terminal.asks("builder     working   7/10")
        await home.run("team", "emergency", "they contradict each other", "--as", "scout")
        await terminal.asks("they contradict each other")
        await terminal.asks("builder     working  pause")
        terminal.process.send_signal(signal.SIGINT)
        with anyio.fail_after(PATIENCE):
            assert await terminal.process.wait() == 0
    assert "Traceback" not in terminal.screen
    assert "\x1b[?1049h" not in terminal.screen  # no screen of its own: what was last seen stays


@pytest.mark.anyio
@pytest.mark.slow(reason="several commands one after the other, as their user types them")
async def test_who_watches_looks_after_the_run(home: Shell) -> None:
    """Without a daemon: a round is closed at its deadline, and emergency.md is taken in."""
    async with home.started("team", "watch") as running:
        stream = running.process.stdout
        assert stream is not None
        text = (await stream.receive()).decode()
        await home.run("team", "propose", "REST?", "--option", "yes", "--option", "no", "--minutes", "0.01")
        (home.memory / "emergency.md").write_text("the disk is on fire")
        with anyio.fail_after(PATIENCE):
            while not ("round 1 on p2 is closed" in text and "the disk is on fire" in text):
                text += (await stream.receive()).decode()
