"""A process that opens a store, as the tests of several processes need it: `python opener.py PATH [how]`.

"crash" dies by SIGKILL inside a migration, before it is committed. "hold" keeps the write lock until its
standard input is closed. Whatever it does, it says "ready" first and waits for a line.
"""

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import Connection

from clawswarm.store import migrate
from clawswarm.store.connect import open_store


def dies(connection: Connection) -> None:
    """A migration that never ends."""
    connection.exec_driver_sql("CREATE TABLE half (x)")
    os.kill(os.getpid(), signal.SIGKILL)


def main(path: Path, how: str) -> None:
    if how == "hold":
        with open_store(path) as store, store.write() as connection:
            connection.exec_driver_sql("SELECT 1")
            print("ready", flush=True)  # noqa: T201
            sys.stdin.read()
        return
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    if how == "crash":
        migrate.MIGRATIONS = (*migrate.MIGRATIONS, dies)
    with open_store(path):
        print("open", flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")
