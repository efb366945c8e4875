"""Views of the board in the memory directory: whole, the newest, and nothing lost where they fail."""

import os
import stat
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from clawswarm.errors import StoreError
from clawswarm.team.agents import report
from clawswarm.team.checkpoints import take
from clawswarm.types.team import Role
from tests.clock import FakeClock
from tests.store.places import full_disk, open_folder, unprivileged
from tests.team.homes import Home, open_home


@pytest.fixture
def home(tmp_path: Path, clock: FakeClock) -> Generator[Home]:
    with open_home(tmp_path, clock) as home:
        yield home


def checkpoint(home: Home, summary: str = "all is well") -> str:
    return home.did(
        "scribe", lambda draft: take(draft, trigger="milestone", summary=summary, sentences={})
    ).id


def says(home: Home, sentence: str) -> None:
    home.did("builder", lambda draft: report(draft, role=Role.BUILDER, task=sentence, status="working"))


def test_every_view_shows_the_board(home: Home) -> None:
    done = home.publish()
    assert set(done.written) == {"team-state.md", "pipeline-state.md", "emergency.md", "decisions.md"}
    assert home.found() == home.views()
    assert b"Builder" in home.found()["team-state.md"]


def test_what_has_not_changed_is_not_written_again(home: Home) -> None:
    home.publish()
    before = {path: path.stat().st_ino for path in home.memory.glob("*.md")}
    assert home.publish().written == ()
    says(home, "the parser")
    assert home.publish().written == ("team-state.md",)
    assert home.found() == home.views()
    changed = {path.name for path, number in before.items() if path.stat().st_ino != number}
    assert changed == {"team-state.md"}


def test_files_are_for_their_owner_alone(home: Home) -> None:
    checkpoint(home)
    home.emergency()
    home.write_emergency("it burns")
    home.publish()
    modes = {
        str(path.relative_to(home.memory)): stat.S_IMODE(path.stat().st_mode)
        for path in home.memory.rglob("*")
        if not path.name.startswith("swarm.db")
    }
    assert {mode for name, mode in modes.items() if (home.memory / name).is_dir()} == {0o700}
    assert {mode for name, mode in modes.items() if (home.memory / name).is_file()} == {0o600}
    assert {"checkpoints", "emergencies", "team-state.md"} <= modes.keys()
    assert stat.S_IMODE(home.paths.alerts.stat().st_mode) == 0o700


def test_before_the_first_run_there_is_nothing_to_show(tmp_path: Path, clock: FakeClock) -> None:
    with open_home(tmp_path, clock, run=None) as home:
        assert home.publish().written == ()
        assert home.found() == {}


def test_the_newest_run_is_shown_after_its_end(home: Home) -> None:
    home.end()
    home.publish()
    assert b"The run has ended" in home.found()["team-state.md"]


def test_a_checkpoint_has_a_page_which_is_written_once(home: Home) -> None:
    name = checkpoint(home)
    assert f"checkpoints/r1-{name}.md" in home.publish().written
    page = home.memory / "checkpoints" / f"r1-{name}.md"
    assert page.read_text().startswith(f"# Checkpoint {name}")
    number = page.stat().st_ino
    second = checkpoint(home)
    assert home.publish().written[0] == f"checkpoints/r1-{second}.md"
    assert page.stat().st_ino == number
    page.unlink()
    assert home.publish().written == (f"checkpoints/r1-{name}.md",)


def test_checkpoints_of_another_run_have_pages_of_their_own(home: Home) -> None:
    first = checkpoint(home, "of the first run")
    home.publish()
    home.end()
    home.open("r2")
    second = checkpoint(home, "of the second run")
    home.publish()
    assert first == second  # each run counts from the beginning
    texts = [path.read_text() for path in sorted((home.memory / "checkpoints").iterdir())]
    assert ["first run" in texts[0], "second run" in texts[1]] == [True, True]


