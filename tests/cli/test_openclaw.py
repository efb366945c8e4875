"""`swarm openclaw config`: what the installed host takes, and what is written into its file."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from clawswarm.config.model import Settings
from clawswarm.team.host import Host
from clawswarm.team.host_file import HostFileError, plan, read_file, write
from clawswarm.team.host_schema import of_no_host
from clawswarm.team.host_settings import wanted
from tests.cli.conftest import Inside
from tests.clock import NOON
from tests.fakes.command import FakeCommand

pytestmark = pytest.mark.timeout(30)

SUBAGENTS = {"maxConcurrent": 2, "archiveAfterMinutes": 120, "runTimeoutSeconds": 900}
GUIDE: dict[str, Any] = {
    "agents": {"defaults": {"model": {"primary": "ollama/qwen3:32b"}, "subagents": SUBAGENTS}},
    "tools": {"subagents": {"tools": {"deny": ["gateway", "cron"]}}},
}
"""Operations guide, section 7."""

NUMBER: dict[str, Any] = {"type": "integer"}
SECRET = "a-token-of-the-gateway"


def group(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def schema(*subagents: str) -> str:
    """A host's schema, in the shape that OpenClaw 2026.9.6 prints, which knows these keys of subagents."""
    model = {"anyOf": [{"type": "string"}, group(primary={"type": "string"})]}
    defaults = group(model=model, subagents=group(**dict.fromkeys(subagents, NUMBER)))
    deny = group(deny={"type": "array", "items": {"type": "string"}})
    tools = group(subagents=group(tools=deny))
    return json.dumps(group(agents=group(defaults=defaults), tools=tools))


