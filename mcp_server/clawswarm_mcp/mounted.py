"""The server inside the daemon, at `/mcp`: Streamable HTTP, behind the daemon's own door.

It is built when the first client comes: whoever talks to the daemon otherwise does not wait for it.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from typing import Any

import anyio.to_thread
from anyio.abc import TaskGroup
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clawswarm.access.kept import Kept, open_kept
from clawswarm.access.local import LocalSwarm
from clawswarm.clock import sleep_until
from clawswarm_mcp.mending import mended

PATH = "/mcp"

PARTING = 1.0
"""Seconds in which calls may end once the daemon has been told to stop; streams that only listen end then."""

STOPPING = {"error": {"code": "busy", "message": "the daemon is stopping", "hint": "start it: swarm start"}}


class Mounted:
    """The ASGI application of `/mcp`.

    Args:
        swarm: the daemon's own; calls go straight to it.
        max_body: bytes of a request.
    """

    def __init__(self, swarm: LocalSwarm, *, max_body: int) -> None:
        self._swarm = swarm
        self._max_body = max_body
        self._kept: Kept | None = None
        self._group: TaskGroup | None = None
        self._server: Any = None

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Take requests until the block ends."""
        async with open_kept() as kept:
            self._kept, self._group = kept, kept.group
            try:
                yield
            finally:
                self._kept = self._group = None

    def leave(self) -> None:
        """The daemon stops: those who only listen are told, and let go."""
        if self._server is not None and self._group is not None:
            self._server.end_subscriptions()
            self._group.start_soon(self._let_go)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._kept is None:
            await JSONResponse(STOPPING, 503)(scope, receive, send)
            return
        app: ASGIApp = await self._kept.get(PATH, self._opened)
        await app(scope, _mending(receive), send)

    @asynccontextmanager
    async def _opened(self) -> AsyncGenerator[ASGIApp]:
        server = await anyio.to_thread.run_sync(self._build)
        app = server.streamable_http_app(streamable_http_path=PATH, max_request_body_size=self._max_body)
        async with server.session_manager.run():
            self._server = server
            yield app

    def _build(self) -> Any:
        """The server, with all that it is built on."""
        working = import_module("clawswarm_mcp.working")
        swarm = self._swarm
        opening = partial(working.open_working, environ=swarm.environ, inside=swarm, clock=swarm.engine.clock)
        return import_module("clawswarm_mcp.server").SwarmServer(opening)

    async def _let_go(self) -> None:
        clock = self._swarm.engine.clock
        await sleep_until(clock, clock.monotonic() + PARTING)
        kept, self._kept = self._kept, None
        if kept is not None:
            kept.drop(PATH)


def _mending(receive: Receive) -> Receive:
    """`receive`, with what it brings put right; the door has read each body whole."""

    async def mending() -> Message:
        message = await receive()
        if message["type"] == "http.request" and message.get("body"):
            text = message["body"].decode("utf-8", "replace")
            return {**message, "body": mended(text).encode()}
        return message

    return mending
