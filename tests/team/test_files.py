"""Files that change places: nothing that was there is gone, whatever the system can do."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from clawswarm.team.exchange import Exchange, exchange
from clawswarm.team.files import Folder, open_folder


def unable(_folder: int, _one: str, _other: str) -> bool:
    """A system that cannot exchange two names at once."""
    return False


@pytest.fixture(params=[exchange, unable], ids=["at once", "in two steps"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Folder]:
    swap: Exchange = request.param
    with open_folder(tmp_path / "folder", swap=swap) as folder:
        yield folder


def contents(folder: Folder) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.path.iterdir()}


def test_this_system_exchanges_names_at_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("first")
    (tmp_path / "b").write_text("second")
    with open_folder(tmp_path) as folder, folder.below("inner"):
        handle = os.open(tmp_path, os.O_RDONLY)
        assert exchange(handle, "a", "b")
        with pytest.raises(FileNotFoundError):
            exchange(handle, "a", "missing")
        os.close(handle)
    assert ((tmp_path / "a").read_text(), (tmp_path / "b").read_text()) == ("second", "first")


def test_what_is_displaced_lies_aside(folder: Folder) -> None:
    folder.displace("note", b"one", "aside")
    assert contents(folder) == {"note": "one"}
    folder.displace("note", b"two", "aside")
    assert contents(folder) == {"note": "two", "aside": "one"}
    folder.displace("note", b"three", "aside")
    assert contents(folder) == {"note": "three", "aside": "two"}


def test_a_writer_who_has_the_file_open_writes_into_what_lies_aside(folder: Folder) -> None:
    folder.displace("note", b"ours", "aside")
    with (folder.path / "note").open("r+") as file:
        file.truncate()
        folder.displace("note", b"newer", "aside")
        file.write("late words")
    assert contents(folder) == {"note": "newer", "aside": "late words"}


def test_what_somebody_puts_there_between_two_steps_is_not_lost(tmp_path: Path) -> None:
    """An editor replaces the file at the last moment before the names change."""
    there = tmp_path / "note"

    def late(handle: int, one: str, other: str) -> bool:
        (tmp_path / "editor").write_text("theirs")
        (tmp_path / "editor").replace(there)
        return exchange(handle, one, other)

    there.write_text("old")
    with open_folder(tmp_path, swap=late) as folder:
        folder.displace("note", b"ours", "aside")
        assert contents(folder) == {"note": "ours", "aside": "theirs"}


def test_a_file_that_is_removed_at_the_last_moment_is_made_anew(tmp_path: Path) -> None:
    def gone(handle: int, one: str, other: str) -> bool:
        (tmp_path / "note").unlink()
        return exchange(handle, one, other)

    (tmp_path / "note").write_text("old")
    with open_folder(tmp_path, swap=gone) as folder:
        folder.displace("note", b"ours", "aside")
        assert contents(folder) == {"note": "ours"}


def test_a_file_is_created_once(folder: Folder) -> None:
    assert folder.create("alert", b"first")
    assert not folder.create("alert", b"second")
    assert contents(folder) == {"alert": "first"}


def test_a_file_that_is_moved_never_takes_anothers_place(folder: Folder) -> None:
    folder.put("note", b"words")
    with folder.below("kept") as kept:
        kept.put("taken", b"other words")
        assert not folder.move("note", kept, "taken")
        assert folder.move("note", kept, "free")
    assert (folder.path / "kept" / "taken").read_text() == "other words"
    assert (folder.path / "kept" / "free").read_text() == "words"
    assert not (folder.path / "note").exists()


def test_what_a_crash_left_unfinished_is_written_over(folder: Folder) -> None:
    (folder.path / ".note.new").write_text("half a no")
    folder.put("note", b"whole")
    assert contents(folder) == {"note": "whole"}


def test_only_what_differs_is_written(folder: Folder) -> None:
    assert folder.put("note", b"words")
    assert not folder.put("note", b"words")
    assert folder.put("note", b"word")
    assert contents(folder) == {"note": "word"}


def test_the_beginning_of_a_large_file_is_read(folder: Folder) -> None:
    folder.put("large", b"x" * 1000)
    found = folder.read("large", 10)
    assert found is not None
    assert (found.data, found.size) == (b"x" * 10, 1000)
    assert folder.read("missing", 10) is None
