"""`swarm service`: the daemon as a service, started at login and again after a crash."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from clawswarm.access.presence import look
from clawswarm.cli.options import AsJson
from clawswarm.cli.output import print_json, show, told, warn
from clawswarm.cli.service_files import is_ours
from clawswarm.cli.service_managers import Manager, ServiceError, State, manager_of
from clawswarm.config.load import PREFIX
from clawswarm.config.paths import Paths
from clawswarm.config.whole_files import write_whole
from clawswarm.errors import SwarmError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The daemon as a service: started at login, and again after a crash.",
    epilog="Example:\n\nswarm service install",
)

CARRIED = ("SWARM_CONFIG", "SWARM_MEMORY_DIR", "SWARM_ALERTS_DIR")
"""Variables that say where things are; the service gets them as they are now."""

_LEFT_BEHIND = ("_API_KEY", "_BASE_URL", "_AUTH_TOKEN")

NoStart = Annotated[bool, typer.Option("--no-start", help="Only write the file; start nothing.")]


@app.command(epilog="Example:\n\nswarm service install --no-start")
def install(no_start: NoStart = False, as_json: AsJson = False) -> None:
    """Write the service, start it now and at every login.

    No key is written into it: keys come from their files (swarm setup). Run twice, it changes nothing.
    """
    with told(as_json=as_json):
        manager = _manager()
        text = manager.text(_command(os.environ), _carried(os.environ))
        changed = _write(manager.file, text)
        if not no_start:
            _switch_on(manager, changed=changed)
        notes = _notes(manager, os.environ)
        if as_json:
            print_json(_as_json(manager) | {"changed": changed, "warnings": notes})
            return
        warn(notes)
        show(f"{'Wrote' if changed else 'Already there:'} {manager.file}")
        show(f"To start it: {manager.by_hand}" if no_start else "The daemon runs; see: swarm service status")


@app.command(epilog="Example:\n\nswarm service uninstall")
def uninstall(as_json: AsJson = False) -> None:
    """Stop the service and remove its file; one that was not written by this command is left alone."""
    with told(as_json=as_json):
        manager = _manager()
        path = manager.file
        there = _read(path) is not None
        notes: list[str] = []
        if there:
            _refuse_foreign(path)
            try:
                manager.switch_off()
            except ServiceError as error:
                notes.append(f"{error.message}; the daemon may still run: swarm stop")
            path.unlink()
            try:
                manager.forget()
            except ServiceError:
                notes.append(f"{manager.name} will notice at the next login")
        if as_json:
            print_json({"removed": there, "path": str(path), "warnings": notes})
            return
        warn(notes)
        show(f"Removed {path}" if there else f"Nothing to remove: there is no {path}")


@app.command(epilog="Example:\n\nswarm service status --json")
def status(as_json: AsJson = False) -> None:
    """Whether the service is installed, enabled and running.

    Exit status: 0 it runs, 1 it does not.
    """
    with told(as_json=as_json):
        manager = _manager()
        found = _as_json(manager)
        if as_json:
            print_json(found)
        else:
            show(
                f"Installed: {_word(found['installed'])}  ({manager.file})",
                f"Enabled:   {_word(found['enabled'])}",
                f"Running:   {_word(found['running'])}",
            )
    raise typer.Exit(0 if found["running"] else 1)


def _manager() -> Manager:
    return manager_of(sys.platform, os.environ, Path(os.environ.get("HOME") or Path.home()))


def _as_json(manager: Manager) -> dict[str, object]:
    text = _read(manager.file)
    state = manager.state() if text is not None else State(False, False)
    return {
        "manager": manager.name,
        "path": str(manager.file),
        "installed": text is not None,
        "ours": text is not None and is_ours(text),
        "enabled": state.enabled,
        "running": state.running,
    }


def _word(value: object) -> str:
    return "not known" if value is None else "yes" if value else "no"


# ---- what is written


def _command(environ: Mapping[str, str]) -> tuple[str, ...]:
    """How the daemon is started: by the installed command, by its link where that is the same."""
    beside = Path(sys.executable).parent / "swarm"
    arguments = ("start", "--foreground")
    linked = shutil.which("swarm", path=environ.get("PATH"))
    if linked is not None and beside.exists() and Path(linked).resolve() == beside.resolve():
        return (str(Path(linked).absolute()), *arguments)
    if beside.exists():
        return (str(beside), *arguments)
    return (sys.executable, "-P", "-m", "clawswarm.cli.main", *arguments)


def _carried(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that the service gets, paths made absolute."""
    found = {name: environ[name] for name in CARRIED if environ.get(name)}
    return {name: str(Path(value).expanduser().absolute()) for name, value in found.items()}


def _notes(manager: Manager, environ: Mapping[str, str]) -> list[str]:
    """What the service will not have, and what it takes to run without a login."""
    left = sorted(
        name
        for name, value in environ.items()
        if value and (name.endswith(_LEFT_BEHIND) or name.startswith((PREFIX, "OLLAMA_HOST")))
    )
    notes: list[str] = []
    if left:
        notes.append(
            f"the service does not see {', '.join(left)}, which are set here only: "
            "store keys and addresses with swarm setup"
        )
    if manager.name == "systemd" and not _lingers(environ):
        notes.append("it ends when you log out; to keep it running: loginctl enable-linger")
    return notes


def _lingers(environ: Mapping[str, str]) -> bool:
    user = environ.get("USER") or environ.get("LOGNAME") or ""
    return bool(user) and (Path("/var/lib/systemd/linger") / user).exists()


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _refuse_foreign(path: Path) -> None:
    text = _read(path)
    if text is not None and not is_ours(text):
        raise ServiceError(
            f"{path} was not written by swarm service install", hint="move it away, then run this again"
        )


def _write(path: Path, text: str) -> bool:
    """Put the file in its place; False where it was there already."""
    _refuse_foreign(path)
    if _read(path) == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode(), 0o644)
    return True


def _switch_on(manager: Manager, *, changed: bool) -> None:
    state = manager.state()
    if not changed and state.enabled and state.running:
        return
    daemon = look(Paths.of(os.environ))
    if daemon is not None and not state.running:
        raise SwarmError(
            f"{manager.file} is written; a daemon of its own runs already (pid {daemon.pid})",
            hint="stop that one, then run this again: swarm stop && swarm service install",
        )
    try:
        manager.switch_on()
    except ServiceError as error:
        raise SwarmError(
            f"{manager.file} is written, but it could not be started: {error.message}",
            hint=f"in a session of your own, run: {manager.by_hand}",
        ) from error
