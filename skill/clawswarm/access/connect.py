"""Which way in: the daemon when it runs and would do the same as this process, else this process."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b

from pydantic_core import to_json

from clawswarm.access.api import SwarmAPI
from clawswarm.access.local import open_local
from clawswarm.access.presence import Presence, look
from clawswarm.access.remote import open_remote
from clawswarm.clock import Clock
from clawswarm.config.choice import with_limits, with_provider, with_run_cap, without_cache
from clawswarm.config.load import PREFIX
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.config.token import read_token
from clawswarm.errors import ConfigError, DaemonNeeded
from clawswarm.providers.demo import DemoProvider
from clawswarm.types.requests import AS_CONFIGURED, RunOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """An open way in.

    Attributes:
        options: what is to be sent along with each request; in this process they are settings already.
        daemon: the daemon it leads through; None for this process.
        notes: what the user should know, such as why a daemon that runs is not used.
    """

    api: SwarmAPI
    options: RunOptions
    daemon: Presence | None
    notes: tuple[str, ...] = ()


@asynccontextmanager
async def connect(
    settings: Settings,
    environ: Mapping[str, str],
    options: RunOptions = AS_CONFIGURED,
    *,
    use_daemon: bool | None = None,
    clock: Clock | None = None,
    demo: DemoProvider | None = None,
) -> AsyncGenerator[Way]:
    """Open the way in.

    Args:
        use_daemon: True insists on the daemon, False works in this process. None takes the daemon where it
            runs with the same configuration, and has as many workers as were asked for.

    Raises:
        DaemonNeeded: it was insisted on, and none is running.
        NotConfigured, ConfigError, StoreError: as for `open_local`.
    """
    notes: list[str] = []
    if (use_daemon is not False and demo is None and clock is None) or use_daemon:
        paths = Paths.of(environ)
        presence = look(paths)
        reason = _unusable(presence, settings, environ, options)
        if presence is not None and (reason is None or (use_daemon and presence.port is not None)):
            token, reason = _token(paths, insisted=use_daemon is True)
            if token is not None:
                async with open_remote(presence, token) as remote:
                    yield Way(api=remote, options=options, daemon=presence)
                    return
        if use_daemon:
            what = "no daemon is running" if presence is None else f"the daemon cannot be used: {reason}"
            raise DaemonNeeded(what, hint="start it: swarm start")
        if presence is not None and reason:
            notes.append(f"working without the daemon: {reason}")
    async with open_local(with_options(settings, options), environ, clock=clock, demo=demo) as local:
        yield Way(api=local, options=AS_CONFIGURED, daemon=None, notes=tuple(notes))


def with_options(settings: Settings, options: RunOptions) -> Settings:
    """`settings` as the options would have them, for a swarm of their own.

    Raises:
        InputError: an option cannot be used.
    """
    settings = with_provider(settings, options.provider, options.model)
    settings = with_limits(settings, concurrency=options.concurrency, timeout=options.timeout)
    settings = with_run_cap(settings, options.max_spend)
    return settings if options.cache else without_cache(settings)


def digest(settings: Settings) -> str:
    """Something that changes with every setting."""
    return blake2b(to_json(settings.model_dump(mode="json")), digest_size=8).hexdigest()


def _token(paths: Paths, *, insisted: bool) -> tuple[str | None, str | None]:
    """The daemon's token, or why there is none to use.

    Raises:
        ConfigError: its file cannot be used, and nothing but the daemon will do.
    """
    try:
        token = read_token(paths)
    except ConfigError as error:
        if insisted:
            raise
        return None, f"{error.message} ({error.hint})"
    return token, None if token is not None else "its token file is gone (swarm restart makes a new one)"


def _unusable(
    presence: Presence | None, settings: Settings, environ: Mapping[str, str], options: RunOptions
) -> str | None:
    """Why the daemon would not do the same as this process; None when it would."""
    if presence is None or presence.port is None:
        return "it is stopping" if presence is not None and presence.state == "stopping" else "it is starting"
    if presence.settings != digest(settings) and _meant(presence, environ):
        return "it was started with another configuration (swarm restart takes yours over)"
    if options.concurrency is not None and options.concurrency > presence.workers:
        return f"it has {presence.workers} workers, and {options.concurrency} at once were asked for"
    return None


def _meant(presence: Presence, environ: Mapping[str, str]) -> bool:
    """Whether the difference is this caller's wish: variables of their own, or a file changed since.

    A host may start us with an empty environment; the daemon then knows better.
    """
    if any(name.upper().startswith(PREFIX) for name in environ) or environ.get("SWARM_CONFIG"):
        return True
    try:
        return Paths.of(environ).config.stat().st_mtime > presence.started
    except OSError:
        return False
