"""Whether the providers in use answer, whether the other keys are good, and whether the clock is right.

The providers in use are asked one short question. Other keys are tried where it costs nothing: on the list
of models.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from clawswarm.config.keys import Key, find_key
from clawswarm.config.model import ProviderName, Service, Settings
from clawswarm.engine.checks import Check, failed
from clawswarm.engine.redact import Redactor
from clawswarm.errors import ConfigError, SwarmError, TaskError
from clawswarm.modes.trial import Trial, try_out
from clawswarm.providers.address import KEYED, PLACES, base_urls
from clawswarm.providers.model_list import list_models, refusal_of, time_at
from clawswarm.providers.registry import Surroundings
from clawswarm.store.connect import Store

MOST_SKEW = 60
"""Seconds by which a clock may be wrong before certificates, tokens and daily caps suffer."""

_PASSES = frozenset({"rate_limited", "overloaded", "timeout", "provider_failed"})
"""Failures that say nothing about the key or the name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of this user, and how they are tried.

    Attributes:
        calls: whether a model may be asked; else only lists are.
    """

    settings: Settings
    around: Surroundings
    store: Store | None
    calls: bool

    async def provider(self, name: ProviderName, service: Service) -> Check:
        """One provider in use, by a real call."""
        try:
            if not self.calls and name != "demo":  # which asks nobody
                return await self._by_list(f"provider {name}", name, self._find(name, service))
            trial = await try_out(self.settings, service, self.around, self.store)
            if not trial.sent and name in KEYED:
                return await self._by_list(f"provider {name}", name, trial.key)
        except SwarmError as error:
            return failed(f"provider {name}", error, Redactor(()))
        return _of_trial(trial)

    async def others(self, used: frozenset[ProviderName]) -> list[Check]:
        """Keys that lie ready for providers that are not in use."""
        checks: list[Check] = []
        for name in KEYED:
            if name in used:
                continue
            try:
                key = self._find(name, Service())
            except ConfigError as error:
                checks.append(failed(f"key {name}", error, Redactor(())))
                continue
            if key is not None:
                checks.append(await self._by_list(f"key {name}", name, key))
        return checks

    async def clock(self) -> Check:
        """This machine's clock against that of a provider."""
        for name in self._on_the_internet():
            try:
                (url, *_) = base_urls(name, self._service(name), self.around.environ)
                reply = await list_models(self.around.http, name, url, None)
            except SwarmError:
                continue
            if (theirs := time_at(reply.headers)) is not None:
                skew = round((self.around.clock.now() - theirs).total_seconds())
                return _of_skew(skew, name)
        seen = "no provider on the internet told its time"
        return Check(name="clock", status="skipped", seen=seen, details={"skew_seconds": None})

    def secrets(self) -> Iterator[str]:
        """Every key that can be found, to be kept out of what is printed."""
        for name in PLACES:
            try:
                key = self._find(name, self._service(name))
            except ConfigError:
                continue
            if key is not None:
                yield key.value

    def _on_the_internet(self) -> list[ProviderName]:
        """Providers to ask for the time: those in use, and those with a key."""
        chain = [self.settings.provider, *self.settings.provider.fallback]
        names = [service.name for service in chain if service.name is not None]
        for name in KEYED:
            try:
                names += [name] if self._find(name, self._service(name)) else []
            except ConfigError:
                continue
        return [name for name in dict.fromkeys(names) if name in KEYED]

    def _service(self, name: ProviderName) -> Service:
        chain: list[Service] = [self.settings.provider, *self.settings.provider.fallback]
        return next((service for service in chain if service.name == name), Service())

    def _find(self, name: ProviderName, service: Service) -> Key | None:
        variable = service.api_key_env or PLACES[name].key_variable
        return find_key(name, variable, self.around.environ, self.around.paths.keys)

    async def _by_list(self, check: str, name: ProviderName, key: Key | None) -> Check:
        """Whether a provider takes `key`, without asking a model."""
        if key is None and name in KEYED:
            variable = self._service(name).api_key_env or PLACES[name].key_variable
            fix = f"run: swarm setup --provider {name}"
            return Check(name=check, status="fail", seen=f"no key: {variable} is not set", fix=fix)
        redact = Redactor([] if key is None else [key.value])
        details = {"provider": name, "key": key.masked if key else None, "asked": "list"}
        try:
            (url, *_) = base_urls(name, self._service(name), self.around.environ)
            reply = await list_models(self.around.http, name, url, key.value if key else None)
            error = refusal_of(name, reply)
        except SwarmError as unreachable:
            error = unreachable
        if error is None:
            seen = f"{_works(key)}: the list of models came"
            return Check(name=check, status="ok", seen=seen, details=details)
        passes = isinstance(error, TaskError) and error.code in _PASSES | {"connection_failed"}
        if passes:
            seen = redact(f"not known whether the key works: {error.message}")
            return Check(name=check, status="warn", seen=seen, fix=error.hint, details=details)
        seen = redact(f"refused: {error.message} (key {_described(key)})")
        return Check(name=check, status="fail", seen=seen, fix=_new_key(name, key), details=details)


def _of_trial(trial: Trial) -> Check:
    name, key, failure = f"provider {trial.provider}", trial.key, trial.failure
    details = {
        "provider": trial.provider,
        "model": trial.model,
        "key": key.masked if key else None,
        "asked": "model" if trial.sent else None,
        "duration_ms": trial.milliseconds if trial.sent else None,
        "code": failure.code if failure else None,
    }
    if trial.answered:
        seen = f"{_works(key)}: {trial.model} answered in {trial.milliseconds} ms"
        warning = "; ".join(trial.warnings)
        return Check(
            name=name,
            status="warn" if warning else "ok",
            seen=f"{seen}; {warning}" if warning else seen,
            fix="set provider.model, or run: swarm setup" if warning else None,
            details=details,
        )
    assert failure is not None  # noqa: S101 - what has no answer has a reason
    if failure.code in ("auth_failed", "permission_denied"):
        seen = f"refused: {failure.message} (key {_described(key)})"
        return Check(name=name, status="fail", seen=seen, fix=_new_key(trial.provider, key), details=details)
    passes = failure.code in _PASSES or not trial.sent
    return Check(
        name=name,
        status="warn" if passes else "fail",
        seen=failure.message,
        fix=failure.hint or "see the message",
        details=details,
    )


def _of_skew(skew: int, name: ProviderName) -> Check:
    details = {"skew_seconds": skew, "against": name}
    if abs(skew) <= MOST_SKEW:
        seen = f"within {max(1, abs(skew))} s of {name}'s"
        return Check(name="clock", status="ok", seen=seen, details=details)
    seen = f"{abs(skew)} s {'ahead of' if skew > 0 else 'behind'} {name}'s: certificates and keys break"
    fix = "set the time: timedatectl set-ntp true (Linux), sudo sntp -sS time.apple.com (macOS)"
    return Check(name="clock", status="fail", seen=seen, fix=fix, details=details)


def _works(key: Key | None) -> str:
    return "no key needed" if key is None else f"key works ({_described(key)})"


def _described(key: Key | None) -> str:
    return "none" if key is None else f"{key.masked} from {key.origin}"


def _new_key(name: ProviderName, key: Key | None) -> str:
    where = f", and correct {key.origin}" if key is not None and "/" not in key.origin else ""
    return f"make a new key and store it: swarm setup --provider {name} --key-stdin{where}"
