"""The cache, the savings, the benchmark and the demo, through the command line."""

import re
from typing import Any

import pytest

from clawswarm.cli import progress
from tests.cli.conftest import Inside
from tests.cli.shell import Shell
from tests.fakes.behaviours import Say
from tests.fakes.openai import FakeOpenAI

pytestmark = pytest.mark.timeout(30)


@pytest.mark.anyio
async def test_a_second_identical_run_is_served_from_the_cache_until_told_not_to(
    shell: Shell, inside: Inside
) -> None:
    there = inside.at(shell.home)
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.respond = lambda _: Say(input_tokens=1_000_000, output_tokens=100_000)
        first = await shell.run("parallel", "a", "b", "--json")
        second = await shell.run("parallel", "a", "b", "--json")
        assert len(fake.calls) == 2
        assert second.json["results"] == first.json["results"]
        assert [task["cached"] for task in second.json["tasks"]] == [True, True]
        assert second.json["stats"]["cost_usd"] == 0
        assert "2 from cache" in second.err
        kept = there.run("cache", "stats", "--json").json
        assert list(kept) == ["enabled", "answers", "bytes", "oldest", "ttl_hours", "max_mb", "path"]
        assert (kept["enabled"], kept["answers"]) == (True, 2)
        anew = await shell.run("parallel", "a", "b", "--json", "--no-cache")
        assert len(fake.calls) == 4
        assert [task["cached"] for task in anew.json["tasks"]] == [False, False]
    cost: float = first.json["stats"]["cost_usd"]
    assert cost > 0
    check_savings(there, cost)
    assert there.run("cache", "clear").out == "Removed 2 answers.\n"
    assert there.run("cache", "clear", "--json").json == {"removed": 0}


def check_savings(there: Inside, cost: float) -> None:
    """Four calls of a million tokens in and a tenth of that out; two more answers from the cache."""
    found: dict[str, Any] = there.run("savings", "--json", "--against", "claude-sonnet-5-5").json
    assert list(found) == [
        "since", "tasks", "failed", "cached", "input_tokens", "output_tokens", "cost_usd", "known_cost_usd",
        "tasks_of_unknown_cost", "reference_model", "reference_cost_usd", "cache_saved_usd", "calls_ms",
        "elapsed_ms", "today",
    ]  # fmt: skip
    assert [found[name] for name in ("tasks", "failed", "cached")] == [6, 0, 2]
    assert [found["input_tokens"], found["output_tokens"]] == [4_000_000, 400_000]
    assert found["cost_usd"] == found["known_cost_usd"] == pytest.approx(2 * cost)
    assert found["cache_saved_usd"] == pytest.approx(cost)
    assert found["reference_cost_usd"] > found["cost_usd"]
    assert found["today"] == {
        "spent_usd": found["cost_usd"],
        "uncertain_usd": 0,
        "reserved_usd": 0,
        "cap_usd": None,
    }
    text = there.run("savings").out
    assert "Tasks:     6 in 30 days, 0 failed, 2 answered from cache" in text
    assert "Tokens:    4000000 in, 400000 out" in text
    assert "no daily cap" in text


def test_without_a_terminal_progress_is_a_plain_line_now_and_then(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PLAIN_EVERY", 0.05)
    ran = inside.run("bench", "-n", "4", "-c", "2", "-p", "demo", "--latency", "0.2", "--json")
    assert ran.json["successful"] == 4
    _, *lines = ran.err.splitlines()
    assert len(lines) >= 3
    assert all(re.fullmatch(r"swarm: [0-4]/4 done, \d+\.\d/s, \$0\.00", line) for line in lines)


def test_savings_with_nothing_to_tell_are_zero_and_name_the_cap(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM__COST__MAX_DAILY_SPEND", "2")
    assert "Today:     $0.00, of a cap of $2.00" in inside.run("savings").out
    ran = inside.run("savings", "--against", "nobody-knows")
    assert ran.status == 2
    assert "the price of 'nobody-knows' is not known" in ran.err


def test_the_cache_says_when_it_is_empty_or_switched_off(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM__CACHE__ENABLED", "false")
    assert inside.run("cache", "stats").out.splitlines() == [
        "Answers: 0  (the cache is switched off)",
        "Size:    0.00 MB of 256 MB",
        "Oldest:  none  (kept for 168 hours)",
        f"File:    {inside.home}/clawd/memory/swarm.db",
    ]


def test_bench_prints_its_figures_and_nothing_else_on_standard_output(inside: Inside) -> None:
    line = ("bench", "-n", "8", "-c", "4", "-p", "demo", "--latency", "0.05")
    ran = inside.run(*line, "--json")
    figures = ran.json
    assert list(figures) == [
        "tasks", "concurrency", "successful", "failed", "total_ms", "per_task_ms", "throughput_per_s",
        "speedup", "ideal_ms", "ratio_to_ideal", "cost_usd",
    ]  # fmt: skip
    assert [figures[name] for name in ("tasks", "concurrency", "successful", "failed")] == [8, 4, 8, 0]
    assert figures["ideal_ms"] >= 100
    assert figures["ratio_to_ideal"] >= 0.95
    assert figures["cost_usd"] == 0
    assert "⚡ Benchmark: 8 parallel tasks, 4 at once (demo, demo-50ms)" in ran.err
    text = inside.run(*line).out
    assert "Total time:" in text
    assert "(8/8 succeeded)" in text
    assert "of the ideal" in text


@pytest.mark.anyio
async def test_bench_tells_why_calls_failed_and_that_some_did(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.key = "another"
        ran = await shell.run("bench", "-n", "3")
    assert ran.status == 1
    assert "(0/3 succeeded)" in ran.out
    assert "3 × auth_failed: openai answered 401" in ran.err
    assert "Ratio:" in ran.out


def test_the_demo_shows_answers_and_the_next_step(inside: Inside) -> None:
    ran = inside.run("demo", "--latency", "0")
    assert ran.status == 0
    assert ran.out.count("[demo] No model was asked.") == 3
    assert "… and 21 more." in ran.out
    assert "✅ 24/24" in ran.err
    assert "export GEMINI_API_KEY" in ran.err
    document = inside.run("demo", "--latency", "0", "--json").json
    assert len(document["results"]) == len(document["tasks"]) == 24
    assert inside.nothing_was_sent
    assert inside.run("savings", "--json").json["tasks"] == 0  # the demo saves nothing
