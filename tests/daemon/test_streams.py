"""Answers that are streamed: events as they happen, a pulse, an end when the client leaves."""

import json
import logging
from typing import Any

import anyio
import pytest

from clawswarm.daemon.observe import Observer
from clawswarm.providers.demo import DemoProvider
from clawswarm.types.result import TaskResult
from tests.daemon.served import serve, settings_of, using
from tests.fakes.behaviours import Hang, Held, Refuse, Say
from tests.fakes.openai import FakeOpenAI

pytestmark = pytest.mark.anyio


def three(**more: Any) -> dict[str, Any]:
    return {"prompts": ["one", "two", "three"], **more}


async def test_progress_comes_while_the_batch_still_runs() -> None:
    release = anyio.Event()
    async with FakeOpenAI() as fake, serve(using(fake)) as served:
        fake.enqueue(Say("first"), Held(release, Say("second")), Held(release, Say("third")))
        async with served.stream("/parallel", three()) as lines:
            start = await lines.next()
            assert (start["event"], start["total"], start["provider"]) == ("start", 3, "openai")
            first = await lines.next()
            assert (first["event"], first["ok"], first["task"]["text"]) == ("progress", True, "first")
            assert fake.in_flight == 2
            assert (await served.ask("GET", "/status")).json["streams"] == 1
            release.set()
            rest = [event async for event in lines]
        assert [event["event"] for event in rest] == ["progress", "progress", "complete"]
        assert sorted(rest[-1]["results"]) == ["first", "second", "third"]
        assert rest[-1]["stats"]["successful"] == 3
        assert rest[-1]["cost"] > 0
        await served.quiet()


async def test_results_are_left_out_of_the_end_where_nobody_wants_them_again() -> None:
    async with serve(settings_of()) as served:
        answer = await served.ask("POST", "/parallel", three(keep_results=False))
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.events[-1]["results"] is None
        assert [event["task"]["text"] is None for event in answer.events[1:-1]] == [False] * 3


async def test_a_failed_task_is_a_result_and_the_batch_goes_on() -> None:
    async with FakeOpenAI() as fake, serve(using(fake)) as served:
        fake.enqueue(Refuse(400, "no such parameter"))
        answer = await served.ask("POST", "/parallel", three(concurrency=1))
    assert answer.status == 200
    codes = [event["task"]["error"] and event["task"]["error"]["code"] for event in answer.events[1:-1]]
    assert codes == ["bad_request", None, None]
    assert answer.events[-1]["stats"]["failed"] == 1


async def test_a_quiet_stream_has_a_pulse() -> None:
    release = anyio.Event()
    async with FakeOpenAI() as fake, serve(using(fake, daemon={"heartbeat": 0.05})) as served:
        fake.respond = lambda _: Held(release)
        async with served.stream("/parallel", {"prompts": ["slow"]}) as lines:
            kinds = [(await lines.next())["event"] for _ in range(4)]
            assert kinds == ["start", "heartbeat", "heartbeat", "heartbeat"]
            release.set()
            rest = [event["event"] async for event in lines]
    assert [kind for kind in rest if kind != "heartbeat"] == ["progress", "complete"]


async def test_a_client_that_leaves_takes_its_calls_along_and_nobody_elses() -> None:
    release = anyio.Event()
    async with FakeOpenAI() as fake, serve(using(fake)) as served:
        fake.respond = lambda seen: Held(release) if "stays" in json.dumps(seen.body) else Hang()
        async with served.stream("/parallel", {"prompts": ["stays"]}) as staying:
            async with served.stream("/parallel", three()) as leaving:
                assert (await leaving.next())["event"] == "start"
                await fake.wait_calls(4)
            await fake.wait_left(3)
            assert fake.in_flight == 1
            release.set()
            assert [event["event"] async for event in staying] == ["start", "progress", "complete"]
        await served.quiet()
        status = (await served.ask("GET", "/status")).json
        assert status["cost"]["today_usd"] > 0  # the cut calls count, as they may be billed
        assert status["workers_busy"] == 0


