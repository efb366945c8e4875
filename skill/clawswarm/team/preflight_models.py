"""The models of a team: the workers' Ollama, and the Director's Claude (operations guide, section 1)."""

import re
from dataclasses import dataclass
from math import inf
from typing import Any

from clawswarm.config.keys import find_key
from clawswarm.config.model import Service, Settings
from clawswarm.engine.checks import Check, failed
from clawswarm.engine.redact import Redactor
from clawswarm.errors import ConfigError, SwarmError, TaskError
from clawswarm.providers.address import PLACES, base_urls, is_loopback, without_login
from clawswarm.providers.model_list import list_models, refusal_of
from clawswarm.providers.models import runs_one_at_a_time
from clawswarm.providers.ollama_host import Host, look_at
from clawswarm.providers.ollama_settings import UNSEEN, how_to_set
from clawswarm.providers.registry import Surroundings
from clawswarm.team.host_settings import local_model, local_service

KEEP_ALIVE = "60m"
MAX_QUEUE = 100
"""Operations guide, section 7."""

_PARALLEL, _ALIVE, _QUEUE = "OLLAMA_NUM_PARALLEL", "OLLAMA_KEEP_ALIVE", "OLLAMA_MAX_QUEUE"
_DURATION = re.compile(r"([0-9]*\.?[0-9]+)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SAYS_NOTHING_OF_THE_KEY = frozenset(
    {"connection_failed", "rate_limited", "overloaded", "timeout", "provider_failed"}
)


@dataclass(frozen=True, slots=True)
class Models:
    """Asks the model servers. `system` is this machine's, as `sys.platform` names it."""

    settings: Settings
    around: Surroundings
    system: str

    async def workers(self) -> list[Check]:
        """The Ollama that the workers share: whether it answers, how it is set, whether it has the model."""
        service = local_service(self.settings)
        if service is None:
            seen = f"not looked at: the configured provider is {self.settings.provider.name}"
            return [Check(name="ollama", status="unknown", seen=seen, details={"version": None})]
        model = local_model(self.settings)
        checks: list[Check] = []
        for url in base_urls("ollama", service, self.around.environ):
            try:
                host = await look_at(self.around.http, url, self._ollama_key(service))
            except TaskError as error:
                checks.append(_silent(url, error))
                continue
            checks += [_answers(host, url), self._environment(url, model, service), self._model(host, model)]
        return checks

    async def director(self) -> Check:
        """The Director's key: whether it is there, and whether Anthropic takes it. To ask costs nothing."""
        service = director_service(self.settings)
        variable = director_variable(service)
        try:
            key = find_key("anthropic", variable, self.around.environ, self.around.paths.keys)
            if key is None:
                return Check(
                    name="director",
                    status="warn",
                    seen="no Anthropic key here: it is well only where the agents' own program has one",
                    fix=f"run: swarm setup --provider anthropic; or: export {variable}=…",
                    details={"key": None, "reachable": None},
                )
            (url, *_) = base_urls("anthropic", service, self.around.environ)
        except ConfigError as error:
            return failed("director", error, Redactor(()))
        known = {"key": key.masked, "origin": key.origin}
        redact = Redactor([key.value])
        try:
            error: SwarmError | None = refusal_of(
                "anthropic", await list_models(self.around.http, "anthropic", url, key.value)
            )
        except TaskError as unreachable:
            error = unreachable
        if error is None:
            seen = f"Anthropic takes the key ({key.masked} from {key.origin})"
            return Check(name="director", status="ok", seen=seen, details=known | {"reachable": True})
        reached = error.code != "connection_failed"
        if error.code in _SAYS_NOTHING_OF_THE_KEY:
            seen = redact(
                f"a key is there ({key.masked}), but whether it works is not known: {error.message}"
            )
            return Check(
                name="director", status="warn", seen=seen, fix=error.hint or "try again before you leave",
                details=known | {"reachable": reached},
            )  # fmt: skip
        return Check(
            name="director",
            status="fail",
            seen=redact(f"Anthropic refused the key ({key.masked} from {key.origin}): {error.message}"),
            fix="make a new key and store it: swarm setup --provider anthropic --key-stdin",
            details=known | {"reachable": reached},
        )

    def _ollama_key(self, service: Service) -> str | None:
        name = service.api_key_env
        return (self.around.environ.get(name, "").strip() or None) if name else None

    def _environment(self, url: str, model: str, service: Service) -> Check:
        """The variables of the guide, as this process sees them."""
        most = self.settings.team.max_concurrent
        wanted = {_PARALLEL: str(most), _ALIVE: KEEP_ALIVE, _QUEUE: str(MAX_QUEUE)}
        here = {name: self.around.environ.get(name, "").strip() or None for name in wanted}
        details: dict[str, Any] = {"seen": here, "recommended": wanted, "note": UNSEEN}
        if most > 1 and runs_one_at_a_time(model):
            return Check(
                name="ollama settings",
                status="warn",
                seen=f"Ollama gives {model} one slot whatever is set, and {most} agents work at once",
                fix="set team.max_concurrent: 1, or take another model, such as qwen3:32b",
                details=details,
            )
        said = ", ".join(f"{name}={value}" for name, value in here.items() if value)
        fix = how_to_set(wanted, self.system)
        if not is_loopback(url) or not said:
            seen = "none is set here" if is_loopback(url) else "it runs on another machine"
            seen += f", and {UNSEEN}; recommended: {', '.join(f'{n}={v}' for n, v in wanted.items())}"
            return Check(name="ollama settings", status="unknown", seen=seen, fix=fix, details=details)
        low = _too_low(here, most, service)
        if low:
            seen = f"{said} ({UNSEEN}): {'; '.join(low)}"
            return Check(name="ollama settings", status="warn", seen=seen, fix=fix, details=details)
        return Check(name="ollama settings", status="ok", seen=f"{said} ({UNSEEN})", details=details)

    def _model(self, host: Host, model: str) -> Check:
        held, loaded = host.held(model), host.in_memory(model)
        left = None if loaded is None or loaded.until is None else loaded.until - self.around.clock.now()
        details: dict[str, Any] = {
            "model": model,
            "present": held is not None,
            "loaded": loaded is not None,
            "stays_seconds": None if left is None else round(left.total_seconds()),
        }
        if held is None:
            some = ", ".join(each.name for each in host.models[:5]) or "no model"
            return Check(
                name="model",
                status="fail",
                seen=f"{model} is not there; the host has {some}",
                fix=f"ollama pull {model}",
                details=details,
            )
        if loaded is None:
            seen = f"{model} is there, and not in memory: the first call loads it"
        else:
            stays = (
                "" if left is None else f" for {_in_words(left.total_seconds())}, and longer with each call"
            )
            seen = f"{model} is in memory{stays}"
        return Check(name="model", status="ok", seen=seen, details=details)


