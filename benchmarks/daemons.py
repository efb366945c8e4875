"""A warm daemon of its own home for a benchmark, and a plain client of its HTTP API."""

import json
import os
import signal
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import aiohttp
import psutil

from benchmarks.clients import KEY, Sample
from benchmarks.server import MODEL
from clawswarm.access.launch import launch
from clawswarm.access.presence import wait_gone
from clawswarm.config.paths import Paths
from clawswarm.config.token import read_token


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that answers."""

    url: str
    token: str
    pid: int

    @property
    def cpu(self) -> float:
        """Seconds of CPU that it has used, in all threads."""
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system

    @property
    def rss_mib(self) -> float:
        """Mebibytes that are resident now."""
        return psutil.Process(self.pid).memory_info().rss / 2**20


@contextmanager
def home(base_url: str, **settings: str) -> Generator[dict[str, str]]:
    """The environment of a new home whose provider answers at `base_url`."""
    with tempfile.TemporaryDirectory(prefix="swarm-bench-") as folder:
        yield {
            **os.environ,
            "HOME": folder,
            "OPENAI_BASE_URL": base_url,
            "OPENAI_API_KEY": KEY,
            "SWARM__PROVIDER__NAME": "openai",
            "SWARM__PROVIDER__MODEL": MODEL,
            "SWARM__DAEMON__PORT": "0",
            **settings,
        }


@contextmanager
def daemon(environ: Mapping[str, str]) -> Generator[Daemon]:
    """Start a daemon in that home, and kill it at the end."""
    paths = Paths.of(environ)
    presence = launch(environ).presence
    try:
        yield Daemon(presence.url, read_token(paths) or "", presence.pid)
    finally:
        os.kill(presence.pid, signal.SIGKILL)
        wait_gone(paths)


@asynccontextmanager
async def client(running: Daemon) -> AsyncGenerator[aiohttp.ClientSession]:
    """A session with the token, and a connection that stays open."""
    headers = {"Authorization": f"Bearer {running.token}"}
    async with aiohttp.ClientSession(running.url, headers=headers) as session:
        yield session


async def ask(session: aiohttp.ClientSession, prompts: Sequence[str], **options: object) -> float:
    """One batch to its last event; the seconds it took, as its client saw them."""
    body = json.dumps({"prompts": list(prompts), "keep_results": False, **options})
    began = time.perf_counter()
    async with session.post("/parallel", data=body, headers={"Content-Type": "application/json"}) as answer:
        raw = await answer.read()
    took = time.perf_counter() - began
    *progress, last = [json.loads(line) for line in raw.splitlines()]
    done = [event for event in progress if event["event"] == "progress"]
    assert answer.status == 200, raw[:300]
    assert last["event"] == "complete", last
    assert len(done) == len(prompts) and all(event["ok"] for event in done)  # noqa: PT018
    return took


def sample(running: Daemon, tasks: int, wall: float, cpu_before: float) -> Sample:
    return Sample(tasks, wall, running.cpu - cpu_before)
