"""`install.sh`, run for real in a home of its own."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.install.clones import copy_repository, write_stub

CHANGING = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR", "SWARM_INSTALL_WAIT")
SETTINGS = "workers: 3 # mine\n"


def user_environment(home: Path) -> dict[str, str]:
    """This environment with another home; pip keeps the real user's settings and cache."""
    environment = {name: value for name, value in os.environ.items() if name not in CHANGING}
    environment |= {"HOME": str(home), "SHELL": "/bin/bash"}
    real = Path.home()
    environment.setdefault("PIP_CACHE_DIR", str(real / ".cache" / "pip"))
    for settings in (real / ".config/pip/pip.conf", real / ".pip/pip.conf"):
        if settings.is_file():
            environment.setdefault("PIP_CONFIG_FILE", str(settings))
    return environment


@dataclass(frozen=True)
class User:
    """One user's home and clone."""

    home: Path
    clone: Path

    @property
    def link(self) -> Path:
        return self.home / ".local/bin/swarm"

    @property
    def venv(self) -> Path:
        return self.home / ".local/share/clawswarm/venv"

    @property
    def lock(self) -> Path:
        return self.venv.parent / "install.lock"

    def install(self, *arguments: str, **variables: str | None) -> subprocess.CompletedProcess[str]:
        """Runs install.sh with `variables` in its environment (None: not set); both outputs as one."""
        environment = {**user_environment(self.home), **variables}
        return subprocess.run(
            ["/bin/sh", str(self.clone / "install.sh"), *arguments],
            cwd="/",
            env={name: value for name, value in environment.items() if value is not None},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
        )

    def swarm(self, *arguments: str) -> str:
        """What the linked command prints."""
        command = [str(self.link), *arguments]
        environment = user_environment(self.home)
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    def files(self) -> dict[str, tuple[int, int, int]]:
        """Everything in the home, with what changes when it is written to."""
        found: dict[str, tuple[int, int, int]] = {}
        for path in (self.home, *self.home.rglob("*")):
            status = path.lstat()
            found[str(path)] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return found


@pytest.fixture
def newcomer(tmp_path: Path) -> User:
    """A user who has installed nothing yet."""
    home = tmp_path / "my home"
    home.mkdir()
    return User(home, write_stub(tmp_path / "my clone", "1.0"))


@pytest.fixture(scope="session")
def stub_user(tmp_path_factory: pytest.TempPathFactory) -> User:
    folder = tmp_path_factory.mktemp("stub")
    (folder / "my home").mkdir()
    return User(folder / "my home", folder / "my clone")


@pytest.fixture
def user(stub_user: User) -> User:
    """A user with version 1.0 of the stub package, whatever the test before left behind."""
    write_stub(stub_user.clone, "1.0")
    done = stub_user.install()
    assert done.returncode == 0, done.stdout
    return stub_user


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
stub_install = pytest.mark.slow(reason="makes a virtual environment with pip in it")
patient = pytest.mark.timeout(300)


# --- Nothing gets installed ---


def test_help_names_every_option(newcomer: User) -> None:
    done = newcomer.install("--help")
    assert done.returncode == 0
    for option in ("--demo", "--test", "--lint", "--help", "SWARM_PYTHON"):
        assert option in done.stdout


@pytest.mark.parametrize("arguments", [["--tests"], ["extra"], ["--demo", "--test"], ["--lint", "x"]])
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


# --- One real install ---


@patient
@real_install
def test_the_linked_command_runs(installed: User) -> None:
    assert os.readlink(installed.link) == str(installed.venv / "bin/swarm")
    assert re.search(r"\d+\.\d+", installed.swarm("--version"))


@patient
@real_install
def test_the_second_run_changes_nothing(installed: User) -> None:
    before = installed.files()
    done = installed.install()
    assert done.returncode == 0
    assert "already up to date" in done.stdout
    assert installed.files() == before


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
def test_the_clone_is_not_needed_afterwards(installed: User) -> None:
    away = installed.clone.rename(installed.clone.with_name("away"))
    try:
        assert installed.swarm("--version")
    finally:
        away.rename(installed.clone)


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
