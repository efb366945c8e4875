"""`swarm stop`: let the daemon finish what it can, and end."""

import os
from functools import partial

import typer

from clawswarm.access.launch import stop
from clawswarm.cli.options import AsJson, load_settings
from clawswarm.cli.output import print_json, run, show, told
from clawswarm.config.model import Settings

app = typer.Typer(add_completion=False)

MARGIN = 10.0
"""Seconds that an end may take beyond the grace that running work gets."""


@app.command("stop", epilog="Example:\n\nswarm stop")
def stop_command(as_json: AsJson = False) -> None:
    """Stop the daemon. What is in flight gets `daemon.grace` seconds; jobs go on after the next start."""
    with told(as_json=as_json):
        status = run(partial(_stop, load_settings(), as_json=as_json))
    raise typer.Exit(status)


async def _stop(settings: Settings, *, as_json: bool) -> int:
    stopped = await stop(os.environ, patience=settings.daemon.grace + MARGIN)
    if as_json:
        print_json({"stopped": stopped is not None, "pid": None if stopped is None else stopped.pid})
    elif stopped is None:
        show("No daemon is running.")
    else:
        show(f"🛑 Daemon stopped (PID {stopped.pid})")
    return 0
