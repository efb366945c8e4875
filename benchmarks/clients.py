"""The same loop in each client: some prompts, so many at once, every answer checked.

A contender is run in a fresh process (`run`), so that no import, cache or garbage of one weighs on another.
"""

import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any, Literal

from benchmarks.server import ANSWER, MODEL

WARM_UP = 16
"""Prompts asked before the clock starts: imports that are put off and first-call set-up are then done."""

KEY = "sk-benchmark"

ClientName = Literal["swarm", "swarm, cache on", "aiohttp", "openai", "litellm"]
Ask = Callable[[Sequence[str], int], Awaitable[list[str | None]]]
"""Prompts and how many at once → their answers in order."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one child does: batches one after another on one open client."""

    client: ClientName
    base_url: str
    batches: tuple[int, ...]
    at_once: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What one batch took: seconds of wall time, and of CPU in all threads of the client's process."""

    tasks: int
    wall: float
    cpu: float


def run(job: Job) -> list[Sample]:
    """Run `job` in a fresh process; one sample a batch."""
    with tempfile.TemporaryDirectory(prefix="swarm-bench-") as home:
        environ = {**os.environ, "HOME": home, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.clients", json.dumps(asdict(job))],
            stdout=subprocess.PIPE,
            check=True,
            text=True,
            env=environ,
        )
    return [Sample(**sample) for sample in json.loads(done.stdout.splitlines()[-1])]


async def pooled(
    prompts: Sequence[str], at_once: int, ask: Callable[[str], Awaitable[str | None]]
) -> list[str | None]:
    """The loop that a careful user writes around a client: `at_once` workers on one queue."""
    answers: list[str | None] = [None] * len(prompts)
    queue = iter(enumerate(prompts))

    async def work() -> None:
        for index, prompt in queue:
            answers[index] = await ask(prompt)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, len(prompts))):
            group.create_task(work())
    return answers


# ---- the contenders
#
# The peers are imported by name: they are installed for benchmarks only, and type checking does without them.


@asynccontextmanager
async def _swarm(job: Job) -> AsyncGenerator[Ask]:
    from clawswarm import Swarm

    environ = {**os.environ, "OPENAI_BASE_URL": job.base_url, "OPENAI_API_KEY": KEY}
    cache = job.client == "swarm, cache on"
    async with Swarm(
        provider="openai",
        model=MODEL,
        concurrency=job.at_once,
        cache=cache,
        use_daemon=False,
        environ=environ,
    ) as swarm:

        async def ask(prompts: Sequence[str], at_once: int) -> list[str | None]:
            return (await swarm.parallel(prompts)).results

        yield ask


@asynccontextmanager
async def _aiohttp(job: Job) -> AsyncGenerator[Ask]:
    import aiohttp

    url = f"{job.base_url}/chat/completions"
    headers = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def ask(prompt: str) -> str | None:
            body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": prompt}]}).encode()
            async with session.post(url, data=body, headers=headers) as response:
                return json.loads(await response.read())["choices"][0]["message"]["content"]

        yield lambda prompts, at_once: pooled(prompts, at_once, ask)


@asynccontextmanager
async def _openai(job: Job) -> AsyncGenerator[Ask]:
    openai: Any = import_module("openai")
    async with openai.AsyncOpenAI(base_url=job.base_url, api_key=KEY, max_retries=0) as client:

        async def ask(prompt: str) -> str | None:
            completion = await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": prompt}]
            )
            return completion.choices[0].message.content

        yield lambda prompts, at_once: pooled(prompts, at_once, ask)


@asynccontextmanager
async def _litellm(job: Job) -> AsyncGenerator[Ask]:
    litellm: Any = import_module("litellm")

    async def ask(prompt: str) -> str | None:
        completion = await litellm.acompletion(
            model=f"openai/{MODEL}",
            messages=[{"role": "user", "content": prompt}],
            api_base=job.base_url,
            api_key=KEY,
            max_retries=0,
        )
        return completion.choices[0].message.content

    yield lambda prompts, at_once: pooled(prompts, at_once, ask)


_CONTENDERS: dict[ClientName, Callable[[Job], AbstractAsyncContextManager[Ask]]] = {
    "swarm": _swarm,
    "swarm, cache on": _swarm,
    "aiohttp": _aiohttp,
    "openai": _openai,
    "litellm": _litellm,
}


# ---- the child


async def _measure(job: Job) -> list[Sample]:
    samples: list[Sample] = []
    async with _CONTENDERS[job.client](job) as ask:
        _check(await ask([f"Warm-up {index}" for index in range(WARM_UP)], job.at_once))
        gc.collect()  # what imports and set-up left behind is not a batch's to clear
        for number, tasks in enumerate(job.batches):
            prompts = [f"What is the capital of France? ({number}.{index})" for index in range(tasks)]
            wall, cpu = time.perf_counter(), time.process_time()
            answers = await ask(prompts, job.at_once)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            _check(answers)
            samples.append(Sample(tasks=tasks, wall=wall, cpu=cpu))
    return samples


def _check(answers: list[str | None]) -> None:
    wrong = sum(answer != ANSWER for answer in answers)
    if wrong:
        raise SystemExit(f"{wrong} of {len(answers)} answers are wrong or missing")


if __name__ == "__main__":
    given: dict[str, Any] = json.loads(sys.argv[1])
    given["batches"] = tuple(given["batches"])
    print(json.dumps([asdict(sample) for sample in asyncio.run(_measure(Job(**given)))]), flush=True)
