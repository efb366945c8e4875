"""`swarm parallel --detach` and `swarm jobs`, as a user runs them: with a daemon, and where it has gone."""

import os
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio.to_thread
import pytest

from clawswarm.access.presence import look, wait_gone
from clawswarm.config.paths import Paths
from tests.cli.shell import Shell
from tests.fakes.behaviours import Hang, Refuse, Say
from tests.fakes.openai import FakeOpenAI
from tests.jobs.support import prompt_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow(reason="runs a dozen commands, each a process, and a daemon"),
    pytest.mark.timeout(60),
]


@pytest.fixture
async def fake() -> AsyncGenerator[FakeOpenAI]:
    async with FakeOpenAI() as fake:
        yield fake


@pytest.fixture
async def shell(tmp_path: Path, fake: FakeOpenAI) -> AsyncGenerator[Shell]:
    """A user whose daemon, if they started one, is dead at the end."""
    shell = Shell(tmp_path, {"SWARM__DAEMON__PORT": "0", "SWARM__LIMITS__MAX_RETRIES": "0"})
    shell.use(fake)
    yield shell
    await kill_daemon(shell)


async def kill_daemon(shell: Shell) -> None:
    paths = Paths.of(shell.environment())
    if (presence := look(paths)) is not None:
        os.kill(presence.pid, signal.SIGKILL)
        await anyio.to_thread.run_sync(wait_gone, paths)


async def test_a_job_from_its_making_to_its_results(shell: Shell, fake: FakeOpenAI) -> None:
    fake.respond = lambda seen: Refuse(400, "not this one") if prompt_of(seen) == "bad" else Say()
    made = await shell.run("parallel", "--detach", "good", "bad", "better")
    assert made.status == 0
    job_id = made.out.strip()
    assert "Daemon started on port" in made.err
    assert f"3 prompts are worked on. See: swarm jobs wait {job_id}" in made.err

    waited = await shell.run("jobs", "wait", job_id, "--timeout", "20")
    assert waited.status == 1  # one of its tasks failed
    assert "── 1.\necho: good" in waited.out
    assert "── 2.\n✗ bad_request: openai answered 400: not this one" in waited.out
    assert f"{job_id} complete | 3/3 done | 1 failed" in waited.err

    shown = await shell.run("jobs", "show", job_id, "--offset", "2", "--json")
    assert shown.json["results"] == ["echo: better"]
    assert (shown.json["job_id"], shown.json["status"], shown.json["next_offset"]) == (
        job_id,
        "complete",
        None,
    )
    assert shown.json["stats"]["failed"] == 1

    listed = await shell.run("jobs", "list")
    assert job_id in listed.out
    assert "3/3, 1 failed  good" in listed.out
    assert [job["job_id"] for job in (await shell.run("jobs", "list", "--json")).json["jobs"]] == [job_id]
    assert len(fake.calls) == 3


async def test_a_job_that_is_cut_off_and_cancelled(shell: Shell, fake: FakeOpenAI) -> None:
    fake.respond = lambda seen: Hang() if prompt_of(seen) == "slow" else Say()
    made = await shell.run("parallel", "--detach", "--json", "fast", "slow", "also fast")
    job_id = made.json["job_id"]
    assert (made.json["status"] in ("queued", "running"), made.json["total"]) == (True, 3)
    await fake.wait_calls(3, 20)

    waited = await shell.run("jobs", "wait", job_id, "--timeout", "0.3", "--json")
    assert waited.status == 1
    assert (waited.json["status"], waited.json["total"]) == ("running", 3)
    assert "has not ended yet" in waited.err

    await kill_daemon(shell)
    shown = await shell.run("jobs", "show", job_id)
    assert (shown.status, shown.out) == (0, "── 1.\necho: fast\n\n")
    waited = await shell.run("jobs", "wait", job_id)
    assert waited.status == 1
    assert "no daemon is running that works on it" in waited.err
    assert "swarm start" in waited.err

    cancelled = await shell.run("jobs", "cancel", job_id)
    assert cancelled.status == 0
    assert f"{job_id} cancelled: 2 of 3 were done" in cancelled.out
    shown = await shell.run("jobs", "show", job_id, "--json")
    assert shown.json["results"] == ["echo: fast", None, "echo: also fast"]


async def test_what_is_wrong_is_said(shell: Shell) -> None:
    listed = await shell.run("jobs", "list")
    assert (listed.status, listed.out.split(".")[0]) == (0, "No jobs yet")
    for command in ("show", "wait", "cancel"):
        ran = await shell.run("jobs", command, "job-none", "--json")
        assert ran.status == 1
        assert ran.json["error"]["code"] == "not_found"
        assert "swarm jobs list" in ran.json["error"]["hint"]