@pytest.fixture
def folder(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH."""
    found = inside.home / "bin"
    found.mkdir()
    monkeypatch.setenv("PATH", str(found))
    return found


@pytest.fixture
def openclaw(folder: Path) -> FakeCommand:
    """OpenClaw as its current release answers."""
    fake = FakeCommand(folder, "openclaw")
    fake.answer("schema", schema(*SUBAGENTS))
    fake.answer("--version", "OpenClaw 2026.9.6 (eb377ac)\n")
    return fake


def host_file(inside: Inside, tree: Any = None, *, name: str = "openclaw") -> Path:
    path = inside.home / f".{name}" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    if tree is not None:
        path.write_text(tree if isinstance(tree, str) else json.dumps(tree, indent=2))
        path.chmod(0o640)
    return path


def backups(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.before-swarm-*"))


def states(document: Any) -> dict[str, str]:
    return {key["key"].rpartition(".")[2]: key["state"] for key in document["keys"]}


# What is printed


def test_without_a_host_the_guides_settings_are_printed_and_nothing_is_written(
    inside: Inside, folder: Path
) -> None:
    ran = inside.run("openclaw", "config")
    assert (ran.status, ran.json) == (0, GUIDE)
    assert "No OpenClaw was found here" in ran.err
    ran = inside.run("openclaw", "config", "--json")
    assert (ran.json["host"], ran.json["settings"], ran.err) == (None, GUIDE, "")
    assert not (inside.home / ".openclaw").exists()
    ran = inside.run("openclaw", "config", "--write", "--json")
    assert (ran.status, ran.json["error"]["code"]) == (3, "not_configured")
    assert "https://docs.openclaw.ai" in ran.json["error"]["hint"]


def test_values_come_from_swarms_own_configuration(
    inside: Inside, openclaw: FakeCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM__TEAM__MAX_CONCURRENT", "4")
    monkeypatch.setenv("SWARM__TEAM__AGENT_TIMEOUTS", '{"scout": 1200.5, "builder": 60}')
    monkeypatch.setenv("SWARM__PROVIDER__NAME", "ollama")
    monkeypatch.setenv("SWARM__PROVIDER__MODEL", "gpt-oss:20b")
    defaults = inside.run("openclaw", "config").json["agents"]["defaults"]
    assert defaults["model"] == {"primary": "ollama/gpt-oss:20b"}
    assert defaults["subagents"] == {
        "maxConcurrent": 4,
        "archiveAfterMinutes": 120,
        "runTimeoutSeconds": 1201,
    }


def test_the_host_itself_is_asked_which_keys_it_takes(inside: Inside, openclaw: FakeCommand) -> None:
    openclaw.answer("schema", schema("maxConcurrent", "archiveAfterMinutes"))
    ran = inside.run("openclaw", "config", "--json")
    assert ran.json["host"]["version"] == "2026.9.6"
    assert states(ran.json)["runTimeoutSeconds"] == "unknown"
    assert "runTimeoutSeconds" not in ran.json["settings"]["agents"]["defaults"]["subagents"]
    path = host_file(inside, {})
    assert inside.run("openclaw", "config", "--write").status == 0
    assert "runTimeoutSeconds" not in path.read_text()
    assert {*openclaw.calls} == {"config schema --json", "--version"}  # it is asked, and told nothing


def test_an_openclaw_that_does_not_tell_gets_no_key_that_it_may_not_know(
    inside: Inside, openclaw: FakeCommand
) -> None:
    openclaw.answer("schema", "error: unknown command 'schema'\n", status=1)
    path = host_file(inside, {"meta": {"lastTouchedVersion": "2026.2.9"}})
    ran = inside.run("openclaw", "config")
    assert "runTimeoutSeconds" not in ran.out
    assert "runTimeoutSeconds is left out: not sure that this OpenClaw knows it" in ran.err
    assert "pass runTimeoutSeconds: 900 to sessions_spawn" in ran.err
    path.write_text('{"meta": {"lastTouchedVersion": "2026.10.1-beta.1"}}')
    assert inside.run("openclaw", "config").json == GUIDE


def test_clawdbot_gets_its_own_file_and_no_key_that_keeps_it_from_starting(
    inside: Inside, folder: Path
) -> None:
    """Clawdbot 2026.1.24 takes the time limit with each call only, and does not start with an unknown key."""
    clawdbot = FakeCommand(folder, "clawdbot")
    path = host_file(inside, {"agents": {"defaults": {"workspace": "~/clawd"}}}, name="clawdbot")
    ran = inside.run("openclaw", "config", "--write")
    assert ran.status == 0
    tree = json.loads(path.read_text())
    assert tree["agents"]["defaults"]["workspace"] == "~/clawd"
    assert tree["agents"]["defaults"]["subagents"] == {"maxConcurrent": 2, "archiveAfterMinutes": 120}
    assert tree["tools"] == GUIDE["tools"]
    assert "Clawdbot does not know it, and would not start" in ran.out
    assert "clawdbot gateway restart" in ran.err
    assert clawdbot.calls == []


# Which host, and which file

NEW_FILE, OLD_FILE = ".openclaw/openclaw.json", ".clawdbot/clawdbot.json"


@pytest.mark.parametrize(
    ("programs", "folders", "environ", "expected"),
    [
        (["openclaw", "clawdbot"], [".openclaw", ".clawdbot"], {}, "openclaw .openclaw/openclaw.json"),
        (["clawdbot"], [".openclaw", ".clawdbot"], {}, "clawdbot .clawdbot/clawdbot.json"),
        (["openclaw"], [".clawdbot"], {}, "openclaw .clawdbot/openclaw.json"),
        (["openclaw"], [OLD_FILE], {}, "openclaw .clawdbot/clawdbot.json"),
        (["openclaw"], [OLD_FILE, NEW_FILE], {}, "openclaw .openclaw/openclaw.json"),
        (["clawdbot"], [NEW_FILE], {}, "openclaw .openclaw/openclaw.json"),
        ([], [".openclaw"], {}, "openclaw .openclaw/openclaw.json"),
        ([], [".clawdbot"], {}, "clawdbot .clawdbot/clawdbot.json"),
        ([], [], {"OPENCLAW_STATE_DIR": "~/state"}, "openclaw state/openclaw.json"),
        ([], [], {"OPENCLAW_CONFIG_PATH": "~/c.json", "OPENCLAW_STATE_DIR": "/x"}, "openclaw c.json"),
        (["openclaw"], [".openclaw"], {"OPENCLAW_HOME": "~/other"}, "openclaw other/.openclaw/openclaw.json"),
        ([], [".clawdbot"], {"CLAWDBOT_STATE_DIR": "~/old"}, "clawdbot old/clawdbot.json"),
        ([], [], {"CLAWDBOT_CONFIG_PATH": "~/old.json"}, "clawdbot old.json"),
    ],
)  # fmt: skip
def test_the_file_is_the_one_that_the_host_itself_would_read(
    inside: Inside,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    programs: list[str],
    folders: list[str],
    environ: dict[str, str],
    expected: str,
) -> None:
    for name in programs:
        FakeCommand(folder, name)
    for name in folders:
        place = inside.home / name
        place.parent.mkdir(exist_ok=True)
        if place.suffix == ".json":
            place.write_text("{}")
        else:
            place.mkdir()
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found = inside.run("openclaw", "config", "--json").json["host"]
    assert f"{found['name']} {Path(found['file']).relative_to(inside.home)}" == expected


# What is written


def test_writing_keeps_what_was_there_and_a_copy_and_twice_changes_nothing(
    inside: Inside, openclaw: FakeCommand
) -> None:
    before = f"""{{
    "gateway": {{"mode": "local",   "auth": {{"token": "{SECRET}"}}}},
    "agents": {{
        "defaults": {{"workspace": "~/clawd"}}
    }}
}}"""
    path = host_file(inside, before)
    ran = inside.run("openclaw", "config", "--write")
    assert ran.status == 0
    assert "+ agents.defaults.subagents.maxConcurrent: 2" in ran.out
    assert SECRET not in ran.out + ran.err
    tree = json.loads(path.read_text())
    assert tree["gateway"] == {"mode": "local", "auth": {"token": SECRET}}
    assert tree["agents"]["defaults"] == {"workspace": "~/clawd", **GUIDE["agents"]["defaults"]}
    assert path.read_text().startswith(before.partition('    "agents"')[0])
    [backup] = backups(path)
    assert backup.read_text() == before
    assert f"As it was: {backup}" in ran.out
    assert {stat.S_IMODE(file.stat().st_mode) for file in (path, backup)} == {0o640}
    written = path.stat()
    ran = inside.run("openclaw", "config", "--write", "--json")
    assert (ran.status, ran.json["written"], ran.json["backup"]) == (0, False, None)
    assert set(states(ran.json).values()) == {"same"}
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    assert backups(path) == [backup]


def test_without_write_nothing_is_touched(inside: Inside, openclaw: FakeCommand) -> None:
    path = host_file(inside, {"agents": {}})
    before = path.stat()
    ran = inside.run("openclaw", "config")
    assert ran.json == GUIDE
    assert "Nothing was written. To write it: swarm openclaw config --write" in ran.err
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_host_without_a_file_gets_one_for_its_owner_alone(inside: Inside, openclaw: FakeCommand) -> None:
    ran = inside.run("openclaw", "config", "--write")
    assert ran.status == 0
    path = host_file(inside)
    assert json.loads(path.read_text()) == GUIDE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert backups(path) == []
    assert "As it was" not in ran.out


def test_what_the_user_has_set_stays_unless_it_is_forced(inside: Inside, openclaw: FakeCommand) -> None:
    mine = {
        "agents": {"defaults": {"model": "anthropic/claude", "subagents": {"maxConcurrent": 8}}},
        "tools": {"subagents": {"tools": {"deny": ["browser", "cron"]}}},
    }
    path = host_file(inside, mine)
    ran = inside.run("openclaw", "config", "--write")
    assert '! agents.defaults.model: "anthropic/claude" is yours and stays' in ran.out
    assert "! agents.defaults.subagents.maxConcurrent: 8 is yours and stays; 2 is advised" in ran.out
    tree = json.loads(path.read_text())
    assert tree["agents"]["defaults"]["model"] == "anthropic/claude"
    assert tree["agents"]["defaults"]["subagents"]["maxConcurrent"] == 8
    assert tree["tools"]["subagents"]["tools"]["deny"] == [
        "browser",
        "cron",
        "gateway",
    ]  # none is allowed again
    ran = inside.run("openclaw", "config", "--write", "--force")
    assert (
        "- agents.defaults.subagents.maxConcurrent: 8\n+ agents.defaults.subagents.maxConcurrent: 2"
        in ran.out
    )
    tree = json.loads(path.read_text())
    assert tree["agents"]["defaults"]["model"] == "ollama/qwen3:32b"  # in the short form, as it was written
    assert tree["agents"]["defaults"]["subagents"]["maxConcurrent"] == 2
    assert len(backups(path)) == 2


def test_what_denies_everything_or_comes_from_another_file_is_left_alone(
    inside: Inside, openclaw: FakeCommand
) -> None:
    tree = {
        "agents": {"defaults": {"$include": "./agents.json5"}},
        "tools": {"subagents": {"tools": {"deny": ["*"]}}},
    }
    path = host_file(inside, tree)
    ran = inside.run("openclaw", "config", "--write", "--force", "--json")
    assert (ran.status, ran.json["written"]) == (0, False)
    assert states(ran.json) == dict.fromkeys(("primary", *SUBAGENTS), "included") | {"deny": "same"}
    assert json.loads(path.read_text()) == tree


@pytest.mark.parametrize(
    "text",
    [
        '// mine\n{"agents": {}}',
        '{"agents": {},}',
        "{agents: {}}",
        "",
        '["no", "group"]',
        "\ufeff{}",
        '{"agents": ' * 2000 + "1" + "}" * 2000,
    ],
    ids=["comment", "comma", "bare key", "empty", "list", "mark", "deep"],
)
def test_a_file_that_is_not_plain_json_is_left_as_it_is(
    inside: Inside, openclaw: FakeCommand, text: str
) -> None:
    path = host_file(inside, text)
    ran = inside.run("openclaw", "config", "--write", "--force")
    assert ran.status == 1
    assert "is left as it is" in ran.err
    assert json.loads(ran.err.partition("add this by hand:")[2]) == GUIDE
    assert path.read_text() == text
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    shown = inside.run("openclaw", "config")
    assert (shown.status, shown.json) == (0, GUIDE)
    assert "not compared" in shown.err


@pytest.mark.parametrize("variable", ["OPENCLAW_CONFIG_READONLY", "OPENCLAW_NIX_MODE"])
def test_a_configuration_that_is_managed_elsewhere_is_not_written(
    inside: Inside, openclaw: FakeCommand, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    path = host_file(inside, {})
    monkeypatch.setenv(variable, "1")
    ran = inside.run("openclaw", "config", "--write", "--json")
    assert (ran.status, ran.json["error"]["code"]) == (1, "host_config_failed")
    assert variable in ran.json["error"]["message"]
    assert path.read_text() == "{}"


def test_a_link_stays_and_what_it_leads_to_is_changed(inside: Inside, openclaw: FakeCommand) -> None:
    real = inside.file("dotfiles.json", "{}")
    path = host_file(inside)
    path.symlink_to(real)
    assert inside.run("openclaw", "config", "--write").status == 0
    assert path.is_symlink()
    assert json.loads(real.read_text()) == GUIDE
    real.unlink()
    ran = inside.run("openclaw", "config", "--write")
    assert (ran.status, "is a link to nothing" in ran.err) == (1, True)


def test_something_else_on_the_way_of_a_key_is_the_users(inside: Inside, openclaw: FakeCommand) -> None:
    tree: dict[str, Any] = {"agents": {"defaults": None}, "tools": []}
    path = host_file(inside, tree)
    ran = inside.run("openclaw", "config", "--write", "--force", "--json")
    assert (ran.status, set(states(ran.json).values())) == (0, {"kept"})
    assert json.loads(path.read_text()) == tree


def test_a_file_that_cannot_be_read_or_is_no_text_is_an_error_in_words(
    inside: Inside, openclaw: FakeCommand
) -> None:
    path = host_file(inside)
    path.write_bytes(b'{"a": "\xe9"}')
    ran = inside.run("openclaw", "config", "--write")
    assert (ran.status, "is not UTF-8 text" in ran.err) == (1, True)
    path.unlink()
    path.mkdir()
    ran = inside.run("openclaw", "config", "--json")
    assert (ran.status, ran.json["error"]["code"]) == (1, "host_config_failed")


def test_what_somebody_else_wrote_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    host = Host(name="openclaw", command=None, file=tmp_path / "openclaw.json")
    host.file.write_text("{}")
    planned = plan(read_file(host), wanted(Settings()), of_no_host(), force=False)
    host.file.write_text('{"theirs": 1}')
    with pytest.raises(HostFileError, match="changed by somebody else meanwhile"):
        write(planned, NOON)
    assert host.file.read_text() == '{"theirs": 1}'
    assert [each.name for each in tmp_path.iterdir()] == ["openclaw.json"]


def test_two_changes_in_one_second_leave_two_copies(tmp_path: Path) -> None:
    host = Host(name="openclaw", command=None, file=tmp_path / "openclaw.json")
    texts = ["{}", '{"b": 2}']
    for text in texts:
        host.file.write_text(text)
        write(plan(read_file(host), wanted(Settings()), of_no_host(), force=False), NOON)
    assert [backup.read_text() for backup in backups(host.file)] == texts
