"""`swarm status`: whether the daemon runs, and what it is doing."""

import os
from functools import partial
from typing import Any

import typer

from clawswarm.access.presence import Presence, look
from clawswarm.access.remote import open_remote
from clawswarm.cli.options import AsJson
from clawswarm.cli.output import print_json, run, show, told, warn
from clawswarm.config.paths import Paths
from clawswarm.config.token import read_token
from clawswarm.errors import DaemonError
from clawswarm.types.money import show_usd, to_pico

app = typer.Typer(add_completion=False)

NOT_RUNNING = 1
LINE = "─" * 45


@app.command("status", epilog="Example:\n\nswarm status")
def status_command(as_json: AsJson = False) -> None:
    """Show the daemon: uptime, workers, tasks, money, cache, jobs. Exit status 1 when none is running."""
    with told(as_json=as_json):
        status = run(partial(_status, as_json=as_json))
    raise typer.Exit(status)


async def _status(*, as_json: bool) -> int:
    paths = Paths.of(os.environ)
    presence = look(paths)
    if presence is None or presence.port is None:
        state = "stopped" if presence is None else presence.state
        if as_json:
            print_json({"status": state})
        else:
            show("🐝 Swarm Daemon Status", LINE, f"   Status:     ⏹️  {state.capitalize()}")
            show("   Start it:   swarm start")
        return NOT_RUNNING
    found = await _ask(presence, paths)
    if as_json:
        print_json(found)
    else:
        show("🐝 Swarm Daemon Status", LINE, *(f"   {f'{name}:':<12}{value}" for name, value in _rows(found)))
        warn(found["warnings"])
    return 0


async def _ask(presence: Presence, paths: Paths) -> dict[str, Any]:
    if (token := read_token(paths)) is None:
        raise DaemonError("the daemon's token file is gone", hint="make a new one: swarm restart")
    async with open_remote(presence, token) as remote:
        return await remote.ask("GET", "/status")


def _rows(found: dict[str, Any]) -> list[tuple[str, object]]:
    average = found["avg_ms"]
    rows: list[tuple[str, object]] = [
        ("Status", "✅ Running"),
        ("Port", found["port"]),
        ("PID", found["pid"]),
        ("Uptime", uptime(found["uptime_s"])),
        ("Workers", f"{found['workers']} ({found['workers_busy']} busy)"),
        ("Requests", found["requests"]),
        ("Tasks", f"{found['tasks']}" + (f" ({found['failed']} failed)" if found["failed"] else "")),
        ("Avg time", "none yet" if average is None else f"{average:.0f}ms"),
        ("Provider", f"{found['provider']} ({found['model']})"),
        ("Cost today", _cost(found["cost"])),
        ("Cache", _cache(found["cache"])),
        ("Jobs", _jobs(found["jobs"])),
    ]
    rows += [
        ("Endpoint", f"{endpoint['address']}: {endpoint['state']}")
        for endpoint in found["endpoints"]
        if endpoint["state"] != "closed"
    ]
    return rows


def _cost(cost: dict[str, Any] | None) -> str:
    if cost is None:
        return "unknown"
    cap = "no cap" if cost["cap_usd"] is None else f"cap {show_usd(to_pico(cost['cap_usd']))}"
    return f"{show_usd(to_pico(cost['today_usd']))} ({cap})"


def _cache(cache: dict[str, Any] | None) -> str:
    if cache is None:
        return "unknown"
    if not cache["enabled"]:
        return "off"
    return f"{cache['answers']} answers, {cache['bytes'] / 1_000_000:.1f} MB, {cache['hits']} hits"


def _jobs(jobs: dict[str, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in jobs.items()) or "none"


def uptime(seconds: float) -> str:
    """Such as 2d 3h, 3h 5m, 5m 7s, 7s."""
    left = int(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or unit == "s":
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])
