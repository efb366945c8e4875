"""A scriptable loopback HTTP server; each provider's fake fills in the wire format."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.fakes.behaviours import (
    Behaviour,
    Blocked,
    Cut,
    Drip,
    Empty,
    Hang,
    Held,
    NoEnd,
    Raw,
    Refuse,
    Say,
    Stall,
    StreamError,
)
from tests.fakes.wire import Seen, Wire, bytes_of, forever, whole_response

MAX_BODY = 64 * 2**20


class FakeServer:
    """Serves one provider's API inside the running event loop.

    A call that the API's own rules refuse is answered at once and consumes no
    scripted behaviour. Others wait for a slot (`Refuse` and `Raw` need none), then
    for `latency`, then are answered.
    """

    api_path = ""

    def __init__(self, *, latency: float = 0.0, slots: int | None = None) -> None:
        self.latency = latency
        self.slots = slots
        self.respond: Callable[[Seen], Behaviour] | None = None
        self.rate_headers: dict[str, str] = {}
        self.url = ""
        self.seen: list[Seen] = []
        self.calls: list[Seen] = []
        self.in_flight = 0
        self.peak = 0
        self.serving = 0
        self.serving_peak = 0
        self.left = 0
        self._peers: set[object] = set()
        self._script: deque[Behaviour] = deque()
        self._lanes: dict[str, asyncio.Semaphore] = {}
        self._handlers: set[asyncio.Task[Any]] = set()
        self._closing = False

    # What a provider's fake defines.

    def is_call(self, seen: Seen) -> bool:
        """Whether the request asks a model for something."""
        raise NotImplementedError

    def other(self, seen: Seen) -> Wire:
        """The answer to any request that is not a call."""
        raise NotImplementedError

    def check(self, seen: Seen) -> Wire | None:
        """The API's own objection to a call, if it has one."""
        raise NotImplementedError

    def say(self, seen: Seen, say: Say) -> Wire:
        raise NotImplementedError

    def refuse(self, seen: Seen, refusal: Refuse) -> Wire:
        raise NotImplementedError

    def blocked(self, seen: Seen, reason: str) -> Wire:
        raise NotImplementedError

    def broken_stream(self, seen: Seen, error: StreamError) -> bytes:
        """The piece by which a running stream reports its failure."""
        raise NotImplementedError

    def broken_answer(self, seen: Seen, error: StreamError) -> Wire:
        """The same failure where nothing was streamed."""
        return self.refuse(seen, Refuse(500, error.message, type=error.type))

    async def prepare(self, seen: Seen) -> Wire | None:
        """Work before a slot is taken (loading a model); may refuse the call."""
        return None

    def lane(self, seen: Seen) -> str:
        """Calls of one lane share its slots."""
        return ""

    def slots_of(self, lane: str) -> int | None:
        return self.slots

    # What a test uses.

    @property
    def base_url(self) -> str:
        """What a client is given as its base URL."""
        return self.url + self.api_path

    def enqueue(self, *behaviours: Behaviour) -> None:
        """Script the next calls, one behaviour each, in order of arrival."""
        self._script.extend(behaviours)

    @property
    def connections(self) -> int:
        """How many connections were opened so far."""
        return len(self._peers)

    @property
    def scripted(self) -> int:
        """How many scripted behaviours are still unused."""
        return len(self._script)

    async def wait_until(self, condition: Callable[[], bool], timeout: float = 5) -> None:
        """Wait for a condition on this server's attributes.

        Raises:
            TimeoutError: it did not come true in time.
        """
        async with asyncio.timeout(timeout):
            while not condition():
                await self._changed.wait()

    async def wait_left(self, n: int, timeout: float = 5) -> None:
        """Wait until `n` clients have gone before their answer was complete."""
        await self.wait_until(lambda: self.left >= n, timeout)

    async def wait_calls(self, n: int, timeout: float = 5) -> None:
        """Wait until `n` calls have arrived."""
        await self.wait_until(lambda: len(self.calls) >= n, timeout)

    async def wait_in_flight(self, n: int, timeout: float = 5) -> None:
        """Wait until exactly `n` calls are being served or queued."""
        await self.wait_until(lambda: self.in_flight == n, timeout)

    async def __aenter__(self) -> Self:
        self._changed = asyncio.Event()
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=4096).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        for task in self._handlers:
            task.cancel()
        await self._runner.cleanup()

    # How a request is served.

    def _touch(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._peers.add(request.transport and request.transport.get_extra_info("peername"))
        raw = await request.read()
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            body = None
        at = asyncio.get_running_loop().time()
        path = request.rel_url.path
        seen = Seen(
            request.method, path, request.rel_url.query, request.headers, body, at, len(self.seen) + 1
        )
        self.seen.append(seen)
        if self.is_call(seen):
            return await self._serve(request, seen)
        return whole_response(self.other(seen), {})

    async def _serve(self, request: web.Request, seen: Seen) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        self.calls.append(seen)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        self._touch()
        try:
            if (refusal := self.check(seen)) is not None:
                return whole_response(refusal, self.rate_headers)
            behaviour = self._next(seen)
            if isinstance(behaviour, Refuse | Raw):
                return await self._play(request, seen, behaviour)
            if (refusal := await self.prepare(seen)) is not None:
                return whole_response(refusal, self.rate_headers)
            return await self._serve_in_slot(request, seen, behaviour)
        except (asyncio.CancelledError, ConnectionError):
            if not self._closing:
                self.left += 1
            raise
        finally:
            self.in_flight -= 1
            self._handlers.discard(task)
            self._touch()

    async def _serve_in_slot(
        self, request: web.Request, seen: Seen, behaviour: Behaviour
    ) -> web.StreamResponse:
        lane = self.lane(seen)
        slots = self.slots_of(lane)
        if slots is None:
            return await self._serve_now(request, seen, behaviour)
        async with self._lanes.setdefault(lane, asyncio.Semaphore(slots)):
            return await self._serve_now(request, seen, behaviour)

    async def _serve_now(self, request: web.Request, seen: Seen, behaviour: Behaviour) -> web.StreamResponse:
        self.serving += 1
        self.serving_peak = max(self.serving_peak, self.serving)
        self._touch()
        try:
            return await self._play(request, seen, behaviour)
        finally:
            self.serving -= 1

    def _next(self, seen: Seen) -> Behaviour:
        if self._script:
            return self._script.popleft()
        return self.respond(seen) if self.respond is not None else Say()

    async def _play(self, request: web.Request, seen: Seen, behaviour: Behaviour) -> web.StreamResponse:
        if self.latency:
            await asyncio.sleep(self.latency)
        match behaviour:
            case Hang():
                await forever()
            case Held(until, of):
                await until.wait()
                behaviour = of
            case Cut(after, of):
                return await self._cut(request, self._wire(seen, of), after)
            case Drip(seconds, of):
                wire = self._wire(seen, of)
                return await self._send(request, wire, bytes_of(wire.pieces), pause=seconds)
            case Stall(after, of):
                wire = self._wire(seen, of)
                await self._send(request, wire, wire.pieces[:after])
                await forever()
            case _:
                pass
        wire = self._wire(seen, behaviour)
        if wire.stream:
            return await self._send(request, wire, wire.pieces, pause=0)
        return whole_response(wire, self.rate_headers)

    def _wire(self, seen: Seen, answer: Behaviour) -> Wire:
        match answer:
            case Say():
                return self.say(seen, answer)
            case Empty():
                return self.say(seen, Say(text=""))
            case Refuse():
                return self.refuse(seen, answer)
            case Raw(status, body, content_type):
                return Wire(status, (body,), content_type=content_type)
            case Blocked(reason):
                return self.blocked(seen, reason)
            case StreamError(after):
                wire = self.say(seen, answer.of)
                if not wire.stream:
                    return self.broken_answer(seen, answer)
                return replace(wire, head=(*wire.head[:after], self.broken_stream(seen, answer)), tail=())
            case NoEnd(after):
                wire = self.say(seen, answer.of)
                if not wire.stream:
                    return self.refuse(seen, Refuse(500, "this test's NoEnd needs a streaming request"))
                return replace(wire, head=wire.head[:after], tail=())
            case _:
                raise TypeError(f"{answer!r} cannot be nested")

    async def _open(self, request: web.Request, wire: Wire) -> web.StreamResponse:
        headers = {**self.rate_headers, **wire.headers, "Content-Type": wire.content_type}
        response = web.StreamResponse(status=wire.status, headers=headers)
        if wire.stream:
            response.enable_chunked_encoding()
        else:
            response.content_length = sum(map(len, wire.pieces))
        await response.prepare(request)
        return response

    async def _send(
        self, request: web.Request, wire: Wire, pieces: Iterable[bytes], pause: float | None = None
    ) -> web.StreamResponse:
        response = await self._open(request, wire)
        for piece in pieces:
            await response.write(piece)
            if pause is not None:
                await asyncio.sleep(pause)
        return response

    async def _cut(self, request: web.Request, wire: Wire, after: int) -> web.StreamResponse:
        response = await self._open(request, wire)
        await response.write(b"".join(wire.pieces)[:after])
        if request.transport is not None:
            request.transport.close()
        return response
