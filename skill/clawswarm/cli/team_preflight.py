"""`swarm team preflight`: the operations guide's checklist, before a team is left alone for a night."""

import os
import sys
from collections.abc import Mapping
from functools import partial
from typing import Annotated

import typer

from clawswarm.access.team import open_team
from clawswarm.cli.check_lines import report_lines
from clawswarm.cli.daemon_seen import running_daemon
from clawswarm.cli.options import AsJson, load_settings
from clawswarm.cli.output import print_json, run, say, show, told
from clawswarm.clock import SystemClock
from clawswarm.config.model import Settings
from clawswarm.engine.checks import Check, Status
from clawswarm.errors import NotFound
from clawswarm.modes.diagnose_call import simple_call
from clawswarm.modes.diagnose_self import daemon
from clawswarm.providers.http import open_http
from clawswarm.team.host_settings import local_model, local_service
from clawswarm.team.overview import Overview
from clawswarm.team.preflight import Ask, Situation, go_through

SIGNS: dict[Status, str] = {"ok": "☑ ", "warn": "⚠ ", "fail": "☒ ", "unknown": "☐ ", "skipped": "☐ "}

EXAMPLES = """Examples:

swarm team preflight

swarm team preflight --call

swarm team preflight --json"""

app = typer.Typer()


@app.command("preflight", epilog=EXAMPLES)
def preflight(
    call: Annotated[
        bool, typer.Option("--call", help="Ask the local model one short question; it may have to be loaded.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Go through the checklist before you leave a team alone; whatever fails names its fix.

    Models, keys, gateway, state, room on the disk, what earlier runs left, sleep, alerts, daemon.

    Exit status: 0 nothing failed, 1 something failed.
    """
    with told(as_json=as_json):
        settings = load_settings()
        status = run(partial(_preflight, settings, os.environ, call=call, as_json=as_json))
    raise typer.Exit(status)


async def _preflight(settings: Settings, environ: Mapping[str, str], *, call: bool, as_json: bool) -> int:
    if sys.stderr.isatty() and not as_json:
        say("Looking …" + (" (the local model may have to be loaded first)" if call else ""))
    situation = Situation(
        settings=settings,
        environ=environ,
        system=sys.platform,
        clock=SystemClock(),
        board=partial(_last_run, settings, environ),
        daemon=partial(_daemon, environ),
        call=_call(settings, environ) if call else None,
    )
    report = await go_through(situation)
    if as_json:
        print_json({"ok": report.ok, "checks": [check.as_json() for check in report.checks]})
    else:
        show(*report_lines(report, SIGNS))
    return 0 if report.ok else 1


def _last_run(settings: Settings, environ: Mapping[str, str]) -> Overview | None:
    """The run that is open, else the last one."""
    with open_team(settings, environ) as team:
        try:
            return team.overview()
        except NotFound:
            return None


async def _daemon(environ: Mapping[str, str]) -> Check:
    """Somebody has to watch the clock, and to retry an alert."""
    running = running_daemon(environ)
    if running is None:
        return Check(
            name="daemon",
            status="fail",
            seen="none runs: nobody watches silence and deadlines, reads emergency.md, or retries an alert",
            fix="swarm start; or for every login: swarm service install",
            details={"running": False},
        )
    async with open_http(environ) as http:
        return await daemon(running, http)


def _call(settings: Settings, environ: Mapping[str, str]) -> Ask:
    """A question to the model that the workers share."""
    service = local_service(settings) or settings.provider
    if service.name in (None, "ollama"):
        service = service.model_copy(update={"name": "ollama", "model": local_model(settings)})

    async def ask() -> Check:
        answered = await simple_call(settings, service, environ, SystemClock())
        return Check(
            name="simple command",
            status=answered.status,
            seen=answered.seen,
            fix=answered.fix,
            details={"called": True, **answered.details},
        )

    return ask
