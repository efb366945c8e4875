"""The file that `--output` names: it appears whole, at the end, or not at all."""

import os
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from clawswarm.errors import InputError


class OutputFile:
    """An open file beside the one that was asked for.

    Attributes:
        whole: set it once everything is written; else what was there before stays.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.write = file.write
        self.whole = False


@contextmanager
def open_output(path: Path) -> Generator[OutputFile]:
    """Open `path` for writing. A link stays a link; a device or a pipe is written as it is.

    Raises:
        InputError: it cannot be written.
    """
    try:
        mode = path.stat().st_mode if path.exists() else None
        if mode is not None and stat.S_ISDIR(mode):
            raise InputError(f"--output {path} is a folder", hint="name a file in it")
        if mode is not None and not stat.S_ISREG(mode):
            file, name = path.open("wb"), None
        else:
            target = path.resolve()
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:200]}.")
            file = os.fdopen(handle, "wb")
    except OSError as error:
        raise InputError(
            f"--output {path} cannot be written: {error.strerror}", hint="nothing was sent"
        ) from error
    if name is None:
        with file:
            yield OutputFile(file)
        return
    try:
        with file:
            output = OutputFile(file)
            yield output
            file.flush()
            os.fsync(file.fileno())
        if output.whole:
            os.chmod(name, _mode_of_new_file() if mode is None else stat.S_IMODE(mode))
            os.replace(name, path.resolve())
    finally:
        Path(name).unlink(missing_ok=True)


def _mode_of_new_file() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
