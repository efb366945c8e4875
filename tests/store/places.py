"""State directories that cannot be used, each in its own way."""

import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from clawswarm.store.connect import open_store

NOBODY = 65534


@contextmanager
def open_folder() -> Generator[Path]:
    """A new folder that other users of the machine may enter (pytest's own they may not)."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def unprivileged() -> Generator[None]:
    """Inside the block file modes count, even when the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def full_disk(limit: int = 0) -> Generator[None]:
    """Inside the block no file of this process can grow beyond `limit` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    compiles, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # half a .pyc breaks later imports
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        sys.dont_write_bytecode = compiles


@contextmanager
def below_a_file() -> Generator[Path]:
    with open_folder() as folder:
        (folder / "file").write_text("not a folder", encoding="utf-8")
        yield folder / "file" / "memory"


@contextmanager
def folder_in_the_way() -> Generator[Path]:
    with open_folder() as folder:
        (folder / "swarm.db").mkdir()
        yield folder


@contextmanager
def not_a_database() -> Generator[Path]:
    with open_folder() as folder:
        (folder / "swarm.db").write_text("This is a text.\n" * 500, encoding="utf-8")
        yield folder


@contextmanager
def damaged_database() -> Generator[Path]:
    with open_folder() as folder:
        with open_store(folder / "swarm.db"):
            pass
        with (folder / "swarm.db").open("r+b") as file:
            file.seek(100)
            file.write(b"\xff" * 8000)
        yield folder


@contextmanager
def read_only_folder() -> Generator[Path]:
    with open_folder() as folder:
        (folder / "memory").mkdir()
        (folder / "memory").chmod(0o555)
        with unprivileged():
            yield folder / "memory"
        (folder / "memory").chmod(0o755)


@contextmanager
def read_only_folder_with_a_database() -> Generator[Path]:
    with open_folder() as folder:
        with open_store(folder / "memory" / "swarm.db"):
            pass
        (folder / "memory" / "swarm.db").chmod(0o444)
        (folder / "memory").chmod(0o555)
        with unprivileged():
            yield folder / "memory"
        (folder / "memory").chmod(0o755)


@contextmanager
def no_space_at_all() -> Generator[Path]:
    with open_folder() as folder, full_disk():
        yield folder / "memory"


Place = Callable[[], AbstractContextManager[Path]]

UNUSABLE: dict[Place, tuple[str, str]] = {
    below_a_file: ("Not a directory", "SWARM_MEMORY_DIR"),
    folder_in_the_way: ("is a folder, where the database should be", "move it away"),
    not_a_database: ("is no usable database: file is not a database", "move it away"),
    damaged_database: ("is no usable database: .*malformed", "move it away"),
    read_only_folder: ("cannot be written: .*Permission denied", "owner and mode"),
    read_only_folder_with_a_database: ("cannot be written", "owner and mode"),
    no_space_at_all: ("cannot be written: ", "free some space"),
}
"""Places, with what is said about them and what is advised."""


@contextmanager
def read_only_file() -> Generator[Path]:
    """Opens, and cannot be written to."""
    with ExitStack() as stack:
        folder = stack.enter_context(open_folder())
        with open_store(folder / "swarm.db"):
            pass
        folder.chmod(0o777)
        (folder / "swarm.db").chmod(0o444)
        stack.enter_context(unprivileged())
        yield folder
