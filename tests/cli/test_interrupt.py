"""Ctrl-C in the middle of a batch: sockets closed, what is done kept, the rest cancelled, and soon."""

import json
import signal
import time
from collections.abc import Sequence

import pytest

from tests.cli.conftest import Inside
from tests.cli.shell import Ran, Running, Shell
from tests.fakes.behaviours import Hang, Say
from tests.fakes.openai import FakeOpenAI

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

DONE = 3
PROMPTS = [f"q{number}" for number in range(10)]


async def interrupted(
    shell: Shell,
    *options: str,
    prompts: Sequence[str] = PROMPTS,
    signals: Sequence[signal.Signals] = (signal.SIGINT,),
) -> Ran:
    """Ten prompts, four at once; three are answered, then the server hangs, and the signals come."""
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.enqueue(*[Say()] * DONE)
        fake.respond = lambda _: Hang()
        async with shell.started("parallel", "-c", "4", *prompts, *options) as running:
            await fake.wait_calls(DONE + 4, timeout=20)
            ran = await _end(running, signals)
        await fake.wait_left(4)
        assert fake.in_flight == 0
        assert len(fake.calls) == DONE + 4
    return ran


async def _end(running: Running, signals: Sequence[signal.Signals]) -> Ran:
    began = time.monotonic()
    for number in signals:
        running.signal(number)
    ran = await running.end()
    assert time.monotonic() - began < 3
    assert ran.status == 130
    return ran


async def test_ctrl_c_prints_what_is_done_and_the_rest_as_cancelled(shell: Shell) -> None:
    ran = await interrupted(shell, "--json")
    assert len(ran.json["results"]) == len(PROMPTS)
    assert ran.codes.count(None) == DONE
    assert ran.codes.count("cancelled") == len(PROMPTS) - DONE
    stats = ran.json["stats"]
    assert [stats["total"], stats["successful"], stats["failed"]] == [10, DONE, 7]
    assert stats["cost_usd"] is None  # four calls were on their way
    assert "at least $0.000033" in ran.err
    assert ran.err.endswith("swarm: interrupted: 3 of 10 were done\n")


async def test_ctrl_c_ends_a_stream_of_events_with_a_complete_one(shell: Shell) -> None:
    ran = await interrupted(shell, "--ndjson")
    assert [event["event"] for event in ran.events] == ["start", *["progress"] * 10, "complete"]
    assert sorted(event["index"] for event in ran.events[1:-1]) == list(range(10))
    assert ran.events[-1]["stats"]["failed"] == 7


async def test_a_termination_signal_writes_the_output_file_with_the_ids(shell: Shell) -> None:
    tasks = [json.dumps({"prompt": prompt, "id": f"id-{prompt}"}) for prompt in PROMPTS]
    path = shell.file("tasks.jsonl", "\n".join(tasks))
    options = ("-f", str(path), "-o", "out.jsonl")
    ran = await interrupted(shell, *options, prompts=(), signals=[signal.SIGTERM])
    assert ran.out == ""
    lines = (shell.home / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [f"id-{prompt}" for prompt in PROMPTS]
    assert sum(json.loads(line)["ok"] for line in lines) == DONE
    assert not list(shell.home.glob(".out*"))


async def test_ctrl_c_again_and_again_leaves_at_once(shell: Shell) -> None:
    ran = await interrupted(shell, signals=[signal.SIGINT] * 3)
    assert ran.out == "" or ran.out.startswith("── 1. q0")


async def test_ctrl_c_before_anything_is_done_leaves_the_old_output(shell: Shell) -> None:
    kept = shell.file("out.txt", "yesterday")
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.respond = lambda _: Hang()
        async with shell.started("parallel", "a", "-o", "out.txt") as running:
            await fake.wait_calls(1, timeout=20)
            await _end(running, [signal.SIGINT])
    assert kept.read_text(encoding="utf-8") == "yesterday"
    assert sorted(path.name for path in shell.home.iterdir()) == ["clawd", "out.txt"]


async def test_what_ctrl_c_cut_short_is_on_the_books(shell: Shell, inside: Inside) -> None:
    await interrupted(shell)
    there = inside.at(shell.home)
    assert there.run("cache", "stats", "--json").json["answers"] == DONE
    savings = there.run("savings", "--json")
    assert savings.json["tasks"] == DONE
    assert savings.json["today"]["uncertain_usd"] > 0  # the calls that were cut may be on the bill
    assert savings.json["today"]["reserved_usd"] == 0
