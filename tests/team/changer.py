"""Changes a board many times, in a process of its own: `python changer.py PLACE NAME COUNT`.

PLACE is the path of a SQLite database or the address of a PostgreSQL one. It says "ready" first and waits for
a line on standard input, so that several start as one.
"""

import sys
from pathlib import Path

from clawswarm.clock import SystemClock
from clawswarm.store.connect import open_store
from clawswarm.store.postgres import open_postgres
from clawswarm.team.board import Board
from clawswarm.team.draft import Draft
from clawswarm.types.board import Task
from clawswarm.types.team import Role


def main(place: str, name: str, count: int) -> None:
    number = 0

    def add(draft: Draft) -> Task:
        task = Task(id=f"{name}.{number:03}", title=f"{number} of {count}", role=Role.BUILDER)
        draft.record("task_added", task.id, f"{task.id} was added", task)
        return task

    with open_postgres(place) if "://" in place else open_store(Path(place)) as store:
        board = Board(store, SystemClock())
        print("ready", flush=True)  # noqa: T201
        sys.stdin.readline()
        for number in range(1, count + 1):
            board.change(add, actor=name, key=f"{name} {number}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
