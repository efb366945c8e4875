"""Settings changed for one call: another provider, more at once, no cache."""

from decimal import Decimal
from typing import Any

from clawswarm.config.model import Provider, Settings
from clawswarm.errors import InputError


def with_provider(settings: Settings, name: str | None, model: str | None) -> Settings:
    """`settings` with another provider or model.

    Another provider than the configured one takes its own entry under `fallback` if it has one; what is
    configured for one provider never reaches another. The fallback chain is left out then.
    """
    configured = settings.provider
    if name is None or name == configured.name:
        fields: dict[str, Any] = {"name": configured.name, "model": model or configured.model}
        return _with(settings, _changed(configured, fields))
    if configured.name is None:
        return _with(settings, _changed(configured, {"name": name, "model": model or configured.model}))
    for service in configured.fallback:
        if service.name == name:
            return _with(
                settings, _validated(Provider, service.model_dump() | {"model": model or service.model})
            )
    return _with(settings, _changed(Provider(), {"name": name, "model": model}))


def with_limits(settings: Settings, *, concurrency: int | None, timeout: float | None) -> Settings:
    """`settings` with another number of tasks at once (and calls to one endpoint), or another timeout."""
    changes: dict[str, Any] = {}
    if concurrency is not None:
        changes |= {"max_nodes": concurrency, "max_concurrent_api": concurrency}
    if timeout is not None:
        changes["timeout"] = timeout
    if not changes:
        return settings
    given = settings.limits.model_dump(include=settings.limits.model_fields_set)
    return _with_section(settings, "limits", type(settings.limits), given | changes)


def with_daemon(settings: Settings, *, port: int | None, workers: int | None) -> Settings:
    """`settings` with another port for the daemon, or another number of workers.

    Raises:
        InputError: it is out of range.
    """
    settings = with_limits(settings, concurrency=workers, timeout=None)
    if port is None:
        return settings
    given = settings.daemon.model_dump(include=settings.daemon.model_fields_set)
    return _with_section(settings, "daemon", type(settings.daemon), given | {"port": port})


def without_cache(settings: Settings) -> Settings:
    """`settings` with the cache off: every prompt is asked anew."""
    return settings.model_copy(update={"cache": settings.cache.model_copy(update={"enabled": False})})


def _changed(provider: Provider, changes: dict[str, Any]) -> Provider:
    return _validated(Provider, provider.model_dump(include=provider.model_fields_set) | changes)


def _with(settings: Settings, provider: Provider) -> Settings:
    return settings.model_copy(update={"provider": provider})


def _with_section(settings: Settings, name: str, kind: type[Any], fields: dict[str, Any]) -> Settings:
    return settings.model_copy(update={name: _validated(kind, fields)})


def _validated(kind: type[Any], fields: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    try:
        return kind(**fields)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'provider'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise InputError(problems, hint="see `swarm config schema` for what is allowed") from None


def with_run_cap(settings: Settings, usd: Decimal | None) -> Settings:
    """`settings` with a cap for the run; a lower one that is configured stays."""
    if usd is None:
        return settings
    configured = settings.cost.max_run_spend
    cap = usd if configured is None else min(usd, configured)
    return settings.model_copy(update={"cost": settings.cost.model_copy(update={"max_run_spend": cap})})
