"""Ctrl-C: the first one ends the work in order, the second leaves at once."""

import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

import anyio

from clawswarm.cli.streams import INTERRUPTED
from clawswarm.errors import SwarmError
from clawswarm.lifetimes import background_tasks

SHOW_CURSOR = b"\x1b[?25h"


class Interrupted(SwarmError):  # noqa: N818 - says what happened
    """The user stopped the command, and it has nothing to show for it."""

    code = "cancelled"
    exit_status = INTERRUPTED


@asynccontextmanager
async def interrupted() -> AsyncGenerator[anyio.CancelScope]:
    """A scope that Ctrl-C (or SIGTERM) cancels; a second one leaves at once."""
    scope = anyio.CancelScope()

    async def watch() -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                if scope.cancel_called:
                    _leave()
                scope.cancel()

    async with background_tasks() as group:
        group.start_soon(watch)
        yield scope


def _leave() -> None:
    """End without tidying up, but for the cursor, which a live display hides."""
    if sys.stderr.isatty():
        with suppress(OSError):
            os.write(sys.stderr.fileno(), SHOW_CURSOR)
    os._exit(INTERRUPTED)
