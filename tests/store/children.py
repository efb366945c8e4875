"""Other processes that use a store."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

OPENER = Path(__file__).with_name("opener.py")


def opener(path: Path, how: str = "") -> subprocess.Popen[str]:
    """`opener.py` on the database at `path`, ready to go on when it is given a line."""
    child = subprocess.Popen(
        [sys.executable, str(OPENER), str(path), how],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(place for place in sys.path if place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


@contextmanager
def write_lock_held(path: Path) -> Generator[None]:
    """Inside the block another process is in the middle of a transaction."""
    with opener(path, "hold") as child:
        try:
            yield
        finally:
            child.communicate()
