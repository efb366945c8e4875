"""Writers take turns: a queue in front of the lock of SQLite.

SQLite gives its lock to whoever happens to ask while it is free; who has to wait asks again after pauses that
grow to a tenth of a second, and among many writers may wait for seconds. Those who wait for a file lock are
woken by the kernel the moment it is free.

The queue makes nothing safe, and where it cannot be used nobody misses it: the lock of SQLite is still asked
for by everyone.
"""

import fcntl
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def turn(path: Path, seconds: float) -> Generator[bool]:
    """Inside the block nobody else has a turn at the file `path`, which is made if needed.

    Yields:
        Whether that is so: False when somebody else had the turn for longer than `seconds`.
    """
    try:
        place = _Place(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError:  # a folder that cannot be written, a full disk: the database will say so
        yield True
        return
    try:
        yield place.taken(seconds)
    finally:
        place.leave()


class _Place:
    """A place in the queue. A wait in the kernel cannot be given up, so that it is left to a thread."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._waiting = False
        self._left = False

    def taken(self, seconds: float) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._waiting = True
            threading.Thread(target=self._wait, name="turn", daemon=True).start()
            return self._answered.wait(seconds)
        except OSError:  # a file system without such locks
            return True
        return True

    def leave(self) -> None:
        """Let the next one go. A thread that still waits for this turn lets it go when it comes."""
        with self._lock:
            self._left = True
            if not self._waiting:
                os.close(self._fd)

    def _wait(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        finally:
            with self._lock:
                self._waiting = False
                if self._left:
                    os.close(self._fd)
                self._answered.set()
