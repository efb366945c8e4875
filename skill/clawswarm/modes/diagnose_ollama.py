"""An Ollama host: whether it answers, has the model, how many slots it gives, and what one costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clawswarm.config.model import Service
from clawswarm.engine.checks import Check
from clawswarm.errors import TaskError
from clawswarm.modes.machine import Machine, size, variable
from clawswarm.modes.ollama_memory import (
    LEAST_CONTEXT,
    ONE_SLOT_FAMILIES,
    Advice,
    Shape,
    advise,
    slot_bytes,
)
from clawswarm.providers.address import is_loopback, without_login
from clawswarm.providers.http import Http
from clawswarm.providers.models import runs_one_at_a_time
from clawswarm.providers.ollama_host import Build, Host, Loaded, build_of, look_at
from clawswarm.providers.ollama_settings import UNSEEN, VARIABLES, how_to_set


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One model on one host, and the memory of the machine it runs on.

    Attributes:
        context: tokens of a slot's window, and `context_from` where that number is from.
        advice: for the host's environment; its numbers are None where the host is another machine.
    """

    host: Host
    model: str
    loaded: Loaded | None
    build: Build | None
    one_slot: bool
    weights: int | None
    context: int
    context_from: str
    slot: int | None
    advice: Advice


async def fit(
    http: Http,
    url: str,
    model: str,
    service: Service,
    environ: Mapping[str, str],
    machine: Machine,
) -> Fit:
    """Ask the host about itself and about `model`.

    Raises:
        TaskError: no Ollama answers.
    """
    key = variable(environ, service.api_key_env) if service.api_key_env else None
    host = await look_at(http, url, key)
    held, loaded = host.held(model), host.in_memory(model)
    build = await _build(http, url, key, model) if held is not None and not held.remote else None
    context, source = _context(service, loaded, environ)
    weights = held.size if held is not None and not held.remote else None
    slot = None
    if build is not None and build.kv_heads and build.head_size and weights:
        shape = Shape(
            weights=weights, kv_heads=build.kv_heads, head_size=build.head_size, trained=build.trained
        )
        slot = slot_bytes(shape, context, variable(environ, "OLLAMA_KV_CACHE_TYPE"))
    one_slot = runs_one_at_a_time(model) or (held is not None and held.family in ONE_SLOT_FAMILIES)
    here = is_loopback(url)
    return Fit(
        host=host,
        model=model,
        loaded=loaded,
        build=build,
        one_slot=one_slot,
        weights=weights,
        context=context,
        context_from=source,
        slot=slot,
        advice=advise(machine.total if here else None, weights, slot, one_slot=one_slot),
    )


async def _build(http: Http, url: str, key: str | None, model: str) -> Build | None:
    try:
        return await build_of(http, url, key, model)
    except TaskError:
        return None


def _context(service: Service, loaded: Loaded | None, environ: Mapping[str, str]) -> tuple[int, str]:
    if service.num_ctx is not None:
        return service.num_ctx, "provider.num_ctx"
    if loaded is not None and loaded.context:
        return loaded.context, "the loaded model"
    stated = variable(environ, "OLLAMA_CONTEXT_LENGTH") or ""
    if stated.isdigit() and int(stated):
        return int(stated), "OLLAMA_CONTEXT_LENGTH"
    return LEAST_CONTEXT, "the smallest that Ollama picks by itself"


def checks(
    found: Fit, url: str, service: Service, environ: Mapping[str, str], machine: Machine
) -> list[Check]:
    """What the host's answers mean."""
    return [
        _reachable(found, url),
        _model(found),
        _slots(found, service, environ),
        _memory(found, url, machine, _counted(found, service, environ)[0]),
        _settings(found, environ, machine),
    ]


def _reachable(found: Fit, url: str) -> Check:
    loaded = [f"{model.name} ({model.context or '?'} tokens a slot)" for model in found.host.loaded]
    seen = f"version {found.host.version or 'unknown'} at {without_login(url)}, loaded: "
    return Check(
        name="ollama",
        status="ok",
        seen=seen + (", ".join(loaded) or "nothing"),
        details={
            "address": without_login(url),
            "version": found.host.version or None,
            "loaded": [
                {
                    "name": model.name,
                    "bytes": model.size,
                    "bytes_on_gpu": model.on_gpu,
                    "context": model.context,
                }
                for model in found.host.loaded
            ],
        },
    )


