"""The daemon's process: one a state directory, on loopback, from its lock to its last answer."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import anyio
import uvicorn

from clawswarm.access.connect import digest
from clawswarm.access.local import LocalSwarm, open_local
from clawswarm.access.presence import Presence, Seat, take_seat
from clawswarm.clock import SystemClock
from clawswarm.config.keys import find_key
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.config.token import make_token
from clawswarm.daemon.app import create_app
from clawswarm.daemon.care import care_for_team, machine_of
from clawswarm.daemon.log import logging_to
from clawswarm.daemon.observe import Observer
from clawswarm.daemon.serving import Serving
from clawswarm.daemon.tracing import make_tracer
from clawswarm.engine.redact import Redactor
from clawswarm.errors import ConfigError, DaemonError, SwarmError
from clawswarm.lifetimes import background_tasks
from clawswarm.modes.jobs import JobRunner
from clawswarm.providers.address import KEYED
from clawswarm.version import __version__
from clawswarm_mcp.mounted import Mounted

logger = logging.getLogger(__name__)

BACKLOG = 2048
"""Connections that may wait to be accepted."""

KEEP_ALIVE = 75
"""Seconds that an idle connection is kept for its client's next request."""

PARTING = 5.0
"""Seconds in which what was called off has cleaned up after itself."""

_SECRETIVE = ("KEY", "TOKEN", "SECRET", "PASSWORD")
"""How the names of variables end whose values do not belong into a log."""

Ready = Callable[[Presence], None]


def run_daemon(settings: Settings, as_loaded: Settings, environ: Mapping[str, str], ready: Ready) -> None:
    """Be the daemon until SIGTERM or SIGINT.

    Args:
        settings: what to work with, options of the start included.
        as_loaded: the configuration alone, so that those who look can tell whether theirs is another.
        ready: told once requests are answered.

    Raises:
        DaemonError: another one runs, or its port is taken.
        NotConfigured, ConfigError, StoreError: it cannot work as it is configured.
    """
    os.umask(0o077)
    paths = Paths.of(environ)
    token = make_token(paths)
    redact = Redactor([token, *_secrets(settings, environ, paths)])
    with (
        take_seat(paths) as seat,
        logging_to(paths.log, redact=redact, largest_mb=settings.daemon.log_mb),
        listening(settings.daemon.port) as door,
    ):
        try:
            anyio.run(_serve, settings, as_loaded, environ, seat, door, token, ready)
        except SwarmError as error:
            logger.error("the daemon ends: %s", error.message)
            raise
        except BaseException:
            logger.exception("the daemon ends")
            raise
        logger.info("stopped")


async def _serve(
    settings: Settings,
    as_loaded: Settings,
    environ: Mapping[str, str],
    seat: Seat,
    door: socket.socket,
    token: str,
    ready: Ready,
) -> None:
    observer, tracer, clock = Observer(), make_tracer(environ), SystemClock()
    port = door.getsockname()[1]
    presence = Presence(
        pid=os.getpid(),
        port=port,
        version=__version__,
        started=clock.now().timestamp(),
        workers=settings.limits.max_nodes,
        settings=digest(as_loaded),
    )
    try:
        async with (
            open_local(settings, environ, clock=clock, watch=observer.task) as swarm,
            swarm.working_on_jobs() as jobs,
        ):
            serving = Serving(
                swarm, settings, observer, tracer, presence.pid, port, started=clock.monotonic()
            )
            for warning in swarm.warnings:
                logger.warning("%s", warning)

            def announce() -> None:
                seat.announce(presence)
                _log_start(swarm, presence)
                ready(presence)

            def leave() -> None:
                seat.announce(replace(presence, port=None))

            machine = machine_of(swarm.engine.fleet, observer)
            async with background_tasks() as group:
                group.start_soon(care_for_team, settings, environ, clock, machine)
                server = make_server(serving, token, announce, leave)
                await _answer(jobs, server, door, settings.daemon.grace)
    finally:
        tracer.close()


