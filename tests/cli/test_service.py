"""`swarm service`: what is written, what the service manager is told, and what happens without one."""

import os
import plistlib
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from clawswarm.cli.service_files import LABEL, MARK, launchd_agent, systemd_unit
from clawswarm.cli.service_managers import Launchd, ServiceError, manager_of
from clawswarm.errors import InputError
from tests.cli.conftest import Inside
from tests.cli.shell import KEY
from tests.fakes.command import FakeCommand

pytestmark = pytest.mark.timeout(30)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH."""
    found = tmp_path / "bin"
    found.mkdir()
    monkeypatch.setenv("PATH", str(found))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return found


@pytest.fixture
def systemctl(folder: Path) -> FakeCommand:
    fake = FakeCommand(folder, "systemctl")
    fake.answer("is-enabled", "disabled\n", status=1)
    fake.answer("is-active", "inactive\n", status=3)
    return fake


def unit(inside: Inside) -> Path:
    return inside.home / ".config" / "systemd" / "user" / "swarm.service"


on_linux = pytest.mark.skipif(sys.platform == "darwin", reason="systemd is Linux's")


@on_linux
def test_installing_writes_the_unit_and_starts_it(
    inside: Inside, systemctl: FakeCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_MEMORY_DIR", str(inside.home / "my state"))
    ran = inside.run("service", "install")
    assert ran.status == 0, ran.err
    text = unit(inside).read_text()
    assert MARK in text
    assert "start --foreground\n" in text
    assert f'Environment="SWARM_MEMORY_DIR={inside.home / "my state"}"\n' in text
    assert KEY not in text
    assert "OPENAI_API_KEY" in ran.err  # set here only: the service will not see it
    assert "loginctl enable-linger" in ran.err
    assert KEY not in ran.err
    assert [call for call in systemctl.calls if " is-" not in call] == [
        "--user daemon-reload",
        "--user enable swarm.service",
        "--user reset-failed swarm.service",
        "--user restart swarm.service",
    ]


@on_linux
def test_installing_twice_does_nothing_the_second_time(inside: Inside, systemctl: FakeCommand) -> None:
    inside.run("service", "install")
    systemctl.answer("is-enabled", "enabled\n")
    systemctl.answer("is-active", "active\n")
    before = unit(inside).stat()
    assert systemctl.calls
    ran = inside.run("service", "install", "--json")
    assert (ran.status, ran.json["changed"], ran.json["running"]) == (0, False, True)
    assert all(" is-" in call for call in systemctl.calls)
    assert unit(inside).stat().st_ino == before.st_ino


@on_linux
def test_without_a_manager_the_file_is_written_and_the_rest_is_told(inside: Inside, folder: Path) -> None:
    ran = inside.run("service", "install")
    assert (ran.status, ran.out) == (1, "")
    assert f"swarm: {unit(inside)} is written, but it could not be started: there is no systemctl" in ran.err
    assert "systemctl --user enable --now swarm.service" in ran.err
    assert unit(inside).exists()
    ran = inside.run("service", "install", "--no-start")
    assert ran.status == 0
    assert "To start it: systemctl --user daemon-reload" in ran.out
    assert inside.run("service", "status", "--json").json["running"] is None


@on_linux
def test_without_a_session_the_reason_is_told(inside: Inside, systemctl: FakeCommand) -> None:
    no_bus = "Failed to connect to bus: No medium found\n"
    for word in ("daemon-reload", "is-active", "stop"):
        systemctl.answer(word, err=no_bus, status=1)
    ran = inside.run("service", "install", "--json")
    assert ran.status == 1
    assert ran.json["error"]["message"].endswith(
        "daemon-reload failed: Failed to connect to bus: No medium found"
    )
    assert "in a session of your own" in ran.json["error"]["hint"]
    ran = inside.run("service", "status")
    assert ran.status == 1
    assert "Running:   not known" in ran.out
    ran = inside.run("service", "uninstall")
    assert ran.status == 0
    assert not unit(inside).exists()
    assert "the daemon may still run: swarm stop" in ran.err


@on_linux
def test_the_status_says_what_is_installed_enabled_and_running(
    inside: Inside, systemctl: FakeCommand
) -> None:
    ran = inside.run("service", "status", "--json")
    assert ran.status == 1
    assert ran.json == {
        "manager": "systemd",
        "path": str(unit(inside)),
        "installed": False,
        "ours": False,
        "enabled": False,
        "running": False,
    }
    inside.run("service", "install")
    systemctl.answer("is-enabled", "enabled\n")
    systemctl.answer("is-active", "active\n")
    ran = inside.run("service", "status")
    assert (ran.status, ran.out.count("yes")) == (0, 3)


@on_linux
def test_uninstalling_stops_it_and_leaves_nothing(inside: Inside, systemctl: FakeCommand) -> None:
    inside.run("service", "install", "--no-start")
    assert systemctl.calls == []
    ran = inside.run("service", "uninstall")
    assert (ran.status, ran.out) == (0, f"Removed {unit(inside)}\n")
    assert systemctl.calls == [
        "--user disable swarm.service",
        "--user stop swarm.service",
        "--user daemon-reload",
    ]
    again = inside.run("service", "uninstall", "--json")
    assert (again.status, again.json["removed"]) == (0, False)


@on_linux
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_a_unit_of_somebody_else_is_left_alone(inside: Inside, systemctl: FakeCommand, command: str) -> None:
    unit(inside).parent.mkdir(parents=True)
    unit(inside).write_text("[Service]\nExecStart=/mine\n")
    ran = inside.run("service", command)
    assert ran.status == 1
    assert "was not written by swarm service install" in ran.err
    assert unit(inside).read_text() == "[Service]\nExecStart=/mine\n"
    assert systemctl.calls == []


@on_linux
def test_the_unit_is_not_secret_and_holds_no_key(inside: Inside, systemctl: FakeCommand) -> None:
    inside.run("service", "install", "--no-start")
    assert stat.S_IMODE(unit(inside).stat().st_mode) == 0o644
    assert KEY not in unit(inside).read_text()


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/usr/bin/swarm", "/usr/bin/swarm"),
        ("/a b/swarm", '"/a b/swarm"'),
        ("/100%/swarm", '"/100%%/swarm"'),
        ("/a;b/swarm", '"/a;b/swarm"'),
        ("/it's/swarm", '/usr/bin/env "/it\'s/swarm"'),
        ('/"/swarm', '/usr/bin/env "/\\"/swarm"'),
        ("/$HOME/swarm", "/usr/bin/env /$$HOME/swarm"),
        ("/größe/swarm", '"/größe/swarm"'),
    ],
)
def test_odd_paths_are_written_so_that_they_mean_themselves(word: str, written: str) -> None:
    assert f"ExecStart={written} start --foreground\n" in systemd_unit((word, "start", "--foreground"), {})


def test_a_line_break_cannot_be_written() -> None:
    with pytest.raises(InputError):
        systemd_unit(("/a\n[Service]\nExecStart=/evil", "start"), {})


@pytest.mark.slow(reason="starts systemd's own checker")
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("name", ["swarm", "a b%h", 'quote"d', "$HOME\\x", "größe;x"])
def test_systemd_accepts_the_unit(tmp_path: Path, name: str) -> None:
    program = tmp_path / name / "swarm"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "run").mkdir()
    file = tmp_path / "swarm.service"
    file.write_text(
        systemd_unit((str(program), "start", "--foreground"), {"SWARM_CONFIG": f"{tmp_path}/{name}"})
    )
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", str(file)],
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path / "run")},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_macos_gets_an_agent_that_comes_back(tmp_path: Path, folder: Path) -> None:
    launchctl = FakeCommand(folder, "launchctl")
    launchctl.answer("print", "state = running\n")
    manager = manager_of("darwin", dict(os.environ), tmp_path)
    assert isinstance(manager, Launchd)
    text = manager.text(("/a b/swarm", "start", "--foreground"), {"SWARM_CONFIG": "/x & y"})
    agent = plistlib.loads(text.encode())
    assert agent["ProgramArguments"] == ["/a b/swarm", "start", "--foreground"]
    assert agent["EnvironmentVariables"] == {"SWARM_CONFIG": "/x & y"}
    assert (agent["RunAtLoad"], agent["KeepAlive"]) == (True, {"SuccessfulExit": False})
    assert MARK in text
    assert manager.file == tmp_path / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    session = f"gui/{os.getuid()}"
    manager.switch_on()
    assert launchctl.calls == [
        f"bootout {session}/{LABEL}",
        f"enable {session}/{LABEL}",
        f"bootstrap {session} {manager.file}",
    ]
    assert manager.state().running is True
    launchctl.answer("bootstrap", err="Bootstrap failed: 5: Input/output error\n", status=5)
    with pytest.raises(ServiceError, match="Bootstrap failed: 5"):
        manager.switch_on()


def test_an_agent_without_variables_names_none() -> None:
    assert "EnvironmentVariables" not in plistlib.loads(launchd_agent(("/swarm",), {}, "/log").encode())
