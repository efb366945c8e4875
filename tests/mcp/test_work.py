"""Batches, researches and jobs: answered at once where they are quick, else followed, paged, called off."""

import fcntl
import json
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import pytest

from clawswarm.access.presence import look
from clawswarm.config.load import load
from clawswarm.config.paths import Paths
from tests.cli.research_world import NAMES, open_world
from tests.cli.shell import Shell
from tests.clock import FakeClock
from tests.daemon.homes import Home
from tests.fakes.behaviours import Refuse, Say
from tests.fakes.openai import FakeOpenAI
from tests.jobs.support import Gate, prompt_of, until
from tests.mcp.support import (
    ERAS,
    Desk,
    Era,
    as_daemon,
    bare,
    in_memory,
    over_stdio,
    settings_of,
    size,
    use_fake,
)

pytestmark = pytest.mark.anyio


def numbered(count: int) -> list[str]:
    return [f"p{number}" for number in range(count)]


async def every_page(desk: Desk, job_id: str) -> list[dict[str, Any]]:
    """All results of a job, page by page, as a model would fetch them."""
    rows: list[dict[str, Any]] = []
    offset: int | None = 0
    while offset is not None:
        page = await desk.good("swarm_job", job_id=job_id, offset=offset)
        assert page.data["results"]
        rows += page.data["results"]
        offset = page.data.get("next_offset")
    return rows


