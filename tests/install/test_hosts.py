"""What `install.sh` does for OpenClaw, for Clawdbot as it was called before, and for other MCP clients."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from tests.install.clones import write_stub
from tests.install.hosts import FakeHost
from tests.install.users import User, patient, stub_install

pytestmark = [patient, stub_install]

ELSEWHERE = ("--uninstall", "--prefix", "/nowhere")
"""Removes what the hosts have, and leaves the virtual environment to the next test."""


@pytest.fixture
def host(tmp_path: Path) -> FakeHost:
    return FakeHost(tmp_path / "openclaw program")


@pytest.fixture
def user(user: User) -> User:
    """As everywhere, and nothing of a host in their home."""
    for name in (".openclaw", ".clawdbot"):
        if (user.home / name).is_symlink():
            (user.home / name).unlink()
        shutil.rmtree(user.home / name, ignore_errors=True)
    return user


def skill(user: User, name: str = ".openclaw") -> Path:
    return user.home / name / "skills/swarm"


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".swarm-made"]
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}


def test_it_gives_openclaw_the_skill_and_the_server(user: User, host: FakeHost) -> None:
    done = user.install(PATH=user.with_hosts(host.folder))
    assert done.returncode == 0, done.stdout
    assert "OpenClaw: registered the MCP server (openclaw mcp add swarm)\n" in done.stdout
    assert f"Skill: copied, {skill(user)}\n" in done.stdout
    server = {"command": str(user.link), "args": ["mcp"], "supportsParallelToolCalls": True}
    assert host.servers == {"swarm": server}
    assert contents(skill(user)) == contents(user.clone / "skills/swarm")
    assert [path.name for path in skill(user).parent.iterdir()] == ["swarm"]


def test_a_second_run_only_looks(user: User, host: FakeHost) -> None:
    path = user.with_hosts(host.folder)
    user.install(PATH=path)
    assert host.calls == ["mcp show", "mcp add"]
    before = user.files()
    done = user.install(PATH=path)
    assert done.returncode == 0
    assert "OpenClaw: the MCP server is already registered\n" in done.stdout
    assert f"Skill: {skill(user)} is already there\n" in done.stdout
    assert host.calls == ["mcp show"]
    assert user.files() == before


def test_a_dry_run_does_not_even_call_the_host(user: User, host: FakeHost) -> None:
    (user.home / ".openclaw").mkdir()
    before = user.files()
    done = user.install("--dry-run", PATH=user.with_hosts(host.folder))
    assert done.returncode == 0
    assert f"Skill: would be copied, {skill(user)}\n" in done.stdout
    assert f"    openclaw mcp add swarm --command '{user.link}' --arg mcp --parallel\n" in done.stdout
    assert (host.calls, user.files()) == ([], before)


def test_a_server_that_somebody_else_registered_is_left(user: User, host: FakeHost) -> None:
    host.register("/opt/other/swarm")
    before = host.servers
    done = user.install(PATH=user.with_hosts(host.folder))
    assert done.returncode == 0
    assert "with another command is registered, and left as it is" in done.stdout
    assert "openclaw mcp unset swarm" in done.stdout
    assert host.servers == before
    user.install(*ELSEWHERE, PATH=user.with_hosts(host.folder))
    assert host.servers == before


def test_what_the_host_refuses_is_told_and_the_rest_is_done(user: User, tmp_path: Path) -> None:
    host = FakeHost(tmp_path / "broken program", broken="Config invalid: openclaw.json, line 3")
    done = user.install(PATH=user.with_hosts(host.folder))
    assert done.returncode == 1
    assert "    Config invalid: openclaw.json, line 3\n" in done.stdout
    assert "register it by hand:\n    openclaw mcp add swarm --command" in done.stdout
    assert f"Skill: copied, {skill(user)}\n" in done.stdout
    assert "Running: swarm diagnose" in done.stdout


def test_without_a_host_nothing_is_made_for_one(user: User) -> None:
    done = user.install()
    assert done.returncode == 0
    assert "OpenClaw: not found" in done.stdout
    assert not (user.home / ".openclaw").exists()


def test_a_host_whose_command_is_elsewhere_gets_the_skill(user: User) -> None:
    (user.home / ".openclaw").mkdir()
    done = user.install()
    assert done.returncode == 0
    assert "its command is not on the PATH" in done.stdout
    assert (skill(user) / "SKILL.md").is_file()


def test_clawdbot_gets_the_skill_in_its_own_folder(user: User, tmp_path: Path) -> None:
    (user.home / ".clawdbot").mkdir()
    host = FakeHost(tmp_path / "old program", "clawdbot", broken="error: unknown command 'mcp'")
    done = user.install(PATH=user.with_hosts(host.folder))
    assert done.returncode == 0, done.stdout
    assert "Clawdbot: it takes no MCP server; its skill uses the command\n" in done.stdout
    assert (skill(user, ".clawdbot") / "SKILL.md").is_file()
    assert not (user.home / ".openclaw").exists()


def test_an_openclaw_that_has_yet_to_move_clawdbots_folder_may_do_so(user: User, host: FakeHost) -> None:
    (user.home / ".clawdbot").mkdir()
    user.install(PATH=user.with_hosts(host.folder))
    assert (skill(user, ".clawdbot") / "SKILL.md").is_file()
    assert not (user.home / ".openclaw").exists()


def test_one_folder_under_both_names_gets_one_skill(user: User, host: FakeHost, tmp_path: Path) -> None:
    (user.home / ".openclaw").mkdir()
    (user.home / ".clawdbot").symlink_to(user.home / ".openclaw")
    FakeHost(host.folder, "clawdbot")
    done = user.install(PATH=user.with_hosts(host.folder))
    assert done.stdout.count("Skill: ") == 1
    user.install(*ELSEWHERE, PATH=user.with_hosts(host.folder))
    assert not skill(user).exists()


def test_openclaws_variables_say_where_its_folder_is(user: User, host: FakeHost, tmp_path: Path) -> None:
    user.install(PATH=user.with_hosts(host.folder), OPENCLAW_STATE_DIR=str(tmp_path / "state"))
    assert (tmp_path / "state/skills/swarm/SKILL.md").is_file()
    assert not (user.home / ".openclaw").exists()


def test_a_new_skill_replaces_the_copy_but_not_what_somebody_changed(user: User) -> None:
    (user.home / ".openclaw").mkdir()
    user.install()
    changed = user.clone / "skills/swarm/references/asking.md"
    changed.write_text("new", encoding="utf-8")
    assert f"Skill: updated, {skill(user)}\n" in user.install().stdout
    assert contents(skill(user)) == contents(user.clone / "skills/swarm")

    (skill(user) / "SKILL.md").write_text("mine", encoding="utf-8")
    assert "was changed by hand, and is left as it is" in user.install().stdout
    user.install(*ELSEWHERE)
    assert (skill(user) / "SKILL.md").read_text() == "mine"
    changed.unlink()


@pytest.mark.parametrize("kind", ["folder", "link", "broken link"])
def test_a_skill_of_the_user_is_left(user: User, tmp_path: Path, kind: str) -> None:
    skill(user).parent.mkdir(parents=True)
    if kind == "folder":
        skill(user).mkdir()
        (skill(user) / "SKILL.md").write_text("mine", encoding="utf-8")
    else:
        skill(user).symlink_to(user.clone if kind == "link" else "/nowhere")
    for arguments in ((), ELSEWHERE):
        before = {path: found for path, found in user.files().items() if ".openclaw" in path}
        assert user.install(*arguments).returncode == 0
        assert {path: found for path, found in user.files().items() if ".openclaw" in path} == before


@pytest.mark.parametrize("name", ["swarm", "some-name"])
def test_a_clone_inside_the_skills_folder_is_the_skill(user: User, name: str) -> None:
    skill(user).parent.mkdir(parents=True)
    inside = User(user.home, write_stub(skill(user).parent / name, "1.0"))
    done = inside.install()
    assert done.returncode == 0, done.stdout
    assert f"Skill: this clone is in {skill(user).parent} already\n" in done.stdout
    assert [path.name for path in skill(user).parent.iterdir()] == [name]
    assert inside.install(*ELSEWHERE).returncode == 0
    assert (inside.clone / "install.sh").is_file()


def test_other_clients_get_settings_that_they_can_read(user: User) -> None:
    told = user.install("--dry-run", "--prefix", '/o"d\\d').stdout
    command = '/o"d\\d/bin/swarm'
    documents = [json.loads(line) for line in re.findall(r"^ +(\{.*\})$", told, re.MULTILINE)]
    assert [next(iter(document)) for document in documents] == ["mcpServers", "servers"]
    for document in documents:
        [servers] = document.values()
        assert (servers["swarm"]["command"], servers["swarm"]["args"]) == (command, ["mcp"])
    codex = re.search(r"^ +\[mcp_servers\.swarm\]\n.*\n.*$", told, re.MULTILINE)
    assert codex
    found = tomllib.loads(codex[0])["mcp_servers"]["swarm"]
    assert found == {"command": command, "args": ["mcp"]}
    for name in ("Claude Code", "Codex", "Cursor", "VS Code", "Gemini CLI"):
        assert name in told


def test_uninstalling_leaves_a_home_as_it_was(newcomer: User, host: FakeHost) -> None:
    user, path = newcomer, newcomer.with_hosts(host.folder)
    (user.home / ".openclaw/skills/other").mkdir(parents=True)
    user.link.parent.mkdir(parents=True)
    user.venv.parent.parent.mkdir(parents=True)
    before = set(user.files())
    user.install(PATH=path)
    rehearsed = user.install("--uninstall", "--dry-run", PATH=path)
    assert f"Would remove: {user.venv}\n" in rehearsed.stdout
    assert user.venv.is_dir()
    assert host.servers

    done = user.install("--uninstall", PATH=path)
    assert done.returncode == 0, done.stdout
    for removed in (skill(user), user.link, user.venv):
        assert f"Removed: {removed}\n" in done.stdout
    assert "OpenClaw: removed the MCP server (openclaw mcp unset swarm)\n" in done.stdout
    assert host.servers == {}
    assert set(user.files()) == before

    again = user.install("--uninstall", PATH=path)
    assert again.returncode == 0
    assert "There is no Swarm in" in again.stdout


OURS = (
    ".config/clawdbot/node-scaling.yaml",
    ".config/clawdbot/gemini-key.txt",
    ".config/clawdbot/swarm-token",
    "clawd/memory/swarm.db",
    "clawd/memory/swarm.db-wal",
    "clawd/memory/team-state.md",
    "clawd/memory/checkpoints/run-20261121-074248-60ad-c2.md",
    "clawd/memory/emergencies/20261121T074248Z-0a1b2c3d.md",
    "clawd/memory/logs/daemon.log.1",
    "clawd/alerts/ALERT-20261121T074304Z-run-20261121-074248-60ad-a30.md",
)
THEIRS = ("clawd/memory/2026-11-21.md", "clawd/memory/checkpoints/notes.md", "clawd/AGENTS.md")


def test_only_purging_removes_the_users_own_and_nothing_of_others(user: User, tmp_path: Path) -> None:
    for name in (*OURS, *THEIRS):
        (user.home / name).parent.mkdir(parents=True, exist_ok=True)
        (user.home / name).write_text("kept", encoding="utf-8")
    moved = tmp_path / "alerts/ALERT-1.md"
    moved.parent.mkdir()
    moved.write_text("kept", encoding="utf-8")
    user.install(*ELSEWHERE)
    assert all((user.home / name).is_file() for name in (*OURS, *THEIRS))

    done = user.install(*ELSEWHERE, "--purge", SWARM_ALERTS_DIR=str(moved.parent))
    assert done.returncode == 0, done.stdout
    *ours, alert = OURS
    for name in ours:
        assert not (user.home / name).exists()
        assert f"Removed: {user.home / name}\n" in done.stdout
    assert not moved.parent.exists()
    assert (user.home / alert).is_file()  # another folder was named
    assert all((user.home / name).is_file() for name in THEIRS)
    assert not (user.home / ".config/clawdbot").exists()
    shutil.rmtree(user.home / "clawd")


def test_uninstalling_leaves_a_command_that_is_not_ours(newcomer: User) -> None:
    newcomer.link.parent.mkdir(parents=True)
    newcomer.link.write_text("#!/bin/sh\n")
    done = newcomer.install("--uninstall")
    assert done.returncode == 0
    assert f"Command: {newcomer.link} was not made by this script, and is left as it is" in done.stdout
    assert newcomer.link.is_file()
