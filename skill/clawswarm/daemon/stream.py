"""An answer that is a stream of JSON lines: as they happen, with a pulse, and over when the client leaves.

The status line goes out with the first event: work that fails before it is a 4xx, never a 200 that fails.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import anyio
from pydantic_core import to_json
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from clawswarm.daemon.errors import as_response, internal_error
from clawswarm.errors import SwarmError

logger = logging.getLogger(__name__)

HIGH_WATER = 256 * 1024
"""Bytes that wait for a slow client before the work waits, too."""

HEARTBEAT = b'{"event":"heartbeat"}\n'

LINGER = 0.002
"""Seconds that the first line of a packet waits for others: to wake the client for each costs more."""

STOPPING = {
    "code": "daemon_stopping",
    "message": "the daemon was told to stop before the work was done",
    "hint": "start it again: swarm start; work that must survive this is a job: POST /jobs",
}


Refusal = tuple[int, dict[str, Any], dict[str, str]]


class Event(Protocol):
    event: Any

    def as_json(self) -> dict[str, Any]: ...


Run = Callable[[Callable[[Any], Awaitable[None]]], Awaitable[None]]
"""Work that is handed a way to emit its events."""


class EventStream(Response):
    """Runs `run` and sends what it emits. Events that come at once travel together.

    Args:
        heartbeat: seconds of silence after which a line says that all is well.
    """

    media_type = "application/x-ndjson"

    def __init__(self, run: Run, *, heartbeat: float) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})
        self._run = run
        self._heartbeat = heartbeat
        self._lines: list[bytes] = []
        self._size = 0
        self._wake = anyio.Event()
        self._room = anyio.Event()
        self._over = anyio.Event()
        self._sent = anyio.Event()
        self._ended = False
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused: Refusal | None = None
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._until_gone, receive, group.cancel_scope)
                group.start_soon(self._write, send)
                refused = await self._work()
                if refused is None or self._begun or self._lines:
                    if refused is not None:
                        self._put({"event": "error", "error": refused[1]})
                    self._end()
                    await self._sent.wait()
                group.cancel_scope.cancel()
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(1, shield=True):
                await self._last_words(scope, receive, send)
            raise
        if refused is not None and not self._begun:
            status, error, headers = refused
            await JSONResponse({"error": error}, status, headers)(scope, receive, send)

    async def _work(self) -> Refusal | None:
        """Run to the end; what went wrong, as status, error and headers."""
        try:
            await self._run(self._emit)
        except SwarmError as error:
            return as_response(error)
        except Exception:
            logger.exception("a stream failed")
            return internal_error()
        return None

    async def _emit(self, event: Event) -> None:
        self._put(event.as_json())
        if event.event == "complete":
            self._end()  # the client need not wait while the work cleans up after itself
        elif self._size > HIGH_WATER:
            if self._room.is_set():
                self._room = anyio.Event()
            await self._room.wait()  # with whoever else waits: steps of a research emit side by side

    def _put(self, document: dict[str, Any]) -> None:
        line = encode(document) + b"\n"
        self._lines.append(line)
        self._size += len(line)
        self._wake.set()

    def _end(self) -> None:
        self._ended = True
        self._over.set()
        self._wake.set()

    async def _write(self, send: Send) -> None:
        """Send what there is as soon as there is something; a pulse where there is nothing for long."""
        while not self._sent.is_set():
            with anyio.move_on_after(self._heartbeat) as silence:
                await self._wake.wait()
            if silence.cancelled_caught:
                self._lines.append(HEARTBEAT)
            elif not self._ended:
                with anyio.move_on_after(LINGER):
                    await self._over.wait()
            self._wake = anyio.Event()
            lines, self._lines, self._size = self._lines, [], 0
            self._room.set()
            ended = self._ended
            try:
                await self._begin(send)
                await send({"type": "http.response.body", "body": b"".join(lines), "more_body": not ended})
            except anyio.get_cancelled_exc_class():
                self._lines[:0] = lines  # for the last words
                raise
            if ended:
                self._sent.set()

    async def _until_gone(self, receive: Receive, scope: anyio.CancelScope) -> None:
        """Cancel the work once the client has left."""
        while (await receive())["type"] != "http.disconnect":
            pass
        if not self._ended:
            scope.cancel()

    async def _begin(self, send: Send) -> None:
        if not self._begun:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            self._begun = True

    async def _last_words(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The daemon is stopping: say so, where the client still listens."""
        if self._sent.is_set():
            return
        if not self._begun and not self._lines:
            await JSONResponse({"error": STOPPING}, 503)(scope, receive, send)
            return
        if not self._ended:
            self._put({"event": "error", "error": STOPPING})
        await self._begin(send)
        await send({"type": "http.response.body", "body": b"".join(self._lines), "more_body": False})


def encode(document: dict[str, Any]) -> bytes:
    """JSON; text that UTF-8 cannot carry (half a surrogate pair) is escaped, what is no number is null."""
    try:
        return to_json(document, inf_nan_mode="null")
    except ValueError:
        return json.dumps(document).encode()
