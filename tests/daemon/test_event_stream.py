"""`EventStream` against a hand-made server: back-pressure, leaving, being called off at any moment."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from clawswarm.daemon.stream import HIGH_WATER, EventStream, Run
from clawswarm.errors import Busy, InputError

pytestmark = pytest.mark.anyio

KIB = 1024


@dataclass
class Line:
    """An event of any size."""

    event: str = "progress"
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"event": self.event, "text": self.text}


@dataclass
class Client:
    """The server's side of one request: what was sent, and whether the client reads and is there."""

    reads: anyio.Event = field(default_factory=anyio.Event)
    left: anyio.Event = field(default_factory=anyio.Event)
    over: anyio.Event = field(default_factory=anyio.Event)
    statuses: list[int] = field(default_factory=list[int])
    data: bytes = b""
    whole: bool = False
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.reads.wait()
        assert not self.whole, "something was sent after the end"
        if message["type"] == "http.response.start":
            assert not self.statuses
            self.statuses.append(message["status"])
        else:
            assert self.statuses, "the body came first"
            self.data += message.get("body", b"")
            self.whole = not message.get("more_body", False)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.data.splitlines()]

    @property
    def kinds(self) -> list[str]:
        return [event["event"] for event in self.events]

    async def serve(self, run: Run, heartbeat: float) -> None:
        with self.scope:
            await EventStream(run, heartbeat=heartbeat)({"type": "http"}, self.receive, self.send)
        self.over.set()

    async def wait_over(self) -> None:
        with anyio.fail_after(25):
            await self.over.wait()


@asynccontextmanager
async def client_of(
    run: Run, *, reads: bool = True, heartbeat: float = 60
) -> AsyncGenerator[tuple[Client, TaskGroup]]:
    client = Client()
    if reads:
        client.reads.set()
    async with anyio.create_task_group() as group:
        group.start_soon(client.serve, run, heartbeat)
        yield client, group
        group.cancel_scope.cancel()


async def test_a_client_that_does_not_read_makes_the_work_wait_and_memory_stays_bounded() -> None:
    emitted = 0

    async def run(emit: Any) -> None:
        nonlocal emitted
        for _ in range(1000):
            await emit(Line(text="x" * 8 * KIB))
            emitted += 1
        await emit(Line("complete"))

    async with client_of(run, reads=False) as (client, _):
        await anyio.wait_all_tasks_blocked()
        assert HIGH_WATER < (emitted + 1) * 8 * KIB < 2 * HIGH_WATER + 16 * KIB
        client.reads.set()
        await client.wait_over()
    assert emitted == 1000
    assert client.kinds.count("progress") == 1000
    assert client.kinds[-1] == "complete"


async def test_several_that_emit_side_by_side_all_go_on_once_there_is_room() -> None:
    done = 0

    async def run(emit: Any) -> None:
        async def step() -> None:
            nonlocal done
            for _ in range(40):
                await emit(Line(text="x" * 64 * KIB))
            done += 1

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(step)
        await emit(Line("complete"))

    async with client_of(run, reads=False) as (client, _):
        await anyio.wait_all_tasks_blocked()
        client.reads.set()
        await client.wait_over()
    assert done == 5
    assert client.kinds == ["progress"] * 200 + ["complete"]


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (InputError("no"), 422, None),
        (Busy("full", retry_after=2.3), 429, "3"),
        (RuntimeError("x"), 500, None),
    ],
)
async def test_work_that_fails_before_its_first_event_is_refused_with_a_status(
    error: Exception, status: int, header: str | None
) -> None:
    async def run(emit: Any) -> None:
        raise error

    async with client_of(run) as (client, _):
        await client.wait_over()
    assert client.statuses == [status]
    assert client.whole
    assert list(client.events[0]) == ["error"]


async def test_work_that_fails_later_ends_the_stream_with_its_error() -> None:
    async def run(emit: Any) -> None:
        await emit(Line("start"))
        raise InputError("too late for a status")

    async with client_of(run) as (client, _):
        await client.wait_over()
    assert (client.statuses, client.kinds, client.whole) == ([200], ["start", "error"], True)
    assert client.events[-1]["error"]["message"] == "too late for a status"


async def test_the_answer_is_whole_while_the_work_still_cleans_up() -> None:
    cleaned = anyio.Event()

    async def run(emit: Any) -> None:
        await emit(Line("complete"))
        await cleaned.wait()

    async with client_of(run) as (client, _):
        await anyio.wait_all_tasks_blocked()
        assert (client.whole, client.over.is_set()) == (True, False)
        client.left.set()  # that cuts nothing short any more
        await anyio.wait_all_tasks_blocked()
        assert not client.over.is_set()
        cleaned.set()
        await client.wait_over()


async def test_a_client_that_leaves_calls_the_work_off() -> None:
    called_off = False

    async def run(emit: Any) -> None:
        nonlocal called_off
        await emit(Line("start"))
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            called_off = True
            raise

    async with client_of(run) as (client, _):
        await anyio.wait_all_tasks_blocked()
        client.left.set()
        await client.wait_over()
    assert called_off


async def test_a_client_that_leaves_unread_events_behind_calls_the_work_off() -> None:
    async def run(emit: Any) -> None:
        while True:
            await emit(Line(text="x" * 64 * KIB))

    async with client_of(run, reads=False) as (client, _):
        await anyio.wait_all_tasks_blocked()
        client.left.set()
        await client.wait_over()


async def test_a_daemon_that_stops_says_so_after_the_events_that_there_are() -> None:
    async def run(emit: Any) -> None:
        await emit(Line("start"))
        await anyio.sleep_forever()

    async with client_of(run) as (client, _):
        await anyio.wait_all_tasks_blocked()
        client.scope.cancel()
        await client.wait_over()
    assert (client.statuses, client.kinds, client.whole) == ([200], ["start", "error"], True)
    assert client.events[-1]["error"]["code"] == "daemon_stopping"


async def test_a_daemon_that_stops_before_the_first_event_answers_with_a_status() -> None:
    async def run(emit: Any) -> None:
        await anyio.sleep_forever()

    async with client_of(run) as (client, _):
        await anyio.wait_all_tasks_blocked()
        client.scope.cancel()
        await client.wait_over()
    assert (client.statuses, client.whole) == ([503], True)
    assert client.events[0]["error"]["code"] == "daemon_stopping"


async def test_a_daemon_that_stops_loses_no_event_that_waits_for_a_slow_reader() -> None:
    async def run(emit: Any) -> None:
        for number in range(50):
            await emit(Line(text=str(number)))
        await anyio.sleep_forever()

    async with client_of(run, reads=False) as (client, _):
        await anyio.wait_all_tasks_blocked()
        client.scope.cancel()
        client.reads.set()
        await client.wait_over()
    assert [event.get("text") for event in client.events[:-1]] == [str(number) for number in range(50)]
    assert client.kinds[-1] == "error"


async def test_a_daemon_that_stops_after_the_end_adds_nothing() -> None:
    async def run(emit: Any) -> None:
        await emit(Line("complete"))
        await anyio.sleep_forever()

    async with client_of(run) as (client, _):
        await anyio.wait_all_tasks_blocked()
        client.scope.cancel()
        await client.wait_over()
    assert client.kinds == ["complete"]


async def test_a_pulse_comes_only_into_silence() -> None:
    async def run(emit: Any) -> None:
        for _ in range(20):
            await emit(Line())
            await checkpoint()
        await emit(Line("complete"))

    async with client_of(run, heartbeat=1) as (client, _):
        await client.wait_over()
    assert "heartbeat" not in client.kinds
