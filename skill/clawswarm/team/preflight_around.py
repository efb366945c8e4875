"""What a team needs around it: its host's gateway, a machine that stays awake, and a way to call a human."""

import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import anyio
from pydantic_core import from_json

from clawswarm.config.masking import whom_it_leads_to
from clawswarm.config.paths import Paths
from clawswarm.config.team import Alerts
from clawswarm.engine.checks import Check
from clawswarm.providers.shape import child, is_object, text_of
from clawswarm.team.alert_posts import DISCORD_HOSTS, SLACK_HOSTS, TELEGRAM_HOST
from clawswarm.team.alert_webhook import SECRET_FILE, webhook_secret
from clawswarm.team.host import find_host
from clawswarm.team.preflight_places import nearest
from clawswarm.team.programs import find_program, run_program

STATUS_SECONDS = 25.0
PROBE_MILLISECONDS = 5_000
"""What the host's `status` may take, and within it the look at the gateway: without a limit it may hang."""

_POWER = "/sys/power/state"
_INHIBITOR = re.compile(r"\s\d+\s+\S+\s+\d+\s+\S+\s+(\S+)\s.*\sblock\S*$")
"""A line of `systemd-inhibit --list`: who, uid, user, pid, program, what, why, mode."""
_ASSERTION = re.compile(r"^\s*(PreventSystemSleep|PreventUserIdleSystemSleep)\s+1\b", re.MULTILINE)


async def gateway(environ: Mapping[str, str]) -> Check:
    """The gateway of OpenClaw (formerly Clawdbot), as its own `status` says."""
    host = find_host(environ)
    if host is None or host.command is None:
        where = (
            ""
            if host is None
            else f" ({host.title}'s folder {host.file.parent} is there, its program is not)"
        )
        seen = f"neither openclaw nor clawdbot is on the PATH{where}: agents of other programs do not need it"
        return Check(name="gateway", status="unknown", seen=seen, details={"host": None, "reachable": None})
    arguments = ("status", "--json", "--timeout", str(PROBE_MILLISECONDS))
    ran = await run_program(host.command, *arguments, environ=environ, seconds=STATUS_SECONDS)
    details: dict[str, Any] = {"host": host.name, "command": host.command, "reachable": None}
    if ran is None:
        seen = f"{host.name} status did not end within {STATUS_SECONDS:g} s"
        fix = f"look yourself: {host.name} status"
        return Check(name="gateway", status="unknown", seen=seen, fix=fix, details=details)
    found = _gateway_of(ran.out)
    reachable = found.get("reachable")
    if not isinstance(reachable, bool):
        seen = f"{host.name} status did not tell (exit status {ran.status}): {ran.said}"
        fix = f"look yourself: {host.name} status"
        return Check(name="gateway", status="unknown", seen=seen, fix=fix, details=details)
    details["reachable"] = reachable
    where = text_of(found, "url") or "its address"
    if reachable:
        seen = f"{host.title}'s answers at {where}"
        return Check(name="gateway", status="ok", seen=seen, details=details)
    why = text_of(found, "error")
    return Check(
        name="gateway",
        status="fail",
        seen=f"{host.title}'s does not answer at {where}" + (f": {why[:200]}" if why else ""),
        fix=f"start it: {host.name} gateway start (without a service: {host.name} gateway run)",
        details=details,
    )


def _gateway_of(text: str) -> dict[str, Any]:
    """The part about the gateway; what stands before the document is no part of it."""
    try:
        document: Any = from_json(text[text.index("{") :])
    except ValueError:
        return {}
    return child(document, "gateway") if is_object(document) else {}


async def awake(environ: Mapping[str, str], system: str) -> Check:
    """Whether this machine may fall asleep while the team works."""
    if system == "darwin":
        ran = await _asked("pmset", "-g", "assertions", environ=environ)
        return awake_macos(ran)
    try:
        power: str | None = await anyio.Path(_POWER).read_text(encoding="ascii", errors="replace")
    except OSError:
        power = None
    listed = await _asked("systemd-inhibit", "--list", "--no-legend", "--no-pager", environ=environ)
    return awake_linux(power, listed)


async def _asked(name: str, *arguments: str, environ: Mapping[str, str]) -> str | None:
    """What a program of the system says; None where it is missing or fails."""
    program = find_program(name, environ)
    if program is None:
        return None
    ran = await run_program(program, *arguments, environ=environ, seconds=5)
    return None if ran is None or ran.status else ran.out


