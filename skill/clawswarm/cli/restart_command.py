"""`swarm restart`: stop, and start with the configuration as it is now."""

import os
from functools import partial

import typer

from clawswarm.access.launch import launch, stop
from clawswarm.access.presence import Presence
from clawswarm.cli.options import AsJson, load_settings
from clawswarm.cli.output import run, show, told
from clawswarm.cli.start_command import Port, Workers, tell
from clawswarm.cli.stop_command import MARGIN

app = typer.Typer(add_completion=False)


@app.command("restart", epilog="Example:\n\nswarm restart")
def restart_command(port: Port = None, workers: Workers = None, as_json: AsJson = False) -> None:
    """Stop the daemon if it runs, and start it with the configuration as it is now. Jobs go on."""
    with told(as_json=as_json):
        patience = load_settings().daemon.grace + MARGIN  # a configuration that is wrong stops nothing
        stopped: list[Presence | None] = []

        async def end() -> int:
            stopped.append(await stop(os.environ, patience=patience))
            return 0

        if status := run(partial(end)):
            raise typer.Exit(status)
        if not as_json:
            if stopped[0] is not None:
                show(f"🛑 Daemon stopped (PID {stopped[0].pid})")
            show("🐝 Starting Swarm Daemon...")
        tell(launch(os.environ, port=port, workers=workers), as_json=as_json)
