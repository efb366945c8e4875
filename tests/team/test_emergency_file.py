"""emergency.md written by hand: an emergency raised once, kept byte for byte, and lost in no moment."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from clawswarm.errors import StoreError
from clawswarm.team.emergencies import resolve
from clawswarm.types.team import HUMAN, Level
from tests.clock import FakeClock
from tests.team.homes import EMERGENCY, Home, aged, open_home

GUIDE = """\
FROM: Inspector
TO: Director
TYPE: ALERT
PRIORITY: EMERGENCY
TIMESTAMP: 2026-01-28T04:12:00Z

### Content
Passwords are hashed with MD5.
"""


@pytest.fixture
def home(tmp_path: Path, clock: FakeClock) -> Generator[Home]:
    with open_home(tmp_path, clock) as home:
        home.publish()
        yield home


def texts(home: Home) -> list[str]:
    return [emergency.text for emergency in home.emergencies()]


def resolve_all(home: Home) -> None:
    for found in home.emergencies(open_only=True):
        home.did(HUMAN, lambda draft, id_=found.id: resolve(draft, emergency=id_, reason="put out"))


def test_a_message_in_the_guides_format_is_an_emergency_of_its_sender(home: Home) -> None:
    home.write_emergency(GUIDE)
    done = home.publish()
    (emergency,) = home.emergencies()
    assert done.raised == (emergency,)
    assert (emergency.by, emergency.level, emergency.text) == (
        "inspector",
        Level.COORDINATION,
        "Passwords are hashed with MD5.",
    )
    assert home.kept() == [GUIDE.encode()]
    (kept,) = (home.memory / "emergencies").iterdir()
    assert emergency.saw == {"file": f"emergencies/{kept.name}", "bytes": len(GUIDE)}
    assert kept.name.startswith("20260114T115900Z-")
    assert home.found() == home.views()
    assert b"Passwords are hashed with MD5." in home.found()[EMERGENCY]


def test_latin_1_is_taken_in_and_kept_as_it_was(home: Home) -> None:
    data = "Der Lüfter ist aus, 80 °C".encode("latin-1")
    home.write_emergency(data)
    home.publish()
    assert texts(home) == ["Der Lüfter ist aus, 80 °C"]
    assert home.kept() == [data]


def test_it_is_taken_in_once(home: Home) -> None:
    home.write_emergency("it burns")
    for _ in range(3):
        home.publish()
    assert texts(home) == ["it burns"]
    assert len(home.events("emergency_raised")) == 1
    assert home.found() == home.views()


def test_the_same_words_again_are_the_same_emergency_while_it_is_open_and_another_one_later(
    home: Home,
) -> None:
    home.write_emergency("it burns")
    home.publish()
    home.write_emergency("it burns", age=50)
    home.publish()
    assert len(texts(home)) == 1
    resolve_all(home)
    home.write_emergency("it burns", age=40)
    home.publish()
    assert [emergency.open for emergency in home.emergencies()] == [False, True]
    assert home.kept() == [b"it burns"] * 3


def test_one_that_is_raised_and_not_yet_put_away_is_not_raised_again(home: Home) -> None:
    """As a crash leaves it between the board and the file: the same file lies there once more."""
    file = home.write_emergency("it burns")
    number = file.stat().st_ino
    os.link(file, home.memory / "again")
    home.publish()
    resolve_all(home)
    (home.memory / "again").replace(file)
    assert file.stat().st_ino == number
    home.publish()
    assert texts(home) == ["it burns"]
    assert home.kept() == [b"it burns"]
    assert home.found() == home.views()


def test_who_is_still_writing_is_not_interrupted(home: Home, clock: FakeClock) -> None:
    file = home.write_emergency("half a sen", age=0.1)
    done = home.publish()
    assert (done.raised, done.again_in) == ((), 0.2)
    assert file.read_text() == "half a sen"
    home.write_emergency("half a sentence is no sentence", age=0)
    assert home.publish().raised == ()
    clock.advance(0.2)
    home.publish()
    assert texts(home) == ["half a sentence is no sentence"]


def test_a_time_in_the_future_does_not_keep_it_waiting(home: Home) -> None:
    home.write_emergency("it burns", age=-86400)
    home.publish()
    assert texts(home) == ["it burns"]


def test_words_appended_to_what_is_shown(home: Home) -> None:
    file = home.memory / EMERGENCY
    with file.open("a") as there:
        there.write("\nthe cooling failed, level 3\n")
    aged(file, home.now - 5)
    home.publish()
    (emergency,) = home.emergencies()
    assert (emergency.text, emergency.level) == ("the cooling failed, level 3", Level.SYSTEM)
    assert home.kept()[0].endswith(b"\nthe cooling failed, level 3\n")
    assert home.found() == home.views()


def test_who_wrote_slowly_into_what_was_displaced_is_heard(home: Home, clock: FakeClock) -> None:
    """Somebody empties the file and types; meanwhile the view is swapped in under their hands."""
    file = home.memory / EMERGENCY
    with file.open("w") as there:
        aged(file, home.now - 5)  # nothing in it for a while
        home.emergency(2, "something else")
        home.publish()
        assert home.found() == home.views()
        there.write("the pump has stopped")
    aged(home.memory / ".emergency.md", home.now)
    assert home.publish().again_in == 0.2
    clock.advance(1)
    home.publish()
    assert set(texts(home)) == {"something else", "the pump has stopped"}
    assert home.kept() == [b"the pump has stopped"]
    assert home.found() == home.views()


def test_an_empty_file_is_nothing_and_is_filled_again(home: Home) -> None:
    home.write_emergency(" \n", age=0.1)
    home.publish()
    assert home.found()[EMERGENCY] == b" \n"  # somebody may have just begun
    home.write_emergency(" \n")
    home.publish()
    assert home.found() == home.views()
    assert texts(home) == []
    (home.memory / EMERGENCY).unlink()
    home.publish()
    assert home.found() == home.views()


def test_without_an_open_run_it_waits_for_the_next_one(tmp_path: Path, clock: FakeClock) -> None:
    with open_home(tmp_path, clock, run=None) as home:
        file = home.write_emergency("it burns")
        assert home.publish().waits
        assert file.read_text() == "it burns"
        home.open("r1")
        done = home.publish()
        assert (done.waits, [emergency.text for emergency in done.raised]) == (False, ["it burns"])
        home.end()
        home.write_emergency("it burns again")
        assert home.publish().waits
        assert home.found()["team-state.md"] == home.views()["team-state.md"]
        home.open("r2")
        home.publish()
        assert texts(home) == ["it burns again"]
        assert home.kept() == [b"it burns", b"it burns again"]


def test_abort_stops_everything_and_calls_a_human(home: Home) -> None:
    home.write_emergency("abort\n")
    done = home.publish()
    assert [emergency.level for emergency in done.raised] == [Level.ABORT]
    assert [alert.open for alert in home.alerts()] == [False]
    assert len(list(home.paths.alerts.glob("ALERT-*.md"))) == 1


def test_a_megabyte_is_kept_whole_and_cut_on_the_board(home: Home) -> None:
    data = b"it burns! " * 600_000
    home.write_emergency(data)
    home.publish()
    assert home.kept() == [data]
    (text,) = texts(home)
    assert len(text) == 4000


def test_what_reads_alike_is_kept_side_by_side(home: Home) -> None:
    """Larger than what is read of it, written in the same second, and different only behind that."""
    head = b"it burns " + b"!" * (4 * 2**20)
    for tail in (b"here", b"over there"):
        home.write_emergency(head + tail)
        home.publish()
    assert sorted(home.kept(), key=len) == [head + b"here", head + b"over there"]


def test_a_link_is_not_read(home: Home, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("nobody's business")
    (home.memory / EMERGENCY).unlink()
    (home.memory / EMERGENCY).symlink_to(secret)
    with pytest.raises(StoreError, match=r"emergency\.md is a link"):
        home.publish()
    assert texts(home) == []
    assert home.kept() == []


def test_a_crash_after_the_swap_leaves_what_came_out_aside(home: Home) -> None:
    """The next process finds there what nobody has looked at, and takes it in."""
    aside = home.memory / ".emergency.md"
    aside.write_text("it burns")
    aged(aside, home.now - 5)
    home.publish()
    assert texts(home) == ["it burns"]
    assert home.kept() == [b"it burns"]
    assert not aside.exists() or aside.read_text() != "it burns"
    home.publish()
    assert len(texts(home)) == 1


def test_an_older_view_put_back_is_no_emergency(home: Home) -> None:
    shown = home.found()[EMERGENCY]
    home.emergency(2, "something else")
    home.publish()
    home.write_emergency(shown)
    home.publish()
    assert texts(home) == ["something else"]
    assert home.found() == home.views()
    assert home.kept() == []
