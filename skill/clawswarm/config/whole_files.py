"""Files that are written whole: a reader sees the old one or the new one, never half of one."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, data: bytes, mode: int) -> None:
    """Put `data` in the place of the file at `path`, which no longer exists or is no link.

    Nobody but the owner can read it before it has its mode, and it is on the disk before it has its name.

    Raises:
        OSError: it cannot be written; what was there is still there.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:200]}.")  # O_EXCL, mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            _keep_owner(file.fileno(), path)
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _keep_owner(file: int, path: Path) -> None:
    """Root changes a user's file: it stays the user's."""
    with suppress(OSError):
        before = path.stat()
        if before.st_uid != os.geteuid():
            os.fchown(file, before.st_uid, before.st_gid)


def _sync_folder(folder: Path) -> None:
    """A new name is safe from a power cut once its folder is written, where a system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
