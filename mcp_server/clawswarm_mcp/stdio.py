"""The server as a child of its client, over standard input and output.

Nothing but the protocol goes to standard output. It leaves when its input ends, when its parent is gone, or
when it is told to, within two seconds and with status 0: what it began is called off by then, and nothing of
it stays behind.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import anyio
from mcp.server.stdio import stdio_server

from clawswarm.access.kept import Kept
from clawswarm_mcp.mending import mended
from clawswarm_mcp.parent import parent_gone
from clawswarm_mcp.server import SwarmServer, late

PARTING = 1.5
"""Seconds from the end of the input to the end of the process, whatever still hangs."""

CHUNK = 65_536


def main() -> None:
    """Serve until the client leaves."""
    if sys.stdin is None or sys.stdout is None:  # pyright: ignore[reportUnnecessaryComparison]
        return  # whoever started it closed them: there is nobody to serve
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="swarm mcp: %(levelname)s: %(message)s"
    )
    wire = _take_input()
    anyio.run(_serve, wire)
    logging.shutdown()
    with suppress(OSError):
        sys.stderr.flush()
    os._exit(0)  # threads that wait for something that nobody needs any more do not hold it up


def _take_input() -> int:
    """Standard input under another number; who reads the usual one, a child for instance, finds its end."""
    wire = os.dup(0)
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    return wire


async def _serve(wire: int) -> None:
    server = SwarmServer(_open_working)
    lines = Lines(wire)
    async with anyio.create_task_group() as group:
        group.start_soon(_leave_when, parent_gone, group.cancel_scope)
        group.start_soon(_leave_when, _told_to, group.cancel_scope)
        async with stdio_server(stdin=cast("anyio.AsyncFile[str]", lines)) as (read, write):
            await server.serve(read, write)
        group.cancel_scope.cancel()


async def _leave_when(happens: Any, scope: anyio.CancelScope) -> None:
    await happens()
    _no_longer_than(PARTING)
    scope.cancel()


async def _told_to() -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            return


def _no_longer_than(seconds: float) -> None:
    """Whatever still hangs by then, the process ends."""
    timer = threading.Timer(seconds, os._exit, (0,))
    timer.daemon = True
    timer.start()


class Lines:
    """The lines of a pipe, a terminal or a file; no thread waits for them that would hold up the end."""

    def __init__(self, number: int) -> None:
        self._number = number

    async def __aiter__(self) -> AsyncIterator[str]:
        begun: list[bytes] = []
        while chunk := await self._read():
            *lines, rest = chunk.split(b"\n")
            for line in lines:
                yield _message(b"".join((*begun, line)))
                begun.clear()
            begun.append(rest)
        _no_longer_than(PARTING)
        if any(begun):
            yield _message(b"".join(begun))

    async def _read(self) -> bytes:
        """What there is, once there is something; nothing at the end."""
        with suppress(PermissionError):  # a file is always readable, and the system refuses to say so
            await anyio.wait_readable(self._number)
        return os.read(self._number, CHUNK)


def _message(line: bytes) -> str:
    return mended(line.decode("utf-8", "replace"))


@asynccontextmanager
async def _open_working(kept: Kept) -> AsyncGenerator[Any]:
    working = await late("clawswarm_mcp.working")
    async with working.open_working(kept, os.environ) as opened:
        yield opened
