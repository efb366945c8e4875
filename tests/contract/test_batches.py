"""A batch is the same through both ways in: events, results, numbers."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import anyio
import pytest

from clawswarm.types.events import BatchComplete, BatchEvent, BatchStarted, TaskFinished
from clawswarm.types.requests import RunOptions
from clawswarm.types.result import Failure, Usage
from clawswarm.types.task import Task
from tests.contract.ways import Opened, Way, request
from tests.fakes.behaviours import Behaviour, Blocked, Cut, Empty, Held, Raw, Refuse, Say
from tests.fakes.common import last_user_text
from tests.fakes.wire import Seen

pytestmark = pytest.mark.anyio

PRICE = 10 * 1_000_000 + 20 * 2_000_000
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def prompt_of(seen: Seen) -> str:
    return last_user_text(seen.json["messages"])


async def test_results_come_in_prompt_order_with_all_that_is_known_about_them(opened: Opened) -> None:
    result = await opened.batch([f"p{number}" for number in range(40)])
    assert result.results == [f"echo: p{number}" for number in range(40)]
    assert [task.index for task in result.tasks] == list(range(40))
    for task in result.tasks:
        assert (task.ok, task.error, task.cached, task.attempts) == (True, None, False, 1)
        assert (task.provider, task.finish_reason) == ("openai", "stop")
        assert task.usage == Usage(input_tokens=10, output_tokens=20)
        assert task.cost_pico == PRICE
        assert task.duration_ms >= 0
    stats = result.stats
    assert (stats.total, stats.successful, stats.failed) == (40, 40, 0)
    assert (stats.input_tokens, stats.output_tokens, stats.cost_pico) == (400, 800, 40 * PRICE)
    assert len(opened.way.server.calls) == 40


async def test_the_first_event_says_what_is_asked(opened: Opened) -> None:
    [started, _, _] = await opened.events(["a"], RunOptions(model="gpt-6-sol", concurrency=3))
    assert started == BatchStarted(total=1, provider="openai", model="gpt-6-sol", workers=3)


async def test_events_come_as_tasks_finish(opened: Opened) -> None:
    first, seen = anyio.Event(), list[BatchEvent]()
    opened.way.server.respond = lambda each: Held(first) if prompt_of(each) == "p0" else Say()

    async def emit(event: BatchEvent) -> None:
        seen.append(event)
        if isinstance(event, TaskFinished) and event.task.index == 1:
            first.set()

    await opened.api.parallel(request(["p0", "p1"]), emit)
    assert [event.task.index for event in seen if isinstance(event, TaskFinished)] == [1, 0]


FAILURES: dict[str, tuple[Behaviour, str, bool]] = {
    "refused": (Refuse(400, "no such thing"), "bad_request", True),
    "key": (Refuse(401, "wrong key"), "auth_failed", True),
    "forbidden": (Refuse(403, "not yours"), "permission_denied", True),
    "no model": (Refuse(404, "There is no such model", code="model_not_found"), "model_not_found", True),
    "no money": (Refuse(429, "quota", code="insufficient_quota", type="insufficient_quota"),
                 "payment_required", True),
    "down": (Refuse(503, "busy"), "overloaded", True),
    "broken": (Raw(200, b"<html>", "text/html"), "invalid_reply", False),
    "cut": (Cut(30), "connection_failed", False),
    "empty": (Empty(), "empty_reply", True),
    "blocked": (Blocked(), "content_blocked", True),
    "truncated": (Say(text="half", finish="length"), "truncated", True),
}  # fmt: skip
"""What the provider does, the code of the failure, and whether its cost is known."""


@pytest.mark.parametrize("kind", FAILURES)
async def test_a_failure_is_a_result_of_its_own(opened: Opened, kind: str) -> None:
    behaviour, code, known = FAILURES[kind]
    opened.way.server.respond = lambda seen: behaviour if prompt_of(seen) == "bad" else Say()
    result = await opened.batch(["good", "bad"])
    good, bad = result.tasks
    assert good.ok
    assert (bad.ok, bad.text, bad.data) == (False, None, None)
    assert isinstance(bad.error, Failure)
    assert bad.error.code == code
    assert bad.error.message
    assert (bad.cost_pico is not None, result.stats.cost_pico is not None) == (known, known)
    assert (result.stats.successful, result.stats.failed) == (1, 1)
    assert result.results == ["echo: good", None]


async def test_what_satisfies_a_schema_is_data_and_what_does_not_is_a_failure(opened: Opened) -> None:
    opened.way.server.respond = lambda seen: Say(text="[]") if prompt_of(seen) == "bad" else Say()
    good, bad = (await opened.batch([Task(prompt=each, schema=SCHEMA) for each in ("good", "bad")])).tasks
    assert good.data == {"n": 0}
    assert bad.error is not None
    assert bad.error.code == "invalid_output"


async def test_ids_and_options_of_a_task_travel(opened: Opened) -> None:
    tasks = [
        Task(prompt="a", id="schlüssel 😀", system="Sei knapp.", max_tokens=7, model="gpt-6-sol", seed=5),
        Task(prompt="b", id=""),
        Task(prompt="c"),
    ]
    result = await opened.batch(tasks)
    assert [task.id for task in result.tasks] == ["schlüssel 😀", "", None]
    bodies = {prompt_of(seen): seen.json for seen in opened.way.server.calls}
    assert (bodies["a"]["model"], bodies["a"]["seed"]) == ("gpt-6-sol", 5)
    assert bodies["a"]["max_completion_tokens"] == 7
    assert "Sei knapp." in str(bodies["a"]["messages"])
    assert bodies["b"]["model"] == bodies["c"]["model"] == opened.behind.engine.primary.model


@pytest.mark.parametrize(
    "text",
    ["Ünïcode ✓ 😀 \u2028\u2029\x85", "a\x00b\x7f\r\n", "x" * 1_000_000, "\ufeff", '{"event": "complete"}\n'],
    ids=["unicode", "control", "big", "bom", "json"],
)
async def test_texts_arrive_as_they_are(opened: Opened, text: str) -> None:
    opened.way.server.respond = lambda _: Say(text=text)
    [task] = (await opened.batch([text])).tasks
    assert prompt_of(opened.way.server.calls[0]) == text
    assert task.text == text


async def test_half_of_a_character_in_an_answer_harms_nobody(opened: Opened) -> None:
    answer = b'{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,'
    answer += b'"finish_reason":"stop","message":{"role":"assistant","content":"half \\ud800"}}]}'
    opened.way.server.respond = lambda seen: Raw(200, answer) if prompt_of(seen) == "p0" else Say()
    first, second = (await opened.batch(["p0", "p1"])).tasks
    assert second.ok
    assert first.error is not None
    assert first.error.code == "invalid_reply"


async def test_answers_that_are_kept_are_not_asked_again_unless_that_is_wanted(opened: Opened) -> None:
    assert (await opened.batch(["a", "b"])).stats.cost_pico == 2 * PRICE
    again = await opened.batch(["a", "b"])
    assert [task.cached for task in again.tasks] == [True, True]
    assert [task.attempts for task in again.tasks] == [0, 0]
    assert again.stats.cost_pico == 0
    assert len(opened.way.server.calls) == 2
    anew = await opened.batch(["a", "b"], RunOptions(cache=False))
    assert [task.cached for task in anew.tasks] == [False, False]
    assert len(opened.way.server.calls) == 4


async def test_concurrency_holds(opened: Opened) -> None:
    opened.way.server.latency = 0.02
    await opened.batch([f"p{number}" for number in range(12)], RunOptions(concurrency=3))
    assert opened.way.server.peak == 3


async def test_a_timeout_ends_its_task(opened: Opened) -> None:
    never = anyio.Event()
    opened.way.server.respond = lambda seen: Held(never) if prompt_of(seen) == "slow" else Say()
    slow, fast = (await opened.batch(["slow", "fast"], RunOptions(timeout=0.2))).tasks
    assert slow.error is not None
    assert (slow.error.code, slow.error.retryable) == ("timeout", True)
    assert "0.2 s" in slow.error.message
    assert slow.cost_pico is None
    assert fast.ok
    await opened.way.server.wait_left(1)


async def test_a_cap_of_the_run_holds(opened: Opened) -> None:
    options = RunOptions(max_spend=Decimal("0.02"), concurrency=1)
    tasks = [Task(prompt=f"p{number}", max_tokens=1000) for number in range(30)]
    opened.way.server.respond = lambda _: Say(output_tokens=1000)
    result = await opened.batch(tasks, options)
    codes = {task.error.code for task in result.tasks if task.error}
    assert codes == {"budget_exceeded"}
    assert 0 < (result.stats.cost_pico or 0) <= 20_000_000_000
    assert result.stats.successful == len(opened.way.server.calls)


async def test_another_provider_is_asked_where_the_request_names_it(way: Way) -> None:
    way.settings = {"GROQ_API_KEY": "test-key"}
    async with way.open() as opened:
        options = RunOptions(provider="groq", model="openai/gpt-oss-20b")
        [task] = (await opened.batch(["a"], options)).tasks
        assert (task.ok, task.provider, task.model) == (True, "groq", "openai/gpt-oss-20b")
    assert (len(way.server.calls), len(way.groq.calls)) == (0, 1)


async def test_results_are_left_out_of_the_last_event_where_nobody_wants_them(opened: Opened) -> None:
    *_, last = await opened.events(["a", "b"], keep_results=False)
    assert isinstance(last, BatchComplete)
    assert last.result is None
    assert last.stats.successful == 2


async def test_a_cancelled_batch_closes_its_calls_and_sends_no_more(opened: Opened) -> None:
    never = anyio.Event()
    opened.way.server.respond = lambda _: Held(never)
    seen: list[Any] = []

    async def emit(event: BatchEvent) -> None:
        seen.append(event)

    async with anyio.create_task_group() as group:
        given = request([f"p{number}" for number in range(40)], RunOptions(concurrency=4))
        group.start_soon(opened.api.parallel, given, emit)
        await opened.way.server.wait_calls(4)
        group.cancel_scope.cancel()
    await opened.way.server.wait_left(4)
    assert len(opened.way.server.calls) == 4
    assert [event.event for event in seen] == ["start"]
    opened.way.server.respond = None
    assert (await opened.batch(["after"])).stats.successful == 1


async def test_two_batches_never_see_each_other(opened: Opened) -> None:
    found: dict[str, list[str | None]] = {}

    async def run(name: str) -> None:
        found[name] = (await opened.batch([f"{name}{number}" for number in range(20)])).results

    async with anyio.create_task_group() as group:
        for name in "abc":
            group.start_soon(run, name)
    assert found == {name: [f"echo: {name}{number}" for number in range(20)] for name in "abc"}


async def test_the_wire_loses_nothing_of_a_result(opened: Opened) -> None:
    """What came through the daemon is what this process would have made of it."""
    [task] = (await opened.batch([Task(prompt="a", id="i", schema=SCHEMA)])).tasks
    plain = replace(task, duration_ms=0, queued_ms=0)
    assert plain.as_json() == {
        "index": 0, "id": "i", "ok": True, "text": '{"n": 0}', "data": {"n": 0}, "error": None,
        "provider": "openai", "model": opened.behind.engine.primary.model,
        "usage": {"input_tokens": 10, "output_tokens": 20, "cached_tokens": 0},
        "cost_usd": PRICE / 10**12, "duration_ms": 0, "queued_ms": 0, "attempts": 1, "cached": False,
        "finish_reason": "stop",
    }  # fmt: skip
