"""The program that a team's agents may live in: OpenClaw, or Clawdbot as it was called before.

Where it keeps its configuration follows its own rules, as read in OpenClaw 2026.9.6 and Clawdbot 2026.1.24.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clawswarm.team.programs import find_program

HostName = Literal["openclaw", "clawdbot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host that is installed here.

    Attributes:
        command: its program; None where it is not on the PATH.
        file: its configuration, whether it exists or not.
        managed: the variable that says that nobody but a deployment system may write there.
    """

    name: HostName
    command: str | None
    file: Path
    managed: str | None = None

    @property
    def title(self) -> str:
        return "OpenClaw" if self.name == "openclaw" else "Clawdbot"


def find_host(environ: Mapping[str, str]) -> Host | None:
    """The host of this user. OpenClaw goes before Clawdbot, whose files it takes over."""
    new, old = find_program("openclaw", environ), find_program("clawdbot", environ)
    file, older = _openclaw_file(environ), _clawdbot_file(environ)
    if new or _names(environ, "OPENCLAW") or (file.name == "openclaw.json" and file.exists()):
        managed = _first_set(environ, "OPENCLAW_CONFIG_READONLY", "OPENCLAW_NIX_MODE")
        return Host(name="openclaw", command=new, file=file, managed=managed)
    if old or _names(environ, "CLAWDBOT") or older.parent.is_dir():
        managed = _first_set(environ, "CLAWDBOT_NIX_MODE")
        return Host(name="clawdbot", command=old, file=older, managed=managed)
    return Host(name="openclaw", command=None, file=file) if file.parent.is_dir() else None


def _openclaw_file(environ: Mapping[str, str]) -> Path:
    """The configured file; else the first that exists, the old names last; else the new one."""
    home = _path(environ, "OPENCLAW_HOME", _home(environ))
    if stated := _stated(environ, "OPENCLAW_CONFIG_PATH"):
        return _expanded(stated, home)
    folders = [home / ".openclaw", home / ".clawdbot"]
    if stated := _stated(environ, "OPENCLAW_STATE_DIR"):
        folders = [_expanded(stated, home)]
    files = [folder / name for folder in folders for name in ("openclaw.json", "clawdbot.json")]
    there = next((folder for folder in folders if folder.is_dir()), folders[0])
    return next((file for file in files if file.exists()), there / "openclaw.json")


def _clawdbot_file(environ: Mapping[str, str]) -> Path:
    home = _home(environ)
    folder = _path(environ, "CLAWDBOT_STATE_DIR", home / ".clawdbot")
    return _path(environ, "CLAWDBOT_CONFIG_PATH", folder / "clawdbot.json")


def _names(environ: Mapping[str, str], prefix: str) -> bool:
    """Whether the environment says where this host's files are."""
    return any(_stated(environ, f"{prefix}_{name}") for name in ("CONFIG_PATH", "STATE_DIR"))


def _first_set(environ: Mapping[str, str], *names: str) -> str | None:
    return next((name for name in names if environ.get(name) == "1"), None)


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())


def _stated(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()


def _path(environ: Mapping[str, str], name: str, default: Path) -> Path:
    stated = _stated(environ, name)
    return _expanded(stated, _home(environ)) if stated else default


def _expanded(text: str, home: Path) -> Path:
    """A path with `~` read as that home."""
    if text == "~" or text.startswith("~/"):
        return home / text[2:]
    return Path(text).absolute()
