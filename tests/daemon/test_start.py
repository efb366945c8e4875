"""`swarm start` and its kin: one daemon a home, and plain words for whatever keeps it from coming up."""

import json
import os
import signal
import socket
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from clawswarm.access.launch import Launched, launch
from clawswarm.access.presence import lock_file, look
from clawswarm.config.token import token_file
from clawswarm.errors import ConfigError, DaemonError
from tests.cli.shell import Ran
from tests.daemon.homes import Home

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]


async def test_a_daemon_is_started_shown_restarted_and_stopped(home: Home) -> None:
    started = await home.run("start", "--workers", "3")
    assert started.status == 0
    port, pid = home.presence.port, home.presence.pid
    assert started.out.splitlines()[:2] == [
        "🐝 Starting Swarm Daemon...",
        f"✅ Daemon ready on port {port}",
    ]
    assert f"Workers: 3\n   PID: {pid}\n" in started.out
    again = await home.run("start", "--json")
    assert (again.json["pid"], again.json["was_running"]) == (pid, True)
    assert again.json["url"] == f"http://127.0.0.1:{port}"
    restarted = await home.run("restart")
    assert restarted.out.startswith(f"🛑 Daemon stopped (PID {pid})\n")
    assert home.presence.pid != pid
    assert home.presence.workers == 16
    stopped = await home.run("stop", "--json")
    assert stopped.json["stopped"] is True
    assert look(home.paths) is None
    assert (await home.run("stop")).out == "No daemon is running.\n"


async def test_starts_at_once_end_in_one_daemon(home: Home) -> None:
    found: list[Launched] = []

    async def start() -> None:
        found.append(await home.launch())

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(start)
    assert len({launched.presence.pid for launched in found}) == 1
    assert [launched.was_running for launched in found].count(False) == 1


async def test_a_second_daemon_on_the_same_home_says_who_is_there(home: Home) -> None:
    await home.launch()
    ran = await home.run("start", "--foreground", "--port", "0")
    presence = home.presence
    assert ran.status == 1
    assert ran.err.startswith(f"swarm: a daemon runs already on port {presence.port} (pid {presence.pid})\n")
    assert "swarm restart" in ran.err


async def test_what_a_killed_daemon_left_behind_stops_nobody(home: Home) -> None:
    first = await home.launch()
    await home.kill()
    assert json.loads(lock_file(home.paths).read_bytes())["pid"] == first.presence.pid
    assert look(home.paths) is None
    status = await home.run("status", "--json")
    assert (status.status, status.json) == (1, {"status": "stopped"})
    second = await home.launch()
    assert not second.was_running
    assert second.presence.pid != first.presence.pid


