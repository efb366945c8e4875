"""Answers that are kept, and questions that are being asked.

A key is a hash of everything that shapes an answer. Look-ups of tasks that run at the same time share one
query in a thread, and answers are written behind, some hundreds at a time: no task waits for a disk write.
Identical questions in flight together are sent once.
"""

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
from pydantic_core import from_json, to_json

from clawswarm.clock import Clock
from clawswarm.config.model import Cache
from clawswarm.engine.deadline import Deadline
from clawswarm.errors import StoreError, TaskError
from clawswarm.lifetimes import background_tasks
from clawswarm.store.answers import Answers
from clawswarm.types.result import Reply, Usage
from clawswarm.types.task import Task, ToolCall

VERSION = 1
"""Of the stored form; another one is not read."""

WRITE_EVERY = 256
"""Answers that are collected before they are written."""

RETRY_AFTER = 30.0
"""Seconds for which a store that failed is left alone: a locked one makes each look-up wait for seconds."""

NOT_SHARED = frozenset({"cancelled", "timeout", "rate_limited", "budget_exceeded"})
"""Failures that may come from the asker's own deadline or cap: the next in line asks again."""


def answer_key(task: Task, *, address: str, model: str, defaults: bytes) -> bytes:
    """The hash of everything that shapes the answer to `task`.

    Args:
        address: which provider and endpoint group answers.
        defaults: the configured options, encoded.
    """
    shape: Any = (
        task.prompt,
        task.system,
        task.max_tokens,
        task.thinking,
        task.temperature,
        task.seed,
        task.stop,
    )
    extras: Any = (task.schema, task.history, task.tools, task.tool_choice) if _has_extras(task) else None
    digest = hashlib.blake2b(to_json((address, model, shape, extras)), digest_size=32)
    digest.update(defaults)
    return digest.digest()


def _has_extras(task: Task) -> bool:
    return task.schema is not None or bool(task.history) or bool(task.tools)


@dataclass(frozen=True, slots=True)
class Answered:
    """A reply, and whether it came without a call of its own."""

    reply: Reply
    shared: bool


@dataclass(slots=True, eq=False)
class _Flight:
    """A question that is being asked, and those who wait for the same answer."""

    deadline: Deadline
    landed: anyio.Event | None = None  # made by the first who waits: most questions are asked by one only
    outcome: Reply | TaskError | None = None

    async def wait(self) -> None:
        if self.landed is None:
            self.landed = anyio.Event()
        await self.landed.wait()


@dataclass(slots=True, eq=False)
class _Round:
    """Look-ups that share one query."""

    wanted: list[bytes] = field(default_factory=list[bytes])
    found: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    done: anyio.Event = field(default_factory=anyio.Event)


