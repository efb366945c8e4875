"""The process that a host starts: ready at once, JSON only on standard output, gone with its client."""

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import Process

from tests.daemon.homes import Home
from tests.fakes.openai import FakeOpenAI
from tests.jobs.support import Gate
from tests.mcp.support import bare, over_stdio, use_fake

pytestmark = [pytest.mark.anyio, pytest.mark.slow("it starts processes")]

COMMAND = [sys.executable, "-m", "clawswarm.cli.main", "mcp"]
GRACE = 2.0
"""Seconds in which it has to be gone (issue, point 6)."""

INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


class Wire:
    """The protocol by hand: for what a proper client would never do."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._rest = b""

    async def send(self, message: dict[str, Any] | bytes) -> None:
        assert self.process.stdin is not None
        data = message if isinstance(message, bytes) else json.dumps({"jsonrpc": "2.0", **message}).encode()
        await self.process.stdin.send(data + b"\n")

    async def receive(self) -> dict[str, Any]:
        """The next line of standard output, which has to be JSON-RPC."""
        assert self.process.stdout is not None
        while b"\n" not in self._rest:
            self._rest += await self.process.stdout.receive()
        line, _, self._rest = self._rest.partition(b"\n")
        document = json.loads(line)
        assert document["jsonrpc"] == "2.0"
        return document

    async def ask(self, id_: int, method: str, **params: Any) -> dict[str, Any]:
        await self.send({"id": id_, "method": method, "params": params})
        answer = await self.receive()
        assert answer["id"] == id_
        return answer

    async def shake_hands(self) -> None:
        await self.ask(0, "initialize", **INITIALIZE)
        await self.send({"method": "notifications/initialized"})

    async def end(self) -> int:
        """Close its input; its exit status, in time."""
        assert self.process.stdin is not None
        await self.process.stdin.aclose()
        with anyio.fail_after(GRACE):
            return await self.process.wait()


@asynccontextmanager
async def started(environ: dict[str, str], **options: Any) -> AsyncGenerator[Wire]:
    process = await anyio.open_process(COMMAND, env=environ, start_new_session=True, **options)
    try:
        with anyio.fail_after(25):
            yield Wire(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.aclose()


async def test_it_leaves_with_status_0_when_its_input_ends(tmp_path: Path) -> None:
    async with started(bare(tmp_path)) as wire:
        await wire.shake_hands()
        assert await wire.end() == 0
    async with started(bare(tmp_path)) as wire:  # without a word
        with anyio.fail_after(10):
            await wire.process.stdin.aclose()  # pyright: ignore[reportOptionalMemberAccess]
            assert await wire.process.wait() == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
async def test_without_streams_there_is_nobody_to_serve(home: Home, closed: str) -> None:
    ran = await home.script(f"swarm mcp {closed} </dev/null" if closed == ">&-" else f"swarm mcp {closed}")
    assert ran.status == 0, ran.err


async def test_requests_from_a_file_are_answered_too(tmp_path: Path) -> None:
    """And lines of any length, the last one without an end."""
    call = {"name": "swarm_parallel", "arguments": {"prompts": ["x" * 300_000], "wait": "never"}}
    lines = (
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": INITIALIZE},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
        {"jsonrpc": "2.0", "id": 2, "method": "ping"},
    )
    requests = tmp_path / "requests.jsonl"
    requests.write_text("\n".join(map(json.dumps, lines)))
    with requests.open("rb") as file, anyio.fail_after(25):
        done = await anyio.run_process(COMMAND, stdin=file, env=bare(tmp_path))
    answered = [json.loads(line)["id"] for line in done.stdout.splitlines()]
    assert answered[0] == 0
    assert set(answered) <= {0, 1, 2}


async def test_it_leaves_in_the_middle_of_work_and_closes_its_calls(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        use_fake(tmp_path, fake)
        Gate(fake)
        async with started(bare(tmp_path)) as wire:
            await wire.shake_hands()
            arguments = {"prompts": ["a", "b"]}
            await wire.send(
                {
                    "id": 1,
                    "method": "tools/call",
                    "params": {"name": "swarm_parallel", "arguments": arguments},
                }
            )
            await fake.wait_in_flight(2, timeout=15)
            assert await wire.end() == 0
        await fake.wait_left(2)


async def test_it_leaves_though_something_hangs(tmp_path: Path) -> None:
    """Two that start the daemon wait for each other; this one waits for a test that has no such intention."""
    memory = tmp_path / "clawd" / "memory"
    memory.mkdir(parents=True)
    with (memory / "daemon.starting").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        async with FakeOpenAI() as fake, started(bare(tmp_path)) as wire:
            use_fake(tmp_path, fake)
            await wire.shake_hands()
            await wire.ask(1, "tools/call", name="swarm_parallel", arguments={"prompts": ["a"]})
            arguments = {"prompts": ["b"], "wait": 0}
            await wire.send(
                {
                    "id": 2,
                    "method": "tools/call",
                    "params": {"name": "swarm_parallel", "arguments": arguments},
                }
            )
            await wire.ask(3, "tools/call", name="swarm_job", arguments={"action": "list"})
            assert await wire.end() == 0
            assert len(fake.calls) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_leaves_when_it_is_told_to(tmp_path: Path, number: signal.Signals) -> None:
    async with started(bare(tmp_path)) as wire:
        await wire.shake_hands()
        wire.process.send_signal(number)
        with anyio.fail_after(GRACE):
            assert await wire.process.wait() == 0


PARENT = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=0, stdout=1)
print(child.pid, file=sys.stderr, flush=True)
child.wait()
"""


