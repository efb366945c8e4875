"""The diagnose mode: everything that Swarm needs, looked at at once, each with what was seen and the fix."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial

import anyio
import anyio.to_thread

from clawswarm.clock import Clock
from clawswarm.config.model import ProviderName, Service, Settings
from clawswarm.config.paths import Paths
from clawswarm.engine.checks import Check, Question, Report, answer, failed
from clawswarm.engine.redact import Redactor
from clawswarm.errors import NotConfigured, SwarmError, TaskError
from clawswarm.modes import diagnose_ollama, diagnose_places, diagnose_self
from clawswarm.modes.diagnose_keys import Keys
from clawswarm.modes.diagnose_self import Daemon
from clawswarm.modes.machine import Machine
from clawswarm.modes.trial import only, patience
from clawswarm.providers.address import all_at, base_urls, without_login
from clawswarm.providers.http import open_http
from clawswarm.providers.models import RECOMMENDED
from clawswarm.providers.ollama_models import PROBE_TIMEOUT
from clawswarm.providers.registry import Surroundings, choose

LISTS_SECONDS = 30.0
HOST_SECONDS = 10.0
"""Seconds that an Ollama host may take to describe itself and its model."""

_BESIDE = 5.0
"""Seconds that a question may take beside the call it makes: opening, booking, closing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Who asks, and where.

    Attributes:
        daemon: the one that runs on this state directory, None where none does.
        calls: whether a model may be asked.
    """

    environ: Mapping[str, str]
    machine: Machine
    clock: Clock
    daemon: Daemon | None
    calls: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Used:
    """A provider in use; `service` has its name and model also where the configuration leaves them open."""

    name: ProviderName
    service: Service


async def diagnose(situation: Situation) -> Report:
    """Look at everything. Never raises for what is wrong: that is what is asked for."""
    paths = Paths.of(situation.environ)
    settings, config = diagnose_self.configuration(situation.environ)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(open_http(situation.environ))
        around = Surroundings(environ=situation.environ, paths=paths, http=http, clock=situation.clock)
        store, state = await diagnose_self.state(paths)
        if store is not None:
            stack.callback(store.close)
        used: list[_Used] = []
        missing: Check | None = None
        if settings is not None:
            used, missing = await _used(settings, around)
        keys = Keys(settings=settings or Settings(), around=around, store=store, calls=situation.calls)
        in_use: frozenset[ProviderName] = frozenset(entry.name for entry in used)
        questions = [
            _told(diagnose_self.python()),
            _told(config),
            *([_told(missing)] if missing else []),
            *(_about(entry, situation, around, keys) for entry in used),
            Question("keys", partial(keys.others, in_use), LISTS_SECONDS),
            *([] if "ollama" in in_use else [_one("ollama", partial(_unused_ollama, around))]),
            _one("daemon", partial(diagnose_self.daemon, situation.daemon, http)),
            _told(state),
            _read("disk", partial(diagnose_places.disk, paths)),
            _read("permissions", partial(diagnose_places.permissions, paths)),
            _read("openclaw", partial(diagnose_places.openclaw, situation.environ)),
            _one("clock", keys.clock),
        ]
        checks = await answer(questions, Redactor(keys.secrets()))
    nobody = missing is not None and missing.details.get("code") == NotConfigured.code
    return Report(checks, configured=bool(used) or not nobody)


async def _used(settings: Settings, around: Surroundings) -> tuple[list[_Used], Check | None]:
    """The providers in use, each once, and a failed check where the first of them cannot be told."""
    found: list[_Used] = []
    missing: Check | None = None
    for service in (settings.provider, *settings.provider.fallback):
        name, model = service.name, service.model
        if name is None:
            try:
                (backend,) = (await choose(only(settings, service), around)).backends
            except SwarmError as error:
                missing = _nobody(error)
                continue
            name, model = backend.name, backend.model
        if all(entry.name != name for entry in found):
            settled = {"name": name, "model": model or RECOMMENDED.get(name)}
            found.append(_Used(name=name, service=service.model_copy(update=settled)))
    return found, missing


def _nobody(error: SwarmError) -> Check:
    """Why there is no provider; the wizard is the shortest way to one."""
    check = failed("provider", error, Redactor(()))
    if not isinstance(error, NotConfigured) or "swarm setup" in (check.fix or ""):
        return check
    return replace(check, fix=f"run: swarm setup\n{check.fix}")


def _about(entry: _Used, situation: Situation, around: Surroundings, keys: Keys) -> Question:
    """The questions about one provider in use."""
    seconds = patience(entry.name) + _BESIDE
    if entry.name != "ollama":
        return _one(f"provider {entry.name}", partial(keys.provider, entry.name, entry.service), seconds)
    hosts = entry.service.base_url
    count = len(hosts) if isinstance(hosts, list) else 1
    ask = partial(_ollama, entry, situation, around, keys)
    return Question("ollama", ask, seconds + HOST_SECONDS * count)


async def _ollama(entry: _Used, situation: Situation, around: Surroundings, keys: Keys) -> list[Check]:
    """Every host, and one call where the model can be asked."""
    urls = base_urls("ollama", entry.service, situation.environ)
    checks: list[Check] = []
    if all_at(urls, "ollama.com"):  # nobody's machine: there are no slots and no memory to look at
        return [await keys.provider("ollama", entry.service)]
    ready = True
    model = entry.service.model or ""
    for url in urls:
        try:
            with anyio.fail_after(HOST_SECONDS):
                found = await diagnose_ollama.fit(
                    around.http, url, model, entry.service, situation.environ, situation.machine
                )
        except (TaskError, TimeoutError) as error:
            reason = error.message if isinstance(error, TaskError) else "no answer"
            checks.append(_unreachable(url, reason))
            ready = False
            continue
        of_host = diagnose_ollama.checks(found, url, entry.service, situation.environ, situation.machine)
        ready = ready and all(check.status != "fail" for check in of_host)
        checks += of_host
    if ready and situation.calls:
        checks.append(await keys.provider("ollama", entry.service))
    return checks


def _unreachable(url: str, reason: str) -> Check:
    return Check(
        name="ollama",
        status="fail",
        seen=f"no Ollama answers at {without_login(url)}: {reason}",
        fix="start it: ollama serve (or the Ollama app); an address elsewhere goes into provider.base_url",
        details={"address": without_login(url), "version": None},
    )


async def _unused_ollama(around: Surroundings) -> Check:
    """An Ollama that nobody asks, said for those who could."""
    (url, *_) = base_urls("ollama", Service(), around.environ)
    try:
        with anyio.fail_after(PROBE_TIMEOUT):
            host = await diagnose_ollama.look_at(around.http, url, None)
    except (TaskError, TimeoutError):
        seen = f"not in use, and none answers at {without_login(url)}"
        return Check(name="ollama", status="skipped", seen=seen, details={"version": None})
    seen = f"not in use; version {host.version} answers at {without_login(url)}, {len(host.models)} models"
    return Check(name="ollama", status="ok", seen=seen, details={"version": host.version})


def _told(check: Check) -> Question:
    """A check whose answer is there already, in its place among the others."""

    async def ask() -> list[Check]:
        return [check]

    return Question(check.name, ask)


def _one(name: str, check: Callable[[], Awaitable[Check]], seconds: float = 10.0) -> Question:
    async def ask() -> list[Check]:
        return [await check()]

    return Question(name, ask, seconds)


def _read(name: str, check: Callable[[], Check]) -> Question:
    """A check of the file system, in a thread: a network drive may hang."""

    async def ask() -> list[Check]:
        return [await anyio.to_thread.run_sync(check, abandon_on_cancel=True)]

    return Question(name, ask)