async def test_a_port_that_is_taken_is_told_with_what_to_do(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ran = await home.run("start", "--port", str(port))
    assert ran.status == 1
    assert ran.err.startswith(f"swarm: port {port} on 127.0.0.1 cannot be used: Address already in use\n")
    assert f"swarm start --port {port + 1}" in ran.err
    assert look(home.paths) is None


def listeners(port: int) -> list[str]:
    """The addresses on which somebody listens at this port, as the kernel writes them."""
    found: list[str] = []
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text(encoding="ascii").splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if local.endswith(f":{port:04X}") and state == "0A":
                found.append(local)
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux shows who listens in a file")
async def test_it_listens_on_loopback_only(home: Home) -> None:
    await home.launch()
    assert home.presence.port is not None
    assert listeners(home.presence.port) == [f"0100007F:{home.presence.port:04X}"]


def doomed(home: Home, end: str) -> None:
    """Make every daemon of this home end right after it has begun: as a broken installation would."""
    folder = home.home / "broken"
    folder.mkdir()
    code = f"""
import os, signal, sys
if "clawswarm.daemon" in sys.orig_argv:
    for number in range(20):
        print("line", number, "of its last words", flush=True)
    {end}
"""
    (folder / "sitecustomize.py").write_text(code, encoding="utf-8")
    home.environ["PYTHONPATH"] = str(folder)


@pytest.mark.parametrize(
    ("end", "how"),
    [("os._exit(3)", "exit status 3"), ("os.kill(os.getpid(), signal.SIGKILL)", "signal 9")],
)
async def test_a_daemon_that_dies_while_it_starts_is_told_with_its_last_words(
    home: Home, end: str, how: str
) -> None:
    doomed(home, end)
    ran = await home.run("start")
    assert ran.status == 1
    assert f"swarm: the daemon died while it was starting ({how}); the last lines of " in ran.err
    assert "    line 19 of its last words\n" in ran.err
    assert "line 9 of" not in ran.err
    assert "swarm start --foreground" in ran.err


async def test_a_database_that_is_none_is_told(home: Home) -> None:
    home.paths.memory.mkdir(parents=True)
    home.paths.database.write_bytes(b"this is no database" * 400)
    ran = await home.run("start", "--json")
    assert ran.status == 1
    assert ran.json["error"]["code"] in ("store_failed", "daemon_failed")
    assert ran.json["error"]["message"]
    assert look(home.paths) is None


async def test_a_home_without_a_provider_is_told_as_not_configured(home: Home) -> None:
    home.configure("provider:\n  name: gemini\ndaemon:\n  port: 0\n")
    ran = await home.run("start")
    assert ran.status == 3
    assert "GEMINI_API_KEY" in ran.err


async def test_a_configuration_that_is_wrong_leaves_the_running_daemon_alone(home: Home) -> None:
    pid = (await home.launch()).presence.pid
    home.configure("limits:\n  max_nodes: none\n")
    assert (await home.run("restart")).status == 3
    assert home.presence.pid == pid


async def test_a_state_directory_that_cannot_be_made_is_told(home: Home) -> None:
    (home.home / "clawd").write_text("a file is in the way", encoding="utf-8")
    ran = await home.run("start")
    assert ran.status == 1
    assert "cannot be written" in ran.err


async def test_the_token_is_made_once_and_only_its_owner_may_read_it(home: Home) -> None:
    await home.launch()
    path = token_file(home.paths)
    assert path.stat().st_mode & 0o777 == 0o600
    token = home.token
    assert len(token) >= 43
    await home.kill()
    await home.launch()
    assert home.token == token
    for file in (*home.paths.log.parent.iterdir(), lock_file(home.paths)):
        assert file.stat().st_mode & 0o077 == 0
    assert token not in " ".join(home.log())


async def test_a_token_that_others_can_read_opens_nothing(home: Home) -> None:
    path = token_file(home.paths)
    path.write_text("known-to-everybody\n", encoding="ascii")
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by other users"):
        await home.launch()
    path.unlink()
    await home.launch()
    assert home.token != "known-to-everybody"


async def test_in_the_foreground_it_ends_with_ctrl_c(home: Home) -> None:
    async with home.started("start", "--foreground", "--port", "0") as running:
        assert running.process.stderr is not None
        with anyio.fail_after(10):
            text = (await running.process.stderr.receive()).decode()
        assert text == f"🐝 Swarm daemon ready on port {home.presence.port}\n"
        running.signal(signal.SIGINT)
        ran: Ran = await running.end()
    assert ran.status == 0
    assert look(home.paths) is None


async def test_a_start_that_is_given_up_does_not_break_the_daemon(home: Home) -> None:
    """The one who waits at the pipe is killed; the daemon comes up, and the next start finds it."""
    async with home.started("start") as running:
        with anyio.fail_after(10):
            while look(home.paths) is None:
                await anyio.to_thread.run_sync(partial(os.stat, home.home))
        running.process.kill()
    launched = await anyio.to_thread.run_sync(partial(_patiently, home))
    assert launched.presence.port is not None
    assert "Traceback" not in home.paths.log.with_name("daemon.out").read_text(encoding="utf-8")


def _patiently(home: Home) -> Launched:
    """Start as often as it takes until the one that is starting has come up."""
    while True:
        try:
            return launch(home.environment(), port=0)
        except DaemonError as error:
            assert "another daemon is starting" in error.message  # noqa: PT017
