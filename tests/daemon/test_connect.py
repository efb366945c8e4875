"""Which way a command takes: the daemon where it would do the same, else this process, with a word why."""

import os
import signal
from pathlib import Path

import anyio
import pytest

from clawswarm import Swarm
from clawswarm.access.presence import Presence, take_seat
from clawswarm.config.token import token_file
from clawswarm.errors import ConfigError, DaemonNeeded
from tests.daemon.homes import DEMO, Home, a_home
from tests.fakes.behaviours import Hang, Say
from tests.fakes.openai import FakeOpenAI

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

NOTE = "swarm: warning: working without the daemon: "


async def test_a_running_daemon_is_used_and_named(warm: Home) -> None:
    before = (await warm.ask("GET", "/status"))["tasks"]
    ran = await warm.run("parallel", "one", "two", "--json")
    assert f"🐝 Using daemon (port {warm.presence.port})\n" in ran.err
    assert [task["ok"] for task in ran.json["tasks"]] == [True, True]
    bench = await warm.run("bench", "-n", "4", "--latency", "0", "--provider", "demo", "--json")
    assert bench.json["successful"] == 4
    assert "Using daemon" in bench.err
    assert (await warm.ask("GET", "/status"))["tasks"] == before + 6


async def test_the_same_without_it_gives_the_same(warm: Home) -> None:
    with_it = await warm.run("parallel", "one", "two", "--json", "--no-cache")
    without = await warm.run("parallel", "one", "two", "--json", "--no-cache", "--no-daemon")
    assert "daemon" not in without.err
    for ran in (with_it, without):
        for task in ran.json["tasks"]:
            del task["duration_ms"], task["queued_ms"]
    assert with_it.json["tasks"] == without.json["tasks"]
    assert with_it.json["results"] == without.json["results"]


async def test_proxies_of_the_environment_are_not_for_the_daemon(warm: Home) -> None:
    names = ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy")
    nowhere = dict.fromkeys(names, "http://127.0.0.1:9")
    for words in ("parallel hello", "status", "jobs list"):
        ran = await warm.script(f"swarm {words}", **nowhere)
        assert ran.status == 0, ran.err


async def test_more_at_once_than_it_has_workers_is_done_here(warm: Home) -> None:
    ran = await warm.run("parallel", "one", "--concurrency", "17")
    assert f"{NOTE}it has 16 workers, and 17 at once were asked for\n" in ran.err
    assert "Using daemon" not in ran.err
    assert "Using daemon" in (await warm.run("parallel", "one", "--concurrency", "16")).err


async def test_settings_of_ones_own_are_obeyed_here(warm: Home) -> None:
    ran = await warm.script("swarm parallel one", SWARM__LIMITS__TIMEOUT="7")
    assert f"{NOTE}it was started with another configuration (swarm restart takes yours over)\n" in ran.err
    insisted = await warm.script("swarm parallel one --daemon", SWARM__LIMITS__TIMEOUT="7")
    assert "Using daemon" in insisted.err


async def test_the_status_is_for_people_and_for_machines(warm: Home) -> None:
    shown = (await warm.run("status")).out
    presence = warm.presence
    for row in (
        "✅ Running",
        str(presence.port),
        str(presence.pid),
        "16 (0 busy)",
        "demo (demo)",
        "(no cap)",
    ):
        assert row in shown
    found = (await warm.run("status", "--json")).json
    assert (found["status"], found["pid"], found["port"]) == ("running", presence.pid, presence.port)
    assert found["uptime_s"] >= 0
    assert found["endpoints"][0]["state"] == "closed"


async def test_a_swarm_in_python_takes_the_same_way(warm: Home) -> None:
    environ = warm.environment()
    async with Swarm(environ=environ) as swarm:
        assert swarm.uses_daemon
        assert (await swarm.parallel(["one", "two"])).stats.successful == 2
    async with Swarm(environ=environ, use_daemon=False) as swarm:
        assert not swarm.uses_daemon
    async with Swarm(environ=environ, concurrency=99) as swarm:
        assert not swarm.uses_daemon
        assert "16 workers" in swarm.warnings[0]


