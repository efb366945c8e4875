"""From level 3 on a human is told, by the command itself where no daemon runs; never without a receipt."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.cli.shell import Shell
from tests.team.hooks import Hook

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(60)]

ALARM = ("team", "emergency", "the disk is on fire", "--level", "3")


@pytest.fixture
async def home(shell: Shell) -> Shell:
    shell.environ["SWARM__TEAM__ALERTS__DESKTOP"] = "false"
    return shell


@pytest.mark.slow(reason="a webhook that takes nothing at first, and the waits between the tries")
async def test_without_a_daemon_the_command_calls_the_human(home: Shell) -> None:
    async with Hook(refusals=1) as hook:
        home.environ["SWARM__TEAM__ALERTS__WEBHOOK"] = hook.url
        await home.run("team", "open", "Build it")
        ran = await home.run(*ALARM)
        assert ran.status == 0
        assert ran.out.splitlines() == [
            "e2  level 3, alarm raised by hand: the disk is on fire",
            "a3  a human is called: Swarm: level 3, alarm raised by hand",
        ]
        assert re.search(r"^swarm: a3, for e2: webhook took it at \d\d:\d\d:\d\d, HTTP 200$", ran.err, re.M)
        assert [heard.status for heard in hook.heard] == [503, 200]
        assert len({heard.key for heard in hook.heard}) == 1
        status = await home.run("team", "status", "--json")
        assert [each["human_told"] for each in status.json["emergencies"]["open"]] == [True]
        assert "webhook took it at" in (await home.run("team", "status")).out
        await home.run("team", "resolve", "e2", "put out")
        assert len(hook.heard) == 2
    assert len(list((home.home / "clawd" / "alerts").iterdir())) == 2  # the alert, and the lock


@pytest.mark.slow(reason="a webhook that takes nothing, and a command that waits 15 seconds for it")
async def test_who_could_not_be_told_was_not_told(home: Shell) -> None:
    async with Hook(refusals=99) as hook:
        home.environ["SWARM__TEAM__ALERTS__WEBHOOK"] = hook.url
        await home.run("team", "open", "Build it")
        ran = await home.run(*ALARM, "--json")
        assert ran.status == 0
        assert [each["receipts"][0]["channel"] for each in ran.json["alerts"]] == ["file"]
        assert ran.err.splitlines() == [
            "swarm: a3, for e2: nobody has been told yet",
            "  webhook: HTTP 503",
            "  no daemon runs that would keep trying: swarm start",
        ]
        assert 3 <= len(hook.heard) < 20
        shown = " ".join((await home.run("team", "status")).out.split())
        assert "nobody has been told yet; webhook: HTTP 503" in shown
        assert "took it" not in shown


@asynccontextmanager
async def running_daemon(home: Shell) -> AsyncGenerator[None]:
    home.environ |= {"SWARM__PROVIDER__NAME": "demo", "SWARM__DAEMON__PORT": "0"}
    assert (await home.run("start")).status == 0
    try:
        yield
    finally:
        assert (await home.run("stop")).status == 0


@pytest.mark.slow(reason="starts a daemon")
async def test_the_daemon_calls_the_human_where_one_runs(home: Shell) -> None:
    async with Hook() as hook:
        home.environ["SWARM__TEAM__ALERTS__WEBHOOK"] = hook.url
        async with running_daemon(home):
            opened = await home.run("team", "open", "Build it")
            assert "no daemon" not in opened.err
            ran = await home.run(*ALARM)
        assert re.search(r"^swarm: a3, for e2: webhook took it at \d\d:\d\d:\d\d, HTTP 200$", ran.err, re.M)
        assert [heard.status for heard in hook.heard] == [200]


async def test_a_home_with_files_only_says_that_nobody_is_called(home: Shell) -> None:
    await home.run("team", "open", "Build it")
    ran = await home.run(*ALARM)
    assert ran.err.splitlines() == [
        "swarm: a3, for e2: nobody has been told yet",
        "  the file in the alerts folder is all there is; to be called, set team.alerts.webhook",
    ]
    again = await home.run(*ALARM)  # the same cause calls nobody twice
    assert (again.status, again.err) == (0, "")
