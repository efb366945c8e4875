"""A user of the installer: a home and a clone, in folders with a space in their names."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

CHANGING = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR", "SWARM_INSTALL_WAIT")
HOSTS = ("openclaw", "clawdbot")

stub_install = pytest.mark.slow(reason="makes a virtual environment with pip in it")
patient = pytest.mark.timeout(300)


def user_environment(home: Path) -> dict[str, str]:
    """This environment with another home and no host; pip keeps the real user's settings and cache."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in CHANGING and not name.startswith(("OPENCLAW_", "CLAWDBOT_"))
    }
    folders = [f for f in environment["PATH"].split(":") if not any(Path(f, host).exists() for host in HOSTS)]
    environment |= {"HOME": str(home), "SHELL": "/bin/bash", "PATH": ":".join(folders)}
    real = Path.home()
    environment.setdefault("PIP_CACHE_DIR", str(real / ".cache" / "pip"))
    environment.setdefault("RUSTUP_HOME", str(real / ".rustup"))  # pip asks a Rust for its version
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

    def with_hosts(self, *folders: Path) -> str:
        """A PATH on which these programs come first."""
        return ":".join([*map(str, folders), user_environment(self.home)["PATH"]])

    def swarm(self, *arguments: str, **variables: str) -> str:
        """What the linked command prints."""
        command = [str(self.link), *arguments]
        environment = user_environment(self.home) | variables
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    def files(self, *, but: str = "") -> dict[str, tuple[int, int, int]]:
        """Everything in the home, with what changes when it is written to.

        Args:
            but: a folder of the home that is left out.
        """
        found: dict[str, tuple[int, int, int]] = {}
        for path in (self.home, *self.home.rglob("*")):
            if but and path.is_relative_to(self.home / but):
                continue
            status = path.lstat()
            found[str(path)] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return found
