"""Which providers a configuration means, opened: name → adapters, slots, prices, keys.

Chosen is the configured provider; else the first whose key is found; else an Ollama that answers on this
machine; else nobody, with words on what to set. The demo is used only where it is asked for by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from clawswarm.clock import Clock
from clawswarm.config.keys import Key, find_key
from clawswarm.config.model import Limits, ProviderName, Service, Settings
from clawswarm.config.paths import Paths
from clawswarm.errors import ConfigError, NotConfigured
from clawswarm.providers import address, prices
from clawswarm.providers.base import CallOptions, Provider
from clawswarm.providers.demo import DemoProvider
from clawswarm.providers.http import Http
from clawswarm.providers.models import RECOMMENDED, retirement_warning, runs_one_at_a_time
from clawswarm.providers.ollama_models import listed_models, usable_model
from clawswarm.providers.prices import PriceSheet

DEFAULT_MAX_TOKENS = 8192
"""Tokens a reply may have where nothing else is set. A bound is needed so that money can be reserved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One endpoint: its address and its adapter."""

    address: str
    provider: Provider


@dataclass(slots=True, kw_only=True)
class Backend:
    """One provider with its endpoints, as the engine uses it.

    Attributes:
        slots: calls that one endpoint takes at once.
        attempt_timeout: seconds for one call; None leaves it to the task's own deadline.
        max_tokens: the bound sent with every call; None only where tokens cost nothing.
        searches: whether it can search the web by itself.
    """

    name: ProviderName
    model: str
    connections: tuple[Connection, ...]
    slots: int
    attempt_timeout: float | None
    max_tokens: int | None
    fixed_prices: PriceSheet | None
    local: bool
    price_source: str
    key: Key | None
    options: CallOptions
    caches: bool = True
    searches: bool = False
    _sheets: dict[tuple[str, date], PriceSheet | None] = field(
        default_factory=dict[tuple[str, date], PriceSheet | None]
    )

    def prices(self, model: str, when: datetime) -> PriceSheet | None:
        """The price sheet of `model` at `when`; None when its price is not known."""
        key = (model, when.date())
        if key not in self._sheets:
            self._sheets[key] = self._look_up(model, when)
        return self._sheets[key]

    def _look_up(self, model: str, when: datetime) -> PriceSheet | None:
        if self.fixed_prices is not None:
            return self.fixed_prices
        if self.name == "demo":
            return prices.FREE
        if self.name == "ollama":
            cloud = model.endswith((":cloud", "-cloud")) or not self.local
            return None if cloud else prices.FREE
        if self.name == "openai-compatible" and self.local:
            vendor = prices.vendor_of(model)  # a proxy on this machine may pass the call on to a paid model
            return prices.FREE if vendor is None else prices.published(vendor, model.rsplit("/", 1)[-1], when)
        return prices.published(self.price_source, model, when)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The providers to use, the first one first, and what the user should know about them."""

    backends: tuple[Backend, ...]
    warnings: tuple[str, ...]

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every key in use, for redaction."""
        return tuple(backend.key.value for backend in self.backends if backend.key is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What choosing needs from outside: the environment, the paths, the HTTP client, the clock."""

    environ: Mapping[str, str]
    paths: Paths
    http: Http
    clock: Clock
    demo: DemoProvider | None = None


async def choose(settings: Settings, around: Surroundings) -> Chosen:
    """Open the configured providers.

    Raises:
        NotConfigured: no provider is configured, no key found, and no Ollama answers; or a key is missing.
        ConfigError: a key file or an address cannot be used, or it is open whose it is.
    """
    if settings.provider.name is None and (settings.provider.base_url or settings.provider.api_key_env):
        raise ConfigError(
            "provider.base_url and provider.api_key_env need provider.name: no key goes to another's host",
            hint="set provider.name to the provider that answers there, such as ollama or openai-compatible",
        )
    services: list[Service] = [settings.provider, *settings.provider.fallback]
    warnings: list[str] = []
    backends: list[Backend] = []
    for service in services:
        name = service.name
        model = service.model
        if name is None:
            name, listed = await _first_available(around)
            if model is None and listed is not None:
                model, warning = usable_model(listed)
                warnings += [warning] if warning else []
        backend = _open(name, model, service, settings.limits, around)
        backends.append(backend)
        if warning := retirement_warning(name, backend.model, around.clock.now().date()):
            warnings.append(warning)
    return Chosen(backends=tuple(backends), warnings=tuple(warnings))


