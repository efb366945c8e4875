"""`swarm diagnose`: what works on this machine, what does not, and how to put it right."""

import os
import sys
from functools import partial
from typing import Annotated

import anyio.to_thread
import typer

from clawswarm.cli.check_lines import report_lines
from clawswarm.cli.daemon_seen import running_daemon
from clawswarm.cli.options import AsJson
from clawswarm.cli.output import print_json, run, say, show, told
from clawswarm.clock import SystemClock
from clawswarm.engine.checks import Status
from clawswarm.modes.diagnose import Situation, diagnose
from clawswarm.modes.machine import this_machine

app = typer.Typer(add_completion=False)

SIGNS: dict[Status, str] = {"ok": "✅", "warn": "⚠️ ", "fail": "❌", "unknown": "❔", "skipped": "➖"}

NOT_CONFIGURED = 3


@app.command("diagnose", epilog="Examples:\n\nswarm diagnose\n\nswarm diagnose --no-call --json")
def diagnose_command(
    no_call: Annotated[
        bool, typer.Option("--no-call", help="Ask no model: keys are tried on the free list of models.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at everything that Swarm needs; whatever fails names its fix.

    The provider in use is asked one short question. Keys are shown masked.

    Exit status: 0 nothing failed, 1 something failed, 3 no provider to ask.
    """
    with told(as_json=as_json):
        status = run(partial(_diagnose, calls=not no_call, as_json=as_json))
    raise typer.Exit(status)


async def _diagnose(*, calls: bool, as_json: bool) -> int:
    if sys.stderr.isatty() and not as_json:
        say("Looking … (a local model may have to be loaded first)")
    situation = Situation(
        environ=os.environ,
        machine=await anyio.to_thread.run_sync(this_machine),
        clock=SystemClock(),
        daemon=running_daemon(os.environ),
        calls=calls,
    )
    report = await diagnose(situation)
    if as_json:
        print_json(report.as_json())
    else:
        show(*report_lines(report, SIGNS))
    if not report.configured:
        return NOT_CONFIGURED
    return 0 if report.ok else 1