class AnswerCache:
    """Looks answers up, asks for those that are missing, keeps them.

    A store that fails is left alone for `RETRY_AFTER` seconds; until then every answer is asked for.

    Attributes:
        trouble: why answers are not kept, when they are not.
    """

    def __init__(self, answers: Answers | None, settings: Cache, clock: Clock) -> None:
        self._kept = answers if settings.enabled else None
        self._not_before = 0.0
        self._ttl = settings.ttl_hours * 3600
        self._max_bytes = int(settings.max_mb * 1_000_000)
        self._clock = clock
        self._flights: dict[bytes, _Flight] = {}
        self._round = _Round()
        self._unwritten: dict[bytes, bytes] = {}
        self._untrimmed = False
        self._call = anyio.Event()
        self._limiter = anyio.CapacityLimiter(1)
        self.trouble: StoreError | None = None

    @property
    def _answers(self) -> Answers | None:
        """The store, unless there is none or it has just failed."""
        return self._kept if self._clock.monotonic() >= self._not_before else None

    async def get(self, key: bytes, ask: Callable[[], Awaitable[Reply]], deadline: Deadline) -> Answered:
        """The answer to `key`: kept, being asked for already, or asked for now.

        Raises:
            TaskError: the call failed; those who shared it fail the same way, unless the reason
                was the asker's own deadline or cap.
        """
        while (flight := self._flights.get(key)) is not None:
            with deadline.along_with(flight.deadline):
                await flight.wait()
            if isinstance(flight.outcome, Reply):
                return Answered(flight.outcome, shared=True)
            if isinstance(flight.outcome, TaskError) and flight.outcome.code not in NOT_SHARED:
                raise flight.outcome
        flight = self._flights[key] = _Flight(deadline)
        try:
            if (kept := await self._look_up(key)) is not None:
                flight.outcome = kept
                return Answered(kept, shared=True)
            flight.outcome = reply = await ask()
            self._keep(key, reply)
            return Answered(reply, shared=False)
        except TaskError as error:
            flight.outcome = error
            raise
        finally:
            del self._flights[key]
            if flight.landed is not None:
                flight.landed.set()

    async def flush(self) -> None:
        """Write what was not written yet, and trim the table to its size."""
        if (answers := self._answers) is None:
            return
        try:
            if self._unwritten:
                await self._write()
            if self._untrimmed:
                self._untrimmed = False
                before = self._clock.now().timestamp() - self._ttl
                await anyio.to_thread.run_sync(
                    lambda: answers.trim(before=before, max_bytes=self._max_bytes), limiter=self._limiter
                )
        except StoreError as error:
            self._give_up(error)

    async def _look_up(self, key: bytes) -> Reply | None:
        if self._answers is None:
            return None
        if (body := self._unwritten.get(key)) is None:
            this = self._round
            this.wanted.append(key)
            self._call.set()
            await this.done.wait()
            body = this.found.get(key)
        return None if body is None else _decode(body)

    def _keep(self, key: bytes, reply: Reply) -> None:
        if self._answers is None or reply.remote:
            return
        try:
            self._unwritten[key] = _encode(reply)
        except ValueError:
            return  # text that no encoding can carry is an answer all the same, only not one to keep
        if len(self._unwritten) >= WRITE_EVERY:
            self._call.set()

    async def serve(self) -> None:
        """Answer look-ups and write behind, until cancelled."""
        while True:
            await self._call.wait()
            await anyio.lowlevel.checkpoint()  # those about to ask share this round: a thread costs more
            self._call = anyio.Event()
            this, self._round = self._round, _Round()
            try:
                if this.wanted:
                    await self._read(this)
                if len(self._unwritten) >= WRITE_EVERY:
                    await self._write()
            except StoreError as error:
                self._give_up(error)
            finally:
                this.done.set()

    async def _read(self, this: _Round) -> None:
        if (answers := self._answers) is None:
            return
        since = self._clock.now().timestamp() - self._ttl
        this.found = await anyio.to_thread.run_sync(
            lambda: answers.get(this.wanted, since=since), limiter=self._limiter
        )
        this.done.set()

    async def _write(self) -> None:
        if (answers := self._answers) is None:
            return
        bodies = dict(self._unwritten)  # more may come while the thread writes
        now = self._clock.now().timestamp()
        await anyio.to_thread.run_sync(lambda: answers.put(bodies, at=now), limiter=self._limiter)
        self._untrimmed = True
        self.trouble = None
        self._unwritten = {key: body for key, body in self._unwritten.items() if bodies.get(key) is not body}

    def _give_up(self, error: StoreError) -> None:
        """Work on without keeping answers, for a while."""
        self.trouble = error
        self._not_before = self._clock.monotonic() + RETRY_AFTER
        self._unwritten.clear()


@asynccontextmanager
async def open_answers(answers: Answers | None, settings: Cache, clock: Clock) -> AsyncGenerator[AnswerCache]:
    """A cache whose answers are written at the end, cancelled or not."""
    cache = AnswerCache(answers, settings, clock)
    try:
        async with background_tasks() as group:
            group.start_soon(cache.serve)
            yield cache
    finally:
        with anyio.CancelScope(shield=True):
            await cache.flush()
        if answers is not None:
            answers.close()


def _encode(reply: Reply) -> bytes:
    usage = reply.usage
    return to_json(
        {
            "v": VERSION,
            "text": reply.text,
            "model": reply.model,
            "finish": reply.finish_reason,
            "usage": None
            if usage is None
            else [usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cache_write_tokens],
            "cost": reply.cost_pico,
            "calls": [[call.id, call.name, call.arguments] for call in reply.tool_calls],
            "native": reply.native,
        },
        fallback=str,
    )


def _decode(body: bytes) -> Reply | None:
    """A stored reply; None when it was stored in another form, or is damaged."""
    try:
        document = from_json(body)
        return _read_document(document) if document["v"] == VERSION else None
    except (ValueError, TypeError, LookupError):
        return None


def _read_document(document: Any) -> Reply:
    usage = document["usage"]
    return Reply(
        text=document["text"],
        model=document["model"],
        finish_reason=document["finish"],
        usage=None if usage is None else Usage(*usage),
        cost_pico=document["cost"],
        tool_calls=tuple(ToolCall(id=i, name=n, arguments=a) for i, n, a in document["calls"]),
        native=document["native"],
    )
