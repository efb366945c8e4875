"""A tool call that does nothing long, through the daemon's `/mcp`, beside a bare SDK server over HTTP."""

import socket
import statistics
import subprocess
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import anyio
import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from benchmarks.daemons import Daemon, daemon, home
from benchmarks.mcp_wire import BARE
from benchmarks.report import RUNS, Line, Row, command, say

CALLS = 200
TARGET = 1.0
"""Milliseconds on top of the echo tool."""

PATIENCE = 30
"""Seconds for a server to come up."""


def measure(runs: int) -> Row:
    """Milliseconds of a call, the median of many; both in turns, each in one session."""
    with home("http://127.0.0.1:9") as environ, daemon(environ) as ours, _bare() as port:
        job, echo = anyio.run(_measure, ours, port, runs)
    above = tuple(a - b for a, b in zip(job, echo, strict=True))
    return Row(
        "mcp_http",
        "A tool call that does nothing long, over HTTP",
        (
            Line("swarm_job − echo", "ms a call", above, TARGET),
            Line("swarm_job, through the daemon", "ms a call", tuple(job)),
            Line("echo, bare SDK server", "ms a call", tuple(echo)),
        ),
    )


async def _measure(ours: Daemon, port: int, runs: int) -> tuple[list[float], list[float]]:
    job: list[float] = []
    echo: list[float] = []
    async with (
        _client(f"{ours.url}/mcp", ours.token) as swarm,
        _client(f"http://127.0.0.1:{port}/mcp", "") as bare,
    ):
        await _milliseconds(swarm, "swarm_job", {"action": "list"})  # builds the server, opens the store
        for number in range(runs):
            say(f"round {number + 1} of {runs}")
            calls = [(bare, "echo", {"text": "hello"}), (swarm, "swarm_job", {"action": "list"})]
            times: list[list[float]] = [[], []]
            for _ in range(CALLS):  # in turns, so that a busy moment falls on both
                for (client, name, arguments), found in zip(calls, times, strict=True):
                    found.append(await _milliseconds(client, name, arguments))
            echo.append(statistics.median(times[0]))
            job.append(statistics.median(times[1]))
    return job, echo


async def _milliseconds(client: Client, name: str, arguments: dict[str, Any]) -> float:
    began = time.perf_counter()
    result = await client.call_tool(name, arguments)
    took = (time.perf_counter() - began) * 1000
    assert not result.is_error, result
    return took


@asynccontextmanager
async def _client(url: str, token: str) -> AsyncGenerator[Client]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http), mode="legacy") as client,
    ):
        yield client


@contextmanager
def _bare() -> Generator[int]:
    """The bare server on a free port, once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([*BARE, str(port)], stderr=subprocess.DEVNULL)
    try:
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
        yield port
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    command(measure, runs=RUNS)