def awake_linux(power: str | None, inhibitors: str | None) -> Check:
    """Out of /sys/power/state, which names the ways to sleep, and the list of `systemd-inhibit`."""
    if power is not None and not power.strip():
        seen = "this machine cannot be suspended"
        return Check(name="awake", status="ok", seen=seen, details={"held": None})
    if inhibitors is None:
        return _not_seen()
    holds = (_INHIBITOR.search(line) for line in inhibitors.splitlines())
    if any(found is not None and "sleep" in found[1].split(":") for found in holds):
        seen = "somebody keeps this machine awake (systemd-inhibit --list says who)"
        return Check(name="awake", status="ok", seen=seen, details={"held": True})
    fix = (
        "while the team works: systemd-inhibit --what=sleep:idle --who=swarm --why='a team works' sleep 12h &"
    )
    return _may_sleep(fix)


def awake_macos(assertions: str | None) -> Check:
    """Out of `pmset -g assertions`."""
    if assertions is None:
        return _not_seen()
    if _ASSERTION.search(assertions):
        seen = "somebody keeps this machine awake (pmset -g assertions says who)"
        return Check(name="awake", status="ok", seen=seen, details={"held": True})
    return _may_sleep("while the team works: caffeinate -is -t 43200 & (with the lid open, on mains power)")


def _not_seen() -> Check:
    seen = "whether this machine falls asleep cannot be seen from here"
    fix = "switch sleep and lock off in its settings"
    return Check(name="awake", status="unknown", seen=seen, fix=fix, details={"held": None})


def _may_sleep(fix: str) -> Check:
    seen = "nothing keeps this machine from falling asleep"
    return Check(name="awake", status="warn", seen=seen, fix=fix, details={"held": False})


def alerts(settings: Alerts, environ: Mapping[str, str], paths: Paths) -> Check:
    """How a human is told: the folder of alerts, the webhook with its secret, the desktop."""
    there = nearest(paths.alerts)
    desktop = settings.desktop and any(find_program(name, environ) for name in ("notify-send", "osascript"))
    url = settings.webhook
    whom = None if url is None else whom_it_leads_to(url)
    details: dict[str, Any] = {
        "folder": str(paths.alerts),
        "webhook": whom,
        "signed": None,
        "desktop": desktop,
    }
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        fix = f"check the folder (ls -ld {there}), or point SWARM_ALERTS_DIR elsewhere"
        seen = f"alerts cannot be written to {paths.alerts}"
        return Check(name="alerts", status="fail", seen=seen, fix=fix, details=details)
    also = "files" + (" and the desktop" if desktop else "")
    if url is None:
        return Check(
            name="alerts",
            status="warn",
            seen=f"{also} only: nobody's phone rings at night",
            fix="set team.alerts.webhook (Slack, Discord, ntfy, Telegram, or a POST of JSON)",
            details=details,
        )
    if urlsplit(url).hostname == TELEGRAM_HOST and settings.telegram_chat is None:
        seen = f"{whom} needs a chat to write to"
        fix = "set team.alerts.telegram_chat"
        return Check(name="alerts", status="fail", seen=seen, fix=fix, details=details)
    secret = webhook_secret(settings, environ, paths.keys)
    details["signed"] = secret is not None
    if secret is not None:
        seen = f"{whom}, signed with the secret from {secret.origin}, and {also}"
        return Check(name="alerts", status="ok", seen=seen, details=details)
    if not _checks_signatures(url):
        return Check(name="alerts", status="ok", seen=f"{whom}, and {also}", details=details)
    return Check(
        name="alerts",
        status="warn",
        seen=f"{whom}, unsigned: {settings.webhook_secret_env} is not set here; and {also}",
        fix=f"set it where the daemon runs, or write the secret into {paths.keys / SECRET_FILE} (chmod 600)",
        details=details,
    )


def _checks_signatures(url: str) -> bool:
    """Whether it may be a receiver of somebody's own: the services know by their address who writes."""
    host = urlsplit(url).hostname or ""
    discord = any(host == domain or host.endswith(f".{domain}") for domain in DISCORD_HOSTS)
    return not (discord or host in SLACK_HOSTS or host == TELEGRAM_HOST or "ntfy" in host)
