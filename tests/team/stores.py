"""Where a board can lie, for tests that hold on each."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from clawswarm.store.connect import open_store
from clawswarm.store.database import Database
from clawswarm.store.postgres import open_postgres
from tests import postgres

Open = Callable[[], AbstractContextManager[Database]]
"""Opens the database once more, as another process would."""

KINDS = ("sqlite", "postgres")


@contextmanager
def place(kind: str, folder: Path) -> Generator[Open]:
    """A place for one board; skips where its kind is missing on this machine."""
    if kind == "sqlite":
        yield partial(open_store, folder / "swarm.db")
        return
    with postgres.database() as url:
        yield partial(open_postgres, url)
