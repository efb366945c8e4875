"""The queue of writers: one at a time, woken when it is free, and never in the way of work."""

import fcntl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from clawswarm.errors import StoreError
from clawswarm.store.connect import connect, open_store
from clawswarm.store.turns import turn
from tests.store.children import write_lock_held
from tests.store.places import full_disk, open_folder, read_only_folder, unprivileged

LONG = 20.0
"""Seconds; nobody waits that long."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "swarm.db-turn"


def waiting(path: Path, then: Callable[[bool], None], seconds: float = LONG) -> threading.Thread:
    """A thread that takes a turn and does something with it."""

    def run() -> None:
        with turn(path, seconds) as mine:
            then(mine)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def taken(path: Path) -> bool:
    """Whether somebody has the turn."""
    with path.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_turn_is_had_by_one_at_a_time(path: Path) -> None:
    inside = 0
    most = 0

    def work(mine: bool) -> None:
        nonlocal inside, most
        assert mine
        inside += 1
        most = max(most, inside)
        inside -= 1

    threads = [waiting(path, work) for _ in range(20)]
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)


def test_who_waits_goes_on_when_the_turn_is_free(path: Path) -> None:
    came: list[bool] = []
    with turn(path, LONG) as mine:
        assert mine
        thread = waiting(path, came.append)
        assert came == []
    thread.join()
    assert came == [True]
    assert not taken(path)


def test_a_turn_that_does_not_come_is_told_and_let_go_when_it_does_come(path: Path) -> None:
    with turn(path, LONG):
        with turn(path, 0.02) as mine:
            assert not mine
        assert taken(path)
    with turn(path, LONG) as mine:  # the late one stood in front of us, and left
        assert mine
    assert not taken(path)


def test_a_turn_ends_with_an_error(path: Path) -> None:
    def fail() -> None:
        with turn(path, LONG):
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fail()
    assert not taken(path)


def test_the_file_is_its_owners_alone(path: Path) -> None:
    with turn(path, LONG):
        assert path.stat().st_mode & 0o777 == 0o600


def test_where_there_can_be_no_queue_nobody_waits_for_one() -> None:
    with read_only_folder() as folder, turn(folder / "swarm.db-turn", 0) as mine:
        assert mine
    with turn(Path("/nonexistent/swarm.db-turn"), 0) as mine:
        assert mine


def test_a_full_disk_keeps_nobody_from_a_turn(path: Path) -> None:
    with full_disk(), turn(path, 0) as mine:
        assert mine


def test_the_queue_of_another_user_is_passed_by() -> None:
    with open_folder() as folder:
        (folder / "swarm.db-turn").touch(0o400)
        with unprivileged(), turn(folder / "swarm.db-turn", 0) as mine:
            assert mine


def test_writers_of_a_store_stand_in_the_queue(tmp_path: Path) -> None:
    with open_store(tmp_path / "swarm.db") as store, store.write():
        assert taken(tmp_path / "swarm.db-turn")
        with store.read():
            pass
    assert not taken(tmp_path / "swarm.db-turn")


def test_who_waits_in_vain_hears_that_the_database_is_locked(tmp_path: Path) -> None:
    store = connect(tmp_path / "swarm.db", busy_timeout_ms=30)

    def write() -> None:
        with store.write():
            pass

    with write_lock_held(store.path):
        with pytest.raises(StoreError, match=r"locked by another process for 0\.03 seconds") as told:
            write()
        assert told.value.locked
    write()
    store.close()
