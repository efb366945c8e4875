"""200 clients that stream from one daemon for a minute: errors, strayed events, pace, the daemon's memory.

Each client asks batch after batch, with prompts that name it. Every event is read and checked: one that names
somebody else has strayed. The daemon is a process of its own, with the demo provider at 50 ms an answer; its
memory is what the kernel says is resident, once a second.
"""

import asyncio
import json
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp
import anyio

from benchmarks.report import Line, Row, command, say
from benchmarks.server import raise_file_limit
from clawswarm.access.launch import launch
from clawswarm.access.presence import Presence, wait_gone
from clawswarm.config.paths import Paths
from clawswarm.config.token import read_token

CLIENTS = 200
PROMPTS = 5
SECONDS = 60
MODEL = "demo-50ms"
RUNS = 3
MARKS = (0.25, 0.50, 0.75, 1.00)
GROWTH = 8
"""MiB that the second half of a run may add."""

MIB = 1024 * 1024


@dataclass(slots=True)
class _Run:
    """What one run found."""

    batches: int = 0
    events: int = 0
    strayed: int = 0
    errors: list[str] = field(default_factory=list[str])
    batch_ms: list[float] = field(default_factory=list[float])
    sizes: list[float] = field(default_factory=list[float])

    def at(self, mark: float) -> float:
        return self.sizes[min(len(self.sizes), round(mark * len(self.sizes))) - 1]


def measure(runs: int) -> Row:
    """Errors, strayed events, pace and memory of each run."""
    raise_file_limit()
    found: list[_Run] = []
    for number in range(1, runs + 1):
        say(f"run {number} of {runs}: {CLIENTS} clients, {SECONDS} s")
        with tempfile.TemporaryDirectory(prefix="swarm-bench-") as folder:
            found.append(_one(Path(folder)))
        for error in sorted(set(found[-1].errors))[:5]:
            say(f"  {error}")
    name = f"{CLIENTS} clients"
    return Row(
        "streams",
        f"{CLIENTS} clients stream batches of {PROMPTS} from one daemon for {SECONDS} s, {MODEL}",
        (
            Line(name, "errors", tuple(float(len(run.errors)) for run in found), 0, digits=0),
            Line("", "strayed events", tuple(float(run.strayed) for run in found), 0, digits=0),
            Line("", "events/s", tuple(run.events / SECONDS for run in found), digits=0),
            Line("", "batch ms, median", tuple(statistics.median(run.batch_ms) for run in found), digits=0),
            Line("", "batch ms, slowest", tuple(max(run.batch_ms) for run in found), digits=0),
            *(
                Line("", f"MiB at {mark:.0%}", tuple(run.at(mark) for run in found), digits=0)
                for mark in MARKS
            ),
            Line(
                "",
                "MiB added, 50% to 100%",
                tuple(run.at(1.0) - run.at(0.5) for run in found),
                GROWTH,
                digits=1,
            ),
        ),
    )


def _one(home: Path) -> _Run:
    environ = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "SWARM__PROVIDER__NAME": "demo",
        "SWARM__CACHE__ENABLED": "false",
        "SWARM__DAEMON__PORT": "0",
        **({"PYTHONPATH": os.environ["PYTHONPATH"]} if "PYTHONPATH" in os.environ else {}),
    }
    presence = launch(environ, workers=CLIENTS * PROMPTS).presence
    try:
        return anyio.run(partial(_stream, presence, environ))
    finally:
        os.kill(presence.pid, signal.SIGTERM)
        wait_gone(Paths.of(environ))


async def _stream(presence: Presence, environ: Mapping[str, str]) -> _Run:
    run, end = _Run(), time.monotonic() + SECONDS
    headers = {"Authorization": f"Bearer {read_token(Paths.of(environ))}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(presence.url, connector=connector, headers=headers) as client,
        asyncio.TaskGroup() as group,
    ):
        for number in range(CLIENTS):
            group.create_task(_listen(client, number, end, run))
        group.create_task(_watch(presence.pid, end, run))
    return run


async def _listen(client: aiohttp.ClientSession, number: int, end: float, run: _Run) -> None:
    batch = 0
    while time.monotonic() < end:
        batch += 1
        mark = f"<{number}.{batch}>"
        began = time.monotonic()
        try:
            await _batch(client, mark, run)
        except (aiohttp.ClientError, OSError, ValueError, LookupError) as error:
            run.errors.append(f"{type(error).__name__}: {error}")
        run.batch_ms.append((time.monotonic() - began) * 1000)
        run.batches += 1


async def _batch(client: aiohttp.ClientSession, mark: str, run: _Run) -> None:
    body = {"prompts": [f"{mark} {index}" for index in range(PROMPTS)], "model": MODEL}
    seen: set[int] = set()
    last = ""
    async with client.post("/parallel", json=body) as answer:
        answer.raise_for_status()
        async for line in answer.content:
            event = json.loads(line)
            last = event["event"]
            run.events += 1
            if last == "progress":
                seen.add(event["index"])
                run.strayed += mark not in event["task"]["text"]
            elif last == "complete":
                run.strayed += sum(mark not in text for text in event["results"])
    if last != "complete" or len(seen) != PROMPTS:
        raise ValueError(f"the stream ended with {last!r} after {len(seen)} of {PROMPTS} results")


async def _watch(pid: int, end: float, run: _Run) -> None:
    """Note once a second what is resident."""
    size = os.sysconf("SC_PAGE_SIZE") / MIB
    while time.monotonic() < end:
        await asyncio.sleep(1)
        run.sizes.append(int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * size)  # noqa: ASYNC240


if __name__ == "__main__":
    command(measure, runs=RUNS)
