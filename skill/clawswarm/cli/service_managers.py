"""What keeps services on this system: systemd for a user, or launchd. Both through their own command."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from clawswarm.cli.service_files import LABEL, UNIT_NAME, launchd_agent, systemd_unit
from clawswarm.errors import SwarmError

PATIENCE = 60
"""Seconds that a service manager may take: stopping waits for the work that runs."""


class ServiceError(SwarmError):
    """The service manager is not there, or refused."""

    code = "service_failed"


@dataclass(frozen=True, slots=True)
class State:
    """What the manager says; None where it cannot be asked."""

    enabled: bool | None
    running: bool | None


class Manager(Protocol):
    """One kind of service manager."""

    @property
    def name(self) -> str: ...

    @property
    def file(self) -> Path:
        """Where the service is written to."""
        ...

    @property
    def by_hand(self) -> str:
        """The commands that switch the service on, for a person to type."""
        ...

    def text(self, command: Sequence[str], variables: Mapping[str, str]) -> str:
        """What is written there."""
        ...

    def switch_on(self) -> None:
        """Make the manager read the file, start the service now and at each login.

        Raises:
            ServiceError: it cannot.
        """
        ...

    def switch_off(self) -> None:
        """Stop the service and start it no more; the file is still there."""
        ...

    def forget(self) -> None:
        """The file is gone: let the manager notice."""
        ...

    def state(self) -> State: ...


@dataclass(frozen=True, slots=True)
class Systemd:
    """systemd's manager of one user's services."""

    environ: Mapping[str, str]
    home: Path
    name: str = "systemd"

    @property
    def file(self) -> Path:
        stated = self.environ.get("XDG_CONFIG_HOME", "")
        base = Path(stated) if stated.startswith("/") else self.home / ".config"
        return base / "systemd" / "user" / UNIT_NAME

    @property
    def by_hand(self) -> str:
        return f"systemctl --user daemon-reload && systemctl --user enable --now {UNIT_NAME}"

    def text(self, command: Sequence[str], variables: Mapping[str, str]) -> str:
        return systemd_unit(command, variables)

    def switch_on(self) -> None:
        self._run("daemon-reload")
        self._run("enable", UNIT_NAME)
        self._run("reset-failed", UNIT_NAME, may_fail=True)  # it may have given up on an older file
        self._run("restart", UNIT_NAME)

    def switch_off(self) -> None:
        self._run("disable", UNIT_NAME)  # works without a session, too
        self._run("stop", UNIT_NAME)

    def forget(self) -> None:
        self._run("daemon-reload")

    def state(self) -> State:
        try:
            enabled = self._run("is-enabled", UNIT_NAME, may_fail=True)
            running = self._run("is-active", UNIT_NAME, may_fail=True)
        except ServiceError:
            return State(None, None)
        active = running.stdout.strip()  # says nothing where there is no session to ask
        return State(
            enabled.stdout.strip() == "enabled", active in ("active", "activating") if active else None
        )

    def _run(self, *arguments: str, may_fail: bool = False) -> subprocess.CompletedProcess[str]:
        return _run(self.environ, ("systemctl", "--user", *arguments), may_fail=may_fail)


@dataclass(frozen=True, slots=True)
class Launchd:
    """macOS's manager, in the session of one user."""

    environ: Mapping[str, str]
    home: Path
    name: str = "launchd"

    @property
    def file(self) -> Path:
        return self.home / "Library" / "LaunchAgents" / f"{LABEL}.plist"

    @property
    def by_hand(self) -> str:
        return f"launchctl bootstrap {self._session} {self.file}"

    def text(self, command: Sequence[str], variables: Mapping[str, str]) -> str:
        return launchd_agent(command, variables, str(self.home / "Library" / "Logs" / "swarm.log"))

    def switch_on(self) -> None:
        self._run("bootout", f"{self._session}/{LABEL}", may_fail=True)  # an older file may be loaded
        self._run("enable", f"{self._session}/{LABEL}")
        self._run("bootstrap", self._session, str(self.file))

    def switch_off(self) -> None:
        self._run("bootout", f"{self._session}/{LABEL}", may_fail=True)

    def forget(self) -> None:
        """launchd keeps nothing of a file that is not loaded."""

    def state(self) -> State:
        try:
            found = self._run("print", f"{self._session}/{LABEL}", may_fail=True)
        except ServiceError:
            return State(None, None)
        loaded = found.returncode == 0
        return State(loaded, loaded and "state = running" in found.stdout)

    @property
    def _session(self) -> str:
        return f"gui/{os.getuid()}"

    def _run(self, *arguments: str, may_fail: bool = False) -> subprocess.CompletedProcess[str]:
        return _run(self.environ, ("launchctl", *arguments), may_fail=may_fail)


def manager_of(system: str, environ: Mapping[str, str], home: Path) -> Manager:
    """The manager of `system`, which is named as `sys.platform` names it."""
    return Launchd(environ, home) if system == "darwin" else Systemd(environ, home)


def _run(
    environ: Mapping[str, str], command: tuple[str, ...], *, may_fail: bool
) -> subprocess.CompletedProcess[str]:
    """Run a fixed command of the system, without a shell."""
    program = shutil.which(command[0], path=environ.get("PATH"))
    if program is None:
        raise ServiceError(f"there is no {command[0]} on this system")
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and no argument of the user's
            [program, *command[1:]],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ServiceError(f"{' '.join(command)} did not end within {PATIENCE} s") from None
    except OSError as error:
        raise ServiceError(f"{program} cannot be run: {error.strerror}") from error
    if done.returncode and not may_fail:
        said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[0]
        raise ServiceError(f"{' '.join(command)} failed: {said}")
    return done
