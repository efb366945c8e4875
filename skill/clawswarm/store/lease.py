"""Money a process has taken out of the day, counted where a SIGKILL cannot reach.

A lease is a small file mapped into memory. Its owner counts into it what was spent and what is on its way,
with plain memory writes that cost nothing and that the kernel keeps when the process dies; and it holds a
file lock, which the kernel gives back at that moment. Whoever gets the lock finds the exact numbers.

The numbers are not flushed to the disk, so a lease from before the machine's last start proves nothing.
"""

import fcntl
import functools
import mmap
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_SPENT, _FLYING, _FIELDS = 0, 1, 2
_SIZE = _FIELDS * 8


class Lease:
    """The counters of a lease this process owns, in picodollars."""

    def __init__(self, identity: str, folder: Path) -> None:
        self.id = identity
        self._path = folder / identity
        self._fd = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Written, not truncated to this length: a page without a block on the disk cannot be written to
            # once the disk is full, and the kernel tells so by SIGBUS.
            os.write(self._fd, bytes(_SIZE))
            self._map = mmap.mmap(self._fd, _SIZE)
        except BaseException:
            self._path.unlink(missing_ok=True)
            os.close(self._fd)
            raise
        self._numbers = memoryview(self._map).cast("q")

    @classmethod
    def take(cls, folder: Path) -> "Lease":
        """A new lease, locked. Its file stays until `remove`."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(f"{_boot_id()}.{os.getpid()}.{secrets.token_hex(4)}", folder)

    def note(self, spent: int, flying: int) -> None:
        """Count what was spent in all and what calls on their way may still cost."""
        # What flies is written first when it grows and last when it shrinks: at no instant does the sum
        # of the two lie below the truth.
        if flying > self._numbers[_FLYING]:
            self._numbers[_FLYING] = flying
            self._numbers[_SPENT] = spent
        else:
            self._numbers[_SPENT] = spent
            self._numbers[_FLYING] = flying

    def remove(self) -> None:
        """Delete the file and give the lock back, after the ledger has taken the numbers over."""
        self._path.unlink(missing_ok=True)
        self.leave()

    def leave(self) -> None:
        """Give the lock back and leave the numbers to whoever looks next."""
        self._numbers.release()
        self._map.close()
        os.close(self._fd)


@dataclass(frozen=True, slots=True)
class Remains:
    """What a dead owner left. None: the counters are lost, and all that it held may have been spent."""

    spent: int | None
    flying: int


LOST = Remains(None, 0)


def inherit(identity: str, folder: Path) -> Remains | None:
    """The counters of a lease whose owner has died; None while it lives.

    The caller sees to it that nobody else asks before it has booked them, and calls `bury` then.
    """
    try:
        fd = os.open(folder / identity, os.O_RDWR)
    except FileNotFoundError:
        return LOST
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raw = os.read(fd, _SIZE)
    except BlockingIOError:
        return None
    finally:
        os.close(fd)
    if len(raw) < _SIZE or not identity.startswith(f"{_boot_id()}."):
        return LOST
    spent, flying = memoryview(raw).cast("q")
    return Remains(spent, flying)


def bury(identity: str, folder: Path) -> None:
    """Delete the file of a lease that was inherited and booked."""
    (folder / identity).unlink(missing_ok=True)


@functools.cache
def _boot_id() -> str:
    """Something that changes when the machine starts anew."""
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()[:8]  # noqa: S603
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
