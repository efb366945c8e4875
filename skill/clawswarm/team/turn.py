"""Work that one process of a machine does at a time: the next takes it over when that one ends, however."""

import fcntl
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from clawswarm.clock import Clock, sleep_until
from clawswarm.errors import StoreError
from clawswarm.team.files import FILE_MODE, FOLDER_MODE

LOOK_SECONDS = 3.0
"""Seconds after which a process looks again whether it is its turn."""


@asynccontextmanager
async def turn(path: Path, clock: Clock) -> AsyncGenerator[None]:
    """Be the only process in such a block, for the lock file at `path`; waits until it can be.

    Raises:
        StoreError: the lock file cannot be made.
    """
    try:
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        raise StoreError(
            f"the state directory {path.parent} cannot be written: {error.strerror or error}",
            hint=f"check its owner and mode (ls -ld {path.parent}), or point SWARM_MEMORY_DIR elsewhere",
        ) from error
    try:
        while not _locked(file):
            await sleep_until(clock, clock.monotonic() + LOOK_SECONDS)
        yield
    finally:
        os.close(file)


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
