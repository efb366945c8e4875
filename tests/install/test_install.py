"""`install.sh`, run for real in a home of its own."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.install.clones import copy_repository, write_stub, write_wheel
from tests.install.users import User, patient, stub_install, user_environment

SETTINGS = "node_scaling:\n  limits:\n    max_nodes: 3 # mine\n"


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> User:
    """A user with this repository installed, and settings from before."""
    folder = tmp_path_factory.mktemp("real")
    user = User(folder / "my home", copy_repository(folder / "my clone"))
    settings = user.home / ".config/clawdbot/node-scaling.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS)
    done = user.install()
    assert done.returncode == 0, done.stdout
    return user


real_install = pytest.mark.slow(reason="installs this package and what it needs with pip")


# --- Nothing gets installed ---


def test_help_names_every_option(newcomer: User) -> None:
    done = newcomer.install("--help")
    assert done.returncode == 0
    options = ("--demo", "--uninstall", "--purge", "--dry-run", "--prefix", "--test", "--lint", "--help")
    for option in (*options, "SWARM_PYTHON"):
        assert option in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--tests"],
        ["extra"],
        ["--demo", "--test"],
        ["--lint", "x"],
        ["--purge"],
        ["--lint", "--dry-run"],
        ["--dry-run", "--test"],
        ["--demo", "--uninstall"],
        ["--prefix"],
        ["--prefix", ""],
        ["--prefix=/x", "--test"],
    ],
)
def test_a_wrong_option_is_a_usage_error(newcomer: User, arguments: list[str]) -> None:
    before = newcomer.files()
    done = newcomer.install(*arguments)
    assert done.returncode == 2
    assert arguments[-1] in done.stdout
    assert "./install.sh --help" in done.stdout
    assert newcomer.files() == before


def fake_pythons(folder: Path, **scripts: str) -> str:
    """A PATH of one folder with these scripts and nothing else."""
    folder.mkdir()
    for name, script in scripts.items():
        path = folder / name.replace("_", ".")
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    return str(folder)


def test_without_a_usable_python_it_says_what_it_tried(newcomer: User, tmp_path: Path) -> None:
    before = newcomer.files()
    path = fake_pythons(tmp_path / "fakes", python3_13="exit 127", python3="echo 3.9.6 old /usr/bin/python3")
    done = newcomer.install(PATH=path, SWARM_PYTHON="")
    assert done.returncode == 1
    assert "Swarm needs Python 3.11 or newer, and none was found." in done.stdout
    assert f"{path}/python3.13 does not run" in done.stdout
    assert f"{path}/python3 is Python 3.9.6; 3.11 or newer is needed" in done.stdout
    assert "SWARM_PYTHON=" in done.stdout
    assert newcomer.files() == before


def test_a_python_without_venv_gets_the_package_to_install(newcomer: User, tmp_path: Path) -> None:
    path = fake_pythons(tmp_path / "fakes", python3="echo 3.12.1 bare /usr/bin/python3")
    done = newcomer.install(PATH=path, SWARM_PYTHON="")
    assert done.returncode == 1
    assert "apt install python3-venv" in done.stdout


def test_a_swarm_python_that_fails_is_not_replaced_by_another(newcomer: User, tmp_path: Path) -> None:
    path = fake_pythons(tmp_path / "fakes", python3="exit 1")
    done = newcomer.install(SWARM_PYTHON=f"{path}/python3")
    assert done.returncode == 1
    assert "SWARM_PYTHON names a Python that Swarm cannot use." in done.stdout


@pytest.mark.parametrize("kind", ["file", "link", "broken link", "folder"])
def test_a_swarm_command_of_the_user_is_left_alone(newcomer: User, kind: str) -> None:
    newcomer.link.parent.mkdir(parents=True)
    if kind == "file":
        newcomer.link.write_text("#!/bin/sh\n")
    elif kind == "folder":
        newcomer.link.mkdir()
    else:
        newcomer.link.symlink_to("/bin/sh" if kind == "link" else "/nowhere")
    before = newcomer.files()
    done = newcomer.install()
    assert done.returncode == 1
    assert "was not made by this script" in done.stdout
    assert f"mv '{newcomer.link}'" in done.stdout
    assert newcomer.files() == before


@pytest.mark.parametrize(
    "arguments", [[], ["--demo"], ["--prefix", "else where"], ["--uninstall", "--purge"]]
)
def test_a_dry_run_changes_nothing(newcomer: User, arguments: list[str]) -> None:
    before = newcomer.files()
    done = newcomer.install("--dry-run", *arguments)
    assert done.returncode == 0, done.stdout
    assert "Dry run: nothing is changed" in done.stdout
    assert newcomer.files() == before
    if "--uninstall" not in arguments:
        assert "Package: Swarm and what it needs would be installed" in done.stdout
        assert ("Would run: swarm demo" in done.stdout) == (arguments == ["--demo"])


# --- One real install ---


@patient
@real_install
def test_the_linked_command_runs(installed: User) -> None:
    assert os.readlink(installed.link) == str(installed.venv / "bin/swarm")
    assert re.search(r"\d+\.\d+", installed.swarm("--version"))


@patient
@real_install
def test_the_second_run_changes_nothing(installed: User) -> None:
    before = installed.files(but="clawd")
    done = installed.install()
    assert done.returncode == 0
    assert "already up to date" in done.stdout
    assert installed.files(but="clawd") == before  # there, `swarm diagnose` tries whether it can be written


@patient
@real_install
def test_settings_are_neither_changed_nor_added(installed: User) -> None:
    settings = installed.home / ".config/clawdbot"
    assert [path.name for path in settings.iterdir()] == ["node-scaling.yaml"]
    assert (settings / "node-scaling.yaml").read_text() == SETTINGS
    assert not list(installed.home.glob(".*rc"))
    assert not list(installed.home.glob(".*profile"))


@patient
@real_install
def test_it_ends_with_a_look_at_everything(installed: User) -> None:
    done = installed.install()
    assert done.returncode == 0  # though there is no model to ask
    told = done.stdout[done.stdout.index("Running: swarm diagnose --no-call\n") :]
    assert re.search(r"^✅ python", told, re.MULTILINE)
    assert re.search(r"^❌ provider", told, re.MULTILINE)
    assert "Swarm is installed all the same" in told


@patient
@real_install
def test_the_clone_is_not_needed_afterwards(installed: User) -> None:
    away = installed.clone.rename(installed.clone.with_name("away"))
    try:
        assert installed.swarm("--version")
    finally:
        away.rename(installed.clone)


@patient
@real_install
def test_uninstalling_stops_the_daemon_and_keeps_what_is_the_users(installed: User) -> None:
    environment = {"SWARM__PROVIDER__NAME": "demo", "SWARM__DAEMON__PORT": "0"}
    installed.swarm("start", **environment)
    token = installed.home / ".config/clawdbot/swarm-token"
    assert token.is_file()
    done = installed.install("--uninstall")
    assert done.returncode == 0, done.stdout
    assert "Daemon stopped" in done.stdout
    assert not installed.link.is_symlink()
    assert not installed.venv.parent.exists()
    settings = installed.home / ".config/clawdbot/node-scaling.yaml"
    assert settings.read_text() == SETTINGS
    assert token.is_file()
    assert (installed.home / "clawd/memory/swarm.db").is_file()


# --- Updating and repairing, with the stub package ---


@patient
@stub_install
def test_a_changed_source_is_installed(user: User) -> None:
    write_stub(user.clone, "1.1")
    done = user.install()
    assert done.returncode == 0
    assert "Package: installed swarm 1.1" in done.stdout
    assert user.swarm("--version") == "swarm 1.1\n"


@patient
@stub_install
def test_a_failed_update_keeps_the_version_before(user: User, tmp_path: Path) -> None:
    write_stub(user.clone, "1.1", needs="clawswarm-has-no-such-dependency")
    done = user.install(PIP_NO_INDEX="1", TMPDIR=str(tmp_path))
    assert done.returncode == 1
    assert "The version that was installed before is still there: swarm 1.0" in done.stdout
    assert "Hint: is there a network connection?" in done.stdout
    (log,) = tmp_path.glob("swarm-install.*")
    assert f"The whole output: {log}\n" in done.stdout
    assert "clawswarm-has-no-such-dependency" in log.read_text()
    assert user.swarm("--version") == "swarm 1.0\n"
    write_stub(user.clone, "1.0")
    assert "already up to date" in user.install().stdout


@patient
@stub_install
def test_without_a_network_the_wheels_of_the_install_before_do(user: User, tmp_path: Path) -> None:
    write_stub(user.clone, "1.1", needs="clawswarm-needed")
    write_wheel(tmp_path, "clawswarm_needed")
    environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    assert "Package: installed swarm 1.1" in user.install(**environment).stdout

    shutil.rmtree(user.venv)
    done = user.install(**environment | {"PIP_FIND_LINKS": "/nowhere"})
    assert done.returncode == 0, done.stdout
    assert "no network; installing from the wheels of the install before" in done.stdout
    assert user.swarm("--version") == "swarm 1.1\n"
    assert [wheel.name for wheel in (user.venv.parent / "wheels").iterdir()] == [
        "clawswarm_needed-1.0-py3-none-any.whl"
    ]


@patient
@stub_install
def test_a_prefix_takes_everything(newcomer: User) -> None:
    before = set(newcomer.files())
    prefix = newcomer.home / "my own"
    for given in (["--prefix", str(prefix)], [f"--prefix={prefix}"]):
        done = newcomer.install(*given)
        assert done.returncode == 0, done.stdout
    assert "already up to date" in done.stdout
    assert os.readlink(prefix / "bin/swarm") == str(prefix / "share/clawswarm/venv/bin/swarm")
    assert f'    export PATH="{prefix}/bin:$PATH"\n' in done.stdout
    assert {path for path in newcomer.files() if not path.startswith(str(prefix))} == before

    assert newcomer.install("--uninstall", "--prefix", str(prefix)).returncode == 0
    assert sorted(path.name for path in prefix.rglob("*")) == ["bin", "share"]


@patient
@stub_install
def test_an_environment_without_its_python_is_rebuilt(user: User) -> None:
    for python in (user.venv / "bin").glob("python*"):
        python.unlink()
    done = user.install()
    assert done.returncode == 0
    assert "building it again" in done.stdout
    assert user.swarm("--version") == "swarm 1.0\n"


@patient
@stub_install
def test_an_interrupted_install_is_repaired(user: User) -> None:
    write_stub(user.clone, "1.1")
    running = subprocess.Popen(
        ["/bin/sh", str(user.clone / "install.sh")],
        env=user_environment(user.home),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with running:
        assert running.stdout
        for line in running.stdout:
            if line.startswith("Package: installing"):
                break
        os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == -signal.SIGKILL
    assert user.lock.exists()
    assert not list(user.venv.glob("swarm-stamp.*"))

    done = user.install()
    assert done.returncode == 0, done.stdout
    assert "Cleared the lock of an install that did not end." in done.stdout
    assert user.swarm("--version") == "swarm 1.1\n"
    assert not user.lock.exists()


@pytest.fixture
def other_install(user: User) -> Iterator[None]:
    """Another install that is running and does not end."""
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        user.lock.mkdir()
        (user.lock / "pid").write_text(f"{other.pid}\n")
        yield
        other.kill()
    shutil.rmtree(user.lock)


@patient
@stub_install
@pytest.mark.usefixtures("other_install")
def test_only_one_install_runs_at_a_time(user: User) -> None:
    write_stub(user.clone, "1.1")
    before = user.files()
    done = user.install(SWARM_INSTALL_WAIT="1")
    assert done.returncode == 1
    assert "Another install is running" in done.stdout
    assert f"delete {user.lock}" in done.stdout
    assert user.files() == before


@patient
@stub_install
def test_demo_ends_with_the_demo(user: User) -> None:
    done = user.install("--demo")
    assert done.returncode == 0
    assert done.stdout.endswith("Running: swarm demo\nswarm ['demo']\n")


@patient
@stub_install
@pytest.mark.parametrize(
    ("shell", "file", "line"),
    [
        ("/bin/zsh", ".zshrc", 'export PATH="$HOME/.local/bin:$PATH"'),
        ("/usr/bin/fish", ".config/fish/config.fish", 'fish_add_path "$HOME/.local/bin"'),
        ("/bin/ksh", ".profile", 'export PATH="$HOME/.local/bin:$PATH"'),
        (None, ".profile", 'export PATH="$HOME/.local/bin:$PATH"'),
    ],
)
def test_it_says_which_line_puts_it_on_the_path(user: User, shell: str | None, file: str, line: str) -> None:
    done = user.install(SHELL=shell)
    assert done.returncode == 0
    assert f"Add this line to {user.home}/{file} " in done.stdout
    assert f"    {line}\n" in done.stdout


@patient
@stub_install
def test_on_the_path_there_is_nothing_to_add(user: User) -> None:
    done = user.install(PATH=f"{user.link.parent}:{os.environ['PATH']}")
    assert f"PATH: {user.link.parent} is on it, nothing to do" in done.stdout


@patient
@stub_install
def test_python_variables_have_no_influence(user: User, tmp_path: Path) -> None:
    (tmp_path / "hashlib.py").write_text("raise SystemExit(3)\n")
    write_stub(user.clone, "1.1")
    done = user.install(PYTHONPATH=str(tmp_path), PYTHONHOME="/nowhere", VIRTUAL_ENV="/nowhere")
    assert done.returncode == 0, done.stdout
    assert user.swarm("--version") == "swarm 1.1\n"


@patient
@pytest.mark.slow(reason="installs pytest into a virtual environment")
def test_the_test_option_hands_its_arguments_to_pytest(newcomer: User) -> None:
    tests = newcomer.clone / "tests"
    tests.mkdir()
    (tests / "test_it.py").write_text(
        "def test_good():\n    import clawswarm.version\n\ndef test_bad():\n    assert False\n"
    )
    good = newcomer.install("--test", "-k", "good")
    assert good.returncode == 0, good.stdout
    assert "1 passed, 1 deselected" in good.stdout
    bad = newcomer.install("--test")
    assert bad.returncode == 1
    assert "already up to date" in bad.stdout
    assert "1 failed, 1 passed" in bad.stdout
    assert not newcomer.venv.exists()


@patient
@pytest.mark.slow(reason="makes a virtual environment")
def test_an_environment_of_the_developer_is_not_deleted(newcomer: User) -> None:
    theirs = newcomer.clone / ".venv"
    theirs.mkdir()
    (theirs / "notes.txt").write_text("mine")
    done = newcomer.install("--test")
    assert done.returncode == 1
    assert "was not made by install.sh" in done.stdout
    assert (theirs / "notes.txt").read_text() == "mine"
