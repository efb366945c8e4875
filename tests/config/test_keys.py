"""Where keys are found, and that they stay out of sight."""

from pathlib import Path

import pytest

from clawswarm.config.keys import Key, find_key
from clawswarm.errors import ConfigError

SECRET = "gsk-0123456789abcdef"


def write(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    path = folder / "groq-key.txt"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_without_a_variable_and_a_file_there_is_no_key(tmp_path: Path) -> None:
    assert find_key("groq", "GROQ_API_KEY", {}, tmp_path) is None
    assert find_key("groq", None, {"GROQ_API_KEY": SECRET}, tmp_path) is None


def test_the_variable_wins_over_the_file(tmp_path: Path) -> None:
    write(tmp_path, b"from-file")
    assert find_key("groq", "MY_KEY", {"MY_KEY": SECRET}, tmp_path) == Key(SECRET, "MY_KEY")


@pytest.mark.parametrize("value", ["", "  \n"])
def test_an_empty_variable_counts_as_unset(tmp_path: Path, value: str) -> None:
    path = write(tmp_path, b"from-file\n")
    assert find_key("groq", "MY_KEY", {"MY_KEY": value}, tmp_path) == Key("from-file", str(path))


def test_space_around_a_key_is_dropped(tmp_path: Path) -> None:
    write(tmp_path, f"\n {SECRET}\r\n".encode())
    found = find_key("groq", None, {}, tmp_path)
    assert found is not None
    assert found.value == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_key_file_that_others_can_reach_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = write(tmp_path, SECRET.encode(), mode)
    with pytest.raises(ConfigError) as caught:
        find_key("groq", None, {}, tmp_path)
    assert str(path) in caught.value.message
    assert caught.value.hint == f"run: chmod 600 {path}"
    assert SECRET not in caught.value.message


@pytest.mark.parametrize(
    ("content", "problem"), [(b"", "is empty"), (b" \n", "is empty"), (b"\xff\xfe", "cannot be read")]
)
def test_a_key_file_without_a_usable_key_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(ConfigError) as caught:
        find_key("groq", None, {}, tmp_path)
    assert caught.value.message.startswith(f"key file {path} {problem}")


@pytest.mark.parametrize("bad", ["gsk 0123", "gsk\n0123", "gsk\u20130123", "gsk\x070123"])
def test_a_key_that_cannot_travel_in_a_header_is_refused_and_not_repeated(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find_key("groq", "MY_KEY", {"MY_KEY": bad}, tmp_path)
    assert "MY_KEY" in caught.value.message
    assert bad not in caught.value.message
    write(tmp_path, bad.encode())
    with pytest.raises(ConfigError, match=r"groq-key\.txt"):
        find_key("groq", None, {}, tmp_path)


def test_printing_a_key_does_not_show_it() -> None:
    key = Key(SECRET, "GROQ_API_KEY")
    assert str(key) == "key from GROQ_API_KEY"
    assert SECRET not in repr(key)


def test_a_masked_key_tells_two_apart_and_a_short_one_shows_nothing() -> None:
    assert Key(SECRET, "X").masked == "gsk-…ef"
    assert Key("short-key", "X").masked == "…"