async def test_a_changed_configuration_is_obeyed_until_a_restart_takes_it_over(home: Home) -> None:
    await home.launch()
    path = home.configure(DEMO + "limits:\n  max_nodes: 5\n")
    later = home.presence.started + 5
    os.utime(path, (later, later))
    ran = await home.run("parallel", "one")
    assert "another configuration" in ran.err
    assert "Workers: 5" in (await home.run("restart")).out
    earlier = home.presence.started - 5
    os.utime(path, (earlier, earlier))
    assert "Using daemon" in (await home.run("parallel", "one")).err


async def test_a_token_that_is_gone_or_open_to_others_is_worked_around(home: Home) -> None:
    await home.launch()
    path = token_file(home.paths)
    path.chmod(0o644)
    ran = await home.run("parallel", "one")
    assert ran.status == 0
    assert f"{NOTE}the token file {path} can be read by other users (mode 0644)" in ran.err
    insisted = await home.run("parallel", "one", "--daemon")
    assert insisted.status == ConfigError.exit_status
    assert (await home.run("status")).status == ConfigError.exit_status
    path.unlink()
    ran = await home.run("parallel", "one")
    assert (ran.status, f"{NOTE}its token file is gone" in ran.err) == (0, True)
    insisted = await home.run("parallel", "one", "--daemon")
    assert insisted.status == 1
    assert "the daemon cannot be used: its token file is gone" in insisted.err
    status = await home.run("status", "--json")
    assert status.json["error"]["hint"] == "make a new one: swarm restart"
    assert (await home.run("restart")).status == 0
    assert (await home.run("status")).status == 0


async def test_one_that_starts_or_stops_is_not_waited_for(home: Home) -> None:
    with take_seat(home.paths) as seat:
        ran = await home.run("parallel", "one")
        assert (ran.status, f"{NOTE}it is starting\n" in ran.err) == (0, True)
        assert (await home.run("status", "--json")).json == {"status": "starting"}
        seat.announce(Presence(pid=os.getpid(), port=None, version="1", started=0, workers=1, settings=""))
        ran = await home.run("parallel", "one")
        assert (ran.status, f"{NOTE}it is stopping\n" in ran.err) == (0, True)
        assert (await home.run("status")).out.count("Stopping") == 1
    with pytest.raises(DaemonNeeded, match="no daemon is running"):
        async with Swarm(environ=home.environment(), use_daemon=True):
            pass


async def test_one_that_dies_under_a_batch_is_told_and_what_was_done_is_kept(tmp_path: Path) -> None:
    configuration = "provider:\n  name: openai\n  model: gpt-6-luna\ndaemon:\n  port: 0\n"
    async with FakeOpenAI() as fake, a_home(tmp_path / "home", configuration) as home:
        home.use(fake)
        await home.launch()
        fake.respond = lambda seen: Hang() if seen.number > 2 else Say()
        async with home.started("parallel", "-c", "1", "a", "b", "c", "--json") as running:
            await fake.wait_calls(3, timeout=10)
            os.kill(home.presence.pid, signal.SIGKILL)
            ran = await running.end()
        assert ran.status == 1
        assert ran.codes[0] is None  # the second answer may have been on its way
        assert ran.codes[2] == "cancelled"
        assert "cannot be reached" in ran.err


async def test_who_stops_listening_cancels_the_work_in_the_daemon(tmp_path: Path) -> None:
    configuration = "provider:\n  name: openai\n  model: gpt-6-luna\ndaemon:\n  port: 0\n"
    async with FakeOpenAI() as fake, a_home(tmp_path / "home", configuration) as home:
        home.use(fake)
        await home.launch()
        fake.enqueue(Say())
        fake.respond = lambda _: Hang()
        async with Swarm(environ=home.environment(), use_daemon=True) as swarm:
            async for event in swarm.stream(["a", "b", "c"]):
                if event.event == "progress":
                    break
            await fake.wait_left(2)
            with anyio.move_on_after(0.1):
                await swarm.parallel(["d"])
            await fake.wait_left(3)
