"""Where each provider answers, from the configuration, its usual variable, or its public address."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from clawswarm.config.model import ProviderName, Service
from clawswarm.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Place:
    """The usual names of one provider.

    Attributes:
        key_variable: environment variable of its key; None for a provider without one.
        url_variable: environment variable of its base URL.
        public: its public address, or the local default.
        path: what follows the host when a base URL names a host only.
    """

    key_variable: str | None
    url_variable: str | None
    public: str
    path: str = ""


PLACES: Mapping[ProviderName, Place] = {
    "gemini": Place(
        "GEMINI_API_KEY", "GEMINI_BASE_URL", "https://generativelanguage.googleapis.com", "/v1beta"
    ),
    "groq": Place("GROQ_API_KEY", "GROQ_BASE_URL", "https://api.groq.com", "/openai/v1"),
    "openai": Place("OPENAI_API_KEY", "OPENAI_BASE_URL", "https://api.openai.com", "/v1"),
    "anthropic": Place("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
    "openai-compatible": Place("OPENAI_COMPATIBLE_API_KEY", None, "", "/v1"),
    "ollama": Place("OLLAMA_API_KEY", "OLLAMA_HOST", "http://127.0.0.1:11434"),
    "demo": Place(None, None, ""),
}

_SCHEMES = ("http", "https")

KEYED: tuple[ProviderName, ...] = ("gemini", "groq", "openai", "anthropic")
"""Providers that cannot be used without a key, in the order in which a key is looked for."""


def base_urls(name: ProviderName, service: Service, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The base URLs of a provider, one an endpoint, ready to have the API's path appended."""
    place = PLACES[name]
    if service.base_url is not None:
        urls = [service.base_url] if isinstance(service.base_url, str) else service.base_url
    else:
        from_environ = environ.get(place.url_variable, "").strip() if place.url_variable else ""
        urls = [from_environ or place.public]
    try:
        return tuple(dict.fromkeys(_complete(name, url, place) for url in urls))
    except ValueError:  # not shown: it may hold a password
        where = "base_url" if service.base_url is not None else place.url_variable
        raise ConfigError(
            f"the address of provider {name!r} in {where} cannot be read",
            hint="it should look like http://127.0.0.1:11434 or https://example.org/v1",
        ) from None


def _complete(name: ProviderName, url: str, place: Place) -> str:
    if name == "demo":
        return ""
    if name == "ollama":
        return _ollama(url.strip(" \"'"))
    parts = urlsplit(url if "://" in url else f"//{url}")
    scheme = parts.scheme or ("http" if is_local(f"//{parts.netloc}") else "https")
    if not parts.hostname or scheme not in _SCHEMES or parts.port == 0:
        raise ValueError("no address of a web server")
    path = parts.path.rstrip("/")
    # The SDK appends /v1/messages itself; the others append /chat/completions.
    path = path.removesuffix("/v1" if name == "anthropic" else "/chat/completions")
    return urlunsplit((scheme, parts.netloc, path or place.path, "", ""))


def _ollama(url: str) -> str:
    """OLLAMA_HOST in any of its forms: host, host:port, :port, a URL, or 0.0.0.0 as a server binds it.

    As Ollama itself reads it: the port is 11434 where there is no scheme, else the scheme's own.
    """
    scheme, mark, rest = url.rpartition("://")
    scheme = scheme.lower()
    if not mark:
        scheme = "https" if rest.split("/")[0] == "ollama.com" else "http"
    if _is_ipv6(rest.strip("[]")):
        rest = f"[{rest.strip('[]')}]"
    parts = urlsplit(f"{scheme}://{rest}")
    if scheme not in _SCHEMES:
        raise ValueError("no address of a web server")
    host = parts.hostname or "127.0.0.1"
    if host in ("0.0.0.0", "::"):  # noqa: S104 - an address to listen on, read as the address to call
        host = "127.0.0.1"
    port = parts.port
    if port is None and not mark and scheme == "http":
        port = 11434
    login, at, _ = parts.netloc.rpartition("@")
    shown = f"[{host}]" if ":" in host else host
    suffix = "" if port is None or (scheme, port) in (("http", 80), ("https", 443)) else f":{port}"
    path = parts.path.rstrip("/").removesuffix("/v1").removesuffix("/api")  # other APIs begin there
    return urlunsplit((scheme, f"{login}{at}{shown}{suffix}", path, "", ""))


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def has_login(url: str) -> bool:
    """Whether `url` holds a user, and perhaps a password."""
    return "@" in urlsplit(url).netloc


def without_login(url: str) -> str:
    """`url` without a user and a password, to be shown."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def is_loopback(url: str) -> bool:
    """Whether `url` leads to this machine."""
    host = host_of(url)
    return host in ("localhost", "::1") or host.startswith("127.")


def all_at(urls: tuple[str, ...], host: str) -> bool:
    """Whether every one of `urls` leads to `host`."""
    return all(host_of(url) == host for url in urls)


_LOCAL_ENDINGS = (".localhost", ".local", ".lan", ".internal", ".home.arpa", ".ts.net")
_SHARED = ipaddress.ip_network("100.64.0.0/10")
"""Addresses that private overlay networks give out."""


def is_local(url: str) -> bool:
    """Whether `url` leads to this machine or its own network, where a model server costs nothing a token."""
    host = host_of(url)
    if host.endswith(_LOCAL_ENDINGS):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host and bool(host)  # a name without a dot means something on this network only
    return address.is_loopback or address.is_private or address in _SHARED
