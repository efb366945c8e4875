"""`swarm openclaw config`: the settings that a team needs in OpenClaw (formerly Clawdbot)."""

import json
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio.to_thread
import typer

from clawswarm.cli.options import AsJson, load_settings
from clawswarm.cli.output import print_json, run, say, show, told
from clawswarm.cli.screen import one_line
from clawswarm.clock import SystemClock
from clawswarm.config.model import Settings
from clawswarm.errors import NotConfigured
from clawswarm.team.host import Host, find_host
from clawswarm.team.host_file import HostFileError, Item, Plan, Read, as_tree, plan, read_file, write
from clawswarm.team.host_schema import Known, ask_host, from_reading, of_no_host
from clawswarm.team.host_settings import TIMEOUT, wanted

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Set up OpenClaw, which the team's agents may live in.",
    epilog="Example:\n\nswarm openclaw config",
)


@app.callback()
def _group() -> None:  # pyright: ignore[reportUnusedFunction] - one command alone would lose its name
    """Commands about the host."""


EXAMPLES = """Examples:

swarm openclaw config

swarm openclaw config --write

swarm openclaw config --json"""


@app.command("config", epilog=EXAMPLES)
def config_command(
    write_it: Annotated[
        bool, typer.Option("--write", help="Put them into the host's file; a copy of it stays beside it.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace values that you have set, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the settings for a team's agents, in the form that the installed host accepts.

    With --write they go into its configuration. What you have set there stays, unless you say --force.

    Exit status: 0 all well, 1 the file could not be changed, 3 no host is installed to write for.
    """
    with told(as_json=as_json):
        settings = load_settings()
        work = partial(_config, settings, os.environ, write_it=write_it, force=force, as_json=as_json)
        status = run(work)
    raise typer.Exit(status)


async def _config(
    settings: Settings, environ: Mapping[str, str], *, write_it: bool, force: bool, as_json: bool
) -> int:
    host = find_host(environ)
    if host is None:
        if write_it:
            raise NotConfigured(
                "there is no OpenClaw here: neither its program nor its folder ~/.openclaw",
                hint="install it (https://docs.openclaw.ai), or see what it would get: swarm openclaw config",
            )
        read, known = Read(None, None, {}), of_no_host()
    else:
        read = await anyio.to_thread.run_sync(read_file, host)
        known = await ask_host(host, environ) or from_reading(host, read.touched)
    planned = plan(read, wanted(settings), known, force=force)
    backup = None
    if write_it and host is not None:
        _refuse(host, planned)
        if planned.changes:
            backup = await anyio.to_thread.run_sync(write, planned, SystemClock().now())
    if as_json:
        print_json(
            {
                "host": None if host is None else _host(host, known),
                "source": known.source,
                "settings": as_tree(planned.items),
                "keys": [_item(item) for item in planned.items],
                "trouble": read.trouble,
                "written": write_it and planned.changes,
                "backup": None if backup is None else str(backup),
            }
        )
    elif write_it and host is not None:
        _tell_written(host, known, planned, backup)
    else:
        show(json.dumps(as_tree(planned.items), indent=2, ensure_ascii=False))
        say("", *_about(host, known, planned))
    return 0


def _tell_written(host: Host, known: Known, planned: Plan, backup: Path | None) -> None:
    show(*_lines(planned.items, host, known), "")
    if not planned.changes:
        show(f"Nothing to change in {host.file}.")
        return
    show(f"Written: {host.file}", *([f"As it was: {backup}"] if backup else []))
    say(f"  {_then(host)}")


def _refuse(host: Host, planned: Plan) -> None:
    """Say why the file cannot be changed, where it cannot.

    Raises:
        HostFileError: with what to add by hand.
    """
    by_hand = f"add this by hand:\n{json.dumps(as_tree(planned.items), indent=2, ensure_ascii=False)}"
    if host.managed is not None:
        text = f"{host.file} belongs to a deployment system: {host.managed} is set"
        raise HostFileError(text, hint=by_hand)
    if planned.read.trouble is not None:
        raise HostFileError(f"{host.file} is left as it is: {planned.read.trouble}", hint=by_hand)


def _about(host: Host | None, known: Known, planned: Plan) -> list[str]:
    """What the settings mean for the host that was found."""
    if host is None:
        return [f"No OpenClaw was found here. This is from {known.source}."]
    lines = [f"{host.title}{f' {known.version}' if known.version else ''}, {host.file} ({known.source}):"]
    if planned.read.trouble is not None:
        return [*lines, f"  not compared: {planned.read.trouble}", "  add what is missing by hand"]
    lines += [f"  {line}" for line in _lines(planned.items, host, known)]
    if planned.changes:
        lines.append("Nothing was written. To write it: swarm openclaw config --write")
    return lines


def _lines(items: tuple[Item, ...], host: Host, known: Known) -> list[str]:
    """One line a key, as a diff has them."""
    return [line for item in items for line in _diff(item, host, known)]


def _diff(item: Item, host: Host, known: Known) -> list[str]:
    new, old = _shown(item.value), _shown(item.before)
    match item.state:
        case "add":
            return [f"+ {item.name}: {new}   ({item.why})"]
        case "change":
            return [f"- {item.name}: {old}", f"+ {item.name}: {new}   ({item.why})"]
        case "same":
            return [f"= {item.name}: {new}"]
        case "kept":
            return [f"! {item.name}: {old} is yours and stays; {new} is advised (--force sets it)"]
        case "included":
            return [f"! {item.name}: another file is included there, and may set it; {new} is advised"]
        case "unread":
            return [f"? {item.name}: {new}"]
        case _:
            return [f"  {item.name} is left out: {_not_known(item, host, known)}"]


def _not_known(item: Item, host: Host, known: Known) -> str:
    if host.name == "clawdbot" or item.key != TIMEOUT:
        what = f"{host.title} does not know it, and would not start"
    else:
        what = f"not sure that this {host.title} knows it ({known.source})"
    instead = f"; let agents pass runTimeoutSeconds: {_shown(item.value)} to sessions_spawn"
    return what + (instead if item.key == TIMEOUT else "")


def _then(host: Host) -> str:
    if host.name == "clawdbot":
        return "It counts after: clawdbot gateway restart"
    return "A running gateway takes it over by itself. To check it: openclaw config validate"


def _host(host: Host, known: Known) -> dict[str, Any]:
    return {
        "name": host.name,
        "version": known.version,
        "command": host.command,
        "file": str(host.file),
        "exists": host.file.exists(),
        "managed": host.managed,
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "key": item.name,
        "state": item.state,
        "value": item.value,
        "before": item.before,
        "why": item.why,
    }


def _shown(value: Any) -> str:
    return one_line(json.dumps(value, ensure_ascii=False))
