"""Key files: written for their owner alone, whole, and found again."""

import os
import stat
from pathlib import Path

import pytest

from clawswarm.config.key_files import checked_key, write_key
from clawswarm.config.keys import find_key
from clawswarm.errors import ConfigError, InputError

SECRET = "gsk_0123456789abcdefghij"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".config" / "clawdbot"


def test_a_key_is_found_again_and_is_nobody_elses(folder: Path) -> None:
    before = os.umask(0)
    try:
        path = write_key("groq", checked_key(f"  {SECRET}\n", "standard input"), folder)
    finally:
        os.umask(before)
    assert path == folder / "groq-key.txt"
    assert (mode(path), mode(folder)) == (0o600, 0o700)
    found = find_key("groq", None, {}, folder)
    assert found is not None
    assert found.value == SECRET
    assert [entry.name for entry in folder.iterdir()] == ["groq-key.txt"]


def test_another_key_takes_the_place_of_one_that_everybody_could_read(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o755)
    old = folder / "groq-key.txt"
    old.write_text("old")
    old.chmod(0o644)
    write_key("groq", checked_key(SECRET, "a file"), folder)
    assert (old.read_text(), mode(old), mode(folder)) == (f"{SECRET}\n", 0o600, 0o700)


def test_a_link_to_the_key_stays_one(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    vault = tmp_path / "vault.txt"
    (folder / "groq-key.txt").symlink_to(vault)
    write_key("groq", checked_key(SECRET, "a file"), folder)
    assert (folder / "groq-key.txt").is_symlink()
    assert (vault.read_text(), mode(vault)) == (f"{SECRET}\n", 0o600)


@pytest.mark.parametrize("text", ["", " \n", "two words", "line\nline", "schlüssel", "x" * 20_000])
def test_what_is_no_key_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InputError) as caught:
        checked_key(text, "standard input")
    assert "standard input" in caught.value.message
    assert not text.strip() or text.strip() not in caught.value.message


def test_a_place_that_cannot_be_written_is_named(folder: Path) -> None:
    (folder / "groq-key.txt").mkdir(parents=True)
    with pytest.raises(ConfigError) as caught:
        write_key("groq", checked_key(SECRET, "a file"), folder)
    assert "groq-key.txt cannot be written: it is a folder" in caught.value.message
    blocked = folder / "file"
    blocked.write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_key("groq", checked_key(SECRET, "a file"), blocked / "below")