async def test_a_client_that_leaves_before_the_first_event_leaves_nothing_behind() -> None:
    async with FakeOpenAI() as fake, serve(using(fake)) as served:
        fake.respond = lambda _: Hang()
        for _ in range(5):
            with anyio.move_on_after(0.02):
                await served.ask("POST", "/parallel", three(cache=False))
        await fake.wait_in_flight(0)
        await served.quiet()


async def test_one_too_many_is_told_when_to_come_back() -> None:
    release = anyio.Event()
    async with FakeOpenAI() as fake, serve(using(fake, daemon={"max_streams": 2})) as served:
        fake.respond = lambda _: Held(release)
        async with (
            served.stream("/parallel", {"prompts": ["one"]}) as first,
            served.stream("/parallel", {"prompts": ["two"]}) as second,
        ):
            await first.next()
            await second.next()
            await fake.wait_calls(2)
            refused = await served.ask("POST", "/parallel", {"prompts": ["three"]})
            assert (refused.status, refused.code) == (429, "busy")
            assert int(refused.headers["Retry-After"]) >= 1
            assert len(fake.calls) == 2
            release.set()
            assert [event["event"] async for event in second][-1] == "complete"
        await served.quiet()
        assert (await served.ask("POST", "/parallel", {"prompts": ["four"]})).status == 200


async def test_a_full_list_of_jobs_is_told_when_to_come_back() -> None:
    async with FakeOpenAI() as fake, serve(using(fake, daemon={"max_jobs": 1})) as served:
        fake.respond = lambda _: Hang()
        body = {"kind": "parallel", "prompts": ["one"]}
        job = await served.ask("POST", "/jobs", body)
        assert job.status == 202
        refused = await served.ask("POST", "/jobs", body)
        assert (refused.status, refused.code) == (429, "busy")
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await served.ask("DELETE", f"/jobs/{job.json['job_id']}")).json["status"] == "cancelled"
        assert (await served.ask("POST", "/jobs", body)).status == 202


async def test_text_that_utf8_cannot_carry_does_not_break_the_stream() -> None:
    demo = DemoProvider().reply("half \ud83d of a pair\u2028and a line separator")
    async with serve(settings_of(cache={"enabled": False}), demo=demo) as served:
        answer = await served.ask("POST", "/parallel", three(concurrency=1))
    assert len(answer.body.splitlines()) == 5
    assert answer.events[1]["task"]["text"] == "half \ud83d of a pair\u2028and a line separator"
    assert answer.events[-1]["results"][0] == answer.events[1]["task"]["text"]


async def test_a_number_that_json_does_not_have_is_null() -> None:
    demo = DemoProvider().reply('{"a": NaN}')
    async with serve(settings_of(cache={"enabled": False}), demo=demo) as served:
        answer = await served.ask("POST", "/parallel", {"prompts": ["a"], "schema": {"type": "object"}})
    assert b"NaN," not in answer.body
    for line in answer.body.splitlines():
        json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))


class Broken(Observer):
    """Counts no task, and cannot be shown: what nobody foresaw."""

    def task(self, result: TaskResult) -> None:
        raise RuntimeError("a secret detail")

    def exposition(self) -> bytes:
        raise RuntimeError("a secret detail")


async def test_what_nobody_foresaw_is_a_500_in_json_and_its_trace_is_in_the_log_only(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serve(settings_of(), observer=Broken()) as served:
        answer = await served.ask("GET", "/metrics")
        assert (answer.status, answer.code) == (500, "internal")
        assert answer.json["error"]["hint"] == "see: swarm logs"
        assert b"secret" not in answer.body
        assert b"Traceback" not in answer.body
        assert (await served.ask("GET", "/status")).status == 200
    assert [record for record in caplog.records if record.exc_info and record.levelno == logging.ERROR]


async def test_what_nobody_foresaw_in_a_stream_ends_it_with_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serve(settings_of(), observer=Broken()) as served:
        answer = await served.ask("POST", "/parallel", three())
        assert answer.events[0]["event"] == "start"
        assert answer.events[-1]["event"] == "error"
        assert answer.events[-1]["error"]["code"] == "internal"
        assert b"secret" not in answer.body
        await served.quiet()
    assert any(record.exc_info for record in caplog.records)
