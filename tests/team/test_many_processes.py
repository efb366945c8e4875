"""Many processes change one board at once: nothing is lost, nothing doubled, and nobody hears of a wait."""

import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from clawswarm.clock import SystemClock
from clawswarm.store.connect import open_store
from clawswarm.store.database import Database
from clawswarm.store.postgres import open_postgres
from clawswarm.team.board import Board
from clawswarm.team.documents import Replayed
from clawswarm.types.board import Task
from clawswarm.types.team import HUMAN
from tests import postgres
from tests.team.boards import opening

CHANGER = Path(__file__).with_name("changer.py")
CHANGES = 500

pytestmark = [
    pytest.mark.slow(reason="starts up to sixteen processes that make hundreds of changes each"),
    pytest.mark.timeout(300),
]


@contextmanager
def changers(place: str, names: Sequence[str]) -> Generator[list[subprocess.Popen[str]]]:
    """Processes that wait for the signal to begin."""
    with ExitStack() as stack:
        here = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
        children = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(CHANGER), place, name, str(CHANGES)],
                    env=here,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for name in names
        ]
        try:
            for child in children:
                assert child.stdout is not None
                assert child.stdout.readline() == "ready\n"
            yield children
        finally:
            for child in children:
                child.kill()


def all_change(place: str, store: Database, processes: int) -> None:
    """Let them loose together and look at what they leave."""
    board = Board(store, SystemClock())
    board.begin("r1", opening(), actor=HUMAN)
    names = [f"p{number:02}" for number in range(processes)]
    with changers(place, names) as children:
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        said = [child.communicate() for child in children]
    assert said == [("", "")] * processes

    journal = board.journal("r1")
    assert [event.seq for event in journal] == list(range(1, processes * CHANGES + 2))
    assert [event.at for event in journal] == sorted(event.at for event in journal)
    for name in names:
        own = [event.subject for event in journal if event.actor == name]
        assert own == [f"{name}.{number:03}" for number in range(1, CHANGES + 1)]
    with board.reading("r1") as (head, documents):
        assert head.seq == len(journal)
        assert documents.all(Task) == Replayed(journal).all(Task)


def test_eight_processes_change_a_board_in_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "swarm.db"
    with open_store(path) as store:
        all_change(str(path), store, 8)


def test_sixteen_processes_change_a_board_in_postgres() -> None:
    with postgres.database() as url, open_postgres(url) as store:
        all_change(url, store, 16)
