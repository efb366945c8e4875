"""What somebody wrote into emergency.md: the level, who says so, and the words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.team.emergency_text import LONGEST, Letter, is_ours, read_letter, sealed
from clawswarm.types.team import Level, Role

GUIDE = """\
FROM: Inspector
TO: Director
TYPE: ALERT
PRIORITY: EMERGENCY
TIMESTAMP: 2026-01-28T04:12:00Z

### Content
Critical security vulnerability detected in auth module.
Password hashing uses MD5 instead of bcrypt.

### Context
This was not caught in initial implementation.

### Expected Response
Immediate decision on whether to:
1. Fix and continue
"""
VIEW = "# ~/clawd/memory/emergency.md\n\n## Current Level: 0\n- No emergency\n"


def read(data: str | bytes, view: str = VIEW) -> Letter:
    letter = read_letter(data.encode() if isinstance(data, str) else data, view)
    assert letter is not None
    return letter


def test_the_guides_message_format() -> None:
    letter = read(GUIDE)
    assert (letter.level, letter.sender, letter.agent) == (Level.COORDINATION, Role.INSPECTOR, None)
    assert letter.text == (
        "Critical security vulnerability detected in auth module.\n"
        "Password hashing uses MD5 instead of bcrypt."
    )


def test_plain_words_are_from_a_human_at_level_2() -> None:
    assert read("The build server is gone.\n") == Letter(
        level=Level.COORDINATION, sender=None, agent=None, text="The build server is gone."
    )


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("abort", 4),
        ("  STOP!\n", 4),
        ("# Abort.", 4),
        ("stop the music", 2),
        ("LEVEL: 3\nThe disk is full", 3),
        ("**Level**: 4\nnow", 4),
        ("- level = 3", 3),
        ("this is level 3, I think", 3),
        ("it went from level 2 to Level 3", 3),
        ("LEVEL: 2\nthis will become level 4", 2),
        ("LEVEL: 9\nworse than bad", 3),
        ("level 9", 2),
        ("LEVEL: 0\nnothing much", 2),
        ("LEVEL: 1\nsomebody is stuck", 2),
        ("PRIORITY: EMERGENCY\nhelp", 2),
    ],
)
def test_how_bad_it_is(text: str, level: int) -> None:
    assert read(text).level == level


@pytest.mark.parametrize(
    ("text", "sender", "agent"),
    [
        ("FROM: builder\nLEVEL: 1\nI am stuck", Role.BUILDER, Role.BUILDER),
        ("FROM: Director\nAGENT: Scout\nLEVEL: 1\nit wanders", Role.DIRECTOR, Role.SCOUT),
        ("AGENT: Scout\nLEVEL: 1\nit wanders", None, Role.SCOUT),
        ("**FROM:** [Scribe]\nhelp", Role.SCRIBE, None),
        ("FROM: Mallory\nhelp", None, None),
        ("this is from: nobody\nhelp", None, None),
    ],
)
def test_who_says_so_about_whom(text: str, sender: Role | None, agent: Role | None) -> None:
    letter = read(text)
    assert (letter.sender, letter.agent) == (sender, agent)
    if agent is not None:
        assert letter.level is Level.AGENT


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_any_editors_encoding(encoding: str) -> None:
    assert (
        read("Das Gerät läuft heiß\r\nseit 5°\r\n".encode(encoding)).text == "Das Gerät läuft heiß\nseit 5°"
    )


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff", "\u200b\x07"])
def test_nothing_is_nothing(text: str) -> None:
    assert read_letter(text.encode(), VIEW) is None


def test_controls_are_no_words() -> None:
    assert read("fi\x1b[2Jre\x00 \u202ehere").text == "fi[2Jre here"


def test_a_long_text_is_cut_for_the_board() -> None:
    letter = read("fire! " * 200_000)
    assert len(letter.text) == LONGEST
    assert letter.text.endswith("…")


def test_what_swarm_shows_is_not_somebodys_words() -> None:
    assert is_ours(sealed(VIEW))
    assert read_letter(sealed(VIEW), VIEW) is None
    assert read_letter(sealed(VIEW), "another view") is None


def test_words_behind_what_swarm_shows() -> None:
    data = sealed(VIEW) + b"the cooling failed\n"
    assert not is_ours(data)
    assert read(data, "a newer view\n").text == "the cooling failed"


def test_words_in_the_midst_of_what_swarm_shows() -> None:
    shown = sealed(VIEW).decode()
    edited = shown.replace("- No emergency", "LEVEL: 3\nThe cooling failed")
    letter = read(edited)
    assert (letter.level, letter.text) == (Level.SYSTEM, "LEVEL: 3\nThe cooling failed")
    assert read_letter(shown.replace("- No emergency\n", "").encode(), VIEW) is None
    assert read_letter(shown.replace("\n", "\r\n").encode(), VIEW) is None


def test_a_seal_on_other_words_does_not_hide_them() -> None:
    seal = sealed(VIEW).decode().splitlines()[-1]
    data = f"the cooling failed\n{seal}\n".encode()
    assert not is_ours(data)
    assert read(data).text == "the cooling failed"


def test_the_form_of_the_message_does_not_depend_on_the_view() -> None:
    view = "FROM: Inspector\n### Content\n> old\n"
    assert read(GUIDE, view).sender is Role.INSPECTOR


@pytest.mark.parametrize(
    "filling", ["level" + " " * 1000, "FROM" + ":" * 1000, "#" * 1000, "x\n### Content\n"]
)
def test_a_large_file_is_read_in_no_time(filling: str) -> None:
    seal = sealed(VIEW).decode().splitlines()[-1]
    for text in (filling * 2000, filling[0] + filling[-1] * 2_000_000, f"{filling}\n{seal}\n" * 2000):
        read(f"help\n{text}")


@given(st.text(), st.binary(max_size=200))
def test_whatever_it_holds_it_can_be_read(view: str, data: bytes) -> None:
    assert is_ours(sealed(view))
    letter = read_letter(data, view)
    assert letter is None or letter.text.strip()
    appended = read_letter(sealed(view) + b"words " + data, view)
    assert appended is not None