def director_service(settings: Settings) -> Service:
    """How Anthropic is configured, where it is."""
    chain: list[Service] = [settings.provider, *settings.provider.fallback]
    return next((service for service in chain if service.name == "anthropic"), Service())


def director_variable(service: Service) -> str | None:
    return service.api_key_env or PLACES["anthropic"].key_variable


def _silent(url: str, error: TaskError) -> Check:
    return Check(
        name="ollama",
        status="fail",
        seen=f"no Ollama answers at {without_login(url)}: {error.message}",
        fix="start it: ollama serve (or the Ollama app); an address elsewhere goes into provider.base_url",
        details={"address": without_login(url), "version": None},
    )


def _answers(host: Host, url: str) -> Check:
    seen = f"version {host.version or 'unknown'} answers at {without_login(url)}"
    details = {"address": without_login(url), "version": host.version or None}
    return Check(name="ollama", status="ok", seen=seen, details=details)


def _too_low(here: dict[str, str | None], most: int, service: Service) -> list[str]:
    """What is set below what a night needs, in words."""
    found: list[str] = []
    slots, queue = here[_PARALLEL], here[_QUEUE]
    if slots is not None and slots.isdigit() and int(slots) < most:
        found.append(f"{most} agents work at once, and it has {slots} slots")
    alive = None if here[_ALIVE] is None else seconds_of(here[_ALIVE] or "")
    if service.keep_alive is None and alive is not None and alive < (seconds_of(KEEP_ALIVE) or 0):
        found.append("the model leaves memory between two calls of a quiet night")
    if queue is not None and queue.isdigit() and int(queue) < MAX_QUEUE:
        found.append(f"calls beyond {queue} in its queue are refused")
    return found


def seconds_of(text: str) -> float | None:
    """A duration as Ollama reads it: "60m", "1h30m", or seconds; negative is for ever. None means nothing."""
    if text.startswith("-"):
        return inf
    if text.isdigit():
        return float(text)
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _in_words(seconds: float) -> str:
    if seconds >= 48 * 3600:
        return f"{seconds / 86400:.0f} days"
    return f"{seconds / 3600:.0f} h" if seconds >= 2 * 3600 else f"{max(0, seconds) / 60:.0f} min"
