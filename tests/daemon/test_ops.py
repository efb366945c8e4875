"""What the daemon tells about itself: `/health`, `/status`, `/capabilities`, `/metrics`."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from clawswarm.version import __version__
from tests.daemon.served import Served, serve, settings_of, using
from tests.fakes.behaviours import Refuse, Say
from tests.fakes.openai import FakeOpenAI

pytestmark = pytest.mark.anyio


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serve(settings_of(limits={"max_nodes": 5})) as served:
        yield served


async def test_the_status_counts_what_was_done(served: Served) -> None:
    before = (await served.ask("GET", "/status")).json
    assert (before["requests"], before["tasks"], before["avg_ms"]) == (0, 0, None)
    assert (before["workers"], before["workers_busy"], before["provider"]) == (5, 0, "demo")
    await served.ask("POST", "/parallel", {"prompts": ["a", "b", "a"]})
    await served.ask("POST", "/parallel", {"prompts": ["a"]})
    await served.quiet()
    after = (await served.ask("GET", "/status")).json
    assert (after["requests"], after["tasks"], after["failed"]) == (2, 4, 0)
    assert after["cache"]["hits"] == 2
    assert after["cache"]["answers"] == 2
    assert after["cost"] == {"today_usd": 0, "held_usd": 0, "cap_usd": None}
    assert after["avg_ms"] is not None


async def test_the_status_tells_failures_money_and_the_state_of_each_endpoint() -> None:
    limits = {"max_retries": 0, "breaker_failures": 2}
    cost = {"max_daily_spend": 5}
    async with FakeOpenAI() as fake, serve(using(fake, limits=limits, cost=cost)) as served:
        fake.enqueue(Say(), Refuse(500, "down"), Refuse(500, "down"))
        await served.ask("POST", "/parallel", {"prompts": ["a", "b", "c"], "concurrency": 1})
        await served.quiet()
        found = (await served.ask("GET", "/status")).json
    assert (found["tasks"], found["failed"]) == (3, 2)
    assert found["cost"]["cap_usd"] == 5
    assert found["cost"]["today_usd"] > 0
    [endpoint] = found["endpoints"]
    assert (endpoint["provider"], endpoint["state"]) == ("openai", "open")
    assert endpoint["address"] == fake.base_url


async def test_the_capabilities_tell_a_program_what_it_may_ask(served: Served) -> None:
    found = (await served.ask("GET", "/capabilities")).json
    assert found["version"] == __version__
    assert [mode["name"] for mode in found["modes"]] == ["parallel", "research", "jobs"]
    assert {"start", "progress", "phase", "heartbeat", "complete", "error"} == set(found["events"])
    assert [provider["name"] for provider in found["providers"] if provider["in_use"]] == ["demo"]
    limits = found["limits"]
    assert (limits["workers"], limits["max_page"], limits["max_wait_s"]) == (5, 1000, 60)
    most = {"kind": "parallel", "prompts": ["a"], "concurrency": limits["workers"]}
    job = (await served.ask("POST", "/jobs", most)).json
    page = f"/jobs/{job['job_id']}?limit={limits['max_page']}&wait={limits['max_wait_s']}"
    assert (await served.ask("GET", page)).json["status"] == "complete"
    document = (await served.ask("GET", "/openapi.json")).json
    assert {mode["path"] for mode in found["modes"]} <= set(document["paths"])


async def test_the_metrics_can_be_read_by_prometheus(served: Served) -> None:
    await served.ask("POST", "/parallel", {"prompts": ["a", "b", "a"]})
    await served.ask("POST", "/jobs", {"kind": "parallel", "prompts": []})
    await served.ask("GET", "/jobs/job-unknown-1")
    await served.ask("GET", "/jobs/job-unknown-2")
    await served.ask("GET", "/wp-login.php")
    answer = await served.ask("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    samples = {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.body.decode())
        for sample in family.samples
    }
    assert samples["swarm_tasks_total", "ok", "demo"] == 2
    assert samples["swarm_tasks_total", "cached", "demo"] == 1
    assert samples["swarm_task_seconds_count",] == 2
    assert samples["swarm_http_requests_total", "/parallel", "200"] == 1
    assert samples["swarm_http_requests_total", "/jobs", "422"] == 1
    assert samples["swarm_http_requests_total", "/jobs/{job_id}", "404"] == 2  # ids make no series
    assert samples["swarm_http_requests_total", "other", "404"] == 1
    assert samples["swarm_jobs", "running"] == 0
    assert samples["swarm_streams",] == 0
    assert b"wp-login" not in answer.body


async def test_a_store_that_cannot_be_read_leaves_the_status_alive(served: Served) -> None:
    assert served.swarm.store is not None
    served.swarm.store.close()
    served.swarm.store.path.unlink()
    found = await served.ask("GET", "/status")
    assert found.status == 200
    assert found.json["status"] == "running"
