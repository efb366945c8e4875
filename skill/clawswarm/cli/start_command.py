"""`swarm start`: warm workers in the background."""

import os
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from clawswarm.access.launch import Launched, daemon_command, launch
from clawswarm.cli.options import AsJson
from clawswarm.cli.output import print_json, say, show, told

app = typer.Typer(add_completion=False)

Port = Annotated[
    int | None,
    typer.Option(min=0, max=65_535, help="Port on 127.0.0.1; 0 takes a free one.", show_default="9999"),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Prompts at once.", show_default="16")]


@app.command("start", epilog="Example:\n\nswarm start --port 9999 --workers 6")
def start_command(
    port: Port = None,
    workers: Workers = None,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay in this terminal, until Ctrl-C.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start the daemon: prompts are answered faster, and jobs go on after this terminal is closed.

    It listens on this machine only. One that runs already stays as it is.
    """
    with told(as_json=as_json):
        if foreground:
            command = daemon_command(port=port, workers=workers)
            sys.stdout.flush()
            os.execv(command[0], command)  # noqa: S606 - it takes this process over, with its signals
        if not as_json:
            show("🐝 Starting Swarm Daemon...")
        tell(launch(os.environ, port=port, workers=workers), as_json=as_json)


def tell(launched: Launched, *, as_json: bool) -> None:
    """Say what runs now."""
    presence = launched.presence
    if as_json:
        print_json({**asdict(presence), "url": presence.url, "was_running": launched.was_running})
        return
    if launched.was_running:
        show(f"✅ Daemon already running on port {presence.port}")
        say("   With other options, or after a change of the configuration: swarm restart")
    else:
        show(f"✅ Daemon ready on port {presence.port}")
    show(f"   Workers: {presence.workers}", f"   PID: {presence.pid}")