async def _first_available(around: Surroundings) -> tuple[ProviderName, list[str] | None]:
    """The first provider whose key is found, else an Ollama that answers, with the models it has."""
    for name in address.KEYED:
        if around.environ.get(address.PLACES[name].key_variable or "", "").strip():
            return name, None
    for name in address.KEYED:
        if find_key(name, None, around.environ, around.paths.keys) is not None:
            return name, None
    tried = address.base_urls("ollama", Service(), around.environ)[0]
    if (listed := await listed_models(around.http, tried)) is not None:
        return "ollama", listed
    raise NotConfigured(
        f"no model to ask: no API key was found, and no Ollama answers at {address.without_login(tried)}",
        hint="run: swarm setup; "
        "or export GEMINI_API_KEY=… (GROQ_API_KEY, OPENAI_API_KEY, ANTHROPIC_API_KEY);\n"
        "or start a local model: ollama serve; or try it without any model: swarm demo",
    )


def _open(
    name: ProviderName, model: str | None, service: Service, limits: Limits, around: Surroundings
) -> Backend:
    urls = address.base_urls(name, service, around.environ)
    local = name == "demo" or all(address.is_local(url) for url in urls)
    key = _key(name, service, urls, around)
    if key is not None and any(address.has_login(url) for url in urls):
        raise ConfigError(
            f"provider {name!r} has a key, and its base URL holds a login: a call can carry only one",
            hint="take the user and the password out of the base URL",
        )
    model = model or RECOMMENDED.get(name)
    if model is None:
        raise ConfigError("'openai-compatible' needs a model", hint="set provider.model, or pass --model")
    unbounded = name in ("ollama", "demo") and service.prices is None  # tokens cost nothing
    max_tokens = service.max_tokens or (None if unbounded else DEFAULT_MAX_TOKENS)
    options = CallOptions(
        max_tokens=max_tokens,
        temperature=service.temperature,
        thinking=service.thinking,
        stream=service.stream,
        keep_alive=service.keep_alive,
        num_ctx=service.num_ctx,
    )
    timeout = limits.attempt_timeout
    if name == "ollama" and "attempt_timeout" not in limits.model_fields_set:
        timeout = None
    return Backend(
        name=name,
        model=model,
        connections=tuple(
            Connection(
                address=address.without_login(url) or name, provider=_adapter(name, url, key, options, around)
            )
            for url in urls
        ),
        slots=_slots(name, model, service, limits, around.environ),
        attempt_timeout=timeout,
        max_tokens=max_tokens,
        fixed_prices=None if service.prices is None else prices.configured(service.prices),
        local=local,
        price_source="openrouter" if address.all_at(urls, "openrouter.ai") else name,
        key=key,
        options=options,
        caches=service.temperature in (None, 0),
        searches=name == "gemini",
    )


def _adapter(
    name: ProviderName, url: str, key: Key | None, options: CallOptions, around: Surroundings
) -> Provider:
    http, clock = around.http, around.clock
    secret = None if key is None else key.value
    match name:
        case "gemini":
            from clawswarm.providers.gemini import Gemini

            return Gemini(http=http, clock=clock, base_url=url, key=secret or "", options=options)
        case "anthropic":
            from clawswarm.providers.anthropic import Anthropic

            return Anthropic(http=http, clock=clock, base_url=url, key=secret or "", options=options)
        case "ollama":
            from clawswarm.providers.ollama import Ollama

            return Ollama(http=http, clock=clock, base_url=url, key=secret, options=options)
        case "groq" | "openai" | "openai-compatible":
            from clawswarm.providers.openai_compat import OpenAICompat

            return OpenAICompat(name, http=http, clock=clock, base_url=url, key=secret, options=options)
        case "demo":
            return around.demo or DemoProvider(clock=clock)


def _key(name: ProviderName, service: Service, urls: tuple[str, ...], around: Surroundings) -> Key | None:
    """The key to send; None where none is needed. A key is never sent to a host it was not meant for."""
    variable = service.api_key_env or address.PLACES[name].key_variable
    if name == "demo" or variable is None:
        return None
    if name == "openai-compatible" and service.api_key_env is None:
        variable = "OPENROUTER_API_KEY" if address.all_at(urls, "openrouter.ai") else variable
    if name == "ollama" and service.api_key_env is None and not address.all_at(urls, "ollama.com"):
        return None
    key = find_key(name, variable, around.environ, around.paths.keys)
    if key is None and (name in address.KEYED or service.api_key_env is not None):
        raise NotConfigured(
            f"no key for provider {name!r}: {variable} is not set, and there is no {name}-key.txt",
            hint=f"set it with: export {variable}=…\n"
            f"or write it to {around.paths.keys / f'{name}-key.txt'} and run: chmod 600 on that file",
        )
    return key


def _slots(
    name: ProviderName, model: str, service: Service, limits: Limits, environ: Mapping[str, str]
) -> int:
    """Calls one endpoint takes at once. Ollama says nowhere how many it has: config, its variable, else 1."""
    if name != "ollama":
        return limits.max_concurrent_api
    if service.num_parallel is not None:
        return service.num_parallel
    if runs_one_at_a_time(model):
        return 1
    stated = environ.get("OLLAMA_NUM_PARALLEL", "").strip()
    return max(1, int(stated)) if stated.isdigit() else 1
