"""`swarm diagnose`: what works on this machine, what does not, and how to put it right."""

import os
import sys
from functools import partial
from typing import Annotated

import anyio.to_thread
import typer

from clawswarm.access.connect import digest
from clawswarm.access.presence import look
from clawswarm.cli.options import AsJson
from clawswarm.cli.output import print_json, run, say, show, told
from clawswarm.clock import SystemClock
from clawswarm.config.load import load
from clawswarm.config.paths import Paths
from clawswarm.errors import ConfigError
from clawswarm.modes.checks import Check, Report, Status
from clawswarm.modes.diagnose import Situation, diagnose
from clawswarm.modes.diagnose_self import Daemon
from clawswarm.modes.machine import this_machine

app = typer.Typer(add_completion=False)

SIGNS: dict[Status, str] = {"ok": "✅", "warn": "⚠️ ", "fail": "❌", "skipped": "➖"}

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
        daemon=_daemon(),
        calls=calls,
    )
    report = await diagnose(situation)
    if as_json:
        print_json(report.as_json())
    else:
        _print(report)
    if not report.configured:
        return NOT_CONFIGURED
    return 0 if report.ok else 1


def _daemon() -> Daemon | None:
    """The daemon that runs here, and whether it knows the configuration as it is now."""
    presence = look(Paths.of(os.environ))
    if presence is None:
        return None
    try:
        outdated = presence.settings != digest(load(os.environ).settings)
    except ConfigError:
        outdated = None
    return Daemon(pid=presence.pid, port=presence.port, version=presence.version, outdated=outdated)


def _print(report: Report) -> None:
    width = max(len(check.name) for check in report.checks)
    for check in report.checks:
        show(*_lines(check, width))
    counts = [(report.count(status), words) for status, words in _WORDS.items()]
    show("", ", ".join(f"{count} {words}" for count, words in counts if count))


_WORDS: dict[Status, str] = {"ok": "fine", "warn": "to look at", "fail": "failed", "skipped": "not asked"}


def _lines(check: Check, width: int) -> list[str]:
    head, *more = check.seen.splitlines() or [""]
    lines = [f"{SIGNS[check.status]} {check.name:<{width}}  {head}"]
    indent = " " * (width + 5)
    lines += [f"{indent}{line}" for line in more]
    for place, line in enumerate((check.fix or "").splitlines()):
        lines.append(f"{indent}{'→ ' if place == 0 else '  '}{line}")
    return lines