async def test_it_leaves_when_its_parent_is_killed_though_its_input_stays_open(tmp_path: Path) -> None:
    """The pipe's other end is this test's, which lives on."""
    line = [sys.executable, "-c", PARENT, *COMMAND]
    parent = await anyio.open_process(line, env=bare(tmp_path), stderr=subprocess.PIPE)
    async with parent:
        assert parent.stderr is not None
        child = int(await parent.stderr.receive())
        wire = Wire(parent)
        await wire.shake_hands()
        parent.send_signal(signal.SIGKILL)
        await parent.wait()
        with anyio.fail_after(GRACE):
            await anyio.to_thread.run_sync(_gone, child, abandon_on_cancel=True)


def _gone(process: int) -> None:
    """Return once there is no such process; nobody here may wait for somebody else's child."""
    with open(os.pidfd_open(process), "rb", closefd=True) as ended:
        select.select([ended], [], [])


async def test_what_is_printed_by_mistake_goes_to_standard_error(tmp_path: Path) -> None:
    """From Python, from C, from a child: a module that is loaded with the first call does all of it."""
    folder = tmp_path / "stray"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import os, sys, threading\n"
        "class Stray:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'clawswarm.access.ways':\n"
        "            print('stray')\n"
        "            sys.stdout.flush()\n"
        "            os.write(1, b'raw\\n')\n"
        "            os.system('echo child')\n"
        "sys.meta_path.insert(0, Stray())\n"
    )
    environ = bare(tmp_path) | {"PYTHONPATH": str(folder)}
    process = await anyio.open_process(
        [sys.executable, "-m", "clawswarm_mcp"], env=environ, stderr=subprocess.PIPE
    )
    async with process:
        wire = Wire(process)
        await wire.shake_hands()
        answer = await wire.ask(1, "tools/call", name="team_status", arguments={})
        assert answer["result"]["structuredContent"]["directive"] == "stop"
        assert process.stderr is not None
        heard = b""
        while not all(word in heard for word in (b"stray\n", b"raw\n", b"child\n")):
            heard += await process.stderr.receive()
        assert await wire.end() == 0


async def test_a_stale_cancellation_and_noise_do_no_harm(tmp_path: Path) -> None:
    """OpenClaw sends such a cancellation some 30 s after it has connected."""
    async with started(bare(tmp_path)) as wire:
        await wire.shake_hands()
        await wire.send({"method": "notifications/cancelled", "params": {"requestId": 0, "reason": "late"}})
        await wire.send(b"this is no JSON")
        await wire.send(b'{"jsonrpc": "2.0"}')
        await wire.send({"method": "notifications/nobody/knows", "params": {}})
        answer = await wire.ask(1, "tools/call", name="team_status", arguments={})
        assert answer["result"]["structuredContent"]["directive"] == "stop"


