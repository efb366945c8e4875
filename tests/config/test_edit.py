"""Editing the configuration file: planned, checked, written whole, or left alone."""

import stat
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from clawswarm.config.edit import HEAD, KeyPath, Plan, plan, write
from clawswarm.config.load import load
from clawswarm.config.splice import Value
from clawswarm.errors import ConfigError

OURS = """\
# my machine
node_scaling:
  provider:
    name: gemini          # cheap
    model: "gemini-3.5-flash-lite"
    api_key_env: MY_KEY

  limits: {max_nodes:  8}   # laptop
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings" / "node-scaling.yaml"


def put(file: Path, text: str | bytes, mode: int = 0o600) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    file.chmod(mode)
    return file


def edit(file: Path, values: Mapping[KeyPath, Value | None]) -> Plan:
    planned = plan(file, values)
    write(planned)
    return planned


def refused(file: Path, values: Mapping[KeyPath, Value | None]) -> str:
    """The message of the refusal; nothing may have been written."""
    before = file.read_bytes()
    with pytest.raises(ConfigError) as caught:
        edit(file, values)
    assert caught.value.hint
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    return caught.value.message.replace(str(file), "FILE")


def test_only_the_keys_that_change_are_touched(file: Path) -> None:
    put(file, OURS, 0o640)
    planned = edit(
        file,
        {
            ("provider", "name"): "groq",
            ("provider", "api_key_env"): None,
            ("limits", "max_nodes"): 16,
            ("cost", "max_daily_spend"): Decimal("2.50"),
        },
    )
    assert [str(change) for change in planned.changes] == [
        "provider.name: gemini → groq",
        "provider.api_key_env: MY_KEY → (removed)",
        "limits.max_nodes: 8 → 16",
        "cost.max_daily_spend: (unset) → 2.50",
    ]
    expected = OURS.replace("name: gemini ", "name: groq ").replace("    api_key_env: MY_KEY\n", "")
    assert file.read_text() == expected.replace(":  8", ":  16") + "  cost:\n    max_daily_spend: 2.50\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert planned.settings == load({"HOME": "/nowhere", "SWARM_CONFIG": str(file)}).settings


def test_a_second_time_changes_nothing(file: Path) -> None:
    put(file, OURS)
    values: dict[KeyPath, Value | None] = {
        ("provider", "model"): "gemini-3.5-flash-lite",
        ("provider", "base_url"): None,
        ("limits", "max_nodes"): 8,
        ("cost", "max_daily_spend"): Decimal("1.0"),
        ("cost", "allow_unpriced"): True,
    }
    edit(file, values)
    before = file.stat()
    again = edit(file, values | {("cost", "max_daily_spend"): Decimal(1)})
    assert again.changes == ()
    assert again.after == file.read_text()
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_missing_file_is_made_for_its_owner_alone(file: Path) -> None:
    planned = edit(file, {("provider", "name"): "ollama", ("limits", "max_nodes"): 2})
    assert planned.before is None
    expected = f"{HEAD}node_scaling:\n  provider:\n    name: ollama\n  limits:\n    max_nodes: 2\n"
    assert file.read_text() == expected
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_nothing_to_say_makes_no_file(file: Path) -> None:
    assert edit(file, {("provider", "model"): None}).changes == ()
    assert not file.exists()


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.yaml"
    put(real, OURS)
    file.parent.mkdir()
    file.symlink_to(real)
    assert edit(file, {("limits", "max_nodes"): 9}).path == real
    assert file.is_symlink()
    assert "max_nodes:  9" in real.read_text()
    real.unlink()
    with pytest.raises(ConfigError, match="is a link to nothing"):
        plan(file, {("limits", "max_nodes"): 9})


def test_line_ends_and_a_byte_order_mark_are_kept(file: Path) -> None:
    put(file, b"\xef\xbb\xbfnode_scaling:\r\n    limits:\r\n        max_nodes: 1 # one\r\n")
    edit(file, {("limits", "max_nodes"): 2, ("provider", "name"): "demo"})
    assert file.read_bytes() == (
        b"\xef\xbb\xbfnode_scaling:\r\n    limits:\r\n        max_nodes: 2 # one\r\n"
        b"    provider:\r\n        name: demo\r\n"
    )


def test_unknown_keys_stay_with_a_word_about_them(file: Path) -> None:
    text = f"{OURS}  future:\n    - x: 1   # mine\n  cache:\n    colour: red\nother_tool: {{a: 1}}\n"
    put(file, text)
    planned = edit(file, {("limits", "max_nodes"): 4})
    assert file.read_text() == text.replace(":  8", ":  4")
    (warning,) = planned.warnings
    assert "'future', 'cache.colour', 'other_tool'" in warning
    assert planned.settings.limits.max_nodes == 4


def test_what_would_not_load_is_not_written(file: Path) -> None:
    put(file, OURS)
    told = refused(file, {("provider", "num_parallel"): 2})
    assert told == (
        "FILE:7: provider.num_parallel: 'num_parallel' has an effect on Ollama only, "
        "and the provider is 'gemini'"
    )


def test_a_key_in_the_place_of_a_variable_is_not_repeated(file: Path) -> None:
    put(file, OURS)
    told = refused(file, {("provider", "api_key_env"): "sk-live-0123456789abcdef"})
    assert "0123456789" not in told
    assert f"{Path.home()}/.config/clawdbot/<provider>-key.txt" in told


def test_a_mistake_elsewhere_is_named_with_its_own_line_although_keys_are_unknown(file: Path) -> None:
    put(file, "node_scaling:\n  odd:\n    a: 1\n  limits:\n    timeout: soon\n")
    assert refused(file, {("provider", "name"): "demo"}).startswith("FILE:5: limits.timeout: expected")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("node_scaling: [\n", "FILE:2: this is not valid YAML"),
        ("- a\n", "FILE: the file holds no keys"),
        ("node_scaling: {limits: 1}\n", "FILE cannot be changed: 'node_scaling.limits' is no group"),
        ("a: &x {b: 1}\nnode_scaling: *x\n", "FILE cannot be changed: 'node_scaling' (line 2) is an alias"),
        (
            "node_scaling:\n  limits: {max_nodes: &n 1, max_concurrent_api: *n}\n",
            "FILE cannot be changed without changing more than limits.max_nodes",
        ),
        (b"node_scaling: \xff\n", "FILE:1: this is not UTF-8 text"),
        ("#" * 1024 * 1024 + "\n", "configuration file FILE is larger than 1 MiB"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused(file: Path, text: str | bytes, words: str) -> None:
    put(file, text)
    assert refused(file, {("limits", "max_nodes"): 2}).startswith(words)


def test_somebody_else_changed_it_meanwhile(file: Path) -> None:
    put(file, OURS)
    planned = plan(file, {("limits", "max_nodes"): 2})
    put(file, OURS + "# and mine\n")
    with pytest.raises(ConfigError, match="changed by somebody else"):
        write(planned)
    assert file.read_text().endswith("# and mine\n")


def test_a_folder_that_cannot_be_written_is_named(file: Path) -> None:
    planned = plan(file, {("limits", "max_nodes"): 2})
    file.parent.write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be written: File exists") as caught:
        write(planned)
    assert f"ls -ld {file.parent}" in (caught.value.hint or "")
