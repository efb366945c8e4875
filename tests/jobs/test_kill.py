"""kill -9 of a real daemon: every job ends, and nothing that is stored is asked for again."""

import os
import random
import signal
from pathlib import Path

import anyio
import pytest

from clawswarm.access.job_reader import open_job_reader
from clawswarm.errors import DaemonNeeded
from tests.fakes.behaviours import Behaviour, Hang, Say
from tests.fakes.openai import FakeOpenAI
from tests.fakes.wire import Seen
from tests.jobs.kill_rounds import rounds
from tests.jobs.machine import Machine
from tests.jobs.support import numbered, prompt_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow(reason="starts daemons and kills them"),
    pytest.mark.timeout(60),
]


async def test_kills_at_random_moments_lose_nothing_and_ask_nothing_twice(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    print("python -m tests.jobs.kill_rounds --rounds 5 --seed", seed)  # noqa: T201 - shown when it fails
    figures = await rounds(tmp_path, 5, seed)
    print(figures)  # noqa: T201
    assert figures.kills >= 5
    assert figures.faults == 0


async def test_the_task_that_kills_the_daemon_each_time_is_parked_and_the_rest_is_done(
    tmp_path: Path,
) -> None:
    async with FakeOpenAI() as server:
        machine = Machine(tmp_path, server, workers=4)

        def answer(seen: Seen) -> Behaviour:
            if prompt_of(seen) != "p5":
                return Say()
            assert machine.pid is not None
            os.kill(machine.pid, signal.SIGKILL)
            return Hang()

        try:
            await machine.launch()
            server.respond = lambda _: Hang()
            job_id = await machine.submit(numbered(30))
            await server.wait_calls(4)
            await machine.kill()  # nobody's fault, and held against four that were in flight
            server.respond = answer
            for _ in range(3):
                before = sum(prompt_of(seen) == "p5" for seen in server.calls)
                machine.spawn()
                await server.wait_until(
                    lambda before=before: sum(prompt_of(seen) == "p5" for seen in server.calls) > before, 20
                )
                await machine.reaped()
            await machine.launch()
            async with machine.way() as remote:
                page = await remote.job(job_id, wait=20)
        finally:
            await machine.close()
    assert sum(prompt_of(seen) == "p5" for seen in server.calls) == 3
    assert [(item["index"], item["error"]["code"]) for item in page.items if item["error"]] == [(5, "parked")]
    assert (page.job.status, page.job.done, page.job.successful) == ("complete", 30, 29)


async def test_without_a_daemon_a_job_can_be_looked_at_and_cancelled(tmp_path: Path) -> None:
    async with FakeOpenAI() as server:
        machine = Machine(tmp_path, server)
        server.respond = lambda seen: Hang() if prompt_of(seen) == "p1" else Say()
        try:
            await machine.launch()
            job_id = await machine.submit(numbered(3))
            async with machine.way() as remote:
                while (await remote.job(job_id)).job.done < 2:
                    pass
            await machine.kill()
            async with open_job_reader(machine.environ) as reader:
                page = await reader.job(job_id)
                assert (page.results, page.next_offset) == (["echo: p0"], 1)
                with pytest.raises(DaemonNeeded, match="no daemon is running that works on it"):
                    await reader.job(job_id, wait=1)
                assert [job.id for job in await reader.jobs()] == [job_id]
                assert (await reader.cancel(job_id)).status == "cancelled"
                page = await reader.job(job_id, wait=1)
                assert page.results == ["echo: p0", None, "echo: p2"]
            await machine.launch()
            async with machine.way() as remote:
                assert (await remote.job(job_id)).job == page.job
                assert (await remote.jobs())[0].done == 2
        finally:
            with anyio.CancelScope(shield=True):
                await machine.close()
    assert len(server.calls) == 3