def _model(found: Fit) -> Check:
    held = found.host.held(found.model)
    names = [model.name for model in found.host.models]
    details = {"model": found.model, "present": held is not None, "models": names}
    if held is not None:
        seen = f"{found.model} is there, {size(held.size)}"
        return Check(name="ollama model", status="ok", seen=seen, details=details)
    some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return Check(
        name="ollama model",
        status="fail",
        seen=f"{found.model} is not there; the host has {some or 'no model'}",
        fix=f"ollama pull {found.model}" + (f", or set provider.model to {names[0]}" if names else ""),
        details=details,
    )


def _counted(found: Fit, service: Service, environ: Mapping[str, str]) -> tuple[int, str]:
    """How many slots Swarm counts on, and where that number is from."""
    stated = variable(environ, "OLLAMA_NUM_PARALLEL") or ""
    if service.num_parallel is not None:
        return service.num_parallel, "provider.num_parallel"
    if found.one_slot:
        return 1, "the model's family"
    if stated.isdigit() and int(stated):
        return int(stated), "OLLAMA_NUM_PARALLEL"
    return 1, "Ollama's own default; no API tells the real number"


def _slots(found: Fit, service: Service, environ: Mapping[str, str]) -> Check:
    slots, source = _counted(found, service, environ)
    details = {"slots": slots, "from": source, "one_slot_family": found.one_slot}
    if found.one_slot and slots > 1:
        return Check(
            name="ollama slots",
            status="warn",
            seen=f"{slots} by {source}, but Ollama gives the family of {found.model} one whatever is set",
            fix="set provider.num_parallel: 1 (swarm setup), or take another model, such as qwen3:32b",
            details=details,
        )
    return Check(name="ollama slots", status="ok", seen=f"{slots}, from {source}", details=details)


def _memory(found: Fit, url: str, machine: Machine, slots: int) -> Check:
    advice = found.advice
    details: dict[str, Any] = {
        "model_bytes": found.weights,
        "slot_bytes": found.slot,
        "context": found.context,
        "context_from": found.context_from,
        "memory_total": machine.total,
        "memory_free": machine.free,
        "loaded_bytes": found.loaded.size if found.loaded else None,
    }
    if found.slot is None:
        seen = "what a slot costs is not known: the host does not say how the model is built"
        return Check(name="ollama memory", status="skipped", seen=seen, details=details)
    seen = (
        f"a slot costs {size(found.slot)} ({found.context} tokens, {found.context_from}), "
        f"the model {size(found.weights)}"
    )
    if not is_loopback(url):
        seen += "; the host is another machine, whose memory is not known"
        return Check(name="ollama memory", status="ok", seen=seen, details=details)
    seen += f"; this machine has {size(machine.total)}, {size(machine.free)} of it free"
    if advice.fits is False:
        return Check(
            name="ollama memory",
            status="warn",
            seen=f"{seen}: too little for this model, unless a graphics card holds it",
            fix="take a smaller model or a smaller provider.num_ctx (swarm setup), or expect it to be slow",
            details=details,
        )
    needed = (found.weights or 0) + slots * found.slot
    if machine.total is not None and needed > machine.total:
        return Check(
            name="ollama memory",
            status="warn",
            seen=f"{seen}: {slots} slots and the model need {size(needed)}",
            fix=f"swarm setup --provider ollama --workers {advice.num_parallel} --yes",
            details=details,
        )
    return Check(name="ollama memory", status="ok", seen=seen, details=details)


def _settings(found: Fit, environ: Mapping[str, str], machine: Machine) -> Check:
    """The environment variables: what this process sees, what is recommended, how to set it."""
    current = {name: variable(environ, name) for name in VARIABLES}
    wanted = found.advice.variables
    differing = {name: value for name, value in wanted.items() if current[name] != value}
    details = {"seen": current, "recommended": wanted, "note": UNSEEN}
    seen = ", ".join(f"{name}={value}" for name, value in current.items() if value) or "none is set here"
    if not differing:
        text = f"{seen}: as recommended ({UNSEEN})"
        return Check(name="ollama settings", status="ok", seen=text, details=details)
    return Check(
        name="ollama settings",
        status="ok" if all(current[name] is None for name in differing) else "warn",
        seen=f"{seen} ({UNSEEN}); recommended: {', '.join(f'{n}={v}' for n, v in wanted.items())}",
        fix=how_to_set(wanted, machine.system),
        details=details,
    )