async def test_without_a_daemon_a_short_batch_is_done_here(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        use_fake(tmp_path, fake)
        fake.respond = lambda seen: (
            Refuse(400, "no") if prompt_of(seen) == "bad" else Say(prompt_of(seen).upper())
        )
        async with in_memory(bare(tmp_path)) as desk:
            found = await desk.good("swarm_parallel", prompts=["one", "bad", "two"], system="Be short.")
    assert found.data["status"] == "complete"
    assert (found.data["done"], found.data["total"], found.data["failed"]) == (3, 3, 1)
    first, second, third = found.data["results"]
    assert (first, third) == (
        {"index": 0, "ok": True, "text": "ONE"},
        {"index": 2, "ok": True, "text": "TWO"},
    )
    assert (second["ok"], second["error"]["code"]) == (False, "bad_request")
    assert "next_offset" not in found.data
    cost = found.data["cost_usd"]
    assert found.text == f"complete: 3 of 3 prompts done, 1 failed, cost ${cost:.6f}."
    assert {seen.json["messages"][0]["content"] for seen in fake.calls} == {"Be short."}
    assert look(Paths.of(bare(tmp_path))) is None


async def test_answers_that_have_to_fit_a_schema_come_as_data(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    async with as_daemon(tmp_path) as desk:
        found = await desk.good("swarm_parallel", prompts=["count"], output_schema=json.dumps(schema))
        assert found.data["results"] == [{"index": 0, "ok": True, "data": {"n": 0}}]
        words = await desk.refused("swarm_parallel", prompts=["count"], output_schema={"type": "nothing"})
        assert "JSON Schema" in words


async def test_what_is_no_number_in_an_answer_is_null(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        use_fake(tmp_path, fake)
        fake.respond = lambda _: Say('{"n": NaN}')
        async with in_memory(bare(tmp_path), era="legacy") as desk:
            found = await desk.good("swarm_parallel", prompts=["count"], output_schema={"type": "object"})
    assert found.data["results"][0]["data"] == {"n": None}


async def test_long_results_come_in_pages_with_a_link_to_all_of_them(tmp_path: Path) -> None:
    text = "x" * 3_000
    async with FakeOpenAI() as fake:
        use_fake(tmp_path, fake)
        fake.respond = lambda seen: Say(prompt_of(seen) + text)
        async with in_memory(bare(tmp_path)) as desk:
            found = await desk.good("swarm_parallel", prompts=numbered(30))
            job_id = found.data["job_id"]
            assert found.data["status"] == "complete"
            assert 0 < len(found.data["results"]) == found.data["next_offset"] < 30
            assert f'swarm_job with job_id "{job_id}" and offset {found.data["next_offset"]}' in found.text
            assert found.links == [f"swarm://jobs/{job_id}"]
            rows = await every_page(desk, job_id)
            assert [row["text"] for row in rows] == [f"p{number}{text}" for number in range(30)]
            whole = json.loads(await desk.resource(f"swarm://jobs/{job_id}"))
    assert [task["text"] for task in whole["tasks"]] == [row["text"] for row in rows]
    assert whole["stats"]["successful"] == 30


async def test_one_answer_that_no_reply_can_hold_is_cut_and_linked(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        use_fake(tmp_path, fake)
        fake.respond = lambda _: Say("語" * 50_000)
        async with in_memory(bare(tmp_path)) as desk:
            found = await desk.good("swarm_parallel", prompts=["long"])
            assert "characters]" in found.data["results"][0]["text"]
            assert size(found.result) < 32_000
            assert "語" * 50_000 in await desk.resource(found.links[0])


async def test_the_daemons_jobs_are_followed_listed_and_cancelled(tmp_path: Path) -> None:
    async with FakeOpenAI() as fake:
        use_fake(tmp_path, fake)
        gate = Gate(fake)
        async with as_daemon_of(tmp_path) as desk:
            begun = await desk.good("swarm_parallel", prompts=["a", "b"], wait=0)
            job_id = begun.data["job_id"]
            assert job_id.startswith("job-")
            assert begun.data["status"] in ("queued", "running")
            assert f'swarm_job with job_id "{job_id}" waits for it' in begun.text
            await fake.wait_calls(2)
            listed = await desk.good("swarm_job", action="list")
            assert [(row["job_id"], row["status"]) for row in listed.data["jobs"]] == [(job_id, "running")]
            gate.open()
            done = await desk.good("swarm_job", job_id=job_id)
            assert [row["ok"] for row in done.data["results"]] == [True, True]

            gate.closed = None
            other = (await desk.good("swarm_parallel", prompts=["c", "d"], wait=0)).data["job_id"]
            await fake.wait_calls(4)
            cancelled = await desk.good("swarm_job", action="cancel", job_id=other)
            assert cancelled.data["status"] == "cancelled"
            assert [row["error"]["code"] for row in cancelled.data["results"]] == ["cancelled", "cancelled"]
            await fake.wait_left(2)


async def test_a_client_that_cancels_cancels_the_calls(tmp_path: Path) -> None:
    """Here, and in the daemon; in both, nothing is left of the job."""
    for way in (in_memory_of, as_daemon_of):
        async with FakeOpenAI() as fake:
            use_fake(tmp_path, fake)
            Gate(fake)
            async with way(tmp_path) as desk:
                async with anyio.create_task_group() as group:
                    group.start_soon(lambda desk=desk: desk.call("swarm_parallel", prompts=["a", "b", "c"]))
                    await fake.wait_in_flight(3)
                    group.cancel_scope.cancel()
                await fake.wait_left(3)
                listed = await desk.good("swarm_job", action="list")
                assert {row["status"] for row in listed.data["jobs"]} == {"cancelled"}


async def test_progress_is_told_to_those_who_asked_for_it(tmp_path: Path) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    for way in (in_memory_of, as_daemon_of):
        told.clear()
        async with FakeOpenAI() as fake:
            use_fake(tmp_path, fake)
            gate = Gate(fake, ["p1"])
            async with way(tmp_path, era="legacy") as desk, anyio.create_task_group() as group:

                async def ask(desk: Desk = desk) -> None:
                    arguments = {"prompts": ["p0", "p1"]}
                    await desk.client.call_tool("swarm_parallel", arguments, progress_callback=tell)

                group.start_soon(ask)
                await until(lambda: (1, 2, "1 of 2 done") in told)
                gate.open()
        assert [progress for progress, _, _ in told] == sorted({progress for progress, _, _ in told})
        assert told[-1] == (2, 2, "2 of 2 done")


async def test_nobody_waits_longer_than_forty_seconds(tmp_path: Path, clock: FakeClock) -> None:
    async with FakeOpenAI() as fake:
        use_fake(tmp_path, fake)
        gate = Gate(fake)
        async with as_daemon_of(tmp_path, clock=clock) as desk, clock.auto():
            found = await desk.good("swarm_parallel", prompts=["a"])
            assert found.data["status"] == "running"
            assert (found.data["done"], found.data["total"], found.data["results"]) == (0, 1, [])
            assert clock.elapsed == pytest.approx(40)
            again = await desk.good("swarm_job", job_id=found.data["job_id"], wait=10)
            assert again.data["status"] == "running"
            assert clock.elapsed == pytest.approx(50)
            gate.open()
        async with as_daemon_of(tmp_path) as desk:
            assert (await desk.good("swarm_job", job_id=found.data["job_id"])).data["status"] == "complete"


@pytest.mark.slow("it starts a real daemon")
async def test_work_that_gets_long_is_handed_over_to_a_daemon_and_paid_once(
    home: Home, clock: FakeClock
) -> None:
    async with FakeOpenAI() as fake:
        use_fake(home.home, fake)
        gate = Gate(fake, ["slow"])
        async with in_memory(bare(home.home), clock=clock) as desk, clock.auto():
            prompts = [*numbered(20), "slow", *(f"q{number}" for number in range(20))]
            found = await desk.good("swarm_parallel", prompts=prompts)
        assert found.data["status"] in ("queued", "running")
        assert found.data["job_id"].startswith("job-")
        assert "a daemon was started and goes on with it, also after this session" in found.data["note"]
        assert home.presence.port
        gate.open()
        async with in_memory(bare(home.home)) as desk:
            rows = await every_page(desk, found.data["job_id"])
        assert [row["ok"] for row in rows] == [True] * 41
        asked = Counter(prompt_of(seen) for seen in fake.calls)
    assert asked.pop("slow") <= 3  # it was on its way, and was called off
    assert set(asked.values()) == {1}


@pytest.mark.slow("a daemon tries to start, twice")
async def test_where_no_daemon_can_be_started_it_goes_on_here_and_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with FakeOpenAI() as fake:
            use_fake(tmp_path, fake)
            gate = Gate(fake)
            environ = bare(tmp_path) | {"SWARM__DAEMON__PORT": str(port)}
            async with in_memory(environ) as desk:
                found = await desk.good("swarm_parallel", prompts=["a"], wait=0)
                job_id = found.data["job_id"]
                assert found.data["status"] == "running"
                assert "it goes on only as long as this session: port" in found.data["note"]
                gate.open()
                done = await desk.good("swarm_job", job_id=job_id)
                assert done.data["results"] == [{"index": 0, "ok": True, "text": "echo: a"}]
                begun = await desk.good("swarm_parallel", prompts=["b"], wait=0)
                cancelled = await desk.good("swarm_job", action="cancel", job_id=begun.data["job_id"])
                assert cancelled.data["status"] in ("cancelled", "complete")


async def test_a_daemon_that_does_not_come_up_is_not_waited_for(tmp_path: Path, clock: FakeClock) -> None:
    """Its start waits for its turn; when that comes, after the test, it has no key and leaves."""
    memory = tmp_path / "clawd" / "memory"
    memory.mkdir(parents=True)
    environ = bare(tmp_path) | {"SWARM__PROVIDER__NAME": "groq", "SWARM__DAEMON__PORT": "0"}
    notes: list[str] = []
    with (memory / "daemon.starting").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        async with in_memory(environ, clock=clock) as desk, anyio.create_task_group() as group:

            async def open_a_run() -> None:
                notes.append((await desk.good("team_start", goal="Build it")).data["note"])

            group.start_soon(open_a_run)
            await until(lambda: clock.pending == 1)
            clock.advance(40)
    assert "the daemon did not start in time" in notes[0]


@pytest.mark.slow("it starts a real daemon")
@pytest.mark.parametrize("era", ERAS)
async def test_a_job_that_waits_for_a_daemon_gets_one(home: Home, era: Era) -> None:
    async with FakeOpenAI() as fake:
        use_fake(home.home, fake)
        gate = Gate(fake)
        made = await home.run("parallel", "one", "two", "--detach", "--json")
        await fake.wait_calls(2)
        await home.kill()
        gate.open()
        async with in_memory(bare(home.home), era=era) as desk:
            found = await desk.good("swarm_job", job_id=made.json["job_id"])
        assert found.data["status"] == "complete"
        assert home.presence.port


async def test_what_cannot_be_asked_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    async with in_memory(bare(tmp_path) | {"SWARM__PROVIDER__NAME": "groq"}) as desk:
        words = await desk.refused("swarm_parallel", prompts=["a"])
        assert "GROQ_API_KEY" in words
        words = await desk.refused("swarm_parallel", prompts=["a"], provider="skynet")
        assert words.startswith("there is no provider 'skynet'\nknown are: gemini, groq,")
        words = await desk.refused("swarm_research", subjects=["x" * 501])
        assert "longer than 500 characters" in words
        assert "prompt 1 is empty" in await desk.refused("swarm_parallel", prompts=["a", "  "])
        assert "there is no job 'job-x'" in await desk.refused("swarm_job", job_id="job-x")
        assert "swarm_job with action list" in await desk.refused("swarm_job", job_id="here-x")
        assert "to wait which job?" in await desk.refused("swarm_job")
    async with in_memory(bare(tmp_path) | {"SWARM__LIMITS__MAX_NODES": "many"}) as desk:
        assert "max_nodes" in await desk.refused("swarm_parallel", prompts=["a"])


async def test_a_cap_is_a_cap(tmp_path: Path) -> None:
    prices = {"name": "openai", "model": "gpt-6-luna", "prices": {"input": 1_000, "output": 1_000}}
    async with FakeOpenAI() as fake:
        use_fake(tmp_path, fake)
        settings = settings_of(provider={**prices, "base_url": fake.base_url, "max_tokens": 100})
        environ = {"OPENAI_API_KEY": fake.key or ""}
        async with as_daemon(tmp_path, settings, environ=environ) as desk:
            found = await desk.good("swarm_parallel", prompts=numbered(5), max_spend="0.15")
    codes = [row["error"]["code"] for row in found.data["results"] if not row["ok"]]
    assert set(codes) == {"budget_exceeded"}
    assert found.data["cost_usd"] <= 0.15


@pytest.mark.slow("it starts a real daemon")
async def test_a_research_is_the_daemons_and_brings_claims_with_sources(home: Home) -> None:
    home.configure("daemon:\n  port: 0\n")
    async with open_world(Shell(home.home, home.environ)), over_stdio(home.environment()) as desk:
        found = await desk.good("swarm_research", subjects=[*NAMES, NAMES[0]], topic="ferries", depth="quick")
        if found.data["status"] != "complete":
            found = await desk.good("swarm_job", job_id=found.data["job_id"])
        assert found.data["job_id"].startswith("job-")
        rows = found.data["results"]
        assert [row["subject"] for row in rows] == list(NAMES)
        assert [claim["verified"] for claim in rows[0]["claims"]] == [True, False]
        assert rows[0]["sources"][0]["url"].endswith("/OpenAI")
        assert found.data["comparison"] == "They differ."
        report = json.loads(await desk.resource(f"swarm://jobs/{found.data['job_id']}"))["report"]
        assert "## Mistral" in report


def in_memory_of(home: Path, **options: Any) -> Any:
    return in_memory(bare(home), **options)


def as_daemon_of(home: Path, **options: Any) -> Any:
    """As the home is configured."""
    return as_daemon(home, load(bare(home)).settings, **options)
