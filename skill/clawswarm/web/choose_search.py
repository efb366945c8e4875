"""Who is asked for pages: the configured service, else the first that is set up.

Keys are looked for as a provider's: BRAVE_API_KEY or brave-key.txt, OLLAMA_API_KEY or ollama-key.txt.
`BRAVE_BASE_URL` and `OLLAMA_SEARCH_BASE_URL` name other addresses than the public ones, such as a proxy's.
"""

from collections.abc import Mapping
from pathlib import Path

from clawswarm.clock import Clock
from clawswarm.config.keys import Key, find_key
from clawswarm.config.model import Research, SearchName
from clawswarm.errors import ConfigError, NotConfigured
from clawswarm.providers.http import Http
from clawswarm.web import search_brave, search_ollama
from clawswarm.web.search import SearchBackend
from clawswarm.web.search_brave import Brave
from clawswarm.web.search_duckduckgo import Ask, DuckDuckGo
from clawswarm.web.search_ollama import OllamaSearch
from clawswarm.web.search_searxng import SearXNG

_VARIABLES = {"brave": "BRAVE_API_KEY", "ollama": "OLLAMA_API_KEY"}


def search_name(settings: Research, provider: str, environ: Mapping[str, str], keys: Path) -> SearchName:
    """Which service a research with this provider asks.

    Raises:
        ConfigError: the configured one does not go with the provider, or a key file cannot be used.
    """
    if settings.search == "gemini" and provider != "gemini":
        raise ConfigError(
            f"research.search is 'gemini', and the provider is {provider!r}: only Gemini asks its own search",
            hint="set provider.name: gemini, or another research.search",
        )
    if settings.search is not None:
        return settings.search
    if provider == "gemini":
        return "gemini"
    if _key("ollama", environ, keys) is not None:
        return "ollama"
    if _key("brave", environ, keys) is not None:
        return "brave"
    return "duckduckgo" if settings.searxng_url is None else "searxng"


def open_search(
    name: SearchName,
    settings: Research,
    environ: Mapping[str, str],
    keys: Path,
    *,
    http: Http,
    clock: Clock,
    duckduckgo: Ask | None = None,
) -> SearchBackend:
    """The service `name`, ready to be asked.

    Raises:
        NotConfigured: its key or its address is missing.
        ConfigError: a key file cannot be used.
    """
    match name:
        case "brave":
            base = environ.get("BRAVE_BASE_URL", "").strip() or search_brave.PUBLIC
            key = _needed("brave", environ, keys)
            return Brave(http=http, clock=clock, base_url=base, key=key.value)
        case "ollama":
            base = environ.get("OLLAMA_SEARCH_BASE_URL", "").strip() or search_ollama.PUBLIC
            key = _needed("ollama", environ, keys)
            return OllamaSearch(http=http, clock=clock, base_url=base, key=key.value)
        case "searxng":
            if settings.searxng_url is None:
                raise NotConfigured(
                    "research.search is 'searxng', and research.searxng_url is not set",
                    hint="set research.searxng_url to the address of your SearXNG",
                )
            return SearXNG(http=http, clock=clock, base_url=settings.searxng_url)
        case "duckduckgo":
            return DuckDuckGo(clock=clock, ask=duckduckgo)
        case "gemini":
            raise ValueError("Gemini searches by itself, inside the call")


def secrets(environ: Mapping[str, str], keys: Path) -> tuple[str, ...]:
    """The keys of search services, for redaction."""
    found = (_key(service, environ, keys) for service in _VARIABLES)
    return tuple(key.value for key in found if key is not None)


def _key(service: str, environ: Mapping[str, str], keys: Path) -> Key | None:
    return find_key(service, _VARIABLES[service], environ, keys)


def _needed(service: str, environ: Mapping[str, str], keys: Path) -> Key:
    if (key := _key(service, environ, keys)) is None:
        variable = _VARIABLES[service]
        raise NotConfigured(
            f"no key for search by {service}: {variable} is not set, and there is no {service}-key.txt",
            hint=f"set it with: export {variable}=…\nor write it to {keys / f'{service}-key.txt'} "
            "and run: chmod 600 on that file",
        )
    return key
