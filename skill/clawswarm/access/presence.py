"""Whether a daemon runs on a state directory, told by a file lock: no pid file can be stale.

The daemon holds an exclusive lock on `daemon.lock` as long as it lives, and writes into that file how to
reach it. The kernel gives the lock back when it dies, however it dies. One state directory has one daemon.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic_core import from_json, to_json

from clawswarm.config.paths import Paths
from clawswarm.errors import DaemonError, StoreError

LARGEST = 4096
"""Bytes of the file: one write of it is seen whole or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A daemon that runs.

    Attributes:
        port: None while it is starting (pid 0 then) or stopping.
        started: seconds since 1970.
        settings: a digest of the configuration it was started with.
    """

    pid: int
    port: int | None
    version: str
    started: float
    workers: int
    settings: str

    @property
    def state(self) -> Literal["starting", "running", "stopping"]:
        if self.port is not None:
            return "running"
        return "stopping" if self.pid else "starting"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def lock_file(paths: Paths) -> Path:
    return paths.memory / "daemon.lock"


def look(paths: Paths) -> Presence | None:
    """The daemon that runs on this state directory; None when there is none."""
    try:
        file = os.open(lock_file(paths), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if _lock(file, fcntl.LOCK_SH):
            return None
        return _read(file)
    finally:
        os.close(file)


def wait_gone(paths: Paths) -> None:
    """Return once no daemon holds the lock. Blocks: call it from a thread that may be abandoned."""
    try:
        file = os.open(lock_file(paths), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_SH)
    finally:
        os.close(file)


class Seat:
    """The lock in the hands of the daemon."""

    def __init__(self, file: int) -> None:
        self._file = file

    def announce(self, presence: Presence) -> None:
        """Tell those who look how to reach this daemon."""
        document = to_json(asdict(presence)) + b"\n"
        assert len(document) <= LARGEST  # noqa: S101 - numbers, and two short texts of ours
        os.pwrite(self._file, document, 0)
        os.ftruncate(self._file, len(document))


@contextmanager
def take_seat(paths: Paths) -> Generator[Seat]:
    """Be the daemon of this state directory until the block ends.

    Raises:
        DaemonError: another one is.
        StoreError: the state directory cannot be written.
    """
    path = lock_file(paths)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"the state directory {path.parent} cannot be written: {error.strerror}",
            hint=f"check its owner and mode (ls -ld {path.parent}), or point SWARM_MEMORY_DIR elsewhere",
        ) from error
    try:
        while not _lock(file, fcntl.LOCK_EX):
            if not _lock(file, fcntl.LOCK_SH):
                raise _taken(_read(file))
            fcntl.flock(file, fcntl.LOCK_UN)  # only somebody who looked: that takes no time
        os.ftruncate(file, 0)
        yield Seat(file)
        with suppress(OSError):
            os.ftruncate(file, 0)
    finally:
        os.close(file)


def _lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: int) -> Presence | None:
    try:
        document: Any = from_json(os.pread(file, LARGEST, 0))
        return Presence(**document)
    except (ValueError, TypeError):
        return Presence(pid=0, port=None, version="", started=0, workers=0, settings="")


def _taken(presence: Presence | None) -> DaemonError:
    if presence is None or presence.port is None:
        what = "starting" if presence is None else presence.state
        return DaemonError(f"another daemon is {what}", hint="wait a moment, then see: swarm status")
    return DaemonError(
        f"a daemon runs already on port {presence.port} (pid {presence.pid})",
        hint="see: swarm status; or put a new one in its place: swarm restart",
    )