def test_a_view_that_is_a_link_is_not_written_through(home: Home, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    home.memory.mkdir(exist_ok=True)
    (home.memory / "team-state.md").symlink_to(target)
    with pytest.raises(StoreError, match=r"team-state\.md is a link, and links are not followed") as caught:
        home.publish()
    assert "move it away" in (caught.value.hint or "")
    assert target.read_text() == "mine"
    assert (home.memory / "team-state.md").is_symlink()
    rest = {"pipeline-state.md", "emergency.md", "decisions.md"}
    views = home.views()
    assert {name: data for name, data in home.found().items() if name in rest} == {
        name: views[name] for name in rest
    }


@pytest.mark.parametrize("name", ["checkpoints", "emergencies"])
def test_a_folder_that_is_a_link_is_not_written_into(home: Home, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (home.memory / name).symlink_to(elsewhere)
    checkpoint(home)
    home.write_emergency("it burns")
    with pytest.raises(StoreError, match=f"{name} is a link"):
        home.publish()
    assert list(elsewhere.iterdir()) == []
    assert home.found()["team-state.md"] == home.views()["team-state.md"]
    assert [emergency.text for emergency in home.emergencies()] == ["it burns"]


def test_a_linked_lock_is_refused(home: Home, tmp_path: Path) -> None:
    (home.memory / ".publish.lock").symlink_to(tmp_path / "lock")
    with pytest.raises(StoreError, match="is a link"):
        home.publish()
    assert not (tmp_path / "lock").exists()


def test_a_folder_in_the_place_of_a_view_is_told(home: Home) -> None:
    (home.memory / "decisions.md").mkdir()
    with pytest.raises(StoreError, match=r"decisions\.md is no file"):
        home.publish()


def test_a_pipe_in_the_place_of_a_view_does_not_hang(home: Home) -> None:
    os.mkfifo(home.memory / "emergency.md")
    with pytest.raises(StoreError, match=r"emergency\.md is no file"):
        home.publish()


def test_a_full_disk_is_told_and_loses_nothing(home: Home) -> None:
    home.publish()
    before = home.found()
    says(home, "the parser")
    with full_disk(), pytest.raises(StoreError, match="cannot be used") as caught:
        home.publish()
    assert "free some space" in (caught.value.hint or "")
    assert home.found() == before
    assert not list(home.memory.glob(".*.new"))
    home.publish()
    assert home.found() == home.views()


def test_a_read_only_memory_directory_is_told_and_a_human_is_called_all_the_same(clock: FakeClock) -> None:
    with open_folder() as folder, open_home(folder, clock) as home:
        home.emergency()
        home.paths.alerts.mkdir(mode=0o777)
        home.paths.alerts.chmod(0o777)
        for path in (home.memory, *home.memory.iterdir()):
            path.chmod(0o777 if path.is_dir() else 0o666)
        home.memory.chmod(0o555)
        with unprivileged(), pytest.raises(StoreError, match="cannot be written") as caught:
            home.publish()
        assert "check its owner and mode" in (caught.value.hint or "")
        assert len(list(home.paths.alerts.glob("ALERT-*.md"))) == 1
        assert [alert.open for alert in home.alerts()] == [False]
        home.memory.chmod(0o700)
        home.publish()
        assert home.found() == home.views()


def test_readers_see_whole_files_while_many_publish(home: Home) -> None:
    home.publish()
    seen: set[bytes] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add((home.memory / "team-state.md").read_bytes())

    def work(number: int) -> None:
        for step in range(10):
            says(home, f"{number}/{step} " + "x" * 400)
            home.publish()

    reader = threading.Thread(target=read)
    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in (reader, *workers):
        thread.start()
    for thread in workers:
        thread.join()
    stop.set()
    reader.join()
    assert home.found() == home.views()  # the last to publish saw the last change
    ends = {text.splitlines()[-1] for text in seen}
    assert ends == {b"- None set"}