async def test_arguments_of_any_shape_are_an_error_of_the_tool(tmp_path: Path) -> None:
    async with started(bare(tmp_path)) as wire:
        await wire.shake_hands()
        shapes: tuple[Any, ...] = (5, "text", ["prompts"], True, '["a"]', "{", {"prompts": 5})
        for number, arguments in enumerate(shapes, 1):
            answer = await wire.ask(number, "tools/call", name="swarm_parallel", arguments=arguments)
            assert answer["result"]["isError"] is True
            assert "call it like this" in answer["result"]["content"][0]["text"]
        text = await wire.ask(91, "tools/call", name="swarm_job", arguments='{"action": "list"}')
        assert text["result"]["structuredContent"] == {"jobs": []}
        for name in (["swarm_job"], None, 7, ""):
            nobody = await wire.ask(92, "tools/call", name=name, arguments={})
            assert nobody["result"]["isError"] is True


async def test_what_the_parser_would_drop_is_answered(tmp_path: Path) -> None:
    params = '{{"name": "swarm_job", "arguments": {}}}'
    call = f'{{{{"jsonrpc": "2.0", "id": {{}}, "method": "tools/call", "params": {params}}}}}'
    async with started(bare(tmp_path)) as wire:
        await wire.shake_hands()
        for number, arguments in enumerate((r'{"job_id": "\ud83d"}', '{"limit": ' + "9" * 5_000 + "}"), 1):
            await wire.send(call.format(number, arguments).encode())
            answer = await wire.receive()
            assert (answer["id"], answer["result"]["isError"]) == (number, True)
        await wire.send(call.format(3, "[" * 5_000 + "]" * 5_000).encode())
        answer = await wire.receive()
        assert (answer["id"], answer["error"]["code"]) == (3, -32601)


async def test_several_servers_share_a_home(home: Home) -> None:
    """OpenClaw starts one a session. What one of them does the others see."""
    async with over_stdio(bare(home.home)) as one, over_stdio(bare(home.home)) as two:
        run = (await one.good("team_start", goal="Build it")).data["run"]
        assert (await two.good("team_status")).data["run"]["id"] == run

        async def write(desk: Any, role: str) -> None:
            for number in range(5):
                await desk.good("team_message", role=role, to="director", content=f"{role} {number}")

        async with anyio.create_task_group() as group:
            group.start_soon(write, one, "scout")
            group.start_soon(write, two, "builder")
        inbox = await one.good("team_message", role="director", action="inbox")
        assert inbox.data["unread"] == 10
        job = (await one.good("swarm_parallel", prompts=["a"], wait=0)).data["job_id"]
        assert (await two.good("swarm_job", job_id=job)).data["results"][0]["ok"]


async def test_a_configuration_that_cannot_be_used_is_told_and_can_be_put_right(home: Home) -> None:
    home.configure("provider:\n  name: nobody\n")
    async with over_stdio(bare(home.home)) as desk:
        assert len((await desk.client.list_tools()).tools) == 10
        words = await desk.refused("swarm_parallel", prompts=["a"])
        assert "node-scaling.yaml" in words
        assert "provider.name" in words
        home.configure("provider:\n  name: demo\n")
        assert (await desk.good("swarm_parallel", prompts=["a"])).data["status"] == "complete"


async def test_a_daemon_that_comes_and_goes_is_followed(home: Home) -> None:
    async with over_stdio(bare(home.home)) as desk:
        ids: list[str] = []
        for daemon in (False, True, False, True):
            if daemon:
                await home.launch()
            elif ids:
                await home.kill()
            ids.append((await desk.good("swarm_parallel", prompts=["a"])).data["job_id"])
        assert [job_id.partition("-")[0] for job_id in ids] == ["here", "job", "here", "job"]
        for job_id in ids:
            assert (await desk.good("swarm_job", job_id=job_id)).data["status"] == "complete"


async def test_nothing_heavy_is_loaded_before_it_is_ready(tmp_path: Path) -> None:
    """What a call needs (the engine, the database, the web) is loaded by the first call."""
    code = (
        "import sys, clawswarm_mcp.stdio\n"
        "print(*sorted(name for name in sys.modules if '.' not in name or name.startswith('clawswarm.')))"
    )
    done = await anyio.run_process([sys.executable, "-c", code], env=bare(tmp_path))
    loaded = set(done.stdout.decode().split())
    assert not loaded & {"sqlalchemy", "aiohttp", "trafilatura", "anthropic", "dbos", "fastapi", "typer"}
    packages = {name.split(".")[1] for name in loaded if name.startswith("clawswarm.")}
    assert not packages & {"modes", "team", "store", "engine", "providers", "web"}