class Server(uvicorn.Server):
    """Tells when it answers and when no longer; leaves the signals to us."""

    def __init__(
        self, config: uvicorn.Config, announce: Callable[[], None], leave: Callable[[], None], mcp: Mounted
    ) -> None:
        super().__init__(config)
        self._announce = announce
        self._leave = leave
        self._mcp = mcp

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        async with self._mcp.running():
            await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """What is called off has said its last words, and booked what it spent, when this returns."""
        self._leave()
        self._mcp.leave()
        await super().shutdown(sockets)
        if tasks := set(self.server_state.tasks):
            if self.force_exit:
                for task in tasks:
                    task.cancel()
            await asyncio.wait(tasks, timeout=PARTING)

    def capture_signals(self) -> Any:
        return nullcontext()


def make_server(
    serving: Serving, token: str, announce: Callable[[], None], leave: Callable[[], None]
) -> Server:
    """The HTTP server, not yet started.

    Args:
        announce: told once it answers.
        leave: told when it begins to stop.
    """
    mcp = Mounted(serving.swarm, max_body=int(serving.settings.daemon.max_body_mb * 1_000_000))
    config = uvicorn.Config(
        create_app(serving, token=token, mcp=mcp),
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=max(1, round(serving.settings.daemon.grace)),
    )
    return Server(config, announce, leave, mcp)


async def _answer(jobs: JobRunner, server: Server, door: socket.socket, grace: float) -> None:
    """Answer requests until told to stop; then let what runs finish for as long as it is granted."""
    async with background_tasks() as group:
        told = anyio.Event()
        group.start_soon(_stop_on_signal, server, jobs, told)
        async with anyio.create_task_group() as both:  # streams and jobs have the same seconds to finish
            both.start_soon(_stop_when, told, jobs, grace)
            await server.serve(sockets=[door])
            if not told.is_set():  # it ended for a reason of its own
                both.cancel_scope.cancel()


async def _stop_when(told: anyio.Event, jobs: JobRunner, grace: float) -> None:
    await told.wait()
    await jobs.stop(grace)


async def _stop_on_signal(server: Server, jobs: JobRunner, told: anyio.Event) -> None:
    """The first signal asks for an orderly end, the second for one at once."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            if server.should_exit:
                logger.warning("told twice to stop: leaving now")
                server.force_exit = True
                await jobs.stop(0)
                continue
            logger.info("%s: finishing what can finish", number.name)
            server.should_exit = True
            told.set()


@contextmanager
def listening(port: int) -> Generator[socket.socket]:
    """The daemon's door: loopback only.

    Raises:
        DaemonError: something else listens there.
    """
    # Named as TCP, as accepted sockets then are: asyncio switches Nagle's delay off only for those.
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    with door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", port))
            door.listen(BACKLOG)
        except OSError as error:
            raise DaemonError(
                f"port {port} on 127.0.0.1 cannot be used: {error.strerror}",
                hint=f"see who has it: lsof -i :{port}; or take another one: swarm start --port {port + 1}",
            ) from error
        yield door


def _secrets(settings: Settings, environ: Mapping[str, str], paths: Paths) -> list[str]:
    """Every key that may be in use, and what else is called a secret, so that none gets into the log."""
    provider = settings.provider
    own = {service.api_key_env for service in (provider, *provider.fallback)}
    found = [value for name, value in environ.items() if name in own or name.upper().endswith(_SECRETIVE)]
    for name in KEYED:
        try:
            key = find_key(name, None, environ, paths.keys)
        except ConfigError:
            continue  # told where it matters
        found += [key.value] if key is not None else []
    return [value for value in found if value]


def _log_start(swarm: LocalSwarm, presence: Presence) -> None:
    primary = swarm.engine.primary
    fields = {
        "port": presence.port,
        "pid": presence.pid,
        "version": presence.version,
        "workers": presence.workers,
        "provider": primary.name,
        "model": primary.model,
    }
    logger.info("ready", extra={"fields": fields})
