"""Folders that several processes write to: a reader finds each file whole, and no link leads out of them.

Every step is relative to the open folder, and none opens a link, so that nobody can lead it elsewhere.
Whoever writes holds the folder's lock, so that the names of unfinished files can be the same each time: what
a crash leaves of one is written over by the next.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from clawswarm.errors import StoreError
from clawswarm.team.exchange import Exchange, exchange

FOLDER_MODE = 0o700
FILE_MODE = 0o600

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was found.

    Attributes:
        data: its beginning; all of it unless it is larger than what was asked for.
        size: bytes of the whole.
        identity: tells it from every other file, and from itself after a change.
        changed: when it was last written to, in seconds since 1970.
    """

    data: bytes
    size: int
    identity: str
    changed: float


class Folder:
    """An open folder.

    Args:
        swap: how two files change names at once.
    """

    def __init__(self, handle: int, path: Path, *, swap: Exchange = exchange) -> None:
        self._handle = handle
        self._swap = swap
        self.path = path

    @contextmanager
    def locked(self, name: str) -> Generator[None]:
        """Be the only one until the block ends. The kernel gives the lock back, however a process dies."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with self._no_link(name):
            lock = os.open(name, flags, FILE_MODE, dir_fd=self._handle)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def below(self, name: str) -> Generator["Folder"]:
        """The folder `name` in this one, made if it is missing."""
        with suppress(FileExistsError):
            os.mkdir(name, FOLDER_MODE, dir_fd=self._handle)
        with self._no_link(name):
            handle = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self._handle)
        try:
            yield Folder(handle, self.path / name, swap=self._swap)
        finally:
            os.close(handle)

    def names(self) -> set[str]:
        return set(os.listdir(self._handle))

    def read(self, name: str, most: int) -> Found | None:
        """The file, or its first `most` bytes; None where there is none.

        Raises:
            StoreError: something else has that name.
        """
        try:
            with self._no_link(name):
                handle = os.open(name, _READ, dir_fd=self._handle)
        except FileNotFoundError:
            return None
        try:
            seen = os.fstat(handle)
            if not stat.S_ISREG(seen.st_mode):
                raise self._no_file(name, "is no file")
            with os.fdopen(handle, "rb", closefd=False) as file:
                data = file.read(most)
        finally:
            os.close(handle)
        return Found(data, seen.st_size, f"{seen.st_ino}:{seen.st_mtime_ns}", seen.st_mtime_ns / 1e9)

    def put(self, name: str, data: bytes) -> bool:
        """Put `data` in the place of the file; False where just that is there."""
        found = self.read(name, len(data) + 1)
        if found is not None and found.data == data:
            return False
        self._rename(self._written(name, data), name)
        return True

    def create(self, name: str, data: bytes) -> bool:
        """Make a file that does not exist; False where it does."""
        fresh = self._written(name, data)
        try:
            return self._link(fresh, name)
        finally:
            self.remove(fresh)

    def displace(self, name: str, data: bytes, aside: str) -> None:
        """Put `data` in the place of the file; what was there at that moment gets the name `aside`."""
        fresh = self._written(name, data)
        while not self._link(fresh, name):
            self._rename(fresh, aside)
            try:
                if self._swap(self._handle, aside, name):
                    return
            except FileNotFoundError:
                self._rename(aside, fresh)  # somebody has just removed the file
                continue
            self._rename(aside, fresh)
            with suppress(FileNotFoundError):
                # The best that is left: who replaces the file between these two loses what they wrote.
                if self._link(name, aside):
                    self._rename(fresh, name)
                    return
        self.remove(fresh)

    def move(self, name: str, to: "Folder", new_name: str) -> bool:
        """Give the file another place, with its content and its time; False where that is taken."""
        with suppress(OSError):  # another user's stays as they made it
            os.chmod(name, FILE_MODE, dir_fd=self._handle)
        try:
            os.link(name, new_name, src_dir_fd=self._handle, dst_dir_fd=to._handle, follow_symlinks=False)
        except FileExistsError:
            return False
        to.sync()
        self.remove(name)
        return True

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._handle)

    def sync(self) -> None:
        """New names are safe from a power cut after this, where a system can do that."""
        with suppress(OSError):
            os.fsync(self._handle)

    def _written(self, name: str, data: bytes) -> str:
        """A new file beside the one called `name`, on the disk; its name."""
        fresh = f".{name.removeprefix('.')}.new"
        self.remove(fresh)
        handle = os.open(
            fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE, dir_fd=self._handle
        )
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)
        except BaseException:
            self.remove(fresh)
            raise
        return fresh

    def _rename(self, name: str, new_name: str) -> None:
        os.replace(name, new_name, src_dir_fd=self._handle, dst_dir_fd=self._handle)

    def _link(self, name: str, new_name: str) -> bool:
        try:
            os.link(name, new_name, src_dir_fd=self._handle, dst_dir_fd=self._handle, follow_symlinks=False)
        except FileExistsError:
            return False
        return True

    @contextmanager
    def _no_link(self, name: str) -> Generator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EMLINK):
                raise self._no_file(name, "is a link, and links are not followed") from error
            if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.ENXIO):
                raise self._no_file(name, "is a link, or not what should be there") from error
            raise

    def _no_file(self, name: str, why: str) -> StoreError:
        path = self.path / name
        return StoreError(f"{path} {why}", hint=f"look at it, and move it away: ls -ld {path}")


@contextmanager
def open_folder(path: Path, *, swap: Exchange = exchange) -> Generator[Folder]:
    """The folder at `path`, made for its owner alone if it is missing.

    Raises:
        OSError: it cannot be made or opened.
    """
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    handle = os.open(path, _FOLDER)
    try:
        yield Folder(handle, path, swap=swap)
    finally:
        os.close(handle)
