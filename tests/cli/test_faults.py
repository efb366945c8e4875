"""A provider that misbehaves: one named error a task, in bounded time, and the key nowhere."""

import socket
import time

import pytest

from tests.cli.shell import KEY, Shell
from tests.fakes.behaviours import Behaviour, Blocked, Cut, Hang, Raw, Refuse, Say
from tests.fakes.ollama import FakeOllama
from tests.fakes.openai import FakeOpenAI
from tests.fakes.wire import Seen

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]


def every_file_of(shell: Shell) -> bytes:
    return b"".join(path.read_bytes() for path in shell.home.rglob("*") if path.is_file())


async def test_a_bad_key_is_asked_with_once_and_shown_nowhere(shell: Shell) -> None:
    async with FakeOpenAI(echo_key=True) as fake:
        shell.use(fake)
        fake.key = "another"
        ran = await shell.run("parallel", "What is AI?", "--json", "-o", "out.json")
        assert len(fake.calls) == 1
        assert (ran.status, ran.out) == (1, "")
        assert "1 × auth_failed: openai answered 401" in ran.err
        assert KEY not in ran.err
        ran = await shell.run("parallel", "What is AI?", "--json")
        assert ran.codes == ["auth_failed"]
        assert "[redacted]" in ran.message
        fake.key = KEY
        fake.respond = lambda _: Say(text=f"Your key is {KEY}.")
        told = await shell.run("parallel", "What is my key?", "--json")
    assert told.json["results"] == ["Your key is [redacted]."]
    assert KEY not in ran.out + ran.err + told.out + told.err
    kept = every_file_of(shell)
    assert b"Your key is [redacted]." in kept
    assert KEY.encode() not in kept


async def test_in_a_storm_of_429_every_task_waits_as_told_and_finishes(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.enqueue(*[Refuse(429, "Slow down", retry_after=1)] * 6)
        ran = await shell.run("parallel", *(f"q{number}" for number in range(12)), "--json")
        at = [seen.at for seen in fake.calls]
    assert ran.status == 0, ran.out
    assert ran.json["results"] == [f"echo: q{number}" for number in range(12)]
    refused = len(at) - 12
    assert refused == 6
    # What is sent before the first refusal is back may still arrive; then there is silence for a second.
    later = [moment for moment in at if moment - at[0] > 0.5]
    assert min(later) - at[0] >= 0.95


async def test_a_busy_server_is_asked_again(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.enqueue(*[Refuse(503, "The server is overloaded")] * 3)
        ran = await shell.run("parallel", "a", "b", "--json")
        assert len(fake.calls) == 5
    assert ran.json["results"] == ["echo: a", "echo: b"]
    assert sum(task["attempts"] for task in ran.json["tasks"]) == 5


async def test_a_server_that_is_not_there_ends_a_hundred_prompts_soon(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    shell.environ |= {"OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1", "OPENAI_API_KEY": KEY}
    began = time.monotonic()
    ran = await shell.run("parallel", *(f"q{number}" for number in range(100)), "--json")
    assert time.monotonic() - began < 15
    assert ran.status == 1
    assert ran.codes == ["connection_failed"] * 100
    assert f"127.0.0.1:{port}" in ran.json["tasks"][99]["error"]["message"]
    assert ran.json["stats"]["cost_usd"] == 0


def fault(seen: Seen) -> Behaviour:
    """The misbehaviour that the prompt names."""
    faults: dict[str, Behaviour] = {
        "html": Raw(200, b"<html><title>Log in</title></html>", "text/html"),
        "half": Raw(200, b'{"choices": [{"mess'),
        "odd": Raw(200, b'{"choices": 7}'),
        "blocked": Blocked(),
        "long": Say(finish="length"),
        "empty": Say(text=" \n"),
        "unknown": Refuse(404, "The model does not exist", code="model_not_found"),
        "broke": Refuse(429, "You exceeded your current quota", code="insufficient_quota"),
    }
    return faults[seen.json["messages"][-1]["content"]]


async def test_every_kind_of_bad_reply_is_an_error_with_its_own_name(shell: Shell) -> None:
    expected = {
        "html": "invalid_reply",
        "half": "invalid_reply",
        "odd": "invalid_reply",
        "blocked": "content_blocked",
        "long": "truncated",
        "empty": "empty_reply",
        "unknown": "model_not_found",
        "broke": "payment_required",
    }
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.respond = fault
        ran = await shell.run("parallel", *expected, "--json")
        assert len(fake.calls) == len(expected)  # none of them is worth a second try
    assert ran.status == 1
    assert dict(zip(expected, ran.codes, strict=True)) == expected
    assert ran.json["results"] == [None] * len(expected)
    assert all(task["error"]["hint"] for task in ran.json["tasks"])


async def test_a_reply_cut_in_the_middle_is_tried_again_then_an_error(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        shell.use(fake)
        shell.environ["SWARM__LIMITS__MAX_RETRIES"] = "1"
        fake.enqueue(Cut(40))
        ran = await shell.run("parallel", "a", "--json")
        assert ran.json["results"] == ["echo: a"]
        assert ran.json["stats"]["cost_usd"] is None  # nobody knows what the broken call cost
        assert "at least $" in ran.err
        fake.respond = lambda _: Cut(40)
        ran = await shell.run("parallel", "b", "--json")
        assert len(fake.calls) == 4
    assert ran.codes == ["connection_failed"]
    assert "broke before the reply was complete" in ran.message


async def test_a_prompt_larger_than_ollamas_context_is_an_error_not_a_guess(shell: Shell) -> None:
    async with FakeOllama(num_ctx_default=4096) as fake:
        shell.environ["OLLAMA_HOST"] = fake.url
        ran = await shell.run("parallel", "fits", "word " * 5000, "--json")
    assert ran.json["results"] == ["echo: fits", None]
    assert ran.codes == [None, "context_overflow"]
    assert "num_ctx" in ran.json["tasks"][1]["error"]["hint"]
    assert ran.status == 1


async def test_a_hung_server_is_left_at_the_timeout_and_its_socket_closed(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.respond = lambda _: Hang()
        ran = await shell.run("parallel", "a", "b", "--timeout", "1", "--json")
        await fake.wait_left(2)
        assert fake.in_flight == 0
    assert ran.status == 1
    assert ran.codes == ["timeout", "timeout"]
    assert all(1000 <= task["duration_ms"] + task["queued_ms"] < 3000 for task in ran.json["tasks"])
    assert ran.json["stats"]["cost_usd"] is None


async def test_a_cap_on_the_run_stops_it_before_it_is_passed(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.respond = lambda _: Say(input_tokens=50, output_tokens=4000)
        prompts = [f"q{number}" for number in range(6)]
        ran = await shell.run("parallel", *prompts, "--max-spend", "0.008", "--max-tokens", "4096", "--json")
        assert len(fake.calls) == ran.codes.count(None) > 0
        none = await shell.run("parallel", "free?", "--max-spend", "0", "--json")
        assert none.codes == ["budget_exceeded"]
        assert len(fake.calls) == ran.codes.count(None)
    assert ran.status == 1
    assert "budget_exceeded" in ran.codes
    assert 0 < ran.json["stats"]["cost_usd"] <= 0.008
