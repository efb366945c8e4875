"""Swarm's own parts: the Python it runs on, its configuration, its state, its daemon."""

import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import anyio
import anyio.to_thread
import httpx2

from clawswarm.config.load import load
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.engine.checks import Check, failed
from clawswarm.engine.redact import Redactor
from clawswarm.errors import ConfigError, StoreError, TaskError
from clawswarm.providers.http import Http
from clawswarm.store.connect import Store, connect
from clawswarm.version import __version__

OLDEST_PYTHON = (3, 11)
HEALTH_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """What is known about a daemon that runs.

    Attributes:
        port: None while it starts.
        outdated: whether it was started with another configuration; None where that cannot be told.
    """

    pid: int
    port: int | None
    version: str
    outdated: bool | None


def python() -> Check:
    """The interpreter and the release."""
    version = platform.python_version()
    details = {"python": version, "executable": sys.executable, "swarm": __version__}
    seen = f"{version} ({sys.executable}), swarm {__version__}"
    if sys.version_info < OLDEST_PYTHON:
        fix = "install Python 3.11 or newer, and run install.sh again"
        return Check(name="python", status="fail", seen=seen, fix=fix, details=details)
    return Check(name="python", status="ok", seen=seen, details=details)


def configuration(environ: Mapping[str, str]) -> tuple[Settings | None, Check]:
    """The settings; None where they cannot be read."""
    try:
        loaded = load(environ)
    except ConfigError as error:
        return None, failed("config", error, Redactor(()))
    exists = loaded.path.exists()
    details = {"path": str(loaded.path), "exists": exists, "enabled": loaded.settings.enabled}
    seen = str(loaded.path) if exists else f"{loaded.path} is not there: defaults and environment count"
    if not loaded.settings.enabled:
        fix = "set node_scaling.enabled: true in it"
        seen += "; Swarm is switched off"
        return loaded.settings, Check(name="config", status="warn", seen=seen, fix=fix, details=details)
    if loaded.warnings:
        fix = "see the message"
        seen = "; ".join(loaded.warnings)
        return loaded.settings, Check(name="config", status="warn", seen=seen, fix=fix, details=details)
    return loaded.settings, Check(name="config", status="ok", seen=seen, details=details)


async def state(paths: Paths) -> tuple[Store | None, Check]:
    """The database of answers and spending, opened as every command opens it."""
    details = {"path": str(paths.database)}
    try:
        store = await anyio.to_thread.run_sync(connect, paths.database)
    except StoreError as error:
        return None, failed("state", error, Redactor(()))
    return store, Check(name="state", status="ok", seen=f"{paths.database} can be used", details=details)


async def daemon(running: Daemon | None, http: Http) -> Check:
    """The daemon, where one runs: whether it answers, and whether it is this release."""
    if running is None:
        seen = "none runs: commands work in their own process"
        return Check(name="daemon", status="ok", seen=seen, details={"running": False})
    details = {"running": True, **asdict(running)}
    if running.port is None:
        seen = f"starting (pid {running.pid})"
        return Check(name="daemon", status="ok", seen=seen, details=details)
    where = f"port {running.port}, pid {running.pid}, version {running.version}"
    try:
        with anyio.fail_after(HEALTH_SECONDS):
            reply = await http.get(httpx2.URL(f"http://127.0.0.1:{running.port}/health"), httpx2.Headers())
        trouble = None if reply.status == 200 else f"answers {reply.status}"
    except (TaskError, TimeoutError):
        trouble = "does not answer"
    if trouble is not None:
        fix = "swarm restart; the reason may be in: swarm logs"
        return Check(
            name="daemon", status="fail", seen=f"runs and {trouble} ({where})", fix=fix, details=details
        )
    if running.version != __version__:
        seen = f"another release than this one, {__version__} ({where})"
        return Check(name="daemon", status="warn", seen=seen, fix="swarm restart", details=details)
    if running.outdated:
        seen = f"was started with another configuration ({where})"
        return Check(name="daemon", status="warn", seen=seen, fix="swarm restart", details=details)
    return Check(name="daemon", status="ok", seen=f"runs ({where})", details=details)
